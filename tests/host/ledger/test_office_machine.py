"""Wallets, refunds, reversals, a lost board and gaps, in any order hypothesis can think of, beside a model of plain dicts.

The model knows who has what in which pocket, who holds what, who paid which sale; it knows no database and
no bytes. After each step balances are the model's, and the laws of tests/host/invariants.py hold.
"""

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from host import adjustments, intake, lost_epochs, terminals, wallets
from host.errors import AlreadyThere, InvalidValue
from host.ledger.adjustment import Adjustment, Purpose, encode_annex
from host.ledger.books import Books
from host.ledger.kinds import ItemKind, TerminalKind
from host.ledger.process import write_record
from host.ledger.refunds import Leg
from host.ledger.rows import LOSS, SUSPENSE, Holder
from host.wallets import account_in, need_wallet
from protocol import codes
from protocol import record as kinds
from protocol.messages import ASK_EXTEND, ASK_SALE, ASK_SHOWER, SUBJECT_ACCOUNT, State
from protocol.record import Name
from tests.host.invariants import assert_books_hold
from tests.host.machines import SiteMachine, on_both
from tests.host.office_model import MAIN, SCHOOL, WALLET, Board, Held, Sale, Shares
from tests.host.site import NOW_S, SHOWER, TILL, Site

TILL_2 = 103
TILLS = (TILL, TILL_2)
HOLDERS = {1: 100, 2: 101}
"""Card to account."""
tills = st.sampled_from(TILLS)
cards = st.sampled_from(sorted(HOLDERS))
amounts = st.integers(1, 700)


