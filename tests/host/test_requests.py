"""Requests by keys of their own: the same again is answered from the record, another is refused with what differs."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from host import adjustments, holders, own_records, reservations, subsidies, wallets
from host.errors import CommitUnknown, RequestDiffers
from host.journal import Journal, Reader, name_of
from host.ledger.contract import Store
from host.ledger.rows import BANK, CASH, SUSPENSE, Account, Movement, Request
from tests.host.site import NOW_S, SHOWER, SHOWER_2, Site

pytestmark = pytest.mark.stores("sqlite")
both_stores = pytest.mark.stores("sqlite", "postgresql")
"""For what a database might do otherwise."""

WHY = "form 7"


# What nobody saw committed.


@pytest.fixture
def kept(site: Site, tmp_path: Path) -> Journal:
    """The journal of the site's own process, with one record in it."""
    journal = own_records.start(site.ledger, "serve", tmp_path / "journal")[1]
    holders.recharge(site.ledger, "20260001", 100)
    return journal


def lose_answer(site: Site, monkeypatch: pytest.MonkeyPatch, job: Callable[[], object]) -> None:
    """Let a job be committed, and the answer to its COMMIT be lost."""
    real = site.ledger.database.transaction

    @contextmanager
    def lost(*, is_shared: bool) -> Generator[Store]:
        with real(is_shared=is_shared) as store:
            yield store
        raise CommitUnknown("the answer to COMMIT was lost")

    with monkeypatch.context() as patch:
        patch.setattr(site.ledger.database, "transaction", lost)
        with pytest.raises(CommitUnknown):
            job()


def copied(journal: Journal) -> list[tuple[int, str]]:
    return [(name_of(entry.record).sequence, entry.request) for entry in Reader(journal.path)]


