"""`onecard day` and `onecard bill`: what people see of days and of their own money."""

import csv
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

from host import days, intake
from host.ledger.opening import open_ledger
from host.settings import load_settings
from protocol import record as kinds
from protocol.messages import State
from protocol.record import Name
from tests.host.cli.test_commands import Shell, shell
from tests.host.site import make_record

__all__ = ["shell"]


def today(shell: Shell) -> str:
    """The business day that is open, as the list shows it."""
    return shell.run("day", "list").splitlines()[-1].split()[0]


def test_a_day_is_closed_archived_and_reported(shell: Shell) -> None:
    day = today(shell)
    shell.run("recharge", "20260001", "50")
    assert "--now" in shell.run("day", "close")
    assert f"closed {day}" in shell.run("day", "close", "--now")
    assert f"archived {day}" in shell.run("day", "archive", day)
    listed = shell.run("day", "list")
    assert "archived" in listed
    assert "50.00" in listed
    report = shell.run("day", "report", day)
    assert report == shell.run("day", "report")
    assert "recharge" in report
    assert "50.00" in report
    assert "right" in shell.run("check")


def test_there_is_nothing_to_archive_twice(shell: Shell) -> None:
    shell.run("day", "close", "--now")
    shell.run("day", "archive")
    assert "no day is closed" in shell.run("day", "archive")


def test_what_cannot_be_is_said_in_a_line(shell: Shell) -> None:
    assert "2030-01-01" in shell.run("day", "report", "2030-01-01", code=3)
    assert "write it as 2026-11-24" in shell.run("day", "report", "yesterday", code=2)
    assert "close it first" in shell.run("day", "archive", today(shell), code=1)
    shell.run("day", "close", "--now")
    assert "has not begun" in shell.run("day", "close", "--now", code=1)


def test_a_bill_shows_what_came_and_went(shell: Shell) -> None:
    shell.run("recharge", "20260001", "50")
    shell.run("recharge", "20260001", "7")
    bill = shell.run("bill", "20260001")
    assert "张小雨 20260001" in bill
    assert [word in bill for word in ("50.00", "7.00", "recharge", "现金 cash")] == [True] * 4
    assert "there is more" in shell.run("bill", "20260001", "--count", "1")
    assert "50.00" not in shell.run("bill", "20260001", "--kind", "sale")
    tomorrow = (datetime.strptime(today(shell), "%Y-%m-%d").replace(tzinfo=UTC) + timedelta(days=1)).strftime("%Y-%m-%d")
    assert "50.00" not in shell.run("bill", "20260001", "--from", tomorrow)


def test_tables_are_written_for_a_spreadsheet(shell: Shell, tmp_path: Path) -> None:
    shell.run("holder", "add", "20260002", "=HYPERLINK(1)")
    shell.run("terminal", "add", "101", "--kind", "pos", "--place", "=1+1 窗口", "--line", "1")
    shell.run("card", "add", "20260002", "--uid", "04:A1:B2:C4")
    shell.run("recharge", "20260002", "50")
    ledger = open_ledger(load_settings(shell.data, {}), shell.data)
    epoch = intake.resume(ledger, 101, State(0, 1, 1, "test", 1, []), 1).epoch
    # Signed by a key that this site's terminals do not have: its money is in suspense, and the merchant has it.
    intake.take(ledger, 101, make_record(kinds.SALE, name=Name(101, epoch, 1), subject=2, amount_fen=300), 1)
    assert len(days.report(ledger).merchants) == 1
    ledger.close()
    shell.run("day", "report", "--csv", str(tmp_path / "day.csv"))
    shell.run("bill", "20260002", "--csv", str(tmp_path / "bill.csv"))
    for name in ("day.csv", "bill.csv"):
        data = (tmp_path / name).read_bytes()
        assert data.startswith(b"\xef\xbb\xbf")
        rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
        assert len(rows) > 1
        assert [cell for row in rows for cell in row if cell[:1] in "=+@" and cell] == []
