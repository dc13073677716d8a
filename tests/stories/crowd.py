"""People who want to eat and to wash, and try again when a machine dies before them."""

import re
import threading
from collections.abc import Generator
from contextlib import contextmanager
from random import Random

from host.ledger.reports import yuan
from sim.board import Board
from sim.demo import FIRST_TERMINAL
from sim.host_process import HostFailed
from sim.visitor import LIMIT_S, Visitor
from tests.stories.street import POOR_CARD, STUDENT_CARD, TEACHER, TEACHER_CARD, Street
from tests.stories.witness import Attempt, Eye, Witness

TRY_COUNT = 12
"""So often somebody tries; a kill spoils one try or two."""

_PRESS_COUNT, _PRESS_S = 4, 2.0
"""So often a key is pressed that brings nothing, and how long, in real seconds, one waits to see that."""

_REFUSED = re.compile(r"E\d\d$")
_NEW_CODE = re.compile(r"\b\d{6}\b")

STEPS = {
    "card": ("card in", "water", "pause", "resume", "card out"),
    "code": ("code typed", "water by code", "END twice"),
    "sale": ("amount keyed", "card held", "card away"),
}
"""The acts, and the steps that each announces when it begins them."""


class Crowd:
    """The people of one street. `act(name)` plays one act of `STEPS` until it succeeded; run each in a thread of its own.

    What they did stands in the witness's lists of attempts. `wait_for(step)` lets somebody else know how far they are.
    """

    def __init__(self, street: Street, witness: Witness, random: Random) -> None:
        self._street = street
        self._witness = witness
        self._random = random
        self._changed = threading.Condition()
        self._begun: set[str] = set()
        self._has_failed = False
        self._starts: dict[Board, int] = {}
        self._code = ""
        self._amount_fen = 100
        self._sale_count = 0

    def begin(self) -> None:
        """Forget which steps were begun."""
        self._begun = set()
        self._has_failed = False

    def wait_for(self, step: str) -> bool:
        """Wait until somebody begins a step; False if nobody does."""
        with self._changed:
            self._changed.wait_for(lambda: step in self._begun or self._has_failed, LIMIT_S)
            return step in self._begun

    def act(self, name: str) -> None:
        """Play one act, as often as it takes. Raises `NotSeen` when a display never moves, `AssertionError` after `TRY_COUNT` tries."""
        try:
            self._try(name)
        except BaseException:
            with self._changed:
                self._has_failed = True
                self._changed.notify_all()
            raise

    def _try(self, name: str) -> None:
        attempt = {"card": self._shower_by_card, "code": self._shower_by_code, "sale": self._buy}[name]
        for _ in range(TRY_COUNT):
            if attempt():
                return
        raise AssertionError(f"{name}: {TRY_COUNT} tries were in vain: {self._street.stall.rows} / {self._street.till.rows}")

    # The acts, one try each; whether it came to its end.

    def _buy(self) -> bool:
        till, street = self._street.till, self._street
        # Each try has an amount of its own, so that the books tell one from the other; and another card than the last.
        self._amount_fen += 1
        self._sale_count += 1
        street.take("pos")
        till.press("CLEAR")
        till.watch(lambda: till.shows("请输入金额") and not till.shows("脱机"), "a till at rest")
        with self._trying(self._witness.sales, self._witness.till, self._amount_fen):
            self._announce("amount keyed")
            till.type(yuan(self._amount_fen))
            till.press("OK")
            # A machine that is too busy may miss a key: then another amount stands there, or none.
            self._sees(till, "请刷卡", "请输入金额")
            if till.fen("应收") != self._amount_fen:
                return False
            self._announce("card held")
            street.put("pos", (STUDENT_CARD, POOR_CARD)[self._sale_count % 2])
            self._sees(till, "已付", "刚已扣款")
            self._announce("card away")
            street.take("pos")
            return till.shows("已付")

    def _shower_by_card(self) -> bool:
        stall, street = self._street.stall, self._street
        used_fen = self._random.randrange(20, 90)
        self._leave_summary()
        if stall.shows("脱机"):
            stall.pause(1)
            return False
        with self._trying(self._witness.showers, self._witness.stall):
            self._announce("card in")
            street.put("shower", TEACHER_CARD)
            if self._sees(stall, "用水中"):
                self._announce("water")
                self._uses(used_fen // 2)
                self._announce("pause")
                self._press(("OK",), "已暂停")
                self._announce("resume")
                self._press(("OK",), "用水中")
                self._uses(used_fen)
                self._announce("card out")
            street.take("shower")
            return self._sees(stall, "扣款")

    def _shower_by_code(self) -> bool:
        stall = self._street.stall
        code = self._book()
        self._leave_summary()
        with self._trying(self._witness.showers, self._witness.stall):
            self._announce("code typed")
            stall.type(code)
            stall.press("OK")
            self._sees(stall, "用水中", "正在下发", "请输入六位数字", "请插卡")
            if not stall.shows("用水中"):
                # On its way down still; or a key was missed; or it was used, by a session that was cut, which the books do not know yet.
                stall.press("CLEAR")
                stall.pause(1)
                return False
            self._announce("water by code")
            self._uses(self._random.randrange(15, 70))
            self._announce("END twice")
            self._press(("END", "END"), "扣款")
            return self._sees(stall, "扣款")

    # What they do and see.

    @contextmanager
    def _trying(self, attempts: list[Attempt], eye: Eye, amount_fen: int = 0) -> Generator[None]:
        attempt = eye.begin(amount_fen)
        self._starts[eye.board] = attempt.starts
        try:
            yield
        finally:
            eye.board.wait_for(lambda: eye.is_sure, LIMIT_S)
            eye.end(attempt)
            attempts.append(attempt)

    def _announce(self, step: str) -> None:
        with self._changed:
            self._begun.add(step)
            self._changed.notify_all()

    def _leave_summary(self) -> None:
        """Stand before a stall that is free: nobody's card in it, and what it showed to the last one wiped away."""
        stall = self._street.stall
        self._street.take("shower")
        stall.watch(lambda: stall.shows("请插卡", "扣款") or _is_refused(stall), "a stall at rest")
        if not stall.shows("请插卡"):
            stall.press("1", "CLEAR")
            stall.see("请插卡")

    def _sees(self, visitor: Visitor, *texts: str) -> bool:
        """Wait for one of these; False if the display refuses, or begins anew, or has no power."""
        visitor.watch(lambda: visitor.shows(*texts) or _is_refused(visitor) or self._has_ended(visitor), " / ".join(texts))
        return visitor.shows(*texts)

    def _uses(self, fen: int) -> None:
        stall = self._street.stall
        stall.watch(lambda: stall.fen("已用") >= fen or not stall.shows("用水中"), f"{yuan(fen)} used")

    def _press(self, keys: tuple[str, ...], text: str) -> None:
        """Press keys until that is shown, or nobody is there any more to listen."""
        stall = self._street.stall
        for _ in range(_PRESS_COUNT):
            if self._has_ended(stall):
                return
            stall.press(*keys)
            if stall.board.wait_for(lambda: stall.shows(text, "扣款") or self._has_ended(stall), _PRESS_S):
                return

    def _has_ended(self, visitor: Visitor) -> bool:
        """Whether the terminal is without power, or has begun anew since the try began."""
        return not visitor.board.is_powered or visitor.board.terminal.starts != self._starts[visitor.board]

    def _book(self) -> str:
        """Book the stall, and return the code: that of before while it is not known yet that it was used."""
        try:
            printed = self._street.demo.host.command("reserve", TEACHER.number, str(FIRST_TERMINAL))
        except HostFailed:
            assert self._code, "the first booking of all fails"
            return self._code
        found = _NEW_CODE.search(printed)
        assert found is not None, printed
        self._code = found[0]
        return self._code


def _is_refused(visitor: Visitor) -> bool:
    return _REFUSED.search(visitor.board.display.text()[3].rstrip()) is not None
