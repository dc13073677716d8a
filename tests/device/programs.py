"""Thousands of events to both programs, told step by step: the same lines on MicroPython and on CPython.

    python programs.py ROOT
    micropython -X heapsize=192k programs.py ROOT

ROOT is the folder that has protocol/ and firmware/, compiled or not. Each line of the output is one step: what happened, the
state after it, what was to be done, and what the display shows.
"""

import sys

sys.path.insert(0, sys.argv[1])

from firmware.pos.sale import Sale
from firmware.shower.stall import Stall
from firmware.terminal.actions import AskHost, GiveUp, Write
from firmware.terminal.clock import Clock
from firmware.terminal.events import Answered, CardGone, CardProblem, CardSeen, Key, LinkDown, LinkUp, Written
from firmware.terminal.settings import InForce, Reservation, Settings, Tariff
from firmware.terminal.ticks import add
from protocol.crc import crc16
from protocol.messages import Answer
from protocol.record import Name

STEP_COUNT = 3000
KEYS = ("OK", "OK", "END", "CLEAR", "1", "1", "1", "5", "DOT", "PLUS", "TIMES")
TIMES_MS = (5, 100, 2_000, 3_100, 61_000, 301_000)


class Places(InForce):
    """What is in force, with one booking that never ends."""

    def find_reservation(self, code):
        return Reservation(Name(1, 1, 5), 9, 300, 0, 0xFFFFFFFF, b"Z") if code == b"111111" else None


class Dice:
    """The same numbers on every Python (Numerical Recipes' generator)."""

    def __init__(self):
        self._seed = 1

    def roll(self, sides):
        self._seed = (self._seed * 1664525 + 1013904223) & 0xFFFFFFFF
        return (self._seed >> 16) % sides


class Run:
    """One program, with a terminal that writes everything and a host that says yes three times in four."""

    def __init__(self, make_program):
        clock = Clock()
        clock.set(1000, 0)
        self.in_force = Places(clock, None, None)
        self.in_force.settings = Settings(b"Stall 12", b"", 1, 1, 9_999, 300, 50, 2_000, 450, 450, 300)
        self.in_force.tariff = Tariff(1, 10_000, 20_000)
        self.in_force.link_is_up = True
        self.program = make_program(self.in_force)
        self.dice = Dice()
        self.now_ms = (1 << 30) - 100_000
        self.water_ml = 0
        self.sequence = 0
        self.ask = None
        self.has_card = False

    def step(self):
        """Let one thing happen; a word for it."""
        what = self.dice.roll(8)
        if what == 0:
            return self.card()
        if what == 1:
            return self.answer()
        if what == 2:
            return self.time()
        if what == 3 and hasattr(self.program, "meter"):
            self.water_ml += self.dice.roll(3_000)
            return "water", self.program.meter(self.water_ml, self.water_ml // 3, self.now_ms)
        if what == 4 and self.dice.roll(8) == 0:
            self.in_force.link_is_up = not self.in_force.link_is_up
            return "link", self.program.handle(LinkUp() if self.in_force.link_is_up else LinkDown(), self.now_ms)
        key = KEYS[self.dice.roll(len(KEYS))]
        return key, self.program.handle(Key(key), self.now_ms)

    def card(self):
        self.has_card = not self.has_card
        if not self.has_card:
            event = CardGone()
        elif self.dice.roll(4) == 0:
            event = CardProblem(4)
        else:
            event = CardSeen(1 + self.dice.roll(3), 1, 0xFFFF, b"c" * 32, b"s" * 14, 4, 0)
        return "card", self.program.handle(event, self.now_ms)

    def answer(self):
        if self.ask is None:
            return "silence", ()
        code = 6 if self.dice.roll(4) == 0 else 0
        answer = Answer(1, 1, self.ask.kind, code, 0 if code else self.ask.amount_fen, 5_000, 100, 50, 0, b"Z*")
        self.ask = None
        return "answer", self.program.handle(Answered(answer), self.now_ms)

    def time(self):
        self.now_ms = add(self.now_ms, TIMES_MS[self.dice.roll(len(TIMES_MS))])
        return "time", self.program.poll(self.now_ms)

    def execute(self, actions):
        """Do what is wanted; the names of all that was."""
        done = []
        written = []
        for action in actions:
            done.append(type(action).__name__)
            if isinstance(action, AskHost):
                self.ask = action
            elif isinstance(action, GiveUp):
                self.ask = None
            elif isinstance(action, Write):
                self.sequence += 1
                written.append(Written(Name(100, 1, self.sequence), action.kind))
        for event in written:
            done += self.execute(self.program.handle(event, self.now_ms))
        return done


for make_program in (Sale, Stall):
    run = Run(make_program)
    for _ in range(STEP_COUNT):
        word, actions = run.step()
        done = run.execute(actions)
        print(word, run.program.state, " ".join(done), run.program.due(), crc16(b"".join(run.program.lines(run.now_ms))))
