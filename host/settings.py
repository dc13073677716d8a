"""The settings of a site: one TOML file, `onecard.toml` in the data folder, into frozen dataclasses.

The environment overrides: `ONECARD_WEB__PORT=8421` is `port` of `[web]`. Unknown keys, wrong types and
values out of range refuse the start, all at once. Where a value means money it is fen.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

from host.errors import DataMissing, SettingsWrong

FILE_NAME = "onecard.toml"
_PREFIX = "ONECARD_"
_ONE_DAY = timedelta(days=1)

_FEN = {"least": 0, "most": 1_000_000_00}
_ABOVE_ZERO_FEN = {"least": 1, "most": 65535}
"""The purse and its steps have 16 bits on the card."""


def _number(default: int, least: int, most: int) -> int:
    return field(default=default, metadata={"least": least, "most": most})


def _fen(default: int) -> int:
    return field(default=default, metadata=_FEN)


@dataclass(frozen=True, slots=True)
class Site:
    """Who and where. `day_cut`: when a business day ends, local time."""

    name: str = "校园一卡通"
    timezone: str = "Asia/Shanghai"
    day_cut: str = "03:00"
    language: str = "zh"

    def business_day(self, at_s: int) -> int:
        """The business day of a Unix time, as yyyymmdd: the last one that has begun."""
        day = datetime.fromtimestamp(at_s, UTC).astimezone(ZoneInfo(self.timezone)).date()
        # By instants, not by the clock on the wall: in autumn that shows some times twice, and a day must not come back.
        while at_s < self._begins_s(day):
            day -= _ONE_DAY
        while at_s >= self._begins_s(day + _ONE_DAY):
            day += _ONE_DAY
        return day.year * 10000 + day.month * 100 + day.day

    def day_begins_s(self, day: int) -> int:
        """When a business day (yyyymmdd) begins, and the one before it ends, in Unix seconds."""
        return self._begins_s(date(day // 10000, day // 100 % 100, day % 100))

    def local_text(self, at_s: int) -> str:
        """A Unix time for people here; nothing for 0, a time nobody knows."""
        if not at_s:
            return ""
        return datetime.fromtimestamp(at_s, UTC).astimezone(ZoneInfo(self.timezone)).strftime("%Y-%m-%d %H:%M")

    def _begins_s(self, day: date) -> int:
        hours, minutes = self.day_cut.split(":")
        return int(datetime(day.year, day.month, day.day, int(hours), int(minutes), tzinfo=ZoneInfo(self.timezone)).timestamp())


@dataclass(frozen=True, slots=True)
class LedgerSettings:
    """Where the books are, and where the host's own records are copied to. A relative path begins at the folder of onecard.toml."""

    url: str = field(default="sqlite:ledger.db", repr=False)
    """May have a password in it."""
    journal: str = "journal"


@dataclass(frozen=True, slots=True)
class Web:
    """Where the pages are served."""

    host: str = "127.0.0.1"
    port: int = _number(8420, 0, 65535)


@dataclass(frozen=True, slots=True)
class Line:
    """A serial line: a device, or what pyserial's `serial_for_url` takes (`socket://...`)."""

    url: str = ""
    baud: int = _number(115_200, 1_200, 3_000_000)


@dataclass(frozen=True, slots=True)
class Offline:
    """What a terminal may do alone."""

    purse_fen: int = _fen(5_000)
    per_sale_fen: int = _fen(2_000)
    claim_days: int = _number(30, 0, 3_650)


@dataclass(frozen=True, slots=True)
class Limits:
    """Spending limits of a holder who has set none."""

    no_password_fen: int = _fen(2_000)
    single_fen: int = _fen(5_000)
    day_fen: int = _fen(30_000)


@dataclass(frozen=True, slots=True)
class Tariff:
    """The price of water, fen per cubic metre; what was used is rounded down on totals."""

    cold_fen_per_m3: int = _fen(500)
    hot_fen_per_m3: int = _fen(3_500)


