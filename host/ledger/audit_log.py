"""The audit log's one way in: who did what to what, in the commit of the act itself.

So nothing is done without a row, and no row says what was not done. Rows are only ever added, and each
row's seal covers the one before it (ledger/seals.py), so that none can be altered, dropped or slipped in.
"""

import json

from host.ledger.books import Books
from host.ledger.rows import Act

Detail = int | str | bool | None

_LONGEST_TEXT = 200
"""More than any name or reason; a longer one is cut, so that nobody fills the log."""


def note(books: Books, act: str, subject: object, /, **detail: Detail) -> Act:
    """Write what a person does into the audit log of this commit; `books.actor` is who.

    `act` is noun and verb ("card.deny"), `subject` what it is done to, as people name it (a holder's number,
    "00000001" for a card). `detail`: what else tells it apart; no secret and no identity number. Jobs call it,
    never requests of terminals: the number is the next one.
    """
    assert act.replace(".", "").replace("_", "").isalpha(), act
    clean = {name: _plain(value) if isinstance(value, str) else value for name, value in detail.items() if value not in (None, "")}
    row = Act(
        number=books.highest(Act, "number") + 1,
        at_s=books.now_s,
        actor=_plain(books.actor),
        act=act,
        subject=_plain(str(subject)),
        detail=json.dumps(clean, ensure_ascii=False, sort_keys=True) if clean else "",
    )
    books.add(row)
    return row


def _plain(text: str) -> str:
    """One printable line: what is shown later must not move the cursor or end the line."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)[:_LONGEST_TEXT]
