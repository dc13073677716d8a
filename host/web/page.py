"""The first page: what this is, which terminals answer, what the books sum to. Reads on a phone, and needs no script."""

from __future__ import annotations

from collections import Counter
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from host.ledger.kinds import AccountKind
from host.ledger.reports import yuan
from host.ledger.rows import Account
from host.restoring import waiting_in
from host.web.terminals import line_facts, terminal_facts
from host.web.texts import LANGUAGES, TEXTS, choose_language

if TYPE_CHECKING:
    from starlette.requests import Request

    from host.ledger.books import Books
    from host.web.site import Site

_FOLDER = Path(__file__).parent / "templates"


class Page:
    """The page and its style sheet. Details only for a reader on this machine; others see how many terminals answer."""

    def __init__(self, site: Site) -> None:
        self._site = site
        environment = Environment(
            loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        self._template = environment.get_template("page.html")
        self._style = (_FOLDER / "style.css").read_text(encoding="utf-8")

    async def show(self, request: Request) -> Response:
        """GET /"""
        site = self._site
        language = choose_language(request.query_params.get("lang"), request.headers.get("accept-language", ""), site.language)
        facts = terminal_facts(site.ledger, site.fleet)
        html = self._template.render(
            language=language,
            languages=LANGUAGES,
            text=TEXTS[language],
            name=site.name,
            is_local=_is_local(request),
            lines=[line_facts(line) for line in site.fleet.lines()],
            terminals=facts,
            waiting=site.ledger.view(waiting_in),
            up_count=sum(fact["is_up"] for fact in facts),
            books=site.ledger.view(_totals) if _is_local(request) else {},
            yuan=yuan,
        )
        return HTMLResponse(html, headers={"content-language": language, "vary": "accept-language"})

    async def style(self, request: Request) -> Response:
        """GET /style.css"""
        return PlainTextResponse(self._style, media_type="text/css", headers={"cache-control": "max-age=3600"})


def _totals(books: Books) -> dict[str, Any]:
    """The balance of each kind of account, what is set aside, and the sum, which is zero."""
    sums: Counter[str] = Counter(dict.fromkeys(AccountKind, 0))
    held_fen = 0
    for row in books.scan(Account):
        sums[row.kind] += row.balance_fen
        held_fen += row.held_fen
    return {"kinds": [(kind, sums[kind]) for kind in AccountKind], "held_fen": held_fen, "sum_fen": sum(sums.values())}


def _is_local(request: Request) -> bool:
    """Whether the reader sits at this machine, and no proxy speaks for him."""
    if request.client is None or "x-forwarded-for" in request.headers or "forwarded" in request.headers:
        return False
    try:
        return ip_address(request.client.host).is_loopback
    except ValueError:
        return False
