"""CRC_A, the check over frames of ISO 14443-3 type A."""

# CRC of each nibble: polynomial 0x8408 (0x1021 reflected). 32 bytes instead of 512, for frames of at most 18.
_NIBBLES = (
    0x0000, 0x1081, 0x2102, 0x3183, 0x4204, 0x5285, 0x6306, 0x7387,
    0x8408, 0x9489, 0xA50A, 0xB58B, 0xC60C, 0xD68D, 0xE70E, 0xF78F,
)  # fmt: skip


def crc_a(data: "bytes | bytearray | memoryview", size: int) -> int:
    """CRC over the first `size` bytes of `data`, sent low byte first; allocates nothing.

    Over a frame and its CRC together it is 0. Source: ISO/IEC 14443-3, annex B (start 0x6363).
    """
    crc = 0x6363
    for index in range(size):
        byte = data[index]
        crc = (crc >> 4) ^ _NIBBLES[(crc ^ byte) & 0x0F]
        crc = (crc >> 4) ^ _NIBBLES[(crc ^ (byte >> 4)) & 0x0F]
    return crc


def append_crc(frame: "bytearray | memoryview", size: int) -> int:
    """Write the CRC of the first `size` bytes of `frame` behind them; returns the new size."""
    crc = crc_a(frame, size)
    frame[size] = crc & 0xFF
    frame[size + 1] = crc >> 8
    return size + 2
