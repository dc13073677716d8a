"""After a restore no number of an account or a card is given a second time: whatever comes late finds nobody else under it."""

from pathlib import Path

import pytest

from host import restoring, subsidies, terminals, wallets
from host.errors import RestoreWaiting
from host.ledger.kinds import ItemKind, TerminalKind
from host.ledger.rows import FIRST_ACCOUNT, SUSPENSE, Account, Card
from host.replay import Replayed, replay
from host.restore import NUMBER_SKIP
from protocol import record as kinds
from tests.host.office import Office
from tests.host.site import TILL, Site
from tests.host.test_restoring import restored

pytestmark = pytest.mark.stores("sqlite")


@pytest.fixture
def office(site: Site) -> Office:
    """The usual site as an office has it."""
    return Office(site)


def restore_without_the_journal(office: Office, file: Path) -> Path:
    """Restore while the journal folder is missing, end the wait; where the folder is."""
    late = office.data / "late"
    office.folder.rename(late)
    office.restore(file)
    office.end_wait()
    return late


def collect(office: Office, late: Path) -> Replayed:
    """Take in the files that were missing."""
    return replay(office.site.ledger, sorted(late.glob("*.journal")), is_restore=False)


def test_a_late_journal_file_pays_nobody_who_came_since(office: Office) -> None:
    site = office.site
    file = office.backup()
    lost = site.add_holder("20260003", 5_000, "王一")
    late = restore_without_the_journal(office, file)
    new = site.add_holder("20260004", 0, "赵二")
    assert collect(office, late).posted_count == 1
    assert site.account(new).balance_fen == 0
    assert site.account(SUSPENSE).balance_fen == 5_000
    assert site.items() == [ItemKind.UNKNOWN_SUBJECT]
    assert new > lost
    site.prove()


def test_a_board_of_a_drawer_charges_nobody_whose_card_came_since(office: Office) -> None:
    site = office.site
    till = site.journal(TILL)
    file = office.backup()
    lost = site.add_card("20260002")
    till.write(kinds.SALE, subject=lost, amount_fen=300)
    restore_without_the_journal(office, file)
    new = site.add_card("20260001")
    site.shake_hands(till)
    site.take(till, *till.records)
    assert (site.account(100).balance_fen, site.account(101).balance_fen) == (20_000, 320)
    assert site.items() == [ItemKind.UNKNOWN_SUBJECT]
    assert new > lost
    site.prove()


def test_numbers_of_the_journal_files_are_passed_too(office: Office) -> None:
    """More was opened since the backup than is skipped, and the journal says so, of wallets as well."""
    site = office.site
    file = office.backup()
    site.commit(lambda books: books.add(Account(FIRST_ACCOUNT + 3 * NUMBER_SKIP, "holder", "", owner=FIRST_ACCOUNT + 3 * NUMBER_SKIP)))
    site.add_holder("20260003", 5_000)
    wallets.add(site.ledger, "补助", giver="学工处")
    paid = office.data / "list.csv"
    paid.write_text("20260001,1\n", encoding="utf-8")
    subsidies.pay(site.ledger, paid, wallet="补助", batch="1")
    highest = site.ledger.view(lambda books: books.highest(Account, "number"))
    office.restore(file)
    office.end_wait()
    assert site.add_holder("20260004") == highest + 1 + NUMBER_SKIP


def test_numbers_go_on_from_there_one_by_one(office: Office) -> None:
    site = office.site
    highest = site.ledger.view(lambda books: (books.highest(Account, "number"), books.highest(Card, "number")))
    office.restore(office.backup())
    office.end_wait()
    first = site.add_holder("20260004")
    assert first == highest[0] + 1 + NUMBER_SKIP
    assert site.add_holder("20260005") == first + 1
    card = site.add_card("20260005")
    assert card == highest[1] + 1 + NUMBER_SKIP
    assert site.add_card("20260005") == card + 1


def subsidise(site: Site, folder: Path) -> None:
    """The first subsidy of a holder, which opens an account."""
    path = folder / "list.csv"
    path.write_text("20260001,1\n", encoding="utf-8")
    subsidies.pay(site.ledger, path, wallet="补助", batch="1")


def test_no_account_is_opened_while_the_wait_lasts(site: Site, tmp_path: Path) -> None:
    wallets.add(site.ledger, "补助", giver="学工处")
    before = len(site.rows(Account))
    restored(site)
    with pytest.raises(RestoreWaiting):
        subsidise(site, tmp_path)
    with pytest.raises(RestoreWaiting):
        terminals.add(site.ledger, 200, TerminalKind.POS, "第二食堂 01 窗口")
    with pytest.raises(RestoreWaiting):
        wallets.add(site.ledger, "餐补", giver="校友会")
    assert len(site.rows(Account)) == before
    restoring.end(site.ledger, "test")
    subsidise(site, tmp_path)


def test_a_terminal_of_a_house_that_is_known_is_added_during_the_wait(site: Site) -> None:
    """It was added after the backup, and has to be heard for the wait to end well."""
    restored(site)
    terminals.add(site.ledger, 200, TerminalKind.POS, "第一食堂 04 窗口")
    site.prove()
