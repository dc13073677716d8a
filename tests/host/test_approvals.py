"""Asks: granted, refused with the right code, repeated with the same answer."""

from dataclasses import replace

import pytest

from host import cards, reservations
from host.ledger.clock import wire_day
from host.ledger.kinds import ItemKind
from host.ledger.rows import Card, Holder, Writing
from protocol import codes
from protocol import record as kinds
from protocol.card import BLOCK_COPY_A, BLOCK_COPY_B, Copy, encode_copy
from protocol.messages import ASK_EXTEND, ASK_LOAD, ASK_LOOKUP, ASK_SALE, ASK_SHOWER, SUBJECT_ACCOUNT, SUBJECT_NONE
from protocol.record import unpack_key
from tests.host.site import KEYS, NOW_S, SHOWER, SHOWER_2, TILL, Journal, Site

HOLDER = 100


def test_a_sale_that_is_granted_is_held_under_its_name(site: Site) -> None:
    till = site.journal(TILL)
    answer = site.ask(till, amount_fen=1_250)
    assert (answer.code, answer.held_fen, answer.account_fen) == (0, 1_250, 18_750)
    assert answer.text.decode("gb2312") == "张＊雨"
    assert site.account(HOLDER).held_fen == 1_250
    assert [hold.amount_fen for hold in site.holds()] == [1_250]


def test_the_same_ask_gets_the_same_answer_and_holds_once(site: Site) -> None:
    till = site.journal(TILL)
    assert site.ask(till, amount_fen=1_250) == site.ask(till, amount_fen=1_250)
    site.reopen()
    assert site.ask(till, amount_fen=1_250).held_fen == 1_250
    assert site.account(HOLDER).held_fen == 1_250


@pytest.mark.parametrize("change", [{"amount_fen": 1_300}, {"subject": 2}, {"code": b"123456"}])
def test_a_name_asked_for_with_other_content_is_refused_with_an_item(site: Site, change: dict[str, object]) -> None:
    till = site.journal(TILL)
    site.ask(till, amount_fen=1_250)
    answer = site.ask(till, **({"amount_fen": 1_250} | change))  # type: ignore[arg-type]
    assert answer.code == codes.REFUSED
    assert site.items() == [ItemKind.ASK_DIFFERS]
    assert site.account(HOLDER).held_fen == 1_250


def test_what_is_lacking_is_said_and_nothing_is_held(site: Site) -> None:
    till = site.journal(TILL)
    answer = site.ask(till, amount_fen=1_250, subject=2)
    assert (answer.code, answer.lacking_fen, answer.account_fen) == (codes.BALANCE_LOW, 930, 320)
    assert site.holds() == []


