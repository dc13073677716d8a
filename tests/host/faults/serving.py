"""What stands between the terminals and a failing disk: the desk of a line, the writer, the health page; driven from outside.

Reads one JSON object a line: {"ask": sequence}, {"deliver": count} (records of the till up to there) or
{"health": 1}; answers each with one JSON line. `Serving` is the test's end of it.
"""

import asyncio
import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import httpx
import structlog
from structlog.testing import LogCapture

from host.fleet import Fleet
from host.link.desk import Desk
from host.link.events import Received
from host.web.app import make_app
from host.web.site import Site
from host.writer import Writer
from protocol.messages import ASK_SALE, SUBJECT_CARD, Ack, Answer, Ask, Records
from tests.host.faults.load import JOURNALS, open_books
from tests.host.site import NOW_S, TILL

ROOT = Path(__file__).resolve().parents[3]
AWAY, BACK = "ledger away: asks are answered so, records wait in the terminals", "ledger back"
_TOKEN = "a-token-of-this-test"


class Serving:
    """A host in a process of its own."""

    def __init__(self, path: Path, environment: dict[str, str]) -> None:
        command = [sys.executable, "-m", "tests.host.faults.serving", str(path)]
        self._process = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def say(self, **said: int) -> dict[str, Any]:
        """Say something to it; returns its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(said), file=self._process.stdin, flush=True)
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()


class Host:
    """The parts of a host that this is about, wired as `onecard serve` does."""

    def __init__(self, path: Path) -> None:
        ledger = open_books(path)
        ledger.start("serve")
        self.log = LogCapture()
        self._woken = threading.Event()
        writer = Writer(ledger)
        logger: Any = structlog.wrap_logger(None, processors=[self.log])
        self._desk = Desk(writer, clock=lambda: NOW_S, wake=self._woken.set, log=logger)
        site = Site(writer, Fleet(), "试验校园", "zh", lambda: False, lambda: writer.is_away)
        self._transport = httpx.ASGITransport(make_app(site, token=_TOKEN))

    def answer(self, said: dict[str, int]) -> dict[str, Any]:
        """Answer one line."""
        if "health" in said:
            return asyncio.run(self._health())
        if "ask" in said:
            return self._tell(Ask(1, said["ask"], ASK_SALE, SUBJECT_CARD, 1, 100, 0, b"", b""))
        return self._tell(Records(b"".join(JOURNALS[TILL].records[: said["deliver"]])))

    def _tell(self, message: Ask | Records) -> dict[str, Any]:
        """What the till hears for a message, and what was logged so far."""
        self._woken.clear()
        self._desk.take(Received(TILL, message, 1))
        self._woken.wait(30)
        heard: list[Any] = []
        for reply in (reply for decided in self._desk.decided() for reply in decided.messages):
            heard.append(
                ["ack", reply.high_water] if isinstance(reply, Ack) else ["answer", reply.code] if isinstance(reply, Answer) else []
            )
        return {"heard": heard, "log": [entry["event"] for entry in self.log.entries]}

    async def _health(self) -> dict[str, Any]:
        async with httpx.AsyncClient(transport=self._transport, base_url="http://127.0.0.1:8420") as client:
            found = await client.get("/health", headers={"authorization": f"Bearer {_TOKEN}"})
        return {"status": found.status_code, "ledger": found.json()["ledger"]}


def main() -> None:
    """Answer until the input ends."""
    host = Host(Path(sys.argv[1]))
    for line in sys.stdin:
        print(json.dumps(host.answer(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
