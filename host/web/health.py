"""Is the host well? For watchdogs and people; details only with the token."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from host.ledger.reports import last_commit
from host.web.site import site_of
from host.web.terminals import line_facts, terminal_facts


async def health(request: Request) -> Response:
    """200 while the ledger can be read, else 503. With the token also the lines, and each terminal's state and lag."""
    site = site_of(request)
    try:
        commit = site.ledger.view(last_commit)
        facts = terminal_facts(site.ledger, site.fleet) if request.state.is_trusted else []
    except Exception:  # noqa: BLE001 (whatever is wrong with the database, the answer is the same)
        return JSONResponse({"ok": False, "ledger": False}, 503)
    if not request.state.is_trusted:
        return JSONResponse({"ok": True})
    lines = [line_facts(line) for line in site.fleet.lines()]
    return JSONResponse({"ok": True, "ledger": True, "commit": commit, "lines": lines, "terminals": facts})
