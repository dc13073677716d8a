"""The host's own records as they are read again: recharges and where they came from, requests answered before, cuts nobody can read."""

import pytest

from host import holders
from host.ledger.adjustment import source_annex
from host.ledger.books import Books
from host.ledger.kinds import ItemKind
from host.ledger.posting import post
from host.ledger.process import write_record
from host.ledger.rows import BANK, CASH, Day, Epoch, Terminal
from protocol import record as kinds
from protocol.messages import SUBJECT_ACCOUNT
from protocol.packing import pack
from protocol.record import Name
from tests.host.site import Site, make_record

HOLDER = 100


def test_a_request_that_was_answered_before_has_no_effect_again(site: Site) -> None:
    """A journal file that came late, when the request was repeated meanwhile under another name."""
    holders.recharge(site.ledger, "20260001", 500, request="receipt-1")
    name = Name(1, 9, 1)
    recharge = make_record(kinds.RECHARGE, name=name, subject=HOLDER, subject_kind=SUBJECT_ACCOUNT, amount_fen=500)

    def job(books: Books) -> None:
        books.add(Epoch(1, 9))
        post(books, books.need(Terminal, 1), books.need(Epoch, 1, 9), recharge, b"", "receipt-1")

    site.commit(job)
    assert site.account(HOLDER).balance_fen == 20_500
    assert site.items() == [ItemKind.REQUEST_TWICE]
    site.prove()


UNREADABLE = (b"\xc1", b"\x01", pack([1]), pack([2, BANK]))


@pytest.mark.parametrize(("annex", "account"), [(source_annex(BANK), BANK), *((annex, CASH) for annex in UNREADABLE)])
def test_a_recharge_says_where_the_money_came_from(site: Site, annex: bytes, account: int) -> None:
    before = site.account(account).balance_fen
    fields = {"kind": kinds.RECHARGE, "subject_kind": SUBJECT_ACCOUNT, "subject": HOLDER, "amount_fen": 500, "annex": annex}
    site.commit(lambda books: write_record(books, **fields))  # pyright: ignore[reportArgumentType]
    assert (site.account(HOLDER).balance_fen, site.account(account).balance_fen) == (20_500, before - 500)


def test_a_recharge_by_bank_is_the_banks(site: Site) -> None:
    holders.recharge(site.ledger, "20260001", 500, source=BANK)
    assert (site.account(HOLDER).balance_fen, site.account(BANK).balance_fen) == (20_500, -500)
    site.prove()


def test_a_cut_nobody_can_read_is_an_item_and_closes_no_day(site: Site) -> None:
    site.commit(lambda books: write_record(books, kind=kinds.CUT, annex=b"\xc1"))
    assert site.items() == [ItemKind.NOT_EFFECTIVE]
    assert [day.cut for day in site.rows(Day)] == [0]
