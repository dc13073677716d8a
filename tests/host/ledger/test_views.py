"""The views for operators show what the books have, the same in both databases."""

from typing import Any

import pytest

from host.ledger.reports import name_text, open_holds
from host.ledger.rows import Account, Act, Card, Holder, Item, Movement
from host.ledger.views import VIEWS
from protocol import record as kinds
from tests.host.full_site import fill
from tests.host.site import Site


@pytest.fixture
def full(site: Site) -> Site:
    """A row in every table."""
    fill(site)
    return site


def view(site: Site, name: str, columns: str = "*", order: str = "1") -> list[tuple[Any, ...]]:
    return [tuple(row) for row in site.execute(f"SELECT {columns} FROM {name} ORDER BY {order}")]


@pytest.mark.parametrize("name", VIEWS)
def test_every_view_has_rows(full: Site, name: str) -> None:
    assert view(full, name)


def test_movement_lines_are_the_movements_in_words(full: Site) -> None:
    labels = {row.number: row.label for row in full.rows(Account)}
    expected = [
        (name_text(row.key), row.key & 15, labels[row.debit], labels[row.credit], row.amount_fen)
        for row in full.ledger.view(lambda books: list(books.scan(Movement)))
    ]
    assert view(full, "movement_lines", "record, leg, from_account, to_account, amount_fen", "key") == expected


def test_a_leg_has_the_kind_and_time_of_its_record(full: Site) -> None:
    till = full.journal(102)
    full.take(till, till.write(kinds.SALE, subject=2, amount_fen=50_000, at_s=217_663_200))
    found = [row for row in view(full, "movement_lines", "record, leg, kind, at_utc") if row[0] == "102-2-1"]
    assert found == [("102-2-1", 0, "sale", "2026-11-24 06:00:00"), ("102-2-1", 1, "sale", "2026-11-24 06:00:00")]


def test_statement_lines_add_up_to_what_a_holder_has(full: Site) -> None:
    for holder in full.rows(Holder):
        owned = [row for row in full.rows(Account) if row.owner == holder.account]
        lines = [row for row in view(full, "statement_lines", "change_fen, holder", "key") if row[1] == holder.number]
        assert sum(change_fen for change_fen, _ in lines) == sum(row.balance_fen for row in owned)


def test_balances_are_the_accounts(full: Site) -> None:
    accounts = {row.number: row for row in full.rows(Account)}
    expected = [
        (
            holder.number,
            accounts[holder.account].balance_fen,
            accounts[holder.account].available_fen,
            sum(row.balance_fen for row in accounts.values() if (row.owner, row.kind) == (holder.account, "wallet")),
            sum(row.balance_fen for row in accounts.values() if (row.owner, row.kind) == (holder.account, "mirror")),
        )
        for holder in full.rows(Holder)
    ]
    assert view(full, "balances", "holder, account_fen, available_fen, wallets_fen, purses_fen") == expected


def test_sums_by_kind_are_solvent(full: Site) -> None:
    assert sum(row[0] for row in view(full, "sums_by_kind", "balance_fen")) == 0


def test_open_holds_are_those_of_the_report(full: Site) -> None:
    expected = [(line.name, line.kind, line.state, line.amount_fen) for line in full.ledger.view(open_holds)]
    assert view(full, "open_holds", "record, kind, state, amount_fen", "key") == expected


def test_the_worklist_and_the_audit_log_are_whole(full: Site) -> None:
    assert view(full, "worklist", "number, kind, is_open") == [(row.number, row.kind, row.is_open) for row in full.rows(Item)]
    assert view(full, "audit_log", "number, act") == [(row.number, row.act) for row in full.rows(Act)]


def test_a_card_is_good_or_denied(full: Site) -> None:
    assert view(full, "card_states", "card, state") == [(row.number, "good") for row in full.rows(Card)]


def test_a_terminal_says_how_far_it_is(full: Site) -> None:
    found = view(full, "terminal_lags", "terminal, epoch, is_closed, hold_count", "terminal, epoch")
    assert (102, 1, 1, 0) in found
    assert (101, 1, 0, 1) in found
