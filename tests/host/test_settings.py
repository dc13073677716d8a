"""Settings: defaults, the environment over them, every mistake said at once."""

import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from host.errors import DataMissing, SettingsWrong
from host.settings import TEMPLATE, Settings, Site, ledger_path, load_settings, parse_settings


def test_an_empty_file_is_all_defaults() -> None:
    assert parse_settings("", {}) == Settings()


def test_the_template_says_every_default() -> None:
    """Taking away each # changes nothing."""
    spoken = "\n".join(
        line.removeprefix("# ") for line in TEMPLATE.splitlines() if not line.startswith("# Onecard") and "environment" not in line
    )
    tree = tomllib.loads(spoken)
    tree.pop("line")
    assert parse_settings(spoken.replace("[[line]]", "[[ignored]]").split("[[ignored]]")[0], {}) == Settings()
    for table in fields(Settings):
        if table.name != "lines":
            assert tree[table.name] == {item.name: getattr(getattr(Settings(), table.name), item.name) for item in fields(table.type)}  # type: ignore[arg-type]


def test_lines_keep_their_order() -> None:
    settings = parse_settings('[[line]]\nurl = "/dev/ttyUSB1"\n[[line]]\nurl = "socket://h:1"\nbaud = 9600', {})
    assert [(line.url, line.baud) for line in settings.lines] == [("/dev/ttyUSB1", 115_200), ("socket://h:1", 9_600)]


def test_the_environment_overrides() -> None:
    environment = {"ONECARD_WEB__PORT": "9000", "ONECARD_SITE__NAME": "东校区", "ONECARD_DATA": "/srv", "PATH": "/bin"}
    settings = parse_settings("[web]\nport = 1", environment)
    assert (settings.web.port, settings.site.name) == (9_000, "东校区")


MISTAKES = {
    "unknown table": ("[weather]\n", "weather"),
    "unknown key": ("[web]\nprot = 1", "prot"),
    "wrong type": ('[web]\nport = "8420"', "whole number"),
    "a truth for a number": ("[web]\nport = true", "whole number"),
    "a number for a text": ("[web]\nhost = 1", "text"),
    "out of range": ("[web]\nport = 70000", "between 0 and 65535"),
    "below zero": ("[limits]\nsingle_fen = -1", "between"),
    "no such zone": ('[site]\ntimezone = "Mars/Olympus"', "time zone"),
    "no such time": ('[site]\nday_cut = "25:00"', "day_cut"),
    "a line without url": ("[[line]]\nbaud = 9600", "url is missing"),
    "a line that is no list": ("line = 3", "[[line]]"),
    "a table that is a value": ("web = 3", "[web]"),
    "not TOML": ("[web", "TOML"),
    "a shower that cannot begin": ("[shower]\nsession_fen = 200", "prededuct_fen"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_said(case: str) -> None:
    text, said = MISTAKES[case]
    with pytest.raises(SettingsWrong) as caught:
        parse_settings(text, {})
    assert said in str(caught.value)


def test_all_mistakes_are_said_at_once() -> None:
    with pytest.raises(SettingsWrong) as caught:
        parse_settings("[web]\nport = 70000\n[weather]\n", {"ONECARD_WEB__PROT": "1", "ONECARD_TEA__CUPS": "2"})
    assert len(caught.value.problems) == 4


def test_a_missing_file_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(DataMissing, match="onecard init"):
        load_settings(tmp_path, {})


def test_the_ledger_lies_beside_the_settings_unless_said_otherwise(tmp_path: Path) -> None:
    assert ledger_path(Settings(), tmp_path) == tmp_path / "ledger.db"
    assert ledger_path(parse_settings('[ledger]\nurl = "sqlite:/srv/l.db"', {}), tmp_path) == Path("/srv/l.db")
    with pytest.raises(SettingsWrong, match="sqlite:PATH"):
        ledger_path(parse_settings('[ledger]\nurl = "oracle:x"', {}), tmp_path)


@pytest.mark.parametrize(
    ("at_s", "day"),
    [(1_795_546_799, 20261124), (1_795_546_800, 20261125), (1_772_218_800 - 1, 20260227), (1_709_146_800, 20240229)],
    ids=["02:59:59 local", "03:00 local", "before the cut", "leap day"],
)
def test_a_business_day_ends_at_its_cut(at_s: int, day: int) -> None:
    assert Site().business_day(at_s) == day
