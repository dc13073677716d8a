"""`onecard audit`: who did what, and when."""

from pathlib import Path
from typing import Annotated

import typer

from host import audit as log
from host.cli.options import DEFAULT_DATA, Data, begin_of, opened, settings_of
from host.cli.output import print_table
from host.keys import write_secret


def audit(
    since: Annotated[str, typer.Option(metavar="TIME", help='从 as 2026-11-24 or "2026-11-24 18:30"')] = "",
    until: Annotated[str, typer.Option(metavar="TIME", help="到 as --since; a date is its whole day")] = "",
    actor: Annotated[str, typer.Option(metavar="WHO", help="操作人 only what this user did")] = "",
    act: Annotated[str, typer.Option(metavar="ACT", help='操作 only this: "card.deny", or all of "card"')] = "",
    subject: Annotated[str, typer.Option(metavar="SUBJECT", help="对象 only about this holder, card, ...")] = "",
    search: Annotated[str, typer.Option(metavar="TEXT", help="搜索 a text in subject or detail")] = "",
    limit: Annotated[int, typer.Option(help="行数 the newest so many")] = 50,
    csv: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="导出 write a file instead; that is logged too")] = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """操作日志 What people have done: the newest acts that fit, oldest first.

    Example: onecard audit --act card --since 2026-11-24

    Example: onecard audit --limit 100000 --csv audit.csv
    """
    site = settings_of(data).site
    whole = log.Search()
    wanted = log.Search(
        since_s=begin_of(since, site.timezone) if since else whole.since_s,
        until_s=begin_of(until, site.timezone, is_end=True) if until else whole.until_s,
        actor=actor,
        act=act,
        subject=subject,
        text=search,
        limit=limit,
    )
    with opened(data) as ledger:
        if csv is not None:
            write_secret(csv, log.export(ledger, wanted, csv.name))
            typer.echo(f"已导出 wrote {csv}, readable by you alone; the export is in the log")
            return
        found = log.find(ledger, wanted)
    rows = [(row.number, site.local_text(row.at_s), row.actor, row.act, row.subject, row.detail) for row in found]
    print_table(("编号 number", "时间 time", "操作人 who", "操作 act", "对象 subject", "详情 detail"), rows)
