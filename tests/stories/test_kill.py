"""Kill any process at any moment of the story, start it again: nothing is lost, nothing stands twice, and the books say so.

One running system for all kills. Somebody showers and somebody buys at the same time; in the middle of a step of one of them
a plug is pulled, and put back. `ONECARD_KILLS` says how often (20), `ONECARD_SEED` repeats a schedule as far as real processes allow.
"""

import os
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random, SystemRandom
from typing import TypeVar

import pytest

from sim.story import RIGHT
from sim.visitor import LIMIT_S
from tests.stories.crowd import STEPS, Crowd
from tests.stories.street import Street
from tests.stories.witness import Witness

T = TypeVar("T")

KILLS = int(os.environ.get("ONECARD_KILLS", "20"))
SEED = int(os.environ.get("ONECARD_SEED", "0")) or SystemRandom().randrange(1, 1_000_000)

VICTIMS = (("host",), ("shower",), ("pos",), ("host", "shower"), ("host", "pos"), ("shower", "pos"))
SOON_S, LATE_S, DARK_S = 0.06, 0.6, 0.4
"""Into the step: half of the kills come so soon, where asks and writes are, half later. And how long it stays dark, at most."""

AGAIN, BOOT_S = 0.3, 1.5
"""How many die once more soon after their start, and within what time: a start takes about a second."""

_ACT_S = 3 * LIMIT_S


@dataclass(frozen=True, slots=True)
class Kill:
    """Who dies, in which step of which shower or sale, how long after that began, and for how long."""

    victims: tuple[str, ...]
    shower: str
    step: str
    after_s: float
    dark_s: float
    again_s: float | None
    """How long after its start it dies once more: while it boots, shakes hands, or delivers what it kept. None: it does not."""

    def __str__(self) -> str:
        again = "" if self.again_s is None else f", again {self.again_s * 1000:.0f} ms after its start"
        return f"{' + '.join(self.victims)} in {self.step!r}, {self.after_s * 1000:.0f} ms after it began{again}"


def schedule(seed: int, count: int) -> list[Kill]:
    """Kills at random, but every victim and every step as often as any other."""
    random = Random(seed)
    victims = _shuffled(random, VICTIMS, count)
    showers = _shuffled(random, ("card", "code"), count)
    kills: list[Kill] = []
    for victim, shower in zip(victims, showers, strict=True):
        step = random.choice(STEPS[shower] + STEPS["sale"])
        after_s = random.uniform(0, SOON_S if random.random() < 0.5 else LATE_S)
        again_s = random.uniform(0, BOOT_S) if random.random() < AGAIN else None
        kills.append(Kill(victim, shower, step, after_s, random.uniform(0, DARK_S), again_s))
    return kills


@pytest.mark.xdist_group("street")
@pytest.mark.timeout(3600)
def test_killed_at_random_moments_nothing_is_lost_and_nothing_stands_twice(tmp_path: Path) -> None:
    """Rows: L3, K1."""
    print(f"\nONECARD_SEED={SEED}", flush=True)
    street = Street(tmp_path / "demo")
    try:
        street.make_rich()
        street.wait_online()
        witness = Witness(street)
        crowd = Crowd(street, witness, Random(SEED))
        for number, kill in enumerate(schedule(SEED, KILLS), 1):
            try:
                _play(street, crowd, kill)
                street.wait(witness.is_delivered, "all delivered, nothing held")
                witness.judge()
            except Exception as error:
                raise AssertionError(f"ONECARD_SEED={SEED}, kill {number} of {KILLS}: {kill}: {error!r}") from error
            print(f"  {number:3d}/{KILLS} {kill}", flush=True)
        street.wait_online()
        assert RIGHT in street.demo.host.command("check")
    finally:
        street.close()
    _tell_counts(witness)


def test_a_schedule_is_the_same_for_the_same_seed_and_spares_nobody() -> None:
    """Rows: K1."""
    kills = schedule(7, 60)
    assert kills == schedule(7, 60) != schedule(8, 60)
    assert {kill.victims for kill in kills} == set(VICTIMS)
    assert {kill.step for kill in kills} == {step for steps in STEPS.values() for step in steps}


def _play(street: Street, crowd: Crowd, kill: Kill) -> None:
    """One shower and one sale side by side, and the kill among them. Both come to their end."""
    crowd.begin()
    with ThreadPoolExecutor(2) as pool:
        acts = [pool.submit(crowd.act, name) for name in (kill.shower, "sale")]
        if not crowd.wait_for(kill.step):
            for act in acts:
                act.result(_ACT_S)
            raise AssertionError(f"nobody came to {kill.step}")
        time.sleep(kill.after_s)
        _kill(street, kill.victims)
        time.sleep(kill.dark_s)
        _start(street, kill.victims)
        if kill.again_s is not None:
            time.sleep(kill.again_s)
            _kill(street, kill.victims)
            _start(street, kill.victims)
        for act in acts:
            act.result(_ACT_S)


def _kill(street: Street, victims: tuple[str, ...]) -> None:
    for victim in victims:
        if victim == "host":
            street.demo.host.kill()
        else:
            street.demo.boards[victim].cut_power()


def _start(street: Street, victims: tuple[str, ...]) -> None:
    for victim in victims:
        if victim == "host":
            street.demo.host.start()
        else:
            street.demo.boards[victim].power_on()


def _shuffled(random: Random, values: tuple[T, ...], count: int) -> list[T]:
    """So many of them in random order, each as often as any other."""
    deck = list(values) * (count // len(values) + 1)
    random.shuffle(deck)
    return deck[:count]


def _tell_counts(witness: Witness) -> None:
    kills = schedule(SEED, KILLS)
    print(f"{KILLS} kills, seed {SEED}: {len(witness.till.seen)} sales shown as paid, {len(witness.stall.seen)} showers as charged")
    for what, counts in (("victim", Counter(" + ".join(kill.victims) for kill in kills)), ("step", Counter(kill.step for kill in kills))):
        print(f"  by {what}: " + ", ".join(f"{name} {count}" for name, count in sorted(counts.items())))
