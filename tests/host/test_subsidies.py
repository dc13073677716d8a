"""Subsidies from a file: nothing unless every row is right, never twice, and what was broken off is finished."""

import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from openpyxl import Workbook

from host import sheets, subsidies, wallets
from host.errors import InvalidValue, NotFound
from host.ledger.adjustment import decode_annex
from host.ledger.rows import Account, Act, Annex, Holder, Request, Wallet
from host.subsidies import BatchDiffers
from tests.host.site import NOW_S, Site

pytestmark = pytest.mark.stores("sqlite")
both_stores = pytest.mark.stores("sqlite", "postgresql")
"""For what a database might do otherwise."""

HEAD = "学号,姓名,金额\n"
BOTH = HEAD + "20260001,张小雨,120.00\n20260002,李强,80.5\n"


@pytest.fixture(autouse=True)
def wallet(site: Site) -> None:
    wallets.add(site.ledger, "餐补", giver="学生处")


def written(tmp_path: Path, text: str, name: str = "list.csv", encoding: str = "utf-8") -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return path


def pay(site: Site, path: Path, batch: str = "2026-11") -> subsidies.Plan:
    return subsidies.pay(site.ledger, path, wallet="餐补", batch=batch)


def in_wallets(site: Site) -> dict[int, int]:
    return {row.owner: row.balance_fen for row in site.rows(Account) if row.kind == "wallet"}


@both_stores
def test_every_line_goes_from_the_giver_into_a_wallet(site: Site, tmp_path: Path) -> None:
    plan = pay(site, written(tmp_path, BOTH))
    assert (plan.errors, plan.amount_fen, plan.paid_count) == ([], 20_050, 0)
    assert in_wallets(site) == {100: 12_000, 101: 8_050}
    assert [row.balance_fen for row in site.rows(Account) if row.kind == "giver"] == [-20_050]
    assert site.account(100).wallet_count == 1
    assert [act.act for act in site.rows(Act)][-1] == "subsidy.pay"
    site.prove()


def test_the_books_name_batch_and_line(site: Site, tmp_path: Path) -> None:
    pay(site, written(tmp_path, BOTH))
    details = [found.detail for row in site.rows(Annex) if (found := decode_annex(row.content)) and found.purpose == "subsidy"]
    assert details == [("2026-11", 2), ("2026-11", 3)]


@both_stores
def test_a_batch_given_again_pays_nothing_again(site: Site, tmp_path: Path) -> None:
    pay(site, written(tmp_path, BOTH))
    assert pay(site, written(tmp_path, BOTH, "again.csv", "gb18030")).paid_count == 2
    assert in_wallets(site) == {100: 12_000, 101: 8_050}
    assert len([row for row in site.rows(Request) if row.request.startswith("subsidy/")]) == 3


def test_the_next_batch_adds_to_the_same_wallet(site: Site, tmp_path: Path) -> None:
    path = written(tmp_path, BOTH)
    pay(site, path)
    pay(site, path, "2026-12")
    assert in_wallets(site) == {100: 24_000, 101: 16_100}


@pytest.mark.parametrize("change", [("120.00", "121.00"), ("20260002,李强,80.5\n", "")])
def test_another_list_under_a_used_number_is_refused(site: Site, tmp_path: Path, change: tuple[str, str]) -> None:
    pay(site, written(tmp_path, BOTH))
    with pytest.raises(BatchDiffers):
        pay(site, written(tmp_path, BOTH.replace(*change)))
    assert in_wallets(site) == {100: 12_000, 101: 8_050}


def test_a_used_number_for_another_wallet_is_refused(site: Site, tmp_path: Path) -> None:
    path = written(tmp_path, BOTH)
    pay(site, path)
    wallets.add(site.ledger, "浴补", giver="学生处")
    with pytest.raises(BatchDiffers):
        subsidies.pay(site.ledger, path, wallet="浴补", batch="2026-11")


@both_stores
def test_a_batch_broken_off_is_finished_by_giving_it_again(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, BOTH)
    monkeypatch.setattr(subsidies, "_LINES_AT_ONCE", 1)
    pay_lines = subsidies._pay
    calls: list[object] = []

    def broken(*arguments: object) -> None:
        calls.append(arguments)
        if len(calls) == 2:
            raise RuntimeError("power cut")
        pay_lines(*arguments)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(subsidies, "_pay", broken)
    with pytest.raises(RuntimeError):
        pay(site, path)
    assert in_wallets(site) == {100: 12_000}
    monkeypatch.setattr(subsidies, "_pay", pay_lines)
    assert pay(site, path).paid_count == 1
    assert in_wallets(site) == {100: 12_000, 101: 8_050}
    site.prove()


def test_one_wrong_row_and_nothing_is_paid(site: Site, tmp_path: Path) -> None:
    text = BOTH + "29999999,无人,1\n20260001,张小雨,5\n20260002,张三,5\n20260002,,1.234\n20260002,,0\n20260002,,10001\n"
    plan = pay(site, written(tmp_path, text))
    assert [row for row, _ in plan.errors] == [4, 5, 6, 7, 8, 9]
    assert in_wallets(site) == {}
    assert site.rows(Request) == [row for row in site.rows(Request) if not row.request.startswith("subsidy/")]


