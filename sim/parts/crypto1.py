"""A stand-in for the cipher of MIFARE Classic: who knows the key, and which session is open; not the keystream.

Chip and card here are both ours, and what a driver sees of Crypto1 is only whether the three passes agree, and that
nothing is understood outside the session. So the passes carry a hash instead of ciphertext.
"""

from dataclasses import dataclass
from hashlib import blake2s


@dataclass(frozen=True, slots=True)
class Session:
    """What both sides compute from key, card and nonces.

    `reader_proof` (4 bytes) is the reader's answer to the card's nonce, `card_proof` (4 bytes) the card's answer to the
    reader's, `cipher` (never 0) the number that stands for the keystream in `iso14443.Frame`.
    """

    reader_proof: bytes
    card_proof: bytes
    cipher: int


def open_session(key: bytes, uid: bytes, card_nonce: bytes, reader_nonce: bytes) -> Session:
    """Compute the session of a 6-byte key, the 4 UID bytes of the last cascade level and two 4-byte nonces."""
    digest = blake2s(key + uid + card_nonce + reader_nonce).digest()
    return Session(digest[:4], digest[4:8], int.from_bytes(digest[8:15], "little") | 1)


def nonce(who: bytes, count: int) -> bytes:
    """Give the 4-byte nonce number `count` of somebody; the same every run, so that a simulation can be repeated."""
    return blake2s(who + count.to_bytes(8, "little")).digest()[:4]
