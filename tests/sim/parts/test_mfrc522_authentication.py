"""MFAuthent (data sheet, section 10.3.1.9) and the session it opens."""

import pytest

from sim.parts import mfrc522_registers as r
from sim.parts.disturbed import DisturbedCard
from sim.parts.iso14443 import encode
from sim.parts.mfrc522_commands import IDLE, MF_AUTHENT, SOFT_RESET
from sim.parts.mifare import MifareClassic
from tests.sim.parts.probe import KEY, UID_4, UID_7, Probe

WRONG_KEY = bytes(6)


@pytest.fixture(params=[UID_4, UID_7], ids=["4 bytes", "7 bytes"])
def uid(request: pytest.FixtureRequest) -> bytes:
    return request.param


@pytest.fixture
def probe(uid: bytes) -> Probe:
    """A card selected and nothing more."""
    probe = Probe()
    probe.field.put(MifareClassic(uid))
    probe.start().select(uid)
    return probe


def test_success_ends_the_command_and_switches_crypto_on(probe: Probe, uid: bytes) -> None:
    probe.begin(bytes([0x60, 4]) + KEY + uid[-4:], command=MF_AUTHENT)
    irqs = probe.await_irq(r.IDLE_IRQ | r.TIMER_IRQ)
    assert irqs & (r.TX_IRQ | r.RX_IRQ | r.ERR_IRQ | r.TIMER_IRQ | r.IDLE_IRQ) == r.IDLE_IRQ
    assert probe.read(r.COMMAND) & 0x0F == IDLE
    assert probe.read(r.STATUS2) & r.CRYPTO1_ON


def test_three_passes_take_their_time(probe: Probe, uid: bytes) -> None:
    """Frames of 4, 4, 8 and 4 bytes with parity: 188 bits with starts and ends, and two frame delay times."""
    start_us = probe.clock.now_us
    assert probe.authenticate(4, uid)
    expected_us = ((36 + 36 + 72 + 36 + 8) * 128 + 2 * 1084) / 13.56
    assert expected_us < probe.clock.now_us - start_us < expected_us + 60


@pytest.mark.parametrize("wrong", ["key", "uid"])
def test_wrong_key_or_uid_is_silence_and_the_command_stays(probe: Probe, uid: bytes, wrong: str) -> None:
    key, four = (WRONG_KEY, uid[-4:]) if wrong == "key" else (KEY, bytes(4))
    probe.begin(bytes([0x60, 4]) + key + four, command=MF_AUTHENT)
    irqs = probe.await_irq(r.IDLE_IRQ | r.TIMER_IRQ)
    assert irqs & (r.IDLE_IRQ | r.TIMER_IRQ | r.ERR_IRQ) == r.TIMER_IRQ
    probe.clock.wait(1_000_000)
    assert probe.read(r.COMMAND) & 0x0F == MF_AUTHENT
    assert not probe.read(r.STATUS2) & r.CRYPTO1_ON


def test_a_uid_of_7_bytes_authenticates_with_its_last_four() -> None:
    probe = Probe()
    probe.field.put(MifareClassic(UID_7))
    probe.start().select(UID_7)
    probe.begin(bytes([0x60, 4]) + KEY + UID_7[:4], command=MF_AUTHENT)
    assert not probe.await_irq(r.IDLE_IRQ | r.TIMER_IRQ) & r.IDLE_IRQ


def test_after_a_failure_the_card_must_be_selected_again(probe: Probe, uid: bytes) -> None:
    assert not probe.authenticate(4, uid, WRONG_KEY)
    assert not probe.authenticate(4, uid)
    probe.select(uid)
    assert probe.authenticate(4, uid)


def test_a_card_not_selected_is_not_authenticated(uid: bytes) -> None:
    probe = Probe()
    probe.field.put(MifareClassic(uid))
    assert not probe.start().authenticate(4, uid)


def test_from_one_sector_to_the_next_without_leaving_the_session(probe: Probe, uid: bytes) -> None:
    assert probe.authenticate(4, uid)
    assert probe.authenticate(8, uid)
    assert probe.read_block(8) == bytes(16)
    assert probe.read_block(4) == 0x4, "the first sector is closed"


