"""The web application: which path leads where, and what stands in front of all of them."""

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from host.web.events import events
from host.web.guard import Guard
from host.web.headers import SecurityHeaders
from host.web.health import health
from host.web.movements import movements
from host.web.page import Page
from host.web.site import Site
from host.web.terminals import terminals


def make_app(site: Site, *, token: str, names: Sequence[str] = ()) -> Starlette:
    """Build the application. `token` opens /api; `names`: names of this machine that a browser may call it by."""
    page = Page(site)
    app = Starlette(
        routes=[
            Route("/", page.show),
            Route("/style.css", page.style),
            Route("/health", health),
            Route("/api/movements", movements),
            Route("/api/terminals", terminals),
            Route("/api/events", events),
        ],
        middleware=[Middleware(SecurityHeaders), Middleware(Guard, token=token, names=frozenset(names))],
        exception_handlers={HTTPException: _refused},
    )
    app.state.site = site
    return app


def _refused(request: Request, error: Exception) -> Response:
    """What could not be done, in one line of JSON."""
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail}, error.status_code, error.headers)
