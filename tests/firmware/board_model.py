"""A program on the terminal's real recorder, asks and journal; board and host are what the test says."""

from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

from firmware.terminal import actions
from firmware.terminal.actions import Mark, Write
from firmware.terminal.asks import Asks
from firmware.terminal.clock import Clock
from firmware.terminal.events import Answered, CardGone, CardProblem, CardSeen, Key, LinkDown, LinkUp, NotWritten
from firmware.terminal.journal import Journal
from firmware.terminal.recorder import Recorder
from firmware.terminal.settings import InForce, Settings, Tariff
from firmware.terminal.ticks import add
from host.crypto import HostCrypto
from protocol import record
from protocol.crc import crc16
from protocol.messages import ASK_EXTEND, ASK_LOOKUP, RESERVATIONS, Answer, Ask
from protocol.packing import pack
from protocol.record import OPENED, Name, Record
from tests.firmware.terminal.storage_model import PowerCut, StorageModel

TERMINAL = 100
AT_S = 200_000_000
SIGN = HostCrypto().cmac(bytes(range(16)))

SETTINGS = Settings(
    place="北区浴室12号".encode("gb2312"),
    card_key=bytes(16),
    card_key_version=1,
    place_number=7,
    sale_max_fen=9_999,
    prededuct_fen=300,
    extend_when_left_fen=50,
    session_max_fen=2_000,
    pulses_per_l_cold=450,
    pulses_per_l_hot=450,
    pause_limit_s=300,
)
# A fen buys a decilitre of cold water, half of one of hot: 50 fen are five litres.
TARIFF = Tariff(version=3, cold_fen_per_m3=10_000, hot_fen_per_m3=20_000)


class Program(Protocol):
    """What the loop asks of a program."""

    state: str

    def handle(self, event: Any, now_ms: int) -> tuple[Any, ...]: ...
    def poll(self, now_ms: int) -> tuple[Any, ...]: ...
    def due(self) -> int | None: ...
    def lines(self, now_ms: int) -> tuple[bytes, ...]: ...


P = TypeVar("P", bound=Program)


