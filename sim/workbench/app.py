"""The web application of the live page: one stream of events out, keys and cards in as plain POSTs.

    GET  /                          the page
    GET  /events                    server-sent events: "boards" (a list of board states), "movements" (the newest, oldest first)
    POST /boards/NAME/keys/KEY      press and release a key
    POST /boards/NAME/card/NUMBER   put that card on the reader; 0 takes it away
    POST /boards/NAME/power         cut the power, or give it back

Bad names answer 404 with a sentence. A page elsewhere must not press keys: a foreign `Host` answers 400, a foreign `Origin` 403.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Protocol

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

STATIC = Path(__file__).parent / "static"
HOSTS = ["127.0.0.1", "localhost"]
"""The names this page may be called by: a foreign name that leads here is a rebinding attack."""

LOOK_S = 0.1
"""How often the displays are looked at: eyes see no more."""

HEARTBEAT_S = 10.0


class Bench(Protocol):
    """What the page shows and drives; methods may be called from the web's thread."""

    def board_states(self) -> list[dict[str, Any]]:
        """One dict a board: name, title, lines (4), powered, valve (None: has none), litres, beep, card (0: none), cards."""
        ...

    def movements(self) -> list[dict[str, str]]:
        """The newest movements, oldest first: record, from, to, yuan."""
        ...

    def press(self, board: str, key: str) -> None:
        """Press and release a key. Raises KeyError for an unknown board or key."""
        ...

    def place_card(self, board: str, number: int) -> None:
        """Lay card `number` on a reader, taking it from wherever it lies; 0 takes away what lies there. Raises KeyError."""
        ...

    def toggle_power(self, board: str) -> None:
        """Cut the power of a board, or give it back. Raises KeyError."""
        ...


def create_app(bench: Bench, is_ending: Callable[[], bool]) -> Starlette:
    """Return the application; streams end when `is_ending()` says so."""

    def page(_request: Request) -> Response:
        return FileResponse(STATIC / "index.html", headers=_HEADERS)

    async def events(_request: Request) -> Response:
        return StreamingResponse(_stream(bench, is_ending), media_type="text/event-stream", headers={"Cache-Control": "no-store"})

    async def press(request: Request) -> Response:
        return await _act(request, lambda: bench.press(request.path_params["board"], request.path_params["key"]))

    async def place_card(request: Request) -> Response:
        return await _act(request, lambda: bench.place_card(request.path_params["board"], request.path_params["number"]))

    async def toggle_power(request: Request) -> Response:
        return await _act(request, lambda: bench.toggle_power(request.path_params["board"]))

    return Starlette(
        routes=[
            Route("/", page),
            Route("/events", events),
            Route("/boards/{board}/keys/{key}", press, methods=["POST"]),
            Route("/boards/{board}/card/{number:int}", place_card, methods=["POST"]),
            Route("/boards/{board}/power", toggle_power, methods=["POST"]),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=HOSTS)],
    )


_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src data:; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


async def _act(request: Request, act: Callable[[], None]) -> Response:
    origin = request.headers.get("origin")
    if origin is not None and origin.partition("://")[2] != request.headers["host"]:
        return PlainTextResponse("只接受本页的操作 · only this page may do that", 403)
    try:
        await asyncio.to_thread(act)
    except KeyError as error:
        return PlainTextResponse(f"没有 · no such thing: {error.args[0]}", 404)
    return Response(status_code=204)


async def _stream(bench: Bench, is_ending: Callable[[], bool]) -> AsyncIterator[str]:
    """Yield what changed, as server-sent events, looking ten times a second."""
    shown: dict[str, str] = {}
    quiet_s = 0.0
    while not is_ending():
        quiet_s += LOOK_S
        for name, look in (("boards", bench.board_states), ("movements", bench.movements)):
            data = json.dumps(await asyncio.to_thread(look), ensure_ascii=False)
            if data != shown.get(name):
                shown[name] = data
                quiet_s = 0.0
                yield f"event: {name}\ndata: {data}\n\n"
        if quiet_s > HEARTBEAT_S:
            quiet_s = 0.0
            yield ": still here\n\n"
        await asyncio.sleep(LOOK_S)
