"""What is measured with: the same sales for everybody, as terminals would send them."""

from bench.bare import wide
from bench.canteens import FIRST_TILL, KEYS, TILL_COUNT
from bench.lunch import Lunch, delivered, encoded, key_of
from protocol.messages import RECORDS_MAX
from protocol.record import decode, verify


def test_equal_seeds_sell_the_same() -> None:
    assert Lunch(7).sales(1_000) == Lunch(7).sales(1_000)


def test_sequences_of_a_till_run_on() -> None:
    lunch = Lunch()
    seen: dict[int, int] = {}
    for sale in lunch.sales(1_000) + lunch.sales(16) + lunch.sales(1_000):
        assert sale.sequence == seen.get(sale.till, 0) + 1
        seen[sale.till] = sale.sequence


def test_small_batch_has_one_sale_of_each_till() -> None:
    assert len({sale.till for sale in Lunch().sales(100)}) == 100


def test_large_batch_is_spread_over_all_tills() -> None:
    assert {sale.till for sale in Lunch().sales(1_000)} == set(range(FIRST_TILL, FIRST_TILL + TILL_COUNT))


def test_messages_hold_all_sales_and_no_more_than_the_protocol_allows() -> None:
    sales = Lunch().sales(1_000)
    messages = delivered(sales)
    assert [record for message in messages for record in message.records] == [encoded(sale) for sale in sales]
    assert max(len(message.records) for message in messages) == RECORDS_MAX


def test_records_are_genuine_and_become_the_row_they_are_compared_with() -> None:
    for sale in Lunch().sales(20):
        record = decode(encoded(sale))
        assert verify(encoded(sale), KEYS.record_cmac(sale.till, 1))
        assert (record.terminal, record.sequence, record.subject, record.amount_fen) == sale
        assert wide(sale)[0] == key_of(sale)
