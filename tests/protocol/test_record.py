"""The record: 64 bytes both ways, laid out as the specification says, and proof by itself."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.crypto import HostCrypto
from protocol.record import (
    EPOCH_MAX,
    NO_TAC,
    NONE,
    SEQUENCE_MAX,
    Name,
    Operation,
    Record,
    decode,
    encode,
    pack_key,
    pack_shown,
    unpack_key,
    unpack_shown,
    verify,
)
from tests.device.protocol_vectors import load

CMAC = HostCrypto().cmac(bytes(range(16)))

u8, u16, u24, u32 = (st.integers(0, 2**bits - 1) for bits in (8, 16, 24, 32))
names = st.builds(Name, st.integers(1, 2**16 - 1), st.integers(1, EPOCH_MAX), st.integers(1, SEQUENCE_MAX))
operations = st.builds(Operation, u16, u16, st.integers(1, 15), st.integers(0, 15), u16)


@st.composite
def records(draw: st.DrawFn) -> Record:
    name = draw(names)
    shown = draw(st.binary(min_size=14, max_size=14))
    return Record(
        draw(st.integers(1, 255)),
        *name,
        draw(u32),
        draw(st.integers(0, 2)),
        draw(st.integers(0, 2)),
        draw(u32),
        draw(st.booleans()),
        draw(st.booleans()),
        draw(st.one_of(st.just(NONE), names)),
        *(draw(u32), draw(u24), draw(u16), draw(u16), shown, draw(u16), draw(u16), NO_TAC),
    )


@given(records())
def test_every_record_comes_through_with_its_TAC(record: Record):
    data = encode(record, CMAC)
    assert len(data) == 64
    assert decode(data) == record._replace(tac=data[56:])
    assert verify(data, CMAC)


def test_any_flipped_bit_spoils_the_TAC():
    for vector in load("records")["vectors"]:
        cmac = HostCrypto().cmac(bytes.fromhex(vector["key"]))
        for at in range(64 * 8):
            flipped = (int(vector["bytes"], 16) ^ 1 << at).to_bytes(64)
            assert not verify(flipped, cmac)


@given(st.one_of(st.binary(min_size=64, max_size=64), st.binary(max_size=80)))
def test_any_bytes_are_a_record_or_a_ValueError(data: bytes):
    try:
        record = decode(data)
    except ValueError:
        return
    assert encode(record, CMAC)[:56] == data[:56]


@given(records(), st.integers(0, 55), st.integers(1, 255))
def test_what_decodes_encodes_to_the_same_bytes(record: Record, at: int, change: int):
    data = bytearray(encode(record, CMAC))
    data[at] ^= change
    try:
        changed = decode(bytes(data))
    except ValueError:
        return
    assert encode(changed, CMAC)[:56] == data[:56]


def test_the_layout_is_that_of_the_specification():
    page = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")
    section = page.split("## 6. Record")[1].split("6.1.")[0]
    rows = {
        row[2].split()[0].strip(",:"): (int(row[0]), int(row[1]))
        for row in re.findall(r"^\| (\d+) \| (\d+) \| (.*?) \|", section, re.MULTILINE)
    }
    record = Record(
        *(0x11, 0x2122, 0x0331, 0x41424344, 0x51525354, 2, 1, 0x61626364, True, False),
        Name(0x7172, 0x0173, 0x74757677),
        *(0x81828384, 0x919293, 0xA1A2, 0xB1B2, bytes(range(14)), 0xC1C2, 0xD1D2, NO_TAC),
    )
    data = encode(record, CMAC)
    expected = {
        "version": 1,
        "kind": 0x11,
        "terminal": 0x2122,
        "epoch": 0x0331,
        "sequence": 0x41424344,
        "time": 0x51525354,
        "flags": 0b01_0110,
        "subject": 0x61626364,
        "reference": 0x74757677_0173_7172,
        "amount": 0x81828384,
        "detail": 0x919293,
        "purse": 0xB1B2,  # two rows begin with this word: the last is the counter
        "shown": int.from_bytes(bytes(range(14)), "little"),
        "tariff": 0xC1C2,
        "deny": 0xD1D2,
        "TAC": int.from_bytes(CMAC(data[:56])[:8], "little"),
    }
    assert {field: int.from_bytes(data[at : at + size], "little") for field, (at, size) in rows.items()} == expected
    assert int.from_bytes(data[34:36], "little") == 0xA1A2


@pytest.mark.parametrize(
    "change", [{"epoch": 0}, {"epoch": 4096}, {"sequence": 0}, {"sequence": 2**31}, {"terminal": 0}, {"trust": 3}, {"shown": b""}]
)
def test_a_record_that_has_no_name_or_no_meaning_is_never_signed(change: dict[str, int]):
    vector = load("records")["vectors"][0]
    good = decode(bytes.fromhex(vector["bytes"]))
    with pytest.raises(AssertionError):
        encode(good._replace(**change), CMAC)


@given(names, st.integers(0, 15))
def test_a_key_has_63_bits_and_is_undone(name: Name, leg: int):
    key = pack_key(name, leg)
    assert 0 < key < 2**63
    assert unpack_key(key) == (name, leg)


@given(st.tuples(names, st.integers(0, 15)), st.tuples(names, st.integers(0, 15)))
def test_keys_sort_as_names_and_legs_do(one: tuple[Name, int], other: tuple[Name, int]):
    assert (pack_key(*one) < pack_key(*other)) == (one < other)


@given(st.lists(operations, max_size=2))
def test_operations_shown_come_through(shown: list[Operation]):
    packed = pack_shown(shown)
    assert len(packed) == 14
    assert unpack_shown(packed) == shown
