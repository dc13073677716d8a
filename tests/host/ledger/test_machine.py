"""Honest terminals against the ledger, in any order hypothesis can think of, beside a model of plain dicts.

The model knows names, amounts and who is past what; it knows no database, no keys and no bytes. After each
step the ledger's balances and holds are the model's, and the books prove themselves.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from host import holders, reservations
from host.ledger.kinds import ItemKind
from host.ledger.rows import LOSS, SUSPENSE, Hold, Reservation, Resource
from protocol import codes
from protocol import record as kinds
from protocol.messages import ASK_EXTEND, ASK_SALE, ASK_SHOWER, RESERVATIONS, SUBJECT_ACCOUNT, Answer
from protocol.record import Name, pack_key, unpack_key
from protocol.shown import pack_activated
from tests.host.machines import SiteMachine, on_both
from tests.host.site import NOW_S, SHOWER, SHOWER_2, TILL, Journal

STALLS = (SHOWER, SHOWER_2)
HOLDERS = {1: 100, 2: 101}
"""Card to account."""
NUMBERS = {100: "20260001", 101: "20260002"}
SESSION_FEN = 2_000

stalls = st.sampled_from(STALLS)
terminals = st.sampled_from((TILL, *STALLS))
cards = st.sampled_from(sorted(HOLDERS))
amounts = st.integers(0, 700)


@dataclass
class Set:
    """Money set aside, as the model sees it."""

    account: int
    amount_fen: int
    is_taken: bool = False
    is_shower: bool = False


@dataclass
class Terminal:
    """An honest terminal: what is under way there, and the records in its journal as the model reads them."""

    journal: Journal
    asked: dict[str, Any] = field(default_factory=dict[str, Any])
    """The ask that is open, and what was granted."""
    session: dict[str, Any] = field(default_factory=dict[str, Any])
    """The shower that runs: sequence of its opened, subject, total held, used."""
    meanings: list[tuple[str, int, int, Name | None]] = field(default_factory=list[tuple[str, int, int, Name | None]])
    """What each record does: kind, account, amount, whom it names."""
    delivered: int = 0
    listed: set[int] = field(default_factory=set[int])
    """Bookings on the list in force there, by key."""

    def write(self, kind: int, account: int = 0, amount_fen: int = 0, named: Name | None = None, **fields: Any) -> None:
        """Journal a record and its meaning."""
        meant = {kinds.SALE: "sale", kinds.OPENED: "opened", kinds.SETTLED: "settled"}.get(kind, "other")
        if named is not None:
            fields["reference"] = named
        self.journal.write(kind, amount_fen=amount_fen, **fields)
        self.meanings.append((meant, account, amount_fen, named))


Condition = Callable[[Terminal], object]

ASKED: Condition = lambda terminal: terminal.asked  # noqa: E731
RUNNING: Condition = lambda terminal: terminal.session  # noqa: E731
LISTED: Condition = lambda terminal: terminal.listed and not terminal.asked and not terminal.session  # noqa: E731
UNDELIVERED: Condition = lambda terminal: terminal.delivered < len(terminal.meanings)  # noqa: E731


class BooksMachine(SiteMachine):
    """See the file's docstring. Rules are acts, invariants are laws."""

    @initialize()
    def set_up(self) -> None:
        self.site = self.make_site()
        for account, number in NUMBERS.items():
            assert self.site.add_holder(number, 3_000 if account == 100 else 600) == account
        for number in NUMBERS.values():
            self.site.add_card(number)
        self.site.add_terminals()
        self.balances = {100: 3_000, 101: 600}
        self.sets: dict[Name, Set] = {}
        self.expected_items = 0
        self.terminals = {number: Terminal(self.site.journal(number)) for number in (TILL, *STALLS)}

    # People and the office.

    @rule(account=st.sampled_from(sorted(NUMBERS)), amount_fen=st.integers(1, 500))
    def recharge(self, account: int, amount_fen: int) -> None:
        holders.recharge(self.site.ledger, NUMBERS[account], amount_fen)
        self.balances[account] += amount_fen

    @rule(account=st.sampled_from(sorted(NUMBERS)), stall=stalls, slot=st.integers(0, 5), amount_fen=st.integers(1, 400))
    def book(self, account: int, stall: int, slot: int, amount_fen: int) -> None:
        from_s = NOW_S + slot * 1_800
        taken = [row for row in self._open_bookings() if row.terminal == stall and row.from_s == from_s]
        if taken or amount_fen > self._available(account):
            return
        reservations.book(self.site.ledger, NUMBERS[account], stall, from_s, from_s + 1_800, amount_fen)
        newest = max(row.key for row in self.site.rows(Reservation))
        self.sets[unpack_key(newest)[0]] = Set(account, amount_fen, is_taken=True)

    @precondition(lambda self: bool(self._open_bookings()))
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        booking = data.draw(st.sampled_from(self._open_bookings()))
        (code,) = [row.code for row in reservations.bookings_of(self.site.ledger, NUMBERS[booking.account]) if self._is(row, booking)]
        reservations.cancel(self.site.ledger, NUMBERS[booking.account], code)

    # At the terminals.

    @rule(card=cards, amount_fen=amounts)
    def ask_for_a_sale(self, card: int, amount_fen: int) -> None:
        self._ask(TILL, ASK_SALE, card, amount_fen)

    @rule(stall=stalls, card=cards, amount_fen=amounts)
    def ask_for_a_shower(self, stall: int, card: int, amount_fen: int) -> None:
        self._ask(stall, ASK_SHOWER, card, amount_fen)

    @precondition(lambda self: self._some(ASKED))
    @rule(data=st.data())
    def ask_again(self, data: st.DataObject) -> None:
        self._ask_again(self._one(ASKED, data))

    @precondition(lambda self: self._some(ASKED))
    @rule(data=st.data(), part=st.integers(0, 10))
    def sell_or_open(self, data: st.DataObject, part: int) -> None:
        number = self._one(ASKED, data)
        terminal = self.terminals[number]
        ask, held_fen = terminal.asked["ask"], terminal.asked["held_fen"]
        account = HOLDERS[ask["subject"]]
        if number == TILL:
            terminal.write(kinds.SALE, account, held_fen * part // 10, subject=ask["subject"])
        else:
            terminal.session = {"name": terminal.journal.name(terminal.journal.next), "ask": ask, "held_fen": held_fen, "account": account}
            terminal.write(kinds.OPENED, account, held_fen, subject=ask["subject"])
        terminal.asked = {}

    @precondition(lambda self: self._some(LISTED))
    @rule(data=st.data())
    def open_by_code(self, data: st.DataObject) -> None:
        terminal = self.terminals[self._one(LISTED, data)]
        key = data.draw(st.sampled_from(sorted(terminal.listed)))
        terminal.listed.discard(key)
        (booking,) = [row for row in self.site.rows(Reservation) if row.key == key]
        subject = {"subject": booking.account, "subject_kind": SUBJECT_ACCOUNT}
        terminal.session = {
            "name": terminal.journal.name(terminal.journal.next),
            "ask": subject,
            "held_fen": booking.held_fen,
            "account": booking.account,
        }
        terminal.write(kinds.OPENED, booking.account, booking.held_fen, unpack_key(key)[0], **subject)

    @precondition(lambda self: self._some(RUNNING))
    @rule(data=st.data(), more_fen=st.integers(-100, 400))
    def extend(self, data: st.DataObject, more_fen: int) -> None:
        stall = self._one(RUNNING, data)
        session = self.terminals[stall].session
        total_fen = max(session["held_fen"] + more_fen, 0)
        answer = self._send(
            stall,
            kind=ASK_EXTEND,
            sequence=session["name"].sequence,
            amount_fen=total_fen,
            subject=session["ask"]["subject"],
            subject_kind=session["ask"].get("subject_kind", 1),
        )
        there = self.sets.get(session["name"])
        if there is None:
            assert answer.code == codes.CLOSED, "its opened is still on the way: it finishes on what it has"
            return
        if total_fen <= SESSION_FEN and total_fen - there.amount_fen <= self._available(there.account):
            assert answer.code == 0
            there.amount_fen = max(there.amount_fen, total_fen)
        else:
            assert answer.code in (codes.BALANCE_LOW, codes.AMOUNT_TOO_LARGE)
        assert answer.held_fen == there.amount_fen
        session["held_fen"] = max(session["held_fen"], answer.held_fen)

    @precondition(lambda self: self._some(RUNNING))
    @rule(data=st.data(), part=st.integers(0, 10))
    def settle(self, data: st.DataObject, part: int) -> None:
        self._settle(self.terminals[self._one(RUNNING, data)], part)

    @precondition(lambda self: self._some(ASKED))
    @rule(data=st.data())
    def walk_off(self, data: st.DataObject) -> None:
        terminal = self.terminals[self._one(ASKED, data)]
        terminal.asked = {}
        terminal.write(kinds.NOTHING)

    @rule(number=terminals)
    def cut_power(self, number: int) -> None:
        """A boot is a record, and settles what was open."""
        terminal = self.terminals[number]
        terminal.asked = {}
        terminal.write(kinds.STARTED)
        if terminal.session:
            self._settle(terminal, 5)

    @rule(stall=stalls)
    def activate_the_list(self, stall: int) -> None:
        """Fetches the newest list and puts it into force; not in the middle of an ask."""
        terminal = self.terminals[stall]
        versions = [row.version for row in self.site.rows(Resource) if (row.terminal, row.resource) == (stall, RESERVATIONS)]
        if versions and not terminal.asked:
            terminal.listed = {row.key for row in self._open_bookings() if row.terminal == stall} - self._opened_by(terminal)
            terminal.write(kinds.ACTIVATED, shown=pack_activated(resource=RESERVATIONS, version=max(versions), digest=bytes(32)))

    # On the line.

    @precondition(lambda self: self._some(UNDELIVERED))
    @rule(data=st.data(), count=st.integers(1, 3))
    def deliver(self, data: st.DataObject, count: int) -> None:
        terminal = self.terminals[self._one(UNDELIVERED, data)]
        batch = terminal.journal.records[terminal.delivered : terminal.delivered + count]
        for _ in batch:
            self._take_effect(terminal, terminal.delivered)
            terminal.delivered += 1
        assert self.site.take(terminal.journal, *batch) == (terminal.journal.epoch, terminal.delivered)

    @rule(number=terminals, data=st.data())
    def deliver_twice(self, number: int, data: st.DataObject) -> None:
        terminal = self.terminals[number]
        if terminal.delivered:
            index = data.draw(st.integers(0, terminal.delivered - 1))
            assert self.site.take(terminal.journal, terminal.journal.records[index])[1] == terminal.delivered

    @precondition(lambda self: self._some(UNDELIVERED))
    @rule(data=st.data())
    def deliver_out_of_order(self, data: st.DataObject) -> None:
        terminal = self.terminals[self._one(UNDELIVERED, data)]
        later = terminal.journal.records[terminal.delivered + 1 :]
        assert self.site.take(terminal.journal, *later[:3])[1] == (terminal.delivered)

    @rule(number=terminals, data=st.data())
    def deliver_other_bytes(self, number: int, data: st.DataObject) -> None:
        terminal = self.terminals[number]
        if terminal.delivered:
            good = terminal.journal.records[data.draw(st.integers(0, terminal.delivered - 1))]
            before = len(self.site.items())
            assert self.site.take(terminal.journal, good[:63] + bytes([good[63] ^ 1]))[1] == terminal.delivered
            self.expected_items += len(self.site.items()) - before

    @rule(number=terminals)
    def shake_hands(self, number: int) -> None:
        """What was answered before counts no more: an open ask is asked again, and gets the same answer."""
        terminal = self.terminals[number]
        assert self.site.shake_hands(terminal.journal)[:2] == (terminal.journal.epoch, terminal.delivered)
        if terminal.asked:
            self._ask_again(number)

    @rule()
    def restart_the_host(self) -> None:
        self.site.reopen()

    # Laws.

    @invariant()
    def balances_are_the_models(self) -> None:
        if hasattr(self, "site"):
            assert {account: self.site.account(account).balance_fen for account in NUMBERS} == self.balances

    @invariant()
    def holds_are_the_models(self) -> None:
        if hasattr(self, "site"):
            self._free_confirmed()
            there = {unpack_key(row.key)[0]: (row.account, row.amount_fen, row.state == "taken") for row in self.site.rows(Hold)}
            assert there == {name: (found.account, found.amount_fen, found.is_taken) for name, found in self.sets.items()}

    @invariant()
    def honest_terminals_cost_the_school_nothing(self) -> None:
        if hasattr(self, "site"):
            assert self.site.account(LOSS).balance_fen == self.site.account(SUSPENSE).balance_fen == 0
            assert set(self.site.items()) <= {ItemKind.ALTERED}
            assert len(self.site.items()) == self.expected_items

    @invariant()
    def available_is_never_below_zero_and_the_books_prove_themselves(self) -> None:
        if hasattr(self, "site"):
            assert all(self._available(account) >= 0 for account in NUMBERS)
            self.site.prove()

    # The model.

    def _some(self, condition: Condition) -> bool:
        return hasattr(self, "terminals") and any(condition(terminal) for terminal in self.terminals.values())

    def _one(self, condition: Condition, data: st.DataObject) -> int:
        return data.draw(st.sampled_from([number for number, terminal in self.terminals.items() if condition(terminal)]))

    def _ask_again(self, number: int) -> None:
        asked = self.terminals[number].asked
        answer = self._send(number, **asked["ask"])
        assert (answer.code, answer.held_fen) == (0, asked["held_fen"])

    def _settle(self, terminal: Terminal, part: int) -> None:
        session, terminal.session = terminal.session, {}
        subject = {key: session["ask"][key] for key in ("subject", "subject_kind") if key in session["ask"]}
        terminal.write(kinds.SETTLED, session["account"], session["held_fen"] * part // 10, session["name"], **subject)

    def _available(self, account: int) -> int:
        return self.balances[account] - sum(found.amount_fen for found in self.sets.values() if found.account == account)

    def _ask(self, number: int, kind: int, card: int, amount_fen: int) -> None:
        terminal = self.terminals[number]
        if terminal.asked or terminal.session:
            return
        ask = {"kind": kind, "subject": card, "amount_fen": amount_fen}
        answer = self._send(number, **ask)
        account = HOLDERS[card]
        expected = 0
        if amount_fen == 0:
            expected = codes.AMOUNT_ZERO
        elif kind == ASK_SHOWER and any(
            found.is_shower and found.account == account and name.terminal != number for name, found in self.sets.items()
        ):
            expected = codes.BUSY
        elif amount_fen > self._available(account):
            expected = codes.BALANCE_LOW
        assert answer.code == expected
        if expected == 0:
            self.sets[terminal.journal.name(terminal.journal.next)] = Set(account, amount_fen, is_shower=kind == ASK_SHOWER)
            terminal.asked = {"ask": ask, "held_fen": amount_fen}

    def _send(self, number: int, **ask: Any) -> Answer:
        return self.site.ask(self.terminals[number].journal, **ask)

    def _take_effect(self, terminal: Terminal, index: int) -> None:
        kind, account, amount_fen, named = terminal.meanings[index]
        name = terminal.journal.name(index + 1)
        own = self.sets.get(name)
        for other in [each for each in self.sets if each[:2] == name[:2] and each.sequence <= name.sequence]:
            if not self.sets[other].is_taken:
                del self.sets[other]
        if kind == "sale":
            self.balances[account] -= amount_fen
        elif kind == "opened":
            taken = self.sets.pop(named) if named else own
            assert taken is not None
            self.sets[name] = Set(account, taken.amount_fen, is_taken=True, is_shower=True)
        elif kind == "settled":
            assert named is not None
            self.balances[account] -= amount_fen
            del self.sets[named]

    def _free_confirmed(self) -> None:
        """Bookings that the ledger says are freed were cancelled, and their stall has confirmed a list without them."""
        for row in self.site.rows(Reservation):
            name = unpack_key(row.key)[0]
            if row.state == "freed" and name in self.sets:
                terminal = self.terminals[row.terminal]
                assert row.key not in terminal.listed
                assert pack_key(name, 0) not in {pack_key(each, 0) for _, _, _, each in terminal.meanings[terminal.delivered :] if each}
                del self.sets[name]

    def _open_bookings(self) -> list[Reservation]:
        return [row for row in self.site.rows(Reservation) if row.state == "open"]

    def _opened_by(self, terminal: Terminal) -> set[int]:
        return {pack_key(named, 0) for kind, _, _, named in terminal.meanings if kind == "opened" and named}

    @staticmethod
    def _is(row: reservations.Booking, booking: Reservation) -> bool:
        return (row.terminal, row.from_s, row.state) == (booking.terminal, booking.from_s, booking.state)


TestBooks, TestBooksOnPostgres = on_both(BooksMachine, examples=30, steps=40)
