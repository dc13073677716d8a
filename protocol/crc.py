"""CRC-16/IBM-3740 (also CCITT-FALSE): polynomial 0x1021, start 0xFFFF, not reflected, no final XOR.

The check value over the ASCII digits "123456789" is 0x29B1. Source: the catalogue of parametrised
CRC algorithms, reveng.sourceforge.io; docs/vectors/crc.json.
"""


def crc16(data: "bytes | bytearray | memoryview", crc: int = 0xFFFF) -> int:
    """Return the CRC of `data`; `crc` is the CRC of what went before, to go on from there."""
    for byte in data:
        # One byte at a time without a table: the polynomial's three taps are shifts of one value.
        mixed = (crc >> 8) ^ byte
        mixed ^= mixed >> 4
        crc = (crc << 8 ^ mixed << 12 ^ mixed << 5 ^ mixed) & 0xFFFF
    return crc
