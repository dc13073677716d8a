from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.testing import LogCapture

from host import cards, reservations
from host.errors import LedgerAway
from host.link.desk import CLOCK_EVERY_S, OFFER_EVERY_S, UNDER_WAY_COUNT, Decided, Desk
from host.link.events import Received
from host.writer import Writer
from protocol import messages
from protocol.codes import CARD_DENIED, HOST_AWAY
from protocol.messages import Ack, Answer, Ask, Chunk, Fetch, Offer, Records, Refused, Resume, State
from tests.host.link.site import SHOWER, STUDENT, TILL, Site, make_site


@dataclass
class Bench:
    """A desk over a ledger on disk, with a clock that stands until it is moved."""

    site: Site
    writer: Writer
    log: LogCapture
    now_s: int = 1_790_000_000
    wakes: list[None] = field(default_factory=list[None])

    def __post_init__(self) -> None:
        logger: Any = structlog.wrap_logger(None, processors=[self.log])
        self.desk = Desk(self.writer, clock=lambda: self.now_s, wake=lambda: self.wakes.append(None), log=logger)

    def say(self, terminal: int, message: messages.Message, generation: int = 1) -> list[Decided]:
        """What comes back for a message, once the books have done with it."""
        self.desk.take(Received(terminal, message, generation))
        return self.settle()

    def settle(self) -> list[Decided]:
        """What was decided once everything submitted so far is done."""
        with suppress(LedgerAway):
            self.writer.commit(lambda books: None)
        return self.desk.decided()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    site = make_site(tmp_path / "data")
    writer = Writer(site.ledger)
    yield Bench(site, writer, LogCapture())
    writer.close()
    site.ledger.close()


def state(epoch: int = 0) -> State:
    return State(epoch, 1, 1, "test", 1, ())


def ask(card: int, sequence: int = 1, epoch: int = 1) -> Ask:
    return Ask(epoch, sequence, messages.ASK_SALE, messages.SUBJECT_CARD, card, 1250, 0, b"", b"")


def test_a_handshake_is_answered_by_resume_and_by_what_the_terminal_lacks(bench: Bench) -> None:
    (decided,) = bench.say(SHOWER, state(), generation=3)
    assert (decided.terminal, decided.generation) == (SHOWER, 3)
    assert isinstance(decided.messages[0], Resume)
    offered = [message.resource for message in decided.messages if isinstance(message, Offer)]
    assert offered == [messages.CLOCK, messages.SETTINGS, messages.TARIFF, messages.RESERVATIONS]
    assert bench.wakes


def test_what_is_in_force_is_not_offered(bench: Bench) -> None:
    (decided,) = bench.say(TILL, state())
    settings = next(message for message in decided.messages if isinstance(message, Offer) and message.resource == messages.SETTINGS)
    in_force = State(1, 1, 1, "test", 2, ((messages.SETTINGS, settings.version, settings.digest[:8]),))
    (decided,) = bench.say(TILL, in_force)
    assert [message.resource for message in decided.messages if isinstance(message, Offer)] == [messages.CLOCK]


def test_a_resource_is_fetched_in_chunks_that_make_its_digest(bench: Bench) -> None:
    (decided,) = bench.say(TILL, state())
    offer = next(message for message in decided.messages if isinstance(message, Offer) and message.resource == messages.SETTINGS)
    content = b""
    while len(content) < offer.size:
        (decided,) = bench.say(TILL, Fetch(offer.resource, offer.version, len(content)))
        (chunk,) = decided.messages
        assert isinstance(chunk, Chunk)
        content += chunk.data
    assert hashlib.sha256(content).digest() == offer.digest


def test_a_booking_is_offered_to_its_stall_within_the_next_look(bench: Bench) -> None:
    bench.say(SHOWER, state())
    bench.desk.refresh([SHOWER])
    bench.settle()
    bench.now_s = int(time.time())
    reservations.book(bench.writer, STUDENT, SHOWER, bench.now_s, bench.now_s + 1800, 300)
    bench.desk.refresh([SHOWER])
    offers = [message for decided in bench.settle() for message in decided.messages if isinstance(message, Offer)]
    assert messages.RESERVATIONS in {offer.resource for offer in offers}


def test_an_offer_is_repeated_after_a_while_and_the_clock_once_an_hour(bench: Bench) -> None:
    bench.say(TILL, state())
    bench.now_s += 1
    bench.desk.refresh([TILL])
    assert not [message for decided in bench.settle() for message in decided.messages]
    bench.now_s += OFFER_EVERY_S
    bench.desk.refresh([TILL])
    assert [message.resource for decided in bench.settle() for message in decided.messages if isinstance(message, Offer)] == [1]
    bench.now_s += CLOCK_EVERY_S
    bench.desk.refresh([TILL])
    assert [message.resource for decided in bench.settle() for message in decided.messages if isinstance(message, Offer)] == [1, 2]


def test_an_ask_is_answered_and_a_denied_card_refused(bench: Bench) -> None:
    bench.say(TILL, state())
    (decided,) = bench.say(TILL, ask(bench.site.card))
    (answer,) = decided.messages
    assert isinstance(answer, Answer)
    assert (answer.code, answer.held_fen) == (0, 1250)
    cards.deny(bench.writer, bench.site.card, "lost")
    (decided,) = bench.say(TILL, ask(bench.site.card, sequence=2))
    (answer,) = decided.messages
    assert isinstance(answer, Answer)
    assert answer.code == CARD_DENIED


def test_while_the_books_are_away_asks_are_told_so_and_records_wait(bench: Bench) -> None:
    bench.writer.close()
    (decided,) = bench.say(TILL, ask(bench.site.card))
    (answer,) = decided.messages
    assert isinstance(answer, Answer)
    assert (answer.code, answer.sequence) == (HOST_AWAY, 1)
    (decided,) = bench.say(TILL, Records(bytes(64)))
    assert decided.messages == []
    assert [entry["log_level"] for entry in bench.log.entries] == ["error"]


def test_an_error_of_a_service_is_logged_and_the_next_message_answered(bench: Bench) -> None:
    (decided,) = bench.say(999, ask(1))  # no such terminal: the service asserts
    assert decided.messages == []
    assert bench.log.entries[-1]["event"] == "a message was not answered"
    bench.say(TILL, state())
    (decided,) = bench.say(TILL, ask(bench.site.card))
    assert isinstance(decided.messages[0], Answer)


def test_records_that_nobody_can_read_are_acknowledged_with_the_high_water(bench: Bench) -> None:
    bench.say(TILL, state())
    (decided,) = bench.say(TILL, Records(bytes(128)))
    assert decided.messages == [Ack(1, 0)]


def test_too_many_messages_at_once_find_the_books_away(bench: Bench) -> None:
    for sequence in range(UNDER_WAY_COUNT + 1):
        bench.desk.take(Received(TILL, ask(bench.site.card, sequence + 1), 1))
    codes = [message.code for decided in bench.settle() for message in decided.messages if isinstance(message, Answer)]
    assert codes.count(HOST_AWAY) == 1
    assert len(codes) == UNDER_WAY_COUNT + 1


def test_a_refusal_is_logged_and_not_answered(bench: Bench) -> None:
    assert bench.say(TILL, Refused(7, 1)) == []
    assert bench.log.entries[-1]["event"] == "terminal refused a message"
