"""Both ends of the link over a wire that loses frames: sessions, epochs, restored hosts."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.drivers.beeper import ACCEPTED
from firmware.terminal.actions import AskHost, ShutValve
from firmware.terminal.events import Answered, LinkDown, LinkUp
from protocol import codes, messages
from protocol.frame import PLAIN, encode_frame
from protocol.messages import ASK_EXTEND, Answer, Ask
from protocol.packing import pack
from protocol.record import NOTHING, SALE, SETTLED, STARTED
from tests.firmware.terminal.small_host import ADDRESS, Host, grant
from tests.firmware.terminal.stand import Stand, ask_for_sale, open_shower, sell, sell_when_granted, settle, write_sale

# Sessions.


def test_an_answer_that_never_comes_ends_the_session_and_is_asked_again() -> None:
    """Same name, same content; the host's answer counts in the new session only."""
    stand = Stand(host=Host(decide=lambda ask: None)).come_up()
    sell(stand)
    stand.run_until(lambda: stand.host.asks)
    stand.run_until(lambda: len(stand.host.asks) == 2)
    assert len(stand.host.states) == 2
    assert stand.host.asks[0] == stand.host.asks[1]
    stand.host.decide = grant
    stand.run_until(lambda: SALE in stand.kinds())
    assert stand.kinds() == [STARTED, SALE]


@pytest.mark.parametrize("steps", range(12))
def test_a_host_that_restarts_in_the_middle_of_an_ask_grants_once(steps: int) -> None:
    stand = Stand().come_up()
    sell(stand)
    stand.run(steps)
    stand.host.restart()
    stand.run_until(lambda: SALE in stand.kinds())
    stand.run()
    assert stand.kinds() == [STARTED, SALE]
    assert len(set(stand.host.asks)) == 1


def test_the_link_goes_down_after_three_silent_seconds_and_comes_up_with_the_next_frame() -> None:
    stand = Stand().come_up()
    for _ in range(29):
        stand.pass_time(100)
    assert stand.program.told(LinkDown) == []
    for _ in range(3):
        stand.pass_time(100)
    assert len(stand.program.told(LinkDown)) == 1
    stand.program.wants = (ask_for_sale(),)
    stand.pass_time()
    assert stand.program.told(Answered)[0].answer.code == codes.HOST_AWAY
    stand.step()
    stand.run()
    assert len(stand.program.told(LinkUp)) == 2
    assert stand.kinds() == [STARTED], "no name was opened"


def test_records_written_while_the_host_was_away_are_delivered_once() -> None:
    stand = Stand().come_up()
    for _ in range(40):
        stand.pass_time(100)
    for number in range(1, 11):
        stand.program.wants = (write_sale(number)._replace(purse=True),)
        stand.pass_time(100)
    stand.run_until(lambda: len(stand.host.records) == 11)
    stand.run()
    assert [one.amount_fen for one in stand.host.records[1:]] == list(range(1, 11))
    assert all(one.away for one in stand.host.records[1:])


def test_a_host_that_was_started_again_is_not_away() -> None:
    stand = Stand().come_up()
    stand.host.restart()
    stand.run_until(lambda: len(stand.host.states) == 2)
    stand.run()
    assert stand.program.told(LinkDown) == []


@pytest.mark.parametrize("is_resume", [False, True])
def test_what_was_heard_just_before_a_new_session_does_not_count(is_resume: bool) -> None:
    """An answer or a RESUME that comes with the WELCOME in one piece: before the terminal looks at it, STATE has voided it."""
    stand = Stand(host=Host(decide=lambda ask: None)).come_up()
    sell(stand)
    stand.run_until(lambda: stand.host.asks)
    stand.run(5)
    stand.host.outbox.append(messages.Resume(1, 1, 0) if is_resume else grant(stand.host.asks[0]))
    last_words = stand.host.poll()
    stand.terminal.link._session.restart()  # pyright: ignore[reportPrivateUsage]
    stand.board.received += encode_frame(PLAIN, ADDRESS, 0, b"")
    stand.terminal.poll()
    stand.host.receive(stand.board.transmitted.pop())
    stand.board.received += last_words + stand.host.poll()
    stand.terminal.poll()
    assert stand.program.told(Answered) == []
    assert not stand.terminal.link._is_resumed  # pyright: ignore[reportPrivateUsage]
    stand.host.decide = grant
    stand.run_until(lambda: SALE in stand.kinds())
    assert len(set(stand.host.asks)) == 1