class OfficeMachine(SiteMachine):
    """See the file's docstring. Rules are acts, invariants are laws."""

    site: Site

    @initialize()
    def set_up(self) -> None:
        self.site = self.make_site()
        self.money: dict[tuple[int, str], int] = {}
        for (card, account), balance_fen in zip(HOLDERS.items(), (2_000, 300), strict=True):
            assert self.site.add_holder(f"2026000{card}", balance_fen) == account
            self.money[card, MAIN], self.money[card, WALLET] = balance_fen, 0
        for card in HOLDERS:
            self.site.add_card(f"2026000{card}")
        self.site.add_terminals()
        terminals.add(self.site.ledger, TILL_2, TerminalKind.POS, "第一食堂 04 窗口", line=1)
        wallets.add(self.site.ledger, "餐补", giver="学生处", merchants=["第一食堂"])
        self.wallets = {
            card: self.site.commit(lambda books, account=account: self._wallet(books, account)) for card, account in HOLDERS.items()
        }
        self.loss_fen = self.suspense_fen = 0
        self.holds: dict[Name, Held] = {}
        self.sales: dict[Name, Sale] = {}
        self.waiting: list[tuple[Name, Name, int]] = []
        """Refunds whose sale is not here yet: own name, sale, amount."""
        self.stood: dict[Name, Shares] = {}
        """Showers a closing settled, by their opened: who paid."""
        self.settled: set[Name] = set()
        self.boards = {number: Board(self.site.journal(number)) for number in (*TILLS, SHOWER)}
        self.lost: list[Board] = []

    # The office.

    @rule(card=cards, amount_fen=amounts)
    def subsidise(self, card: int, amount_fen: int) -> None:
        def job(books: Books) -> None:
            giver = need_wallet(books, "餐补").giver
            adjustment = Adjustment(Purpose.SUBSIDY, "", (Leg(giver, self.wallets[card], amount_fen),))
            write_record(
                books,
                kind=kinds.ADJUST,
                subject_kind=SUBJECT_ACCOUNT,
                subject=HOLDERS[card],
                amount_fen=amount_fen,
                annex=encode_annex(adjustment),
            )

        self.site.commit(job)
        self.money[card, WALLET] += amount_fen

    @precondition(lambda self: bool(getattr(self, "sales", None)))
    @rule(data=st.data())
    def reverse(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.sales)))
        sale, text = self.sales[name], "-".join(str(part) for part in name)
        if sale.is_reversed:
            with pytest.raises(AlreadyThere):
                adjustments.reverse(self.site.ledger, text, "x")
        elif not sale.left_fen:
            with pytest.raises(InvalidValue):
                adjustments.reverse(self.site.ledger, text, "x")
        else:
            adjustments.reverse(self.site.ledger, text, "x")
            self._give_back(sale, sale.left_fen)
            sale.is_reversed = True

    # At the tills.

    @rule(till=tills, card=cards, amount_fen=amounts)
    def ask_for_a_sale(self, till: int, card: int, amount_fen: int) -> None:
        board = self.boards[till]
        if board.asked is not None:
            return
        answer = self.site.ask(board.journal, kind=ASK_SALE, subject=card, amount_fen=amount_fen)
        shares, short_fen = self._draw(card, amount_fen, (WALLET, MAIN))
        assert answer.code == (codes.BALANCE_LOW if short_fen else 0)
        if not short_fen:
            self.holds[board.next_name] = Held(card, shares)
            board.asked = (card, amount_fen)

    @rule(till=tills, card=cards, amount_fen=amounts)
    def sell(self, till: int, card: int, amount_fen: int) -> None:
        """What was asked for, or whatever was shown as paid without."""
        board = self.boards[till]
        if board.asked is not None:
            card, amount_fen = board.asked[0], min(board.asked[1], amount_fen)
        board.write("sale", kinds.SALE, card, amount_fen)

    @rule(till=tills)
    def walk_off(self, till: int) -> None:
        self.boards[till].write("nothing", kinds.NOTHING)

    @rule(till=tills, data=st.data(), amount_fen=amounts)
    def refund(self, till: int, data: st.DataObject, amount_fen: int) -> None:
        """Of any sale of either till, delivered or not."""
        own = self.boards[till].journal
        written = [
            (board.journal.name(index + 1), card)
            for number in TILLS
            for board in (self.boards[number],)
            for index, (kind, card, _, _) in enumerate(board.meanings)
            if kind == "sale" and (board.journal is not own or index < own.next)
        ]
        if written:
            name, card = data.draw(st.sampled_from(written))
            self.boards[till].write("refund", kinds.REFUND, card, amount_fen, name)

    # At the shower.

    @rule(card=cards, amount_fen=amounts)
    def ask_for_a_shower(self, card: int, amount_fen: int) -> None:
        board = self.boards[SHOWER]
        if board.asked is not None or board.opened is not None:
            return
        answer = self.site.ask(board.journal, kind=ASK_SHOWER, subject=card, amount_fen=amount_fen)
        shares, short_fen = self._draw(card, amount_fen, (MAIN,))
        assert answer.code == (codes.BALANCE_LOW if short_fen else 0)
        if not short_fen:
            self.holds[board.next_name] = Held(card, shares)
            board.asked = (card, amount_fen)

    @precondition(lambda self: hasattr(self, "boards") and self.boards[SHOWER].asked is not None)
    @rule()
    def open(self) -> None:
        board = self.boards[SHOWER]
        assert board.asked is not None
        (card, amount_fen), name = board.asked, board.next_name
        board.write("opened", kinds.OPENED, card, amount_fen)
        board.opened = (name, card, amount_fen)

    @precondition(lambda self: hasattr(self, "boards") and self.boards[SHOWER].opened is not None)
    @rule(more_fen=st.integers(0, 300), part=st.integers(0, 10))
    def extend(self, more_fen: int, part: int) -> None:
        board = self.boards[SHOWER]
        assert board.opened is not None
        name, card, total_fen = board.opened
        used_fen = total_fen * part // 10
        answer = self.site.ask(
            board.journal, kind=ASK_EXTEND, sequence=name.sequence, subject=card, amount_fen=total_fen + more_fen, used_fen=used_fen
        )
        held = self.holds.get(name)
        if held is None:
            assert answer.code == codes.CLOSED, "its opened is in a gap"
            return
        held.used_fen = max(held.used_fen, used_fen)
        now_fen = sum(fen for _, fen in held.parts)
        lacking_fen = total_fen + more_fen - now_fen - self._available(card, MAIN)
        if total_fen + more_fen <= now_fen or (lacking_fen <= 0 and total_fen + more_fen <= 2_000):
            assert answer.code == 0
            held.parts = [(MAIN, max(now_fen, total_fen + more_fen))]
            board.opened = (name, card, max(total_fen, answer.held_fen))
        else:
            assert answer.code in (codes.BALANCE_LOW, codes.AMOUNT_TOO_LARGE)

    @precondition(lambda self: hasattr(self, "boards") and self.boards[SHOWER].opened is not None)
    @rule(part=st.integers(0, 10))
    def settle(self, part: int) -> None:
        board = self.boards[SHOWER]
        assert board.opened is not None
        (name, card, total_fen), board.opened = board.opened, None
        board.write("settled", kinds.SETTLED, card, total_fen * part // 10, name)

    @rule()
    def lose_the_board(self) -> None:
        """It is replaced, its epoch closed; it may lie in a drawer with what it did not deliver."""
        board = self.boards[SHOWER]
        lost_epochs.close(self.site.ledger, SHOWER, board.journal.epoch)
        for name in [name for name in self.holds if name[:2] == (SHOWER, board.journal.epoch)]:
            held = self.holds.pop(name)
            if held.is_taken:
                self.stood[name] = self._charge(held.card, held.used_fen, (MAIN,), held.parts)
                self.settled.add(name)
        self.lost.append(board)
        self.boards[SHOWER] = Board(self.site.journal(SHOWER))

    @precondition(lambda self: any(board.delivered < len(board.meanings) for board in getattr(self, "lost", [])))
    @rule(data=st.data())
    def find_the_board(self, data: st.DataObject) -> None:
        """One record of it at a time."""
        board = data.draw(st.sampled_from([board for board in self.lost if board.delivered < len(board.meanings)]))
        self._deliver(board, 1)

    # On the line.

    @precondition(lambda self: self._some_undelivered())
    @rule(data=st.data(), count=st.integers(1, 3))
    def deliver(self, data: st.DataObject, count: int) -> None:
        board = data.draw(st.sampled_from([board for board in self.boards.values() if board.delivered < len(board.meanings)]))
        self._deliver(board, count)

    @precondition(lambda self: self._some_undelivered())
    @rule(data=st.data())
    def deliver_with_a_gap(self, data: st.DataObject) -> None:
        """The oldest record that was not delivered is gone for good."""
        board = data.draw(st.sampled_from([board for board in self.boards.values() if board.delivered < len(board.meanings)]))
        journal, gone = board.journal, board.delivered + 1
        resume = intake.resume(self.site.ledger, journal.number, State(journal.epoch, journal.next, gone + 1, "test", 1, []), NOW_S)
        assert resume[:2] == (journal.epoch, gone)
        board.delivered = gone

    @rule(number=st.sampled_from((*TILLS, SHOWER)), data=st.data(), is_altered=st.booleans())
    def deliver_again(self, number: int, data: st.DataObject, is_altered: bool) -> None:
        """A repeat changes nothing; one with other bytes is kept, and changes nothing either."""
        board = self.boards[number]
        if board.delivered:
            good = board.journal.records[data.draw(st.integers(0, board.delivered - 1))]
            sent = good[:63] + bytes([good[63] ^ 1]) if is_altered else good
            assert self.site.take(board.journal, sent)[1] == board.delivered

    # Laws.

    @invariant()
    def everybody_has_what_the_model_says(self) -> None:
        if hasattr(self, "boards"):
            there = {(card, MAIN): self.site.account(account).balance_fen for card, account in HOLDERS.items()}
            there |= {(card, WALLET): self.site.account(account).balance_fen for card, account in self.wallets.items()}
            assert there == self.money
            assert (-self.site.account(LOSS).balance_fen, self.site.account(SUSPENSE).balance_fen) == (self.loss_fen, self.suspense_fen)
            held = [self.site.account(account).held_fen for account in HOLDERS.values()]
            assert held == [self._held(card, MAIN) for card in HOLDERS]

    @invariant()
    def the_laws_of_the_books_hold(self) -> None:
        if hasattr(self, "boards"):
            assert_books_hold(self.site)

    @invariant()
    def what_is_odd_is_on_the_worklist(self) -> None:
        if hasattr(self, "boards"):
            items = set(self.site.items())
            assert not self.loss_fen or ItemKind.UNCOVERED in items
            assert not self.suspense_fen or ItemKind.REFUND in items
            assert items <= {ItemKind.UNCOVERED, ItemKind.REFUND, ItemKind.ALTERED, ItemKind.GAP, ItemKind.LATE, ItemKind.JOURNAL_OLDER}

    # The model.

    @staticmethod
    def _wallet(books: Books, account: int) -> int:
        return account_in(books, books.need(Holder, account), need_wallet(books, "餐补")).number

    def _some_undelivered(self) -> bool:
        return any(board.delivered < len(board.meanings) for board in getattr(self, "boards", {}).values())

    def _held(self, card: int, pocket: str) -> int:
        return sum(fen for held in self.holds.values() if held.card == card for where, fen in held.parts if where == pocket)

    def _available(self, card: int, pocket: str) -> int:
        return self.money[card, pocket] - self._held(card, pocket)

    def _draw(self, card: int, amount_fen: int, pockets: tuple[str, ...], first: Shares | None = None) -> tuple[Shares, int]:
        """Who pays: what was held for it, then the pockets in their order."""
        spare = {pocket: self._available(card, pocket) for pocket in (WALLET, MAIN)}
        paid: dict[str, int] = {}
        for pocket, most_fen in [*(first or []), *((pocket, amount_fen) for pocket in pockets)]:
            share_fen = min(most_fen, amount_fen, spare[pocket])
            if share_fen > 0:
                paid[pocket] = paid.get(pocket, 0) + share_fen
                spare[pocket] -= share_fen
                amount_fen -= share_fen
        return list(paid.items()), amount_fen

    def _charge(self, card: int, amount_fen: int, pockets: tuple[str, ...], first: Shares | None = None) -> Shares:
        paid, short_fen = self._draw(card, amount_fen, pockets, first)
        for pocket, fen in paid:
            self.money[card, pocket] -= fen
        if short_fen:
            paid.append((SCHOOL, short_fen))
            self.loss_fen += short_fen
        return paid

    def _pay_back(self, card: int, pocket: str, fen: int) -> None:
        if pocket == SCHOOL:
            self.loss_fen -= fen
        else:
            self.money[card, pocket] += fen

    def _give_back(self, sale: Sale, amount_fen: int) -> None:
        skipped_fen, sale.back_fen = sale.back_fen, sale.back_fen + amount_fen
        order = [share for share in sale.paid if share[0] == SCHOOL] + [share for share in reversed(sale.paid) if share[0] != SCHOOL]
        for pocket, fen in order:
            for _ in range(fen):
                if skipped_fen:
                    skipped_fen -= 1
                elif amount_fen:
                    amount_fen -= 1
                    self._pay_back(sale.card, pocket, 1)

    def _take_back(self, name: Name, amount_fen: int) -> None:
        sale = self.sales.get(name)
        if sale is not None and amount_fen <= sale.left_fen:
            self._give_back(sale, amount_fen)
        else:
            self.suspense_fen += amount_fen

    def _deliver(self, board: Board, count: int) -> None:
        batch = board.journal.records[board.delivered : board.delivered + count]
        for _ in batch:
            self._take_effect(board, board.delivered)
            board.delivered += 1
        taken = intake.take(self.site.ledger, board.journal.number, b"".join(batch), NOW_S)
        assert taken == (board.journal.epoch, board.delivered)

    def _take_effect(self, board: Board, index: int) -> None:
        kind, card, amount_fen, named = board.meanings[index]
        name = board.journal.name(index + 1)
        own = self.holds.get(name)
        for other in [each for each in self.holds if each[:2] == name[:2] and each.sequence <= name.sequence]:
            if not self.holds[other].is_taken:
                del self.holds[other]
        if kind == "sale":
            self.sales[name] = Sale(card, self._charge(card, amount_fen, (WALLET, MAIN), own.parts if own else None))
        elif kind == "refund" and named is not None:
            if named in self.sales:
                self._take_back(named, amount_fen)
            else:
                self.waiting.append((name, named, amount_fen))
        elif kind == "opened":
            wanted_fen = max(amount_fen, sum(fen for _, fen in own.parts) if own else 0)
            parts, _ = self._draw(card, wanted_fen, (MAIN,))
            self.holds[name] = Held(card, parts, is_taken=True, used_fen=own.used_fen if own else 0)
        elif kind == "settled" and named is not None:
            for pocket, fen in self.stood.pop(named, []):
                self._pay_back(card, pocket, fen)
            held = self.holds.pop(named, None)
            self._charge(card, amount_fen, (MAIN,), held.parts if held else None)
        for refund in sorted(self.waiting):
            if refund[1] == name:
                self.waiting.remove(refund)
                self._take_back(name, refund[2])


TestOffice, TestOfficeOnPostgres = on_both(OfficeMachine, examples=30, steps=40)
