"""Every key, derived from the site key or diversified for a card (docs/protocol.md, sections 5 and 7).

`crypto` is a `protocol.crypto.Crypto` or the host's. All keys are AES-128 keys of 16 bytes but the
sector keys of MIFARE Classic, which have 6.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from .crypto import Suite


def link_key(crypto: "Suite", site_key: bytes, terminal: int, key_version: int) -> bytes:
    """Return the key that a terminal and the host open sessions with."""
    return crypto.derive(site_key, b"onecard link", _of_terminal(terminal, key_version))


def record_key(crypto: "Suite", site_key: bytes, terminal: int, key_version: int) -> bytes:
    """Return the key under a terminal's records (TAC) and its reservation codes."""
    return crypto.derive(site_key, b"onecard record", _of_terminal(terminal, key_version))


def card_key(crypto: "Suite", site_key: bytes, key_version: int) -> bytes:
    """Return the key that all cards' keys are made from; terminals get it among their settings."""
    return crypto.derive(site_key, b"onecard card", bytes([key_version]))


def sector_key(crypto: "Suite", card_key: bytes, uid: bytes, sector: int, which: str) -> bytes:
    """Return key "A" or "B" of a card's sector, 6 bytes; `uid`: 4 or 7 bytes (AN10922)."""
    assert which == "A" or which == "B"
    return crypto.diversify(card_key, uid + bytes([sector]) + which.encode() + b"ONECARD")[:6]


def mac_key(crypto: "Suite", card_key: bytes, uid: bytes) -> bytes:
    """Return the key under a card's identity and purse copies."""
    return crypto.derive(card_key, b"onecard purse", uid)


def code_hash(record_cmac: "Callable[[bytes], bytes]", code: bytes) -> bytes:
    """Return the 8 bytes a reservation code (six ASCII digits) is handed down as; `record_cmac` is keyed with the record key."""
    return record_cmac(b"code" + code)[:8]


def _of_terminal(terminal: int, key_version: int) -> bytes:
    return terminal.to_bytes(2, "little") + bytes([key_version])
