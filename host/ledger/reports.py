"""The books as lines for people: what moved, what is set aside."""

from dataclasses import dataclass

from host.ledger.books import Books
from host.ledger.kinds import KIND_NAMES
from host.ledger.rows import Account, Commit, Fact, Hold, Movement
from protocol.record import decode, unpack_key

_LAST_COMMIT = 1 << 62


@dataclass(frozen=True, slots=True)
class MovementLine:
    """A movement with the words around it. `commit` is its link of the chain, for asking what came after."""

    commit: int
    key: int
    name: str
    kind: str
    debit: int
    debit_label: str
    credit: int
    credit_label: str
    amount_fen: int
    at_s: int


@dataclass(frozen=True, slots=True)
class RecordLine:
    """A record, whether it moved money or not."""

    commit: int
    key: int
    name: str
    kind: str
    amount_fen: int
    at_s: int


@dataclass(frozen=True, slots=True)
class HoldLine:
    """Money set aside: for what, and how far it is."""

    key: int
    name: str
    account: int
    label: str
    kind: str
    state: str
    amount_fen: int


def newest_movements(books: Books, count: int) -> list[MovementLine]:
    """The movements of the last `count` commits, oldest first."""
    commits = books.find(Commit, limit=count, newest_first=True)
    return [line for commit in reversed(commits) for line in _moved_in(books, commit)]


def movements_after(books: Books, commit: int, count: int) -> list[MovementLine]:
    """The movements of up to `count` commits after that one, oldest first."""
    commits = books.find(Commit, number=(commit + 1, _LAST_COMMIT), limit=count)
    return [line for found in commits for line in _moved_in(books, found)]


def records_after(books: Books, commit: int, count: int) -> list[RecordLine]:
    """The records of up to `count` commits after that one, oldest first."""
    commits = books.find(Commit, number=(commit + 1, _LAST_COMMIT), limit=count)
    return [line for found in commits for line in _recorded_in(books, found)]


def last_commit(books: Books) -> int:
    """The number of the newest commit, 0 before the first."""
    return books.highest(Commit, "number")


def open_holds(books: Books) -> list[HoldLine]:
    """Everything that is set aside, in the order of names."""
    return [
        HoldLine(row.key, name_text(row.key), row.account, books.need(Account, row.account).label, row.kind, row.state, row.amount_fen)
        for row in books.find(Hold)
    ]


def name_text(key: int) -> str:
    """A record's name as people read it: terminal-epoch-sequence."""
    name, _ = unpack_key(key)
    return f"{name.terminal}-{name.epoch}-{name.sequence}"


def yuan(amount_fen: int) -> str:
    """Fen as yuan, with two decimals."""
    sign, rest = ("-", -amount_fen) if amount_fen < 0 else ("", amount_fen)
    return f"{sign}{rest // 100}.{rest % 100:02d}"


def _moved_in(books: Books, commit: Commit) -> list[MovementLine]:
    lines: list[MovementLine] = []
    kind = ""
    for row in books.find(Movement, key=(commit.first_key, commit.last_key)):
        kind = kind_text(row.record) if row.record else kind
        labels = books.need(Account, row.debit).label, books.need(Account, row.credit).label
        name = name_text(row.key)
        lines.append(
            MovementLine(commit.number, row.key, name, kind, row.debit, labels[0], row.credit, labels[1], row.amount_fen, commit.at_s)
        )
    return lines


def _recorded_in(books: Books, commit: Commit) -> list[RecordLine]:
    span = (commit.first_key, commit.last_key)
    rows: list[Movement | Fact] = [*books.find(Movement, key=span), *books.find(Fact, key=span)]
    return [
        RecordLine(commit.number, row.key, name_text(row.key), kind_text(row.record), _amount(row.record), commit.at_s)
        for row in sorted(rows, key=lambda row: row.key)
        if row.record is not None
    ]


def kind_text(data: bytes) -> str:
    """What kind of record these bytes are."""
    try:
        kind = decode(data).kind
    except ValueError:
        return "unreadable"
    return KIND_NAMES.get(kind, f"kind {kind}")


def _amount(data: bytes) -> int:
    try:
        return decode(data).amount_fen
    except ValueError:
        return 0
