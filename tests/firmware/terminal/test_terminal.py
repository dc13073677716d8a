"""A whole terminal and a host: starting, names and records, resources, the program."""

from collections.abc import Callable
from typing import Any

import pytest

from firmware.drivers.beeper import ACCEPTED
from firmware.terminal.actions import NO_NAME, AskHost, Beep, GiveUp, OpenValve, ShutValve, Write
from firmware.terminal.events import Answered, CardGone, Key, KeypadChanged, LinkUp, NotWritten, Written
from firmware.terminal.events import Resources as ResourceEvent
from protocol import codes, messages, shown
from protocol.messages import ASK_LOOKUP, CLOCK, SETTINGS, TARIFF, Ask
from protocol.packing import pack
from protocol.record import ACTIVATED, FAULT, NONE, NOTHING, SALE, STARTED
from sim.parts.mifare import MifareClassic
from tests.firmware.terminal.small_host import TERMINAL, Host, grant
from tests.firmware.terminal.stand import Stand, ask_for_sale, open_shower, sell, settle, write_sale
from tests.firmware.terminal.test_settings import SETTINGS_FIELDS

# Starting.


def test_a_new_terminal_gets_an_epoch_and_writes_started_first() -> None:
    stand = Stand().come_up()
    assert stand.kinds() == [STARTED]
    first = stand.host.records[0]
    assert (first.epoch, first.sequence, first.trust, first.at_s) == (1, 1, 2, 200_000_000)
    assert shown.unpack_started(first.shown) == (1, 0)
    assert stand.host.states[0][:3] == (0, 1, 1)
    assert stand.program.told(LinkUp)


def test_without_an_epoch_nothing_is_asked_or_written() -> None:
    stand = Stand()
    stand.program.wants = (ask_for_sale(),)
    stand.pass_time()
    stand.program.wants = (write_sale(), Beep(ACCEPTED))
    stand.pass_time()
    assert stand.program.told(Answered)[0].answer.code == codes.HOST_AWAY
    assert stand.program.told(NotWritten) == [NotWritten(SALE, codes.HOST_AWAY)]
    assert ACCEPTED not in stand.board.log


def test_every_boot_writes_started_first_link_or_not() -> None:
    stand = Stand().come_up()
    stand.boot()
    stand.pass_time()
    stand.boot()
    stand.come_up()
    assert stand.kinds() == [STARTED] * 3
    assert [one.away for one in stand.host.records] == [True, True, True]
    assert [shown.unpack_started(one.shown)[1] for one in stand.host.records] == [0, 1, 2]
    assert stand.host.records[1].trust == 1, "time estimated from the record before"


def test_ten_minutes_of_health_are_remembered() -> None:
    stand = Stand().come_up()
    stand.rig.clock.advance(600_000_000)
    stand.step()
    stand.boot()
    stand.come_up()
    assert shown.unpack_started(stand.host.records[-1].shown) == (1, 0)


# Sales, and rule 1.


def test_a_sale_is_asked_for_journalled_then_shown_then_delivered() -> None:
    stand = Stand().come_up()
    sell(stand)
    stand.run_until(lambda: SALE in stand.kinds())
    assert stand.kinds() == [STARTED, SALE]
    sale = stand.host.records[1]
    assert (sale.sequence, sale.subject, sale.amount_fen, sale.away) == (2, 7, 1250, False)
    assert [(ask.epoch, ask.sequence) for ask in stand.host.asks] == [(1, 2)]
    assert stand.board.log.count(ACCEPTED) == 1


def test_a_refusal_closes_the_name_with_nothing() -> None:
    host = Host(decide=lambda ask: grant(ask)._replace(code=codes.BALANCE_LOW, held_fen=0, lacking_fen=500))
    stand = Stand(host=host).come_up()
    sell(stand)
    stand.run_until(lambda: stand.program.told(Answered))
    stand.run()
    assert stand.kinds() == [STARTED, NOTHING]
    assert (stand.host.records[1].sequence, stand.host.records[1].subject) == (2, 7)
    assert stand.program.told(Answered)[0].answer.lacking_fen == 500


def test_giving_up_closes_the_name_and_a_late_answer_is_ignored() -> None:
    late: list[Ask] = []
    stand = Stand(host=Host(decide=late.append)).come_up()
    sell(stand)
    stand.run_until(lambda: late)
    stand.program.wants = (GiveUp(),)
    stand.run()
    stand.host.outbox.append(grant(late[0]))
    stand.run()
    assert stand.kinds() == [STARTED, NOTHING]
    assert stand.program.told(Answered) == []
    stand.program.wants = (GiveUp(),)
    stand.run()
    assert stand.kinds() == [STARTED, NOTHING], "nothing is open"


