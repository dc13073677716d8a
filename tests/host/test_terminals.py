"""Terminals: a number, a place, an address of its own, a merchant who is paid."""

import pytest

from host import terminals
from host.errors import AlreadyThere, InvalidValue, NotFound
from host.ledger.kinds import TerminalKind
from host.ledger.rows import Place
from tests.host.site import KEYS, SHOWER, Site


def test_places_of_one_house_pay_one_merchant(site: Site) -> None:
    merchants = {place.name: place.merchant for place in site.rows(Place)}
    assert merchants["北区浴室 12 号"] == merchants["北区浴室 13 号"] != merchants["第一食堂 03 窗口"]


def test_the_first_free_address_is_taken(site: Site) -> None:
    assert [row.address for row in terminals.on_line(site.ledger, 1)] == [1, 2, 3]
    assert terminals.add(site.ledger, 200, TerminalKind.POS, "小超市 1", line=2).address == 1


def test_a_line_has_32_addresses(site: Site) -> None:
    for number in range(200, 229):
        terminals.add(site.ledger, number, TerminalKind.POS, f"窗口 {number}", line=1)
    with pytest.raises(InvalidValue, match="32"):
        terminals.add(site.ledger, 300, TerminalKind.POS, "窗口 300", line=1)


WRONG = {
    "a host's number": ({"number": 99}, InvalidValue),
    "a number too large": ({"number": 65_536}, InvalidValue),
    "a number taken": ({"number": SHOWER}, AlreadyThere),
    "a place taken": ({"place": "北区浴室 12 号"}, AlreadyThere),
    "no place": ({"place": "  "}, InvalidValue),
    "an address taken": ({"line": 1, "address": 1}, AlreadyThere),
    "no such address": ({"line": 1, "address": 33}, InvalidValue),
    "a host process": ({"kind": TerminalKind.HOST}, InvalidValue),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_terminal_is_refused(site: Site, case: str) -> None:
    fields, error = WRONG[case]
    with pytest.raises(error):
        terminals.add(site.ledger, **({"number": 500, "kind": TerminalKind.POS, "place": "窗口 9"} | fields))  # type: ignore[arg-type]


def test_an_identity_is_the_terminals_own(site: Site) -> None:
    assert terminals.identity(site.ledger, SHOWER) == KEYS.identity(SHOWER, 1, 1)
    for number in (1, 999):
        with pytest.raises(NotFound):
            terminals.identity(site.ledger, number)
