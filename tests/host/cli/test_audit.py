"""Every act of a person leaves a row in the audit log, in the commit of the act, and no secret."""

import json
import os
import pwd
from dataclasses import replace
from pathlib import Path

import pytest

from host import audit, cards, intake
from host.errors import InvalidValue
from host.ledger.audit_log import note
from host.ledger.contract import Ledger
from host.ledger.kinds import ItemKind
from host.ledger.opening import open_ledger
from host.ledger.posting import report
from host.ledger.rows import Act, Wallet
from host.settings import load_settings
from protocol.messages import State
from tests.host.cli.test_commands import ALL, Shell

READ_ONLY = {
    "audit",
    "balance",
    "bill",
    "card list",
    "check",
    "day list",
    "day report",
    "holder list",
    "sql",
    "subsidy list",
    "terminal list",
    "verify",
    "wallet list",
    "worklist show",
}
"""Commands that change nothing. `audit --csv` is the one that leaves a row all the same."""

BY_ITSELF = {"serve": "what a host does while it serves is done by terminals and holders, whose records say so"}

RUNS: dict[str, tuple[list[str], str]] = {
    "init": (["init"], "site.init"),
    "holder add": (["holder", "add", "20260001", "张小雨"], "holder.add"),
    "card add": (["card", "add", "20260001", "--uid", "04A1B2C3"], "card.add"),
    "card encode": (["card", "encode", "1", "--image", "{folder}/card.bin"], "card.encode"),
    "card deny": (["card", "deny", "1", "--reason", "lost"], "card.deny"),
    "card allow": (["card", "allow", "1", "--reason", "found"], "card.allow"),
    "terminal add": (["terminal", "add", "100", "--kind", "shower", "--place", "北区浴室 12 号"], "terminal.add"),
    "terminal identity": (["terminal", "identity", "100", "--out", "{folder}/identity"], "terminal.identity"),
    "recharge": (["recharge", "20260001", "50"], "recharge"),
    "reverse": (["reverse", "2-1-1", "--reason", "wrong holder"], "reverse"),
    "adjust": (["adjust", "bank", "20260001", "7", "--reason", "found"], "adjust"),
    "reserve": (["reserve", "20260001", "100"], "booking.add"),
    "wallet add": (["wallet", "add", "餐补", "--giver", "学生处"], "wallet.add"),
    "subsidy pay": (["subsidy", "pay", "{folder}/list.csv", "--wallet", "餐补", "--batch", "1"], "subsidy.pay"),
    "wallet expire": (["wallet", "expire"], "wallet.expire"),
    "day close": (["day", "close", "--now"], "day.close"),
    "day archive": (["day", "archive"], "day.archive"),
    "worklist close": (["worklist", "close", "1", "--reason", "looked into"], "item.close"),
    "terminal close-epoch": (["terminal", "close-epoch", "100", "1"], "epoch.close"),
    "collect-host": (["collect-host", "{journal}"], "host.collect"),
    "backup": (["backup", "{folder}/one.backup"], "backup"),
    "restore": (["restore", "{folder}/one.backup", "--replace"], "restore"),
    "end-wait": (["end-wait", "--reason", "no terminal is left"], "wait.end"),
}
"""How each of the others is run, in an order in which it can be, and the act it leaves."""


def test_every_command_is_known_to_read_or_to_act() -> None:
    assert {" ".join(path) for path in ALL} | READ_ONLY == READ_ONLY | RUNS.keys() | BY_ITSELF.keys()


def acts(shell: Shell) -> list[Act]:
    ledger = open_ledger(load_settings(shell.data, {}), shell.data)
    try:
        return ledger.view(lambda books: books.find(Act))
    finally:
        ledger.close()


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """Nothing yet but a list of subsidies."""
    (tmp_path / "list.csv").write_text("学号,金额\n20260001,120\n", encoding="utf-8")
    return Shell(tmp_path / "var")


def test_every_command_that_acts_leaves_its_row_and_no_secret(shell: Shell, tmp_path: Path) -> None:
    before = 0
    for name, (words, act) in RUNS.items():
        if name == "worklist close":
            _let_something_happen(shell)
        if name == "wallet expire":
            _let_wallets_run_out(shell)
        journal = next(iter(sorted((shell.data / "journal").glob("*.journal"))), "") if shell.data.exists() else ""
        shell.run(*(word.format(folder=tmp_path, journal=journal) for word in words))
        # What a restore brings back stands in the log beside the restore itself.
        found = acts(shell)
        assert act in [row.act for row in (found if act == "restore" else found[before:])], name
        before = len(found)
    me = pwd.getpwuid(os.getuid()).pw_name
    found = acts(shell)
    assert {row.actor for row in found} <= {me}
    log = " ".join(f"{row.subject} {row.detail}" for row in found).lower()
    secrets = [(shell.data / "keys" / "site.key").read_bytes().hex(), (shell.data / "keys" / "web.token").read_text().lower()]
    identity = (tmp_path / "identity").read_bytes()
    assert not [secret for secret in (*secrets, identity[3:19].hex(), identity[19:35].hex()) if secret in log]
    assert "the books are right" in shell.run("check")


