"""The MFRC522 on the air: time, silence, collisions, and frames that arrive damaged."""

import pytest

from sim.parts import mfrc522_registers as r
from sim.parts.disturbed import DisturbedCard
from sim.parts.iso14443 import Frame, encode, with_crc
from sim.parts.mfrc522_commands import IDLE, RECEIVE, TRANSCEIVE, TRANSMIT
from sim.parts.mfrc522_modem import RECEIVING, RX_WAIT, TRANSMITTING, TX_WAIT, WAIT_DATA, WAIT_START
from sim.parts.mifare import MifareClassic
from tests.sim.parts.probe import UID_4, UID_7, Clock, Probe

# Start, 7 bits and end of a request; frame delay time; start, two bytes with parity and end of the answer.
REQUEST_US = 9 * 9.44
ANSWER_START_US = REQUEST_US + 1084 / 13.56
ANSWER_END_US = ANSWER_START_US + 20 * 9.44


@pytest.fixture
def probe() -> Probe:
    """A set-up reader with one card, all awake."""
    probe = Probe(Clock(1))
    probe.field.put(MifareClassic(UID_4))
    return probe.start()


def disturbed(change: Frame | None, only_length: int = 0) -> Probe:
    """A reader with one card whose answers (of one length) are replaced."""
    probe = Probe()
    probe.field.put(DisturbedCard(MifareClassic(UID_4), lambda frame: change if only_length in (0, frame.length) else frame))
    return probe.start()


def test_request_is_answered_with_atqa(probe: Probe) -> None:
    answer = probe.exchange(b"\x26", last_bits=7)
    assert (answer.data, answer.bits, answer.errors) == (b"\x04\x00", 16, 0)
    assert answer.irqs & (r.TX_IRQ | r.RX_IRQ | r.IDLE_IRQ | r.TIMER_IRQ) == r.TX_IRQ | r.RX_IRQ


def test_nothing_is_reported_before_its_time(probe: Probe) -> None:
    probe.begin(b"\x26", last_bits=7)
    begun_us = probe.clock.now_us
    seen: dict[int, float] = {}
    while not seen.get(r.RX_IRQ):
        irqs = probe.read(r.COM_IRQ)
        for irq in (r.TX_IRQ, r.RX_IRQ):
            if irqs & irq:
                seen.setdefault(irq, probe.clock.now_us - begun_us)
    assert seen[r.TX_IRQ] == pytest.approx(REQUEST_US, abs=3)
    assert seen[r.RX_IRQ] == pytest.approx(ANSWER_END_US, abs=3)


def test_modem_state_follows_the_exchange(probe: Probe) -> None:
    states: list[int] = []
    probe.begin(b"\x26", last_bits=7)
    while WAIT_START not in states:
        state = probe.read(r.STATUS2) & 7
        if state not in states[-1:]:
            states.append(state)
    assert states == [TRANSMITTING, RX_WAIT, RECEIVING, WAIT_START]


def test_transceive_goes_on_until_the_host_ends_it(probe: Probe) -> None:
    probe.exchange(b"\x26", last_bits=7)
    assert probe.read(r.COMMAND) & 0x0F == TRANSCEIVE
    probe.write(r.FIFO_DATA, 0x93, 0x20)
    probe.write(r.COM_IRQ, 0x7F)
    probe.write(r.BIT_FRAMING, 0x80)
    probe.await_irq(r.RX_IRQ)
    assert probe.read(r.FIFO_LEVEL) == 5


def test_start_send_counts_only_within_transceive(probe: Probe) -> None:
    probe.write(r.FIFO_DATA, 0x26)
    probe.write(r.BIT_FRAMING, 0x87)
    probe.clock.wait(1_000)
    assert probe.read(r.FIFO_LEVEL) == 1


def test_silence_ends_by_the_timer_and_only_by_it(probe: Probe) -> None:
    probe.field.remove(probe.field.cards[0])
    probe.begin(b"\x26", last_bits=7)
    sent_us = probe.clock.now_us + REQUEST_US
    irqs = probe.await_irq(r.RX_IRQ | r.TIMER_IRQ)
    assert irqs & (r.RX_IRQ | r.TIMER_IRQ | r.IDLE_IRQ | r.ERR_IRQ) == r.TIMER_IRQ
    assert probe.clock.now_us - sent_us == pytest.approx(257 * 25, abs=10)
    assert probe.read(r.STATUS2) & 7 == RX_WAIT


def test_an_answer_stops_the_timer(probe: Probe) -> None:
    probe.exchange(b"\x26", last_bits=7)
    probe.clock.wait(100_000)
    assert not probe.read(r.COM_IRQ) & r.TIMER_IRQ
    assert not probe.read(r.STATUS1) & 0x08


def test_without_t_auto_silence_lasts(probe: Probe) -> None:
    probe.field.remove(probe.field.cards[0])
    probe.write(r.T_MODE, 0x00)
    probe.begin(b"\x26", last_bits=7)
    probe.clock.wait(10_000_000)
    assert not probe.read(r.COM_IRQ) & (r.RX_IRQ | r.TIMER_IRQ)


