"""The commands that look: `check` on one page, `sql` that can only read, the worklist with its evidence."""

import csv
import io
import json
import sqlite3
from pathlib import Path

import pytest

from host import intake, worklist
from host.check.proof import MOST_PROBLEMS, Proof
from host.cli.prove import print_page
from host.errors import AlreadyClosed, InvalidValue, NotFound
from host.ledger import sqlite_query
from host.ledger.kinds import ItemKind
from host.ledger.opening import open_ledger
from host.ledger.posting import report
from host.ledger.rows import Item
from host.settings import load_settings
from protocol import codes
from protocol import record as kinds
from protocol.messages import State
from tests.host.cli.test_commands import Shell
from tests.host.site import NOW_S, TILL, Site


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A site with a holder, a till, some money."""
    made = Shell(tmp_path / "数据 data")
    made.run("init")
    made.run("holder", "add", "20260001", "张小雨")
    made.run("terminal", "add", "101", "--kind", "pos", "--place", "第一食堂 03 窗口")
    made.run("recharge", "20260001", "50")
    return made


# The page of the proof.


def test_the_solvency_line_is_right_to_the_fen(shell: Shell) -> None:
    shell.run("recharge", "20260001", "0.01", "--by", "bank")
    found = json.loads(shell.run("check", "--json"))
    solvency = found["solvency"]
    assert (found["is_right"], solvency["owed_fen"]["holder"], solvency["difference_fen"]) == (True, 5_001, 0)
    assert (solvency["owned_fen"]["cash"], solvency["owned_fen"]["bank"]) == (5_000, 1)
    page = shell.run("check")
    assert [line.split()[-1] for line in page.splitlines() if "together" in line or "difference" in line] == ["+50.01", "+50.01", "0.00"]


def test_the_page_stays_a_page_however_much_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    proof = Proof()
    for number in range(10 * MOST_PROBLEMS):
        proof.wrong(f"row {number}")
    print_page(proof)
    printed = capsys.readouterr().out
    assert printed.count("错误 wrong: row") == MOST_PROBLEMS
    assert f"{9 * MOST_PROBLEMS} more" in printed


def test_no_bar_is_drawn_into_a_pipe(shell: Shell) -> None:
    assert "\x1b" not in shell.run("check")


def test_check_for_programs_fails_too(shell: Shell) -> None:
    with sqlite3.connect(shell.data / "ledger.db") as connection:
        connection.execute("UPDATE holders SET name = '王敏'")
    found = json.loads(shell.run("check", "--json", code=1))
    assert (found["is_right"], found["problem_count"]) == (False, len(found["problems"]))
    assert any("表 holders, account 100" in problem for problem in found["problems"])


# SQL.

WRITES = (
    "DELETE FROM holders",
    "UPDATE accounts SET balance_fen = 1",
    "INSERT INTO audit VALUES (99, 1, 'x', 'x', 'x', '', x'')",
    "DROP TABLE audit",
    "CREATE TEMP TABLE t (a)",
    "ATTACH 'other.db' AS other",
    "PRAGMA writable_schema = ON",
    "PRAGMA query_only = OFF",
    "PRAGMA user_version = 5",
    "VACUUM INTO 'copy.db'",
    "BEGIN IMMEDIATE",
    "SELECT load_extension('x')",
    "SELECT 1; DELETE FROM holders",
    "WITH gone AS (SELECT 1) DELETE FROM holders",
    "REPLACE INTO holders SELECT * FROM holders",
)


@pytest.mark.parametrize("statement", WRITES)
def test_sql_cannot_change_anything(shell: Shell, statement: str) -> None:
    before = (shell.data / "ledger.db").read_bytes()
    said = shell.run("sql", statement, code=2)
    assert (len(said.strip().splitlines()), said.startswith("onecard: 查询不对")) == (1, True)
    assert (shell.data / "ledger.db").read_bytes() == before
    assert not Path("copy.db").exists()


def test_sql_shows_a_table_and_says_when_there_is_more(shell: Shell) -> None:
    shell.run("holder", "add", "20260002", "李强")
    assert "5000" in shell.run("sql", "SELECT holder, available_fen FROM balances")
    assert "only the first 1 rows" in shell.run("sql", "SELECT * FROM balances", "--limit", "1")
    assert "only the first" not in shell.run("sql", "SELECT * FROM balances", "--limit", "2")


def test_sql_to_csv_is_safe_for_a_spreadsheet(shell: Shell) -> None:
    shell.run("holder", "add", "20260002", "=1+1")
    printed = shell.run("sql", "--csv", "SELECT holder_name, x'00ff' AS seal, NULL AS gone FROM balances ORDER BY 1")
    rows = list(csv.reader(io.StringIO(printed.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}"))))
    assert rows == [["holder_name", "seal", "gone"], ["'=1+1", "00ff", ""], ["张小雨", "00ff", ""]]


def test_sql_that_is_none_says_what_sqlite_says(shell: Shell) -> None:
    assert "no such column: balance" in shell.run("sql", "SELECT balance FROM balances", code=2)
    assert "--limit" in shell.run("sql", "SELECT 1", "--limit", "0", code=2)


def test_a_question_without_end_is_broken_off(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_query, "QUERY_TIMEOUT_S", 0.0)
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    assert "took longer" in shell.run("sql", endless, code=2)


# The worklist.


@pytest.fixture
def busy(site: Site) -> Site:
    """A sale of a card nobody has, a fault, a gap, a journal that is older."""
    till = site.journal(TILL)
    site.take(till, till.write(kinds.SALE, subject=999, amount_fen=40))
    site.ledger.commit(lambda books: report(books, ItemKind.FAULT, terminal=TILL, amount_fen=codes.READER_FAULT))
    intake.resume(site.ledger, TILL, State(1, 9, 7, "test", 1, []), NOW_S)
    intake.resume(site.ledger, TILL, State(1, 2, 1, "test", 1, []), NOW_S)
    return site


def test_an_item_tells_its_evidence_in_words(busy: Site) -> None:
    stories = {line.kind: worklist.show(busy.ledger, line.number) for line in worklist.every(busy.ledger)}
    assert stories["unknown_subject"].record[:2] == ("sale 101-1-1, 0.40 yuan", "card 999")
    assert stories["fault"].evidence[0].startswith("E15 ")
    assert stories["gap"].evidence == ("records up to sequence 6 are gone",)
    assert stories["journal_older"].evidence == ("the ledger had epoch 1; the terminal says epoch 1, next sequence 2",)


@pytest.mark.parametrize("kind", ItemKind)
@pytest.mark.parametrize("evidence", [b"", b"\1", bytes(4), bytes(8), bytes(64), b"\x95\x01\x01\x01\xcd\x01\xf4\x00"])
def test_evidence_of_any_bytes_is_shown(kind: ItemKind, evidence: bytes) -> None:
    lines = worklist.evidence_lines(Item(1, kind, 0, 101, 0, 3, evidence))
    assert all(line.isprintable() for line in lines)


def test_an_item_is_closed_once_with_a_reason(busy: Site) -> None:
    number = worklist.every(busy.ledger, kind="gap")[0].number
    with pytest.raises(InvalidValue):
        worklist.close(busy.ledger, number, "  ")
    worklist.close(busy.ledger, number, "old board collected")
    with pytest.raises(AlreadyClosed):
        worklist.close(busy.ledger, number, "again")
    assert worklist.every(busy.ledger, kind="gap") == []
    assert [line.is_open for line in worklist.every(busy.ledger, kind="gap", with_closed=True)] == [False]
    busy.prove()


def test_what_is_no_item_is_refused(busy: Site) -> None:
    with pytest.raises(NotFound):
        worklist.show(busy.ledger, 99)
    with pytest.raises(InvalidValue):
        worklist.every(busy.ledger, kind="nonsense")


def test_the_worklist_is_listed_shown_and_closed(shell: Shell) -> None:
    ledger = open_ledger(load_settings(shell.data, {}), shell.data)
    ledger.commit(lambda books: report(books, ItemKind.STRAY, terminal=101, evidence=b"\1"))
    ledger.close()
    assert "stray" in shell.run("worklist")
    assert "证据 evidence: 01" in shell.run("worklist", "show", "1")
    shell.run("worklist", "close", "1", "--reason", "noise on the line")
    assert "stray" not in shell.run("worklist")
    assert "已结 closed" in shell.run("worklist", "--all")
    assert "noise on the line" in shell.run("audit", "--act", "item.close")
    assert "onecard audit --subject 1" in shell.run("worklist", "close", "1", "--reason", "again", code=1)


def test_a_denied_card_is_allowed_again(shell: Shell) -> None:
    shell.run("card", "add", "20260001", "--uid", "04A1B2C3")
    shell.run("card", "deny", "1", "--reason", "lost")
    assert "denied" in shell.run("sql", "SELECT state FROM card_states")
    shell.run("card", "allow", "1", "--reason", "found")
    assert "good" in shell.run("sql", "SELECT state FROM card_states")
