"""The command line on a ledger in PostgreSQL."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from host.cli import app
from host.errors import EXIT_BUSY
from host.ledger.opening import open_ledger
from host.settings import load_settings
from tests.postgres import ROLE, shared_server


@pytest.fixture
def url() -> Iterator[str]:
    """The address of an empty database, with a password in it."""
    server = shared_server()
    name = server.create()
    yield f"postgresql://{ROLE}:s3cret@/{name}?host={server.folder}"
    server.drop(name)


def run(data: Path, *words: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, [*words, "--data", str(data)])
    assert done.exit_code == code, done.output
    assert "s3cret" not in done.output
    return done.output


def test_the_whole_way(url: str, tmp_path: Path) -> None:
    data = tmp_path / "var"
    run(data, "init", "--ledger", url)
    assert (data / "onecard.toml").stat().st_mode & 0o777 == 0o600
    assert not (data / "ledger.db").exists()
    run(data, "holder", "add", "20260001", "张小雨")
    assert "50.00" in run(data, "recharge", "20260001", "50")
    assert "50.00" in run(data, "balance", "20260001")
    said = run(data, "check")
    assert "the books are right" in said
    assert "pg_amcheck" in said


def test_a_second_host_has_the_first_ones_keys_or_is_refused(url: str, tmp_path: Path) -> None:
    first, second, stranger = tmp_path / "first", tmp_path / "second", tmp_path / "stranger"
    run(first, "init", "--ledger", url)
    run(first, "holder", "add", "20260001", "张小雨")
    run(first, "recharge", "20260001", "50")
    second.mkdir()
    shutil.copytree(first / "keys", second / "keys")
    shutil.copy(first / "onecard.toml", second)
    assert "57.00" in run(second, "recharge", "20260001", "7")
    run(stranger, "init")
    shutil.copy(first / "onecard.toml", stranger)
    assert "keys/" in run(stranger, "balance", "20260001", code=3)


def test_no_restore_while_any_host_has_the_ledger_open_and_no_host_while_one_is_at_work(url: str, tmp_path: Path) -> None:
    data = tmp_path / "var"
    run(data, "init", "--ledger", url)
    settings = load_settings(data, {})
    with closing(open_ledger(settings, data)) as other:
        assert "end every host" in run(data, "restore", "--from-server", code=EXIT_BUSY)
        assert other.database.claim()
        assert "is at work" in run(data, "check", code=EXIT_BUSY)
    run(data, "restore", "--from-server")
    assert "the books are right" in run(data, "check")


def test_an_init_that_fails_leaves_no_folder(url: str, tmp_path: Path) -> None:
    run(tmp_path / "first", "init", "--ledger", url)
    assert "is taken already" in run(tmp_path / "again", "init", "--ledger", url, code=1)
    assert not (tmp_path / "again").exists()
    assert "cannot be reached" in run(tmp_path / "again", "init", "--ledger", "postgresql://onecard:s3cret@/x?host=/nonexistent", code=4)
    assert not (tmp_path / "again").exists()


def test_an_init_that_fails_in_a_folder_leaves_what_was_there(url: str, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    run(tmp_path, "init", "--ledger", "oracle:x", code=2)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["notes.txt"]
    run(tmp_path, "init", "--ledger", url)


def test_a_wrong_ledger_url_says_what_to_write(tmp_path: Path) -> None:
    assert "postgresql://ROLE@HOST/DATABASE" in run(tmp_path / "var", "init", "--ledger", "mysql://root:s3cret@db/x", code=2)
