"""A small site on disk for the tests of the line: a till, a shower, a holder with money and a card."""

import atexit
import shutil
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from host import cards, holders, terminals
from host.keys import SiteKeys, load_site_keys
from host.ledger.commits import SiteLedger
from host.ledger.kinds import TerminalKind
from host.ledger.opening import create_data, open_ledger
from host.settings import Settings, load_settings

TILL, SHOWER = 100, 101
STUDENT = "20260001"
CARD = 1


@dataclass
class Site:
    """What `make_site` made. `card`: the card's number."""

    data: Path
    settings: Settings
    keys: SiteKeys
    ledger: SiteLedger
    card: int


def make_site(data: Path, toml: str = "") -> Site:
    """Give a test a data folder of its own, with `toml` added to its settings; the ledger is open, started as "command"."""
    shutil.copytree(_pattern(), data)
    file = data / "onecard.toml"
    file.write_text(file.read_text(encoding="utf-8") + toml, encoding="utf-8")
    settings = load_settings(data, {})
    ledger = open_ledger(settings, data)
    ledger.start("command")
    return Site(data, settings, load_site_keys(data), ledger, CARD)


@cache
def _pattern() -> Path:
    """The folder that all are copies of: making one takes a dozen waits for the disk."""
    folder = tempfile.mkdtemp(prefix="onecard-test-")
    atexit.register(shutil.rmtree, folder)
    data = Path(folder, "data")
    create_data(data)
    ledger = open_ledger(load_settings(data, {}), data)
    ledger.start("command")
    holders.add(ledger, STUDENT, "张小雨")
    holders.recharge(ledger, STUDENT, 20_000)
    assert cards.add(ledger, STUDENT, bytes.fromhex("04a1b2c3")).number == CARD
    terminals.add(ledger, TILL, TerminalKind.POS, "第一食堂 03 窗口", line=1)
    terminals.add(ledger, SHOWER, TerminalKind.SHOWER, "北区浴室 12 号", line=1)
    ledger.close()
    return data