def _let_something_happen(shell: Shell) -> None:
    """A handshake, and an item."""
    ledger = open_ledger(load_settings(shell.data, {}), shell.data)
    intake.resume(ledger, 100, State(0, 1, 1, "test", 1, []), 1_795_500_000)
    ledger.commit(lambda books: report(books, ItemKind.STRAY, terminal=100, evidence=b"\1"))
    ledger.close()


def _let_wallets_run_out(shell: Shell) -> None:
    ledger = open_ledger(load_settings(shell.data, {}), shell.data)
    ledger.commit(lambda books: [books.change(replace(wallet, expires_s=1)) for wallet in books.find(Wallet)])
    ledger.close()


def test_a_command_that_only_looks_leaves_no_row(shell: Shell) -> None:
    shell.run("init")
    shell.run("holder", "add", "20260001", "张小雨")
    before = len(acts(shell))
    for words in (["holder", "list"], ["balance", "20260001"], ["check"], ["audit"], ["worklist"], ["sql", "SELECT 1"]):
        shell.run(*words)
    assert len(acts(shell)) == before


def test_what_fails_leaves_no_row(shell: Shell) -> None:
    shell.run("init")
    before = len(acts(shell))
    shell.run("card", "deny", "9", "--reason", "lost", code=3)
    assert len(acts(shell)) == before


def test_the_log_is_searched(shell: Shell) -> None:
    for words in (["init"], ["holder", "add", "20260001", "张小雨"], ["holder", "add", "20260002", "李强"], ["recharge", "20260002", "5"]):
        shell.run(*words)
    found = shell.run("audit", "--act", "holder")
    assert ("20260001" in found, "20260002" in found, "recharge" in found) == (True, True, False)
    assert "recharge" in shell.run("audit", "--subject", "20260002", "--act", "recharge")
    assert "20260001" not in shell.run("audit", "--search", "amount_fen")
    assert "20260001" not in shell.run("audit", "--actor", "nobody-else")
    assert "20260001" not in shell.run("audit", "--until", "2026-01-01")
    assert "20260001" in shell.run("audit", "--since", "2026-01-01")
    last = shell.run("audit", "--limit", "1")
    assert ("recharge" in last, "holder.add" in last) == (True, False)


WRONG = {
    "a date that is none": ["audit", "--since", "2026-02-30"],
    "no row": ["audit", "--limit", "0"],
    "from after to": ["audit", "--since", "2026-11-25", "--until", "2026-11-24"],
}


@pytest.mark.parametrize("words", WRONG.values(), ids=list(WRONG))
def test_a_search_that_makes_no_sense_is_refused(shell: Shell, words: list[str]) -> None:
    shell.run("init")
    assert "Traceback" not in shell.run(*words, code=2)


def test_an_export_opens_in_a_spreadsheet_runs_nothing_and_is_logged(shell: Shell, tmp_path: Path) -> None:
    shell.run("init")
    shell.run("holder", "add", "20260001", "张小雨")
    shell.run("card", "add", "20260001", "--uid", "04A1B2C3")
    shell.run("card", "deny", "1", "--reason", "=cmd|' /C calc'!A0")
    path = tmp_path / "audit.csv"
    shell.run("audit", "--csv", str(path), "--act", "card")
    text = path.read_bytes().decode("utf-8")
    assert (text[0], path.stat().st_mode & 0o777) == ("\N{ZERO WIDTH NO-BREAK SPACE}", 0o600)
    assert [line.split(",")[3] for line in text.splitlines()[1:]] == ["card.add", "card.deny"]
    exported = acts(shell)[-1]
    assert (exported.act, exported.subject, json.loads(exported.detail)) == ("audit.export", "audit.csv", {"act": "card", "rows": 2})


def test_a_row_is_one_printable_line(shell: Shell) -> None:
    for words in (["init"], ["holder", "add", "20260001", "张小雨"], ["card", "add", "20260001", "--uid", "04A1B2C3"]):
        shell.run(*words)
    ledger = open_ledger(load_settings(shell.data, {}), shell.data, actor="clerk\n7")
    cards.deny(ledger, 1, "x\x1b[2J\n" + "y" * 500)
    ledger.close()
    row = acts(shell)[-1]
    assert (row.actor + row.subject + row.detail).isprintable()
    assert len(row.detail) < 300


def test_a_search_is_bounded(shell: Shell) -> None:
    shell.run("init")
    ledger = open_ledger(load_settings(shell.data, {}), shell.data)
    for number in range(5):
        _note(ledger, number)
    assert [row.subject for row in audit.find(ledger, audit.Search(act="test", limit=3))] == ["2", "3", "4"]
    with pytest.raises(InvalidValue):
        audit.find(ledger, audit.Search(limit=audit.MOST_ACTS + 1))
    ledger.close()


def _note(ledger: Ledger, number: int) -> None:
    ledger.commit(lambda books: note(books, "test.act", number))
