"""Restore: back to where everybody was, whatever was sold meanwhile and wherever it is cut (SPEC K7)."""

import shutil
import sqlite3
from pathlib import Path

import pytest

from host import holders, lost_epochs, own_records, reservations, restoring
from host.backup import Facts
from host.check import check
from host.errors import AlreadyThere
from host.journal import file_path
from host.ledger import sqlite_backup
from host.ledger.commits import SiteLedger
from host.ledger.rows import LOSS, Act, Request, Restore
from host.ledger.sqlite import sqlite_ledger
from host.processes import LOCK_NAME, OnlyOne
from host.replay import replay
from host.restore import LedgerInUse, restore
from host.settings import Settings
from protocol import record as kinds
from tests.host.office import Office, raise_at
from tests.host.site import KEYS, NOW_S, SHOWER, SHOWER_2, TILL, Journal, Site

pytestmark = pytest.mark.stores("sqlite")


@pytest.fixture
def office(site: Site) -> Office:
    """The usual site as an office has it."""
    return Office(site)


# Restore.


def test_a_living_ledger_is_not_replaced_unasked(office: Office) -> None:
    file = office.backup()
    holders.recharge(office.site.ledger, "20260001", 500)
    with pytest.raises(AlreadyThere, match="--replace"):
        office.restore(file, is_replacing=False)
    assert office.site.account(100).balance_fen == 20_500


def test_it_is_refused_while_a_host_serves(office: Office) -> None:
    file = office.backup()
    only_one = OnlyOne(office.data / LOCK_NAME)
    assert only_one.take() is None
    # flock belongs to the open file, so a second opening within this process is refused like another process's.
    with pytest.raises(LedgerInUse, match="主机在运行"):
        office.restore(file)
    only_one.release()


def test_the_old_ledger_is_kept_whole(office: Office) -> None:
    file = office.backup()
    holders.recharge(office.site.ledger, "20260001", 500)
    done = office.restore(file)
    assert done.kept is not None
    kept = sqlite_ledger(done.kept, keys=KEYS, settings=Settings(), clock=lambda: NOW_S)
    assert kept.view(lambda books: books.need(holders.Account, 100)).balance_fen == 20_500
    assert check(kept).is_right
    kept.close()


def test_into_an_empty_place_it_needs_no_permission(office: Office) -> None:
    file = office.backup()
    office.stop()
    office.site.path.unlink()
    office.start = lambda: None  # type: ignore[method-assign]
    done = restore(office.settings, office.data, file, keys=KEYS, now_s=NOW_S, actor="", is_replacing=False)
    assert done.kept is None


def test_what_people_did_since_comes_back_from_the_journal(office: Office) -> None:
    site = office.site
    file = office.backup()
    holders.recharge(site.ledger, "20260001", 500, request="order-1")
    code = reservations.book(site.ledger, "20260001", SHOWER, NOW_S, NOW_S + 1_800, 300)
    done = office.restore(file)
    assert (done.replayed.posted_count, done.replayed.altered_count) == (2, 0)
    assert (site.account(100).balance_fen, site.account(100).held_fen) == (20_500, 300)
    assert [row.code for row in reservations.bookings_of(site.ledger, "20260001")] == [code]
    holders.recharge(site.ledger, "20260001", 500, request="order-1")
    assert site.account(100).balance_fen == 20_500, "asked again with its key, it is paid once"
    assert [row.request for row in site.rows(Request)] == ["order-1"]
    site.prove()


def test_an_epoch_closed_since_the_backup_is_not_waited_for(office: Office) -> None:
    site = office.site
    till = site.journal(TILL)
    file = office.backup()
    lost_epochs.close(site.ledger, TILL, till.epoch)
    assert office.restore(file).waits_for == (SHOWER, SHOWER_2)
    site.prove()


def test_what_is_restored_is_as_private_as_it_was(office: Office) -> None:
    done = office.restore(office.backup())
    assert done.kept is not None
    assert {path.stat().st_mode & 0o777 for path in (office.site.path, done.kept)} == {0o600}


def test_a_journal_of_a_command_that_the_backup_never_saw_comes_back(office: Office) -> None:
    site = office.site
    file = office.backup()
    other = site.open()
    _, journal = own_records.start(other, "command", office.folder)
    holders.recharge(other, "20260001", 700)
    other.close()
    journal.close()
    office.restore(file)
    assert site.account(100).balance_fen == 20_700
    site.prove()


def test_without_the_journal_the_request_repeated_pays_and_the_late_file_does_not(office: Office) -> None:
    """ROBUSTNESS, pay 11: credited once in all, by the file or by the repeat."""
    site = office.site
    file = office.backup()
    holders.recharge(site.ledger, "20260001", 500, request="order-1")
    late = office.data / "late"
    office.folder.rename(late)
    office.restore(file)
    holders.recharge(site.ledger, "20260001", 500, request="order-1")
    found = replay(site.ledger, sorted(late.glob("*.journal")), is_restore=False)
    assert found.posted_count == 1
    assert site.account(100).balance_fen == 20_500
    assert "request_twice" in site.items()
    site.prove()


