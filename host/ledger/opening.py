"""A ledger opened from a data folder, and a new folder made."""

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from host.errors import AlreadyThere, MissingTool, OnecardError
from host.keys import create_site_key, create_web_token, load_site_keys
from host.ledger.commits import SiteLedger
from host.ledger.sqlite import sqlite_ledger
from host.settings import FILE_NAME, TEMPLATE, Settings, is_on_server, ledger_path, parse_settings

_FILE_URL = '# url = "sqlite:ledger.db"'
"""The line of the settings' template that another url stands above."""

_BEGUN_NAME = ".init"
"""There while `init` is under way: what lies beside it nobody has used yet."""


def unix_seconds() -> int:
    """The clock of a real host."""
    return int(time.time())


def open_ledger(settings: Settings, data: Path, *, clock: Callable[[], int] = unix_seconds, actor: str = "") -> SiteLedger:
    """Open the ledger of a data folder.

    Raises `DataMissing`, `KeyMissing`, `LedgerUnreadable`, `SettingsWrong`; for one on a server also `LedgerAway`,
    `ServerUnfit`, `MissingTool`.
    """
    return _open(settings, data, clock=clock, actor=actor)


def create_data(data: Path, *, url: str = "") -> None:
    """Make a data folder: onecard.toml, the site key, the web token, an empty ledger (at `url`, else in a file).

    One that was cut is finished by the next. Raises `AlreadyThere`, and changes nothing; for a ledger on a server what
    `open_ledger` raises too, and makes no folder.
    """
    begun = data / _BEGUN_NAME
    if not begun.exists() and ((data / FILE_NAME).exists() or (data / "keys" / "site.key").exists()):
        raise AlreadyThere("数据目录 data folder", data, "it is kept as it is; give --data another folder for a new site")
    template = TEMPLATE.replace(_FILE_URL, f"url = {json.dumps(url, ensure_ascii=False)}\n{_FILE_URL}", 1) if url else TEMPLATE
    settings = parse_settings(template, {})
    is_new = not data.exists()
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    begun.touch()
    try:
        _fill(settings, data)
    except OnecardError:
        # A key that seals nothing yet would only stand in the way of the next try.
        for made in (data / "keys" / "site.key", data / "keys" / "web.token", begun):
            made.unlink(missing_ok=True)
        if is_new:
            shutil.rmtree(data)
        raise
    fresh = data / f"{FILE_NAME}.new"
    fresh.touch(mode=0o600)
    fresh.write_text(template, encoding="utf-8")
    # Last, so that a folder with settings is whole.
    fresh.replace(data / FILE_NAME)
    begun.unlink()


def _fill(settings: Settings, data: Path) -> None:
    """Keys and ledger, as far as an `init` that was cut has not made them."""
    if not (data / "keys" / "site.key").exists():
        create_site_key(data)
    if not (data / "keys" / "web.token").exists():
        create_web_token(data)
    if is_on_server(settings):
        _open(settings, data, clock=unix_seconds, create=True).close()
        return
    path = ledger_path(settings, data)
    if path.exists():
        return
    # Under another name until it is whole: what was cut is begun anew.
    fresh = path.with_name(f"{path.name}.new")
    for left in path.parent.glob(f"{fresh.name}*"):
        left.unlink()
    sqlite_ledger(fresh, keys=load_site_keys(data), settings=settings, clock=unix_seconds, create=True).close()
    fresh.rename(path)


def _open(settings: Settings, data: Path, *, clock: Callable[[], int], actor: str = "", create: bool = False) -> SiteLedger:
    keys = load_site_keys(data)
    if not is_on_server(settings):
        return sqlite_ledger(ledger_path(settings, data), keys=keys, settings=settings, clock=clock, create=create, actor=actor)
    try:
        from host.ledger.postgres import postgres_ledger
    except ImportError:
        raise MissingTool("没有 psycopg is not installed: python -m pip install 'psycopg[binary]'") from None
    return postgres_ledger(settings.ledger.url, keys=keys, settings=settings, clock=clock, create=create, actor=actor)
