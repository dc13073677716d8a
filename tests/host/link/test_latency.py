"""From tap to approval on a full line, in virtual time: exact, so a test may hold it (PERFORMANCE, row 10)."""

from functools import cache
from random import Random

import pytest

from tests.host.link.wire import PretendTerminal, Wire, pretend_record

TERMINALS = 32
TAP_EVERY_MS = 3000.0
END_MS = 14_000.0


@cache
def latencies(turnaround_ms: tuple[float, float], decision_ms: float = 0.0) -> list[float]:
    """Every tap's wait for its approval, sorted; each sale's record is delivered too."""
    random = Random(10)
    terminals = [PretendTerminal(100 + index, 1 + index, random, turnaround_ms=turnaround_ms) for index in range(TERMINALS)]
    wire = Wire(random, terminals, decision_ms=decision_ms)

    def tap(terminal: PretendTerminal, sequence: int) -> None:
        terminal.ask(sequence, wire.now_ms)
        if sequence > 1:
            terminal.journal.append(pretend_record(sequence - 1))

    for terminal in terminals:
        at_ms = 1000 + random.uniform(0, TAP_EVERY_MS)
        for sequence in range(1, int((END_MS - 4000) / TAP_EVERY_MS)):
            wire.at(at_ms, lambda terminal=terminal, sequence=sequence: tap(terminal, sequence))
            at_ms += random.uniform(0.5, 1.5) * TAP_EVERY_MS
    wire.run(END_MS)
    waits = [terminal.approved_ms[sequence] - at for terminal in terminals for sequence, at in terminal.asked_ms.items()]
    return sorted(waits)


def percentiles(waits: list[float]) -> tuple[float, float]:
    """p50 and p99."""
    return waits[len(waits) // 2], waits[len(waits) * 99 // 100]


@pytest.mark.parametrize(("turnaround_ms", "times"), [((0.2, 0.5), 2), ((1.0, 3.0), 3)])
def test_a_tap_waits_no_longer_than_the_line_must(turnaround_ms: tuple[float, float], times: int) -> None:
    limit_p50, limit_p99 = percentiles(latencies((0.0, 0.0)))
    p50, p99 = percentiles(latencies(turnaround_ms))
    assert p50 <= times * limit_p50
    assert p99 <= times * limit_p99


def test_the_line_goes_on_while_the_host_decides() -> None:
    at_once = percentiles(latencies((0.2, 0.5)))
    later = percentiles(latencies((0.2, 0.5), decision_ms=5))
    assert later[0] - at_once[0] < 10
    assert later[1] - at_once[1] < 20
