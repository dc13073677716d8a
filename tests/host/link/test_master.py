"""A master and real terminal sessions over a pretend wire, in virtual time."""

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host.link.events import Fault, LineFault, PeerDown, PeerUp, Received
from host.link.master import Master
from protocol.frame import FROM_TERMINAL, encode_frame
from protocol.messages import OUT_OF_PLACE, UNKNOWN_MESSAGE, Ack, Answer, Offer, Refused, State, Who, encode
from tests.host.link.wire import CODEC, Faults, PretendTerminal, Wire, pretend_record


def line_of(count: int, seed: int = 1, **faults: float) -> Wire:
    random = Random(seed)
    return Wire(random, [PretendTerminal(100 + index, 1 + index, random) for index in range(count)], Faults(**faults))  # type: ignore[arg-type]


def polls_of(wire: Wire, address: int, since_ms: float = 0) -> list[float]:
    """When frames to an address went out; the address is the first byte after COBS' own, or the one that is."""
    return [at for at, data in wire.sent if at >= since_ms and CODEC.cobs_decode(data[:-1])[0] == address]


def test_every_terminal_of_a_full_line_comes_up_within_a_second() -> None:
    wire = line_of(32)
    wire.run(1000)
    assert {event.terminal for event in wire.of_kind(PeerUp)} == set(range(100, 132))
    assert sum(isinstance(event.message, State) for event in wire.of_kind(Received)) == 32


def test_an_empty_line_wants_nothing() -> None:
    master = Master(CODEC, [])
    assert master.poll(0) is None
    assert master.due() == float("inf")


def test_an_ask_is_answered_and_a_record_acknowledged() -> None:
    wire = line_of(2)
    till = wire.terminals[0]
    wire.run(200)
    till.ask(1, wire.now_ms)
    wire.run(300)
    assert till.approved_ms[1] - 200 < 40
    till.journal.append(pretend_record(1))
    wire.run(400)
    assert wire.records[100] == till.journal
    assert till.high_water == 1


def test_an_answer_goes_out_before_any_other_poll() -> None:
    wire = line_of(8)
    wire.run(500)
    sent_before = len(wire.sent)
    wire.master.send(107, Ack(1, 0))
    wire.run(510)
    first = [data for _, data in wire.sent[sent_before:]][:2]
    assert any(CODEC.cobs_decode(data[:-1])[0] == 8 for data in first)


def test_the_same_bytes_go_out_three_times_and_then_the_next_terminal_has_its_turn() -> None:
    wire = line_of(2)
    wire.run(500)
    wire.terminals[0].is_on = False
    start = len(wire.sent)
    wire.run(620)
    to_first = [index for index, (_, data) in enumerate(wire.sent) if index >= start and CODEC.cobs_decode(data[:-1])[0] == 1]
    run = [index for index in to_first if index < to_first[0] + 3]
    assert len(run) == 3
    assert len({wire.sent[index][1] for index in run}) == 1
    assert CODEC.cobs_decode(wire.sent[run[-1] + 1][1][:-1])[0] == 2


def test_a_dead_address_takes_one_turn_in_sixteen() -> None:
    wire = line_of(3)
    wire.terminals[2].is_on = False
    wire.run(10_000)
    living, dead = len(polls_of(wire, 1, 1000)), len(polls_of(wire, 3, 1000))
    assert dead * 14 < living < dead * 18


def test_thirty_dead_addresses_leave_the_living_one_its_pace() -> None:
    wire = line_of(32)
    for terminal in wire.terminals[1:]:
        terminal.is_on = False
    wire.run(10_000)
    polls = polls_of(wire, 1, 2000)
    assert max(after - before for before, after in pairwise(polls)) < 50


def test_a_terminal_that_comes_back_is_heard_within_seconds() -> None:
    wire = line_of(32)
    wire.terminals[5].is_on = False
    wire.run(3000)
    wire.terminals[5].is_on = True
    wire.run(6000)
    assert wire.events[-1] != PeerDown(105)
    assert PeerUp(105) in wire.events


def test_a_deaf_half_second_is_not_told_and_a_lost_line_is() -> None:
    wire = line_of(2)
    wire.run(300)
    wire.terminals[0].is_on = False
    wire.run(800)
    wire.terminals[0].is_on = True
    wire.run(1500)
    assert not wire.of_kind(PeerDown)
    wire.terminals[0].is_on = False
    wire.run(5000)
    assert wire.of_kind(PeerDown) == [PeerDown(100)]


def test_the_session_outlives_a_lost_line() -> None:
    wire = line_of(1)
    wire.run(300)
    wire.terminals[0].is_on = False
    wire.run(4000)
    wire.terminals[0].is_on = True
    wire.run(6000)
    assert [type(event) for event in wire.events] == [PeerUp, Received, PeerDown, PeerUp]


