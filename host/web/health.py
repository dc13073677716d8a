"""Is the host well? For watchdogs and people; details only with the token."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from host.ledger.reports import last_commit
from host.restoring import waiting_in
from host.web.site import site_of
from host.web.terminals import line_facts, terminal_facts


async def health(request: Request) -> Response:
    """200 while ledger and journal can be written, else 503. With the token also why, the lines, and each terminal's state and lag."""
    site = site_of(request)
    try:
        commit = site.ledger.view(last_commit)
        facts = terminal_facts(site.ledger, site.fleet) if request.state.is_trusted else []
        waiting = site.ledger.view(waiting_in)
    except Exception:  # noqa: BLE001 (whatever is wrong with the database, the answer is the same)
        return JSONResponse({"ok": False, "ledger": False}, 503)
    is_away, problem = site.is_away(), site.journal_problem()
    is_well = not is_away and not problem
    told: dict[str, object] = {"ok": is_well}
    if request.state.is_trusted:
        lines = [line_facts(line) for line in site.fleet.lines()]
        told |= {"ledger": not is_away, "commit": commit, "journal": problem, "lines": lines, "terminals": facts}
        if waiting is not None:
            told["restoring"] = [{"terminal": number, "place": place, "seen": is_seen} for number, place, is_seen in waiting.terminals]
    return JSONResponse(told, 200 if is_well else 503)
