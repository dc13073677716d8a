"""The proof of the books finds whatever somebody changed, and names the row."""

import tracemalloc
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from host import cards, intake
from host.check import check
from host.ledger.columns import columns_of
from host.ledger.rows import TABLES, Account, Card, Commit, Epoch, Fact, Movement, Row
from protocol import record as kinds
from protocol.messages import State
from protocol.record import Name, Operation, pack_shown, unpack_key
from tests.host.full_site import fill
from tests.host.site import SHOWER, TILL, Site, make_record
from tests.host.tampering import Cells, Intruder, another

UNNOTICED = {
    ("items", "number"): "the database numbers items, and nothing refers to it",
}
"""Cells whose change nothing tells, and why that harms nobody."""

PARTITION = {"movements": "movements_2"}
"""Where the rows of a view lie: the open day's table."""


@pytest.fixture
def full(site: Site) -> Site:
    """A row in every table."""
    fill(site)
    site.prove()
    return site


@pytest.fixture
def intruder(full: Site) -> Iterator[Intruder]:
    """Somebody with a shell."""
    made = Intruder(full)
    yield made
    made.close()


def last_of(intruder: Intruder, kind: type[Row]) -> tuple[str, Cells]:
    """The table, and its last row."""
    table = PARTITION.get(kind.TABLE, kind.TABLE)
    return table, intruder.pick(table, columns_of(kind), ", ".join(f"{column} DESC" for column in kind.KEY))


def names(kind: type[Row], row: Cells) -> list[str]:
    """What a message that is about this row says: its table and key, or for what is in the chain its record."""
    if kind in (Movement, Fact):
        terminal, epoch, sequence = row["key"] >> 47, row["key"] >> 35 & 4095, row["key"] >> 4 & 0x7FFF_FFFF
        return [f"{terminal}-{epoch}-{sequence}"]
    if kind is Commit:
        return [f"commit {row['number']}", f"number {row['number']}"]
    if kind is Account:
        return [f"表 accounts, number {row['number']}", f"account {row['owner']} says"]
    keys = [row[column] for column in kind.KEY]
    return [f"表 {kind.TABLE}, {kind.KEY[0]} {keys[0].hex() if isinstance(keys[0], bytes) else keys[0]}"]


def test_every_cell_that_is_altered_is_found_and_named(full: Site, intruder: Intruder) -> None:
    """In each table: every cell of a row on SQLite, the first and the last on PostgreSQL, where a look takes longer."""
    unnoticed: list[Any] = []
    for kind in TABLES:
        table, row = last_of(intruder, kind)
        columns = [column for column in row if (kind.TABLE, column) not in UNNOTICED]
        for column in (columns[0], columns[-1]) if full.url else columns:
            value = another(row[column])
            with intruder.altered(table, row, column, value):
                problems = check(full.ledger).problems
            said = names(kind, row) + names(kind, {**row, column: value})
            unnoticed += [] if _say(problems, said) else [(table, column, value, problems)]
    assert unnoticed == []
    full.prove()


def test_a_row_that_is_taken_away_is_found_and_named(full: Site, intruder: Intruder) -> None:
    unnoticed: list[Any] = []
    for kind in TABLES:
        table, row = last_of(intruder, kind)
        with intruder.without(table, row):
            problems = check(full.ledger).problems
        said = [*names(kind, row), *GONE.get(kind.TABLE, (f"表 {kind.TABLE}: it has",))]
        unnoticed += [] if _say(problems, said) else [(table, problems)]
    assert unnoticed == []
    full.prove()


def test_a_row_that_is_slipped_in_is_found_and_named(full: Site, intruder: Intruder) -> None:
    """A copy under another key, its seal copied too."""
    unnoticed: list[Any] = []
    for kind in TABLES:
        table, row = last_of(intruder, kind)
        added = {**row, **{column: another(row[column]) for column in UNIQUE.get(kind.TABLE, kind.KEY)}}
        with intruder.with_another(table, added):
            problems = check(full.ledger).problems
        unnoticed += [] if _say(problems, names(kind, added)) else [(table, problems)]
    assert unnoticed == []
    full.prove()


def _say(problems: list[str], said: list[str]) -> bool:
    return any(each in problem for each in said for problem in problems)


GONE = {
    "accounts": ("of account 107, which does not exist",),
    "commits": ("stands in no commit of the chain",),
    "holds": ("there is no such hold",),
    "items": ("表 items: ",),
}
"""What names the place of a row that is not there, where its key is known to nobody; elsewhere its table's tally is wrong."""


UNIQUE = {
    "holders": ("account", "number"),
    "cards": ("number", "mirror", "uid"),
    "places": ("number", "name"),
    "terminals": ("number", "address"),
    "settlements": ("opened", "settled"),
    "reversals": ("reversed", "key"),
    "reservations": ("key", "lookup"),
    "wallets": ("number", "name"),
    "items": ("number", "evidence"),
    "days": ("number", "cut"),
}
"""Columns of which no two rows have the same."""


def test_a_hold_inside_a_gap_is_no_false_alarm(site: Site) -> None:
    """It ends with the next record, as always; a gap brings none."""
    till = site.journal(TILL)
    assert site.ask(till, amount_fen=700).code == 0
    intake.resume(site.ledger, TILL, State(till.epoch, 9, 5, "test", 1, []), site.now_s)
    site.prove()
    site.take(till, make_record(kinds.NOTHING, name=Name(TILL, till.epoch, 5)))
    assert site.holds() == []
    site.prove()


