"""firmware/pos/states.py: the table leaves nothing open, and the page in docs/ shows it."""

from firmware.pos import ignored, states
from firmware.pos.sale import Sale
from tests.firmware.state_tables import documented, holes, in_markdown, rows, strangers

TABLE = rows(states)


def test_every_state_says_what_every_event_does() -> None:
    assert holes(states, ignored) == []


def test_the_table_names_only_states_and_events() -> None:
    assert strangers(states, ignored) == []


def test_every_act_exists() -> None:
    assert {act for _, act in TABLE.values()} <= set(dir(Sale))


def test_every_state_but_idle_and_writing_ends_by_itself() -> None:
    assert set(ignored.STATES) - set(states.LIMITS_MS) == {states.IDLE, states.WRITING}
    assert all((state, states.TIMED_OUT) in TABLE for state in states.LIMITS_MS)


def test_paid_is_reached_only_from_a_durable_sale() -> None:
    ways = {pair for pair, (following, _) in TABLE.items() if following == states.PAID and pair[0] != states.PAID}
    assert ways == {(states.WRITING, states.WRITTEN)}


def test_the_page_shows_the_table() -> None:
    assert documented("pos.md") == TABLE, in_markdown(states)
