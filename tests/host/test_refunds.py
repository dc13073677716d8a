"""Voids and refunds by a terminal's record: back to whom the money came from, at most what is left, whatever comes first."""

from host import terminals
from host.ledger.kinds import ItemKind, TerminalKind
from host.ledger.rows import LOSS, SUSPENSE, Fact, Item, Refund
from protocol import record as kinds
from protocol.record import Name
from tests.host.site import SHOWER, TILL, Journal, Site, make_record

HOLDER, POOR, MIRROR = 100, 101, 102
CANTEEN = 105


def balances(site: Site, *numbers: int) -> tuple[int, ...]:
    return tuple(site.account(number).balance_fen for number in numbers)


def sold(site: Site, amount_fen: int = 700, subject: int = 1) -> Journal:
    """A till that has sold once."""
    till = site.journal(TILL)
    site.take(till, till.write(kinds.SALE, subject=subject, amount_fen=amount_fen))
    return till


def take_back(site: Site, till: Journal, amount_fen: int, kind: int = kinds.VOID, subject: int = 1) -> None:
    site.take(till, till.write(kind, subject=subject, reference=till.name(1), amount_fen=amount_fen))


def test_a_void_gives_the_whole_sale_back_to_the_account(site: Site) -> None:
    till = sold(site)
    take_back(site, till, 700)
    assert balances(site, HOLDER, CANTEEN, SUSPENSE) == (20_000, 0, 0)
    assert site.items() == []
    site.prove()


def test_refunds_in_part_add_up_to_the_sale_and_no_further(site: Site) -> None:
    till = sold(site)
    take_back(site, till, 300, kinds.REFUND)
    take_back(site, till, 400, kinds.REFUND)
    assert balances(site, HOLDER, CANTEEN) == (20_000, 0)
    take_back(site, till, 1, kinds.REFUND)
    assert balances(site, HOLDER, CANTEEN, SUSPENSE) == (20_000, -1, 1)
    assert site.items() == [ItemKind.REFUND]
    site.prove()


def test_a_refund_above_what_is_left_is_in_suspense_the_whole(site: Site) -> None:
    till = sold(site)
    take_back(site, till, 701, kinds.REFUND)
    assert balances(site, HOLDER, SUSPENSE) == (19_300, 701)
    site.prove()


def test_what_the_school_paid_goes_back_to_it_first(site: Site) -> None:
    till = sold(site, amount_fen=500, subject=2)
    assert balances(site, POOR, LOSS) == (0, -180)
    take_back(site, till, 200, kinds.REFUND, subject=2)
    assert balances(site, POOR, LOSS) == (20, 0)
    site.prove()


def test_a_purse_sale_goes_back_to_the_account_never_to_the_card(site: Site) -> None:
    till = site.journal(TILL)
    site.take(till, till.write(kinds.LOAD, subject=1, amount_fen=2_000, counter=1))
    site.take(till, till.write(kinds.SALE, subject=1, amount_fen=700, purse=True, counter=2))
    site.take(till, till.write(kinds.VOID, subject=1, reference=till.name(2), amount_fen=700))
    assert balances(site, HOLDER, MIRROR, CANTEEN) == (18_700, 1_300, 0)
    site.prove()


def test_a_refund_without_a_card_goes_where_the_money_came_from(site: Site) -> None:
    till = sold(site)
    take_back(site, till, 700, subject=0)
    assert balances(site, HOLDER, CANTEEN) == (20_000, 0)


def test_another_holders_card_does_not_get_the_money(site: Site) -> None:
    till = sold(site)
    take_back(site, till, 700, subject=2)
    assert balances(site, HOLDER, POOR, SUSPENSE) == (19_300, 320, 700)
    assert site.items() == [ItemKind.MISMATCH]


def test_a_card_nobody_has_gets_nothing(site: Site) -> None:
    till = sold(site)
    take_back(site, till, 700, subject=99)
    assert balances(site, HOLDER, SUSPENSE) == (19_300, 700)
    assert site.items() == [ItemKind.UNKNOWN_SUBJECT]


def test_a_refund_nobody_signed_is_in_suspense_and_takes_nothing_of_the_sale(site: Site) -> None:
    till = sold(site)
    site.take(till, make_record(kinds.REFUND, name=till.name(2), key=999, subject=1, reference=till.name(1), amount_fen=700))
    assert balances(site, HOLDER, SUSPENSE) == (19_300, 700)
    assert site.rows(Refund) == []


def test_what_is_no_sale_gives_nothing_back(site: Site) -> None:
    till = site.journal(TILL)
    site.take(till, till.write(kinds.NOTHING))
    take_back(site, till, 700)
    assert balances(site, HOLDER, SUSPENSE, CANTEEN) == (20_000, 700, -700)
    assert site.items() == [ItemKind.MISMATCH]


def test_a_till_voids_no_sale_of_its_own_future(site: Site) -> None:
    till = site.journal(TILL)
    site.take(till, till.write(kinds.VOID, subject=1, reference=till.name(5), amount_fen=700))
    assert balances(site, HOLDER, SUSPENSE) == (20_000, 700)
    assert site.rows(Refund) == []


def test_a_void_is_for_ones_own_sale_and_a_refund_for_ones_own_merchants(site: Site) -> None:
    sold(site)
    shower = site.journal(SHOWER)
    site.take(shower, shower.write(kinds.REFUND, subject=1, reference=Name(TILL, 1, 1), amount_fen=100))
    site.take(shower, shower.write(kinds.VOID, subject=1, reference=Name(TILL, 1, 1), amount_fen=100))
    assert balances(site, HOLDER, SUSPENSE) == (19_300, 200)
    assert site.items() == [ItemKind.MISMATCH] * 2
    site.prove()


