"""The wait after a restore (MONEY 7): who is answered what, when it ends, and what is decided then.

The "restore" here is of the books as they stand (`restore.prepare`), so it runs on both databases; what a backup
lacks is what the terminals have not delivered yet. Files and the way of a backup: test_backup.py.
"""

from collections.abc import Callable

import pytest

from host import approvals, cards, holders, intake, lost_epochs, reservations, restoring
from host.backup import Facts
from host.errors import InvalidValue, NotFound, RestoreWaiting
from host.ledger.kinds import HoldState, ItemKind
from host.ledger.process import LAST_EPOCH
from host.ledger.rows import LOSS, Act, Hold, Item, Terminal, Wait
from host.restore import DEVICE_SKIP, HOST_SKIP, prepare
from host.restoring import Reply, is_delivered, reply_to
from protocol import codes
from protocol import record as kinds
from protocol.messages import ASK, ASK_EXTEND, ASK_LOOKUP, ASK_SALE, ASK_SHOWER, BUSY, Ask, Refused
from tests.host.site import NOW_S, SHOWER, SHOWER_2, TILL, Journal, Site

FACTS = Facts("sqlite", "", NOW_S - 3_600, 1, "", 0, {}, 0, "")


def restored(site: Site) -> None:
    """Treat the books as just restored."""
    prepare(site.ledger, [], facts=FACTS, name="a backup")


def waits(site: Site) -> dict[int, bool]:
    """Each terminal that is waited for, and whether it is done."""
    return {row.terminal: bool(row.is_done) for row in site.rows(Wait)}


def deliver_all(site: Site, journal: Journal) -> None:
    """A handshake, then all the terminal has, from where the host says."""
    resume = site.shake_hands(journal)
    site.take(journal, *journal.records[resume.high_water :])


@pytest.fixture
def till(site: Site) -> Journal:
    """The till, with an epoch."""
    return site.journal(TILL)


@pytest.fixture
def shower(site: Site) -> Journal:
    """A shower, likewise; the other one too, which has nothing to say."""
    site.journal(SHOWER_2)
    return site.journal(SHOWER)


def others_deliver(site: Site, *, but: Journal) -> None:
    """Every terminal but one shakes hands and has nothing more."""
    for number in (TILL, SHOWER, SHOWER_2):
        if number != but.number:
            found = site.rows(Terminal)
            epoch = next(row.epoch for row in found if row.number == number)
            deliver_all(site, Journal(number, epoch))


# What is decided, without a database.

WAIT = Wait(SHOWER, epoch=3, next=8)
EXTEND = Ask(3, 5, ASK_EXTEND, 1, 1, 600, 0, b"", b"")


@pytest.mark.parametrize(
    ("ask", "wait", "high_water", "expected"),
    [
        (EXTEND, WAIT, 7, Reply.DECIDED),
        (EXTEND, WAIT, 6, Reply.LATER),
        (EXTEND, Wait(SHOWER), 100, Reply.AWAY),
        (EXTEND, Wait(SHOWER, 3, 8, is_done=1), 7, Reply.AWAY),
        (EXTEND, None, 7, Reply.AWAY),
        (EXTEND._replace(epoch=2), WAIT, 7, Reply.AWAY),
        *((EXTEND._replace(kind=kind), WAIT, 7, Reply.AWAY) for kind in (ASK_SALE, ASK_SHOWER, ASK_LOOKUP)),
    ],
)
def test_only_a_running_shower_is_answered_and_only_once_all_is_delivered(ask: Ask, wait: Wait, high_water: int, expected: Reply) -> None:
    assert reply_to(ask, wait, high_water) is expected


@pytest.mark.parametrize(
    ("wait", "high_water", "expected"),
    [
        (WAIT, 7, True),
        (WAIT, 6, False),
        (Wait(SHOWER), 100, False),
        (Wait(SHOWER, epoch=0, next=1), 0, True),
        (Wait(SHOWER, epoch=3, next=1), 0, True),
    ],
)
def test_delivered_is_all_up_to_the_next_it_named(wait: Wait, high_water: int, expected: bool) -> None:
    assert is_delivered(wait, high_water) is expected


# Who is waited for.


def test_every_terminal_is_waited_for_that_may_have_sold(site: Site, till: Journal, shower: Journal) -> None:
    restored(site)
    assert waits(site) == {SHOWER: False, TILL: False, SHOWER_2: False}


