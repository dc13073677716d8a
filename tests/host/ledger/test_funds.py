"""Which money pays: wallets by scope, expiry and order; shares drawn, freed and given back, to the fen."""

from hypothesis import given
from hypothesis import strategies as st

from host.ledger.funds import (
    MOST_SHARES,
    HolderWallet,
    Share,
    available,
    draw,
    freed_by,
    has_expired,
    is_usable,
    of_wallets,
    payers,
    shares_of,
)
from host.ledger.kinds import AccountKind, HoldKind, HoldState
from host.ledger.rows import Account, Hold, Wallet

MAIN = Account(100, AccountKind.HOLDER, "", 1_000, 300)
NOW_S = 5_000


def wallet(number: int, *, order: int = 10, expires_s: int = 0, merchants: tuple[int, ...] = (), fen: int = 100) -> HolderWallet:
    kind = Wallet(number, str(number), 200, order, expires_s)
    return HolderWallet(Account(number, AccountKind.WALLET, "", fen), kind, frozenset(merchants))


def numbers(*wallets: HolderWallet, merchant: int = 7) -> list[int]:
    return [account.number for account in payers(MAIN, wallets, merchant=merchant, now_s=NOW_S)]


def test_a_wallet_expires_in_its_second_and_one_without_never() -> None:
    kind = wallet(1, expires_s=NOW_S).wallet
    assert [has_expired(kind, at_s) for at_s in (NOW_S - 1, NOW_S, NOW_S + 1)] == [False, True, True]
    assert not has_expired(wallet(1).wallet, NOW_S)
    assert not has_expired(wallet(1).wallet, 0)


def test_a_wallet_pays_the_merchants_of_its_scope_and_all_without_one() -> None:
    scoped = wallet(1, merchants=(7, 8))
    assert is_usable(scoped, merchant=7, now_s=NOW_S)
    assert is_usable(scoped, merchant=8, now_s=NOW_S)
    assert not is_usable(scoped, merchant=9, now_s=NOW_S)
    assert is_usable(wallet(1), merchant=9, now_s=NOW_S)
    assert not is_usable(wallet(1, merchants=(7,), expires_s=NOW_S), merchant=7, now_s=NOW_S)


def test_they_are_spent_by_order_then_by_expiry_then_by_number_the_main_account_last() -> None:
    found = numbers(
        wallet(5, order=20),
        wallet(4, order=20, expires_s=NOW_S + 9),
        wallet(3, order=20, expires_s=NOW_S + 8),
        wallet(2, order=5),
        wallet(1, order=20),
        wallet(9, order=1, merchants=(8,)),
    )
    assert found == [2, 3, 4, 1, 5, 100]


def test_available_is_the_sum_and_nobodys_debt_lowers_it() -> None:
    assert available((MAIN, Account(1, "wallet", "", 50), Account(2, "wallet", "", 10, 40))) == 750
    assert available(()) == 0


ONE, TWO = Account(1, "wallet", "", 100), Account(2, "wallet", "", 50)


def test_an_amount_is_drawn_in_order_and_what_is_lacking_is_said() -> None:
    assert draw(120, (ONE, TWO, MAIN)) == ([Share(1, 100), Share(2, 20)], 0)
    assert draw(851, (ONE, TWO, MAIN)) == ([Share(1, 100), Share(2, 50), Share(100, 700)], 1)
    assert draw(0, (ONE, MAIN)) == ([], 0)
    assert draw(5, ()) == ([], 5)
    assert draw(700, (MAIN,)) == ([Share(100, 700)], 0)
    assert draw(701, (MAIN,)) == ([Share(100, 700)], 1)


def test_an_account_below_nothing_gives_nothing() -> None:
    assert draw(10, (Account(1, "holder", "", 5, 9),)) == ([], 10)
    assert draw(10, (Account(1, "holder", "", 5, 9), MAIN)) == ([Share(100, 10)], 0)


def test_what_is_freed_can_be_drawn_and_what_is_first_is_drawn_first() -> None:
    freed = [Share(100, 300), Share(2, 25)]
    assert draw(1_175, (ONE, TWO, MAIN), freed=freed) == ([Share(1, 100), Share(2, 75), Share(100, 1_000)], 0)
    first = [Share(2, 25), Share(100, 10)]
    assert draw(80, (ONE, TWO, MAIN), freed=freed, first=first) == ([Share(2, 25), Share(100, 10), Share(1, 45)], 0)
    assert draw(20, (ONE, TWO, MAIN), freed=freed, first=first) == ([Share(2, 20)], 0)
    assert draw(140, (ONE, TWO, MAIN), freed=freed, first=first) == ([Share(2, 30), Share(100, 10), Share(1, 100)], 0)


def test_what_was_held_of_a_wallet_that_pays_no_more_is_taken_and_no_more_of_it() -> None:
    held = [Share(9, 40)]
    assert draw(60, (ONE, MAIN), freed=held, first=held) == ([Share(9, 40), Share(1, 20)], 0)


def test_what_others_freed_is_nobody_elses() -> None:
    assert draw(800, (MAIN,), freed=[Share(55, 500)]) == ([Share(100, 700)], 100)


def test_so_many_accounts_bear_a_charge_and_the_main_one_always_may() -> None:
    wallets = tuple(Account(number, "wallet", "", 10) for number in range(1, 10))
    shares, lacking_fen = draw(500, (*wallets, MAIN))
    assert [share.account for share in shares] == [1, 2, 3, 4, 5, 100]
    assert (len(shares), lacking_fen) == (MOST_SHARES, 0)
    first = [Share(100, 1)]
    shares, _ = draw(500, (*wallets, MAIN), freed=first, first=first)
    assert [share.account for share in shares] == [100, 1, 2, 3, 4, 5]


HOLD = Hold(16, 100, HoldKind.SALE, HoldState.ASKED, 500)


def test_the_main_account_bears_what_the_parts_do_not() -> None:
    assert shares_of(HOLD, {}) == [Share(100, 500)]
    split = Hold(32, 100, HoldKind.SALE, HoldState.ASKED, 500, part_count=2)
    parts = {32: [Share(1, 100), Share(2, 150)]}
    assert shares_of(split, parts) == [Share(1, 100), Share(2, 150), Share(100, 250)]
    assert freed_by([HOLD, split], parts) == [Share(100, 500), Share(1, 100), Share(2, 150), Share(100, 250)]
    assert of_wallets(shares_of(split, parts), 100) == (Share(1, 100), Share(2, 150))


amounts = st.integers(0, 400)


@given(amounts, st.lists(st.tuples(amounts, amounts), min_size=1, max_size=9), amounts)
def test_what_is_drawn_and_what_is_lacking_make_the_amount(amount_fen: int, balances: list[tuple[int, int]], freed_fen: int) -> None:
    accounts = [Account(index, "holder", "", *pair) for index, pair in enumerate(balances)]
    freed = [Share(0, freed_fen)]
    shares, lacking_fen = draw(amount_fen, accounts, freed=freed, first=freed)
    assert sum(share.amount_fen for share in shares) + lacking_fen == amount_fen
    assert len({share.account for share in shares}) == len(shares) <= MOST_SHARES
    for number, share_fen in shares:
        most_fen = accounts[number].available_fen + (freed_fen if number == 0 else 0)
        assert 0 < share_fen <= most_fen
