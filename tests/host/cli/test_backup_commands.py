"""`backup`, `verify`, `restore`, `end-wait`, `collect-host`, and requests with keys, as an operator types them."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from host.cli import app
from host.errors import EXIT_BUSY, EXIT_FAILED, EXIT_MISSING, EXIT_USAGE, AlreadyThere
from host.ledger import opening
from host.ledger.opening import create_data, open_ledger
from host.processes import LOCK_NAME, OnlyOne
from host.settings import FILE_NAME, load_settings


class Shell:
    """Runs commands on one data folder."""

    def __init__(self, data: Path) -> None:
        self.data = data

    def run(self, *words: str, code: int = 0) -> str:
        """Run a command; its exit code must be `code`."""
        done = CliRunner().invoke(app, [*words, "--data", str(self.data)])
        assert done.exit_code == code, done.output
        return done.output


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A new folder with a holder and a shower."""
    made = Shell(tmp_path / "数据 data")
    made.run("init")
    made.run("holder", "add", "20260001", "张小雨")
    made.run("terminal", "add", "100", "--kind", "shower", "--place", "北区浴室 12 号", "--line", "1")
    return made


def test_the_way_from_backup_to_restore(shell: Shell, tmp_path: Path) -> None:
    shell.run("recharge", "20260001", "50")
    file = tmp_path / "备份 monday.backup"
    assert "已备份" in shell.run("backup", str(file))
    shell.run("recharge", "20260001", "20", "--key", "r-1")
    assert "the books in it are right" in shell.run("verify", str(file))
    assert "--replace" in shell.run("restore", str(file), code=EXIT_FAILED)
    said = shell.run("restore", str(file), "--replace")
    assert "1 records brought back" in said
    assert "it waits for 1 terminals (100)" in said
    assert "70.00" in shell.run("balance", "20260001")
    assert "恢复未完成" in shell.run("reserve", "20260001", "100", code=EXIT_BUSY)
    assert "北区浴室 12 号" in shell.run("end-wait")
    assert "missing 100" in shell.run("end-wait", "--reason", "scrapped")
    assert "no wait is open" in shell.run("end-wait")
    shell.run("reserve", "20260001", "100")
    assert "the books are right" in shell.run("check")


def test_a_backup_without_a_name_goes_into_the_data_folder(shell: Shell) -> None:
    shell.run("backup")
    names = sorted(path.suffix for path in (shell.data / "backup").iterdir())
    assert names == [".backup", ".json"]


def test_a_recharge_repeated_with_its_key_pays_once(shell: Shell) -> None:
    for _ in range(2):
        assert "50.00" in shell.run("recharge", "20260001", "50", "--key", "receipt-4711")
    assert "50.00" in shell.run("balance", "20260001")
    assert "receipt-4711" in shell.run("recharge", "20260001", "51", "--key", "receipt-4711", code=EXIT_FAILED)


def test_a_booking_with_a_key_names_its_time_and_gets_one_code(shell: Shell) -> None:
    shell.run("recharge", "20260001", "50")
    assert "--from" in shell.run("reserve", "20260001", "100", "--key", "b1", code=EXIT_USAGE)
    said = [shell.run("reserve", "20260001", "100", "--key", "b1", "--from", "23:59") for _ in range(2)]
    assert said[0] == said[1]


def test_a_recharge_that_has_no_journal_to_go_to_is_refused(shell: Shell) -> None:
    (shell.data / "journal").write_text("in the way")
    assert "nothing was changed" in shell.run("recharge", "20260001", "50", code=EXIT_BUSY)
    (shell.data / "journal").unlink()
    assert "has 0.00" in shell.run("balance", "20260001") or "0.00" in shell.run("balance", "20260001")