@pytest.mark.parametrize(
    ("address", "value"),
    [(r.TX_CONTROL, 0x80), (r.TX_ASK, 0x00), (r.TX_MODE, 0x10), (r.RX_SEL, 0x80 | 20)],
    ids=["no antenna", "no full modulation", "212 kbit/s", "receiver guarded for longer than the card waits"],
)
def test_a_wrong_setting_means_silence(probe: Probe, address: int, value: int) -> None:
    probe.write(address, value)
    probe.write(r.MODE, 0x1D)
    assert probe.exchange(b"\x26", last_bits=7).bits == 0


def test_receiver_switched_off_hears_nothing(probe: Probe) -> None:
    probe.write(r.FIFO_DATA, 0x26)
    probe.write(r.COMMAND, 0x20 | TRANSCEIVE)
    probe.write(r.BIT_FRAMING, 0x87)
    assert not probe.await_irq(r.RX_IRQ | r.TIMER_IRQ) & r.RX_IRQ


def test_transmission_waits_for_the_field(probe: Probe) -> None:
    probe.write(r.TX_CONTROL, 0x80)
    probe.begin(b"\x26", last_bits=7)
    probe.clock.wait(10_000)
    assert probe.read(r.STATUS2) & 7 == TX_WAIT
    probe.write(r.TX_CONTROL, 0x83)
    assert probe.read(r.STATUS2) & 7 == TRANSMITTING


def test_a_card_needs_5_ms_of_field(probe: Probe) -> None:
    probe.write(r.TX_CONTROL, 0x80)
    probe.write(r.TX_CONTROL, 0x83)
    assert probe.exchange(b"\x26", last_bits=7).bits == 0, "asked at once, while it starts up"
    assert probe.exchange(b"\x26", last_bits=7).bits == 16


def test_one_antenna_driver_is_a_field_too(probe: Probe) -> None:
    probe.write(r.TX_CONTROL, 0x81)
    assert probe.exchange(b"\x26", last_bits=7).bits == 16


def test_transmit_then_receive_is_an_exchange(probe: Probe) -> None:
    probe.begin(b"\x26", command=TRANSMIT, last_bits=7)
    assert probe.await_irq(r.IDLE_IRQ) & r.TX_IRQ
    probe.write(r.COM_IRQ, 0x7F)
    probe.write(r.COMMAND, RECEIVE)
    assert probe.read(r.STATUS2) & 7 == WAIT_DATA
    assert probe.await_irq(r.IDLE_IRQ) & r.RX_IRQ
    assert probe.read(r.FIFO_LEVEL) == 2


def test_the_host_can_give_up_at_any_time(probe: Probe) -> None:
    for wait_us in range(0, 400, 20):
        probe.begin(b"\x52", last_bits=7)
        probe.clock.wait(wait_us)
        probe.write(r.COMMAND, IDLE)
        probe.clock.wait(1_000)
        assert probe.read(r.STATUS2) & 7 == 0
    probe.wake()
    assert probe.wake().bits in (0, 16)


def test_writing_the_fifo_while_an_answer_is_awaited_is_flagged(probe: Probe) -> None:
    probe.begin(b"\x26", last_bits=7)
    probe.await_irq(r.TX_IRQ)
    probe.write(r.FIFO_DATA, 0)
    assert probe.read(r.ERROR) & r.WRITE_ERROR


def test_an_answer_that_does_not_fit_overflows(probe: Probe) -> None:
    probe.begin(b"\x26", last_bits=7)
    probe.write(r.FIFO_DATA, *bytes(63))
    probe.await_irq(r.RX_IRQ)
    assert probe.read(r.ERROR) & r.OVERFLOW_ERROR
    assert probe.read(r.FIFO_LEVEL) == 64


def test_crc_is_added_checked_and_kept_out_of_the_fifo(probe: Probe) -> None:
    probe.wake()
    probe.write(r.TX_MODE, 0x80)
    probe.write(r.RX_MODE, 0x80)
    answer = probe.exchange(bytes([0x93, 0x70, *UID_4, 0x12 ^ 0x34 ^ 0x56 ^ 0x78]))
    assert (answer.data, answer.errors) == (b"\x08", 0)


def test_four_bits_fail_a_crc_that_is_asked_for(probe: Probe) -> None:
    probe.select(UID_4)
    probe.write(r.RX_MODE, 0x80)
    answer = probe.ask(0x30, 0)
    assert (answer.bits, answer.errors) == (4, r.CRC_ERROR)


def test_parity_error() -> None:
    answer = disturbed(Frame(encode(b"\x04\x00").stream ^ 1 << 8, 18)).wake()
    assert (answer.data, answer.errors) == (b"\x04\x00", r.PARITY_ERROR)
    assert answer.irqs & (r.RX_IRQ | r.ERR_IRQ) == r.RX_IRQ | r.ERR_IRQ


