"""What a host that serves does by the clock: bookings that nobody used, wallets that expired, days that are over."""

from contextlib import suppress
from typing import Any

from host import days, reservations, restoring, wallets
from host.errors import DayNotReady, OnecardError
from host.journal import Journal
from host.ledger.clock import day_text
from host.ledger.contract import Ledger

EVERY_S = 30
"""How often bookings that nobody used are taken off the lists, and what could not be done is tried again."""


class Chores:
    """Call `do` from a thread that may wait, then again after `wait_s` seconds.

    It raises nothing that a later try may mend: the log says it, once.
    """

    def __init__(self, ledger: Ledger, log: Any, journal: Journal | None = None) -> None:
        self._ledger = ledger
        self._journal = journal
        self._log = log
        self._said: set[str] = set()

    def close_missed(self) -> None:
        """Close the days that ended while no host ran, before terminals are heard: what they bring now is late. Raises `LedgerAway`."""
        with suppress(DayNotReady):  # `do` says why
            for date in days.close(self._ledger, limit=days.MISSED_DAY_COUNT):
                self._log.info("day closed", day=day_text(date))

    def do(self, now_s: int) -> None:
        """Do what is due."""
        if self._journal is not None:
            self._journal.retry()
        self._end_wait()
        try:
            reservations.expire(self._ledger, now_s)
        except OnecardError as error:
            self._log.warning("bookings were not looked through", reason=str(error))
        self._expire_wallets(now_s)
        reasons = self._keep_days()
        for reason in sorted(reasons - self._said):
            self._log.warning("a business day must wait", reason=reason)
        self._said = reasons

    def wait_s(self, now_s: int) -> int:
        """How long nothing is due: a day is closed in the second in which it ends, a wait after a restore soon after its last terminal."""
        try:
            if self._ledger.view(lambda books: books.open_restore) is not None:
                return 1
            left_s = days.next_cut_s(self._ledger) - now_s
        except OnecardError:
            return EVERY_S
        return min(left_s, EVERY_S) if left_s > 0 else EVERY_S

    def _expire_wallets(self, now_s: int) -> None:
        try:
            count, amount_fen = wallets.expire(self._ledger, now_s)
        except OnecardError as error:
            self._log.warning("wallets were not looked through", reason=str(error))
            return
        if count:
            self._log.info("expired wallets went back to their givers", wallets=count, amount_fen=amount_fen)

    def _end_wait(self) -> None:
        """End the wait after a restore, once nobody is missing."""
        try:
            ended = restoring.settle(self._ledger)
        except OnecardError as error:
            self._log.warning("the wait after the restore could not be ended", reason=str(error))
            return
        if ended is not None:
            self._log.info("restored: all terminals have delivered", covered_fen=ended.covered_fen, uncovered_fen=ended.uncovered_fen)

    def _keep_days(self) -> set[str]:
        """Close and archive; returns why some must wait."""
        try:
            closed, archived, waiting = days.keep(self._ledger)
        except OnecardError as error:
            return {str(error)}
        for what, dates in (("day closed", closed), ("day archived", archived)):
            for date in dates:
                self._log.info(what, day=day_text(date))
        return {str(error) for error in waiting}
