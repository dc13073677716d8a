"""The desk of one line: takes messages to the books, and brings back what to say. It never keeps the line waiting.

While a commit is on its way to the disk the line goes on polling; what was decided wakes it.
"""

from __future__ import annotations

import queue
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from host.errors import LedgerAway
from host.ledger.reports import last_commit
from host.link.replies import arrival_for, away, clock_offer, job_for, messages_of, offers_in
from host.resources import chunk
from protocol.messages import CLOCK, Fetch, Offer, Refused, State

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from host.ledger.books import Books
    from host.link.events import Received
    from host.writer import Writer
    from protocol.messages import Message

UNDER_WAY_COUNT = 256
"""Jobs of one line that may wait for the books: eight for each of 32 terminals. Beyond that the books count as away."""

OFFER_EVERY_S = 30
"""An offer is repeated after so long if it is still not in force: a fetch may have been cut off."""

CLOCK_EVERY_S = 3600
"""The time is offered anew once an hour: a crystal is off by 0.4 s by then at worst."""


class Decided(NamedTuple):
    """Messages for a terminal, in the session (`generation`) they were asked in; None: in any."""

    terminal: int
    generation: int | None
    messages: list[Message]


class Desk:
    """The desk of one line; only the line's own thread calls it.

    `clock` gives Unix seconds; `wake` is called, by whatever thread, when `decided` has something; `log` is
    a structlog logger. An error in a job is logged, and its asker gets no answer: it asks again. What reading
    the ledger raises, `take` and `refresh` raise.
    """

    def __init__(self, writer: Writer, *, clock: Callable[[], int], wake: Callable[[], None], log: Any) -> None:
        self._writer = writer
        self._clock = clock
        self._wake = wake
        self._log = log
        self._done: queue.SimpleQueue[tuple[int, int | None, Message | None, Future[Any]]] = queue.SimpleQueue()
        self._at_once: list[Decided] = []
        self._under_way_count = 0
        self._offered_s: dict[tuple[int, int, int], int] = {}
        """When (terminal, resource, version) was last offered; the clock has version 0 here."""
        self._seen_commit = 0
        self._refreshed_s = 0
        self._is_away = False

    def take(self, received: Received) -> None:
        """Take a message; its reply comes out of `decided`, later or at once."""
        terminal, message = received.terminal, received.message
        if isinstance(message, Refused):
            self._log.warning("terminal refused a message", terminal=terminal, message=message.number, reason=message.reason)
        elif isinstance(message, Fetch):
            self._read(received, message)
        elif (arrival := arrival_for(terminal, message, self._clock())) is not None:
            self._submit(terminal, received.generation, message, partial(self._writer.request, arrival))
        elif (job := job_for(terminal, message, self._clock())) is not None:
            if isinstance(message, State):
                self._forget_offers(terminal)
            self._submit(terminal, received.generation, message, partial(self._writer.submit, job))

    def refresh(self, terminals: list[int]) -> None:
        """Offer terminals what has changed and what they still lack, and the time once an hour. Call it once a second or so."""
        commit, now_s = self._writer.view(last_commit), self._clock()
        if commit == self._seen_commit and now_s - self._refreshed_s < OFFER_EVERY_S:
            return
        self._seen_commit, self._refreshed_s = commit, now_s
        for terminal in terminals:
            self._submit(terminal, None, None, partial(self._writer.submit, partial(_offers, terminal=terminal, now_s=now_s)))

    def decided(self) -> list[Decided]:
        """Everything decided since the last call, in order, without offers just made."""
        found, self._at_once = self._at_once, []
        while not self._done.empty():
            terminal, generation, message, future = self._done.get()
            self._under_way_count -= 1
            found.append(Decided(terminal, generation, self._result(terminal, message, future)))
        return [one._replace(messages=[message for message in one.messages if self._is_news(one.terminal, message)]) for one in found]

    def _submit(self, terminal: int, generation: int | None, message: Message | None, submit: Callable[[], Future[Any]]) -> None:
        if self._under_way_count >= UNDER_WAY_COUNT:
            self._at_once.append(Decided(terminal, generation, away(message)))
            return
        self._under_way_count += 1
        submit().add_done_callback(lambda future: self._finish(terminal, generation, message, future))

    def _finish(self, terminal: int, generation: int | None, message: Message | None, future: Future[Any]) -> None:
        """Called by the writer's thread."""
        self._done.put((terminal, generation, message, future))
        self._wake()

    def _read(self, received: Received, fetch: Fetch) -> None:
        """A chunk is read on the spot: a view waits for no writer."""
        reply = chunk(self._writer, received.terminal, fetch)
        self._at_once.append(Decided(received.terminal, received.generation, [reply]))

    def _result(self, terminal: int, message: Message | None, future: Future[Any]) -> list[Message]:
        error = future.exception()
        if error is None:
            self._set_away(None)
            return messages_of(future.result())
        if isinstance(error, LedgerAway):
            self._set_away(error)
            return away(message)
        self._log.error("a message was not answered", terminal=terminal, message=type(message).__name__, exc_info=error)
        return []

    def _set_away(self, error: LedgerAway | None) -> None:
        if error is not None and not self._is_away:
            self._log.error("ledger away: asks are answered so, records wait in the terminals", reason=str(error))
        elif error is None and self._is_away:
            self._log.info("ledger back")
        self._is_away = error is not None

    def _is_news(self, terminal: int, message: Message) -> bool:
        if not isinstance(message, Offer):
            return True
        is_clock = message.resource == CLOCK
        key, now_s = (terminal, message.resource, 0 if is_clock else message.version), self._clock()
        if now_s - self._offered_s.get(key, -CLOCK_EVERY_S) < (CLOCK_EVERY_S if is_clock else OFFER_EVERY_S):
            return False
        self._offered_s[key] = now_s
        return True

    def _forget_offers(self, terminal: int) -> None:
        """A new session begins: what was offered before may not have been heard."""
        for key in [key for key in self._offered_s if key[0] == terminal]:
            del self._offered_s[key]


def _offers(books: Books, *, terminal: int, now_s: int) -> list[Message]:
    return [*offers_in(books, terminal), clock_offer(now_s)]
