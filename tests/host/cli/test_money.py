"""The commands of the office: wallets, subsidies, reversals, adjustments, a lost board."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from host.cli import app


def run(data: Path, *arguments: str, code: int = 0) -> str:
    found = CliRunner().invoke(app, [*arguments, "--data", str(data)])
    assert found.exit_code == code, found.output
    return found.output


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A site with a holder and a till."""
    data = tmp_path / "var"
    run(data, "init")
    run(data, "holder", "add", "20260001", "张小雨")
    run(data, "terminal", "add", "101", "--kind", "pos", "--place", "第一食堂 03 窗口")
    return data


def test_a_wallet_is_entered_paid_into_and_shown(data: Path, tmp_path: Path) -> None:
    run(data, "wallet", "add", "餐补", "--giver", "学生处", "--merchant", "第一食堂", "--until", "2099-01-31")
    path = tmp_path / "list.csv"
    path.write_text("学号,金额\n20260001,120\n", encoding="utf-8-sig")
    pay = ("subsidy", "pay", str(path), "--wallet", "餐补", "--batch", "2026-11")
    assert "1 lines would be paid" in run(data, *pay, "--dry-run")
    assert "UTF-8" in run(data, *pay)
    assert "nothing was paid again" in run(data, *pay)
    assert "120.00" in run(data, "wallet", "list")
    assert "120.00" in run(data, "balance", "20260001")
    assert "0.00" in run(data, "wallet", "expire")
    run(data, "check")


def test_a_wrong_row_is_named_and_nothing_is_paid(data: Path, tmp_path: Path) -> None:
    run(data, "wallet", "add", "餐补", "--giver", "学生处")
    path = tmp_path / "list.csv"
    path.write_text("学号,金额\n20260001,120\n20269999,1\n", encoding="gb18030")
    printed = run(data, "subsidy", "pay", str(path), "--wallet", "餐补", "--batch", "1", code=1)
    assert "GB18030" in printed
    assert "3" in printed
    assert "nothing was paid" in printed


def test_a_date_that_is_none_is_refused(data: Path) -> None:
    assert "2027-01-31" in run(data, "wallet", "add", "餐补", "--giver", "学生处", "--until", "2026-02-30", code=2)


def test_a_recharge_by_bank_comes_from_the_bank_and_is_reversed(data: Path) -> None:
    run(data, "recharge", "20260001", "50", "--by", "bank")
    name = run(data, "adjust", "bank", "20260001", "7", "--reason", "补入").split("record ")[1].split(":")[0]
    printed = run(data, "reverse", name, "--reason", "误操作")
    assert "张小雨 -> 银行 bank  7.00" in printed
    assert "taken already" in run(data, "reverse", name, "--reason", "误操作", code=1)
    assert "50.00" in run(data, "balance", "20260001")
    run(data, "check")


def test_an_epoch_nobody_gave_cannot_be_closed(data: Path) -> None:
    assert "101-3" in run(data, "terminal", "close-epoch", "101", "3", code=3)
