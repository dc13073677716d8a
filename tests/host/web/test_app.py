from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from host import holders
from host.backup import Facts
from host.fleet import Fleet, LineState
from host.ledger.kinds import AccountKind
from host.link.events import Fault
from host.link.port import Cause
from host.restore import prepare
from host.web.app import make_app
from host.web.headers import HEADERS
from host.web.site import Site
from host.web.texts import TEXTS, choose_language
from tests.host.link import site as sites

TOKEN = "a-token-of-this-test"
BEARER = {"authorization": f"Bearer {TOKEN}"}
PATHS = ["/api/movements", "/api/terminals", "/api/events"]


class Client:
    """Asks the application without a socket; `reader` is the address it is asked from."""

    def __init__(self, app: Starlette, reader: str = "127.0.0.1") -> None:
        self._transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(reader, 50_000))

    def get(self, path: str, headers: dict[str, Any] | None = None, method: str = "GET") -> httpx.Response:
        """The whole answer."""

        async def ask() -> httpx.Response:
            async with httpx.AsyncClient(transport=self._transport, base_url="http://127.0.0.1:8420") as client:
                return await client.request(method, path, headers=headers)

        return asyncio.run(ask())


@dataclass
class Web:
    """The application over a ledger on disk; streams end after `looks` looks."""

    site: sites.Site
    fleet: Fleet
    looks: int = 3

    def __post_init__(self) -> None:
        self.app = make_app(Site(self.site.ledger, self.fleet, "试验校园", "zh", self.is_stopping), token=TOKEN, names=["campus.example"])
        self.client = Client(self.app)

    def is_stopping(self) -> bool:
        self.looks -= 1
        return self.looks < 0

    def events(self, path: str = "/api/events", **headers: str) -> list[tuple[str, str, dict[str, Any]]]:
        """The events of a stream that ends: id, name, data."""
        found: list[tuple[str, str, dict[str, Any]]] = []
        for block in self.client.get(path, headers={**BEARER, **headers}).text.split("\n\n"):
            fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
            if "data" in fields:
                found.append((fields.get("id", ""), fields["event"], json.loads(fields["data"])))
        return found


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    site = sites.make_site(tmp_path / "data")
    yield Web(site, Fleet())
    site.ledger.close()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "headers", [{}, {"authorization": "Bearer wrong"}, {"authorization": TOKEN}, {"authorization": "Bearer 令牌".encode()}]
)
def test_without_the_token_nothing_is_told(web: Web, path: str, headers: dict[str, Any]) -> None:
    answer = web.client.get(path, headers=headers)
    assert answer.status_code == 401
    assert "张小雨" not in answer.text


