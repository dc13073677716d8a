"""firmware/drivers/crc_a.py."""

import pytest

from firmware.drivers.crc_a import append_crc, crc_a

# ISO/IEC 14443-3, annex B, examples 1 and 2; and the halt command as every reader sends it.
FRAMES = [("0000", "a01e"), ("1234", "26cf"), ("5000", "57cd")]


@pytest.mark.parametrize(("frame", "crc"), FRAMES)
def test_published_frames_get_their_published_crc(frame: str, crc: str) -> None:
    buffer = bytearray(bytes.fromhex(frame)) + bytes(2)

    assert append_crc(buffer, 2) == 4
    assert buffer[2:].hex() == crc


@pytest.mark.parametrize(("frame", "crc"), FRAMES)
def test_crc_over_frame_and_crc_is_zero(frame: str, crc: str) -> None:
    assert crc_a(bytes.fromhex(frame + crc), 4) == 0