@pytest.mark.parametrize(("busy_ms", "count"), [(15, 1), (25, 0), (500, 0)])
def test_a_poll_that_may_be_long_over_is_not_answered(busy_ms: int, count: int) -> None:
    stand = Stand().come_up()
    stand.be_busy(busy_ms)
    stand.board.received += stand.host.poll()
    stand.pass_time()
    assert len(stand.board.transmitted) == count
    stand.board.transmitted.clear()
    stand.board.received += stand.host.poll()
    stand.pass_time()
    assert len(stand.board.transmitted) == 1, "the host asks again"


@pytest.mark.parametrize("other", [ADDRESS + 1, 0])
def test_a_poll_is_not_answered_once_another_was_polled(other: int) -> None:
    stand = Stand().come_up()
    ours, theirs = stand.host.poll(), encode_frame(PLAIN, other, 0, b"")
    stand.board.received += ours + theirs
    stand.pass_time()
    assert stand.board.transmitted == []
    stand.board.received += theirs + ours
    stand.pass_time()
    assert len(stand.board.transmitted) == 1


def test_polls_that_lay_there_while_the_board_started_are_not_answered() -> None:
    stand = Stand()
    stand.board.received += stand.host.poll()
    stand.pass_time()
    assert stand.board.transmitted == []


def test_a_record_the_flash_lost_becomes_a_gap_and_blocks_nothing() -> None:
    stand = Stand().come_up()
    for number in range(1, 20):
        stand.program.wants = (write_sale(number)._replace(purse=True),)
        stand.pass_time()
    name = "001-00000001"
    data = stand.journal_files[name]
    stand.journal_files[name] = data[:660] + b"\0" + data[661:]
    stand.run_until(lambda: stand.host.records[-1].amount_fen == 19)
    assert [one.sequence for one in stand.host.records] == [n for n in range(1, 21) if n != 11]
    assert len(stand.host.states) == 2


def test_a_foreign_key_is_never_obeyed() -> None:
    stand = Stand()
    stand.host.session._link_key = bytes(16)  # pyright: ignore[reportPrivateUsage]
    stand.run(200)
    assert not stand.host.states
    assert not stand.terminal.in_force.link_is_up


def test_noise_on_the_line_is_counted_and_harmless() -> None:
    stand = Stand().come_up()
    stand.board.received += bytes(range(256)) * 3 + b"\0"
    stand.run()
    sell(stand)
    stand.run_until(lambda: SALE in stand.kinds())
    assert stand.terminal.link.bad_count > 0


def test_a_message_nobody_knows_is_refused_politely() -> None:
    stand = Stand().come_up()
    stand.run_until(lambda: stand.host.session.can_send)
    stand.host.session.send(pack([77, 1, 2]))
    stand.run()
    stand.run_until(lambda: stand.host.session.can_send)
    stand.host.session.send(messages.encode(messages.State(1, 1, 1, "", 1, [])))
    stand.run()
    assert stand.host.refused == [
        messages.Refused(77, messages.UNKNOWN_MESSAGE),
        messages.Refused(messages.STATE, messages.OUT_OF_PLACE),
    ]
    assert len(stand.host.states) == 1


# Epochs and restored hosts.


def test_a_journal_older_than_the_ledger_gets_a_new_epoch() -> None:
    """A board that came back from the drawer with an old flash; what it has is offered under its old names, and kept."""
    stand = Stand().come_up()
    old = dict(stand.journal_files)
    for number in range(1, 4):
        sell(stand, number)
        stand.run_until(lambda: len(stand.host.records) == number + 1)  # noqa: B023
    stand.run()
    stand.journal_files.clear()
    stand.journal_files.update(old)
    stand.boot()
    stand.run_until(lambda: stand.terminal.journal.epoch == 2)
    stand.run_until(lambda: stand.host.conflicts)
    sell(stand, 99)
    stand.run_until(lambda: stand.host.records[-1].amount_fen == 99)
    assert (stand.host.records[-1].epoch, stand.host.records[-1].sequence) == (2, 1)
    assert [one.amount_fen for one in stand.host.records] == [0, 1, 2, 3, 99]
    assert len(stand.host.conflicts) == 1, "its `started`, under the name of a sale"


