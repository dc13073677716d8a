"""What is taken back of a sale, from whom it came; what stands for a lost record, and how that is undone."""

from hypothesis import given
from hypothesis import strategies as st

from host.ledger.epochs import needs_stand_in, net, stand_in, undo
from host.ledger.funds import Share
from host.ledger.kinds import AccountKind, HoldKind, HoldState, ItemKind
from host.ledger.refunds import Leg, Met, Sold, covered_by, give_back, meet, paid_by
from host.ledger.rows import LOSS, SUSPENSE, Account, Hold, Refund

SHOP, WALLET, MAIN, MIRROR = 7, 104, 100, 101
SOLD = Sold(1, SHOP, MAIN, (Share(WALLET, 100), Share(MAIN, 50), Share(LOSS, 30)))


def back(amount_fen: int, back_fen: int = 0) -> list[tuple[int, int]]:
    legs = give_back(Sold(1, SHOP, MAIN, SOLD.paid, back_fen), amount_fen)
    assert all(leg.debit == SHOP for leg in legs)
    return [(leg.credit, leg.amount_fen) for leg in legs]


def test_the_school_first_then_who_paid_last() -> None:
    assert back(0) == []
    assert back(30) == [(LOSS, 30)]
    assert back(31) == [(LOSS, 30), (MAIN, 1)]
    assert back(180) == [(LOSS, 30), (MAIN, 50), (WALLET, 100)]


def test_the_next_refund_goes_on_where_the_last_one_ended() -> None:
    assert back(30, 20) == [(LOSS, 10), (MAIN, 20)]
    assert back(60, 80) == [(WALLET, 60)]
    assert back(1, 179) == [(WALLET, 1)]


def test_what_is_left_is_what_was_paid_less_what_went_back() -> None:
    assert SOLD.left_fen == 180
    assert Sold(1, SHOP, MAIN, SOLD.paid, 80).left_fen == 100


def test_only_what_the_merchant_got_was_paid() -> None:
    legs = [Leg(MAIN, SHOP, 5), Leg(MIRROR, MAIN, 6), Leg(SHOP, MAIN, 7), Leg(WALLET, SHOP, 8)]
    assert paid_by(legs, SHOP) == (Share(MAIN, 5), Share(WALLET, 8))


def test_who_was_charged_afterwards_stands_in_the_schools_place_as_far_as_it_goes() -> None:
    assert covered_by(SOLD.paid, []) == SOLD.paid
    assert covered_by(SOLD.paid, [Share(MAIN, 20)]) == (Share(WALLET, 100), Share(MAIN, 70), Share(LOSS, 10))
    assert covered_by(SOLD.paid, [Share(9, 20), Share(MAIN, 20)]) == (Share(WALLET, 100), Share(MAIN, 60), Share(9, 20))
    assert covered_by(SOLD.paid[:2], [Share(9, 20)]) == SOLD.paid[:2]


def test_nothing_is_left_of_a_sale_of_which_more_went_back() -> None:
    assert Sold(1, SHOP, MAIN, SOLD.paid, 181).left_fen == 0


@given(st.lists(st.integers(1, 100), min_size=1, max_size=6))
def test_refunds_one_by_one_give_each_back_what_it_paid(amounts: list[int]) -> None:
    sums: dict[int, int] = {}
    back_fen = 0
    for amount_fen in amounts:
        amount_fen = min(amount_fen, 180 - back_fen)
        for number, share_fen in back(amount_fen, back_fen):
            sums[number] = sums.get(number, 0) + share_fen
        back_fen += amount_fen
    for number, paid_fen in SOLD.paid:
        assert sums.get(number, 0) <= paid_fen
    assert sum(sums.values()) == back_fen


def waiting(*amounts: int) -> list[Refund]:
    return [Refund(index, 1, amount_fen, 1) for index, amount_fen in enumerate(amounts)]


def test_refunds_that_waited_take_effect_joined() -> None:
    found = meet(SOLD, waiting(20, 20), SUSPENSE)
    assert found == Met((Leg(SHOP, LOSS, 30), Leg(SHOP, MAIN, 10)), (Refund(0, 1, 20), Refund(1, 1, 20)), ())


def test_one_above_what_is_left_is_in_suspense_the_whole_and_the_next_is_looked_at_by_itself() -> None:
    rows = waiting(100, 81, 80, 1)
    found = meet(SOLD, rows, SUSPENSE)
    assert found.legs == (Leg(SHOP, LOSS, 30), Leg(SHOP, MAIN, 50), Leg(SHOP, WALLET, 100), Leg(SHOP, SUSPENSE, 82))
    assert found.refunds == (Refund(0, 1, 100), Refund(1, 1, 0), Refund(2, 1, 80), Refund(3, 1, 0))
    assert found.excess == (rows[1], rows[3])