def test_a_reboot_opens_a_new_session_and_old_answers_are_not_given_in_it() -> None:
    wire = line_of(1)
    till = wire.terminals[0]
    wire.run(300)
    till.ask(1, wire.now_ms)
    wire.decision_ms = 60
    wire.run(330)
    till.boot()
    till.asked_ms.clear()
    till.heard.clear()
    wire.run(1000)
    assert [event.generation for event in wire.of_kind(Received) if isinstance(event.message, State)] == [1, 2]
    assert not [message for message in till.heard if isinstance(message, Answer)]


def test_a_host_restart_loses_no_record_and_no_ask() -> None:
    wire = line_of(3, loss=0.1)
    for terminal in wire.terminals:
        terminal.journal.extend(pretend_record(sequence) for sequence in range(1, 30))
    wire.run(250)
    wire.terminals[0].ask(30, wire.now_ms)
    wire.master = wire.new_master()
    wire.run(4000)
    assert all(wire.records[terminal.number] == terminal.journal for terminal in wire.terminals)
    assert 30 in wire.terminals[0].approved_ms


def test_a_frame_from_another_address_is_dropped() -> None:
    wire = line_of(2)
    wire.run(300)
    dropped = wire.master.dropped_count
    stray = encode_frame(CODEC, 9, FROM_TERMINAL, b"")
    wire.at(301, lambda: wire.master.receive(stray, wire.now_ms))
    wire.run(400)
    assert wire.master.dropped_count == dropped + 1


def test_the_echo_of_ones_own_frames_changes_nothing() -> None:
    wire = line_of(4)
    wire.faults.has_echo = True
    wire.run(500)
    assert len(wire.of_kind(PeerUp)) == 4
    assert not wire.of_kind(LineFault)


def test_a_second_master_is_told_once_a_minute() -> None:
    wire = line_of(1)
    foreign = encode_frame(CODEC, 3, 0, encode(Who()))
    for at_ms in range(100, 50_000, 100):
        wire.at(at_ms, lambda: wire.master.receive(foreign, wire.now_ms))
    wire.run(50_000)
    assert wire.of_kind(LineFault) == [LineFault(Fault.SECOND_MASTER, 3)]


def test_endless_noise_is_told_and_ends_nothing() -> None:
    wire = line_of(2)
    random = Random(3)
    wire.terminals[1].is_on = False
    for at_ms in range(0, 3000, 2):
        wire.at(at_ms, lambda: wire._arrive(random.randbytes(50)))
    wire.run(3500)
    assert Fault.NOISE in {event.fault for event in wire.of_kind(LineFault)}
    wire.run(4500)
    assert wire.terminals[0].session.is_open


def test_a_stranger_at_an_address_is_told_and_not_served() -> None:
    wire = line_of(2)
    wire.terminals[1] = PretendTerminal(555, 2, wire.random)
    wire.run(2000)
    assert LineFault(Fault.STRANGER, 2, 555, "expected terminal 101") in wire.events
    assert not wire.terminals[1].session.is_open


def test_one_identity_at_two_addresses_is_told() -> None:
    wire = line_of(2)
    wire.terminals[1] = PretendTerminal(100, 2, wire.random)
    wire.run(2000)
    assert LineFault(Fault.MOVED, 2, 100, "expected terminal 101") in wire.events


def test_two_boards_at_one_address_are_told() -> None:
    wire = line_of(2)
    wire.terminals.append(PretendTerminal(100, 1, wire.random, turnaround_ms=(15, 19)))
    wire.run(10_000)
    assert Fault.TWO_BOARDS in {event.fault for event in wire.of_kind(LineFault)}
    assert wire.terminals[1].session.is_open


def test_a_wrong_key_never_opens_a_session() -> None:
    wire = line_of(1)
    wire.terminals[0] = PretendTerminal(100, 1, wire.random, key=b"another key here")
    wire.run(1000)
    assert not wire.of_kind(PeerUp)
    assert not wire.terminals[0].session.is_open


@pytest.mark.parametrize(
    ("plain", "answer"),
    [
        (b"\x92\x2a\x01", Refused(42, UNKNOWN_MESSAGE)),
        (encode(Ack(1, 1)), Refused(9, OUT_OF_PLACE)),
        (encode(Who()), Refused(0, OUT_OF_PLACE)),
        (b"\x01", Refused(255, 2)),
    ],
)
def test_a_message_that_is_none_is_refused_and_nothing_else_changes(plain: bytes, answer: Refused) -> None:
    wire = line_of(1)
    till = wire.terminals[0]
    wire.run(200)
    till.session.send(plain)
    wire.run(400)
    assert till.heard[-1] == answer
    till.ask(1, wire.now_ms)
    wire.run(600)
    assert 1 in till.approved_ms