def test_crc_error() -> None:
    probe = disturbed(encode(with_crc(b"\x08")[:2] + b"\x00"), only_length=27)
    probe.write(r.RX_MODE, 0x80)
    probe.exchange(b"\x26", last_bits=7)
    assert probe.ask(0x93, 0x70, *UID_4, 0x08).errors & r.CRC_ERROR


def test_parity_is_data_where_it_is_disabled(probe: Probe) -> None:
    probe.write(r.MF_RX, 0x10)
    answer = probe.exchange(b"\x26", last_bits=7)
    assert (answer.bits, answer.errors) == (18, 0)


def test_less_than_four_bits_are_no_frame_if_rx_no_err_is_set() -> None:
    probe = disturbed(Frame(0b101, 3))
    assert probe.wake().bits == 3
    probe.write(r.RX_MODE, 0x08)
    assert probe.wake().bits == 0


def two_cards(one: str, other: str) -> Probe:
    probe = Probe()
    probe.field.put(MifareClassic(bytes.fromhex(one)))
    probe.field.put(MifareClassic(bytes.fromhex(other)))
    return probe.start()


@pytest.mark.parametrize(
    ("one", "other", "position"), [("00000000", "01000000", 1), ("10803000", "10003000", 16), ("11223300", "11223380", 0)]
)
def test_collision_is_reported_with_its_position(one: str, other: str, position: int) -> None:
    probe = two_cards(one, other)
    probe.wake()
    answer = probe.exchange(b"\x93\x20")
    assert answer.errors & r.COLLISION_ERROR
    assert probe.read(r.COLL) == 0x80 | position


def test_bits_after_the_collision_are_cleared_if_asked_for() -> None:
    probe = two_cards("11223344", "11a3ff55")
    probe.write(r.COLL, 0x00)
    probe.wake()
    answer = probe.exchange(b"\x93\x20")
    assert probe.read(r.COLL) == 9
    assert int.from_bytes(answer.data, "little") & 0xFF == 0x11
    assert int.from_bytes(answer.data, "little") >> 9 == 0


def test_position_counts_from_the_byte_in_which_reception_began() -> None:
    """After 11 known bits the first byte in the FIFO has the bits 4 to 8 of the UID's second byte."""
    probe = two_cards("11220000", "11a20000")
    probe.wake()
    answer = probe.exchange(b"\x93\x33\x11\x02", last_bits=3, align=3)
    assert answer.errors & r.COLLISION_ERROR
    assert probe.read(r.COLL) == 0x80 | 8
    assert answer.data[0] & 0x7F == 0x20


def test_a_collision_behind_the_32nd_bit_has_no_position() -> None:
    probe = two_cards("11223344", "11223344")
    other = probe.field.cards[1]
    probe.field.remove(other)
    probe.field.put(DisturbedCard(other, lambda frame: frame if frame.length != 45 else Frame(frame.stream ^ 1 << 36, 45)))
    probe.clock.wait(6_000)
    probe.wake()
    assert probe.exchange(b"\x93\x20").errors & r.COLLISION_ERROR
    assert probe.read(r.COLL) == 0xA0


def test_no_collision_says_so() -> None:
    probe = two_cards("11223344", "11223344")
    probe.wake()
    assert probe.exchange(b"\x93\x20").errors == 0
    assert probe.read(r.COLL) == 0xA0


def test_sizes_of_uid_collide_in_atqa() -> None:
    probe = two_cards(UID_4.hex(), UID_7.hex())
    assert probe.wake().errors & r.COLLISION_ERROR
    assert probe.read(r.COLL) == 0x80 | 7


@pytest.mark.parametrize("wait_us", [int(REQUEST_US) // 2, int(ANSWER_START_US) - 20])
def test_a_card_taken_away_before_it_answers_is_silent(probe: Probe, wait_us: int) -> None:
    probe.begin(b"\x26", last_bits=7)
    probe.clock.wait(wait_us)
    probe.field.remove(probe.field.cards[0])
    assert not probe.await_irq(r.RX_IRQ | r.TIMER_IRQ) & r.RX_IRQ


def test_a_card_taken_away_while_it_answers_leaves_a_broken_frame(probe: Probe) -> None:
    probe.begin(b"\x26", last_bits=7)
    probe.clock.wait(int(ANSWER_START_US + 11 * 9.44))
    probe.field.remove(probe.field.cards[0])
    probe.await_irq(r.RX_IRQ)
    level, rest = probe.read(r.FIFO_LEVEL), probe.read(r.CONTROL) & 7
    assert level * 8 - (8 - rest if rest else 0) < 16


def test_the_antenna_switched_off_while_the_card_answers_is_the_end(probe: Probe) -> None:
    probe.begin(b"\x26", last_bits=7)
    probe.clock.wait(int(ANSWER_START_US) - 20)
    probe.write(r.TX_CONTROL, 0x80)
    assert not probe.await_irq(r.RX_IRQ | r.TIMER_IRQ) & r.RX_IRQ
