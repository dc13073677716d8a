"""firmware/shower/states.py: the table leaves nothing open, and the page in docs/ shows it."""

from firmware.shower import acts, ignored, states
from tests.firmware.state_tables import documented, holes, in_markdown, rows, strangers

TABLE = rows(states)


def test_every_state_says_what_every_event_does() -> None:
    assert holes(states, ignored) == []


def test_the_table_names_only_states_and_events() -> None:
    assert strangers(states, ignored) == []


def test_every_act_exists() -> None:
    assert {act for _, act in TABLE.values()} <= set(dir(acts))


def test_every_limit_leads_somewhere() -> None:
    limited = {*states.LIMITS_MS, states.RUNNING, states.PAUSED, states.SETTLING}
    assert limited == {state for state, event in TABLE if event == states.TIMED_OUT}


def test_water_flows_only_behind_a_durable_opened() -> None:
    ways = {(pair, act) for pair, (following, act) in TABLE.items() if following == states.RUNNING and pair[0] != states.RUNNING}
    assert ways == {((states.OPENING, states.WRITTEN), "run"), ((states.PAUSED, states.OK), "go_on")}


def test_a_session_ends_only_by_settling() -> None:
    inside = {states.RUNNING, states.PAUSED}
    following = {after for (state, _), (after, _) in TABLE.items() if state in inside}
    assert following == {*inside, states.SETTLING}


def test_the_page_shows_the_table() -> None:
    assert documented("shower.md") == TABLE, in_markdown(states)