@pytest.mark.parametrize("headers", [{"origin": "http://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}])
def test_a_page_of_another_site_is_refused_even_with_the_token(web: Web, headers: dict[str, str]) -> None:
    assert web.client.get("/api/movements", headers=BEARER | headers).status_code == 403


@pytest.mark.parametrize("host", ["127.0.0.1:8420", "localhost", "[::1]:8420", "10.1.2.3", "campus.example:8420"])
def test_this_host_is_answered_for(web: Web, host: str) -> None:
    assert web.client.get("/health", {"host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "", "127.0.0.1.evil.example", "[::1", "a b", "localhost@evil.example"])
def test_another_name_that_points_here_is_refused(web: Web, host: str) -> None:
    assert web.client.get("/health", {"host": host}).status_code == 421


def test_health_is_open_and_tells_details_only_with_the_token(web: Web) -> None:
    assert web.client.get("/health").json() == {"ok": True}
    web.fleet.set_terminal(sites.TILL, 1, is_up=True, epoch=0, next_sequence=4)
    details = web.client.get("/health", headers=BEARER).json()
    assert details["ok"]
    assert [(one["terminal"], one["is_up"], one["lag"]) for one in details["terminals"]] == [(100, True, 3), (101, False, 0)]


def test_the_page_and_health_say_whom_a_restored_host_waits_for(web: Web) -> None:
    prepare(web.site.ledger, [], facts=Facts("sqlite", "", 0, 0, "", 0, {}, 0, ""), name="a backup")
    page = web.client.get("/").text
    assert TEXTS["zh"]["restoring"] in page
    assert "第一食堂 03 窗口" in page
    assert "第一食堂" not in Client(web.app, "192.0.2.7").get("/", {"host": "campus.example"}).text
    assert [one["terminal"] for one in web.client.get("/health", headers=BEARER).json()["restoring"]] == [sites.TILL, sites.SHOWER]
    assert web.client.get("/health").json() == {"ok": True}


def test_health_is_503_when_the_books_cannot_be_read(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(job: object) -> None:
        raise OSError("disk")

    monkeypatch.setattr(web.site.ledger, "view", broken)
    answer = web.client.get("/health", headers=BEARER)
    assert (answer.status_code, answer.json()) == (503, {"ok": False, "ledger": False})


def test_movements_have_names_amounts_and_a_cursor(web: Web) -> None:
    answer = web.client.get("/api/movements", headers=BEARER).json()
    (movement,) = answer["movements"]
    assert (movement["kind"], movement["credit"]["label"], movement["amount_fen"]) == ("recharge", "张小雨", 20_000)
    holders.recharge(web.site.ledger, sites.STUDENT, 500)
    after = web.client.get(f"/api/movements?after={answer['next']}", headers=BEARER).json()
    assert [movement["amount_fen"] for movement in after["movements"]] == [500]
    assert web.client.get(f"/api/movements?after={after['next']}", headers=BEARER).json() == {"movements": [], "next": after["next"]}


@pytest.mark.parametrize("query", ["after=-1", "after=x", "after=１", "after=99999999999999999999", "limit=1001", "limit=", "after=1e3"])
def test_a_number_that_is_none_is_422(web: Web, query: str) -> None:
    answer = web.client.get(f"/api/movements?{query}", headers=BEARER)
    assert answer.status_code == 422
    assert "error" in answer.json()


def test_terminals_are_listed_with_their_places_and_lines(web: Web) -> None:
    web.fleet.set_line(LineState(1, "/dev/ttyUSB0", problem="absent"))
    answer = web.client.get("/api/terminals", headers=BEARER).json()
    assert [(one["terminal"], one["kind"], one["place"]) for one in answer["terminals"]] == [
        (100, "pos", "第一食堂 03 窗口"),
        (101, "shower", "北区浴室 12 号"),
    ]
    assert answer["lines"] == [{"line": 1, "url": "/dev/ttyUSB0", "is_open": False, "problem": "absent", "holder": ""}]


def test_the_stream_delivers_a_movement_with_its_names(web: Web) -> None:
    (found,) = web.events("/api/events?after=0")
    number, name, data = found
    assert (number, name, data["kind"], data["amount_fen"]) == ("1", "record", "recharge", 20_000)
    assert data["movements"][0]["credit"]["label"] == "张小雨"


def test_a_reader_that_comes_back_misses_nothing_and_hears_nothing_twice(web: Web) -> None:
    holders.recharge(web.site.ledger, sites.STUDENT, 700)
    assert [data["amount_fen"] for _, _, data in web.events(**{"last-event-id": "1"})] == [700]
    web.looks = 3
    assert web.events() == []


def test_the_stream_tells_the_fleet_first_and_then_its_changes(web: Web) -> None:
    web.fleet.set_line(LineState(1, "pty", is_open=True))
    web.fleet.set_terminal(sites.TILL, 1, is_up=True)
    assert [(name, data.get("is_up", data.get("is_open"))) for _, name, data in web.events()] == [("line", True), ("terminal", True)]


def test_the_first_page_reads_without_script_in_both_languages(web: Web) -> None:
    chinese = web.client.get("/")
    assert "第一食堂 03 窗口" in chinese.text
    assert "-200.00" in chinese.text  # the bank or the till: what came in
    assert 'lang="zh"' in chinese.text
    english = web.client.get("/?lang=en")
    assert "Holders&#39; accounts" in english.text
    assert "<script" not in chinese.text + english.text


def test_a_reader_elsewhere_sees_no_names_and_no_money(web: Web) -> None:
    elsewhere = Client(web.app, reader="10.0.0.9")
    for text in (elsewhere.get("/").text, web.client.get("/", headers={"x-forwarded-for": "10.0.0.9"}).text):
        assert "第一食堂" not in text
        assert "200.00" not in text
        assert "0 / 2" in text


@pytest.mark.parametrize(
    "path", ["/", "/health", "/style.css", "/nowhere", "/api/movements", "/../keys/web.token", "/%2e%2e/keys/web.token"]
)
def test_every_answer_carries_the_headers_and_no_trace(web: Web, path: str) -> None:
    answer = web.client.get(path)
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert "Traceback" not in answer.text


def test_a_fault_of_ours_is_500_without_a_trace(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(job: object) -> None:
        raise OSError("a secret path")

    monkeypatch.setattr(web.site.ledger, "view", broken)
    answer = web.client.get("/api/movements", headers=BEARER)
    assert answer.status_code == 500
    assert "secret" not in answer.text


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_can_be_changed_here(web: Web, method: str) -> None:
    assert web.client.get("/api/movements", BEARER, method).status_code == 405


def test_both_languages_have_every_text() -> None:
    assert TEXTS["zh"].keys() == TEXTS["en"].keys()
    assert {*Cause, *Fault, *AccountKind} <= TEXTS["zh"].keys()


def test_what_is_wrong_with_lines_and_terminals_is_said_in_the_readers_language(web: Web) -> None:
    web.fleet.set_line(LineState(1, "/dev/ttyUSB0", problem=Cause.BUSY, holder="1234 (minicom)"))
    web.fleet.set_terminal(sites.TILL, 1, fault=Fault.TWO_BOARDS)
    for language in TEXTS:
        text = web.client.get(f"/?lang={language}").text
        assert TEXTS[language]["busy"] in text
        assert TEXTS[language]["two_boards"] in text
        assert "1234 (minicom)" in text


@pytest.mark.parametrize(
    ("asked", "accepted", "language"),
    [
        ("en", "zh", "en"),
        (None, "en-GB,en;q=0.9", "en"),
        (None, "fr, zh-CN", "zh"),
        (None, "fr", "zh"),
        ("xx", "", "zh"),
        (None, ";;,,", "zh"),
    ],
)
def test_the_language_is_what_was_asked_then_accepted_then_the_sites(asked: str | None, accepted: str, language: str) -> None:
    assert choose_language(asked, accepted, "zh") == language