def test_a_gap_of_a_thousand_million_takes_no_room(site: Site) -> None:
    till = site.journal(TILL)
    intake.resume(site.ledger, TILL, State(till.epoch, 1_000_000_001, 1_000_000_000, "test", 1, []), site.now_s)
    site.take(till, make_record(kinds.NOTHING, name=Name(TILL, till.epoch, 1_000_000_000)))
    tracemalloc.start()
    site.prove()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 5_000_000


def test_records_missing_beside_a_known_gap_are_found(full: Site, intruder: Intruder) -> None:
    """An item that says less than is missing excuses less."""
    row = intruder.pick("epochs", columns_of(Epoch), "terminal DESC")
    with intruder.altered("epochs", row, "high_water", 9):
        problems = check(full.ledger).problems
    assert any("102-1 lacks record 2 and 7 more" in problem for problem in problems), problems


def test_money_moved_with_its_balances_is_found(full: Site, intruder: Intruder) -> None:
    """Somebody who knows the ledger puts the sums right too."""
    table, row = last_of(intruder, Movement)
    accounts = {
        number: intruder.rows("SELECT balance_fen FROM accounts WHERE number = ?", (row[number],))[0][0] for number in ("debit", "credit")
    }
    with ExitStack() as changes:
        changes.enter_context(intruder.altered(table, row, "amount_fen", row["amount_fen"] + 100))
        for number, sign in (("debit", -100), ("credit", 100)):
            cells = {"number": row[number], "balance_fen": accounts[number]}
            changes.enter_context(intruder.altered("accounts", cells, "balance_fen", accounts[number] + sign))
        problems = check(full.ledger).problems
    assert any("its record says" in problem for problem in problems), problems
    assert any("commit" in problem for problem in problems), problems


def test_a_forged_record_in_an_honest_place_is_found(full: Site, intruder: Intruder) -> None:
    """Another sale under the same name, signed with another key."""
    table, row = last_of(intruder, Movement)
    row = intruder.pick(table, columns_of(Movement), "key")
    name, _ = unpack_key(row["key"])
    forged = make_record(kinds.SALE, name=name, key=999, subject=1, amount_fen=row["amount_fen"])
    with intruder.altered(table, row, "record", forged):
        problems = check(full.ledger).problems
    assert any("wrong TAC" in problem for problem in problems), problems


def test_a_row_put_back_as_it_was_is_found(full: Site, intruder: Intruder) -> None:
    """Its old seal fits; the tally of its table does not."""
    before = intruder.pick("cards", columns_of(Card), "number")
    cards.deny(full.ledger, 1, "lost")
    now = intruder.pick("cards", columns_of(Card), "number")
    with ExitStack() as changes:
        for column in ("denied_s", "denied_for", "seal"):
            changes.enter_context(intruder.altered("cards", now, column, before[column]))
            now = {**now, column: before[column]}
        problems = check(full.ledger).problems
    assert problems == ["表 cards: its rows are not the ones that were written last, so one was altered, or put back as it was before"]


def test_a_mirror_below_what_its_card_says_is_found(site: Site) -> None:
    till = site.journal(TILL)
    load = till.write(kinds.LOAD, subject=1, amount_fen=2_000, purse=True, counter=1, balance_fen=2_100)
    site.take(till, load)
    assert any("the mirror of card 00000001 covers 20.00" in problem for problem in check(site.ledger).problems)


def test_what_a_card_shows_and_no_record_says_is_under_way(site: Site) -> None:
    """A sale of another till, seen on the card before its record has come; with the record it is under way no more."""
    till, shower = site.journal(TILL), site.journal(SHOWER)
    load = till.write(kinds.LOAD, subject=1, amount_fen=2_000, purse=True, counter=1, balance_fen=2_000)
    site.take(till, load)
    sale = till.write(kinds.SALE, subject=1, amount_fen=300, purse=True, counter=2, balance_fen=1_700)
    seen = pack_shown([Operation(TILL, 2, kinds.SALE, till.epoch, 300), Operation(TILL, 1, kinds.LOAD, till.epoch, 2_000)])
    site.take(shower, shower.write(kinds.NOTHING, subject=1, counter=2, balance_fen=1_700, shown=seen))
    proof = site.prove()
    assert (proof.under_way_fen, proof.most_under_way_fen) == (300, 2_000)
    site.take(till, sale)
    proof = site.prove()
    assert (proof.under_way_fen, proof.most_under_way_fen) == (0, 1_700)


def test_progress_is_told_and_ends_whole(site: Site) -> None:
    till = site.journal(TILL)
    site.take(till, *(till.write(kinds.NOTHING) for _ in range(4_100)))
    told: list[tuple[int, int]] = []
    check(site.ledger, lambda done, whole: told.append((done, whole)))
    assert [done for done, _ in told] == [2_000, 4_000, 4_102]
    assert {whole for _, whole in told} == {4_102}


def test_it_reads_beside_a_host_that_writes(site: Site) -> None:
    till = site.journal(TILL)
    other = site.open()
    check(other, lambda done, whole: site.take(till, till.write(kinds.SALE, subject=1, amount_fen=1)) and None)
    other.close()
    site.prove()


def test_a_refund_of_what_is_no_sale_is_no_false_alarm(site: Site) -> None:
    """It waited for a record that turned out to be a void itself."""
    till = site.journal(TILL)
    for reference in (till.name(3), till.name(1)):
        sale = till.write(kinds.SALE, subject=1, amount_fen=500) if till.next == 1 else b""
        site.take(till, *([sale] if sale else []), till.write(kinds.REFUND, subject=1, amount_fen=40, reference=reference))
    site.prove()