@pytest.mark.parametrize(
    ("row", "word"),
    [
        ("29999999,,1", "no holder"),
        ("20260002,别人,1", "another name"),
        ("20260002,,-1", "amount"),
        ("20260002,,１２", "amount"),
        ("20260002,,1e3", "amount"),
        ("20260002,,=1+1", "amount"),
        ("20260002", "amount"),
        ("20260001,,1", "row 2"),
    ],
)
def test_each_error_says_what_is_wrong(site: Site, tmp_path: Path, row: str, word: str) -> None:
    ((number, text),) = pay(site, written(tmp_path, HEAD + "20260001,,1\n" + row + "\n")).errors
    assert (number, word in text) == (3, True)


def test_a_closed_account_is_given_nothing(site: Site, tmp_path: Path) -> None:

    site.commit(lambda books: books.change(replace(books.need(Holder, 101), is_closed=1)))
    ((_, text),) = pay(site, written(tmp_path, BOTH)).errors
    assert "closed" in text


def test_the_dry_run_writes_nothing(site: Site, tmp_path: Path) -> None:
    plan = subsidies.examine(site.ledger, written(tmp_path, BOTH), wallet="餐补", batch="2026-11")
    assert (len(plan.lines), plan.errors) == (2, [])
    assert in_wallets(site) == {}


@pytest.mark.parametrize(("encoding", "said"), [("utf-8", "UTF-8"), ("utf-8-sig", "UTF-8"), ("gb18030", "GB18030"), ("gbk", "GB18030")])
def test_the_dry_run_says_how_the_file_was_read(site: Site, tmp_path: Path, encoding: str, said: str) -> None:
    path = written(tmp_path, BOTH.replace("\n", "\r\n") + "\r\n", encoding=encoding)
    plan = subsidies.examine(site.ledger, path, wallet="餐补", batch="1")
    assert (plan.encoding, plan.amount_fen, plan.errors) == (said, 20_050, [])


def test_without_a_head_the_first_two_columns_are_number_and_amount(site: Site, tmp_path: Path) -> None:
    assert pay(site, written(tmp_path, "20260001,5\n\n20260002,6\n")).amount_fen == 1_100


def test_columns_stand_where_the_head_says(site: Site, tmp_path: Path) -> None:
    assert pay(site, written(tmp_path, "Amount,备注,Number\n5,x,20260001\n")).amount_fen == 500


def test_a_workbook_is_read_like_a_csv(site: Site, tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (("学号", "姓名", "金额"), (20260001, "张小雨", 120), ("20260002", None, 80.5), (None, None, None)):
        sheet.append(row)
    book.save(tmp_path / "list.xlsx")
    plan = pay(site, tmp_path / "list.xlsx")
    assert (plan.encoding, plan.amount_fen, plan.errors) == ("XLSX", 20_050, [])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("list.csv", b""),
        ("list.csv", b"\xff\xff\xff\xff"),
        ("list.csv", b"a\0b"),
        ("list.csv", b'"open\n'),
        ("list.xlsx", b"no zip"),
        ("list.xlsm", b"x"),
        ("list", b"x"),
    ],
)
def test_a_file_that_is_no_list_is_refused(site: Site, tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidValue):
        pay(site, tmp_path / name)


def test_an_archive_that_is_no_workbook_or_too_large_inside_is_refused(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "list.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(1_000_000))
    with pytest.raises(InvalidValue, match="no XLSX"):
        pay(site, path)
    monkeypatch.setattr(sheets, "_MOST_UNPACKED", 999_999)
    with pytest.raises(InvalidValue, match="unpacks"):
        pay(site, path)


def test_a_file_beyond_the_limits_is_refused(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MOST_ROWS", 2)
    with pytest.raises(InvalidValue, match="rows"):
        pay(site, written(tmp_path, BOTH))
    monkeypatch.setattr(sheets, "MOST_BYTES", 10)
    with pytest.raises(InvalidValue, match="larger"):
        pay(site, written(tmp_path, BOTH))


def test_too_many_errors_end_the_reading(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subsidies, "_ERRORS_SHOWN", 3)
    plan = pay(site, written(tmp_path, "x,1\n" * 50))
    assert len(plan.errors) == 4
    assert "too many" in plan.errors[-1][1]


def test_an_empty_list_is_an_error(site: Site, tmp_path: Path) -> None:
    assert pay(site, written(tmp_path, HEAD)).errors[0][0] == 0
    assert pay(site, written(tmp_path, "\n ,\n")).errors[0][0] == 0


@pytest.mark.parametrize("batch", ["", "a b", "x" * 41, "批", "a/b"])
def test_a_batch_has_a_number(site: Site, tmp_path: Path, batch: str) -> None:
    with pytest.raises(InvalidValue):
        pay(site, written(tmp_path, BOTH), batch)


def test_only_a_wallet_that_there_is_and_has_not_expired_is_paid_into(site: Site, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        subsidies.pay(site.ledger, written(tmp_path, BOTH), wallet="没有", batch="1")
    wallets.add(site.ledger, "旧", giver="学生处", expires_s=NOW_S + 1)

    site.commit(lambda books: books.change(replace(books.need(Wallet, 2), expires_s=NOW_S)))
    with pytest.raises(InvalidValue, match="expired"):
        subsidies.pay(site.ledger, written(tmp_path, BOTH), wallet="旧", batch="1")