@dataclass(frozen=True, slots=True)
class Shower:
    """How a shower charges and waits."""

    prededuct_fen: int = field(default=300, metadata=_ABOVE_ZERO_FEN)
    extend_left_fen: int = field(default=50, metadata=_ABOVE_ZERO_FEN)
    session_fen: int = field(default=2_000, metadata=_ABOVE_ZERO_FEN)
    cold_pulses_per_l: int = _number(450, 1, 10_000)
    hot_pulses_per_l: int = _number(450, 1, 10_000)
    pause_s: int = _number(300, 10, 3_600)


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, a table of the file each."""

    site: Site = field(default_factory=Site)
    ledger: LedgerSettings = field(default_factory=LedgerSettings)
    web: Web = field(default_factory=Web)
    lines: tuple[Line, ...] = ()
    offline: Offline = field(default_factory=Offline)
    limits: Limits = field(default_factory=Limits)
    tariff: Tariff = field(default_factory=Tariff)
    shower: Shower = field(default_factory=Shower)


_TABLES: dict[str, type[Any]] = {
    "site": Site,
    "ledger": LedgerSettings,
    "web": Web,
    "offline": Offline,
    "limits": Limits,
    "tariff": Tariff,
    "shower": Shower,
}


def load_settings(data: Path, environment: Mapping[str, str]) -> Settings:
    """Read `onecard.toml` of a data folder, the environment over it.

    Raises `DataMissing` without the file, `SettingsWrong` with every problem in it.
    """
    path = data / FILE_NAME
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise DataMissing(f"没有 {path} is missing: run `onecard init --data {data}` first") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsWrong([f"{path} cannot be read: {error}"]) from None
    return parse_settings(text, environment)


def parse_settings(text: str, environment: Mapping[str, str]) -> Settings:
    """Make settings of a TOML text and an environment. Raises `SettingsWrong`."""
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsWrong([f"onecard.toml is not TOML: {error}"]) from None
    problems: list[str] = []
    _override(tree, environment, problems)
    for name in tree.keys() - _TABLES.keys() - {"line"}:
        problems.append(f"unknown table [{name}]: known are {', '.join(_TABLES)} and [[line]]")
    tables = {name: _table(name, kind, tree.get(name, {}), problems) for name, kind in _TABLES.items()}
    lines = _lines(tree.get("line", []), problems)
    settings = Settings(**tables, lines=lines)
    problems.extend(_contradictions(settings))
    if problems:
        raise SettingsWrong(problems)
    return settings


def is_on_server(settings: Settings) -> bool:
    """Whether the ledger is in a PostgreSQL database."""
    return settings.ledger.url.partition(":")[0] in ("postgresql", "postgres")


def journal_folder(settings: Settings, data: Path) -> Path:
    """The folder of the host's journal files."""
    return data / settings.ledger.journal


def ledger_path(settings: Settings, data: Path) -> Path:
    """The SQLite file of `[ledger] url`. Raises `SettingsWrong` for another kind of url."""
    scheme, _, rest = settings.ledger.url.partition(":")
    if is_on_server(settings):
        raise SettingsWrong(["[ledger] url is a PostgreSQL database, and this wants a file: use the server's own tools"])
    if scheme != "sqlite" or not rest:
        raise SettingsWrong([f"[ledger] url begins with {scheme!r}: write sqlite:PATH, or postgresql://ROLE@HOST/DATABASE"])
    return data / rest


def _override(tree: dict[str, Any], environment: Mapping[str, str], problems: list[str]) -> None:
    for variable, value in sorted(environment.items()):
        table, separator, key = variable.removeprefix(_PREFIX).lower().partition("__")
        if not variable.startswith(_PREFIX) or not separator:
            continue
        known = {item.name: item for item in fields(_TABLES[table])} if table in _TABLES else {}
        if key not in known:
            problems.append(f"{variable} in the environment is no setting")
            continue
        number = known[key].type is int and value.lstrip("-").isdecimal()
        target = tree.setdefault(table, {})
        if isinstance(target, dict):
            target[key] = int(value) if number else value


