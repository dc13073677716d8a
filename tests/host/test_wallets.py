"""Wallets: who takes them, which is spent first, what a hold and a refund do with them, and what becomes of them in the end."""

import pytest

from host import holders, intake, reservations, wallets
from host.errors import AlreadyThere, InsufficientFunds, InvalidValue, NotFound
from host.ledger.adjustment import Adjustment, Purpose, encode_annex
from host.ledger.books import Books
from host.ledger.process import write_record
from host.ledger.refunds import Leg
from host.ledger.rows import Account, Holder, HoldPart, Movement
from host.wallets import account_in, need_wallet
from protocol import codes
from protocol import record as kinds
from protocol.messages import ASK_EXTEND, ASK_SHOWER, SUBJECT_ACCOUNT
from protocol.record import unpack_key
from tests.host.site import NOW_S, SHOWER, TILL, Site

HOLDER, POOR, MIRROR = 100, 101, 102
BATH, CANTEEN = 104, 105
DAY_S = 86_400


def give(site: Site, wallet: str, amount_fen: int, holder: int = POOR) -> int:
    """Put money into a holder's wallet; returns its account."""

    def job(books: Books) -> int:
        kind = need_wallet(books, wallet)
        account = account_in(books, books.need(Holder, holder), kind)
        adjustment = Adjustment(Purpose.SUBSIDY, wallet, (Leg(kind.giver, account.number, amount_fen),))
        write_record(
            books, kind=kinds.ADJUST, subject_kind=SUBJECT_ACCOUNT, subject=holder, amount_fen=amount_fen, annex=encode_annex(adjustment)
        )
        return account.number

    return site.commit(job)


def add(site: Site, name: str = "餐补", **fields: object) -> None:
    wallets.add(site.ledger, name, giver="学生处", **fields)  # pyright: ignore[reportArgumentType]


@pytest.fixture
def meal(site: Site) -> int:
    """The account of a wallet of 5.00 for the canteen; its holder has 3.20 beside it."""
    add(site, merchants=["第一食堂"])
    return give(site, "餐补", 500)


def balances(site: Site, *numbers: int) -> tuple[int, ...]:
    return tuple(site.account(number).balance_fen for number in numbers)


def test_a_wallet_is_spent_before_the_main_account(site: Site, meal: int) -> None:
    till = site.journal(TILL)
    site.take(till, till.write(kinds.SALE, subject=2, amount_fen=600))
    assert balances(site, meal, POOR, CANTEEN) == (0, 220, 600)
    assert {row.owner for row in site.rows(Movement) if row.credit == CANTEEN} == {POOR}
    site.prove()


def test_a_merchant_outside_its_scope_gets_nothing_of_it(site: Site, meal: int) -> None:
    shower = site.journal(SHOWER)
    answer = site.ask(shower, kind=ASK_SHOWER, subject=2, amount_fen=400)
    assert (answer.code, answer.lacking_fen, answer.account_fen) == (codes.BALANCE_LOW, 80, 320)


def test_what_is_available_for_a_merchant_is_the_sum_of_what_may_pay_it(site: Site, meal: int) -> None:
    till = site.journal(TILL)
    assert site.ask(till, subject=2, amount_fen=821).lacking_fen == 1
    answer = site.ask(till, subject=2, amount_fen=820)
    assert (answer.code, answer.held_fen, answer.account_fen) == (0, 820, 0)
    assert [(part.account, part.amount_fen) for part in site.rows(HoldPart)] == [(meal, 500)]
    assert (site.account(meal).held_fen, site.account(POOR).held_fen) == (500, 320)
    site.prove()


def test_the_lowest_order_is_spent_first_and_of_equals_what_expires_first(site: Site) -> None:
    add(site, "慢", spending_order=20)
    add(site, "快", spending_order=5)
    add(site, "早", spending_order=20, expires_s=NOW_S + DAY_S)
    accounts = [give(site, name, 100) for name in ("慢", "快", "早")]
    till = site.journal(TILL)
    site.take(till, till.write(kinds.SALE, subject=2, amount_fen=150))
    assert balances(site, *accounts, POOR) == (100, 0, 50, 320)


