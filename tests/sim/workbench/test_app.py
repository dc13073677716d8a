"""The live page: what it shows, what it presses, and what it refuses."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from sim.parts.keypad import KEYS
from sim.workbench.app import create_app
from sim.workbench.server import LivePage

ADDRESS = "http://127.0.0.1:8430"
ALL_KEYS = [key for row in KEYS for key in row]


class OneBoard:
    """A bench with one board, three keys down the road, and two cards."""

    def __init__(self) -> None:
        self.pressed: list[str] = []
        self.card = 0
        self.powered = True
        self.moved: list[dict[str, str]] = []
        self.look_count = 0

    def board_states(self) -> list[dict[str, Any]]:
        self.look_count += 1
        return [{"name": "pos", "lines": ["请输入金额", "", "", ""], "powered": self.powered, "card": self.card}]

    def movements(self) -> list[dict[str, str]]:
        return self.moved

    def press(self, board: str, key: str) -> None:
        self._find(board)
        if key not in ALL_KEYS:
            raise KeyError(key)
        self.pressed.append(key)

    def place_card(self, board: str, number: int) -> None:
        self._find(board)
        if number not in (0, 1, 2):
            raise KeyError(number)
        self.card = number

    def toggle_power(self, board: str) -> None:
        self._find(board)
        self.powered = not self.powered

    def _find(self, board: str) -> None:
        if board != "pos":
            raise KeyError(board)


@pytest.fixture
def bench() -> OneBoard:
    return OneBoard()


class Browser:
    """A browser on this machine."""

    def __init__(self, app: Starlette) -> None:
        self._transport = httpx.ASGITransport(app)

    def get(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        """Fetch a page."""
        return asyncio.run(self._send("GET", path, headers))

    def post(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        """Press a button."""
        return asyncio.run(self._send("POST", path, headers))

    async def _send(self, method: str, path: str, headers: dict[str, str] | None) -> httpx.Response:
        async with httpx.AsyncClient(transport=self._transport, base_url=ADDRESS) as client:
            return await client.request(method, path, headers=headers)


@pytest.fixture
def client(bench: OneBoard) -> Browser:
    """A browser whose streams end after three looks."""
    return Browser(create_app(bench, lambda: bench.look_count >= 3))


def test_page_is_complete_and_takes_nothing_from_elsewhere(client: Browser) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert 'name="viewport"' in page.text
    assert "default-src 'self'" in page.headers["content-security-policy"]
    for path in ("/static/page.css", "/static/page.js"):
        assert path in page.text
        assert client.get(path).status_code == 200


def test_page_has_a_button_for_every_key_of_the_keypad(client: Browser) -> None:
    script = client.get("/static/page.js").text
    assert [key for key in ALL_KEYS if f'["{key}", ' not in script] == []


def test_buttons_are_large_enough_for_a_thumb(client: Browser) -> None:
    """44 px, that is 2.75 rem (USERS.md, students)."""
    style = client.get("/static/page.css").text
    button = style[style.index("\nbutton {") :].partition("}")[0]
    assert "min-height: 2.75rem" in button
    assert "minmax(2.75rem" in style


def test_events_say_each_thing_once_until_it_changes(client: Browser, bench: OneBoard) -> None:
    bench.moved = [{"record": "sale 101-1-3", "from": "张小雨", "to": "第一食堂", "yuan": "12.50"}]
    events = [part.split("\n") for part in client.get("/events").text.strip().split("\n\n")]
    assert [lines[0] for lines in events] == ["event: boards", "event: movements"]
    assert json.loads(events[0][1].removeprefix("data: "))[0]["lines"][0] == "请输入金额"
    assert json.loads(events[1][1].removeprefix("data: ")) == bench.moved


def test_keys_cards_and_power_reach_the_bench(client: Browser, bench: OneBoard) -> None:
    for path in ("/boards/pos/keys/OK", "/boards/pos/card/2", "/boards/pos/power"):
        assert client.post(path, headers={"origin": ADDRESS}).status_code == 204
    assert (bench.pressed, bench.card, bench.powered) == (["OK"], 2, False)
    assert client.post("/boards/pos/card/0").status_code == 204
    assert bench.card == 0


@pytest.mark.parametrize(
    "path",
    ["/boards/kiosk/keys/OK", "/boards/pos/keys/ENTER", "/boards/pos/card/9", "/boards/pos/card/-1", "/boards/kiosk/power", "/boards"],
)
def test_unknown_board_key_or_card_is_404(client: Browser, bench: OneBoard, path: str) -> None:
    assert client.post(path).status_code == 404
    assert (bench.pressed, bench.card, bench.powered) == ([], 0, True)


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:8420", ""])
def test_page_from_elsewhere_may_press_nothing(client: Browser, bench: OneBoard, origin: str) -> None:
    assert client.post("/boards/pos/keys/OK", headers={"origin": origin}).status_code == 403
    assert bench.pressed == []


@pytest.mark.parametrize("path", ["/", "/events", "/static/page.js"])
def test_foreign_host_name_is_refused(client: Browser, path: str) -> None:
    assert client.get(path, headers={"host": "evil.example"}).status_code == 400


def test_looking_at_an_action_does_nothing(client: Browser, bench: OneBoard) -> None:
    """A link or an image on another page is a GET."""
    assert client.get("/boards/pos/keys/OK").status_code == 405
    assert bench.pressed == []


def test_live_page_takes_the_next_port_and_ends(bench: OneBoard) -> None:
    first = LivePage(bench, 0)
    first_port = int(first.start().rpartition(":")[2].rstrip("/"))
    second = LivePage(bench, first_port)
    try:
        address = second.start()
        assert int(address.rpartition(":")[2].rstrip("/")) > first_port
    finally:
        first.stop()
        second.stop()
