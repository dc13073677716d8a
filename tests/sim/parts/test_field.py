"""A field used by several threads, as the web and a reader use it."""

import threading

from sim.parts.mifare import MifareClassic
from tests.sim.parts.probe import UID_4, Clock, Probe

ROUNDS = 150


def test_cards_come_and_go_in_one_thread_while_another_reads() -> None:
    """Every exchange ends as found, or as silence, or as a broken frame; nothing raises and nothing hangs."""
    probe, card = Probe(Clock(50)).start(), MifareClassic(UID_4)
    rounds: list[int] = []

    def come_and_go() -> None:
        for round_number in range(ROUNDS):
            probe.field.put(card)
            assert len(probe.field.cards) == 1
            probe.field.remove(card)
            rounds.append(round_number)

    visitor = threading.Thread(target=come_and_go)
    visitor.start()
    while visitor.is_alive():
        assert probe.wake().bits <= 16
        probe.clock.wait(3_000)
    visitor.join()
    assert len(rounds) == ROUNDS
    probe.field.put(card)
    probe.clock.wait(6_000)
    probe.open(4, UID_4)


def test_the_card_answers_again_after_the_last_put() -> None:
    probe, card = Probe().start(), MifareClassic(UID_4)
    for _ in range(3):
        probe.field.put(card)
        probe.clock.wait(6_000)
        assert probe.wake().bits == 16
        probe.field.remove(card)
        assert probe.wake().bits == 0
