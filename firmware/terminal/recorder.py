"""Everything that gets a name: asks that open one, and records that close it."""

from firmware.terminal.actions import Write
from firmware.terminal.events import Answered, CardSeen, NotWritten, Written
from protocol import codes, record, shown
from protocol.compat import const
from protocol.messages import ASK_EXTEND, ASK_LOOKUP, Answer, Ask
from protocol.record import FAULT, LOAD, NONE, NOTHING, NOTHING_SHOWN, OPENED, REFUND, SALE, SETTLED, STARTED, STEP, VOID, Record

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Callable

    from firmware.terminal.actions import AskHost, Mark
    from firmware.terminal.asks import Asks
    from firmware.terminal.journal import Journal
    from firmware.terminal.settings import InForce
    from protocol.record import Name

# What begins something needs more room in the journal than what closes it.
_BEGINNINGS = (SALE, OPENED, STEP, LOAD, VOID, REFUND)

# What takes money only the host can grant.
_GRANTED = (SALE, OPENED, LOAD)

_WAITING_MAX = const(4)
_LOW_BITS = const(0xFFFF)


class Recorder:
    """Writes every record of this terminal, and keeps rule 1 of MONEY: one name, one content.

    An ask that may hold money takes the name of the next record. While it is open no other record is written: a fault
    waits in RAM, and anything else closes the name with `nothing` first, as does a refusal or `give_up`. The first
    record of every boot is `started`, then a `settled` for each session that a cut left open; until both are
    durable nothing else is written (`is_ready`).

    `terminal`: our number; `cmac`: keyed with the record key; `cause`: of the reset; `unhealthy_boots`: boots without health.
    """

    def __init__(
        self,
        journal: "Journal",
        asks: "Asks",
        in_force: "InForce",
        *,
        terminal: int,
        cmac: "Callable[[bytes], bytes]",
        cause: int,
        unhealthy_boots: int,
    ) -> None:
        self._journal = journal
        self._asks = asks
        self._in_force = in_force
        self._terminal = terminal
        self._cmac = cmac
        self._started_shown = shown.pack_started(cause=cause, unhealthy_boots=unhealthy_boots)
        self._is_started = False
        self._waiting = []  # faults, while a name is open
        self._seen: CardSeen | None = None  # the last card, and the one that the open ask is about
        self._asked_about: CardSeen | None = None
        self.is_ready = False

    def start(self, resume: "Callable[[Record, Mark], Write]", now_ms: int) -> None:
        """Write what a boot must write first, once there is an epoch and room; call it until `is_ready`.

        `resume(opened, mark)` of the program says how a session that was cut is settled.
        """
        journal = self._journal
        if self.is_ready or not journal.epoch:
            return
        if not self._is_started and journal.can_append:
            self._append(Write(STARTED, 0, 0, NONE, 0, 0, 0, 0, self._started_shown, False), now_ms)
            self._is_started = True
        while self._is_started and journal.open_sessions and journal.can_append:
            mark = journal.open_sessions[0]
            opened = journal.read(mark.name.epoch, mark.name.sequence, 1)
            settled = resume(record.decode(opened), mark) if opened else _settled_by_mark(mark)
            assert settled.kind == SETTLED
            assert settled.reference == mark.name
            self._append(settled, now_ms)
        self.is_ready = self._is_started and not journal.open_sessions

    def saw(self, card: CardSeen) -> None:
        """Remember what a card showed: a `nothing` about it says so too."""
        self._seen = card

    def ask(self, action: "AskHost", now_ms: int) -> "Answered | None":
        """Begin an ask; an `Answered` when the terminal itself must refuse it, with nothing begun."""
        if action.kind == ASK_EXTEND:
            epoch, sequence = action.name.epoch, action.name.sequence
        else:
            epoch, sequence = self._journal.epoch, 0 if action.kind == ASK_LOOKUP else self._journal.next
        if not self._in_force.link_is_up or not self.is_ready:
            return _refusal(epoch, sequence, action.kind, codes.HOST_AWAY)
        if action.kind not in (ASK_EXTEND, ASK_LOOKUP):
            if not self._journal.has_room or not self.close(now_ms):
                return _refusal(epoch, sequence, action.kind, codes.JOURNAL_FULL)
            sequence = self._journal.next
            self._asked_about = self._seen if self._seen is not None and self._seen.copies == action.copies else None
        self._asks.begin(
            Ask(
                epoch,
                sequence,
                action.kind,
                action.subject_kind,
                action.subject,
                action.amount_fen,
                action.used_fen,
                action.copies,
                action.code,
            )
        )
        return None

    def write(self, write: Write, now_ms: int) -> "Written | NotWritten | None":
        """Make a record durable. None: a fault that waits until no name is open; its `Written` comes from `poll`."""
        if not self.is_ready:
            return NotWritten(write.kind, codes.HOST_AWAY)
        if write.kind == FAULT and self._asks.open is not None:
            if len(self._waiting) < _WAITING_MAX:
                self._waiting.append(write)
            return None
        if not self._asks.may_take(write.kind) and not self.close(now_ms):
            return NotWritten(write.kind, codes.JOURNAL_FULL)
        if not self._is_covered(write):
            return NotWritten(write.kind, codes.CLOSED)
        is_beginning = write.kind in _BEGINNINGS and self._asks.open is None
        if not self._journal.can_append or (is_beginning and not self._journal.has_room):
            return NotWritten(write.kind, codes.JOURNAL_FULL)
        name = self._append(write, now_ms)
        self._asks.close()
        if write.kind == OPENED and not write.purse:
            self._asks.run(name, write.subject_kind, write.subject, write.amount_fen)
        elif write.kind == SETTLED:
            self._asks.settle()
        return Written(name, write.kind)

    def close(self, now_ms: int) -> bool:
        """Write `nothing` under the open name, if one is open. False: no room even for that, and it stays open."""
        pending = self._asks.open
        if pending is None:
            return True
        if not self._journal.can_append:
            return False
        card = self._asked_about
        self._append(
            Write(
                NOTHING,
                pending.ask.subject_kind,
                pending.ask.subject,
                NONE,
                0,
                0,
                card.balance_fen if card else 0,
                card.counter if card else 0,
                card.shown if card else NOTHING_SHOWN,
                False,
            ),
            now_ms,
        )
        self._asks.close()
        return True

    def poll(self, now_ms: int) -> "Written | NotWritten | None":
        """Write a fault that waited."""
        if self._waiting and self._asks.open is None:
            return self.write(self._waiting.pop(0), now_ms)
        return None

    def _is_covered(self, write: Write) -> bool:
        """Whether the host has granted what this record takes: by the open ask, in this session, or by a booking."""
        if write.kind not in _GRANTED or write.purse or (write.kind == OPENED and write.reference != NONE):
            return True
        return self._asks.is_granted

    def _append(self, write: Write, now_ms: int) -> "Name":
        journal, in_force = self._journal, self._in_force
        name = record.Name(self._terminal, journal.epoch, journal.next)
        made = Record(
            write.kind,
            name.terminal,
            name.epoch,
            name.sequence,
            in_force.clock.at_s(now_ms),
            in_force.clock.trust,
            write.subject_kind,
            write.subject,
            write.purse,
            not in_force.link_is_up,
            write.reference,
            write.amount_fen,
            write.detail,
            write.balance_fen,
            write.counter,
            write.shown,
            in_force.tariff.version & _LOW_BITS if in_force.tariff else 0,
            0,
            record.NO_TAC,
        )
        journal.append(record.encode(made, self._cmac))
        return name


def _refusal(epoch: int, sequence: int, kind: int, code: int) -> Answered:
    """The terminal's own answer to an ask that it does not send."""
    return Answered(Answer(epoch, sequence, kind, code, 0, 0, 0, 0, 0, b""))


def _settled_by_mark(mark: "Mark") -> Write:
    """The `settled` of a session whose `opened` the flash has lost: the host finds its subject by the reference."""
    about = shown.pack_settled(cold_ml=mark.cold_ml, hot_ml=mark.hot_ml, seconds=mark.seconds, cause=shown.CAUSE_BOOT)
    return Write(SETTLED, 0, 0, mark.name, mark.fen, mark.cold_ml + mark.hot_ml, 0, 0, about, False)
