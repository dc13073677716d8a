"""People: who may be opened, what is paid in."""

import pytest

from host import holders
from host.errors import AlreadyThere, InvalidValue, NotFound
from host.ledger.rows import CASH
from tests.host.site import Site


@pytest.mark.parametrize("number", ["20260001", "000000000123", "AbCdEf", "1" * 20])
def test_a_number_of_6_to_20_letters_and_digits_is_taken_as_it_is(site: Site, number: str) -> None:
    if number != "20260001":
        holders.add(site.ledger, number, "王敏")
    assert holders.balance(site.ledger, number).holder.number == number


@pytest.mark.parametrize("number", ["", "12345", "1" * 21, "2026 001", "２０２６０００１", "2026-001", "'; DROP"])
def test_other_numbers_are_refused(site: Site, number: str) -> None:
    with pytest.raises(InvalidValue):
        holders.add(site.ledger, number, "王敏")


@pytest.mark.parametrize("name", ["", "   ", "a" * 41, "a\nb", "a\0b"])
def test_a_name_is_printable_and_short(site: Site, name: str) -> None:
    with pytest.raises(InvalidValue):
        holders.add(site.ledger, "20269999", name)


def test_a_number_is_given_once(site: Site) -> None:
    with pytest.raises(AlreadyThere):
        holders.add(site.ledger, "20260001", "王敏")


def test_a_recharge_moves_cash_to_the_account(site: Site) -> None:
    before = site.account(CASH).balance_fen
    assert holders.recharge(site.ledger, "20260002", 5_000).available_fen == 5_320
    assert site.account(CASH).balance_fen == before - 5_000
    site.prove()


@pytest.mark.parametrize("amount_fen", [0, -1, holders.MOST_RECHARGED_FEN + 1])
def test_a_recharge_out_of_range_is_refused(site: Site, amount_fen: int) -> None:
    with pytest.raises(InvalidValue):
        holders.recharge(site.ledger, "20260001", amount_fen)


def test_nobody_is_recharged_by_mistake(site: Site) -> None:
    with pytest.raises(NotFound):
        holders.recharge(site.ledger, "20269999", 100)
