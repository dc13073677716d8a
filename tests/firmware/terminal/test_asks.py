"""Rule 1 of MONEY at the asks: one name, one content, and an answer counts only in its session."""

from firmware.terminal.asks import ANSWER_MS, Asks
from protocol.messages import ASK_EXTEND, ASK_LOOKUP, ASK_SALE, ASK_SHOWER, Answer, Ask
from protocol.record import FAULT, NOTHING, OPENED, SALE, SETTLED, Name

SALE_ASK = Ask(1, 5, ASK_SALE, 1, 7, 1250, 0, b"", b"")
LOOKUP = Ask(1, 0, ASK_LOOKUP, 0, 0, 0, 0, b"", b"123456")


def extension(total_fen: int) -> Ask:
    return Ask(1, 4, ASK_EXTEND, 1, 7, total_fen, 250, b"", b"")


def answer_to(ask: Ask, code: int = 0) -> Answer:
    return Answer(ask.epoch, ask.sequence, ask.kind, code, ask.amount_fen, 0, 0, 0, 0, b"")


def say(asks: Asks, now_ms: int = 0) -> list[Ask]:
    """What goes out now, in order."""
    said: list[Ask] = []
    while (pending := asks.next(now_ms)) is not None:
        asks.sent(pending, now_ms)
        said.append(pending.ask)
    return said


def test_an_ask_is_said_once_in_a_session_and_answered_once() -> None:
    asks = Asks()
    asks.begin(SALE_ASK)
    assert not asks.receive(answer_to(SALE_ASK)), "not asked yet"
    assert say(asks) == [SALE_ASK]
    assert say(asks) == []
    assert asks.receive(answer_to(SALE_ASK))
    assert asks.is_granted
    assert not asks.receive(answer_to(SALE_ASK))


def test_a_new_session_voids_the_approval_and_asks_the_same_again() -> None:
    asks = Asks()
    asks.begin(SALE_ASK)
    say(asks)
    asks.receive(answer_to(SALE_ASK))
    asks.void()
    assert not asks.is_granted
    assert not asks.receive(answer_to(SALE_ASK)), "an answer from the session before"
    assert say(asks) == [SALE_ASK]
    assert asks.receive(answer_to(SALE_ASK))


def test_an_answer_to_another_name_or_kind_is_ignored() -> None:
    asks = Asks()
    asks.begin(SALE_ASK)
    say(asks)
    for other in ((2, 5, ASK_SALE), (1, 6, ASK_SALE), (1, 5, ASK_SHOWER), (1, 5, ASK_EXTEND), (1, 0, ASK_LOOKUP)):
        assert not asks.receive(Answer(*other, 0, 1250, 0, 0, 0, 0, b""))
    assert not asks.is_granted


def test_a_closed_ask_is_never_said_again() -> None:
    asks = Asks()
    asks.begin(SALE_ASK)
    asks.close()
    asks.void()
    assert say(asks) == []
    assert not asks.receive(answer_to(SALE_ASK))


def test_only_what_was_asked_for_or_nothing_takes_the_name() -> None:
    asks = Asks()
    assert all(asks.may_take(kind) for kind in (SALE, OPENED, FAULT, NOTHING))
    asks.begin(SALE_ASK)
    assert [kind for kind in (SALE, OPENED, SETTLED, FAULT, NOTHING) if asks.may_take(kind)] == [SALE, NOTHING]


def test_a_running_shower_is_asked_again_in_every_new_session() -> None:
    asks = Asks()
    asks.run(Name(100, 1, 4), 1, 7, 300)
    assert say(asks) == [], "its first amount is held already"
    asks.void()
    assert say(asks) == [Ask(1, 4, ASK_EXTEND, 1, 7, 300, 0, b"", b"")]
    asks.begin(extension(600))
    assert say(asks) == [extension(600)]
    assert asks.receive(answer_to(extension(600)))
    asks.void()
    assert say(asks) == [extension(600)]
    asks.settle()
    asks.void()
    assert say(asks) == []


def test_running_water_is_asked_for_first() -> None:
    asks = Asks()
    asks.begin(LOOKUP)
    asks.begin(SALE_ASK)
    asks.begin(extension(600))
    assert say(asks) == [extension(600), SALE_ASK, LOOKUP]


def test_the_answer_to_a_look_up_given_up_is_not_taken_for_another_s() -> None:
    """A second code is looked up before the first is answered; answers to look-ups have no name."""
    asks = Asks()
    asks.begin(LOOKUP)
    say(asks)
    asks.begin(LOOKUP._replace(code=b"654321"))
    say(asks)
    assert not asks.receive(answer_to(LOOKUP))
    assert asks.receive(answer_to(LOOKUP))
    asks.begin(LOOKUP)
    say(asks)
    asks.begin(LOOKUP)
    asks.void()
    say(asks)
    assert asks.receive(answer_to(LOOKUP)), "the new session never answers the first"


def test_a_busy_host_is_asked_again_a_little_later() -> None:
    asks = Asks()
    asks.begin(SALE_ASK)
    say(asks, 100)
    asks.put_off(200)
    assert say(asks, 300) == []
    assert say(asks, 701) == [SALE_ASK]


def test_an_answer_that_does_not_come_is_noticed() -> None:
    asks = Asks()
    asks.begin(LOOKUP)
    say(asks, 1000)
    assert not asks.is_late(1000 + ANSWER_MS - 1)
    assert asks.is_late(1000 + ANSWER_MS)
    asks.receive(answer_to(LOOKUP))
    assert not asks.is_late(1000 + ANSWER_MS)


def test_a_refusal_to_answer_ends_what_was_asked() -> None:
    asks = Asks()
    asks.begin(SALE_ASK)
    asks.begin(LOOKUP)
    say(asks)
    assert asks.refuse() == [SALE_ASK, LOOKUP]
    assert asks.refuse() == []
