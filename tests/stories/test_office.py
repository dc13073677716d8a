"""The office pays a subsidy, the canteen takes it, and everybody can see afterwards who did what and that the books are right."""

import sqlite3
from pathlib import Path

import pytest

from host.errors import EXIT_FAILED
from sim.host_process import HostFailed, HostProcess
from sim.story import RIGHT
from tests.stories.street import STUDENT, STUDENT_CARD, Street

pytestmark = pytest.mark.xdist_group("street")


def test_a_subsidy_is_spent_first_where_it_may_be_and_is_never_paid_twice(street: Street, tmp_path: Path) -> None:
    """Rows: H12, K1. What the subsidy does not cover comes out of the account; the card, the till and its program know of no wallets."""
    command, batch = street.demo.host.command, tmp_path / "补助.csv"
    batch.write_text(f"学号,金额\n{STUDENT.number},3.00\n", encoding="gb18030")
    command("wallet", "add", "餐补", "--giver", "学生处", "--merchant", "第一食堂")
    had_fen = street.books.account_fen(STUDENT.number)
    for _ in range(2):
        command("subsidy", "pay", str(batch), "--wallet", "餐补", "--batch", "2026-11")

    street.key_amount("5.00")
    street.put("pos", STUDENT_CARD)
    street.till.see("已付")
    street.take("pos")
    street.wait(lambda: street.books.account_fen(STUDENT.number) == had_fen - 200, "2.00 out of the account, 3.00 out of the subsidy")
    assert RIGHT in command("check")


def test_what_people_did_is_in_the_audit_log_and_an_altered_row_is_named(tmp_path: Path) -> None:
    """Rows: K5, K6. The books find the row that somebody changed behind their back, and name it."""
    host = HostProcess(tmp_path / "data")
    host.command("init")
    host.command("holder", "add", "20260009", "赵敏", "--class", "student")
    host.command("recharge", "20260009", "50.00")
    assert RIGHT in host.command("check")
    log = host.command("audit")
    assert [act for act in ("holder.add", "recharge") if act not in log] == []

    with sqlite3.connect(tmp_path / "data" / "ledger.db") as shell:
        (number,) = shell.execute("SELECT account FROM holders WHERE number = '20260009'").fetchone()
        shell.execute("UPDATE accounts SET balance_fen = balance_fen + 100 WHERE number = ?", [number])
    with pytest.raises(HostFailed, match=f"accounts.*{number}") as refused:
        host.command("check")
    assert refused.value.exit_code == EXIT_FAILED
