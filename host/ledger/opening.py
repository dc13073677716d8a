"""A ledger opened from a data folder, and a new folder made."""

import time
from collections.abc import Callable
from pathlib import Path

from host.errors import AlreadyThere
from host.keys import create_site_key, create_web_token, load_site_keys
from host.ledger.sqlite import SqliteLedger
from host.settings import FILE_NAME, TEMPLATE, Settings, ledger_path, parse_settings


def unix_seconds() -> int:
    """The clock of a real host."""
    return int(time.time())


def open_ledger(settings: Settings, data: Path, *, clock: Callable[[], int] = unix_seconds) -> SqliteLedger:
    """Open the ledger of a data folder. Raises `DataMissing`, `KeyMissing`, `LedgerUnreadable`, `SettingsWrong`."""
    return SqliteLedger(ledger_path(settings, data), keys=load_site_keys(data), settings=settings, clock=clock)


def create_data(data: Path) -> None:
    """Make a data folder: onecard.toml, the site key, the web token, an empty ledger. Raises `AlreadyThere`, and changes nothing."""
    if (data / FILE_NAME).exists() or (data / "keys" / "site.key").exists():
        raise AlreadyThere("数据目录 data folder", data, "it is kept as it is; give --data another folder for a new site")
    settings = parse_settings(TEMPLATE, {})
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    create_site_key(data)
    create_web_token(data)
    SqliteLedger(ledger_path(settings, data), keys=load_site_keys(data), settings=settings, clock=unix_seconds, create=True).close()
    # Last, so that a folder with settings is whole.
    (data / FILE_NAME).write_text(TEMPLATE, encoding="utf-8")
