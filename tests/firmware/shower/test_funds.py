"""firmware/shower/funds.py: what is held only grows, and is asked for by totals."""

import pytest

from firmware.shower.funds import Funds
from protocol.messages import ASK_EXTEND, Answer


def answer(held_fen: int, *, code: int = 0, account_fen: int = 1_000) -> Answer:
    return Answer(1, 7, ASK_EXTEND, code, held_fen, account_fen, 0, 0, 0, b"")


def begun(held_fen: int = 300) -> Funds:
    funds = Funds()
    funds.begin(held_fen, 700)
    return funds


@pytest.mark.parametrize(
    ("held_fen", "total_fen"),
    [(300, 600), (1_700, 2_000), (1_900, 2_000), (2_000, 2_000), (2_500, 2_500)],
)
def test_the_next_total_is_a_step_more_up_to_the_maximum(held_fen: int, total_fen: int) -> None:
    assert begun(held_fen).next_total_fen(300, 2_000) == total_fen


def test_more_is_wanted_when_little_is_left_and_nobody_was_asked() -> None:
    funds = begun()
    assert not funds.wants_more(249, 50)
    assert funds.wants_more(250, 50)
    funds.is_extending = True
    assert not funds.wants_more(299, 50)


def test_a_refusal_leaves_what_was_held_and_is_not_asked_again_at_once() -> None:
    funds = begun()
    funds.take(answer(0, code=6))
    assert (funds.held_fen, funds.left_fen(100)) == (300, 900)
    assert not funds.wants_more(299, 50)


def test_a_grant_ends_the_warning() -> None:
    funds = begun()
    funds.is_warned = True
    funds.take(answer(600, account_fen=400))
    assert (funds.held_fen, funds.is_warned, funds.left_fen(250)) == (600, False, 750)


def test_an_answer_below_what_is_held_takes_nothing_away() -> None:
    funds = begun(600)
    funds.take(answer(300))
    assert funds.held_fen == 600


def test_what_is_left_is_unknown_until_the_host_says_so() -> None:
    funds = Funds()
    funds.begin(300, None)
    assert funds.left_fen(0) is None
    funds.take(answer(600))
    assert funds.left_fen(0) == 1_600