class BoardModel(Generic[P]):
    """Runs a program as terminal.py does, in a time that the test moves.

    `done`: every action executed since the last boot, in order. `named`: every name an ask has opened, ever. `cut_in`: so
    many actions from now the power goes, 0 for never. `cut_power` and a `PowerCut` leave the board off; `boot` starts it
    again on what the flash holds.
    """

    def __init__(self, make_program: Callable[[InForce], P]) -> None:
        self._make_program = make_program
        self.files: dict[str, bytes] = {}
        self.settings: Settings | None = SETTINGS
        self.tariff: Tariff | None = TARIFF
        self.reservations = b""
        self.now_ms = (1 << 30) - 20_000  # so that ticks wrap in most tests
        self.cut_in = 0
        self.named: list[Name] = []
        self.boot()

    def boot(self) -> None:
        """Power on."""
        self.is_off = False
        self.valve_is_open = False
        self.cold_ml = self.hot_ml = 0  # meters count from power-on
        self.done: list[Any] = []
        self.events: list[Any] = []
        self.journal = Journal(StorageModel(self.files), TERMINAL, crc16)
        if not self.journal.epoch:
            self.journal.adopt(1)
        clock = Clock()
        clock.set(AT_S, self.now_ms)
        self.in_force = InForce(clock, SIGN, lambda booking: self.journal.has_reference(OPENED, booking))
        self.in_force.settings, self.in_force.tariff = self.settings, self.tariff
        self.in_force.link_is_up = True
        if self.reservations:
            self.in_force.take(RESERVATIONS, 1, self.reservations)
        self.asks = Asks()
        self.recorder = Recorder(self.journal, self.asks, self.in_force, terminal=TERMINAL, cmac=SIGN, cause=0, unhealthy_boots=0)
        self.program = self._make_program(self.in_force)
        self.recorder.start(getattr(self.program, "resume", _never), self.now_ms)
        self.pass_time(0)

    def cut_power(self) -> None:
        """The valve is shut by its spring; all but the flash is lost."""
        self.is_off = True
        self.valve_is_open = False

    # What happens at the board.

    def tell(self, event: Any) -> None:
        """Hand over one event, and execute all it leads to."""
        self._execute(self.program.handle(event, self.now_ms))

    def press(self, *names: str) -> None:
        """Press keys, one after the other, a tenth of a second apart."""
        for name in names:
            self.tell(Key(name))
            self.pass_time(100)

    def put_card(self, number: int, *, balance_fen: int = 0) -> None:
        """Put a card on the reader."""
        card = CardSeen(number, 1, 0xFFFF, bytes([number % 256]) * 32, bytes([number % 256]) * 14, 4, balance_fen)
        self.recorder.saw(card)
        self.tell(card)

    def put_bad_card(self, code: int) -> None:
        """Put something unusable on the reader."""
        self.tell(CardProblem(code))

    def take_card(self) -> None:
        """Take it away."""
        self.tell(CardGone())

    def run_water(self, cold_ml: int = 0, hot_ml: int = 0) -> None:
        """Let water through the meters, whatever the valve does."""
        self.cold_ml += cold_ml
        self.hot_ml += hot_ml
        self.meter()

    def meter(self) -> None:
        """One look at the meters."""
        self._execute(getattr(self.program, "meter")(self.cold_ml, self.hot_ml, self.now_ms))  # noqa: B009 (not every program has it)

    def pass_time(self, ms: int) -> None:
        """Let time pass, polling whenever the program wants it."""
        end = add(self.now_ms, ms)
        while True:
            self._execute(self.program.poll(self.now_ms))
            due = self.program.due()
            left = _until(end, self.now_ms)
            step = left if due is None else min(max(_until(due, self.now_ms), 0), left)
            if not step and (due is None or _until(due, self.now_ms) > 0):
                return
            self.now_ms = add(self.now_ms, step)

    def lose_link(self) -> None:
        """The host falls silent."""
        self.in_force.link_is_up = False
        self.tell(LinkDown())

    def find_link(self) -> None:
        """A new session: what was not answered is asked again."""
        self.asks.void()
        self.in_force.link_is_up = True
        self.tell(LinkUp())

    # What the host says.

    @property
    def pending(self) -> Ask | None:
        """The next ask the host would hear, without hearing it."""
        pending = self.asks.next(self.now_ms)
        return pending.ask if pending else None

    def make_answer(self, *, code: int = 0, held_fen: int | None = None, account_fen: int = 19_700, **fields: Any) -> Answer:
        """Hear the next ask and decide; `deliver` it now, later, or never."""
        pending = self.asks.next(self.now_ms)
        assert pending is not None, "nothing was asked"
        self.asks.sent(pending, self.now_ms)
        ask = pending.ask
        if held_fen is None:
            held_fen = 0 if code else ask.amount_fen
        said: dict[str, Any] = {"purse_fen": 0, "lacking_fen": 0, "load_fen": 0, "text": "张*雨".encode("gb2312")} | fields
        return Answer(ask.epoch, ask.sequence, ask.kind, code, held_fen, account_fen, **said)

    def deliver(self, answer: Answer) -> None:
        """Let an answer arrive, as terminal.py takes it."""
        if not self.asks.receive(answer):
            return
        if answer.code and answer.kind not in (ASK_EXTEND, ASK_LOOKUP):
            self.recorder.close(self.now_ms)
        self.tell(Answered(answer))

    def answer(self, **fields: Any) -> None:
        """Hear, decide and answer at once."""
        self.deliver(self.make_answer(**fields))

    def book(self, code: str, *, account: int = 9, held_fen: int = 300, from_s: int = AT_S - 60, until_s: int = AT_S + 3600) -> Name:
        """Hand down one reservation."""
        booking = Name(1, 1, int(code))
        row = [SIGN(b"code" + code.encode())[:8], *booking, account, held_fen, from_s, until_s, b"Zhang"]
        self.reservations = pack([1, [row]])
        self.in_force.take(RESERVATIONS, 1, self.reservations)
        return booking

    # What can be seen afterwards.

    @property
    def screen(self) -> str:
        """The four lines, as text."""
        lines = self.program.lines(self.now_ms)
        assert [len(line) for line in lines] == [16] * 4
        return "\n".join(line.decode("gb2312").rstrip() for line in lines)

    @property
    def records(self) -> list[Record]:
        """All records of the journal."""
        epoch, next_sequence = self.journal.epoch, self.journal.next
        return [record.decode(self.journal.read(epoch, sequence, 1)) for sequence in range(1, next_sequence)]

    def kinds(self) -> list[int]:
        """The kinds of all records but `started`."""
        return [made.kind for made in self.records if made.kind != record.STARTED]

    def did(self, kind: type) -> list[Any]:
        """The actions of one kind since the boot."""
        return [action for action in self.done if type(action) is kind]

    # The loop.

    def _execute(self, wanted: tuple[Any, ...]) -> None:
        self._do(wanted)
        while self.events:
            self._do(self.program.handle(self.events.pop(0), self.now_ms))

    def _do(self, wanted: tuple[Any, ...]) -> None:
        for action in wanted:
            if self.cut_in:
                self.cut_in -= 1
                if not self.cut_in:
                    self.cut_power()
                    raise PowerCut
            self.done.append(action)
            event = self._act(action)
            if event is not None:
                self.events.append(event)
                if isinstance(event, NotWritten):
                    return

    def _act(self, action: Any) -> Any:
        if isinstance(action, actions.AskHost):
            return self._ask(action)
        if isinstance(action, Write):
            return self.recorder.write(action, self.now_ms)
        if isinstance(action, Mark):
            self.journal.mark(action)
        elif isinstance(action, actions.GiveUp):
            self.recorder.close(self.now_ms)
        elif isinstance(action, actions.OpenValve):
            self.valve_is_open = True
        elif isinstance(action, actions.ShutValve):
            self.valve_is_open = False
        return None

    def _ask(self, action: actions.AskHost) -> Any:
        before = self.asks.open
        event = self.recorder.ask(action, self.now_ms)
        opened = self.asks.open
        if opened is not None and opened is not before:
            self.named.append(Name(TERMINAL, opened.ask.epoch, opened.ask.sequence))
        return event


def ask_kinds(board: BoardModel[Any]) -> list[int]:
    """The kinds of what was asked since the boot."""
    return [asked.kind for asked in board.did(actions.AskHost)]


def _never(opened: Record, mark: Mark) -> Write:
    raise AssertionError("a till has no sessions")


def _until(later: int, earlier: int) -> int:
    return ((later - earlier + (1 << 29)) & ((1 << 30) - 1)) - (1 << 29)