def _lines(value: object, problems: list[str]) -> tuple[Line, ...]:
    if not isinstance(value, list):
        problems.append("line must be written [[line]], once for each line")
        return ()
    lines = tuple(_table("line", Line, item, problems) for item in cast(list[object], value))
    problems.extend(f"[[line]] number {index}: url is missing" for index, line in enumerate(lines, 1) if not line.url)
    return lines


def _table(name: str, kind: type[Any], value: object, problems: list[str]) -> Any:
    if not isinstance(value, dict):
        problems.append(f"{name} must be a table: write [{name}]")
        return kind()
    table = cast(dict[str, object], value)
    known = {item.name: item for item in fields(kind)}
    problems.extend(f"[{name}] {key} is no setting: known are {', '.join(known)}" for key in table.keys() - known.keys())
    good: dict[str, object] = {}
    for key, item in known.items():
        if key not in table:
            continue
        if problem := _problem(table[key], item.type, item.metadata):
            problems.append(f"[{name}] {key} = {table[key]!r}: {problem}")
        else:
            good[key] = table[key]
    return kind(**good)


def _problem(value: object, kind: Any, metadata: Mapping[str, int]) -> str:
    if type(value) is not kind:
        return "must be a whole number" if kind is int else "must be a text in quotes"
    if isinstance(value, int) and not metadata["least"] <= value <= metadata["most"]:
        return f"must lie between {metadata['least']} and {metadata['most']}"
    return ""


def _contradictions(settings: Settings) -> list[str]:
    problems: list[str] = []
    try:
        ZoneInfo(settings.site.timezone)
    except (KeyError, ValueError, OSError):
        problems.append(f"[site] timezone = {settings.site.timezone!r}: no such time zone")
    try:
        datetime.strptime(settings.site.day_cut, "%H:%M")
    except ValueError:
        problems.append(f'[site] day_cut = {settings.site.day_cut!r}: write a time of day, as "03:00"')
    if settings.site.language not in ("zh", "en"):
        problems.append(f"[site] language = {settings.site.language!r}: zh or en")
    if settings.shower.prededuct_fen > settings.shower.session_fen:
        problems.append("[shower] prededuct_fen is above session_fen: no shower could begin")
    return problems


TEMPLATE = """\
# Onecard. Every setting stands here with its default; take away the # to change one.
# The environment overrides: ONECARD_WEB__PORT=8421 is port of [web]. Money is fen.

[site]
# name = "校园一卡通"
# timezone = "Asia/Shanghai"
# day_cut = "03:00"            # a business day ends here
# language = "zh"              # zh or en

[ledger]
# url = "sqlite:ledger.db"     # beside this file; or postgresql://onecard@db.campus.example/onecard
# journal = "journal"          # the host's own records once more; give it a folder on another disk

[web]
# host = "127.0.0.1"           # 0.0.0.0 opens the pages to the network
# port = 8420

# [[line]]                     # one for each serial line; `terminal add --line 1` means the first
# url = "/dev/ttyUSB0"         # or socket://192.168.1.20:4001
# baud = 115200

[offline]                      # reserved: terminals do not pay offline yet
# purse_fen = 5000             # what a card's purse is loaded up to
# per_sale_fen = 2000
# claim_days = 30

[limits]
# no_password_fen = 2000       # reserved
# single_fen = 5000            # the most of one sale
# day_fen = 30000              # reserved

[tariff]
# cold_fen_per_m3 = 500
# hot_fen_per_m3 = 3500

[shower]
# prededuct_fen = 300          # set aside at the start, and at each extension
# extend_left_fen = 50         # extended when so much is left
# session_fen = 2000           # the most of one shower
# cold_pulses_per_l = 450
# hot_pulses_per_l = 450
# pause_s = 300                # a pause longer than that ends the shower
"""
