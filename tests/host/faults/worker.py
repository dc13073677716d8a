"""A process of the host to be broken: started once, on the faulty disk, it forks one for each order.

Reads orders from standard input, one JSON object a line; writes to standard output what each process says,
one JSON object a line: {"pid": ...} first, then what it acknowledges, {"failed": ...} if it could not go on,
and {"ended": pid, "status": ...} by the parent. Forking spares each its start: hundreds fit into a minute.
`Worker` is the test's end of it.
"""

import json
import os
import select
import signal
import subprocess
import sys
import threading
import traceback
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Any

from host import holders
from host.errors import LedgerAway, LedgerUnreadable
from host.ledger.books import Books
from host.ledger.rows import Account
from tests.host.faults.load import Load, open_books
from tests.host.faults.posting import pay_once, post_for_ever

ROOT = Path(__file__).resolve().parents[3]
PATIENCE_S = 60
Said = dict[str, Any]


class Worker:
    """The worker process, on a disk of its own or, without `environment`, on the real one."""

    def __init__(self, environment: dict[str, str] | None = None) -> None:
        command = [sys.executable, "-m", "tests.host.faults.worker"]
        # A session of its own, so that whatever it forked ends with it.
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self._rest = b""
        self._heard: deque[Said] = deque()
        """What others said while an order was given."""

    def order(self, path: Path, do: str, **more: Any) -> int:
        """Have a process do something; returns its number."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"path": str(path), "do": do, **more}).encode() + b"\n")
        self._process.stdin.flush()
        while "pid" not in (one := self._hear(PATIENCE_S)):
            self._heard.append(one)
        return one["pid"]

    def run(self, path: Path, do: str, **more: Any) -> tuple[list[Said], int]:
        """Have a process do something to its end; returns what it said, and its exit status."""
        self.order(path, do, **more)
        said: list[Said] = []
        while "ended" not in (one := self.read()):
            said.append(one)
        return said, one["status"]

    def read(self) -> Said:
        """The next thing that any of the processes says."""
        return self._heard.popleft() if self._heard else self._hear(PATIENCE_S)

    def poll(self, timeout_s: float) -> Said | None:
        """The next thing said, if something is within so long."""
        return self.read() if self._heard or self._has_line(timeout_s) else None

    def _hear(self, timeout_s: float) -> Said:
        assert self._has_line(timeout_s), f"nothing said in {timeout_s} s: {self._errors()}"
        line, _, self._rest = self._rest.partition(b"\n")
        return json.loads(line)

    def _has_line(self, timeout_s: float) -> bool:
        assert self._process.stdout is not None
        while b"\n" not in self._rest:
            if not select.select([self._process.stdout], [], [], timeout_s)[0]:
                return False
            more = os.read(self._process.stdout.fileno(), 65_536)
            assert more, self._errors()
            self._rest += more
        return True

    def close(self) -> None:
        """End it, and all that it forked."""
        self._errors()

    def _errors(self) -> str:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        return self._process.communicate()[1].decode()


def say(said: Said) -> None:
    """Say something at once, in one piece."""
    os.write(1, json.dumps(said, ensure_ascii=False).encode() + b"\n")


def main() -> None:
    """Fork a process for each order, and say when and how it ended."""
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            os._exit(obey(order))
        threading.Thread(target=wait_for, args=(pid,), daemon=True).start()


def wait_for(pid: int) -> None:
    """Say how a process ended."""
    _, status = os.waitpid(pid, 0)
    say({"ended": pid, "status": os.waitstatus_to_exitcode(status)})


def obey(order: Said) -> int:
    """Do what was ordered; 0: done, or said why not."""
    say({"pid": os.getpid()})
    path = Path(order["path"])
    try:
        if order["do"] == "load":
            Load(path, say, tries=order["tries"]).run()
        elif order["do"] == "open":
            open_books(path).close()
        elif order["do"] == "enrol":
            enrol(path, order["name"], order["count"])
        elif order["do"] == "hang":
            open_books(path).commit(hang)
        elif order["do"] == "pay":
            for _ in range(order["count"]):
                pay_once(path, say)
        else:
            post_for_ever(path, say)
    except (LedgerAway, LedgerUnreadable) as error:
        say({"failed": type(error).__name__, "text": str(error)})
    except Exception:  # noqa: BLE001 (the outermost: the test shows it)
        say({"crashed": traceback.format_exc()})
        return 1
    return 0


def enrol(path: Path, name: str, count: int) -> None:
    """Open accounts, one commit each."""
    ledger = open_books(path)
    for number in range(count):
        holders.add(ledger, f"{name}{number:06}", "张小雨")
    ledger.close()


def hang(books: Books) -> None:
    """Read something to write, and never come to it."""
    books.find(Account)
    say({"holds": "the lock"})
    signal.pause()


if __name__ == "__main__":
    main()
