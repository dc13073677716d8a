"""`onecard check`: the proof of the books on one page."""

import json
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from host.check import Proof
from host.check import check as prove
from host.check.proof import OWED, OWNED
from host.cli.options import DEFAULT_DATA, Data, opened, settings_of
from host.cli.output import print_table
from host.errors import EXIT_FAILED
from host.ledger.kinds import AccountKind
from host.ledger.reports import yuan
from host.settings import is_on_server

_FILES_OF_SERVER = (
    "数据库文件 the server's own files are looked at by `pg_amcheck --install-missing --heapallindexed DATABASE`, as postgres"
)
"""What `check` does not see: it reads rows, and a damaged index may hide some."""

_NAMES = {
    AccountKind.HOLDER: "持卡人 holders",
    AccountKind.WALLET: "钱包 wallets",
    AccountKind.MIRROR: "卡片 cards (mirrors)",
    AccountKind.MERCHANT: "商户 merchants",
    AccountKind.FEES: "手续费 fees",
    AccountKind.SUSPENSE: "待查 suspense",
    AccountKind.GIVER: "补助方 givers",
    AccountKind.LOSS: "学校承担 school's loss",
    AccountKind.BANK: "银行 bank",
    AccountKind.CASH: "现金 cash",
    AccountKind.CHANNEL: "渠道 channels",
}


def check(
    as_json: Annotated[bool, typer.Option("--json", help="给程序 one JSON object, for programs")] = False, data: Data = DEFAULT_DATA
) -> None:
    """核对账本 Prove the books.

    Recomputes everything and names the row that is wrong; then it ends with 1. Runs beside a host that is serving.

    Example: onecard check

    Example: onecard check --json
    """
    with opened(data) as ledger, _progress() as tell:
        proof = prove(ledger, tell)
    if as_json:
        typer.echo(json.dumps(as_object(proof), ensure_ascii=False, indent=1))
    else:
        # First, so that the verdict is the last line on every database.
        if is_on_server(settings_of(data)):
            typer.echo(_FILES_OF_SERVER)
        print_page(proof)
    if not proof.is_right:
        raise typer.Exit(EXIT_FAILED)


def as_object(proof: Proof) -> dict[str, object]:
    """The proof for programs; amounts are fen."""
    return {
        "is_right": proof.is_right,
        "records": proof.record_count,
        "movements": proof.movement_count,
        "moved_fen": proof.moved_fen,
        "commits": proof.commit_count,
        "sealed_rows": proof.row_counts.total(),
        "days": {"open": proof.open_days, "archived": proof.archived_days},
        "accounts": proof.account_count,
        "sum_fen": proof.sum_fen,
        "solvency": {
            "owed_fen": {kind.value: proof.totals[kind] for kind in OWED},
            "owned_fen": {kind.value: -proof.totals[kind] for kind in OWNED},
            "difference_fen": proof.owed_fen - proof.owned_fen,
            "under_way_fen": proof.under_way_fen,
            "most_under_way_fen": proof.most_under_way_fen,
        },
        "holds": {"count": proof.hold_count, "held_fen": dict(proof.held_fen)},
        "open_items": dict(proof.open_items),
        "problem_count": proof.problem_count,
        "problems": proof.problems,
    }


def print_page(proof: Proof) -> None:
    """What was looked at, the solvency line, what is set aside and on the worklist, and every problem."""
    looked_at = [
        ("记录 records", proof.record_count),
        ("变动 movements", proof.movement_count),
        ("合计 moved", yuan(proof.moved_fen)),
        ("营业日 days", f"{proof.archived_days} 已归档 archived, {proof.open_days} 其他 not"),
        ("提交 commits in the chain", proof.commit_count),
        ("封印 sealed rows", proof.row_counts.total()),
        ("账户 accounts", proof.account_count),
        ("余额总和 sum of all balances", yuan(proof.sum_fen)),
    ]
    print_table(("核对 looked at", ""), looked_at)
    typer.echo("")
    _print_solvency(proof)
    typer.echo("")
    _print_holds(proof)
    for kind, count in sorted(proof.open_items.items()):
        typer.echo(f"差错 worklist: {count} {kind}")
    for problem in proof.problems:
        typer.echo(f"错误 wrong: {problem}")
    if proof.problem_count > len(proof.problems):
        typer.echo(f"错误 wrong: 还有 and {proof.problem_count - len(proof.problems)} more")
    typer.echo("账本正确 the books are right" if proof.is_right else f"账本有误 {proof.problem_count} things are wrong")


def _print_solvency(proof: Proof) -> None:
    owed = [(_NAMES[kind], _signed(proof.totals[kind])) for kind in OWED]
    owned = [(_NAMES[kind], _signed(-proof.totals[kind])) for kind in OWNED]
    lines = [
        *owed,
        ("  应付合计 owed together", _signed(proof.owed_fen)),
        *owned,
        ("  资产合计 there is together", _signed(proof.owned_fen)),
        ("  相差 difference", _signed(proof.owed_fen - proof.owned_fen)),
        ("在途 under way, seen on cards", yuan(proof.under_way_fen)),
        ("在途上限 under way at most", yuan(proof.most_under_way_fen)),
    ]
    print_table(("偿付 solvency", "元 yuan"), lines)


def _print_holds(proof: Proof) -> None:
    typer.echo(f"冻结 open holds: {proof.hold_count}, {yuan(proof.held_fen.total())} 元 yuan")
    for hold in proof.holds:
        typer.echo(f"  {hold.name}  {hold.label}  {hold.kind}, {hold.state}  {yuan(hold.amount_fen)}")
    if proof.hold_count > len(proof.holds):
        typer.echo(f"  还有 and {proof.hold_count - len(proof.holds)} more: `onecard sql 'SELECT * FROM open_holds'`")


def _signed(amount_fen: int) -> str:
    return ("+" if amount_fen > 0 else "") + yuan(amount_fen)


@contextmanager
def _progress() -> Generator[Callable[[int, int], None]]:
    """A bar for a person at a terminal, on standard error; nothing into a pipe."""
    console = Console(stderr=True)
    if not (sys.stderr.isatty() and console.is_terminal):
        yield lambda _done, _all: None
        return
    columns = (TextColumn("核对 checking"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("")
        yield lambda done, whole: bar.update(task, completed=done, total=max(done, whole))
