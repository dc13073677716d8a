"""The access conditions (MF1S50YYX, section 8.7), by the data sheet's tables, with a real card on a reader."""

import pytest

from sim.parts.mifare import MifareClassic
from sim.parts.mifare_access import Access
from sim.parts.mifare_memory import new_image
from sim.parts.mifare_value import pack_value, unpack_value
from tests.sim.parts.probe import ACK, UID_4, Probe

KEY_A, KEY_B = bytes.fromhex("a0a1a2a3a4a5"), bytes.fromhex("b0b1b2b3b4b5")
DATA = bytes(range(16))

# Table 8: C1 C2 C3; then the keys that may read, write, increment, and decrement, transfer or restore.
DATA_TABLE = [
    ("000", "A B", "A B", "A B", "A B"),
    ("010", "A B", "-", "-", "-"),
    ("100", "A B", "B", "-", "-"),
    ("110", "A B", "B", "B", "A B"),
    ("001", "A B", "-", "-", "A B"),
    ("011", "B", "B", "-", "-"),
    ("101", "B", "-", "-", "-"),
    ("111", "-", "-", "-", "-"),
]
# Table 7: C1 C2 C3; write key A, read and write access bits, read and write key B.
TRAILER_TABLE = [
    ("000", "A", "A", "-", "A", "A"),
    ("010", "-", "A", "-", "A", "-"),
    ("100", "B", "A B", "-", "-", "B"),
    ("110", "-", "A B", "-", "-", "-"),
    ("001", "A", "A", "A", "A", "A"),
    ("011", "B", "A B", "B", "-", "B"),
    ("101", "-", "A B", "B", "-", "-"),
    ("111", "-", "A B", "-", "-", "-"),
]
# Trailers under which key B is data.
KEY_B_READABLE = {"000", "010", "001"}


def access_bits(conditions: list[str]) -> bytes:
    """Bytes 6 to 9 of a trailer, from C1 C2 C3 of blocks 0 to 3."""
    c1, c2, c3 = (sum(int(condition[part]) << block for block, condition in enumerate(conditions)) for part in range(3))
    return bytes([(c2 ^ 15) << 4 | c1 ^ 15, c1 << 4 | c3 ^ 15, c3 << 4 | c2, 0x69])


def on_reader(data: str, trailer: str) -> tuple[Probe, MifareClassic]:
    """A card whose sector 1 has a value in block 4, and the same condition for its three data blocks."""
    image = new_image(UID_4)
    image[64:80] = pack_value(100, 4)
    image[112:128] = KEY_A + access_bits([data, data, data, trailer]) + KEY_B
    probe, card = Probe(), MifareClassic(UID_4, image)
    probe.field.put(card)
    return probe.start(), card


def open_sector(probe: Probe, key: str) -> None:
    probe.open(4, UID_4, KEY_A if key == "A" else KEY_B, key_type=0x60 if key == "A" else 0x61)


def test_bits_of_known_trailers() -> None:
    assert access_bits(["000", "000", "000", "001"]) == bytes.fromhex("ff078069"), "as delivered"
    assert access_bits(["100", "100", "100", "011"]) == bytes.fromhex("78778869"), "ours: docs/protocol.md, section 7"


@pytest.mark.parametrize("key", ["A", "B"])
@pytest.mark.parametrize(("condition", "read", "write", "increment", "decrement"), DATA_TABLE)
def test_data_block(condition: str, read: str, write: str, increment: str, decrement: str, key: str) -> None:
    probe, card = on_reader(condition, "011")

    def fresh() -> Probe:
        open_sector(probe, key)
        return probe

    assert (fresh().ask(0xC1, 4).data == bytes([ACK])) == (key in increment)
    assert (fresh().ask(0xC0, 4).data == bytes([ACK])) == (key in decrement)
    assert (fresh().ask(0xC2, 4).data == bytes([ACK])) == (key in decrement)
    if key in decrement:
        assert probe.ask(0, 0, 0, 0).bits == 0
        assert probe.ask(0xB0, 5).data == bytes([ACK])
        assert unpack_value(bytes(card.image[80:96])) == (100, 4)
    assert isinstance(fresh().read_block(4), bytes) == (key in read)
    assert (fresh().write_block(6, DATA) == [ACK, ACK]) == (key in write)
    assert (card.image[96:112] == DATA) == (key in write)


@pytest.mark.parametrize("key", ["A", "B"])
@pytest.mark.parametrize(("condition", "key_a_write", "bits_read", "bits_write", "key_b_read", "key_b_write"), TRAILER_TABLE)
def test_trailer(condition: str, key_a_write: str, bits_read: str, bits_write: str, key_b_read: str, key_b_write: str, key: str) -> None:
    probe, card = on_reader("000", condition)
    if key == "B" and condition in KEY_B_READABLE:
        key = "a key B that is data"
        open_sector(probe, "B")
    else:
        open_sector(probe, key)
    before = bytes(card.image[112:128])
    shown = probe.read_block(7)
    if key in bits_read:
        assert shown == bytes(6) + before[6:10] + (KEY_B if key in key_b_read else bytes(6))
    else:
        assert isinstance(shown, int)
    open_sector(probe, key if key in "AB" else "B")
    new = b"aaaaaa" + access_bits(["100", "100", "100", "011"]) + b"bbbbbb"
    written = probe.write_block(7, new)
    may = (key in key_a_write, key in bits_write, key in key_b_write)
    assert written == ([ACK, ACK] if any(may) else [0x4])
    parts = [(new if allowed else before)[part] for allowed, part in zip(may, (slice(0, 6), slice(6, 10), slice(10, 16)), strict=True)]
    assert bytes(card.image[112:128]) == b"".join(parts)


@pytest.mark.parametrize("condition", sorted(KEY_B_READABLE))
def test_a_key_b_that_can_be_read_opens_a_session_in_which_all_is_refused(condition: str) -> None:
    probe, _ = on_reader("000", condition)
    open_sector(probe, "B")
    assert probe.read_block(4) == 0x4


def test_new_keys_count_from_the_next_session() -> None:
    probe, _ = on_reader("100", "011")
    open_sector(probe, "B")
    assert probe.write_block(7, b"aaaaaa" + access_bits(["100", "100", "100", "011"]) + b"bbbbbb") == [ACK, ACK]
    assert probe.read_block(4) == pack_value(100, 4)
    probe.select(UID_4)
    assert not probe.authenticate(4, UID_4, KEY_B, key_type=0x61)
    probe.open(4, UID_4, b"bbbbbb", key_type=0x61)


@pytest.mark.parametrize("bit", range(24))
def test_one_flipped_bit_shuts_the_sector_for_good(bit: int) -> None:
    broken = int.from_bytes(access_bits(["000", "000", "000", "001"])[:3], "little") ^ 1 << bit
    trailer = KEY_A + broken.to_bytes(3, "little") + b"\x69" + KEY_B
    assert not Access(trailer).is_valid
    image = new_image(UID_4)
    image[112:128] = trailer
    probe = Probe()
    probe.field.put(MifareClassic(UID_4, image))
    probe.start().select(UID_4)
    assert not probe.authenticate(4, UID_4, KEY_A)
