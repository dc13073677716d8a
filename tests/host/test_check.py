"""The proof of the books finds whatever somebody changed, and names the row."""

import sqlite3
from pathlib import Path

import pytest

from host import reservations
from host.check import check
from protocol import record as kinds
from protocol.record import Name, pack_key
from tests.host.site import NOW_S, SHOWER, TILL, Site, make_record

SALE = pack_key((TILL, 1, 1), 0)
OPENED = pack_key((SHOWER, 1, 1), 0)


@pytest.fixture
def used(site: Site) -> Site:
    """A sale, an open shower, a booking, an ask."""
    till, shower = site.journal(TILL), site.journal(SHOWER)
    site.take(till, till.write(kinds.SALE, subject=1, amount_fen=500), till.write(kinds.NOTHING))
    site.take(shower, shower.write(kinds.OPENED, subject=2, amount_fen=300))
    reservations.book(site.ledger, "20260001", SHOWER, NOW_S, NOW_S + 1_800, 300)
    site.ask(till, amount_fen=700)
    return site


def tamper(path: Path, *statements: str) -> None:
    """Change the file as somebody with a SQLite shell can: without its guards, which are put back."""
    connection = sqlite3.connect(path, isolation_level=None)
    guards = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in guards:
        connection.execute(f"DROP TRIGGER {name}")
    connection.execute("PRAGMA ignore_check_constraints = ON")
    for statement in statements:
        connection.execute(statement)
    for _, statement in guards:
        connection.execute(statement)
    connection.close()


def test_right_books_are_right(used: Site) -> None:
    proof = used.prove()
    assert (proof.movement_count, proof.sum_fen, len(proof.holds)) == (3, 0, 3)


ALTERATIONS = {
    "an amount": (f"UPDATE movements_1 SET amount_fen = 400 WHERE key = {SALE}", f"{TILL}-1-1"),
    "an amount and the balances with it": (
        f"UPDATE movements_1 SET amount_fen = 400 WHERE key = {SALE}; "
        "UPDATE accounts SET balance_fen = balance_fen + 100 WHERE number = 100; "
        "UPDATE accounts SET balance_fen = balance_fen - 100 WHERE label = '第一食堂'",
        f"{TILL}-1-1",
    ),
    "an account": (f"UPDATE movements_1 SET debit = 101 WHERE key = {SALE}", "account 101"),
    "a balance": ("UPDATE accounts SET balance_fen = balance_fen + 1 WHERE number = 100", "account 100"),
    "what is held": ("UPDATE accounts SET held_fen = held_fen - 1 WHERE number = 100", "account 100"),
    "a record": (f"UPDATE movements_1 SET record = zeroblob(64) WHERE key = {SALE}", f"{TILL}-1-1"),
    "a movement gone": (f"DELETE FROM movements_1 WHERE key = {SALE}", f"{TILL}-1 lacks record 1"),
    "a fact gone": (f"DELETE FROM facts WHERE key = {OPENED}", f"hold {SHOWER}-1-1"),
    "a hold gone": (f"DELETE FROM holds WHERE key = {OPENED}", "account 101 holds"),
    "a hold that was passed": (f"UPDATE holds SET state = 'asked' WHERE key = {OPENED}", f"hold {SHOWER}-1-1"),
    "an annex": ("UPDATE annexes SET content = x'00'", "another annex"),
    "an annex gone": ("DELETE FROM annexes", "another annex"),
    "a link": ("UPDATE commits SET digest = zeroblob(32) WHERE number = 2", "commit 2"),
    "a link gone": ("DELETE FROM commits WHERE number = 2", "lacks commit 2"),
    "the last link gone": ("DELETE FROM commits WHERE number = (SELECT max(number) FROM commits)", "in no commit"),
    "a high water": (f"UPDATE epochs SET high_water = 1 WHERE terminal = {TILL}", "above its high water"),
    "an epoch gone": (f"DELETE FROM epochs WHERE terminal = {TILL}", "nobody gave"),
}


@pytest.mark.parametrize("what", ALTERATIONS)
def test_an_alteration_is_found_and_named(used: Site, what: str) -> None:
    statements, named = ALTERATIONS[what]
    tamper(used.path, "PRAGMA foreign_keys = OFF", *statements.split("; "))
    used.reopen()
    problems = check(used.ledger).problems
    assert any(named in problem for problem in problems), problems


def test_a_forged_record_in_an_honest_place_is_found(used: Site) -> None:
    """Another sale under the same name, signed with another key, balances and all put right."""
    forged = make_record(kinds.SALE, name=Name(TILL, 1, 1), key=999, subject=1, amount_fen=500)
    tamper(used.path, f"UPDATE movements_1 SET record = x'{forged.hex()}' WHERE key = {SALE}")
    used.reopen()
    assert any("wrong TAC" in problem for problem in check(used.ledger).problems)