def with_second_till(site: Site) -> Journal:
    terminals.add(site.ledger, 103, TerminalKind.POS, "第一食堂 04 窗口", line=1)
    return site.journal(103)


def test_another_till_of_the_merchant_refunds_it(site: Site) -> None:
    sold(site)
    other = with_second_till(site)
    site.take(other, other.write(kinds.REFUND, subject=1, reference=Name(TILL, 1, 1), amount_fen=700))
    assert balances(site, HOLDER, CANTEEN) == (20_000, 0)
    site.prove()


def test_a_refund_before_its_sale_takes_effect_with_the_sale(site: Site) -> None:
    till, other = site.journal(TILL), with_second_till(site)
    sale = till.write(kinds.SALE, subject=1, amount_fen=700)
    site.take(other, other.write(kinds.REFUND, subject=1, reference=till.name(1), amount_fen=300))
    assert balances(site, HOLDER, CANTEEN) == (20_000, 0)
    assert [row.is_waiting for row in site.rows(Refund)] == [1]
    site.take(till, sale)
    assert balances(site, HOLDER, CANTEEN) == (19_600, 400)
    assert [(row.amount_fen, row.is_waiting) for row in site.rows(Refund)] == [(300, 0)]
    assert site.items() == []
    site.prove()


def test_of_two_that_waited_the_second_gets_only_what_is_left(site: Site) -> None:
    till, other = site.journal(TILL), with_second_till(site)
    sale = till.write(kinds.SALE, subject=1, amount_fen=700)
    for amount_fen in (500, 500, 200):
        site.take(other, other.write(kinds.REFUND, subject=1, reference=till.name(1), amount_fen=amount_fen))
    site.take(till, sale)
    assert balances(site, HOLDER, CANTEEN, SUSPENSE) == (20_000, -500, 500)
    assert [(row.amount_fen, row.is_waiting) for row in site.rows(Refund)] == [(500, 0), (0, 0), (200, 0)]
    (item,) = site.rows(Item)
    assert (item.kind, item.terminal, item.amount_fen) == (ItemKind.REFUND, 103, 500)
    site.prove()


def test_what_waited_for_a_sale_that_was_none_is_in_suspense(site: Site) -> None:
    till, other = site.journal(TILL), with_second_till(site)
    site.take(other, other.write(kinds.REFUND, subject=1, reference=till.name(1), amount_fen=300))
    site.take(till, till.write(kinds.NOTHING))
    assert balances(site, HOLDER, CANTEEN, SUSPENSE) == (20_000, -300, 300)
    assert site.items() == [ItemKind.REFUND]


def test_what_waited_for_bytes_nobody_can_read_is_in_suspense(site: Site) -> None:
    till, other = site.journal(TILL), with_second_till(site)
    site.take(other, other.write(kinds.REFUND, subject=1, reference=till.name(1), amount_fen=300))
    site.take(till, b"\x09" + till.write(kinds.SALE, subject=1, amount_fen=700)[1:])
    assert balances(site, HOLDER, CANTEEN, SUSPENSE) == (20_000, -300, 300)
    assert sorted(site.items()) == [ItemKind.REFUND, ItemKind.UNREADABLE]


def test_a_waiting_refund_of_a_purse_sale_goes_to_the_account(site: Site) -> None:
    till, other = site.journal(TILL), with_second_till(site)
    site.take(till, till.write(kinds.LOAD, subject=1, amount_fen=2_000, counter=1))
    site.take(other, other.write(kinds.REFUND, subject=1, reference=till.name(2), amount_fen=700))
    site.take(till, till.write(kinds.SALE, subject=1, amount_fen=700, purse=True, counter=2))
    assert balances(site, HOLDER, MIRROR, CANTEEN) == (18_700, 1_300, 0)


def test_a_refund_moves_nothing_while_it_waits(site: Site) -> None:
    till, other = site.journal(TILL), with_second_till(site)
    site.take(other, other.write(kinds.REFUND, subject=1, reference=till.name(9), amount_fen=300))
    assert len(site.rows(Fact)) >= 1
    assert balances(site, CANTEEN, SUSPENSE) == (0, 0)
    site.prove()


def test_bytes_nobody_can_read_are_no_sale_to_take_back(site: Site) -> None:
    till, other = site.journal(TILL), with_second_till(site)
    site.take(other, other.write(kinds.REFUND, subject=1, reference=till.name(1), amount_fen=300))
    site.take(till, b"\x09" + till.write(kinds.SALE, subject=1, amount_fen=700)[1:])
    site.take(other, other.write(kinds.REFUND, subject=1, reference=till.name(1), amount_fen=1))
    assert balances(site, HOLDER, SUSPENSE) == (20_000, 301)
    assert site.rows(Refund)[0].amount_fen == 0


def test_a_refund_is_no_sale_to_take_back(site: Site) -> None:
    till = sold(site)
    take_back(site, till, 300, kinds.REFUND)
    site.take(till, till.write(kinds.REFUND, subject=1, reference=till.name(2), amount_fen=300))
    assert balances(site, HOLDER, SUSPENSE) == (19_600, 300)
    assert site.items() == [ItemKind.MISMATCH]


def test_a_sale_of_nothing_is_no_sale_to_take_back(site: Site) -> None:
    till = sold(site, 0)
    take_back(site, till, 1, kinds.REFUND)
    assert site.items() == [ItemKind.MISMATCH]
