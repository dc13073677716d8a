"""The host as the simulator meets it: its command line, one `onecard serve`, and its HTTP interface."""

import http.client
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from host.errors import EXIT_FAILED, OnecardError

ROOT = Path(__file__).resolve().parent.parent

READY_S = 30
"""How long a start may take on a slow machine before it counts as failed."""

END_S = 5
"""What an orderly end may take before it is cut short."""

_LOOK_S = 0.02
_LOCK_NAME = "serve.lock"
"""`onecard serve` writes into it which process it is and where it answers (host/processes.py)."""

UNREACHABLE = (OSError, http.client.HTTPException, ValueError)
"""What reading from a host raises while it is not there, or ends in the middle of a line."""


class HostFailed(OnecardError):
    """A command of the host failed, or `serve` did not come up; the message has its last words, `exit_code` is the command's."""

    def __init__(self, message: str, exit_code: int = EXIT_FAILED) -> None:
        super().__init__(message)
        self.exit_code = exit_code if exit_code > 0 else EXIT_FAILED


class HostProcess:
    """One data folder, and the `onecard serve` on it.

    `environment` goes over the settings (`ONECARD_WEB__PORT=0` ...). `address` is where the web answers, once started.
    The process does not outlive the thread that calls `start`: where `setpriv` is installed the kernel ends it with that.
    """

    def __init__(self, data: Path, environment: dict[str, str] | None = None) -> None:
        self.data = data
        self.log = data / "serve.log"
        self.address = ""
        self._environment = {**os.environ, "PYTHONIOENCODING": "utf-8", "ONECARD_DATA": str(data), **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process running now, None if there is none."""
        return None if self._process is None or self._process.poll() is not None else self._process.pid

    def command(self, *words: str) -> str:
        """Run one `onecard` command and return what it printed. Raises `HostFailed` on any exit code but 0."""
        done = subprocess.run(
            _command(*words), env=self._environment, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", check=False
        )
        if done.returncode:
            raise HostFailed(f"onecard {' '.join(words)}: exit {done.returncode}: {(done.stdout + done.stderr).strip()}", done.returncode)
        return done.stdout

    def start(self) -> None:
        """Start `serve` and wait until it answers. Raises `HostFailed`."""
        with self.log.open("ab") as file:
            self._process = self._spawn(file)
        end_s = time.monotonic() + READY_S
        while time.monotonic() < end_s:
            if (code := self._process.poll()) is not None:
                raise HostFailed(f"onecard serve ended at once: {_last_line(self.log)}", code)
            if self._is_ready(self._process.pid):
                return
            time.sleep(_LOOK_S)
        raise HostFailed(f"onecard serve does not answer: see {self.log}")

    def stop(self) -> None:
        """End `serve` as an operator would, and wait for it."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def kill(self) -> None:
        """End `serve` as a power cut would; it is gone when this returns."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def get(self, path: str) -> Any:
        """Return the JSON of one page of the host. Raises one of `UNREACHABLE`."""
        with self._open(path) as answer:
            return json.load(answer)

    def events(self, path: str) -> Iterator[tuple[str, Any]]:
        """Yield (event, data) of a stream of events until it ends, which it does by one of `UNREACHABLE` if the host is killed."""
        name = "message"
        with self._open(path, timeout_s=60) as stream:
            for line in stream:
                field, _, value = line.decode().rstrip("\r\n").partition(": ")
                if field == "event":
                    name = value
                elif field == "data":
                    yield name, json.loads(value)

    def _spawn(self, log: IO[bytes]) -> "subprocess.Popen[bytes]":
        command = _command("serve")
        if (setpriv := shutil.which("setpriv")) is not None:
            command = [setpriv, "--pdeathsig", "KILL", "--", *command]
        # A session of its own: Ctrl-C at our terminal is for us, who then end it in order.
        return subprocess.Popen(
            command, env=self._environment, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )

    def _is_ready(self, pid: int) -> bool:
        """Whether the process has said where it answers, and does."""
        try:
            number, _, address = (self.data / _LOCK_NAME).read_text(encoding="utf-8").strip().partition(" ")
            if number != str(pid) or not address:
                return False
            self.address = address.rstrip("/")
            self.get("/health")
        except UNREACHABLE:
            return False
        return True

    def _open(self, path: str, timeout_s: float = 5) -> Any:
        token = (self.data / "keys" / "web.token").read_text(encoding="ascii").strip()
        request = urllib.request.Request(self.address + path, headers={"Authorization": f"Bearer {token}"})
        return urllib.request.urlopen(request, timeout=timeout_s)


def _command(*words: str) -> list[str]:
    return [sys.executable, "-m", "onecard", *words]


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else f"see {log}"
