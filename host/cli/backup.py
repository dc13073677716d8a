"""`onecard backup`, `verify`, `restore`, `end-wait`, `collect-host`: copies of the books, and the way back."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from host import backup as backups
from host import replay, restoring
from host import restore as restores
from host.cli.options import DEFAULT_DATA, Data, actor, local_time, opened, settings_of
from host.cli.output import print_table
from host.errors import EXIT_FAILED, InvalidValue
from host.keys import load_site_keys
from host.ledger.audit_log import note
from host.ledger.opening import unix_seconds
from host.ledger.reports import yuan
from host.replay import Replayed
from host.settings import Settings, is_on_server

BackupFile = Annotated[Path, typer.Argument(metavar="FILE", help="备份文件 the backup; its facts lie beside it as FILE.json")]


def backup(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="写到 where to; default: backup/ in the data folder")] = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """备份 Copy the ledger to one file, while sales go on.

    Its facts (when, what, SHA-256) lie beside it as FILE.json. The keys are not in it: keep a copy of keys/ elsewhere.

    Example: onecard backup /mnt/backup/monday.backup
    """
    settings, now_s = settings_of(data), unix_seconds()
    if file is None:
        (data / "backup").mkdir(mode=0o700, exist_ok=True)
    path = file or data / "backup" / f"ledger-{_stamp(now_s, settings)}.backup"
    with _progress("备份 backup") as tell:
        facts = backups.backup(settings, data, path, keys=load_site_keys(data), now_s=now_s, tell=tell)
    with opened(data) as ledger:
        ledger.commit(lambda books: note(books, "backup", path.name, commit=facts.commit, size=facts.size))
    typer.echo(
        f"已备份 {path}: commit {facts.commit}, {facts.counts['movements']} movements, {facts.size} bytes; check it: onecard verify {path}"
    )
    if not is_on_server(settings) and path.stat().st_dev == data.stat().st_dev:
        typer.echo("与账本同盘 it lies on the ledger's own disk: copy both files to another one", err=True)


def verify(file: BackupFile, data: Data = DEFAULT_DATA) -> None:
    """检验备份 Open a backup in a place of its own, and prove the books in it.

    Ends with 1 if something is wrong. The ledger is not touched.

    Example: onecard verify var/backup/ledger-20261124-030000.backup
    """
    settings = settings_of(data)
    with _progress("检验 verify") as tell:
        found = backups.verify(settings, data, file, keys=load_site_keys(data), tell=tell)
    facts, zone = found.facts, settings.site.timezone
    rows = [("站点 site", facts.site), ("备份于 made", local_time(facts.made_s, zone)), ("最后提交 last commit", facts.commit)]
    rows += [("提交于 committed", local_time(facts.commit_s, zone) if facts.commit_s else "-")]
    print_table(("", ""), [*rows, *facts.counts.items()])
    for problem in found.proof.problems:
        typer.echo(f"错误 wrong: {problem}")
    if not found.proof.is_right:
        raise typer.Exit(EXIT_FAILED)
    typer.echo("备份完好 the backup is whole, and the books in it are right")


def restore(
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="备份文件 the backup; its facts lie beside it as FILE.json")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="替换 keep the ledger that is there, under another name")] = False,
    from_server: Annotated[
        bool, typer.Option("--from-server", help="PostgreSQL 已还原 the server's own tools have put its database back")
    ] = False,
    data: Data = DEFAULT_DATA,
) -> None:
    """恢复 Put a backup in the place of the ledger, and bring back what came after it.

    The host's own records come from its journal files at once, the terminals' when `onecard serve` runs again: until all
    have sent, nothing is approved online. Cut short, it is simply run again.

    Example: onecard restore var/backup/ledger-20261124-030000.backup --replace
    """
    settings = settings_of(data)
    if (file is None) != from_server or from_server != is_on_server(settings):
        raise InvalidValue("restore FILE 用于文件账本 is for a ledger in a file; --from-server 用于 for one on PostgreSQL that is back")
    if file is None:
        with opened(data) as ledger:
            done = restores.restore_from_server(settings, data, ledger)
    else:
        keys = load_site_keys(data)
        with _progress("恢复 restore") as tell:
            done = restores.restore(settings, data, file, keys=keys, now_s=unix_seconds(), actor=actor(), is_replacing=replace, tell=tell)
    typer.echo(f"已恢复 restored to {local_time(done.facts.made_s, settings.site.timezone)}, commit {done.facts.commit}")
    if done.kept is not None:
        typer.echo(f"旧账本 the old ledger is kept as {done.kept}")
    _print_replayed(done.replayed)
    names = ", ".join(str(number) for number in done.waits_for)
    typer.echo(f"等待 now run `onecard serve`: it waits for {len(done.waits_for)} terminals ({names or '-'})")


def end_wait(
    reason: Annotated[str, typer.Option("--reason", help="原因 why, for the audit log")] = "",
    data: Data = DEFAULT_DATA,
) -> None:
    """结束等待 End the wait after a restore, though terminals are missing; without a reason, say who is.

    What a missing terminal has sold may be granted once more: then it is the school's loss when its records come.

    Example: onecard end-wait --reason "终端 104 已报废 terminal 104 is scrapped"
    """
    with opened(data, role="command" if reason else "") as ledger:
        if reason:
            ended = restoring.end(ledger, reason)
            missing = ", ".join(str(number) for number in ended.missing) or "-"
            typer.echo(f"等待已结束 the wait is over: missing {missing}")
            typer.echo(f"补扣 charged after all {yuan(ended.covered_fen)}; 学校承担 the school's loss {yuan(ended.uncovered_fen)}")
            return
        waiting = ledger.view(restoring.waiting_in)
    if waiting is None:
        typer.echo("没有等待 no wait is open: asks are answered")
        return
    rows = [(number, place, "是 yes" if is_seen else "否 no") for number, place, is_seen in waiting.terminals]
    print_table(("终端 terminal", "地点 place", "已联系 has shaken hands"), rows)


def collect_host(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="主机日志 journal files of host processes")],
    data: Data = DEFAULT_DATA,
) -> None:
    """补入主机日志 Bring the host's own records out of journal files that turned up late. Done twice, it changes nothing.

    Example: onecard collect-host /mnt/old-disk/journal/1-17.journal
    """
    with opened(data) as ledger:
        found = replay.replay(ledger, files, is_restore=False)
        ledger.commit(lambda books: note(books, "host.collect", len(files), posted=found.posted_count, altered=found.altered_count))
    _print_replayed(found)
    if found.unreadable:
        raise typer.Exit(EXIT_FAILED)


def _print_replayed(found: Replayed) -> None:
    typer.echo(f"主机日志 {found.file_count} journal files: {found.posted_count} records brought back, {found.known_count} were there")
    for count, what in (
        (found.altered_count, "有出入 differ from the ledger's: see the worklist"),
        (found.gap_count, "缺失 are in no file: see the worklist"),
        (found.damaged_count, "已损坏 are damaged"),
        (found.in_force_count, "are of an epoch in force, and were left alone"),
    ):
        if count:
            typer.echo(f"  {count} {what}")
    for line in found.unreadable:
        typer.echo(f"  读不了 cannot be read: {line}")


@contextmanager
def _progress(what: str) -> Generator[backups.Tell]:
    """A bar for a person; nothing where nobody looks."""
    console = Console(stderr=True)
    if not console.is_terminal or os.environ.get("TERM") == "dumb":
        yield lambda _done, _total: None
        return
    with Progress(TextColumn(what), BarColumn(), DownloadColumn(), TimeRemainingColumn(), console=console, transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _stamp(now_s: int, settings: Settings) -> str:
    return f"{datetime.fromtimestamp(now_s, UTC).astimezone(ZoneInfo(settings.site.timezone)):%Y%m%d-%H%M%S}"