def test_a_sale_below_its_hold_captures_from_the_wallet_and_frees_the_rest(site: Site, meal: int) -> None:
    till = site.journal(TILL)
    site.ask(till, subject=2, amount_fen=820)
    site.take(till, till.write(kinds.SALE, subject=2, amount_fen=550))
    assert balances(site, meal, POOR) == (0, 270)
    assert (site.account(meal).held_fen, site.account(POOR).held_fen, site.rows(HoldPart)) == (0, 0, [])
    site.prove()


def test_a_hold_that_ends_uncaptured_frees_every_part(site: Site, meal: int) -> None:
    till = site.journal(TILL)
    site.ask(till, subject=2, amount_fen=820)
    site.take(till, till.write(kinds.NOTHING))
    assert (site.account(meal).held_fen, site.account(POOR).held_fen, site.rows(HoldPart)) == (0, 0, [])
    site.prove()


def test_a_sale_captures_the_wallet_it_held_though_it_has_expired_since(site: Site) -> None:
    add(site, expires_s=NOW_S + 60)
    wallet = give(site, "餐补", 500)
    till = site.journal(TILL)
    site.ask(till, subject=2, amount_fen=400)
    assert wallets.expire(site.ledger, NOW_S + 61) == (1, 100)
    intake.take(site.ledger, TILL, till.write(kinds.SALE, subject=2, amount_fen=400), NOW_S + 61)
    assert balances(site, wallet, POOR) == (0, 320)
    site.prove()


def test_a_refund_fills_the_main_account_first_and_the_wallet_last(site: Site, meal: int) -> None:
    till = site.journal(TILL)
    site.take(till, till.write(kinds.SALE, subject=2, amount_fen=600))
    site.take(till, till.write(kinds.REFUND, subject=2, reference=till.name(1), amount_fen=150))
    assert balances(site, meal, POOR) == (50, 320)
    site.take(till, till.write(kinds.REFUND, subject=2, reference=till.name(1), amount_fen=450))
    assert balances(site, meal, POOR, CANTEEN) == (500, 320, 0)
    site.prove()


def test_a_shower_is_opened_extended_and_settled_from_a_wallet(site: Site) -> None:
    add(site, "浴补", merchants=["北区浴室"])
    wallet = give(site, "浴补", 500)
    shower = site.journal(SHOWER)
    site.ask(shower, kind=ASK_SHOWER, subject=2, amount_fen=300)
    site.take(shower, shower.write(kinds.OPENED, subject=2, amount_fen=300))
    answer = site.ask(shower, kind=ASK_EXTEND, sequence=1, subject=2, amount_fen=600, used_fen=250)
    assert (answer.code, answer.held_fen) == (0, 600)
    assert (site.account(wallet).held_fen, site.account(POOR).held_fen) == (500, 100)
    site.prove()
    site.take(shower, shower.write(kinds.SETTLED, subject=2, reference=shower.name(1), amount_fen=550))
    assert balances(site, wallet, POOR, BATH) == (0, 270, 550)
    assert site.holds() == []
    site.prove()


def test_a_booking_is_held_in_the_wallet_and_its_opened_takes_that_over(site: Site) -> None:
    add(site, "浴补", merchants=["北区浴室"])
    wallet = give(site, "浴补", 500)
    reservations.book(site.ledger, "20260002", SHOWER, NOW_S, NOW_S + 1_800, 600)
    assert (site.account(wallet).held_fen, site.account(POOR).held_fen) == (500, 100)
    booked = site.holds()[0].key
    shower = site.journal(SHOWER)
    site.take(
        shower,
        shower.write(kinds.OPENED, subject=POOR, subject_kind=SUBJECT_ACCOUNT, reference=unpack_key(booked)[0], amount_fen=600),
    )
    assert (site.account(wallet).held_fen, site.account(POOR).held_fen) == (500, 100)
    assert [part.amount_fen for part in site.rows(HoldPart)] == [500]
    site.prove()


