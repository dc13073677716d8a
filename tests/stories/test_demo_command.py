"""The command `onecard demo` as a new user meets it: a process of its own, which ends everything that it started."""

import os
import re
import shutil
import signal
import site
import subprocess
import sys
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from host.errors import EXIT_BUSY, EXIT_CUT, EXIT_MISSING
from sim.host_process import ROOT
from sim.story import RIGHT

pytestmark = pytest.mark.xdist_group("street")

END_S = 30.0

MARK = "ONECARD_TEST_MARK"
"""In the environment of everything that a command starts: by it the processes of ours are found."""

ACTS = ("已联机", "刷卡洗澡", "预约码洗澡", "食堂收款", "余额不足", "账本的证明")


class Command:
    """One `onecard demo` with these words, on a data folder; its output, both streams in one, a line at a time."""

    def __init__(self, data: Path, *words: str, python: str = sys.executable, **environment: str) -> None:
        self.said: list[str] = []
        self._mark = uuid.uuid4().hex
        self._process = subprocess.Popen(
            [python, "-m", "onecard", "demo", "--data", str(data), "--port", "0", *words],
            env={**os.environ, "ONECARD_WEB__PORT": "0", MARK: self._mark, "PYTHONIOENCODING": "utf-8", **environment},
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )

    @property
    def told(self) -> str:
        """All that was said."""
        return "\n".join(self.said)

    def read_until(self, word: str) -> str:
        """Read on until a line with that word, and return it; fails if the output ends before."""
        for line in self._lines():
            if word in line:
                return line
        pytest.fail(f"no {word!r} in:\n{self.told}")

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    def end(self) -> int:
        """Read what is left, wait for the end, and return the exit code. Nothing of it may still run then."""
        for _ in self._lines():
            pass
        code = self._process.wait(END_S)
        assert survivors(self._mark) == [], self.told
        return code

    def _lines(self) -> Iterator[str]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.said.append(line.rstrip())
            yield line


def test_once_plays_every_act_proves_the_books_and_leaves_nothing_running(tmp_path: Path) -> None:
    """Rows: X1, S1, S2, S3, S4, P1, L3, K1."""
    command = Command(tmp_path, "--once", "--fresh")
    assert command.end() == 0, command.told
    assert [act for act in ACTS if act not in command.told] == []
    assert command.said[-1].strip().startswith(RIGHT)
    assert "\x1b" not in command.told, "no colours where nobody looks at a terminal"


def test_broken_off_and_started_again_it_stays_up_and_beside_it_no_second_starts(tmp_path: Path) -> None:
    """Rows: X1, S4. Whatever ends it ends everything that it started; a booking left open does not stop the next telling."""
    broken_off = Command(tmp_path, "--once")
    broken_off.read_until("预约 books")
    broken_off.send(signal.SIGINT)
    broken_off.send(signal.SIGTERM)
    assert broken_off.end() == EXIT_CUT, broken_off.told

    command = Command(tmp_path, "--speed", "4")
    try:
        address = re.search(r"http://\S+", command.read_until("live page"))
        assert address is not None
        with urllib.request.urlopen(address[0], timeout=END_S) as page:
            assert "一卡通现场" in page.read().decode()
        second = Command(tmp_path, "--once")
        assert second.end() == EXIT_BUSY, second.told
        assert "演示已在运行" in second.told
        command.read_until("now it is yours")
    finally:
        command.send(signal.SIGTERM)
        code = command.end()
    assert code == 0, command.told
    assert "已有预约" in command.told
    assert RIGHT in command.told


def test_missing_micropython_is_named_with_what_installs_it(tmp_path: Path) -> None:
    """Rows: X1."""
    python = tmp_path / "python"
    python.symlink_to(sys.executable)
    command = Command(tmp_path / "data", "--once", python=str(python), PATH=_path_without_micropython(), PYTHONPATH=_packages())
    assert command.end() == EXIT_MISSING, command.told
    assert "pip install" in command.told
    assert not (tmp_path / "data" / "demo" / "ledger.db").exists()


def survivors(mark: str) -> list[str]:
    """Processes that were started by a command with that mark, directly or not, and still run."""
    found: list[str] = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"{MARK}={mark}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                found.append((folder / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return [command for command in found if command]


def _path_without_micropython() -> str:
    folders = os.environ.get("PATH", "").split(os.pathsep)
    return os.pathsep.join(folder for folder in folders if shutil.which("micropython", path=folder) is None)


def _packages() -> str:
    return os.pathsep.join(site.getsitepackages())
