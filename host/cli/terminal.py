"""`onecard terminal`: devices, their places and identities."""

from pathlib import Path
from typing import Annotated

import typer

from host import lost_epochs, terminals
from host.cli.options import DEFAULT_DATA, Data, opened
from host.cli.output import print_table
from host.keys import write_secret
from host.ledger.kinds import DeviceKind, TerminalKind
from host.ledger.reports import yuan

app = typer.Typer(help="终端 Terminals.", no_args_is_help=True, rich_markup_mode=None)

Number = Annotated[int, typer.Argument(metavar="TERMINAL", help="终端编号 number, from 100")]


@app.command()
def add(
    number: Number,
    kind: Annotated[DeviceKind, typer.Option(help="种类 shower or pos")],
    place: Annotated[str, typer.Option(help="地点 where it stands")],
    house: Annotated[str, typer.Option(help="浴室/食堂 whose account is paid; default: the place up to its first space")] = "",
    line: Annotated[int, typer.Option(min=0, help="线路 which [[line]] of onecard.toml, from 1")] = 0,
    address: Annotated[int, typer.Option(min=0, max=32, help="地址 1 to 32; default: the first free one")] = 0,
    data: Data = DEFAULT_DATA,
) -> None:
    """新终端 Add a shower or a till.

    Example: onecard terminal add 100 --kind shower --place "北区浴室 12 号" --line 1
    """
    with opened(data) as ledger:
        found = terminals.add(ledger, number, TerminalKind(kind.value), place, house=house, line=line, address=address)
    typer.echo(f"已添加 terminal {found.number}, line {found.line}, address {found.address}: flash it with its identity next")


@app.command()
def identity(
    number: Number, out: Annotated[Path, typer.Option(metavar="FILE", help="文件 has the device's keys")], data: Data = DEFAULT_DATA
) -> None:
    """身份 Write a device's identity, 38 bytes with its keys, readable by you alone.

    Example: onecard terminal identity 100 --out identity-100.bin
    """
    with opened(data) as ledger:
        content = terminals.identity(ledger, number)
    write_secret(out, content)
    typer.echo(f"已写入 wrote {out}: it has keys, delete it once the device has it")


@app.command("list")
def list_all(data: Data = DEFAULT_DATA) -> None:
    """列表 All terminals, the host's own processes too.

    Example: onecard terminal list
    """
    with opened(data) as ledger:
        found = terminals.every(ledger)
    heads = ("编号 number", "种类 kind", "地点 place", "浴室/食堂 house", "线路 line", "地址 address", "纪元 epoch", "固件 firmware")
    rows = [
        (row.number, row.kind, *((place.name, place.house) if place else (row.role, "")), row.line, row.address, row.epoch, row.firmware)
        for row, place in found
    ]
    print_table(heads, rows)


@app.command()
def close_epoch(
    number: Number,
    epoch: Annotated[int, typer.Argument(metavar="EPOCH", help="纪元 which life of its journal")],
    data: Data = DEFAULT_DATA,
) -> None:
    """关闭纪元 Give up a board's journal: settle what still waits for its records.

    For a board that is lost or broken. Found later, it is collected as ever, and its records count.

    Example: onecard terminal close-epoch 101 3
    """
    with opened(data, role="command") as ledger:
        found = lost_epochs.close(ledger, number, epoch)
    typer.echo(
        f"已关闭 epoch {number}-{epoch}: {found.stood_in_count} loads and showers settled with {yuan(found.moved_fen)}, "
        f"{found.released_count} holds released"
    )
