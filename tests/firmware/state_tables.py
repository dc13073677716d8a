"""What every state table must hold, whoever's it is."""

import re
from pathlib import Path
from types import ModuleType
from typing import Any

DOCS = Path(__file__).resolve().parents[2] / "docs"
_ROW = re.compile(r"^\| `([a-z ]+)` \| ([a-z ]+) \| `([a-z ]+)` \| `([a-z_]+)` \|$", re.MULTILINE)


def rows(states: ModuleType) -> dict[tuple[str, str], tuple[str, str]]:
    """The table, flat: (state, event) to (next state, act)."""
    table: dict[str, dict[str, tuple[str, str]]] = states.TABLE
    return {(state, event): row for state, of_state in table.items() for event, row in of_state.items()}


def holes(states: ModuleType, ignored: ModuleType) -> list[str]:
    """Pairs of state and event that stand in none, or in both, of the table and the list of what is ignored."""
    return [
        f"{state}, {event}"
        for state in ignored.STATES
        for event in ignored.EVENTS
        if ((state, event) in rows(states)) + list(ignored.IGNORED[state]).count(event) != 1
    ]


def strangers(states: ModuleType, ignored: ModuleType) -> list[str]:
    """What the tables name without its being a state or an event."""
    table = rows(states)
    named = {pair[0] for pair in table} | {following for following, _ in table.values()} | set(ignored.IGNORED) | set(states.LIMITS_MS)
    told = {pair[1] for pair in table} | {event for events in ignored.IGNORED.values() for event in events}
    return sorted((named - set(ignored.STATES)) | (told - set(ignored.EVENTS)))


def documented(page: str) -> dict[Any, Any]:
    """The table as a page of docs/ shows it."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return {(state, event): (following, act) for state, event, following, act in _ROW.findall(text)}


def in_markdown(states: ModuleType) -> str:
    """The table as that page should show it: print this when the test fails."""
    return "\n".join(f"| `{state}` | {event} | `{following}` | `{act}` |" for (state, event), (following, act) in rows(states).items())
