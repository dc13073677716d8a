"""Who may ask: the right host name, no other site's page, and for /api the token."""

import hmac
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_GUARDED = "/api/"


class Guard:
    """Refuses before anything else sees a request.

    `Host` must be an address, "localhost" or one of `names`: a foreign name that points here is a rebinding
    attack. A page of another site may not ask /api. `Authorization: Bearer TOKEN` opens /api, and details elsewhere:
    `scope["state"]["is_trusted"]` says whether it was there and right.
    """

    def __init__(self, app: ASGIApp, *, token: str, names: frozenset[str]) -> None:
        self.app = app
        self._authorization = f"Bearer {token}".encode()
        self._names = names | {"localhost"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it here."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        is_trusted = hmac.compare_digest(headers.get("authorization", "").encode(), self._authorization)
        refusal = self._refusal(scope["path"], headers, is_trusted=is_trusted)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        scope.setdefault("state", {})["is_trusted"] = is_trusted
        await self.app(scope, receive, send)

    def _refusal(self, path: str, headers: Headers, *, is_trusted: bool) -> JSONResponse | None:
        host = headers.get("host", "")
        if not self._is_ours(host):
            return JSONResponse({"error": "no such host here: use the address that `onecard serve` printed"}, 421)
        if not path.startswith(_GUARDED):
            return None
        origin = headers.get("origin")
        if headers.get("sec-fetch-site") == "cross-site" or (origin is not None and origin.partition("://")[2] != host):
            return JSONResponse({"error": "not from a page of another site"}, 403)
        if not is_trusted:
            return JSONResponse(
                {"error": "send Authorization: Bearer, with the content of keys/web.token"}, 401, {"www-authenticate": "Bearer"}
            )
        return None

    def _is_ours(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return name in self._names or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
