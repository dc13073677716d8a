"""Cards of every kind for the reader's tests, and how they come to lie on it."""

from dataclasses import replace

from firmware.drivers.mifare import KEY_A, KEY_B, OK
from sim.parts.field import Reply
from sim.parts.iso14443 import FRAME_DELAY_FC, Frame, decode, encode, with_crc
from sim.parts.mifare import MifareClassic
from sim.parts.mifare_memory import new_image
from tests.firmware.drivers.rig import ReaderRig

UID_4 = bytes.fromhex("deadbeef")
UID_7 = bytes.fromhex("04a1b2c3d4e5f6")
OTHER = bytes.fromhex("12345678")
KEYS = {KEY_A: bytes.fromhex("a0a1a2a3a4a5"), KEY_B: bytes.fromhex("b0b1b2b3b4b5")}
CONTENT = {block: bytes(range(16 * block, 16 * block + 16)) for block in (4, 5, 6)}
TRAILER = KEYS[KEY_A] + bytes.fromhex("78778869") + KEYS[KEY_B]


def school_card(uid: bytes = UID_4) -> MifareClassic:
    """A card of the school: sector 1 written, its keys set, access bits of docs/protocol.md, section 7."""
    image = new_image(uid)
    for block, data in (*CONTENT.items(), (7, TRAILER)):
        image[16 * block : 16 * block + 16] = data
    return MifareClassic(uid, image)


class Impostor:
    """Anything that answers frames out of a table: the answer to each, without CRC added."""

    def __init__(self, answers: dict[bytes, bytes]) -> None:
        self._answers = answers

    def power_on(self, at_fc: int) -> None:
        """Nothing to start."""

    def power_off(self, at_fc: int) -> None:
        """Nothing to forget."""

    def advance(self, at_fc: int) -> None:
        """Nothing takes time."""

    def receive(self, frame: Frame, at_fc: int) -> Reply | None:
        """Answer out of the table."""
        answer = self._answers.get(decode(frame).data)
        return Reply(encode(answer), FRAME_DELAY_FC) if answer else None


class Noisy(MifareClassic):
    """A card whose blocks arrive with one bit and its parity turned over, so that only their CRC tells."""

    def receive(self, frame: Frame, at_fc: int) -> Reply | None:
        """Answer, and spoil what is as long as a block."""
        reply = super().receive(frame, at_fc)
        if reply and reply.frame.length == 18 * 9:
            return replace(reply, frame=replace(reply.frame, stream=reply.frame.stream ^ 0b1_0000_0001))
        return reply


def impostor(*levels: bytes, sak: int = 0x08, atqa: bytes = b"\x04\x00") -> Impostor:
    """A card that says these four bytes at each cascade level, and then `sak`."""
    answers = {b"\x52": atqa}
    for code, part in zip((0x93, 0x95, 0x97), levels, strict=False):
        whole = part + bytes([part[0] ^ part[1] ^ part[2] ^ part[3]])
        answers[bytes([code, 0x20])] = whole
        answers[with_crc(bytes([code, 0x70]) + whole)] = with_crc(bytes([sak if part is levels[-1] else 0x04]))
    return Impostor(answers)


def put(rig: ReaderRig, card: MifareClassic) -> None:
    """Lay a card down and give it time to start up."""
    rig.air.put(card)
    rig.clock.advance(6000)


def opened(rig: ReaderRig, uid: bytes = UID_4, key_type: int = KEY_B) -> MifareClassic:
    """A card on the reader, activated, with sector 1 open."""
    card = school_card(uid)
    put(rig, card)
    assert rig.reader.activate() == OK
    assert rig.reader.authenticate(4, KEYS[key_type], key_type) == OK
    return card
