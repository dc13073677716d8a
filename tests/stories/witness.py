"""Somebody independent: what the displays showed, what water really ran, and the laws that the books must keep with both."""

import re
from collections import Counter
from dataclasses import dataclass

from protocol.shown import CAUSE_BOOT
from sim.board import Board
from tests.stories.books import LedgerReader, Posted
from tests.stories.street import Street, price_range

STEP_FEN = 50
"""What a cut may leave unpaid: a mark is written before more than this flows (docs/shower.md)."""

SLACK_FEN = 15
"""What may run while a mark is being written, or before the meter is looked at, on a busy machine: a second of water."""

_PAID = re.compile(r"已付 +(\d+)\.(\d\d)元")
_CHARGED = re.compile(r"扣款 +(\d+)\.(\d\d)元")
_ENDINGS = ("用水结束", "预扣用完已停水", "超时已结束", "设备故障已停水")


@dataclass(slots=True)
class Attempt:
    """One try of a person, at the till (`amount_fen` keyed) or at the shower (0).

    `litres`: what ran during it. `shown_fen`: what the display said was paid or charged, None if it said nothing.
    `is_cut`: the terminal lost its power meanwhile.
    """

    amount_fen: int
    starts: int
    litres_before: float
    seen_count: int
    litres: float = 0.0
    shown_fen: int | None = None
    is_cut: bool = False


class Eye:
    """Watches one display, and writes down each sum that it shows as paid or as charged, when it is drawn to the end.

    Rows are drawn from the first to the last, so a screen is whole when its last row is there.
    """

    def __init__(self, board: Board) -> None:
        self.board = board
        self.seen: list[int] = []
        self._is_noted = False
        board.on_change(self._look)

    def begin(self, amount_fen: int = 0) -> Attempt:
        """Note what stands before an attempt."""
        return Attempt(amount_fen, self.board.terminal.starts, self.board.litres, len(self.seen))

    @property
    def is_sure(self) -> bool:
        """Whether no sum is just being drawn."""
        rows = self.board.display.text()
        return self._is_noted or not (rows[0].startswith("已付") or rows[2].startswith("扣款"))

    def end(self, attempt: Attempt) -> None:
        """Note what happened in it."""
        attempt.litres = self.board.litres - attempt.litres_before
        attempt.is_cut = not self.board.is_powered or self.board.terminal.starts != attempt.starts
        shown = self.seen[attempt.seen_count :]
        assert len(shown) <= 1, f"one attempt showed {shown}"
        attempt.shown_fen = shown[0] if shown else None

    def _look(self, what: str) -> None:
        if what not in ("display", "power"):
            return
        rows = self.board.display.text()
        fen = _shown_fen(rows)
        if fen is not None and not self._is_noted:
            self.seen.append(fen)
        if fen is not None or not (rows[0].startswith("已付") or rows[0].strip() in _ENDINGS):
            self._is_noted = fen is not None


class Witness:
    """Both eyes, all attempts, and the verdict after each kill."""

    def __init__(self, street: Street) -> None:
        self.stall = Eye(street.stall.board)
        self.till = Eye(street.till.board)
        self.sales: list[Attempt] = []
        self.showers: list[Attempt] = []
        self._books = street.books
        self._sold_before = self._settled_before = street.books.commit

    def is_delivered(self) -> bool:
        """Whether the books have all that was shown, and nothing is set aside but what is booked."""
        sold = Counter(self._books.sales(self._sold_before))
        settled = Counter(posted.record.amount_fen for posted in self._books.settled(self._settled_before))
        shown = Counter(attempt.shown_fen for attempt in self.showers if attempt.shown_fen is not None)
        return (
            all(sold[attempt.amount_fen] for attempt in self.sales if attempt.shown_fen is not None)
            and not shown - settled
            and all(hold.kind == "booking" and hold.state == "taken" for hold in self._books.holds())
        )

    def judge(self) -> None:
        """Hold the books against what was seen, since the last verdict. Raises `AssertionError` with what is wrong."""
        books = self._books
        now = books.commit
        proof = books.prove()
        assert proof.problems == []
        assert proof.sum_fen == 0
        assert books.items() == [], "on the worklist"
        assert [hold for hold in proof.holds if hold.kind != "booking"] == [], "held"
        _judge_sales(self.sales, books, self._sold_before)
        settled = books.settled(self._settled_before)
        assert _fit(self.showers, settled), f"showers {self.showers} do not make {[_tell(posted) for posted in settled]}"
        self._sold_before = self._settled_before = now
        self.sales.clear()
        self.showers.clear()


def _judge_sales(attempts: list[Attempt], books: LedgerReader, before: int) -> None:
    """Each amount is keyed once only, so it may stand in the books once; it must if it was shown, it may if the till was cut."""
    sold = Counter(books.sales(before))
    keyed = {attempt.amount_fen: attempt for attempt in attempts}
    assert set(sold) <= set(keyed), f"sold {sold}, but keyed were only {sorted(keyed)}"
    for amount_fen, attempt in keyed.items():
        count = sold[amount_fen]
        assert attempt.shown_fen in (None, amount_fen), f"keyed {amount_fen}, shown {attempt.shown_fen}"
        least = 1 if attempt.shown_fen is not None else 0
        most = 1 if least or attempt.is_cut else 0
        assert least <= count <= most, f"{attempt} stands {count} times in the books"


def _fit(attempts: list[Attempt], settled: list[Posted]) -> bool:
    """Whether the sessions of the books are these attempts, in their order; one without water may have left none."""
    if not attempts:
        return not settled
    head, rest = attempts[0], attempts[1:]
    if settled and _may_be(head, settled[0]) and _fit(rest, settled[1:]):
        return True
    return head.shown_fen is None and head.litres == 0 and _fit(rest, settled)


def _may_be(attempt: Attempt, posted: Posted) -> bool:
    """Whether that session may be this attempt: what was shown, or after a cut the last mark; never more than what ran."""
    fen, prices = posted.record.amount_fen, price_range(attempt.litres)
    if attempt.shown_fen is not None:
        return fen == attempt.shown_fen and fen in prices and posted.cause != CAUSE_BOOT
    return attempt.is_cut and prices.start - STEP_FEN - SLACK_FEN <= fen < prices.stop


def _shown_fen(rows: list[str]) -> int | None:
    """The sum on a whole screen of a sale that is paid, or of a shower that has ended."""
    found = None
    if rows[3].startswith("卡上"):
        found = _PAID.match(rows[0])
    elif rows[0].strip() in _ENDINGS and rows[3].startswith(("余额", "欢迎再来", "请取走卡片")):
        found = _CHARGED.match(rows[2])
    return int(found[1]) * 100 + int(found[2]) if found else None


def _tell(posted: Posted) -> str:
    return f"{posted.record.terminal}-{posted.record.epoch}-{posted.record.sequence}: {posted.record.amount_fen} fen, cause {posted.cause}"