@both_stores
def test_what_nobody_saw_committed_is_copied_before_the_next_record(site: Site, kept: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in (2, 3):
        lose_answer(site, monkeypatch, lambda number=number: holders.recharge(site.ledger, "20260001", 700, request=f"order-{number}"))
    holders.recharge(site.ledger, "20260002", 100, request="order-4")
    assert copied(kept) == [(1, ""), (2, "order-2"), (3, "order-3"), (4, "order-4")]


@pytest.mark.parametrize("is_other_first", [False, True])
def test_what_nobody_saw_committed_is_copied_once_when_it_is_asked_again(
    site: Site, kept: Journal, monkeypatch: pytest.MonkeyPatch, is_other_first: bool
) -> None:
    lose_answer(site, monkeypatch, lambda: holders.recharge(site.ledger, "20260001", 700, request="order-2"))
    if is_other_first:
        holders.recharge(site.ledger, "20260002", 100)
    assert holders.recharge(site.ledger, "20260001", 700, request="order-2").account_fen == 20_800
    assert copied(kept) == [(1, ""), (2, "order-2"), (3, "")][: 3 if is_other_first else 2]


def test_a_line_that_nobody_saw_paid_is_copied_when_the_batch_is_given_again(
    site: Site, kept: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = batch(site, tmp_path)
    lose_answer(site, monkeypatch, lambda: subsidies.pay(site.ledger, path, wallet="餐补", batch="b"))
    subsidies.pay(site.ledger, path, wallet="餐补", batch="b")
    assert copied(kept) == [(1, ""), (2, "subsidy/b"), (3, "subsidy/b/1"), (4, "subsidy/b/2")]


def test_a_batch_that_another_process_calls_paid_is_in_its_journal_too(site: Site, kept: Journal, tmp_path: Path) -> None:
    path = batch(site, tmp_path)
    subsidies.pay(site.ledger, path, wallet="餐补", batch="b")
    other = site.open()
    _, journal = own_records.start(other, "command", kept.folder)
    assert subsidies.pay(other, path, wallet="餐补", batch="b").paid_count == 2
    assert sorted(request for _, request in copied(journal)) == ["subsidy/b", "subsidy/b/1", "subsidy/b/2"]
    journal.close()


# Another request under a used key.


@both_stores
@pytest.mark.parametrize(
    ("debit", "credit", "reason"),
    [
        ("bank", "20260001", WHY),
        ("20260001", "suspense", WHY),
        ("20260001", "bank", WHY),
        ("suspense", "20260002", WHY),
        ("suspense", "20260001", "form 8"),
    ],
)
def test_another_adjustment_under_a_used_key_is_refused(site: Site, debit: str, credit: str, reason: str) -> None:
    adjustments.adjust(site.ledger, "suspense", "20260001", 100, WHY, request="k")
    before = site.rows(Movement)
    with pytest.raises(RequestDiffers, match="with another"):
        adjustments.adjust(site.ledger, debit, credit, 100, reason, request="k")
    assert site.rows(Movement) == before


def test_a_refusal_names_the_record_and_what_differs(site: Site) -> None:
    holders.recharge(site.ledger, "20260001", 100, request="k")
    record = f"1-1-{len(site.rows(Movement))}"
    with pytest.raises(RequestDiffers, match=f"已用过.*'k' .*{record} with another amount_fen: 100 there, 200 here"):
        holders.recharge(site.ledger, "20260001", 200, request="k")
    with pytest.raises(RequestDiffers, match="with another kind: recharge there, adjust here"):
        adjustments.adjust(site.ledger, "bank", "20260001", 100, WHY, request="k")


@both_stores
@pytest.mark.parametrize(("first", "second"), [(CASH, BANK), (BANK, CASH), (BANK, SUSPENSE)])
def test_a_recharge_that_came_another_way_is_refused_under_a_used_key(site: Site, first: int, second: int) -> None:
    paid = holders.recharge(site.ledger, "20260001", 100, source=first, request="k")
    assert holders.recharge(site.ledger, "20260001", 100, source=first, request="k") == paid
    with pytest.raises(RequestDiffers, match=f"another source: {first} there, {second} here"):
        holders.recharge(site.ledger, "20260001", 100, source=second, request="k")
    assert site.account(100).balance_fen == 20_100


@pytest.mark.parametrize(
    ("stall", "later_s", "what"),
    [(SHOWER_2, 0, "terminal"), (SHOWER, 60, "from_s")],
)
def test_another_booking_under_a_used_key_is_refused(site: Site, stall: int, later_s: int, what: str) -> None:
    reservations.book(site.ledger, "20260001", SHOWER, NOW_S, NOW_S + 1_800, 300, request="k")
    with pytest.raises(RequestDiffers, match=f"with another {what}"):
        reservations.book(site.ledger, "20260001", stall, NOW_S + later_s, NOW_S + 1_800, 300, request="k")


def batch(site: Site, tmp_path: Path) -> Path:
    """A list of two lines, for a wallet that is there."""
    wallets.add(site.ledger, "餐补", giver="学生处")
    path = tmp_path / "list.csv"
    path.write_text("20260001,120.00\n20260002,80.50\n", encoding="utf-8")
    return path


@both_stores
def test_a_line_whose_key_stands_for_another_record_is_not_called_paid(site: Site, tmp_path: Path) -> None:
    path = batch(site, tmp_path)
    holders.recharge(site.ledger, "20260001", 12_000, request="subsidy/b/1")
    with pytest.raises(RequestDiffers, match="with another kind"):
        subsidies.pay(site.ledger, path, wallet="餐补", batch="b")
    assert [row for row in site.rows(Account) if row.kind == "wallet"] == []


def test_no_line_of_a_batch_is_paid_if_the_key_of_one_stands_for_another_record(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = batch(site, tmp_path)
    holders.recharge(site.ledger, "20260002", 8_050, request="subsidy/b/2")
    monkeypatch.setattr(subsidies, "_LINES_AT_ONCE", 1)
    with pytest.raises(RequestDiffers):
        subsidies.examine(site.ledger, path, wallet="餐补", batch="b")
    with pytest.raises(RequestDiffers):
        subsidies.pay(site.ledger, path, wallet="餐补", batch="b")
    assert [row.request for row in site.rows(Request)] == ["subsidy/b/2"]


def test_an_adjustment_under_a_lines_key_is_not_that_line(site: Site, tmp_path: Path) -> None:
    path = batch(site, tmp_path)
    adjustments.adjust(site.ledger, "bank", "20260001", 12_000, WHY, request="subsidy/b/1")
    with pytest.raises(RequestDiffers, match="with another purpose: move there, subsidy here"):
        subsidies.pay(site.ledger, path, wallet="餐补", batch="b")
