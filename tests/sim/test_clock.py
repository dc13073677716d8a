"""The clock: virtual time, timed calls in order, waiting."""

import _thread
import threading

import pytest

from sim.clock import Clock


def test_a_clock_of_speed_0_stands_still_until_moved() -> None:
    clock = Clock(0)
    assert clock.now_us() == 0
    clock.advance(1500)
    assert (clock.now_us(), clock.now_ms()) == (1500, 1)


def test_timed_calls_come_in_order_of_their_times_and_see_them() -> None:
    clock = Clock(0)
    seen: list[tuple[str, int, int]] = []
    for name, at_us in (("late", 30), ("early", 10), ("also early", 10)):
        clock.call_at(at_us, lambda due_us, name=name: seen.append((name, due_us, clock.now_us())))
    clock.advance(30)
    assert seen == [("early", 10, 10), ("also early", 10, 10), ("late", 30, 30)]


def test_a_timed_call_may_order_another_within_the_same_stretch() -> None:
    clock = Clock(0)
    seen: list[int] = []

    def tick(at_us: int) -> None:
        seen.append(at_us)
        clock.call_at(at_us + 10, tick)

    clock.call_at(10, tick)
    clock.advance(35)
    assert seen == [10, 20, 30]


def test_a_cancelled_call_does_not_come() -> None:
    clock = Clock(0)
    seen: list[int] = []
    clock.call_at(10, seen.append).cancel()
    clock.advance(20)
    assert seen == []


def test_a_running_clock_makes_its_calls_in_a_thread_of_its_own() -> None:
    clock = Clock(100)
    called = threading.Event()
    clock.call_at(clock.now_us() + 1000, lambda _: called.set())
    assert called.wait(5)
    clock.close()


def test_calls_ordered_while_time_stood_still_come_once_it_runs() -> None:
    clock = Clock(0)
    called = threading.Event()
    clock.call_at(1000, lambda _: called.set())
    clock.speed = 100
    assert called.wait(5)
    clock.close()


def test_the_mapping_gives_the_same_time_as_the_clock() -> None:
    clock = Clock(3)
    real_us, virtual_us, rate = clock.mapping
    clock.speed = 0
    stopped_us = clock.now_us()
    real_2_us, virtual_2_us, rate_2 = clock.mapping
    assert virtual_2_us == stopped_us == virtual_us + ((real_2_us - real_us) * rate >> 16)
    assert rate_2 == 0


def test_setting_the_speed_keeps_the_time() -> None:
    clock = Clock(0)
    clock.advance(5_000_000)
    clock.speed = 1000
    assert clock.now_us() >= 5_000_000
    clock.speed = 0
    now_us = clock.now_us()
    assert clock.now_us() == now_us


def test_a_wait_ends_when_it_is_woken() -> None:
    clock = Clock(0)
    wake = _thread.allocate_lock()
    wake.acquire()
    waiter = threading.Thread(target=clock.wait_until, args=(10**12, wake))
    waiter.start()
    wake.release()
    waiter.join(5)
    assert not waiter.is_alive()
    assert wake.locked()


def test_time_does_not_run_backwards() -> None:
    with pytest.raises(ValueError, match="backwards"):
        Clock(-1)


def test_time_is_never_faster_than_real_while_a_program_works() -> None:
    clock = Clock(1000)
    with clock.working():
        _, virtual_us, rate = clock.mapping
        assert rate == 1 << 16
        assert virtual_us <= clock.now_us()
    assert clock.mapping[2] == 1000 << 16
    clock.close()


def test_fast_time_stands_still_at_what_is_due_until_it_was_done() -> None:
    """However late a thread gets its turn on a busy machine: what it waits for does not pass by meanwhile."""
    clock = Clock(1_000_000)
    called = threading.Event()
    with clock.working():
        until_us = clock.now_us() + 5_000
        with clock.resting(until_us):
            clock.wait_until(until_us)
            assert clock.now_us() == until_us
            clock.call_at(until_us, lambda _: called.set())
            assert called.wait(5)
            assert clock.now_us() == until_us
        assert until_us <= clock.now_us() < until_us + 5_000_000
    clock.close()


def test_earliest_of_those_who_rest_bounds_fast_time() -> None:
    clock = Clock(1_000_000)
    with clock.working(), clock.working():
        early_us = clock.now_us() + 1_000
        with clock.resting(early_us + 1_000_000), clock.resting(early_us):
            clock.wait_until(early_us)
            assert clock.now_us() == early_us
    clock.close()
