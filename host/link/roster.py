"""The terminals of one line, as the ledger has them, made into peers with their keys."""

import secrets

from host.keys import SiteKeys
from host.ledger.contract import Ledger
from host.link.peer import Peer
from host.terminals import on_line
from protocol.session import HostSession


class Roster:
    """Who should be on a line. `host`: the host process's own terminal number, which sessions are bound to."""

    def __init__(self, ledger: Ledger, line: int, *, keys: SiteKeys, host: int) -> None:
        self._ledger = ledger
        self._line = line
        self._keys = keys
        self._host = host
        self.terminals: dict[int, tuple[int, int]] = {}
        """Address and key version of each terminal, as last read."""

    def changes(self) -> tuple[list[Peer], list[int]]:
        """Read the ledger: new peers, and the numbers of those that went.

        One whose address or key has changed is both, so let the old ones go first.
        """
        now = {row.number: (row.address, row.key_version) for row in on_line(self._ledger, self._line)}
        before, self.terminals = self.terminals, now
        added = [self._peer(number, *what) for number, what in now.items() if before.get(number) != what]
        removed = [number for number, what in before.items() if now.get(number) != what]
        return added, removed

    def _peer(self, number: int, address: int, key_version: int) -> Peer:
        link_key = self._keys.link_key(number, key_version)
        session = HostSession(self._keys.crypto, link_key, number, address, self._host, secrets.token_bytes, key_version)
        return Peer(number, address, session)
