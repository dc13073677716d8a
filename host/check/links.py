"""Rows that join one record to another: requests, refunds, reversals, and what stands in for a record that never came."""

from host.check.entries import Entry, Follower
from host.check.names import Items, Names
from host.check.proof import Proof
from host.ledger.adjustment import Purpose, decode_annex
from host.ledger.books import Books
from host.ledger.kinds import AccountKind
from host.ledger.process import LAST_NUMBER
from host.ledger.reports import name_text, yuan
from host.ledger.rows import LOSS, Account, Annex, Refund, Request, Reversal, StandIn
from protocol import record as kinds
from protocol.record import NONE, pack_key

_GIVES_BACK = (kinds.VOID, kinds.REFUND)
_TAKES_BACK = (*_GIVES_BACK, kinds.ADJUST)


class Links:
    """Sees every entry once, in the order of names."""

    def __init__(self, books: Books, proof: Proof, accounts: dict[int, Account], names: Names, items: Items) -> None:
        self._books = books
        self._proof = proof
        self._names = names
        self._items = items
        self._merchants = {row.number for row in accounts.values() if row.kind == AccountKind.MERCHANT}
        self._requests = Follower(books.scan(Request, order=("key",)), lambda row: row.key, self._request_astray)
        self._refunds = Follower(books.scan(Refund), lambda row: row.key, self._refund_astray)
        self._sales = Follower(books.scan(Refund, order=("sale",)), lambda row: row.sale, self._sale_astray)
        self._standing = {row.key for row in books.scan(StandIn)}
        self._reversals = Follower(books.scan(Reversal, order=("key",)), lambda row: row.key, self._reversal_astray)
        self._stand_ins = Follower(books.scan(StandIn, order=("key",)), lambda row: row.key, self._stand_in_astray)

    def see(self, entry: Entry) -> None:
        """Look at what names this record."""
        self._requests.at(entry.key)
        self._look_at_refunds(entry, self._refunds.at(entry.key))
        self._look_at_sale(entry, self._sales.at(entry.key))
        reversals, stand_ins = self._reversals.at(entry.key), self._stand_ins.at(entry.key)
        named = pack_key(entry.record.reference, 0) if entry.record else 0
        is_adjust = entry.record is not None and entry.record.kind == kinds.ADJUST
        for reversal in reversals:
            # A late record of a closed epoch undoes what stood in for it.
            is_late = entry.record is not None and not is_adjust and reversal.reversed in self._standing
            if not is_late and (not is_adjust or named != reversal.reversed):
                self._proof.wrong(f"表 reversals, reversed {reversal.reversed}: {entry} undoes something else")
        for row in stand_ins:
            if not is_adjust or named != row.name:
                self._proof.wrong(f"表 stand_ins, name {row.name}: {entry} stands for something else")
        if is_adjust and entry.is_proven and not self._items.any(entry.key):
            self._look_at_purpose(entry, named, is_reversal=bool(reversals), is_stand_in=bool(stand_ins))

    def end(self) -> None:
        """Nothing follows."""
        for follower in (self._requests, self._refunds, self._sales, self._reversals, self._stand_ins):
            follower.end()

    def _look_at_purpose(self, entry: Entry, named: int, *, is_reversal: bool, is_stand_in: bool) -> None:
        annex = self._books.peek(Annex, entry.key)
        found = decode_annex(annex.content) if annex else None
        if found is None:
            return
        if found.purpose == Purpose.REVERSAL and not is_reversal:
            self._proof.wrong(f"表 reversals, reversed {named}: it is gone, {entry} undid it")
        if found.purpose == Purpose.STAND_IN and any(leg.debit == LOSS for leg in entry.legs):
            self._proof.wrong(f"表 items: {entry} took money of the school's, and no item says so")
        if found.purpose == Purpose.STAND_IN and not is_stand_in:
            self._proof.wrong(f"表 stand_ins, name {named}: it is gone, {entry} stands there")

    def _look_at_refunds(self, entry: Entry, refunds: list[Refund]) -> None:
        kind = entry.record.kind if entry.record is not None and entry.is_proven else 0
        for row in refunds:
            if kind not in _TAKES_BACK or entry.record is None or pack_key(entry.record.reference, 0) != row.sale:
                self._proof.wrong(f"表 refunds, key {row.key}: {entry} takes nothing back of {name_text(row.sale)}")
        is_reversal = kind == kinds.ADJUST and self._undoes_sale(entry)
        if (kind in _GIVES_BACK or is_reversal) and not refunds and not self._items.any(entry.key):
            self._proof.wrong(f"表 refunds, key {entry.key}: it is gone, {entry} took something back")

    def _undoes_sale(self, entry: Entry) -> bool:
        """Whether an adjustment is the reversal of a device's record."""
        name = entry.record.reference if entry.record is not None else NONE
        undone = self._books.peek(Reversal, pack_key(name, 0)) if name.terminal > LAST_NUMBER else None
        return undone is not None and undone.key == entry.key

    def _look_at_sale(self, entry: Entry, refunds: list[Refund]) -> None:
        if not refunds or self._names.is_closed(entry.key):
            return
        paid_fen = sum(leg.amount_fen for leg in entry.legs if leg.credit in self._merchants)
        back_fen = sum(row.amount_fen for row in refunds if not row.is_waiting)
        if back_fen > paid_fen:
            self._proof.wrong(f"表 refunds, key {refunds[0].key}: {yuan(back_fen)} were taken back of {entry}, which paid {yuan(paid_fen)}")
        if waiting := [row for row in refunds if row.is_waiting]:
            self._proof.wrong(f"表 refunds, key {waiting[0].key}: it waits for {entry}, which is here")

    def _sale_astray(self, row: Refund) -> None:
        undone = self._books.peek(Reversal, row.sale)
        # After a restore a reversal may be here before its sale.
        if not row.is_waiting and (undone is None or undone.key != row.key):
            self._proof.wrong(f"表 refunds, key {row.key}: there is no record {name_text(row.sale)} to take back from")

    def _request_astray(self, row: Request) -> None:
        self._proof.wrong(f"表 requests, request {row.request}: there is no record {name_text(row.key)}")

    def _refund_astray(self, row: Refund) -> None:
        self._proof.wrong(f"表 refunds, key {row.key}: there is no record {name_text(row.key)}")

    def _reversal_astray(self, row: Reversal) -> None:
        self._proof.wrong(f"表 reversals, reversed {row.reversed}: there is no record {name_text(row.key)}")

    def _stand_in_astray(self, row: StandIn) -> None:
        self._proof.wrong(f"表 stand_ins, name {row.name}: there is no record {name_text(row.key)}")
