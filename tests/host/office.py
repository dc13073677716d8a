"""A site as an office has it: a data folder with ledger, journal and backups, and a host that stops and starts."""

from pathlib import Path

import pytest

from host import backup as backups
from host import own_records, restoring
from host.backup import backup, verify
from host.keys import SiteKeys
from host.restore import Restored, restore
from host.settings import Settings, journal_folder
from tests.host.site import KEYS, NOW_S, Site


class Office:
    """A site whose host has a journal, and what is done to its data folder."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.data = site.path.parent
        self.settings = Settings()
        self.folder = journal_folder(self.settings, self.data)
        self._journal = own_records.start(site.ledger, "serve", self.folder)[1]

    def backup(self, name: str = "monday.backup") -> Path:
        """Make a backup."""
        file = self.data / "backup" / name
        file.parent.mkdir(exist_ok=True)
        backup(self.settings, self.data, file, keys=KEYS, now_s=NOW_S)
        return file

    def verify(self, file: Path, keys: SiteKeys = KEYS) -> backups.Verified:
        """Verify one."""
        return verify(self.settings, self.data, file, keys=keys)

    def stop(self) -> None:
        """End the host."""
        self._journal.close()
        self.site.ledger.close()

    def restore(self, file: Path, *, is_replacing: bool = True) -> Restored:
        """Restore with the host stopped, and start it again."""
        self.stop()
        try:
            return restore(self.settings, self.data, file, keys=KEYS, now_s=NOW_S + 60, actor="clerk", is_replacing=is_replacing)
        finally:
            if self.site.path.exists():
                self.start()

    def start(self) -> None:
        """Start the host."""
        self.site.ledger = self.site.open()
        self._journal = own_records.start(self.site.ledger, "serve", self.folder)[1]

    def end_wait(self) -> None:
        """As an operator does."""
        restoring.end(self.site.ledger, "test")

    def left_over(self) -> list[str]:
        """Files that should not stay."""
        return sorted(
            path.name for path in self.data.rglob("*") if path.suffix == ".new" or "restoring" in path.name or "verify-" in path.name
        )


def raise_at(monkeypatch: pytest.MonkeyPatch, target: object, name: str, number: int) -> list[int]:
    """Let the power go at the n-th call of something; the list counts calls."""
    real, calls = getattr(target, name), [0]

    def cut(*arguments: object, **named: object) -> object:
        calls[0] += 1
        if calls[0] == number:
            raise KeyboardInterrupt
        return real(*arguments, **named)

    monkeypatch.setattr(target, name, cut)
    return calls
