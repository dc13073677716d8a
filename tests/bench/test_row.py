"""The bench's own arithmetic: what is run in which order, and what is said of it. Nothing here is timed."""

from itertools import count

from bench.row import REPETITIONS, Row, measure


def test_both_sides_are_run_in_turn_and_the_first_turn_does_not_count() -> None:
    turns: list[str] = []
    numbers = {"ours": count(100), "reference": count(10)}

    def side(name: str) -> float:
        turns.append(name)
        return next(numbers[name])

    result = measure(Row("1 something", lambda: side("ours"), lambda: side("reference"), "<= 9"))
    assert turns == ["ours", "reference"] * (REPETITIONS + 1)
    assert (result.ours, result.reference) == (103, 13)


def test_ratio_is_ours_over_reference() -> None:
    result = measure(Row("2 something", lambda: 30.0, lambda: 40.0, ">= 0.70"))
    assert (result.name, result.ratio, result.goal) == ("2 something", 0.75, ">= 0.70")


def test_one_bad_moment_does_not_move_the_median() -> None:
    values = iter([1.0, 1.0, 1.0, 99.0, 1.0, 1.0])
    assert measure(Row("3 something", lambda: next(values), lambda: 1.0, "<= 1.5")).ours == 1.0


def test_whoever_waits_hears_of_each_repetition() -> None:
    heard: list[int] = []
    measure(Row("4 something", lambda: 1.0, lambda: 1.0, "<= 1"), heard.append)
    assert heard == list(range(REPETITIONS + 1))
