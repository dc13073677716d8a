"""What both ends compute of a handshake (docs/protocol.md, section 5)."""

from .compat import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .crypto import Suite

CHALLENGE_SIZE = const(16)


def proof(crypto: "Suite", link_key: bytes, transcript: bytes) -> bytes:
    """Return the 8 bytes by which the host proves that it has the link key."""
    return crypto.cmac(link_key)(b"onecard welcome" + transcript)[:8]


def session_key(crypto: "Suite", link_key: bytes, transcript: bytes) -> bytes:
    """Return the key of the session that this handshake opens."""
    return crypto.derive(link_key, b"onecard session", transcript)


def transcript(*, versions: "tuple[int, int, int]", terminal: int, host: int, terminal_challenge: bytes, host_challenge: bytes) -> bytes:
    """Return what proof and key are bound to: the versions 1 + 1 + 1, terminal 2, host 2, the two challenges of 16.

    `versions`: the one chosen, then the lowest and the highest that HELLO offered, so that nobody on the line can talk
    two ends down to an older version than both know.
    """
    return bytes(versions) + terminal.to_bytes(2, "little") + host.to_bytes(2, "little") + terminal_challenge + host_challenge