def test_a_booking_above_what_may_pay_the_bath_house_is_refused(site: Site, meal: int) -> None:
    with pytest.raises(InsufficientFunds):
        reservations.book(site.ledger, "20260002", SHOWER, NOW_S, NOW_S + 1_800, 400)


def test_a_wallet_never_fills_a_purse(site: Site) -> None:
    add(site)
    wallet = give(site, "餐补", 500)
    till = site.journal(TILL)
    site.take(till, till.write(kinds.LOAD, subject=2, amount_fen=300, counter=1))
    assert balances(site, wallet, POOR) == (500, 20)


def test_an_expired_wallet_pays_no_more_and_goes_back_to_its_giver(site: Site) -> None:
    add(site, expires_s=NOW_S + 60)
    wallet = give(site, "餐补", 500)
    giver = site.commit(lambda books: need_wallet(books, "餐补").giver)
    assert balances(site, giver) == (-500,)
    assert wallets.expire(site.ledger, NOW_S + 59) == (0, 0)
    assert wallets.expire(site.ledger, NOW_S + 60) == (1, 500)
    assert wallets.expire(site.ledger, NOW_S + 60) == (0, 0)
    assert balances(site, wallet, giver) == (0, 0)
    site.prove()


def test_what_is_held_of_an_expired_wallet_waits_for_its_record(site: Site) -> None:
    add(site, expires_s=NOW_S + 60)
    wallet = give(site, "餐补", 500)
    till = site.journal(TILL)
    site.ask(till, subject=2, amount_fen=200)
    assert wallets.expire(site.ledger, NOW_S + 60) == (1, 300)
    site.take(till, till.write(kinds.NOTHING))
    assert wallets.expire(site.ledger, NOW_S + 60) == (1, 200)
    assert balances(site, wallet) == (0,)


def test_more_wallets_than_a_record_has_legs_for_leave_the_last_out(site: Site) -> None:
    for index in range(8):
        add(site, f"包{index}", spending_order=index)
        give(site, f"包{index}", 10)
    till = site.journal(TILL)
    site.take(till, till.write(kinds.SALE, subject=2, amount_fen=100))
    assert balances(site, POOR, CANTEEN) == (270, 100)
    site.prove()


def test_a_wallet_is_entered_once_with_a_giver_and_known_merchants(site: Site) -> None:
    add(site, merchants=["第一食堂", "北区浴室"])
    with pytest.raises(AlreadyThere):
        add(site)
    with pytest.raises(NotFound):
        add(site, "乙", merchants=["没有的食堂"])
    (found,) = wallets.every(site.ledger)
    assert (found.giver, found.merchants, found.holder_count, found.balance_fen) == ("学生处", ("北区浴室", "第一食堂"), 0, 0)


@pytest.mark.parametrize(
    "wrong",
    [{"name": ""}, {"name": "长" * 21}, {"spending_order": 100}, {"spending_order": -1}, {"merchants": ["x"] * 201}, {"expires_s": 1}],
)
def test_a_wallet_with_wrong_words_is_refused(site: Site, wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidValue):
        wallets.add(site.ledger, **{"name": "餐补", "giver": "学生处", **wrong})  # pyright: ignore[reportArgumentType]


def test_two_wallets_of_one_giver_share_its_account(site: Site) -> None:
    add(site, "甲")
    add(site, "乙")
    assert len([row for row in site.rows(Account) if row.label == "学生处"]) == 1


def test_the_balance_shows_each_wallet(site: Site, meal: int) -> None:
    assert holders.balance(site.ledger, "20260002").wallets == (("餐补", 500),)
