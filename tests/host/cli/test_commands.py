"""The command line: the whole way once, every --help with an example, errors in one line with what to do."""

import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from host.cli import app
from host.ledger.opening import open_ledger
from host.ledger.reports import last_commit
from host.settings import load_settings

ROOT = Path(__file__).resolve().parents[3]


class Shell:
    """Runs commands on one data folder; remembers all that was printed."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.printed = ""

    def run(self, *words: str, code: int = 0) -> str:
        """Run a command; its exit code must be `code`."""
        done = CliRunner().invoke(app, [*words, "--data", str(self.data)])
        self.printed += done.output
        assert done.exit_code == code, done.output
        return done.output


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A new folder with a holder, a card and a shower."""
    made = Shell(tmp_path / "数据 data")
    made.run("init")
    made.run("holder", "add", "20260001", "张小雨")
    made.run("card", "add", "20260001", "--uid", "04:A1:B2:C3")
    made.run("terminal", "add", "100", "--kind", "shower", "--place", "北区浴室 12 号", "--line", "1")
    return made


def test_the_whole_way(shell: Shell, tmp_path: Path) -> None:
    assert "50.00" in shell.run("recharge", "20260001", "50")
    booked = shell.run("reserve", "20260001", "100", "--minutes", "20", "--amount", "2.50")
    found = re.search(r"\b\d{6}\b", booked)
    assert found is not None
    assert "47.50" in shell.run("balance", "20260001")
    assert found[0] in shell.run("reserve", "20260001")
    assert "2.50" in shell.run("reserve", "20260001", "--cancel", found[0])
    shell.run("card", "encode", "1", "--image", str(tmp_path / "card.bin"))
    assert (tmp_path / "card.bin").stat().st_size == 1_024
    assert "04a1b2c3" in shell.run("card", "list")
    assert "北区浴室 12 号" in shell.run("terminal", "list")
    assert "张小雨" in shell.run("holder", "list")
    assert "the books are right" in shell.run("check")


def test_an_identity_goes_to_a_private_file_and_nowhere_else(shell: Shell, tmp_path: Path) -> None:
    out = tmp_path / "identity"
    shell.run("terminal", "identity", "100", "--out", str(out))
    identity = out.read_bytes()
    assert (len(identity), out.stat().st_mode & 0o777) == (38, 0o600)
    site_key = (shell.data / "keys" / "site.key").read_bytes()
    token = (shell.data / "keys" / "web.token").read_text()
    for secret in (identity[3:19].hex(), identity[19:35].hex(), site_key.hex(), token):
        assert secret.lower() not in shell.printed.lower()


def test_init_keeps_what_is_there(shell: Shell) -> None:
    before = {path: path.read_bytes() for path in shell.data.rglob("*") if path.is_file() and path.suffix != ".db"}
    assert "is taken already" in shell.run("init", code=1)
    assert {path: path.read_bytes() for path in before} == before


def test_a_new_folder_is_private_and_its_settings_load(shell: Shell) -> None:
    assert (shell.data.stat().st_mode & 0o777, (shell.data / "keys").stat().st_mode & 0o777) == (0o700, 0o700)
    assert load_settings(shell.data, {}).web.port == 8_420


