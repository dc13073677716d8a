"""Backup and verify: online, whole or not at all (SPEC K7). The way back: test_restore.py."""

import json
import os
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from host import holders
from host.backup import backup, facts_path
from host.errors import AlreadyThere, BackupWrong, DataMissing
from host.keys import SiteKeys
from host.ledger import sqlite_backup
from host.ledger.rows import Commit, Movement
from host.settings import Settings
from tests.host.office import Office, raise_at
from tests.host.site import KEYS, NOW_S, Site

pytestmark = pytest.mark.stores("sqlite")


@pytest.fixture
def office(site: Site) -> Office:
    """The usual site as an office has it."""
    return Office(site)


# Backup.


def test_a_backup_says_when_it_was_made_and_what_it_holds(office: Office) -> None:
    holders.recharge(office.site.ledger, "20260001", 500)
    newest = office.site.rows(Commit)[-1]
    facts = office.verify(office.backup()).facts
    assert (facts.database, facts.made_s, facts.commit, facts.commit_digest) == ("sqlite", NOW_S, newest.number, newest.digest.hex())
    assert (facts.counts["holders"], facts.counts["movements"]) == (2, len(office.site.rows(Movement)))
    assert office.left_over() == []


def test_a_backup_is_private_and_has_no_key_in_it(office: Office) -> None:
    file = office.backup()
    assert file.stat().st_mode & 0o777 == 0o600
    for path in (file, facts_path(file)):
        assert bytes(range(16)) not in path.read_bytes()


def test_a_backup_is_never_overwritten(office: Office) -> None:
    file = office.backup()
    before = file.read_bytes()
    with pytest.raises(AlreadyThere):
        office.backup()
    assert file.read_bytes() == before


def test_sales_go_on_while_a_backup_is_made_and_it_shows_one_moment(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sale is committed between any two steps of the copy; it neither waits nor comes into it, and the copy does not begin again."""
    monkeypatch.setattr(sqlite_backup, "_PAGES", 5)
    told: list[tuple[int, int]] = []
    before = len(office.site.rows(Movement))

    def sell(done: int, total: int) -> None:
        told.append((done, total))
        holders.recharge(office.site.ledger, "20260001", 1)

    file = office.data / "b.backup"
    sqlite_backup.copy_out(office.site.path, file, sell)
    assert len(told) > 5
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert len(office.site.rows(Movement)) == before + len(told)
    with sqlite3.connect(file) as copy:
        assert copy.execute("SELECT count(*) FROM movements").fetchone() == (before,)


def test_many_threads_sell_while_backups_are_made(office: Office) -> None:
    is_ended = threading.Event()
    sold: list[int] = []

    def sell() -> None:
        while not is_ended.is_set():
            holders.recharge(office.site.ledger, "20260001", 1)
            sold.append(1)

    sellers = [threading.Thread(target=sell) for _ in range(3)]
    for seller in sellers:
        seller.start()
    files = [office.backup(f"{number}.backup") for number in range(3)]
    is_ended.set()
    for seller in sellers:
        seller.join()
    assert all(office.verify(file).proof.is_right for file in files)
    assert office.site.account(100).balance_fen == 20_000 + len(sold)


@pytest.mark.parametrize("name", ["fsync", "rename"])
def test_a_backup_cut_anywhere_is_none_and_spoils_nothing(office: Office, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    target, number = os if name == "fsync" else Path, 0
    for number in range(1, 20):
        with monkeypatch.context() as patch:
            calls = raise_at(patch, target, name, number)
            try:
                file = office.backup(f"{number}.backup")
            except KeyboardInterrupt:
                file = office.data / "backup" / f"{number}.backup"
        if calls[0] < number:
            break
        if not (file.exists() and facts_path(file).exists()):
            with pytest.raises(BackupWrong):
                office.verify(file)
    assert number > 2
    assert office.verify(office.backup("last.backup")).proof.is_right


def test_without_a_ledger_there_is_nothing_to_back_up(tmp_path: Path) -> None:
    with pytest.raises(DataMissing):
        backup(Settings(), tmp_path, tmp_path / "b", keys=KEYS, now_s=NOW_S)


# Verify.


def flip(path: Path, at: int = -100) -> None:
    """Let a disk flip a bit."""
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def say_otherwise(file: Path) -> None:
    """Let somebody change the facts, who lacks the keys."""
    tree = json.loads(facts_path(file).read_text())
    tree["made_s"] += 1
    facts_path(file).write_text(json.dumps(tree))


SPOILERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "a bit": (flip, "SHA-256 differs"),
    "cut short": (lambda file: os.truncate(file, file.stat().st_size - 4096), "SHA-256 differs"),
    "the file": (lambda file: file.unlink(), "is missing"),
    "its facts": (lambda file: facts_path(file).unlink(), "is missing"),
    "facts are noise": (lambda file: facts_path(file).write_text("[]"), "cannot be read"),
    "facts of others": (say_otherwise, "was altered"),
    "facts flipped": (lambda file: flip(facts_path(file), 20), "说明不对|不是本站"),
}


@pytest.mark.parametrize("name", SPOILERS)
def test_a_spoilt_backup_is_found_out_and_not_restored(office: Office, name: str) -> None:
    spoil, message = SPOILERS[name]
    file = office.backup()
    spoil(file)
    with pytest.raises(BackupWrong, match=message):
        office.verify(file)
    before = office.site.account(100).balance_fen
    with pytest.raises(BackupWrong):
        office.restore(file)
    assert office.site.account(100).balance_fen == before
    assert office.left_over() == []


def test_a_backup_of_another_site_is_refused(office: Office) -> None:
    with pytest.raises(BackupWrong, match="other keys"):
        office.verify(office.backup(), SiteKeys(b"another site key"))


def test_books_that_were_wrong_before_are_named(office: Office) -> None:
    with sqlite3.connect(office.site.path) as connection:
        connection.execute("UPDATE accounts SET balance_fen = balance_fen + 1 WHERE number = 2")
    assert not office.verify(office.backup()).proof.is_right


def test_verify_touches_neither_ledger_nor_backup(office: Office) -> None:
    file = office.backup()
    before = [path.read_bytes() for path in (file, facts_path(file), office.site.path)]
    office.verify(file)
    assert [path.read_bytes() for path in (file, facts_path(file), office.site.path)] == before
    assert sorted(path.name for path in file.parent.iterdir()) == ["monday.backup", "monday.backup.json"]