def test_an_open_ask_ends_with_its_epoch() -> None:
    stand = Stand(host=Host(decide=lambda ask: None)).come_up()
    stand.program.wants = (ask_for_sale(),)
    stand.run_until(lambda: stand.host.asks)
    stand.host.restart()
    stand.host.epoch = 5
    stand.run_until(lambda: stand.program.told(Answered))
    stand.run()
    assert stand.program.told(Answered)[0].answer.code == codes.CLOSED
    assert [(one.epoch, one.kind) for one in stand.host.records] == [(1, STARTED), (1, NOTHING)]
    stand.host.decide = grant
    sell(stand)
    stand.run_until(lambda: SALE in stand.kinds())
    assert (stand.host.records[-1].epoch, stand.host.records[-1].sequence) == (5, 1)


def test_an_epoch_lived_before_is_refused() -> None:
    stand = Stand(host=Host(epoch=4, taken={4: []})).come_up()
    stand.host.restart()
    stand.host.epoch = 3
    stand.host._resume = lambda state: messages.Resume(3, 0, 0)  # type: ignore[method-assign]
    stand.run_until(lambda: stand.host.refused)
    assert stand.host.refused[0] == messages.Refused(messages.RESUME, messages.MALFORMED)
    assert stand.terminal.journal.epoch == 4


def test_a_restored_host_gets_everything_again() -> None:
    stand = Stand().come_up()
    for number in range(1, 30):
        stand.program.wants = (write_sale(number)._replace(purse=True),)
        stand.run(3)
    stand.run()
    before = [bytes(one) for one in stand.host.taken[1]]
    stand.host = stand.host.restored(keep={1: 4})
    stand.run_until(lambda: len(stand.host.records) == 30)
    assert stand.host.taken[1] == before


def test_a_running_shower_is_asked_for_again_by_its_total() -> None:
    stand = Stand("shower").come_up()
    name = open_shower(stand)
    stand.program.wants = (AskHost(ASK_EXTEND, 1, 7, 600, 260, b"", b"", name),)
    stand.run_until(lambda: len(stand.host.asks) == 2)
    stand.run()
    stand.host = stand.host.restored(keep={1: 1})
    stand.run_until(lambda: stand.host.asks)
    assert stand.host.asks == [Ask(1, name.sequence, ASK_EXTEND, 1, 7, 600, 260, b"", b"")]
    stand.program.wants = (ShutValve(), settle(name, 310))
    stand.run_until(lambda: SETTLED in stand.kinds())
    stand.host.restart()
    stand.run(100)
    assert len(stand.host.asks) == 1, "nothing runs any more"
    assert stand.board.log.index("open") < stand.board.log.index("shut")


# Loss.


@settings(max_examples=60, deadline=None)
@given(
    lost=st.sets(st.integers(1, 400), max_size=150),
    restarts=st.sets(st.integers(0, 60), max_size=3),
    boots=st.sets(st.integers(0, 60), max_size=2),
    refused=st.booleans(),
)
def test_whatever_is_lost_a_sale_happens_once_or_not_at_all(lost: set[int], restarts: set[int], boots: set[int], refused: bool) -> None:
    """Frames of both ends lost, the host started again, the terminal cut: paid as often as it is in the ledger, or never asked."""
    stand = Stand().come_up()
    if refused:
        stand.host.decide = lambda ask: Answer(ask.epoch, ask.sequence, ask.kind, codes.BALANCE_LOW, 0, 0, 0, 0, 0, b"")
    start = stand._frame_count  # pyright: ignore[reportPrivateUsage]
    stand.loses = lambda number: number - start in lost
    sell(stand)
    paid = 0
    for number in range(61):
        if number in restarts:
            stand.host.restart()
        if number in boots:
            paid += stand.board.log.count(ACCEPTED)
            stand.boot()
            sell_when_granted(stand)
        stand.step()
    stand.come_up()
    stand.run(100)
    paid += stand.board.log.count(ACCEPTED)
    kinds = stand.kinds()
    assert kinds.count(SALE) == paid
    assert paid <= 1
    assert not (refused and paid)
    if not boots and not refused:
        assert paid == 1