def test_another_ask_closes_the_name_before_it_takes_the_next() -> None:
    stand = Stand(host=Host(decide=lambda ask: grant(ask) if ask.amount_fen == 2 else None)).come_up()
    sell(stand, 1)
    stand.run_until(lambda: stand.host.asks)
    sell(stand, 2)
    stand.run_until(lambda: SALE in stand.kinds())
    assert stand.kinds() == [STARTED, NOTHING, SALE]
    assert [ask.sequence for ask in stand.host.asks] == [2, 3]


def test_no_sale_without_an_approval() -> None:
    stand = Stand(host=Host(decide=lambda ask: None)).come_up()
    stand.program.wants = (write_sale(), Beep(ACCEPTED))
    stand.run()
    sell(stand)
    stand.run_until(lambda: stand.host.asks)
    stand.program.wants = (write_sale(), Beep(ACCEPTED))
    stand.run()
    assert stand.program.told(NotWritten) == [NotWritten(SALE, codes.CLOSED)] * 2
    assert ACCEPTED not in stand.board.log


def test_a_purse_sale_takes_the_name_of_the_open_ask() -> None:
    stand = Stand(host=Host(decide=lambda ask: None)).come_up()
    sell(stand)
    stand.run_until(lambda: stand.host.asks)
    stand.program.wants = (write_sale()._replace(purse=True),)
    stand.run_until(lambda: SALE in stand.kinds())
    assert stand.kinds() == [STARTED, SALE]
    assert stand.host.records[1].purse


def test_a_fault_waits_until_the_name_is_closed() -> None:
    stand = Stand(host=Host(decide=lambda ask: None)).come_up()
    sell(stand)
    stand.run_until(lambda: stand.host.asks)
    fault = Write(FAULT, 0, 0, NONE, 0, 0, 0, 0, shown.pack_fault(codes.READER_FAULT), False)
    stand.program.wants = (fault,)
    stand.run()
    assert stand.kinds() == [STARTED]
    stand.host.decide = grant
    stand.program.wants = (GiveUp(),)
    stand.run_until(lambda: FAULT in stand.kinds())
    assert stand.kinds() == [STARTED, NOTHING, FAULT]
    assert stand.program.told(Written)[-1].kind == FAULT


def test_a_look_up_has_no_name_and_closes_none() -> None:
    stand = Stand(host=Host(decide=lambda ask: grant(ask)._replace(text=b"12") if ask.kind == ASK_LOOKUP else None)).come_up()
    sell(stand)
    stand.program.on = {}
    stand.run_until(lambda: stand.host.asks)
    stand.program.wants = (AskHost(ASK_LOOKUP, 0, 0, 0, 0, b"", b"123456", NO_NAME),)
    stand.run_until(lambda: stand.program.told(Answered))
    assert stand.host.asks[-1].sequence == 0
    assert stand.kinds() == [STARTED]


@pytest.mark.parametrize(("reason", "kinds"), [(messages.BUSY, [STARTED, SALE]), (messages.MALFORMED, [STARTED, NOTHING])])
def test_a_host_that_refuses_to_answer(reason: int, kinds: list[int]) -> None:
    """Busy: asked again under the same name. Anything else ends the ask."""
    stand = Stand(host=Host(decide=lambda ask: None)).come_up()
    sell(stand)
    stand.run_until(lambda: stand.host.asks)
    stand.host.outbox.append(messages.Refused(messages.ASK, reason))
    stand.host.decide = grant
    stand.run_until(lambda: stand.kinds() == kinds)
    assert stand.program.told(Answered)[-1].answer.code == (0 if SALE in kinds else codes.REFUSED)


# Resources.


