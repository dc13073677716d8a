"""Balances recomputed from movements, and accounts against whom they belong to.

An account row has no seal, as its balance changes with every sale; so its kind, label and owner are compared
with the holder, card, wallet or place that it is for.
"""

from collections import Counter

from host.check.entries import Entry
from host.check.proof import Proof
from host.ledger.books import Books
from host.ledger.kinds import AccountKind
from host.ledger.reports import yuan
from host.ledger.rows import FIRST_ACCOUNT, SCHOOL_ACCOUNTS, Account, Card, Hold, Holder, HoldPart, Place, Terminal, Wallet

_NO_OWNER = 0


class Accounts:
    """Sees every entry once, and adds up what it moves."""

    def __init__(self, books: Books, proof: Proof) -> None:
        self._books = books
        self._proof = proof
        self.rows = {row.number: row for row in books.scan(Account)}
        self._sums: Counter[int] = Counter()

    def see(self, entry: Entry) -> None:
        """Add up an entry's movements, and look at whose each is said to be."""
        for leg in entry.legs:
            self._proof.moved_fen += leg.amount_fen
            self._sums[leg.debit] -= leg.amount_fen
            self._sums[leg.credit] += leg.amount_fen
            debit, credit = self.rows.get(leg.debit), self.rows.get(leg.credit)
            if debit is None or credit is None:
                self._proof.wrong(f"{entry} moves money of account {leg.credit if debit else leg.debit}, which does not exist")
            elif leg.owner != (debit.owner or credit.owner):
                self._proof.wrong(f"{entry} says account {leg.owner} owns its money, and it is {debit.owner or credit.owner}")

    def end(self) -> None:
        """Compare balances, what is held, and the accounts themselves."""
        held = self._held()
        for row in self.rows.values():
            self._proof.account_count += 1
            self._proof.sum_fen += row.balance_fen
            self._proof.totals[row.kind] += self._sums[row.number]
            self._proof.held_fen[row.kind] += held[row.number]
            if row.balance_fen != self._sums[row.number]:
                self._wrong(row, f"has {yuan(row.balance_fen)}, its movements make {yuan(self._sums[row.number])}")
            if row.held_fen != held[row.number]:
                self._wrong(row, f"holds {yuan(row.held_fen)}, its holds make {yuan(held[row.number])}")
            if row.kind in (AccountKind.HOLDER, AccountKind.WALLET) and row.available_fen < 0:
                self._wrong(row, f"has less than nothing available: {yuan(row.available_fen)}")
        for number in sorted(held.keys() - self.rows.keys()):
            self._proof.wrong(f"表 holds: account {number} has holds and does not exist")
        if self._proof.sum_fen:
            self._proof.wrong(f"总和不为零 the balances make {yuan(self._proof.sum_fen)} instead of 0.00")
        self._look_at_owners()

    def _held(self) -> Counter[int]:
        """What is set aside of each account: parts of wallets, and the rest of the main one."""
        held: Counter[int] = Counter()
        parts: Counter[int] = Counter()
        counts: Counter[int] = Counter()
        for part in self._books.scan(HoldPart):
            held[part.account] += part.amount_fen
            parts[part.key] += part.amount_fen
            counts[part.key] += 1
        for hold in self._books.scan(Hold):
            held[hold.account] += hold.amount_fen - parts[hold.key]
            if parts.pop(hold.key, 0) > hold.amount_fen:
                self._proof.wrong(f"表 hold_parts, key {hold.key}: wallets bear more than the hold")
            if counts[hold.key] != hold.part_count:
                self._proof.wrong(f"表 hold_parts, key {hold.key}: {counts[hold.key]} parts, and the hold says {hold.part_count}")
        for key in parts:
            self._proof.wrong(f"表 hold_parts, key {key}: there is no such hold")
        return +held

    def _look_at_owners(self) -> None:
        """Each account as the row it is for makes it, and none that is for nobody."""
        expected = {row.number: (row.kind, row.label, _NO_OWNER, 0) for row in SCHOOL_ACCOUNTS}
        wallets = {row.number: row for row in self._books.scan(Wallet)}
        holders = {row.account: row for row in self._books.scan(Holder)}
        owned: Counter[int] = Counter(row.owner for row in self.rows.values() if row.wallet)
        for account, holder in holders.items():
            expected[account] = (AccountKind.HOLDER, holder.name, account, 0)
        for card in self._books.scan(Card):
            expected[card.mirror] = (AccountKind.MIRROR, f"卡 card {card.number:08d}", card.account, 0)
        for place in self._places():
            expected[place.merchant] = (AccountKind.MERCHANT, place.house, _NO_OWNER, 0)
        for row in self.rows.values():
            if row.kind == AccountKind.WALLET and row.wallet in wallets and row.owner in holders:
                expected[row.number] = (AccountKind.WALLET, wallets[row.wallet].name, row.owner, row.wallet)
            if row.kind == AccountKind.GIVER and row.number not in expected and row.number >= FIRST_ACCOUNT:
                expected[row.number] = (AccountKind.GIVER, row.label, _NO_OWNER, 0)
            if (found := (row.kind, row.label, row.owner, row.wallet)) != expected.get(row.number):
                wanted = expected.get(row.number)
                self._wrong(row, f"is {_text(found)}" + (f", and should be {_text(wanted)}" if wanted else ", and is for nobody"))
            if row.wallet_count != (owned[row.number] if row.kind == AccountKind.HOLDER else 0):
                self._wrong(row, f"says it has {row.wallet_count} wallets, and has {owned[row.number]}")
        for number in sorted(expected.keys() - self.rows.keys()):
            self._proof.wrong(f"表 accounts, number {number}: it is gone, and {_text(expected[number])} has it")
        for wallet in wallets.values():
            if wallet.giver not in self.rows:
                self._proof.wrong(f"表 wallets, number {wallet.number}: its giver, account {wallet.giver}, does not exist")

    def _places(self) -> list[Place]:
        """All places; a device stands at one that exists."""
        places = {row.number: row for row in self._books.scan(Place)}
        for terminal in self._books.scan(Terminal):
            if terminal.place is not None and terminal.place not in places:
                self._proof.wrong(f"表 places, number {terminal.place}: it is gone, and terminal {terminal.number} stands there")
        return list(places.values())

    def _wrong(self, row: Account, what: str) -> None:
        self._proof.wrong(f"表 accounts, number {row.number}: account {row.number} {what}")


def _text(found: tuple[str, str, int, int]) -> str:
    kind, label, owner, wallet = found
    return f"{kind} {label!r}" + (f" of account {owner}" if owner else "") + (f", wallet {wallet}" if wallet else "")
