"""What the documents promise is there: commands, make targets, links."""

import re
from pathlib import Path
from typing import Any

import pytest
import typer

from host.cli import app
from sim.cli import add_commands

ROOT = Path(__file__).resolve().parents[2]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
_LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


def commands() -> dict[str, str]:
    """Every command's help by its words: {"holder add": "开户 Open an account. ..."}."""
    add_commands(app)
    found: dict[str, str] = {}

    def walk(words: str, command: Any) -> None:
        for name, inner in getattr(command, "commands", {}).items():
            walk(f"{words} {name}".strip(), inner)
        if not hasattr(command, "commands"):
            found[words] = command.help or ""

    walk("", typer.main.get_command(app))
    return found


COMMANDS = commands()


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_is_documented_and_has_an_example(words: str) -> None:
    assert f"onecard {words}" in (ROOT / "docs/operating.md").read_text(encoding="utf-8"), (
        f"docs/operating.md does not name `onecard {words}`"
    )
    assert f"Example: onecard {words}" in COMMANDS[words], f"`onecard {words} --help` has no example"


def test_documents_name_only_commands_that_exist() -> None:
    named = {
        match[1].strip()
        for page in PAGES
        for match in re.finditer(r"^    onecard ((?:[a-z]+ ?){1,2})", page.read_text(encoding="utf-8"), re.MULTILINE)
    }
    unknown = [words for words in named if words not in COMMANDS and words.split()[0] not in COMMANDS]
    assert not unknown, f"no such commands: {unknown}"


def test_readme_names_make_targets_that_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    for page in PAGES:
        for target in re.findall(r"(?:^    |`)make ([a-z]+)", page.read_text(encoding="utf-8"), re.MULTILINE):
            assert target in targets, f"{page.name} names `make {target}`"


def test_links_lead_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in PAGES
        for target in _LINK.findall(page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert not broken, "\n".join(broken)


def test_decisions_are_short_and_numbered() -> None:
    for number, page in enumerate(sorted((ROOT / "docs/decisions").glob("*.md")), 1):
        assert page.name.startswith(f"{number:04d}-"), f"{page.name} is out of order"
        assert page.read_text(encoding="utf-8").count("\n") <= 20, f"{page.name} is longer than twenty lines"