ERRORS = {
    "no such holder": (["balance", "99999999"], 3, "holder list"),
    "no such card": (["card", "encode", "9", "--image", "x"], 3, "card list"),
    "no such terminal": (["terminal", "identity", "999", "--out", "x"], 3, "terminal list"),
    "a holder twice": (["holder", "add", "20260001", "李强"], 1, "taken"),
    "a number too short": (["holder", "add", "123", "李强"], 2, "6 to 20"),
    "no such class": (["holder", "add", "20260009", "李强", "--class", "king"], 2, "visitor"),
    "no amount": (["recharge", "20260001", "ten"], 2, "write yuan"),
    "three decimals": (["recharge", "20260001", "1.234"], 2, "write yuan"),
    "full-width digits": (["recharge", "20260001", "１２"], 2, "write yuan"),
    "amount 0": (["recharge", "20260001", "0"], 2, "between"),
    "a UID that is none": (["card", "add", "20260001", "--uid", "xyz"], 2, "hexadecimal"),
    "a date that is none": (["card", "add", "20260001", "--uid", "04A1B2C4", "--expires", "2026-02-30"], 2, "2030-07-01"),
    "a time that is none": (["reserve", "20260001", "100", "--from", "25:00"], 2, "18:30"),
    "too little money": (["reserve", "20260001", "100"], 1, "recharge first"),
    "no such booking": (["reserve", "20260001", "--cancel", "123456"], 3, "belong together"),
    "a file that cannot be": (["card", "encode", "1", "--image", "/proc/nowhere/x"], 1, "check the path"),
    "an unknown command": (["fly"], 2, "No such command"),
    "an argument missing": (["balance"], 2, "Missing argument"),
    "an option out of range": (["reserve", "20260001", "100", "--minutes", "9999"], 2, "240"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_an_error_is_one_line_with_what_to_do(shell: Shell, case: str) -> None:
    words, code, said = ERRORS[case]
    output = shell.run(*words, code=code)
    assert said in output
    assert "Traceback" not in output


def test_a_folder_without_settings_says_init(tmp_path: Path) -> None:
    assert "onecard init" in Shell(tmp_path / "nowhere").run("balance", "20260001", code=3)


def test_every_wrong_setting_is_a_line(shell: Shell) -> None:
    (shell.data / "onecard.toml").write_text("[web]\nport = 70000\nprot = 1\n", encoding="utf-8")
    output = shell.run("balance", "20260001", code=2)
    assert len([line for line in output.splitlines() if line.startswith("onecard: ")]) == 2


def test_check_fails_and_names_the_row(shell: Shell) -> None:
    shell.run("recharge", "20260001", "50")
    with sqlite3.connect(shell.data / "ledger.db") as connection:
        connection.execute("UPDATE accounts SET balance_fen = 4999 WHERE number = 100")
    assert "account 100" in shell.run("check", code=1)


def test_commands_work_beside_a_host_that_serves(shell: Shell) -> None:
    serving = open_ledger(load_settings(shell.data, {}), shell.data)
    serving.start("serve")
    shell.run("recharge", "20260001", "50")
    shell.run("check")
    assert serving.view(last_commit) == 1
    serving.close()


def test_the_environment_names_the_folder(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONECARD_DATA", str(shell.data))
    done = CliRunner().invoke(app, ["holder", "list"])
    assert "20260001" in done.output


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name)


ALL = sorted(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_command_has_help_with_an_example(path: tuple[str, ...]) -> None:
    done = CliRunner().invoke(app, [*path, "--help"])
    assert done.exit_code == 0
    assert f"Example: onecard {' '.join(path)}" in done.output


def test_without_a_word_the_commands_are_listed() -> None:
    done = CliRunner().invoke(app, [])
    assert done.exit_code == 2
    assert "recharge" in done.output


def test_no_colour_and_no_traceback_into_a_pipe_that_closes(shell: Shell) -> None:
    """As `onecard holder list | head -0` in a C locale."""
    environment = {
        **os.environ,
        "LANG": "C",
        "LC_ALL": "C",
        "ONECARD_DATA": str(shell.data),
        "PYTHONUTF8": "0",
        "PYTHONIOENCODING": "ascii",
    }
    script = "import sys; sys.argv[0] = 'onecard'; from host.cli import app; app()"
    done = subprocess.run([sys.executable, "-c", script, "holder", "list"], cwd=ROOT, env=environment, capture_output=True, check=False)
    assert (done.returncode, b"\x1b" in done.stdout, b"Traceback" in done.stderr) == (0, False, False)
    closed = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {json.dumps(sys.executable)} -c {json.dumps(script)} holder list | true"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        check=False,
    )
    assert b"Traceback" not in closed.stderr