def test_a_late_journal_file_is_collected_and_done_twice_changes_nothing(shell: Shell, tmp_path: Path) -> None:
    shell.run("backup", str(tmp_path / "b"))
    shell.run("recharge", "20260001", "20")
    late = tmp_path / "late"
    (shell.data / "journal").rename(late)
    shell.run("restore", str(tmp_path / "b"), "--replace")
    assert "0.00" in shell.run("balance", "20260001")
    files = [str(path) for path in late.glob("*.journal")]
    assert "1 records brought back" in shell.run("collect-host", *files)
    assert "20.00" in shell.run("balance", "20260001")
    assert "0 records brought back, 1 were there" in shell.run("collect-host", *files)
    shell.run("collect-host", str(tmp_path / "nothing"), code=EXIT_FAILED)


def test_what_is_no_backup_is_named_in_one_line(shell: Shell, tmp_path: Path) -> None:
    for command in ("verify", "restore"):
        said = shell.run(command, str(tmp_path / "none"), *(["--replace"] if command == "restore" else []), code=EXIT_FAILED)
        assert "没有这个文件" in said
        assert said.count("\n") == 1
    assert "is the disk mounted" in shell.run("backup", str(tmp_path / "not-mounted" / "b"), code=EXIT_MISSING)
    assert not (tmp_path / "not-mounted").exists()
    assert "--from-server" in shell.run("restore", "--from-server", code=EXIT_USAGE)
    assert "--from-server" in shell.run("restore", code=EXIT_USAGE)


def test_while_a_host_serves_there_is_no_restore(shell: Shell, tmp_path: Path) -> None:
    shell.run("backup", str(tmp_path / "b"))
    only_one = OnlyOne(shell.data / LOCK_NAME)
    assert only_one.take() is None
    assert "主机在运行" in shell.run("restore", str(tmp_path / "b"), "--replace", code=EXIT_BUSY)
    only_one.release()


def test_a_lost_ledger_is_named_with_the_way_back(shell: Shell) -> None:
    (shell.data / "ledger.db").unlink()
    assert "restore" in shell.run("balance", "20260001", code=EXIT_MISSING)


# `onecard init` that was cut.

CUTS = ("create_site_key", "create_web_token", "sqlite_ledger", "load_site_keys")


def cut(*_arguments: object, **_named: object) -> object:
    """The power goes."""
    raise KeyboardInterrupt


@pytest.mark.parametrize("name", [*CUTS, "rename", "replace", "unlink"])
def test_an_init_that_was_cut_is_finished_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    data = tmp_path / "data"
    with monkeypatch.context() as patch:
        patch.setattr(Path if name in ("rename", "replace", "unlink") else opening, name, cut)
        with pytest.raises(KeyboardInterrupt):
            create_data(data)
    create_data(data)
    ledger = open_ledger(load_settings(data, {}), data)
    ledger.close()
    assert sorted(path.name for path in data.iterdir()) == ["keys", "ledger.db", FILE_NAME]
    with pytest.raises(AlreadyThere):
        create_data(data)


def test_an_init_cut_while_it_made_the_ledger_leaves_no_half_of_one(tmp_path: Path) -> None:
    whole, data = tmp_path / "whole", tmp_path / "data"
    create_data(whole)
    shutil.copytree(whole, data)
    (data / FILE_NAME).unlink()
    (data / ".init").touch()
    (data / "ledger.db").rename(data / "ledger.db.new")
    (data / "ledger.db.new").write_bytes((whole / "ledger.db").read_bytes()[:5_000])
    key = (data / "keys" / "site.key").read_bytes()
    create_data(data)
    open_ledger(load_settings(data, {}), data).close()
    assert (data / "keys" / "site.key").read_bytes() == key, "cards may have been made with it"


@pytest.mark.parametrize("name", [FILE_NAME, "ledger.db"])
def test_a_folder_in_use_is_never_finished(tmp_path: Path, name: str) -> None:
    create_data(tmp_path / "data")
    (tmp_path / "data" / name).unlink()
    with pytest.raises(AlreadyThere):
        create_data(tmp_path / "data")