def test_a_refusal_is_not_answered() -> None:
    wire = line_of(1)
    wire.run(200)
    wire.terminals[0].session.send(b"\x92\x03\x01")  # REFUSED with a field missing
    heard = len(wire.terminals[0].heard)
    wire.run(400)
    assert len(wire.terminals[0].heard) == heard


def test_a_newer_offer_takes_the_place_of_the_one_that_waits() -> None:
    wire = line_of(1)
    wire.run(200)
    for version in range(1, 9):
        assert wire.master.send(100, Offer(6, version, 10, bytes(32)))
    wire.run(400)
    offers = [message.version for message in wire.terminals[0].heard if isinstance(message, Offer)]
    assert offers == [1, 8]


def test_nothing_is_sent_to_a_terminal_without_a_session() -> None:
    wire = line_of(1)
    assert not wire.master.send(100, Ack(1, 1))
    assert not wire.master.send(999, Ack(1, 1))


def test_terminals_are_added_and_removed_while_the_line_runs() -> None:
    wire = line_of(2)
    late = PretendTerminal(150, 9, wire.random)
    wire.run(200)
    wire.terminals.append(late)
    wire.master.add(wire.new_master([late]).peers[0])
    wire.master.remove(100)
    wire.run(600)
    assert late.session.is_open
    assert not polls_of(wire, 1, 220)


def test_what_waited_in_an_old_session_is_forgotten_in_the_new_one() -> None:
    wire = line_of(1)
    wire.run(200)
    wire.terminals[0].boot()
    wire.terminals[0].heard.clear()
    for high_water in range(1, 9):
        wire.master.send(100, Ack(1, high_water))
    wire.run(600)
    assert not [message for message in wire.terminals[0].heard if isinstance(message, Ack)]


def test_a_talking_terminal_is_polled_more_often_than_an_idle_one() -> None:
    wire = line_of(2)
    wire.run(2000)
    wire.terminals[0].ask(1, wire.now_ms)
    wire.run(2200)
    assert len(polls_of(wire, 1, 2000)) > 3 * len(polls_of(wire, 2, 2000))


def test_an_answer_that_arrives_slowly_is_waited_for_but_not_for_ever() -> None:
    master = line_of(1).master
    assert master.poll(0) is not None
    assert 20 < master.due() < 21
    master.receive(b"\x01", 15)
    assert master.due() == 35
    master.receive(b"\x01", 30)
    assert 42 < master.due() < 43  # the longest frame takes 22.2 ms


def test_a_port_opened_again_starts_with_a_clean_line() -> None:
    wire = line_of(1)
    wire.run(300)
    while wire.master.poll(wire.now_ms) is None:
        wire.now_ms += 1
    wire.master.receive(b"\x05half", wire.now_ms)
    wire.master.suspend()
    assert wire.master.next_event() == PeerDown(100)
    wire.master.resume(wire.now_ms)
    assert wire.master.due() <= wire.now_ms
    polled = wire.master.poll(wire.now_ms)
    assert polled is not None
    (answer,) = wire.terminals[0].hear(polled, wire.now_ms)
    wire.master.receive(answer, wire.now_ms)
    assert wire.master.next_event() == PeerUp(100)


RATES = st.floats(0, 0.3)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32), loss=RATES, alteration=RATES, repeat=RATES, delay=st.floats(0, 0.1), garbage=RATES, has_echo=st.booleans()
)
def test_whatever_the_wire_does_everything_arrives_once_and_in_order(
    seed: int, loss: float, alteration: float, repeat: float, delay: float, garbage: float, has_echo: bool
) -> None:
    random = Random(seed)
    wire = line_of(3, seed, loss=loss, alteration=alteration, repeat=repeat, delay=delay, garbage=garbage)
    wire.faults.has_echo = has_echo
    wire.decision_ms = 7
    for terminal in wire.terminals:
        terminal.journal.extend(pretend_record(sequence) for sequence in range(1, random.randrange(2, 20)))
        wire.at(random.uniform(0, 1500), lambda terminal=terminal: terminal.ask(99, wire.now_ms))
        wire.at(random.uniform(0, 1500), terminal.boot)
    wire.at(1600, lambda: setattr(wire, "master", wire.new_master()))
    wire.run(2000)
    wire.faults = Faults()  # the wire heals
    wire.run(12_000)
    for terminal in wire.terminals:
        assert wire.records[terminal.number] == terminal.journal
        assert 99 in terminal.approved_ms


def test_a_board_with_other_keys_in_the_place_of_a_known_one_is_not_up() -> None:
    """It says HELLO for ever, and opens nothing: the session that stands belongs to the board before it."""
    wire = line_of(1)
    wire.run(500)
    wire.terminals[0] = PretendTerminal(100, 1, wire.random, key=bytes(16))
    wire.run(5_000)
    assert [type(event) for event in wire.events if isinstance(event, PeerUp | PeerDown)] == [PeerUp, PeerDown]
