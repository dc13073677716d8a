"""`onecard reverse` and `onecard adjust`: the office corrects, with a reason."""

from typing import Annotated

import typer

from host import adjustments
from host.cli.options import DEFAULT_DATA, Data, RequestKey, fen, opened
from host.ledger.reports import yuan

Reason = Annotated[str, typer.Option(help="原因 why; it stands in the books")]


def reverse(
    record: Annotated[str, typer.Argument(metavar="RECORD", help="记录 terminal-epoch-sequence, as 101-3-17")],
    reason: Reason,
    data: Data = DEFAULT_DATA,
) -> None:
    """冲正 Undo a record, once: what is left of a sale or shower, a recharge, an adjustment.

    Example: onecard reverse 101-3-17 --reason "重复扣款 charged twice"
    """
    with opened(data, role="command") as ledger:
        _print("已冲正", adjustments.reverse(ledger, record, reason))


def adjust(
    debit: Annotated[str, typer.Argument(metavar="FROM", help="转出 bank, cash, fees, loss, suspense, a holder, a merchant, #number")],
    credit: Annotated[str, typer.Argument(metavar="TO", help="转入 likewise")],
    amount: Annotated[str, typer.Argument(metavar="YUAN", help="金额 amount in yuan")],
    reason: Reason,
    request: RequestKey = "",
    data: Data = DEFAULT_DATA,
) -> None:
    """调账 Move money between accounts, for instance out of suspense to its owner.

    Example: onecard adjust suspense 20260001 7.00 --reason "无主款已查明 owner found"
    """
    amount_fen = fen(amount)
    with opened(data, role="command") as ledger:
        _print("已调账", adjustments.adjust(ledger, debit, credit, amount_fen, reason, request=request))


def _print(done: str, found: adjustments.Adjusted) -> None:
    typer.echo(f"{done} record {found.name}:")
    for debit, credit, amount_fen in found.legs:
        typer.echo(f"  {debit} -> {credit}  {yuan(amount_fen)}")
