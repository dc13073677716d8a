"""Sales, showers, recharges, a backup at any time, a restore at any time, deliveries in any order: the books end the same.

The model is plain dicts: what each holder has once everything is told, and what was granted and not used up yet. After
each step nobody was granted more than he has, whatever the restored ledger has forgotten. In the end all terminals
deliver, the wait ends, and the ledger is what it would have been without any restore.
"""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from host import approvals, holders, own_records, restoring
from host.backup import backup
from host.journal import Journal as HostJournal
from host.ledger.rows import LOSS, SUSPENSE, Hold, Item
from host.restore import restore
from host.settings import Settings, journal_folder
from protocol import codes
from protocol import record as kinds
from protocol.messages import ASK_EXTEND, ASK_SALE, ASK_SHOWER, SUBJECT_CARD, Answer, Ask
from tests.host.site import KEYS, NOW_S, SHOWER, SHOWER_2, TILL, Journal, Site

STALLS = (SHOWER, SHOWER_2)
HOLDERS = {1: 100, 2: 101}
NUMBERS = {100: "20260001", 101: "20260002"}

stalls = st.sampled_from(STALLS)
devices = st.sampled_from((TILL, *STALLS))
cards = st.sampled_from(sorted(HOLDERS))
amounts = st.sampled_from((1, 50, 100, 250, 300, 600))
"""Much against what there is, so that one needs what another has freed."""


@dataclass
class Device:
    """An honest terminal. `granted_fen`: what it may still use under its open ask, or in its running shower."""

    journal: Journal
    is_in_session: bool = True
    high_water: int = 0
    """What the host said it has."""
    card: int = 0
    granted_fen: int = 0
    opened: int = 0
    """The sequence of the `opened` of its running shower."""
    has_asked_again: bool = True
    """In this session, for what its shower was granted."""


