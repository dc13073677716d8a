"""What a record says it moves, against what was moved; and money of the school's that moved without an item."""

from host.check.entries import Entry
from host.check.names import Items, Names
from host.check.proof import Proof
from host.ledger.kinds import AccountKind, ItemKind
from host.ledger.process import LAST_NUMBER
from host.ledger.reports import yuan
from host.ledger.rows import LOSS, SUSPENSE, Account
from protocol import record as kinds
from protocol.record import NONE, pack_key

_PAYS_MERCHANT = (kinds.SALE, kinds.SETTLED)
_MOVES_ALL = (kinds.LOAD, kinds.RECHARGE, kinds.VOID, kinds.REFUND)
_GIVES_BACK = (kinds.VOID, kinds.REFUND)


class Amounts:
    """Sees every entry once."""

    def __init__(self, proof: Proof, accounts: dict[int, Account], names: Names, items: Items) -> None:
        self._proof = proof
        self._names = names
        self._items = items
        self._merchants = {row.number for row in accounts.values() if row.kind == AccountKind.MERCHANT}

    def see(self, entry: Entry) -> None:
        """Compare an entry's movements with its record; one of a closed epoch moves only what is left to move."""
        if not entry.legs or entry.record is None or self._names.is_closed(entry.key):
            return
        kind, amount_fen = entry.record.kind, entry.record.amount_fen
        moved_fen = self._moved_fen(entry, kind)
        # Refunds that waited for this record, and found that it is no sale, are beside it.
        excess_fen = sum(leg.amount_fen for leg in entry.legs if leg.debit in self._merchants and leg.credit == SUSPENSE)
        is_more = kind == kinds.ADJUST and moved_fen > amount_fen
        if is_more or (kind in _PAYS_MERCHANT + _MOVES_ALL and amount_fen not in (moved_fen, moved_fen - excess_fen)):
            self._proof.wrong(f"{entry} moves {yuan(moved_fen)}, its record says {yuan(amount_fen)}")
        if entry.name.terminal > LAST_NUMBER and self._needs_item(entry, kind) and not self._has_item(entry, kind):
            self._proof.wrong(f"表 items: {entry} took money of the school's, or left it in suspense, and no item says so")

    def _has_item(self, entry: Entry, kind: int) -> bool:
        """What suspense paid goes back to it: then the item is the sale's."""
        reference = entry.record.reference if entry.record is not None else NONE
        is_of_sale = kind in _GIVES_BACK and reference != NONE and self._items.any(pack_key(reference, 0))
        return is_of_sale or self._items.any(entry.key)

    def end(self) -> None:
        """Nothing is left open."""

    def _moved_fen(self, entry: Entry, kind: int) -> int:
        if kind in _PAYS_MERCHANT:
            return sum(leg.amount_fen for leg in entry.legs if leg.credit in self._merchants)
        if kind in _GIVES_BACK:
            return sum(leg.amount_fen for leg in entry.legs if leg.debit in self._merchants)
        return sum(leg.amount_fen for leg in entry.legs)

    def _needs_item(self, entry: Entry, kind: int) -> bool:
        debits = {leg.debit for leg in entry.legs}
        left_over = kind in _GIVES_BACK and any(leg.credit == SUSPENSE for leg in entry.legs)
        return bool(debits & {LOSS, SUSPENSE}) or left_over or self._items.has(ItemKind.BAD_TAC, entry.key)
