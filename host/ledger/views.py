"""Views for operators: the books in names and words, for `onecard sql` and any other shell (docs/ledger.md, "Looking yourself").

Portable SQL like the rest of the schema, made anew with the view `movements`, whose tables change with the days. Amounts
are fen, `_utc` is text, a record is named as people read it: terminal-epoch-sequence.
"""

from host.ledger.kinds import KIND_NAMES
from protocol.messages import RESERVATIONS

_TO_UNIX = 1_577_836_800
"""Records count seconds from 2020-01-01."""
_AT_OFFSET = 10
_HEX_DIGITS = "'123456789ABCDEF'"


def _name(key: str) -> str:
    parts = (f"{key} >> 47", f"{key} >> 35 & 4095", f"{key} >> 4 & 2147483647")
    return " || '-' || ".join(f"CAST({part} AS TEXT)" for part in parts)


def _byte(index: int) -> str:
    """A byte of a record's hexadecimal digits; `instr` finds no 0, and returns 0."""
    digits = (f"{{position}}({_HEX_DIGITS}, substr(bytes, {2 * index + at}, 1))" for at in (1, 2))
    return "({} * 16 + {})".format(*digits)


_KIND = f"CASE {_byte(1)} {' '.join(f'WHEN {kind} THEN {name!r}' for kind, name in KIND_NAMES.items())} ELSE 'other' END"
_WIRE_S = " + ".join(f"{_byte(_AT_OFFSET + index)} * {256**index}" for index in range(4))
_AT_S = f"CASE WHEN {_WIRE_S} > 0 THEN {_WIRE_S} + {_TO_UNIX} END"

_HOLDER = "h.number AS holder, h.name AS holder_name"

# The record's bytes stand in leg 0; the legs behind it look there.
_DECODED = f"""
SELECT key, debit, credit, amount_fen, owner, {_KIND} AS kind, {_AT_S} AS at_s FROM (
    SELECT key, debit, credit, amount_fen, owner, {{hex_record}} AS bytes FROM (
        SELECT m.key, m.debit, m.credit, m.amount_fen, m.owner,
            CASE WHEN m.key & 15 = 0 THEN m.record
            ELSE (SELECT first.record FROM movements AS first WHERE first.key = m.key - (m.key & 15)) END AS record
        FROM movements AS m
    ) AS whole
) AS spelled"""

VIEWS: dict[str, str] = {
    "movement_lines": f"""
SELECT m.key, {_name("m.key")} AS record, m.key & 15 AS leg, m.kind, {{utc}} AS at_utc,
    d.label AS from_account, c.label AS to_account, m.amount_fen
FROM ({_DECODED}) AS m JOIN accounts AS d ON d.number = m.debit JOIN accounts AS c ON c.number = m.credit""",
    "statement_lines": f"""
SELECT {_HOLDER}, m.key, {_name("m.key")} AS record, m.kind, {{utc}} AS at_utc,
    d.label AS from_account, c.label AS to_account, m.amount_fen,
    CASE WHEN d.owner = c.owner THEN 0 WHEN c.owner = m.owner THEN m.amount_fen ELSE -m.amount_fen END AS change_fen
FROM ({_DECODED}) AS m JOIN holders AS h ON h.account = m.owner
    JOIN accounts AS d ON d.number = m.debit JOIN accounts AS c ON c.number = m.credit""",
    "balances": f"""
SELECT {_HOLDER}, a.number AS account, a.balance_fen AS account_fen, a.held_fen, a.balance_fen - a.held_fen AS available_fen,
    (SELECT coalesce(CAST(sum(w.balance_fen) AS {{int}}), 0) FROM accounts AS w
        WHERE w.owner = a.number AND w.kind = 'wallet') AS wallets_fen,
    (SELECT coalesce(CAST(sum(p.balance_fen) AS {{int}}), 0) FROM accounts AS p
        WHERE p.owner = a.number AND p.kind = 'mirror') AS purses_fen
FROM holders AS h JOIN accounts AS a ON a.number = h.account""",
    "sums_by_kind": """
SELECT kind, count(*) AS account_count, CAST(sum(balance_fen) AS {int}) AS balance_fen, CAST(sum(held_fen) AS {int}) AS held_fen
FROM accounts GROUP BY kind""",
    "open_holds": f"""
SELECT x.key, {_name("x.key")} AS record, x.kind, x.state, x.amount_fen, x.account, a.label AS account_label,
    (SELECT p.name FROM terminals AS t JOIN places AS p ON p.number = t.place WHERE t.number = x.key >> 47) AS place
FROM holds AS x JOIN accounts AS a ON a.number = x.account""",
    "worklist": f"""
SELECT number, kind, {{utc}} AS at_utc, terminal,
    (SELECT p.name FROM terminals AS t JOIN places AS p ON p.number = t.place WHERE t.number = items.terminal) AS place,
    CASE WHEN key > 0 THEN {_name("key")} ELSE '' END AS record, amount_fen, is_open
FROM items""",
    "terminal_lags": f"""
SELECT t.number AS terminal, t.kind, p.name AS place, t.firmware, e.epoch, e.high_water, e.is_closed, t.epoch - e.epoch AS epochs_behind,
    (SELECT count(*) FROM holds AS x WHERE x.key >> 35 = (t.number << 12) + e.epoch) AS hold_count,
    (SELECT count(*) FROM items AS i WHERE i.terminal = t.number AND i.is_open = 1) AS open_item_count,
    (SELECT max(r.version) - coalesce(max(a.version), 0) FROM resources AS r
        LEFT JOIN actives AS a ON a.terminal = r.terminal AND a.resource = r.resource
        WHERE r.terminal = t.number AND r.resource = {RESERVATIONS}) AS list_versions_behind
FROM terminals AS t JOIN epochs AS e ON e.terminal = t.number LEFT JOIN places AS p ON p.number = t.place""",
    "card_states": f"""
SELECT c.number AS card, {_HOLDER}, a.balance_fen AS purse_fen, c.expiry_day,
    CASE WHEN c.denied_s IS NULL THEN 'good' ELSE 'denied' END AS state, c.denied_for
FROM cards AS c JOIN holders AS h ON h.account = c.account JOIN accounts AS a ON a.number = c.mirror""",
    "audit_log": """
SELECT number, {utc} AS at_utc, actor, act, subject, detail FROM audit""",
}
"""Name to SELECT, in the order in which they are made."""


def drop_views() -> list[str]:
    """Statements that take the views away, before `movements` is made anew."""
    return [f"DROP VIEW IF EXISTS {name}" for name in reversed(VIEWS)]


def create_views() -> list[str]:
    """Statements that make them."""
    return [f"CREATE VIEW {name} AS {query.strip()}" for name, query in VIEWS.items()]