class RestoreMachine(RuleBasedStateMachine):
    """See the file's docstring."""

    @initialize()
    def set_up(self) -> None:
        self.data = Path(tempfile.mkdtemp(prefix="onecard-"))
        self.settings = Settings()
        self.site = Site(self.data / "ledger.db")
        self.file: Path | None = None
        self.order = 0
        self.now_s = NOW_S
        for account, number in NUMBERS.items():
            assert self.site.add_holder(number) == account
        for number in NUMBERS.values():
            self.site.add_card(number)
        self.site.add_terminals()
        self.money = {100: 0, 101: 0}
        self.devices = {number: Device(self.site.journal(number)) for number in (TILL, *STALLS)}
        self.host_journal: HostJournal | None = None
        self._start()
        for account in NUMBERS:
            self.recharge(account, 600)

    def teardown(self) -> None:
        if hasattr(self, "site"):
            try:
                self._heal()
            finally:
                self._stop()
                shutil.rmtree(self.data)

    # The host.

    @rule(account=st.sampled_from(sorted(NUMBERS)), amount_fen=st.integers(1, 400))
    def recharge(self, account: int, amount_fen: int) -> None:
        self.order += 1
        for _ in range(1 + self.order % 2):
            holders.recharge(self.site.ledger, NUMBERS[account], amount_fen, request=f"order-{self.order}")
        self.money[account] += amount_fen

    @rule()
    def back_up(self) -> None:
        self.now_s += 1
        self.file = self.data / "backup" / f"{self.now_s}.backup"
        self.file.parent.mkdir(exist_ok=True)
        backup(self.settings, self.data, self.file, keys=KEYS, now_s=self.now_s)

    @precondition(lambda self: self.file is not None)
    @rule()
    def restore(self) -> None:
        assert self.file is not None
        self._stop()
        self.now_s += 1
        restore(self.settings, self.data, self.file, keys=KEYS, now_s=self.now_s, actor="", is_replacing=True)
        self._start()

    @rule()
    def restart(self) -> None:
        self._stop()
        self._start()

    @rule()
    def end_the_wait_if_it_is_over(self) -> None:
        restoring.settle(self.site.ledger)

    # The terminals.

    @rule(card=cards, amount_fen=amounts, is_told=st.booleans())
    def sell(self, card: int, amount_fen: int, is_told: bool) -> None:
        till = self._in_session(TILL)
        if self._granted(till, ASK_SALE, card, amount_fen):
            till.journal.write(kinds.SALE, subject=card, amount_fen=amount_fen)
            self._use_up(till, amount_fen)
            self._tell(till, is_told)

    @rule(card=cards, amount_fen=amounts)
    def ask_and_walk_off(self, card: int, amount_fen: int) -> None:
        till = self._in_session(TILL)
        if self._granted(till, ASK_SALE, card, amount_fen):
            till.journal.write(kinds.NOTHING)
            self._use_up(till, 0)

    @rule(stall=stalls, card=cards, is_told=st.booleans())
    def open_the_water(self, stall: int, card: int, is_told: bool) -> None:
        device = self._in_session(stall)
        if not device.opened and self._granted(device, ASK_SHOWER, card, 300):
            device.opened, device.card = device.journal.next, card
            device.journal.write(kinds.OPENED, subject=card, amount_fen=300)
            self._tell(device, is_told)

    @rule(stall=stalls, more_fen=st.integers(1, 300))
    def want_more(self, stall: int, more_fen: int) -> None:
        device = self._in_session(stall)
        # The firmware has one extension under way: first the one it must say again.
        if device.opened and device.has_asked_again and device.granted_fen + more_fen <= 2_000:
            answer = self._extend(device, device.granted_fen + more_fen)
            if isinstance(answer, Answer) and answer.code == 0:
                device.granted_fen += more_fen

    @rule(stall=stalls)
    def say_again_what_was_granted(self, stall: int) -> None:
        self._say_again(self._in_session(stall))

    @rule(stall=stalls, part=st.integers(0, 10), is_told=st.booleans())
    def shut_the_water(self, stall: int, part: int, is_told: bool) -> None:
        device = self.devices[stall]
        if device.opened:
            used_fen = device.granted_fen * min(part, 5) // 10
            device.journal.write(kinds.SETTLED, subject=device.card, amount_fen=used_fen, reference=device.journal.name(device.opened))
            self._use_up(device, used_fen)
            self._tell(device, is_told)

    @rule(number=devices, count=st.integers(1, 3))
    def deliver(self, number: int, count: int) -> None:
        self._deliver(self._in_session(number), count)

    @rule(number=devices)
    def begin_a_session(self, number: int) -> None:
        self.devices[number].is_in_session = False
        self._in_session(number)

    # Laws.

    @invariant()
    def nobody_was_granted_more_than_he_has(self) -> None:
        if hasattr(self, "site"):
            granted = {account: sum(self._open_fen(device, account) for device in self.devices.values()) for account in NUMBERS}
            assert all(granted[account] <= self.money[account] for account in NUMBERS), (granted, self.money)

    @invariant()
    def while_it_waits_nobody_gains_a_hold(self) -> None:
        if hasattr(self, "site") and self.site.ledger.view(restoring.waiting_in) is not None:
            assert all(hold.state == "taken" for hold in self.site.rows(Hold))

    # How it is done.

    def _start(self) -> None:
        if self.host_journal is not None:
            self.site.ledger = self.site.open()
        self.host_journal = own_records.start(self.site.ledger, "serve", journal_folder(self.settings, self.data))[1]
        for device in self.devices.values():
            device.is_in_session = False

    def _stop(self) -> None:
        if self.host_journal is not None:
            self.host_journal.close()
        self.site.ledger.close()

    def _in_session(self, number: int) -> Device:
        device = self.devices[number]
        if not device.is_in_session:
            device.high_water = self.site.shake_hands(device.journal).high_water
            device.is_in_session, device.has_asked_again = True, not device.opened
        return device

    def _granted(self, device: Device, kind: int, card: int, amount_fen: int) -> bool:
        answer = self.site.ask(device.journal, amount_fen=amount_fen, subject=card, kind=kind)
        if answer.code == 0:
            device.card, device.granted_fen = card, amount_fen
            self.nobody_was_granted_more_than_he_has()
        else:
            assert answer.code in (codes.HOST_AWAY, codes.BALANCE_LOW, codes.BUSY)
        return answer.code == 0

    def _use_up(self, device: Device, amount_fen: int) -> None:
        self.money[HOLDERS[device.card]] -= amount_fen
        device.card = device.granted_fen = device.opened = 0

    def _open_fen(self, device: Device, account: int) -> int:
        return device.granted_fen if device.card and HOLDERS[device.card] == account else 0

    def _extend(self, device: Device, total_fen: int) -> object:
        ask = Ask(device.journal.epoch, device.opened, ASK_EXTEND, SUBJECT_CARD, device.card, total_fen, 0, b"", b"")
        return approvals.answer(self.site.ledger, device.journal.number, ask, NOW_S)

    def _say_again(self, device: Device) -> None:
        if device.opened and not device.has_asked_again:
            device.has_asked_again = isinstance(self._extend(device, device.granted_fen), Answer)

    def _deliver(self, device: Device, count: int) -> None:
        records = device.journal.records[device.high_water : device.high_water + count]
        if records:
            _, device.high_water = self.site.take(device.journal, *records)

    def _tell(self, device: Device, is_told: bool) -> None:
        """Deliver at once, as a terminal does whose host is there."""
        while is_told and device.is_in_session and device.high_water < len(device.journal.records):
            self._deliver(device, 3)

    def _heal(self) -> None:
        """Everybody delivers and is heard; then the ledger is the model."""
        for number in self.devices:
            device = self._in_session(number)
            while device.high_water < len(device.journal.records):
                self._deliver(device, 3)
            self._say_again(device)
        restoring.settle(self.site.ledger)
        assert self.site.ledger.view(restoring.waiting_in) is None
        running = {device.journal.name(device.opened): device for device in self.devices.values() if device.opened}
        held = {hold.key: hold.amount_fen for hold in self.site.rows(Hold)}
        assert sorted(held.values()) == sorted(device.granted_fen for device in running.values())
        assert {account: self.site.account(account).balance_fen for account in NUMBERS} == self.money
        assert self.site.account(LOSS).balance_fen == self.site.account(SUSPENSE).balance_fen == 0
        assert [item.kind for item in self.site.rows(Item) if item.is_open] == []
        self.site.prove()


TestRestore = RestoreMachine.TestCase
TestRestore.settings = settings(max_examples=20, stateful_step_count=40, deadline=None)
