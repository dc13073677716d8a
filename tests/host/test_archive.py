"""The archive: a day is moved there whole, once, and is never changed or reopened."""

import sqlite3
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from host import days
from host.errors import DayNotReady
from host.ledger.archive import Measured, measure, movements_of
from host.ledger.days import days_in_order
from host.ledger.rows import Commit, Day, Movement
from tests.host.day_site import CUT_S, DAY_S, TODAY, TOMORROW, closed, sell, states
from tests.host.site import Journal, Site

# The archive.


def test_an_archived_day_keeps_its_movements_sorted_by_holder(site: Site, till: Journal) -> None:
    sell(site, till, 300)
    day = closed(site)
    before = site.rows(Movement)
    measured = site.ledger.view(lambda books: measure(movements_of(books, day)))
    assert days.archive_closed(site.ledger) == ([TODAY], [])
    (archived,) = [row for row in site.rows(Day) if row.number == day.number]
    assert Measured(archived.movement_count, archived.moved_fen, archived.digest) == measured
    assert site.rows(Movement) == before
    stored = [tuple(row) for row in site.execute("SELECT day, owner, key FROM movements_archive ORDER BY day, owner, key")]
    assert stored == sorted((day.number, row.owner, row.key) for row in before)
    with pytest.raises((sqlite3.OperationalError, psycopg.errors.UndefinedTable)):
        site.execute(f"SELECT * FROM movements_{day.number}")
    site.prove()


def test_the_books_go_on_while_days_are_archived(site: Site, till: Journal) -> None:
    for turn in range(3):
        sell(site, till, 100 + turn)
        closed(site, CUT_S + turn * DAY_S)
        days.archive_closed(site.ledger)
    sell(site, till, 500)
    assert [state for _, state in states(site)] == ["archived"] * 3 + ["open"]
    assert site.account(100).balance_fen == 20_000 - 303 - 500
    site.prove()
    site.reopen()
    site.prove()


@pytest.mark.parametrize("statement", ["UPDATE movements_archive SET amount_fen = 1", "DELETE FROM movements_archive"])
def test_the_archive_is_never_changed(site: Site, statement: str) -> None:
    closed(site)
    days.archive_closed(site.ledger)
    with pytest.raises((sqlite3.IntegrityError, psycopg.Error), match="never changed"):
        site.execute(statement)


def test_neither_the_open_day_nor_an_archived_one_is_archived(site: Site) -> None:
    with pytest.raises(DayNotReady, match="close it first"):
        days.archive_one(site.ledger, TODAY)
    closed(site)
    days.archive_one(site.ledger, TODAY)
    with pytest.raises(DayNotReady, match="archived already"):
        days.archive_one(site.ledger, TODAY)


def test_a_day_with_an_altered_movement_is_not_archived(site: Site, till: Journal) -> None:
    key = sell(site, till, 300)
    day = closed(site)
    drop = "DROP TRIGGER {0}_no_update" if not site.url else "ALTER TABLE {0} DISABLE TRIGGER USER"
    site.execute(drop.format(f"movements_{day.number}"))
    site.execute(f"UPDATE movements_{day.number} SET amount_fen = 299 WHERE key = ?", key)
    done, (reason,) = days.archive_closed(site.ledger)
    assert done == []
    assert "does not match its digest" in str(reason)


def test_only_the_links_since_a_day_was_opened_are_computed_again(site: Site, till: Journal) -> None:
    """Else archiving a day would cost more with every year."""
    sell(site, till, 300)
    count = len(site.rows(Commit))
    closed(site)
    assert site.ledger.view(lambda books: days_in_order(books)[-1].after_commit) == count


def test_a_movement_that_stands_in_no_commit_is_not_archived(site: Site, till: Journal) -> None:
    sell(site, till, 300)
    day = closed(site)
    site.execute(f"INSERT INTO movements_{day.number} (key, debit, credit, amount_fen, owner) VALUES (?, 2, 100, 5, 100)", 99 << 47 | 1)
    _, (reason,) = days.archive_closed(site.ledger)
    assert "1 of its movements stand in no commit" in str(reason)


def test_what_arrives_between_measuring_and_moving_stops_the_archive(site: Site) -> None:
    day = closed(site)
    with pytest.raises(DayNotReady, match="arrived meanwhile"):
        site.commit(lambda books: days.archive(books, day.number, Measured(0, 0, bytes(32))))
    assert states(site) == [(TODAY, "closed"), (TOMORROW, "open")]
    assert days.archive_closed(site.ledger) == ([TODAY], [])


class Died(Exception):
    """The host dies here."""


class Dying:
    """A store whose `limit`-th call is never made: the host is dead by then."""

    def __init__(self, store: Any, countdown: list[int]) -> None:
        self._store = store
        self._countdown = countdown

    def __getattr__(self, name: str) -> Any:
        self._countdown[0] -= 1
        if self._countdown[0] == 0:
            raise Died
        return getattr(self._store, name)


def die_everywhere(site: Site, monkeypatch: pytest.MonkeyPatch, act: Callable[[], object], *, untouched: Callable[[], None]) -> int:
    """Do something, and die at its first call of the store, at its second, ... until it is done; returns how often it died."""
    kind, countdown = type(site.ledger.database), [0]
    transaction: Any = kind.transaction

    @contextmanager
    def dying(database: Any, *, is_shared: bool) -> Generator[Any]:
        with transaction(database, is_shared=is_shared) as store:
            yield Dying(store, countdown)

    with monkeypatch.context() as patched:
        for limit in range(1, 200):
            countdown[0] = 0
            site.reopen()
            patched.setattr(kind, "transaction", dying)
            countdown[0] = limit
            try:
                act()
            except Died:
                patched.setattr(kind, "transaction", transaction)
                untouched()
            else:
                return limit - 1
    raise AssertionError("it never ends")


def test_a_crash_at_any_statement_leaves_a_day_archived_or_not(site: Site, till: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    sell(site, till, 300)
    closed(site)
    before = site.rows(Movement)

    def untouched() -> None:
        assert states(site) == [(TODAY, "closed"), (TOMORROW, "open")]
        assert site.rows(Movement) == before

    count = die_everywhere(site, monkeypatch, lambda: days.archive_closed(site.ledger), untouched=untouched)
    assert count > 10
    assert states(site) == [(TODAY, "archived"), (TOMORROW, "open")]
    assert site.rows(Movement) == before
    site.prove()


def test_a_crash_at_any_statement_leaves_a_day_closed_or_open(site: Site, till: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    sell(site, till, 300)
    site.now_s = CUT_S

    def untouched() -> None:
        # Closed too, where it died looking for the next day that is over.
        assert states(site) in ([(TODAY, "open")], [(TODAY, "closed"), (TOMORROW, "open")])
        assert len(site.rows(Movement)) == 3

    count = die_everywhere(site, monkeypatch, lambda: days.close(site.ledger), untouched=untouched)
    assert count > 10
    assert states(site) == [(TODAY, "closed"), (TOMORROW, "open")]
    site.prove()