def test_terminals_send_again_and_the_books_end_the_same(office: Office) -> None:
    """ROBUSTNESS, db 9, and the core of K7: a backup during sales, more sales, a restore, all delivered again."""
    site = office.site
    journals = {number: site.journal(number) for number in (TILL, SHOWER, SHOWER_2)}
    till, shower = journals[TILL], journals[SHOWER]
    site.take(till, till.write(kinds.STARTED))
    site.ask(till, amount_fen=600)
    site.take(till, till.write(kinds.SALE, subject=1, amount_fen=600))
    file = office.backup()
    site.take(till, till.write(kinds.SALE, subject=1, amount_fen=700))
    site.take(shower, shower.write(kinds.OPENED, subject=1, amount_fen=300))
    site.take(shower, shower.write(kinds.SETTLED, subject=1, amount_fen=120, reference=shower.name(1)))
    holders.recharge(site.ledger, "20260002", 900)
    before = balances(site.ledger)
    office.restore(file)
    for journal in (shower, till, journals[SHOWER_2]):
        resume = site.shake_hands(journal)
        site.take(journal, *journal.records[resume.high_water :])
    assert restoring.settle(site.ledger) is not None
    assert balances(site.ledger) == before
    assert site.account(LOSS).balance_fen == 0
    assert site.items() == []
    site.prove()


def balances(ledger: SiteLedger) -> dict[int, int]:
    """All balances, without those that are nothing."""
    return {row.number: row.balance_fen for row in ledger.view(lambda books: books.find(holders.Account)) if row.balance_fen}


def test_a_restore_is_in_the_audit_log_and_in_the_ledger(office: Office) -> None:
    office.restore(office.backup())
    (act,) = [row for row in office.site.rows(Act) if row.act == "restore"]
    assert (act.actor, act.subject) == ("clerk", "monday.backup")
    (row,) = office.site.rows(Restore)
    assert (row.backup_s, row.ended_s) == (NOW_S, 0)


STEPS = [(sqlite_backup.os, "fsync"), (Path, "rename"), (sqlite_backup, "_close_for_good"), (sqlite_backup, "_empty_log")]


@pytest.mark.parametrize(("target", "name"), STEPS)
def test_a_restore_cut_anywhere_is_run_again(
    site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory, target: object, name: str
) -> None:
    """Either the ledger that was there is there, whole, or none is; run again, the backup and the journal are in its place."""
    office = Office(site)
    file = office.backup()
    holders.recharge(site.ledger, "20260001", 500)
    office.stop()
    pristine = tmp_path_factory.mktemp("pristine") / "data"
    shutil.copytree(office.data, pristine)
    number = 0
    for number in range(1, 12):
        shutil.rmtree(office.data)
        shutil.copytree(pristine, office.data)
        with monkeypatch.context() as patch:
            calls = raise_at(patch, target, name, number)
            try:
                restore(office.settings, office.data, file, keys=KEYS, now_s=NOW_S + 1, actor="", is_replacing=True)
            except KeyboardInterrupt:
                assert not Path(f"{site.path}-wal").exists() or site.path.exists() or kept_whole(office)
        if calls[0] < number:
            break
        restore(office.settings, office.data, file, keys=KEYS, now_s=NOW_S + 2, actor="", is_replacing=True)
        ledger = site.open()
        assert ledger.view(lambda books: books.need(holders.Account, 100)).balance_fen == 20_500
        assert check(ledger).is_right
        ledger.close()
        assert office.left_over() == []
        assert kept_whole(office)
    assert number > 1


def kept_whole(office: Office) -> bool:
    """Whether some ledger that was put aside has the recharge."""
    for path in office.data.glob("ledger-before-*.db"):
        with sqlite3.connect(path) as connection:
            if connection.execute("SELECT balance_fen FROM accounts WHERE number = 100").fetchone() == (20_500,):
                return True
    return False


def test_a_damaged_ledger_is_replaced_and_kept_as_it_is(office: Office) -> None:
    file = office.backup()
    office.stop()
    office.site.path.write_bytes(b"no database" * 1_000)
    done = restore(office.settings, office.data, file, keys=KEYS, now_s=NOW_S, actor="", is_replacing=True)
    assert done.kept is not None
    assert done.kept.read_bytes() == b"no database" * 1_000
    office.start()
    office.site.prove()


def test_facts_are_made_by_name_only() -> None:
    """A field more in the facts is a newer version's: refused, not ignored."""
    with pytest.raises(TypeError):
        Facts(newer=1)  # pyright: ignore[reportCallIssue, reportArgumentType]


def test_files_of_the_journal_are_named_after_their_life(office: Office) -> None:
    holders.recharge(office.site.ledger, "20260001", 1)
    assert file_path(office.folder, (1, 2)).exists()


def test_a_till_that_sold_while_the_host_was_restored_is_charged_as_it_was_shown(office: Office) -> None:
    site = office.site
    till = Journal(TILL)
    site.shake_hands(till)
    file = office.backup()
    till.write(kinds.SALE, subject=2, amount_fen=300)
    office.restore(file)
    resume = site.shake_hands(till)
    site.take(till, *till.records[resume.high_water :])
    assert site.account(101).balance_fen == 20
