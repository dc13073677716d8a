"""The site key, and every key that is derived from it.

`keys/site.key` in the data folder: 16 bytes, mode 0600, made once by `onecard init`. From it come the
keys of terminals and cards (docs/protocol.md, sections 5 and 7). Nothing here prints or logs a key.
"""

import os
import secrets
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import cast

from host.crypto import HostCrypto
from host.errors import AlreadyThere, KeyMissing
from protocol import keys as derivation
from protocol.crc import crc16
from protocol.crypto import Crypto

Cmac = Callable[[bytes], bytes]

KEY_SIZE = 16
KEY_VERSION = 1
IDENTITY_SIZE = 38

_REMEMBERED_COUNT = 4096
"""Derived keys kept in memory: more than the terminals of a large site."""


class SiteKeys:
    """The keys of one site. Equal site keys give equal keys, so a restored host finds all of them again."""

    def __init__(self, site_key: bytes) -> None:
        if len(site_key) != KEY_SIZE:
            raise KeyMissing(f"the site key has {len(site_key)} bytes instead of {KEY_SIZE}: put the right file back")
        self._site_key = site_key
        self._crypto = cast(Crypto, HostCrypto())  # the same shape over another library
        self._code_cmac = self._crypto.cmac(self._crypto.derive(self._site_key, b"onecard code", b""))
        self._seal_cmac = self._crypto.cmac(self._crypto.derive(self._site_key, b"onecard seal", b""))
        self.record_cmac = lru_cache(_REMEMBERED_COUNT)(self._record_cmac)
        self.card_key = lru_cache(_REMEMBERED_COUNT)(self._card_key)

    def __repr__(self) -> str:
        return "SiteKeys()"

    @property
    def crypto(self) -> Crypto:
        """The constructions over AES, for sessions."""
        return self._crypto

    def link_key(self, terminal: int, key_version: int) -> bytes:
        """The key of a terminal's sessions."""
        return derivation.link_key(self._crypto, self._site_key, terminal, key_version)

    def record_key(self, terminal: int, key_version: int) -> bytes:
        """The key under a terminal's records and its reservation codes."""
        return derivation.record_key(self._crypto, self._site_key, terminal, key_version)

    def sector_key(self, uid: bytes, sector: int, which: str, key_version: int) -> bytes:
        """Key "A" or "B" of a card's sector, 6 bytes."""
        return derivation.sector_key(self._crypto, self.card_key(key_version), uid, sector, which)

    def card_cmac(self, uid: bytes, key_version: int) -> Cmac:
        """The CMAC under a card's identity and purse copies."""
        return self._crypto.cmac(derivation.mac_key(self._crypto, self.card_key(key_version), uid))

    def code_cmac(self) -> Cmac:
        """The CMAC that makes and finds reservation codes; no device has its key."""
        return self._code_cmac

    def seal_cmac(self) -> Cmac:
        """The CMAC that seals rows of the ledger; it leaves the host never."""
        return self._seal_cmac

    def identity(self, terminal: int, address: int, key_version: int) -> bytes:
        """What `/identity` on the board holds: number 2, address 1, link key 16, record key 16, key version 1, CRC-16 2."""
        plain = b"".join(
            (
                terminal.to_bytes(2, "little"),
                bytes([address]),
                self.link_key(terminal, key_version),
                self.record_key(terminal, key_version),
                bytes([key_version]),
            )
        )
        identity = plain + crc16(plain).to_bytes(2, "little")
        assert len(identity) == IDENTITY_SIZE
        return identity

    def _record_cmac(self, terminal: int, key_version: int) -> Cmac:
        return self._crypto.cmac(self.record_key(terminal, key_version))

    def _card_key(self, key_version: int) -> bytes:
        return derivation.card_key(self._crypto, self._site_key, key_version)


def create_site_key(data: Path) -> None:
    """Make the site key of a new data folder. Raises `AlreadyThere`: a second one would orphan every card and terminal."""
    if _site_key_path(data).exists():
        raise AlreadyThere("site key", _site_key_path(data), "it is never made anew")
    write_secret(_site_key_path(data), secrets.token_bytes(KEY_SIZE))


def load_site_keys(data: Path) -> SiteKeys:
    """Read the site key. Raises `KeyMissing` when it is not there, or when others may read it."""
    return SiteKeys(_read_secret(_site_key_path(data)))


def create_web_token(data: Path) -> None:
    """Make the bearer token that guards the host's own pages and event stream."""
    write_secret(_web_token_path(data), secrets.token_urlsafe(32).encode())


def load_web_token(data: Path) -> str:
    """Read the bearer token."""
    return _read_secret(_web_token_path(data)).decode().strip()


def write_secret(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, durable, whole or not at all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _read_secret(path: Path) -> bytes:
    try:
        mode = path.stat().st_mode
        content = path.read_bytes()
    except FileNotFoundError:
        raise KeyMissing(f"缺少密钥文件 {path} is missing: run `onecard init`, or bring it back from where you keep it") from None
    except PermissionError:
        raise KeyMissing(f"无权读取 {path} cannot be read: run as the user who owns it") from None
    if mode & 0o077:
        raise KeyMissing(f"密钥文件权限过宽 {path} is open to others: chmod 600 {path}")
    return content


def _site_key_path(data: Path) -> Path:
    return data / "keys" / "site.key"


def _web_token_path(data: Path) -> Path:
    return data / "keys" / "web.token"
