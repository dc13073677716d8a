"""`onecard card`: cards issued and encoded."""

from pathlib import Path
from typing import Annotated

import typer

from host import cards
from host.cli.options import DEFAULT_DATA, Data, HolderNumber, expiry_day, opened, uid_bytes
from host.cli.output import print_table
from host.keys import write_secret
from host.ledger.clock import card_date
from protocol.card import EXPIRY_NONE

Number = Annotated[int, typer.Argument(metavar="CARD", help="卡号 the card's number")]

app = typer.Typer(help="卡 Cards.", no_args_is_help=True, rich_markup_mode=None)


@app.command()
def add(
    number: HolderNumber,
    uid: Annotated[str, typer.Option(metavar="HEX", help="卡的 UID the card's own number, 4 or 7 bytes")],
    expires: Annotated[str, typer.Option(metavar="DATE", help="有效期 last day, as 2030-07-01; default: none")] = "",
    data: Data = DEFAULT_DATA,
) -> None:
    """发卡 Issue a card to a holder.

    Example: onecard card add 20260001 --uid 04A1B2C3
    """
    with opened(data) as ledger:
        card = cards.add(ledger, number, uid_bytes(uid), expiry_day(expires) if expires else EXPIRY_NONE)
    typer.echo(f"已发卡 card {card.number:08d}: now encode it with `onecard card encode {card.number} --image FILE`")


@app.command()
def encode(
    number: Number,
    image: Annotated[Path, typer.Option(metavar="FILE", help="文件 1024 bytes, MIFARE Classic 1K; has the card's keys")],
    data: Data = DEFAULT_DATA,
) -> None:
    """写卡 Write the image of a card as issued.

    Example: onecard card encode 1 --image card-1.bin
    """
    with opened(data) as ledger:
        content = cards.image(ledger, number)
    write_secret(image, content)
    typer.echo(f"已写入 wrote {image}")


@app.command()
def deny(
    number: Number,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="理由 why; it stands in the audit log")],
    data: Data = DEFAULT_DATA,
) -> None:
    """停用 Deny a card at once to everything that asks.

    Example: onecard card deny 1 --reason "reported lost by phone"
    """
    with opened(data) as ledger:
        cards.deny(ledger, number, reason)
    typer.echo(f"已停用 card {number:08d} is denied to everything that asks")


@app.command()
def allow(
    number: Number,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="理由 why; it stands in the audit log")],
    data: Data = DEFAULT_DATA,
) -> None:
    """恢复 Let a denied card pay again.

    Example: onecard card allow 1 --reason "found in the library"
    """
    with opened(data) as ledger:
        cards.allow(ledger, number, reason)
    typer.echo(f"已恢复 card {number:08d} pays again")


@app.command("list")
def list_all(data: Data = DEFAULT_DATA) -> None:
    """列表 All cards.

    Example: onecard card list
    """
    with opened(data) as ledger:
        found = cards.every(ledger)
    states = {True: "正常 good", False: "停用 denied"}
    rows = [(f"{row.number:08d}", row.uid.hex(), row.account, card_date(row.expiry_day), states[row.denied_s is None]) for row in found]
    print_table(("卡号 number", "UID", "账户 account", "有效期 expires", "状态 state"), rows)
