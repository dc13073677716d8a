"""The ledger's disk dies in the middle of an evening: an operator restores the backup, and nobody loses a fen."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sim.story import RIGHT
from tests.stories.books import LedgerReader
from tests.stories.street import STUDENT, STUDENT_CARD, TEACHER, TEACHER_CARD, Street

pytestmark = pytest.mark.xdist_group("street")


@pytest.fixture
def broken(tmp_path: Path) -> Iterator[Street]:
    """A street of its own: what happens here would be another tale's past."""
    street = Street(tmp_path / "demo")
    try:
        street.give_money()
        street.come_to_rest()
        yield street
    finally:
        street.close()


def sell(street: Street, text: str, card: int) -> None:
    """Sell something at the till, to the end."""
    street.key_amount(text)
    street.put("pos", card)
    street.till.see("已付")
    street.take("pos")


def waited_for(street: Street) -> list[int]:
    """The terminals that the restored host waits for."""
    return [one["terminal"] for one in street.demo.host.get("/health").get("restoring", [])]


def test_after_a_restore_the_terminals_send_again_and_the_books_end_the_same(broken: Street, tmp_path: Path) -> None:
    """Rows: K7, L3, K1. Sold, backed up while selling, sold more; restored with the water running; away until all have sent."""
    street = broken
    host, till, stall, file = street.demo.host, street.till, street.stall, tmp_path / "evening.backup"
    had = {person.number: street.books.account_fen(person.number) for person in (STUDENT, TEACHER)}
    sell(street, "2.00", STUDENT_CARD)
    with ThreadPoolExecutor(1) as pool:
        made = pool.submit(host.command, "backup", str(file))
        sell(street, "3.00", TEACHER_CARD)
        made.result()
    sell(street, "4.00", STUDENT_CARD)
    host.command("recharge", STUDENT.number, "20.00", "--key", "receipt-1")
    street.put("shower", TEACHER_CARD)
    stall.watch(lambda: stall.fen("已用") >= 30, "0.30 used")
    street.wait(lambda: sorted(street.books.sales()) == [200, 300, 400], "all sales in the books")

    host.stop()
    till.board.cut_power()
    street.books.close()
    said = host.command("restore", str(file), "--replace")
    assert "1 records brought back" in said, "the recharge, from the host's own journal"
    assert stall.board.valve_open, "the water runs on"
    host.start()
    street.books = LedgerReader(street.demo.data)

    street.wait(lambda: waited_for(street) == [101], "the stall has sent again and asked again; the till is missing")
    assert street.books.held_fen(TEACHER.number) >= 300, "what the stall was granted is set aside once more"
    street.take("shower")
    stall.read("扣款")
    charged_fen = stall.fen("扣款")
    street.put("shower", STUDENT_CARD)
    stall.see("网络中断")
    street.take("shower")
    street.wait(lambda: street.books.holds() == [], "the shower settled, and nothing new set aside")

    till.board.power_on()
    street.wait(lambda: waited_for(street) == [], "nobody is missing any more")
    street.come_to_rest()
    street.wait(lambda: sorted(street.books.sales()) == [200, 300, 400], "all sales in the books again")
    host.command("recharge", STUDENT.number, "20.00", "--key", "receipt-1")
    assert street.books.account_fen(STUDENT.number) == had[STUDENT.number] - 200 - 400 + 2_000
    assert street.books.account_fen(TEACHER.number) == had[TEACHER.number] - 300 - charged_fen
    sell(street, "5.00", STUDENT_CARD)
    street.wait(lambda: street.books.sales().count(500) == 1, "and on it goes")
    assert street.books.holds() == []
    assert RIGHT in host.command("check")
