"""How often a terminal is polled, and what a silence makes of it: a table that knows no bytes.

The small answers per state: how many turns apart it is polled, how often the same bytes are tried in one
turn, where silence leads. An answer leads to BUSY or IDLE from everywhere. A turn is one round over the
terminals that answer.

    BUSY     talking, or something to hear: polled as soon as the line is free
    IDLE     answers, nothing to say: once a round
    MISSING  did not answer just now: a flash erase makes a board deaf for half a second, so one round in four
    DEAD     silent for long, or never seen: one round in sixteen, one try (PERFORMANCE, "Link")
"""

from enum import StrEnum
from typing import NamedTuple


class State(StrEnum):
    """What the master expects of one terminal."""

    BUSY = "busy"
    IDLE = "idle"
    MISSING = "missing"
    DEAD = "dead"


class Rule(NamedTuple):
    """One row: rounds between polls, tries in one turn, and where silence leads."""

    turns: int
    tries: int
    on_silence: State


RULES: dict[State, Rule] = {
    State.BUSY: Rule(turns=0, tries=3, on_silence=State.MISSING),
    State.IDLE: Rule(turns=1, tries=3, on_silence=State.MISSING),
    State.MISSING: Rule(turns=4, tries=1, on_silence=State.MISSING),
    State.DEAD: Rule(turns=16, tries=1, on_silence=State.DEAD),
}

ROUND_MIN_MS = 20.0
"""The shortest round: on a line of one or two terminals an idle one is asked fifty times a second, not a thousand."""

ROUND_MAX_MS = 1000.0
"""The longest round believed, so that a dead terminal is looked for every 16 s at least."""

BUSY_MS = 300
"""A terminal stays busy for so long after the last thing said: a till's record follows its approval within one flash erase."""

LOST_MS = 1500
"""Silent for so long, a missing terminal is dead, and said to be down: three times the longest deafness of an erase."""


def after_answer(*, is_talking: bool) -> State:
    """The state after an answer; `is_talking`: something was said within `BUSY_MS`, or waits to be said."""
    return State.BUSY if is_talking else State.IDLE


def after_silence(state: State, *, silent_ms: float) -> State:
    """The state after a turn without an answer, `silent_ms` after the last one."""
    following = RULES[state].on_silence
    return State.DEAD if following is State.MISSING and silent_ms >= LOST_MS else following