def test_a_lost_terminal_that_was_closed_is_not(site: Site, till: Journal, shower: Journal) -> None:
    site.execute("UPDATE epochs SET is_closed = 1 WHERE terminal = 101")
    restored(site)
    assert TILL not in waits(site)


def test_a_lost_board_whose_epoch_is_closed_has_come(site: Site, till: Journal, shower: Journal) -> None:
    site.take(shower, shower.write(kinds.OPENED, subject=1, amount_fen=300))
    restored(site)
    lost_epochs.close(site.ledger, SHOWER, shower.epoch)
    assert waits(site)[SHOWER]
    others_deliver(site, but=shower)
    assert restoring.settle(site.ledger) is not None
    site.prove()


def test_a_board_that_has_come_and_is_closed_afterwards_has_still_come(site: Site, till: Journal, shower: Journal) -> None:
    restored(site)
    deliver_all(site, till)
    assert waits(site)[TILL]
    lost_epochs.close(site.ledger, TILL, till.epoch)
    assert waits(site)[TILL]


def test_closing_an_older_epoch_of_a_board_is_not_its_coming(site: Site, till: Journal, shower: Journal) -> None:
    site.shake_hands(Journal(TILL))
    restored(site)
    lost_epochs.close(site.ledger, TILL, till.epoch)
    assert not waits(site)[TILL]


def test_the_books_are_right_while_a_board_that_was_closed_before_is_not_waited_for(site: Site, till: Journal) -> None:
    lost_epochs.close(site.ledger, TILL, till.epoch)
    restored(site)
    assert TILL not in waits(site)
    site.prove()


def test_asks_are_away_until_all_have_delivered_then_the_wait_ends_by_itself(site: Site, till: Journal, shower: Journal) -> None:
    till.write(kinds.STARTED)
    restored(site)
    deliver_all(site, till)
    assert waits(site)[TILL]
    assert site.ask(till, amount_fen=100).code == codes.HOST_AWAY
    assert site.ask(till, amount_fen=0, kind=ASK_LOOKUP, subject=0, code=b"123456").code == codes.HOST_AWAY
    assert site.holds() == []
    assert restoring.settle(site.ledger) is None
    others_deliver(site, but=till)
    assert restoring.settle(site.ledger) is not None
    assert restoring.settle(site.ledger) is None
    assert site.ask(till, amount_fen=100).code == 0


def test_a_handshake_is_not_enough(site: Site, till: Journal, shower: Journal) -> None:
    till.write(kinds.STARTED)
    till.write(kinds.SALE, subject=1, amount_fen=100)
    restored(site)
    site.shake_hands(till)
    assert not waits(site)[TILL]
    site.take(till, till.records[0])
    assert not waits(site)[TILL]
    site.take(till, till.records[1])
    assert waits(site)[TILL]


def test_what_it_named_last_counts(site: Site, till: Journal, shower: Journal) -> None:
    """A session that broke off is begun again with more to deliver: all of that was granted before, or charged without asking."""
    till.write(kinds.STARTED)
    restored(site)
    site.shake_hands(till)
    till.write(kinds.SALE, subject=1, amount_fen=100, purse=True)
    site.shake_hands(till)
    site.take(till, till.records[0])
    assert not waits(site)[TILL]


def test_asked_holds_are_forgotten_and_taken_ones_kept(site: Site, till: Journal, shower: Journal) -> None:
    site.ask(till, amount_fen=700)
    site.ask(shower, amount_fen=300, kind=ASK_SHOWER, subject=2)
    site.take(shower, shower.write(kinds.OPENED, subject=2, amount_fen=300))
    reservations.book(site.ledger, "20260001", SHOWER, NOW_S, NOW_S + 1_800, 200)
    restored(site)
    assert sorted((hold.state, hold.amount_fen) for hold in site.holds()) == [(HoldState.TAKEN, 200), (HoldState.TAKEN, 300)]
    assert site.account(100).held_fen == 200
    site.prove()


def test_no_epoch_is_given_twice(site: Site, till: Journal, shower: Journal) -> None:
    restored(site)
    assert site.shake_hands(till).epoch == 1, "it goes on in the epoch it has"
    wiped = Journal(TILL)
    assert site.shake_hands(wiped).epoch == 1 + 1 + DEVICE_SKIP
    before = site.ledger.start("serve").epoch
    restored(site)
    assert site.ledger.start("serve").epoch == before + 1 + HOST_SKIP
    assert HOST_SKIP * 10 < LAST_EPOCH


