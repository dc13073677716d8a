"""The recorder where the journal is full, and what a record says of the card that was read before it."""

import pytest

from firmware.terminal.actions import NO_NAME, AskHost, Write
from firmware.terminal.asks import Asks
from firmware.terminal.clock import Clock
from firmware.terminal.events import Answered, CardSeen, NotWritten, Written
from firmware.terminal.journal import Journal
from firmware.terminal.recorder import Recorder
from firmware.terminal.settings import InForce
from protocol import codes, record, shown
from protocol.crc import crc16
from protocol.messages import ASK_EXTEND, ASK_SALE, ASK_SHOWER, Answer
from protocol.record import NONE, NOTHING, NOTHING_SHOWN, OPENED, SALE, SETTLED, STARTED, VOID, Name, Record
from tests.firmware.terminal.small_host import RECORD_CMAC, TERMINAL
from tests.firmware.terminal.storage_model import StorageModel

PURSE_SALE = Write(SALE, 1, 7, NONE, 100, 0, 0, 0, NOTHING_SHOWN, True)
SALE_ASK = AskHost(ASK_SALE, 1, 7, 100, 0, bytes(32), b"", NO_NAME)


class Desk:
    """A recorder over a journal of four small segments, the link up, started."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.boot()
        self.journal.adopt(1)
        self.start()

    def boot(self) -> None:
        self.journal = Journal(StorageModel(self.files), TERMINAL, crc16, 14, 4)
        self.asks = Asks()
        self.in_force = InForce(Clock(), RECORD_CMAC, lambda booking: False)
        self.in_force.link_is_up = True
        self.recorder = Recorder(self.journal, self.asks, self.in_force, terminal=TERMINAL, cmac=RECORD_CMAC, cause=3, unhealthy_boots=1)

    def start(self) -> None:
        self.recorder.start(settle_at_mark, 0)

    def fill(self) -> None:
        """Write until nothing more may begin."""
        while self.journal.has_room:
            assert isinstance(self.recorder.write(PURSE_SALE, 0), Written)

    def grant(self) -> None:
        """Let the host approve the open ask."""
        pending = self.asks.open
        assert pending is not None
        self.asks.sent(pending, 0)
        assert self.asks.receive(Answer(*pending.ask[:3], 0, pending.ask.amount_fen, 0, 0, 0, 0, b""))

    def last(self) -> Record:
        """The newest record."""
        return record.decode(self.journal.read(self.journal.epoch, self.journal.next - 1, 1))


def settle_at_mark(opened: Record, mark: object) -> Write:
    name = Name(opened.terminal, opened.epoch, opened.sequence)
    return Write(SETTLED, opened.subject_kind, opened.subject, name, 0, 0, 0, 0, NOTHING_SHOWN, False)


def test_a_full_journal_refuses_what_begins_something() -> None:
    desk = Desk()
    desk.fill()
    before = desk.journal.next
    answered = desk.recorder.ask(SALE_ASK, 0)
    assert isinstance(answered, Answered)
    assert answered.answer.code == codes.JOURNAL_FULL
    assert desk.recorder.write(PURSE_SALE, 0) == NotWritten(SALE, codes.JOURNAL_FULL)
    assert desk.journal.next == before
    assert desk.asks.open is None


def test_a_full_journal_takes_what_closes_something() -> None:
    """The sale whose ask was open before, and the settling of the shower that runs."""
    desk = Desk()
    desk.recorder.ask(AskHost(ASK_SHOWER, 1, 7, 300, 0, b"", b"", NO_NAME), 0)
    desk.grant()
    opened = desk.recorder.write(Write(OPENED, 1, 7, NONE, 300, 0, 0, 0, NOTHING_SHOWN, False), 0)
    assert isinstance(opened, Written)
    desk.fill()
    extension = AskHost(ASK_EXTEND, 1, 7, 600, 250, b"", b"", opened.name)
    assert desk.recorder.ask(extension, 0) is None
    settled = Write(SETTLED, 1, 7, opened.name, 90, 0, 0, 0, NOTHING_SHOWN, False)
    assert isinstance(desk.recorder.write(settled, 0), Written)


def test_an_ask_that_was_open_when_the_journal_filled_can_still_be_closed() -> None:
    desk = Desk()
    desk.fill()
    desk.journal.acknowledge(1, 20)
    assert desk.recorder.ask(SALE_ASK, 0) is None
    desk.journal.acknowledged = (0, 0)
    assert desk.recorder.close(0)
    assert desk.last().kind == NOTHING


def test_a_boot_with_no_room_at_all_waits_for_an_acknowledgement() -> None:
    desk = Desk()
    while desk.journal.can_append:
        desk.journal.append(record.encode(desk.last()._replace(sequence=desk.journal.next), RECORD_CMAC))
    desk.boot()
    desk.start()
    assert not desk.recorder.is_ready
    assert desk.recorder.write(PURSE_SALE, 0) == NotWritten(SALE, codes.HOST_AWAY)
    desk.journal.acknowledge(1, desk.journal.next - 1)
    desk.start()
    assert desk.recorder.is_ready
    assert desk.last().kind == STARTED
    assert shown.unpack_started(desk.last().shown) == (3, 1)


def test_a_nothing_carries_what_the_first_reading_showed() -> None:
    desk = Desk()
    card = CardSeen(7, 1, 65535, b"c" * 32, b"shown 14 bytes", 12, 800)
    desk.recorder.saw(card)
    desk.recorder.ask(SALE_ASK._replace(copies=card.copies), 0)
    desk.recorder.saw(card._replace(copies=b"d" * 32, shown=b"something else", counter=13))
    desk.recorder.close(0)
    assert (desk.last().kind, desk.last().shown, desk.last().counter, desk.last().balance_fen) == (NOTHING, b"shown 14 bytes", 12, 800)


def test_a_nothing_after_an_ask_without_a_card_shows_none() -> None:
    desk = Desk()
    desk.recorder.saw(CardSeen(7, 1, 65535, b"c" * 32, b"shown 14 bytes", 12, 800))
    desk.recorder.ask(SALE_ASK._replace(copies=b""), 0)
    desk.recorder.close(0)
    assert (desk.last().shown, desk.last().counter) == (NOTHING_SHOWN, 0)


def test_a_session_whose_opened_is_lost_is_settled_by_its_mark() -> None:
    desk = Desk()
    desk.recorder.ask(AskHost(ASK_SHOWER, 1, 7, 300, 0, b"", b"", NO_NAME), 0)
    desk.grant()
    desk.recorder.write(Write(OPENED, 1, 7, NONE, 300, 0, 0, 0, NOTHING_SHOWN, False), 0)
    for _ in range(8):
        desk.recorder.write(PURSE_SALE, 0)
    segment = "001-00000001"
    desk.files[segment] = desk.files[segment][:66] + b"\0" + desk.files[segment][67:]
    desk.boot()
    desk.start()
    assert desk.recorder.is_ready
    assert (desk.last().kind, desk.last().subject_kind, desk.last().reference.sequence) == (SETTLED, 0, 2)


def test_a_record_of_another_kind_closes_the_open_name_first() -> None:
    desk = Desk()
    desk.recorder.ask(SALE_ASK, 0)
    void = Write(VOID, 1, 7, Name(TERMINAL, 1, 1), 100, 0, 0, 0, NOTHING_SHOWN, False)
    written = desk.recorder.write(void, 0)
    assert written == Written(Name(TERMINAL, 1, 3), VOID)
    assert record.decode(desk.journal.read(1, 2, 1)).kind == NOTHING
    assert desk.asks.open is None


def test_a_booking_opens_without_an_ask_and_nothing_else_does() -> None:
    desk = Desk()
    opened = Write(OPENED, 2, 7, NONE, 300, 0, 0, 0, NOTHING_SHOWN, False)
    assert desk.recorder.write(opened, 0) == NotWritten(OPENED, codes.CLOSED)
    assert isinstance(desk.recorder.write(opened._replace(reference=Name(1, 2, 3)), 0), Written)


@pytest.mark.parametrize("is_up", [True, False])
def test_a_record_says_whether_the_link_was_away(is_up: bool) -> None:
    desk = Desk()
    desk.in_force.link_is_up = is_up
    desk.recorder.write(PURSE_SALE, 0)
    assert desk.last().away is not is_up
