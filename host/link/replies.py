"""What the host says to each message of a terminal: from message to arrival or job.

An arrival is answered in a commit that many share, a job in its own; what they return leaves only once it is durable.
Lost answers need no care here: the same ask gets the same answer, and records are taken in once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from host import approvals
from host.approvals import Asking
from host.intake import Delivery, resume_in
from host.ledger.clock import to_wire
from host.ledger.kinds import TerminalKind
from host.ledger.rows import Active, Resource, Terminal
from host.resources import RESOURCES_OF, publish
from protocol.messages import CLOCK, Ack, Answer, Ask, Offer, Records, Refused, State

if TYPE_CHECKING:
    from host.ledger.books import Books
    from host.ledger.contract import Arrival, Job
    from protocol.messages import Message

_DIGEST_SIZE = 8
"""What STATE says of a digest; an `activated` record says one byte more."""


def arrival_for(terminal: int, message: Message, now_s: int) -> Arrival[tuple[int, int] | Answer | Refused] | None:
    """What is to be answered together with what other terminals sent; None for any other message. `now_s`: when it came in (Unix)."""
    if isinstance(message, Ask):
        return Asking(terminal, message, now_s)
    if isinstance(message, Records):
        return Delivery(terminal, message.data, now_s)
    return None


def messages_of(result: tuple[int, int] | Answer | Refused | list[Message]) -> list[Message]:
    """What to send when an arrival was answered, or a job has ended."""
    if isinstance(result, list):
        return result
    return [result] if isinstance(result, Answer | Refused) else [Ack(*result)]


def job_for(terminal: int, message: Message, now_s: int) -> Job[list[Message]] | None:
    """The job that answers another message; None where none does."""
    if isinstance(message, State):
        return lambda books: [resume_in(books, terminal, message, now_s), clock_offer(now_s), *offers_in(books, terminal)]
    return None


def away(message: Message | None) -> list[Message]:
    """The reply while the books cannot be written: an ask is told so, records wait in their journal."""
    if isinstance(message, Ask):
        return [approvals.away(message)]
    return []


def offers_in(books: Books, terminal_number: int) -> list[Message]:
    """Publish what has changed for a terminal, and offer what is not in force there. Mostly nothing is written, nor returned."""
    terminal = books.need(Terminal, terminal_number)
    rows = [publish(books, terminal, resource) for resource in RESOURCES_OF.get(TerminalKind(terminal.kind), ())]
    return [Offer(row.resource, row.version, row.size, row.digest) for row in rows if not _is_in_force(books, row)]


def clock_offer(now_s: int) -> Message:
    """The time, which is a resource whose version is the time itself (docs/protocol.md, section 3.4)."""
    return Offer(CLOCK, to_wire(now_s), 0, b"")


def _is_in_force(books: Books, row: Resource) -> bool:
    active = books.get(Active, row.terminal, row.resource)
    return active is not None and active.version == row.version and active.digest[:_DIGEST_SIZE] == row.digest[:_DIGEST_SIZE]
