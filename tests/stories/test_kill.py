"""Kill any process at any moment of the story, start it again: nothing is lost, nothing stands twice, and the books say so.

One running system for all kills. `ONECARD_KILLS` says how many (20), `ONECARD_SEED` repeats a schedule as far as real processes allow.
"""

import contextlib
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from host.ledger.kinds import HoldKind
from protocol.shown import unpack_settled
from protocol.tariff import charge_fen
from sim.host_process import HostFailed
from sim.sample import TARIFF_FEN_PER_M3
from sim.visitor import NotSeen, Visitor
from tests.stories.street import STUDENT_CARD, TEACHER, TEACHER_CARD, Street

KILLS = int(os.environ.get("ONECARD_KILLS", "20"))
SEED = int(os.environ.get("ONECARD_SEED", "0")) or random.SystemRandom().randrange(1, 1_000_000)

HEAL_S = 60.0
"""Real seconds until everything must be delivered again, on a busy machine."""

STEP_S = 6.0
"""Real seconds after which somebody gives up waiting and walks off."""

LOST_ML = 700
"""What one cut may leave unpaid: a step of 0.50, and what ran while its mark was being written."""

ACTS = {"shower by card": ("shower", 4), "shower by code": ("shower", 2), "sale": ("pos", 3)}
"""The acts of the story: where each plays, and in how many steps."""

Step = tuple[str, Callable[[], None], Callable[[], bool]]


class Witness:
    """Somebody who writes down what the till shows as paid, whatever happens behind it."""

    def __init__(self, till: Visitor) -> None:
        self.paid: Counter[int] = Counter()
        self._till = till
        self._is_shown = False
        till.board.on_change(self._look)

    def _look(self, what: str) -> None:
        if what != "display" and what != "power":
            return
        amount_fen = self._till.fen("已付")
        if amount_fen >= 0 and not self._is_shown:
            self.paid[amount_fen] += 1
        self._is_shown = amount_fen >= 0


class Crowd:
    """People who play the acts of the story and walk off when nothing happens. Each sale has an amount of its own."""

    def __init__(self, street: Street) -> None:
        self._street = street
        self._amount_fen = 100

    def act(self, name: str) -> Generator[Step, None, None]:
        """One of `ACTS`, as steps: (what, do it, until when to wait)."""
        return {"shower by card": self._card, "shower by code": self._code, "sale": self._sale}[name]()

    def _card(self) -> Generator[Step, None, None]:
        stall, street = self._street.stall, self._street
        yield "card in", lambda: street.put("shower", STUDENT_CARD), lambda: stall.fen("已用") >= 20
        yield "pause", lambda: stall.press("OK"), lambda: stall.shows("已暂停")
        yield "resume", lambda: stall.press("OK"), lambda: stall.fen("已用") >= 70
        yield "card out", lambda: street.take("shower"), lambda: stall.shows("扣款")

    def _code(self) -> Generator[Step, None, None]:
        stall, command = self._street.stall, self._street.demo.host.command
        code = command("reserve", TEACHER.number, "100").split("code ")[1][:6]
        try:
            yield "code", lambda: stall.enter(code, "用水中", "正在下发", "正在核对", "错误", "中断"), lambda: stall.fen("已用") >= 40
            yield "end", lambda: stall.press("END", "END"), lambda: stall.shows("扣款")
        finally:
            # Who did not get his shower cancels; who did cannot.
            try:
                command("reserve", TEACHER.number, "--cancel", code)
            except HostFailed:  # it was used: perhaps the shower still runs, and its holder's card ends it
                self._street.put("shower", TEACHER_CARD)
                self._street.stall.pause(1)
                self._street.take("shower")

    def _sale(self) -> Generator[Step, None, None]:
        till, street = self._street.till, self._street
        self._amount_fen += 1
        amount = f"{self._amount_fen // 100}.{self._amount_fen % 100:02d}"
        yield "amount", lambda: till.enter(amount, "请刷卡", "脱机"), lambda: till.shows("请刷卡")
        yield "card", lambda: street.put("pos", STUDENT_CARD), lambda: till.shows("已付")
        yield "card away", lambda: street.take("pos"), lambda: True


class Killer:
    """Pulls the plug of some processes `after_s` real seconds after `start`. Close the pool when it has been joined."""

    def __init__(self, street: Street, victims: tuple[str, ...], after_s: float) -> None:
        self._street, self._victims, self._after_s = street, victims, after_s
        self._pool = ThreadPoolExecutor(1)
        self._killing: Future[None] | None = None

    @property
    def is_done(self) -> bool:
        """Whether they are dead."""
        return self._killing is not None and self._killing.done()

    def start(self) -> None:
        """Let the time run."""
        self._killing = self._pool.submit(self._kill)

    def join(self) -> None:
        """Wait until it is done. Raises what went wrong with it."""
        assert self._killing is not None, "the act ended before its moment came"
        self._killing.result()
        self._pool.shutdown()

    def _kill(self) -> None:
        time.sleep(self._after_s)
        for victim in self._victims:
            if victim == "host":
                self._street.demo.host.kill()
            else:
                self._street.demo.boards[victim].cut_power()