def test_failure_inside_a_session_leaves_crypto_to_software(probe: Probe, uid: bytes) -> None:
    assert probe.authenticate(4, uid)
    assert not probe.authenticate(8, uid, WRONG_KEY)
    assert probe.read(r.STATUS2) & r.CRYPTO1_ON
    assert probe.wake().bits == 0, "the request is enciphered, and nobody understands it"
    probe.stop_crypto()
    assert probe.wake().bits == 16


def test_an_error_inside_a_session_ends_it(probe: Probe, uid: bytes) -> None:
    assert probe.authenticate(4, uid)
    probe.begin(bytes([0x60, 64]) + KEY + uid[-4:], command=MF_AUTHENT)
    assert probe.await_irq(r.ERR_IRQ | r.TIMER_IRQ) & r.ERR_IRQ
    assert not probe.read(r.STATUS2) & r.CRYPTO1_ON
    assert probe.wake().bits == 16


def test_a_reset_ends_the_session(probe: Probe, uid: bytes) -> None:
    assert probe.authenticate(4, uid)
    probe.write(r.COMMAND, SOFT_RESET)
    assert not probe.read(r.STATUS2) & r.CRYPTO1_ON
    assert probe.start().wake().bits == 16


def test_two_cards_of_one_uid_answer_with_different_nonces() -> None:
    probe, twin = Probe(), MifareClassic(UID_4)
    probe.field.put(twin)
    probe.start().open(4, UID_4)
    probe.field.remove(twin)
    for card in (twin, MifareClassic(UID_4)):
        probe.field.put(card)
    probe.clock.wait(6_000)
    probe.select(UID_4)
    probe.begin(bytes([0x60, 4]) + KEY + UID_4, command=MF_AUTHENT)
    probe.await_irq(r.ERR_IRQ)
    assert probe.read(r.ERROR) & r.PROTOCOL_ERROR


def test_crypto_switched_off_too_early_makes_card_and_reader_strangers(probe: Probe, uid: bytes) -> None:
    assert probe.authenticate(4, uid)
    probe.stop_crypto()
    answer = probe.ask(0x30, 4)
    assert answer.bits in (0, 4)
    probe.select(uid)
    assert probe.authenticate(4, uid)


def test_fifo_is_locked_while_it_runs(probe: Probe, uid: bytes) -> None:
    probe.begin(bytes([0x60, 4]) + WRONG_KEY + uid[-4:], command=MF_AUTHENT)
    probe.write(r.FIFO_DATA, 1)
    assert probe.read(r.ERROR) & r.WRITE_ERROR
    assert probe.read(r.FIFO_LEVEL) == 0
    assert probe.read(r.FIFO_DATA) == 0


def test_too_few_bytes_start_nothing(probe: Probe) -> None:
    probe.begin(bytes(11), command=MF_AUTHENT)
    probe.clock.wait(100_000)
    assert not probe.read(r.COM_IRQ) & (r.IDLE_IRQ | r.TIMER_IRQ)


def test_no_such_block_is_an_answer_of_the_wrong_size(probe: Probe, uid: bytes) -> None:
    probe.begin(bytes([0x60, 64]) + KEY + uid[-4:], command=MF_AUTHENT)
    probe.await_irq(r.ERR_IRQ)
    assert probe.read(r.ERROR) & r.PROTOCOL_ERROR
    assert probe.read(r.COMMAND) & 0x0F == MF_AUTHENT


def test_a_card_that_proves_nothing_is_a_protocol_error() -> None:
    answers = iter([None, None, None, encode(bytes(4))])
    probe = Probe()
    probe.field.put(DisturbedCard(MifareClassic(UID_4), lambda frame: next(answers, None) or frame))
    probe.start()
    probe.exchange(b"\x52", last_bits=7)
    probe.ask(0x93, 0x70, *UID_4, 0x08)
    probe.begin(bytes([0x60, 4]) + KEY + UID_4, command=MF_AUTHENT)
    probe.await_irq(r.ERR_IRQ)
    assert probe.read(r.ERROR) & r.PROTOCOL_ERROR
    assert not probe.read(r.STATUS2) & r.CRYPTO1_ON