def test_resources_come_into_force_between_sessions_and_are_told_by_a_record() -> None:
    stand = Stand("shower").come_up()
    name = open_shower(stand)
    stand.host.offer(SETTINGS, 3, pack(SETTINGS_FIELDS))
    stand.run(100)
    assert stand.terminal.in_force.settings is None, "a session runs"
    stand.program.wants = (ShutValve(), settle(name, 0))
    stand.run_until(lambda: ACTIVATED in stand.kinds())
    assert stand.program.told(ResourceEvent) == [ResourceEvent(SETTINGS)]
    assert stand.board.meter_cold is not None
    assert stand.board.meter_cold.pulses_per_l == 450
    resource, version, digest = shown.unpack_activated(stand.host.records[-1].shown)
    assert (resource, version) == (SETTINGS, 3)
    stand.boot()
    assert stand.terminal.in_force.settings is not None
    stand.come_up()
    assert stand.host.states[-1].resources == [[SETTINGS, 3, digest[:8]]]
    assert stand.kinds().count(ACTIVATED) == 1


def test_the_tariff_s_version_is_in_every_record() -> None:
    stand = Stand().come_up()
    stand.host.offer(TARIFF, 70_000, pack([1, 1, 2]))
    stand.run_until(lambda: ACTIVATED in stand.kinds())
    sell(stand)
    stand.run_until(lambda: SALE in stand.kinds())
    assert stand.host.records[-1].tariff == 70_000 & 0xFFFF


def test_no_activation_is_told_while_a_name_is_open() -> None:
    stand = Stand(host=Host(decide=lambda ask: None)).come_up()
    stand.program.wants = (ask_for_sale(),)
    stand.run_until(lambda: stand.host.asks)
    stand.host.offer(TARIFF, 1, pack([1, 1, 2]))
    stand.run(100)
    assert stand.kinds() == [STARTED]
    stand.program.wants = (GiveUp(),)
    stand.run_until(lambda: ACTIVATED in stand.kinds())
    assert stand.kinds() == [STARTED, NOTHING, ACTIVATED]


def test_the_clock_is_set_by_an_offer() -> None:
    stand = Stand().come_up()
    stand.host.outbox.append(messages.Offer(CLOCK, 300_000_000, 0, b""))
    stand.run()
    assert stand.terminal.clock.at_s(stand.board.ticks_ms()) == 300_000_000
    stand.host.outbox.append(messages.Offer(messages.PRICES, 1, 10, bytes(32)))
    stand.run()
    assert stand.host.refused == [messages.Refused(messages.OFFER, messages.MALFORMED)]


# The program.


def test_keys_reach_the_program_and_the_display_its_lines() -> None:
    stand = Stand().come_up()
    stand.board.keys = ["5"]
    stand.run(2)
    assert stand.program.told(Key) == [Key("5")]
    assert stand.board.lines == (b"1", b"2", b"3", b"4")


@pytest.mark.parametrize("end", [Key, CardGone])
def test_water_is_told_before_the_key_or_card_that_ends_it(end: type) -> None:
    """All that happens in one pass: who shuts the valve has been charged by then."""
    stand = Stand("shower").come_up()
    stand.rig.air.put(card := MifareClassic(b"\1\2\3\4"))
    stand.run()
    told: list[tuple[int, int]] = []
    stand.program.on = {end: lambda event: told.append(stand.program.meters) or ()}
    assert stand.board.meter_cold is not None
    stand.be_busy(100)
    stand.board.meter_cold.ml += 500
    stand.rig.air.remove(card)
    stand.board.keys = ["OK"]
    stand.terminal.poll()
    assert told == [(500, 0)]


def test_a_stuck_key_is_told_when_it_sticks_and_when_it_comes_free() -> None:
    stand = Stand().come_up()
    for is_stuck in (True, False):
        stand.board.is_stuck = is_stuck
        stand.run()
        assert stand.terminal.in_force.is_key_stuck == is_stuck
    assert len(stand.program.told(KeypadChanged)) == 2


def test_the_actions_after_a_record_that_was_not_written_are_not_done() -> None:
    stand = Stand("shower").come_up()
    stand.program.wants = (write_sale(), OpenValve(), Beep(ACCEPTED))
    stand.run()
    assert not stand.board.is_open
    assert ACCEPTED not in stand.board.log


def test_a_program_that_answers_itself_for_ever_is_stopped() -> None:
    stand = Stand().come_up()
    again: Callable[[Any], tuple[Any, ...]] = lambda event: (write_sale(1)._replace(purse=True),)  # noqa: E731
    stand.program.on = {Written: again}
    stand.program.wants = (write_sale(1)._replace(purse=True),)
    with pytest.raises(AssertionError):
        stand.run()


def test_the_numbers_of_the_terminal_are_in_its_records() -> None:
    stand = Stand().come_up()
    assert {one.terminal for one in stand.host.records} == {TERMINAL}