def test_an_epoch_given_after_the_backup_is_taken_over(site: Site, till: Journal, shower: Journal) -> None:
    restored(site)
    newer = Journal(TILL, epoch=2)
    newer.write(kinds.STARTED)
    deliver_all(site, newer)
    assert waits(site)[TILL]
    assert ItemKind.HOST_BEHIND in site.items()


# A shower that runs.


@pytest.fixture
def running(site: Site, shower: Journal, till: Journal) -> Journal:
    """张小雨 showers on 300 and was granted 600; the backup was made before."""
    site.take(shower, shower.write(kinds.STARTED))
    shower.write(kinds.OPENED, subject=1, amount_fen=300)
    restored(site)
    return shower


def extend(site: Site, shower: Journal, total_fen: int, card: int = 1) -> tuple[int, int]:
    """Ask for a total again: the answer's code, and what is held."""
    answer = site.ask(shower, amount_fen=total_fen, subject=card, kind=ASK_EXTEND, sequence=2)
    return answer.code, answer.held_fen


def test_a_running_shower_is_heard_once_its_opened_is_here_and_no_earlier(site: Site, running: Journal) -> None:
    site.shake_hands(running)
    again = Ask(running.epoch, 2, ASK_EXTEND, 1, 1, 600, 0, b"", b"")
    assert approvals.answer(site.ledger, SHOWER, again, NOW_S) == Refused(ASK, BUSY), "to be said again in this session"
    site.take(running, running.records[1])
    assert not waits(site)[SHOWER], "it has to ask again first"
    assert extend(site, running, 600) == (0, 600)
    assert waits(site)[SHOWER]
    assert site.account(100).held_fen == 600


def test_more_than_that_is_new_money_and_waits(site: Site, running: Journal) -> None:
    deliver_all(site, running)
    extend(site, running, 600)
    assert extend(site, running, 900) == (codes.HOST_AWAY, 0)
    assert site.account(100).held_fen == 600


def test_a_shower_that_ended_meanwhile_need_not_ask(site: Site, running: Journal) -> None:
    running.write(kinds.SETTLED, subject=1, amount_fen=250, reference=running.name(2))
    deliver_all(site, running)
    assert waits(site)[SHOWER]


def test_one_that_settles_during_the_wait_need_not_ask_either(site: Site, running: Journal) -> None:
    deliver_all(site, running)
    assert not waits(site)[SHOWER]
    site.take(running, running.write(kinds.SETTLED, subject=1, amount_fen=250, reference=running.name(2)))
    assert waits(site)[SHOWER]


def test_an_extension_nothing_covers_now_is_decided_at_the_end(site: Site, shower: Journal, till: Journal) -> None:
    """李强 has 3.20. He had paid in, which the ledger hears only during the wait."""
    site.take(shower, shower.write(kinds.STARTED), shower.write(kinds.OPENED, subject=2, amount_fen=300))
    restored(site)
    deliver_all(site, shower)
    assert extend(site, shower, 600, card=2) == (codes.HOST_AWAY, 300)
    holders.recharge(site.ledger, "20260002", 100)
    others_deliver(site, but=shower)
    assert restoring.settle(site.ledger) is not None
    assert [hold.amount_fen for hold in site.holds()] == [420], "as far as available"
    site.prove()


# What is found uncovered.


def test_a_sale_that_nothing_covers_during_the_wait_costs_the_school_nothing_once_the_money_is_here(
    site: Site, till: Journal, shower: Journal
) -> None:
    """李强 has 3.20 and paid in 5.00 at a place whose file comes late; he ate for 6.00."""
    till.write(kinds.SALE, subject=2, amount_fen=600)
    restored(site)
    deliver_all(site, till)
    assert site.account(LOSS).balance_fen == -280
    assert site.items() == [ItemKind.UNDECIDED]
    holders.recharge(site.ledger, "20260002", 500)
    others_deliver(site, but=till)
    ended = restoring.settle(site.ledger)
    assert ended is not None
    assert (ended.covered_fen, ended.uncovered_fen) == (280, 0)
    assert (site.account(LOSS).balance_fen, site.account(101).balance_fen) == (0, 220)
    assert [item.is_open for item in site.rows(Item)] == [0]
    site.prove()