def test_killed_at_random_moments_nothing_is_lost_and_nothing_stands_twice(tmp_path: Path) -> None:
    """Rows: L3, K1."""
    print(f"ONECARD_SEED={SEED}", flush=True)
    chance = random.Random(SEED)
    street = Street(tmp_path / "demo")
    counts: Counter[str] = Counter()
    try:
        street.give_money()
        street.wait_online()
        crowd, witness = Crowd(street), Witness(street.till)
        cuts = 0
        for index in range(1, KILLS + 1):
            name = chance.choice(list(ACTS))
            terminal, step_count = ACTS[name]
            victims = chance.choice((("host",), (terminal,), ("host", terminal)))
            moment, after_s, stays = chance.randrange(step_count), chance.uniform(0, 0.5), chance.random() < 0.5
            killer = Killer(street, victims, after_s)
            phase = _play(street, crowd.act(name), killer, moment, stays=stays)
            _start_again(street, victims)
            cuts += "shower" in victims
            counts[f"{'+'.join(victims)} in {name}: {phase}"] += 1
            try:
                _heal(street)
                _judge(street, witness, cuts)
            except AssertionError as error:
                where = f"{'+'.join(victims)} killed {after_s:.2f} s into {phase!r} of {name}, the person {'stays' if stays else 'leaves'}"
                raise AssertionError(f"ONECARD_SEED={SEED}, kill {index} of {KILLS}, {where}: {error}") from error
            print(f"  {index:3d}/{KILLS} {'+'.join(victims)} killed in {name} ({phase})", flush=True)
    finally:
        street.close()
    assert sum(counts.values()) == KILLS
    print(f"{KILLS} kills, seed {SEED}; {sum(witness.paid.values())} sales shown as paid, {cuts} cuts of the shower")
    for what, count in sorted(counts.items()):
        print(f"  {count:3d} {what}")


def _play(street: Street, act: Generator[Step, None, None], killer: Killer, moment: int, *, stays: bool) -> str:
    """Play an act in whose step number `moment` something is killed; returns that step's name.

    Who does not stay walks off at once; who stays goes on with the act in front of what has died.
    """
    phase = ""
    for index, (what, do, is_done) in enumerate(act):
        if index == moment:
            phase = what
            killer.start()
        elif killer.is_done and not stays:
            break
        with contextlib.suppress(NotSeen):
            do()
        end_s = time.monotonic() + STEP_S
        while not is_done() and time.monotonic() < end_s and not killer.is_done:
            time.sleep(0.01)
    killer.join()
    act.close()
    return phase


def _start_again(street: Street, victims: tuple[str, ...]) -> None:
    for victim in victims:
        if victim == "host":
            street.demo.host.start()
        else:
            street.demo.boards[victim].power_on()


def _heal(street: Street) -> None:
    """Wait until both terminals are at rest and online, everything is delivered, and nothing but bookings is held."""
    street.come_to_rest()
    end_s = time.monotonic() + HEAL_S
    while any(hold.kind != HoldKind.BOOKING for hold in street.books.holds()):
        assert time.monotonic() < end_s, f"still held after {HEAL_S:.0f} s: {street.books.holds()}"
        time.sleep(0.05)


def _judge(street: Street, witness: Witness, cuts: int) -> None:
    """The laws."""
    proof = street.books.prove()
    assert proof.is_right, proof.problems
    assert proof.sum_fen == 0
    sales = Counter(street.books.sales())
    assert all(count == 1 for count in sales.values()), f"charged twice: {sales}"
    assert all(count == 1 for count in witness.paid.values()), f"shown twice: {witness.paid}"
    assert not set(witness.paid) - set(sales), f"shown as paid, not in the books: {set(witness.paid) - set(sales)}"
    settled = street.books.settled()
    for one in settled:
        cold_ml, hot_ml, _, _ = unpack_settled(one.record.shown)
        price_fen = charge_fen(cold_ml, TARIFF_FEN_PER_M3) + charge_fen(hot_ml, TARIFF_FEN_PER_M3)
        assert one.record.amount_fen == price_fen, f"{one.record} charges other than its tariff's {price_fen}"
    ran_ml, paid_ml = int(street.stall.board.litres * 1000), sum(one.volume_ml for one in settled)
    assert paid_ml <= ran_ml, f"{paid_ml} ml charged, {ran_ml} ml ran"
    assert ran_ml - paid_ml <= (cuts + 1) * LOST_ML + 5 * len(settled), f"{ran_ml} ml ran, {paid_ml} ml charged, {cuts} cuts"
    assert not street.books.items(), f"on the worklist: {street.books.items()}"