REFUSALS = {
    "amount 0": ({"amount_fen": 0}, codes.AMOUNT_ZERO),
    "above the limit": ({"amount_fen": 5_001}, codes.AMOUNT_TOO_LARGE),
    "unknown card": ({"amount_fen": 100, "subject": 99}, codes.CARD_UNKNOWN),
    "no subject": ({"amount_fen": 100, "subject": 0, "subject_kind": SUBJECT_NONE}, codes.CARD_UNKNOWN),
    "an account without a card": ({"amount_fen": 100, "subject": HOLDER, "subject_kind": SUBJECT_ACCOUNT}, codes.CARD_UNKNOWN),
    "a till that asks for a shower": ({"amount_fen": 100, "kind": ASK_SHOWER}, codes.REFUSED),
    "a load": ({"amount_fen": 100, "kind": ASK_LOAD}, codes.REFUSED),
    "an extension of nothing": ({"amount_fen": 100, "kind": ASK_EXTEND}, codes.CLOSED),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_till_is_refused(site: Site, case: str) -> None:
    fields, code = REFUSALS[case]
    answer = site.ask(site.journal(TILL), **fields)  # type: ignore[arg-type]
    assert (answer.code, answer.held_fen) == (code, 0)
    assert site.holds() == []


def test_a_denied_card_is_refused(site: Site) -> None:
    cards.deny(site.ledger, 1, "lost")
    assert site.ask(site.journal(TILL), amount_fen=100).code == codes.CARD_DENIED


def test_an_expired_card_is_refused(site: Site) -> None:
    card = cards.add(site.ledger, "20260001", bytes.fromhex("04a1b2c3"), expiry_day=2_000)
    assert site.ask(site.journal(TILL), amount_fen=100, subject=card.number).code == codes.CARD_EXPIRED


def test_a_closed_holder_is_refused(site: Site) -> None:
    site.commit(lambda books: books.change(replace(books.need(Holder, HOLDER), is_closed=1)))
    assert site.ask(site.journal(TILL), amount_fen=100).code == codes.REFUSED


def test_a_name_that_is_closed_is_refused(site: Site) -> None:
    till = site.journal(TILL)
    site.take(till, till.write(kinds.NOTHING))
    assert site.ask(till, amount_fen=100, sequence=1).code == codes.CLOSED


def test_an_ask_of_another_epoch_is_refused(site: Site) -> None:
    till = site.journal(TILL)
    till.epoch = 7
    assert site.ask(till, amount_fen=100).code == codes.CLOSED


def test_a_terminal_without_an_epoch_is_refused(site: Site) -> None:
    assert site.ask(Journal(TILL), amount_fen=100).code == codes.CLOSED


def test_a_second_shower_of_a_holder_names_the_place_of_the_first(site: Site) -> None:
    first, second = site.journal(SHOWER), site.journal(SHOWER_2)
    site.ask(first, kind=ASK_SHOWER, amount_fen=300)
    answer = site.ask(second, kind=ASK_SHOWER, amount_fen=300)
    assert (answer.code, answer.text.decode("gb2312")) == (codes.BUSY, "北区浴室 12 号")
    site.take(first, first.write(kinds.NOTHING))
    assert site.ask(second, kind=ASK_SHOWER, amount_fen=300).code == 0


def test_the_next_shower_at_the_same_stall_waits_for_no_record(site: Site) -> None:
    """The stall asks under a new name only once it has closed the old one; that record may come later."""
    shower = site.journal(SHOWER)
    site.ask(shower, kind=ASK_SHOWER, amount_fen=300)
    shower.write(kinds.NOTHING)
    assert site.ask(shower, kind=ASK_SHOWER, amount_fen=300).code == 0


@pytest.mark.parametrize("is_taken_up", [False, True])
def test_an_extension_names_a_total(site: Site, is_taken_up: bool) -> None:
    shower = site.journal(SHOWER)
    site.ask(shower, kind=ASK_SHOWER, amount_fen=300)
    if is_taken_up:
        site.take(shower, shower.write(kinds.OPENED, subject=1, amount_fen=300))
    for _ in range(2):
        answer = site.ask(shower, kind=ASK_EXTEND, amount_fen=600, used_fen=250, sequence=1)
        assert (answer.code, answer.held_fen) == (0, 600)
    assert site.ask(shower, kind=ASK_EXTEND, amount_fen=300, used_fen=250, sequence=1).held_fen == 600
    assert (site.holds()[0].amount_fen, site.holds()[0].used_fen) == (600, 250)


def test_an_extension_beyond_the_balance_keeps_what_is_held(site: Site) -> None:
    shower = site.journal(SHOWER)
    site.ask(shower, kind=ASK_SHOWER, amount_fen=300, subject=2)
    answer = site.ask(shower, kind=ASK_EXTEND, amount_fen=600, used_fen=260, subject=2, sequence=1)
    assert (answer.code, answer.held_fen, answer.lacking_fen) == (codes.BALANCE_LOW, 300, 280)
    assert site.holds()[0].used_fen == 260


def test_an_extension_beyond_the_most_of_a_session_keeps_what_is_held(site: Site) -> None:
    shower = site.journal(SHOWER)
    site.ask(shower, kind=ASK_SHOWER, amount_fen=300)
    answer = site.ask(shower, kind=ASK_EXTEND, amount_fen=2_100, sequence=1)
    assert (answer.code, answer.held_fen) == (codes.AMOUNT_TOO_LARGE, 300)


def test_a_card_denied_during_a_shower_gets_no_more(site: Site) -> None:
    shower = site.journal(SHOWER)
    site.ask(shower, kind=ASK_SHOWER, amount_fen=300)
    cards.deny(site.ledger, 1, "lost")
    answer = site.ask(shower, kind=ASK_EXTEND, amount_fen=600, sequence=1)
    assert (answer.code, answer.held_fen) == (codes.CARD_DENIED, 300)


def test_an_extension_by_somebody_else_is_refused_with_an_item(site: Site) -> None:
    shower = site.journal(SHOWER)
    site.ask(shower, kind=ASK_SHOWER, amount_fen=300)
    assert site.ask(shower, kind=ASK_EXTEND, amount_fen=600, subject=2, sequence=1).code == codes.REFUSED
    assert site.items() == [ItemKind.ASK_DIFFERS]


def test_a_code_is_looked_up_at_its_stall_and_elsewhere(site: Site) -> None:
    code = reservations.book(site.ledger, "20260001", SHOWER, NOW_S, NOW_S + 1_800, 300)
    here, elsewhere = site.journal(SHOWER), site.journal(SHOWER_2)
    found = site.ask(here, kind=ASK_LOOKUP, amount_fen=0, subject=0, sequence=0, code=code.encode())
    assert (found.code, found.held_fen) == (0, 300)
    other = site.ask(elsewhere, kind=ASK_LOOKUP, amount_fen=0, subject=0, code=code.encode())
    assert (other.code, other.text.decode("gb2312")) == (codes.CODE_ELSEWHERE, "北区浴室 12 号")
    wrong = f"{(int(code) + 1) % 1_000_000:06d}".encode()
    assert site.ask(here, kind=ASK_LOOKUP, amount_fen=0, subject=0, code=wrong).code == codes.CODE_WRONG
    assert len(site.holds()) == 1


def test_a_card_ends_a_shower_that_its_holders_code_began(site: Site) -> None:
    code = reservations.book(site.ledger, "20260001", SHOWER, NOW_S, NOW_S + 1_800, 300).encode()
    shower = site.journal(SHOWER)
    name = unpack_key(site.holds()[0].key)[0]
    site.take(shower, shower.write(kinds.OPENED, subject=HOLDER, subject_kind=SUBJECT_ACCOUNT, reference=name, amount_fen=300))
    own, other, unknown = (site.ask(shower, kind=ASK_LOOKUP, amount_fen=0, subject=card, code=code).code for card in (1, 2, 99))
    assert (own, other, unknown) == (0, codes.REFUSED, codes.REFUSED)
    assert site.ask(shower, kind=ASK_LOOKUP, amount_fen=0, subject=0, code=code).code == codes.CODE_WRONG, "it is used"


def test_copies_of_an_ask_are_kept_as_evidence_if_their_mac_is_right(site: Site) -> None:
    card = site.rows(Card)[0]
    cmac = KEYS.card_cmac(card.uid, 1)
    newer = encode_copy(Copy(8, 700, 300, TILL, 5, kinds.SALE, 1), BLOCK_COPY_A, cmac)
    older = encode_copy(Copy(7, 1_000, 50, TILL, 4, kinds.SALE, 1), BLOCK_COPY_B, cmac)
    site.ask(site.journal(TILL), amount_fen=100, copies=newer + older)
    assert [(row.counter, row.sequence_low, row.amount_fen) for row in site.rows(Writing)] == [(7, 4, 50), (8, 5, 300)]
    site.ask(site.journal(SHOWER), kind=ASK_SALE, amount_fen=100, copies=older + newer)
    assert len(site.rows(Writing)) == 2, "in the wrong block a copy's MAC is wrong"


def test_a_card_is_good_on_its_last_day_and_not_on_the_next(site: Site) -> None:
    till, today = site.journal(TILL), wire_day(NOW_S)
    for number, expiry_day, code in ((3, today, 0), (4, today - 1, codes.CARD_EXPIRED)):
        cards.add(site.ledger, "20260001", b"\x04\x00\x00" + bytes([number]), expiry_day=expiry_day)
        assert site.ask(till, amount_fen=100, subject=number).code == code
        site.take(till, till.write(kinds.NOTHING))


def test_a_holder_who_left_during_a_shower_gets_no_more(site: Site) -> None:
    shower = site.journal(SHOWER)
    site.ask(shower, kind=ASK_SHOWER, amount_fen=300)
    site.commit(lambda books: books.change(replace(books.need(Holder, HOLDER), is_closed=1)))
    answer = site.ask(shower, kind=ASK_EXTEND, amount_fen=600, used_fen=80, sequence=1)
    assert (answer.code, answer.held_fen) == (codes.REFUSED, 300)
    assert site.holds()[0].used_fen == 80


def test_the_code_of_a_cancelled_booking_is_wrong_everywhere(site: Site) -> None:
    code = reservations.book(site.ledger, "20260001", SHOWER, NOW_S, NOW_S + 1_800, 300)
    reservations.cancel(site.ledger, "20260001", code)
    for stall in (SHOWER, SHOWER_2):
        asked = site.ask(site.journal(stall), kind=ASK_LOOKUP, amount_fen=0, subject=0, code=code.encode())
        assert (asked.code, asked.held_fen, asked.text) == (codes.CODE_WRONG, 0, b"")


def test_no_code_is_nobodys(site: Site) -> None:
    assert site.ask(site.journal(SHOWER), kind=ASK_LOOKUP, amount_fen=0, subject=0, code=b"").code == codes.CODE_WRONG