def test_what_is_not_covered_even_then_is_the_schools_loss(site: Site, till: Journal, shower: Journal) -> None:
    till.write(kinds.SALE, subject=2, amount_fen=600)
    restored(site)
    deliver_all(site, till)
    holders.recharge(site.ledger, "20260002", 100)
    others_deliver(site, but=till)
    restoring.settle(site.ledger)
    assert (site.account(LOSS).balance_fen, site.account(101).balance_fen) == (-180, 0)
    assert [(item.kind, item.amount_fen) for item in site.rows(Item) if item.is_open] == [(ItemKind.UNCOVERED, 180)]
    site.prove()


def test_the_money_may_come_from_another_terminal(site: Site, till: Journal, shower: Journal) -> None:
    """李强's shower held 3.00 and used 0.50, which its stall tells after the till's sale of 2.50."""
    site.take(shower, shower.write(kinds.OPENED, subject=2, amount_fen=300))
    shower.write(kinds.SETTLED, subject=2, amount_fen=50, reference=shower.name(1))
    till.write(kinds.SALE, subject=2, amount_fen=250)
    restored(site)
    deliver_all(site, till)
    assert site.account(LOSS).balance_fen == -230
    deliver_all(site, shower)
    others_deliver(site, but=shower)
    restoring.settle(site.ledger)
    assert (site.account(LOSS).balance_fen, site.account(101).balance_fen) == (0, 20)
    site.prove()


def test_an_opened_that_nothing_covers_now_is_raised_at_the_end(site: Site, till: Journal, shower: Journal) -> None:
    shower.write(kinds.OPENED, subject=2, amount_fen=500)
    restored(site)
    deliver_all(site, shower)
    assert [hold.amount_fen for hold in site.holds()] == [320]
    holders.recharge(site.ledger, "20260002", 300)
    restoring.end(site.ledger, "test")
    assert [hold.amount_fen for hold in site.holds()] == [500]
    assert not any(item.is_open for item in site.rows(Item))
    site.prove()


# The operator.


def test_an_operator_ends_the_wait_with_a_reason_that_stays(site: Site, till: Journal, shower: Journal) -> None:
    restored(site)
    deliver_all(site, till)
    ended = restoring.end(site.ledger, "104 is scrapped")
    assert set(ended.missing) == {SHOWER, SHOWER_2}
    assert site.ask(till, amount_fen=100).code == 0
    (act,) = [row for row in site.rows(Act) if row.act == "wait.end"]
    assert "104 is scrapped" in act.detail


def test_without_a_reason_or_a_wait_it_is_refused(site: Site) -> None:
    with pytest.raises(NotFound):
        restoring.end(site.ledger, "why")
    restored(site)
    with pytest.raises(InvalidValue, match="要写原因"):
        restoring.end(site.ledger, "  ")


ACTS: dict[str, Callable[[Site], object]] = {
    "holder": lambda site: holders.add(site.ledger, "20260009", "新"),
    "card": lambda site: cards.add(site.ledger, "20260001", b"\x04\x09\x09\x09"),
    "booking": lambda site: reservations.book(site.ledger, "20260001", SHOWER, NOW_S, NOW_S + 1_800, 200),
}


@pytest.mark.parametrize("name", ACTS)
def test_numbers_and_holds_are_not_given_while_it_lasts(site: Site, name: str) -> None:
    restored(site)
    with pytest.raises(RestoreWaiting, match="恢复未完成"):
        ACTS[name](site)
    restoring.end(site.ledger, "test")
    ACTS[name](site)


def test_people_see_who_is_missing(site: Site, till: Journal, shower: Journal) -> None:
    assert site.ledger.view(restoring.waiting_in) is None
    till.write(kinds.STARTED)
    restored(site)
    site.shake_hands(till)
    deliver_all(site, shower)
    waiting = site.ledger.view(restoring.waiting_in)
    assert waiting is not None
    assert waiting.terminals == ((TILL, "第一食堂 03 窗口", True), (SHOWER_2, "北区浴室 13 号", False))


def test_a_second_restore_waits_anew(site: Site, till: Journal, shower: Journal) -> None:
    restored(site)
    deliver_all(site, till)
    restored(site)
    assert not any(waits(site).values())
    assert len(site.rows(Hold)) == 0
    restoring.end(site.ledger, "test")
    assert intake.resume(site.ledger, TILL, till.state(), NOW_S).epoch == 1
