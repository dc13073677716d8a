"""The cards of the demonstration as files: 1,024 bytes each, every block written through."""

import os
from pathlib import Path

from sim.parts.mifare import MifareClassic

BLOCK_SIZE = 16


def open_card(path: Path, uid: bytes) -> MifareClassic:
    """Return the card whose memory is the file `path` (1,024 bytes); what a reader writes goes to the file at once."""
    image = bytearray(path.read_bytes())

    def write_through(block: int, data: bytes) -> None:
        with path.open("r+b", buffering=0) as file:
            os.pwrite(file.fileno(), data, block * BLOCK_SIZE)

    return MifareClassic(uid, image, write_through)
