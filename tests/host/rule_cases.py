"""A record in its surroundings, for tests of the rules without a database."""

from dataclasses import replace
from typing import Any

from host.ledger.cases import Case, Effect, Finding
from host.ledger.effects import effect
from host.ledger.kinds import AccountKind, HoldKind, HoldState, ItemKind
from host.ledger.rows import Account, Hold
from protocol.messages import SUBJECT_CARD
from protocol.record import NO_TAC, NONE, Name, Record, pack_key

MAIN, MIRROR, SHOP, OTHER, WALLET = 100, 101, 102, 103, 104
NAME, OPENED = Name(200, 1, 5), Name(200, 1, 3)
KEY, OPENED_KEY = pack_key(NAME, 0), pack_key(OPENED, 0)


def record(kind: int, amount_fen: int = 300, **fields: Any) -> Record:
    values: dict[str, Any] = {
        "at_s": 0,
        "trust": 0,
        "subject_kind": SUBJECT_CARD,
        "subject": 1,
        "purse": False,
        "away": False,
        "reference": NONE,
        "detail": 0,
        "balance_fen": 0,
        "counter": 0,
        "shown": bytes(14),
        "tariff": 0,
        "list_version": 0,
        "tac": NO_TAC,
        **fields,
    }
    return Record(kind=kind, terminal=200, epoch=1, sequence=5, amount_fen=amount_fen, **values)


def main(available_fen: int = 1_000, held_fen: int = 0) -> Account:
    return Account(MAIN, AccountKind.HOLDER, "", available_fen + held_fen, held_fen, owner=MAIN)


def mirror(available_fen: int = 400, held_fen: int = 0) -> Account:
    return Account(MIRROR, AccountKind.MIRROR, "", available_fen + held_fen, held_fen, owner=MAIN)


def given(one: Record, payer: Account | None = None, /, **fields: Any) -> Effect:
    account = payer or main()
    values: dict[str, Any] = {
        "is_proven": True,
        "is_host": False,
        "merchant": SHOP,
        "account": account,
        "mirror": mirror(),
        "parts": {},
        "payers": (account,),
        **fields,
    }
    found = effect(Case(key=KEY, record=one, **values))
    found.legs = list(found.legs)
    return found


def asked(kind: HoldKind = HoldKind.SALE, fen: int = 300, **fields: Any) -> Hold:
    return replace(Hold(KEY, MAIN, kind, HoldState.ASKED, fen, subject_kind=SUBJECT_CARD, subject=1, asked_fen=fen), **fields)


def taken(kind: HoldKind = HoldKind.SHOWER, fen: int = 300, account: int = MAIN, **fields: Any) -> Hold:
    return replace(Hold(OPENED_KEY, account, kind, HoldState.TAKEN, fen, subject_kind=SUBJECT_CARD, subject=1), **fields)


def lost(amount_fen: int) -> tuple[Finding, ...]:
    return (Finding(ItemKind.UNCOVERED, amount_fen),)
