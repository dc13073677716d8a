"""The terminals as JSON: where each stands, whether it answers, and what it still has to deliver."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from host.fleet import Fleet, LineState, TerminalState
from host.ledger.books import Books
from host.ledger.contract import Ledger
from host.ledger.kinds import TerminalKind
from host.ledger.rows import Epoch, Place, Terminal
from host.web.site import site_of


async def terminals(request: Request) -> Response:
    """GET /api/terminals: every line and every device."""
    site = site_of(request)
    lines = [line_facts(line) for line in site.fleet.lines()]
    return JSONResponse({"lines": lines, "terminals": terminal_facts(site.ledger, site.fleet)})


def terminal_facts(ledger: Ledger, fleet: Fleet) -> list[dict[str, Any]]:
    """What is known of each device, by number.

    `high_water`: the last record the ledger has of its epoch; `lag`: how many more it had at its last
    handshake. Times are Unix seconds.
    """
    states = fleet.terminals()
    return ledger.view(lambda books: [_facts(books, row, states.get(row.number)) for row in _devices(books)])


def line_facts(line: LineState) -> dict[str, Any]:
    """What is known of a line."""
    return {"line": line.number, "url": line.url, "is_open": line.is_open, "problem": line.problem, "holder": line.holder}


def _devices(books: Books) -> list[Terminal]:
    return [row for row in books.find(Terminal) if row.kind != TerminalKind.HOST]


def _facts(books: Books, row: Terminal, state: TerminalState | None) -> dict[str, Any]:
    place = books.get(Place, row.place) if row.place is not None else None
    epoch = books.get(Epoch, row.number, row.epoch)
    high_water = epoch.high_water if epoch else 0
    is_same_epoch = state is not None and state.epoch == row.epoch
    return {
        "terminal": row.number,
        "kind": row.kind,
        "place": place.name if place else "",
        "line": row.line,
        "address": row.address,
        "firmware": row.firmware,
        "is_up": state.is_up if state else False,
        "heard_s": state.heard_s if state else None,
        "epoch": row.epoch,
        "high_water": high_water,
        "lag": max(0, state.next_sequence - 1 - high_water) if state and is_same_epoch else 0,
        "fault": state.fault if state else "",
    }