def test_of_what_was_no_sale_everything_is_in_suspense() -> None:
    found = meet(Sold(1, SHOP, 0, ()), waiting(5, 6), SUSPENSE)
    assert (found.legs, len(found.excess)) == ((Leg(SHOP, SUSPENSE, 11),), 2)


# A lost epoch.


def hold(kind: HoldKind, state: HoldState = HoldState.TAKEN, *, fen: int = 500, used_fen: int = 0, account: int = MAIN) -> Hold:
    return Hold(16, account, kind, state, fen, used_fen=used_fen)


def test_what_is_only_asked_for_is_released_but_a_load() -> None:
    assert needs_stand_in(hold(HoldKind.LOAD, HoldState.ASKED))
    assert needs_stand_in(hold(HoldKind.SHOWER))
    assert needs_stand_in(hold(HoldKind.PURSE))
    assert not needs_stand_in(hold(HoldKind.SHOWER, HoldState.ASKED))
    assert not needs_stand_in(hold(HoldKind.SALE, HoldState.ASKED))


def stands(one: Hold, *, mirror: int = MIRROR, available_fen: int = 200) -> tuple[Leg, ...]:
    payers = (Account(MAIN, AccountKind.HOLDER, "", available_fen + 500, 500),)
    return stand_in(one, merchant=SHOP, mirror=mirror, main=MAIN, payers=payers, shares=(Share(MAIN, 500),))


def test_a_load_counts_as_loaded_if_there_is_a_card() -> None:
    assert stands(hold(HoldKind.LOAD)) == (Leg(MAIN, MIRROR, 500),)
    assert stands(hold(HoldKind.LOAD), mirror=0) == ()


def test_a_shower_settles_at_what_was_used_and_what_nothing_covers_is_the_schools() -> None:
    assert stands(hold(HoldKind.SHOWER, used_fen=130)) == (Leg(MAIN, SHOP, 130),)
    assert stands(hold(HoldKind.SHOWER, used_fen=0)) == ()
    assert stands(hold(HoldKind.SHOWER, used_fen=750)) == (Leg(MAIN, SHOP, 700), Leg(LOSS, SHOP, 50))


def test_a_purse_shower_settles_and_the_rest_goes_to_the_account() -> None:
    one = hold(HoldKind.PURSE, account=MIRROR, used_fen=130)
    assert stands(one) == (Leg(MIRROR, SHOP, 130), Leg(MIRROR, MAIN, 370))
    assert stands(hold(HoldKind.PURSE, account=MIRROR)) == (Leg(MIRROR, MAIN, 500),)
    assert stands(hold(HoldKind.PURSE, account=MIRROR, used_fen=600)) == (Leg(MIRROR, SHOP, 500),)


def test_what_stood_is_taken_back_and_what_was_spent_is_the_schools_loss() -> None:
    accounts = {
        MAIN: Account(MAIN, AccountKind.HOLDER, "", 100),
        MIRROR: Account(MIRROR, AccountKind.MIRROR, "", 120),
        WALLET: Account(WALLET, AccountKind.WALLET, "", 50, 10),
        SHOP: Account(SHOP, AccountKind.MERCHANT, "", 0),
    }
    found = undo([Leg(MAIN, MIRROR, 200), Leg(MIRROR, WALLET, 60), Leg(MAIN, SHOP, 5)], accounts)
    assert found.legs == [
        Leg(MIRROR, MAIN, 120),
        Leg(LOSS, MAIN, 80),
        Leg(WALLET, MIRROR, 40),
        Leg(LOSS, MIRROR, 20),
        Leg(SHOP, MAIN, 5),
    ]
    assert [(finding.kind, finding.amount_fen) for finding in found.findings] == [(ItemKind.UNCOVERED, 80), (ItemKind.UNCOVERED, 20)]


def test_movements_between_the_same_two_become_one() -> None:
    assert net([Leg(1, 2, 5), Leg(2, 1, 5)]) == []
    assert net([Leg(1, 2, 5), Leg(2, 1, 7), Leg(3, 1, 2)]) == [Leg(2, 1, 2), Leg(3, 1, 2)]
    assert net([Leg(1, 2, 5), Leg(1, 2, 7), Leg(2, 1, 2)]) == [Leg(1, 2, 10)]


legs = st.lists(st.builds(Leg, st.integers(1, 4), st.integers(1, 4), st.integers(1, 50)).filter(lambda leg: leg[0] != leg[1]), max_size=12)


@given(legs)
def test_joining_changes_no_balance(wanted: list[Leg]) -> None:
    def sums(found: list[Leg]) -> dict[int, int]:
        balances = dict.fromkeys(range(1, 5), 0)
        for debit, credit, amount_fen in found:
            balances[debit] -= amount_fen
            balances[credit] += amount_fen
        return balances

    found = net(wanted)
    assert sums(found) == sums(wanted)
    assert len({frozenset(leg[:2]) for leg in found}) == len(found) <= len(wanted)
    assert all(leg.amount_fen > 0 for leg in found)
