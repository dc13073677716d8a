"""What terminals send together is answered as if it had come one by one, each in a commit of its own."""

import random
from collections.abc import Sequence
from typing import Any

import pytest

from host.approvals import Asking
from host.intake import Delivery
from host.ledger.contract import Arrival
from host.ledger.rows import Account, Epoch, Fact, Hold, Item, Movement, Settlement, Writing
from protocol import record as kinds
from protocol.messages import ASK_EXTEND, ASK_LOOKUP, ASK_SALE, ASK_SHOWER, SUBJECT_CARD, Ask
from protocol.record import NONE, Operation, pack_shown
from tests.host.conftest import MakeSite
from tests.host.site import NOW_S, SHOWER, SHOWER_2, TILL, Journal, Site

LENGTH = 40
COMPARED = (Account, Epoch, Movement, Fact, Hold, Settlement, Writing)


def furnished(make_site: MakeSite) -> tuple[Site, list[Journal]]:
    site = make_site()
    site.add_holder("20260001", 4_000)
    site.add_holder("20260002", 320, "李强")
    for number in ("20260001", "20260002"):
        site.add_card(number)
    site.add_terminals()
    return site, [site.journal(number) for number in (TILL, SHOWER, SHOWER_2)]


def sent(chance: random.Random, journals: Sequence[Journal]) -> Arrival[Any]:
    """Something a terminal sends: asks, new records, old ones, some of them altered, some out of turn."""
    journal = chance.choice(journals)
    card, amount_fen = chance.choice((1, 1, 2, 9)), chance.choice((0, 1, 90, 300, 700))
    if chance.random() < 0.4:
        kind = chance.choice((ASK_SALE, ASK_SHOWER, ASK_EXTEND, ASK_LOOKUP))
        sequence = max(journal.next - chance.choice((0, 0, 0, 1, 2)), 0)
        return Asking(journal.number, Ask(journal.epoch, sequence, kind, SUBJECT_CARD, card, amount_fen, 0, b"", b""), NOW_S)
    first = max(journal.next - chance.choice((1, 1, 1, 2, 4)), 0)
    for _ in range(chance.randint(0, 3)):
        kind = chance.choice((kinds.SALE, kinds.SALE, kinds.OPENED, kinds.STEP, kinds.SETTLED, kinds.LOAD, kinds.NOTHING, kinds.VOID, 99))
        reference = journal.name(chance.randint(1, journal.next)) if chance.random() < 0.5 else NONE
        shown = pack_shown([Operation(TILL, 1, kinds.SALE, 1, 90)]) if chance.random() < 0.3 else bytes(14)
        journal.write(
            kind,
            subject=card,
            amount_fen=amount_fen,
            reference=reference,
            purse=chance.random() < 0.2,
            counter=chance.randint(1, 5),
            shown=shown,
            key=chance.choice((0, 0, 0, 0, 0, 999)),
        )
    records = journal.records[max(first - 1, 0) :][:4]
    if records and chance.random() < 0.1:
        records[0] = records[0][:40] + b"altered!" + records[0][48:]
    return Delivery(journal.number, b"".join(records), NOW_S)


def outcome(site: Site) -> list[object]:
    items = sorted((row.kind, row.terminal, row.key, row.amount_fen, row.evidence) for row in site.rows(Item))
    return [items, *(site.rows(kind) for kind in COMPARED)]


@pytest.mark.parametrize("seed", range(8))
def test_together_is_as_one_by_one(make_site: MakeSite, seed: int) -> None:
    together, journals = furnished(make_site)
    alone, _ = furnished(make_site)
    chance = random.Random(seed)
    arrivals = [sent(chance, journals) for _ in range(LENGTH)]
    one_by_one = [alone.commit(arrival.run) for arrival in arrivals]
    answers: list[Any] = []
    while arrivals:
        some, arrivals = arrivals[: (size := chance.randint(1, 20))], arrivals[size:]
        answers += together.ledger.post(some)
    assert answers == one_by_one
    assert outcome(together) == outcome(alone)
    together.prove()
    alone.prove()
