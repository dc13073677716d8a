"""The stream of events: each record as it is committed, each change of a line or terminal (server-sent events).

id: 41                     the commit; a client that comes back sends it as Last-Event-ID and misses nothing
event: record              or terminal, or line
data: {"kind": "sale", ...}
"""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from host.fleet import Fleet
from host.ledger.reports import last_commit
from host.web.movements import COMMIT_MAX, entries_after, number_of
from host.web.site import site_of

if TYPE_CHECKING:
    from host.web.site import Site

POLL_S = 0.1
"""How often the ledger is asked for its newest commit; other processes write to it too."""

BATCH_COUNT = 100
KEEP_ALIVE_S = 15
"""A comment goes out so often, so that nobody between us takes the silence for the end."""

READER_COUNT = 32
"""Streams open at a time; the next gets 503."""


async def events(request: Request) -> Response:
    """GET /api/events?after=N: records after commit N (or after Last-Event-ID, or from now on), and the fleet."""
    site = site_of(request)
    if getattr(request.app.state, "reader_count", 0) >= READER_COUNT:
        raise HTTPException(503, f"{READER_COUNT} streams are open already: close one", {"retry-after": "5"})
    after = number_of(request, "after", default=-1, most=COMMIT_MAX)
    last_id = request.headers.get("last-event-id", "")
    if last_id.isascii() and last_id.isdecimal() and len(last_id) <= 16:
        after = int(last_id)
    if after < 0:
        after = site.ledger.view(last_commit)
    return StreamingResponse(_stream(request.app.state, site, after), media_type="text/event-stream", headers={"x-accel-buffering": "no"})


async def _stream(state: Any, site: "Site", after: int) -> AsyncIterator[str]:
    state.reader_count = getattr(state, "reader_count", 0) + 1
    try:
        watch = FleetWatch(site.fleet)
        quiet_s = 0.0
        yield "retry: 1000\n\n"
        while not site.is_stopping():
            texts = watch.changes()
            entries, after = _read(site, after)
            texts += [event("record", entry, entry["commit"]) for entry in entries]
            quiet_s = 0.0 if texts else quiet_s + POLL_S
            if quiet_s >= KEEP_ALIVE_S:
                quiet_s, texts = 0.0, [": still here\n\n"]
            for text in texts:
                yield text
            if not entries:
                await asyncio.sleep(POLL_S)
    finally:
        state.reader_count -= 1


def _read(site: "Site", after: int) -> tuple[list[dict[str, Any]], int]:
    if site.ledger.view(last_commit) <= after:
        return [], after
    return site.ledger.view(lambda books: entries_after(books, after, BATCH_COUNT))


def event(name: str, data: dict[str, Any], number: int | None = None) -> str:
    """One event as it goes over the wire."""
    head = "" if number is None else f"id: {number}\n"
    return f"{head}event: {name}\ndata: {json.dumps(data, ensure_ascii=False, separators=(',', ':'))}\n\n"


class FleetWatch:
    """What one reader has been told of lines and terminals."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._version = -1
        self._told: dict[tuple[str, int], dict[str, Any]] = {}

    def changes(self) -> list[str]:
        """Events for whatever has changed since the last call; the first time, for everything."""
        if self._fleet.version == self._version:
            return []
        self._version = self._fleet.version
        now = {("line", line.number): asdict(line) for line in self._fleet.lines()}
        for number, terminal in self._fleet.terminals().items():
            now["terminal", number] = {key: value for key, value in asdict(terminal).items() if key != "heard_s"}
        changed = {key: data for key, data in now.items() if self._told.get(key) != data}
        self._told = now
        return [event(kind, data) for (kind, _), data in changed.items()]
