"""Options and arguments that several commands share, and what they turn into."""

import os
import pwd
import re
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from host import own_records
from host.errors import InvalidValue
from host.ledger.clock import day_number
from host.ledger.commits import SiteLedger
from host.ledger.opening import open_ledger, unix_seconds
from host.settings import Settings, journal_folder, load_settings

Data = Annotated[Path, typer.Option("--data", envvar="ONECARD_DATA", help="数据目录 the data folder", show_default="./var")]
HolderNumber = Annotated[str, typer.Argument(metavar="HOLDER", help="学号/工号 student or staff number")]

RequestKey = Annotated[
    str, typer.Option("--key", metavar="KEY", help="请求号 a key of your own, as a receipt's number: the same again is done once")
]

DEFAULT_DATA = Path("var")

CLASSES = ("student", "staff", "visitor")

_YUAN = re.compile(r"([0-9]{1,8})(?:\.([0-9]{1,2}))?")
_DAY_ZERO = date(2020, 1, 1)


@contextmanager
def opened(data: Path, *, role: str = "") -> Generator[SiteLedger]:
    """The ledger of a data folder for one command. `role`: what the process is, if it will write records."""
    settings = load_settings(data, os.environ)
    with ExitStack() as stack:
        ledger = open_ledger(settings, data, actor=actor())
        stack.callback(ledger.close)
        if role:
            _, journal = own_records.start(ledger, role, journal_folder(settings, data))
            stack.callback(journal.close)
        yield ledger


def actor() -> str:
    """Who runs this command, for the audit log: the user of the operating system, whatever the environment says."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


def settings_of(data: Path) -> Settings:
    """The settings of a data folder, the environment over them."""
    return load_settings(data, os.environ)


def fen(text: str) -> int:
    """An amount of money as a person writes it, in yuan: 50, 12.5, 12.50."""
    found = _YUAN.fullmatch(text)
    if found is None:
        raise InvalidValue(f"金额不对 amount {text!r}: write yuan, as 50 or 12.50")
    return int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))


def class_number(text: str) -> int:
    """A holder's class: a word of `CLASSES`, or its number, 0 to 15."""
    if text in CLASSES:
        return CLASSES.index(text)
    if text.isdecimal() and int(text) <= 15:
        return int(text)
    raise InvalidValue(f"类别不对 class {text!r}: {', '.join(CLASSES)}, or a number to 15")


def uid_bytes(text: str) -> bytes:
    """A card's UID: hexadecimal, with or without spaces or colons."""
    try:
        return bytes.fromhex(text.replace(":", " "))
    except ValueError:
        raise InvalidValue(f"UID {text!r}: write it in hexadecimal, as 04A1B2C3") from None


def expiry_day(text: str) -> int:
    """A date as cards have it: days since 2020-01-01."""
    try:
        return (date.fromisoformat(text) - _DAY_ZERO).days
    except ValueError:
        raise InvalidValue(f"日期不对 date {text!r}: write it as 2030-07-01") from None


def business_day(text: str) -> int:
    """A business day as people write it: 2026-11-24."""
    try:
        return day_number(date.fromisoformat(text))
    except ValueError:
        raise InvalidValue(f"日期不对 date {text!r}: write it as 2026-11-24") from None


def begin_s(text: str, timezone: str) -> int:
    """When a booking begins, in Unix seconds: "" is now; 18:30 is the next such time; or 2026-11-24 18:30. Local time."""
    now_s = unix_seconds()
    if not text:
        return now_s
    zone = ZoneInfo(timezone)
    now = datetime.fromtimestamp(now_s, UTC).astimezone(zone)
    try:
        if len(text) > len("18:30"):
            return int(datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=zone).timestamp())
        clock = datetime.strptime(text, "%H:%M").time()
    except ValueError:
        raise InvalidValue(f'时间不对 time {text!r}: write 18:30, or "2026-11-24 18:30"') from None
    begin = datetime.combine(now.date(), clock, zone)
    return int((begin if begin > now else begin + timedelta(days=1)).timestamp())


def begin_of(text: str, timezone: str, *, is_end: bool = False) -> int:
    """A date, or a date and a time, in Unix seconds; a date alone is its first second, or its last with `is_end`."""
    zone = ZoneInfo(timezone)
    try:
        if len(text) > len("2026-11-24"):
            return int(datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=zone).timestamp())
        day = date.fromisoformat(text)
    except ValueError:
        raise InvalidValue(f'时间不对 time {text!r}: write 2026-11-24, or "2026-11-24 18:30"') from None
    begins = datetime.combine(day + timedelta(days=1) if is_end else day, clock_time(), zone)
    return int(begins.timestamp()) - is_end


def local_time(at_s: int, timezone: str) -> str:
    """A Unix time for people."""
    return datetime.fromtimestamp(at_s, UTC).astimezone(ZoneInfo(timezone)).strftime("%Y-%m-%d %H:%M")
