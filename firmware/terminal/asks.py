"""The asks under way, and the one name that may be open: rule 1 of MONEY, "one name, one content"."""

from firmware.terminal.ticks import add, diff
from protocol.compat import const
from protocol.messages import ASK_EXTEND, ASK_LOAD, ASK_LOOKUP, ASK_SALE, ASK_SHOWER, Ask
from protocol.record import LOAD, NOTHING, OPENED, SALE

TYPE_CHECKING = False

if TYPE_CHECKING:
    from protocol.messages import Answer
    from protocol.record import Name

# A host decides in milliseconds. One that has taken the ask and stays silent for so long has lost it: a new session
# asks again. The link counts as down for the person after the same time.
ANSWER_MS = const(3000)
_BUSY_MS = const(500)

_RUNNING = const(0)
_OPEN = const(1)
_LOOKUP = const(2)
_INDEX = {ASK_EXTEND: _RUNNING, ASK_LOOKUP: _LOOKUP}

# The record that takes an ask's hold up.
_TAKES_UP = {ASK_SALE: SALE, ASK_SHOWER: OPENED, ASK_LOAD: LOAD}


class Pending:
    """One ask on its way: said in this session or not, answered in this session or not."""

    def __init__(self, ask: Ask) -> None:
        self.ask = ask
        self.is_sent = False
        self.is_answered = False
        self.tick = -1  # when it was sent; while it waits to be sent again, not before

    def forget(self) -> None:
        """Be asked again: an answer counts only in the session it was given in (docs/protocol.md 5, step 5)."""
        self.is_sent = False
        self.is_answered = False
        self.tick = -1


class Asks:
    """At most one ask of each of three sorts.

    `open`: the ask that named the journal's next record, and may hold money: sale, shower, load. From `begin`
    to `close` no other record may be written; it is closed by the record of that name, whatever its kind.
    *Running*: the extension of the session that runs, or before the first, its opening amount; it is asked again in
    every new session, since a restored host has to hear of a running shower (MONEY 7). *Look-up*: holds nothing.

    Sans-IO. `next` says what to say, `sent` notes that it was said, `void` starts over in a new session.
    """

    def __init__(self) -> None:
        # By _RUNNING, _OPEN and _LOOKUP: the order in which they are said.
        self._pending: "list[Pending | None]" = [None, None, None]
        # Look-ups given up for a later one, whose answers are still to come: they have no name to be known by.
        self._stale_lookups = 0

    @property
    def open(self) -> "Pending | None":
        """The ask whose name is open."""
        return self._pending[_OPEN]

    @property
    def is_granted(self) -> bool:
        """Whether the host has approved the open ask in this session."""
        return self.open is not None and self.open.is_answered

    def begin(self, ask: Ask) -> None:
        """Start asking. An extension takes the place of the one before, with its higher total; a look-up likewise."""
        index = _INDEX.get(ask.kind, _OPEN)
        assert index != _OPEN or self.open is None
        before = self._pending[index]
        if index == _LOOKUP and before is not None and before.is_sent:
            self._stale_lookups += 1
        self._pending[index] = Pending(ask)

    def may_take(self, kind: int) -> bool:
        """Whether a record of `kind` closes the open name as it should be: what was asked for, or `nothing`."""
        return self.open is None or kind == NOTHING or kind == _TAKES_UP[self.open.ask.kind]

    def close(self) -> None:
        """The record of the open name is durable. A late answer finds nothing and is ignored."""
        self._pending[_OPEN] = None

    def run(self, name: "Name", subject_kind: int, subject: int, held_fen: int) -> None:
        """A session runs on a hold: `opened` of that name is durable."""
        pending = Pending(Ask(name.epoch, name.sequence, ASK_EXTEND, subject_kind, subject, held_fen, 0, b"", b""))
        pending.is_sent = True
        pending.is_answered = True
        self._pending[_RUNNING] = pending

    def settle(self) -> None:
        """The session is settled: nothing more to extend."""
        self._pending[_RUNNING] = None

    def next(self, now_ms: int) -> "Pending | None":
        """What to say now, the running water first; None when nothing waits to be said."""
        for pending in self._pending:
            if pending is not None and not pending.is_sent and (pending.tick < 0 or diff(now_ms, pending.tick) >= 0):
                return pending
        return None

    def sent(self, pending: Pending, now_ms: int) -> None:
        """It is sealed and on its way."""
        pending.is_sent = True
        pending.tick = now_ms

    def receive(self, answer: "Answer") -> bool:
        """Take an answer; False when nothing here waits for it."""
        pending = self._pending[_INDEX.get(answer.kind, _OPEN)]
        if answer.kind == ASK_LOOKUP and self._stale_lookups:
            self._stale_lookups -= 1
            return False
        if pending is None or not pending.is_sent or pending.ask[:3] != answer[:3]:
            return False
        if pending.is_answered and answer.kind != ASK_EXTEND:
            return False
        pending.is_answered = True
        if answer.kind == ASK_LOOKUP:
            self._pending[_LOOKUP] = None
        return True

    def put_off(self, now_ms: int) -> None:
        """The host was busy: say again, a little later, what it has not answered."""
        for pending in self._pending:
            if pending is not None and pending.is_sent and not pending.is_answered:
                pending.is_sent = False
                pending.tick = add(now_ms, _BUSY_MS)

    def refuse(self) -> "list[Ask]":
        """The host refuses to answer: what it was asked and has not answered counts as answered. Returns those asks."""
        refused = []
        for pending in self._pending:
            if pending is not None and pending.is_sent and not pending.is_answered:
                pending.is_answered = True
                refused.append(pending.ask)
        self._pending[_LOOKUP] = None
        self._stale_lookups = 0
        return refused

    def is_late(self, now_ms: int) -> bool:
        """Whether an answer is overdue in this session."""
        for pending in self._pending:
            if pending is not None and pending.is_sent and not pending.is_answered and diff(now_ms, pending.tick) >= ANSWER_MS:
                return True
        return False

    def void(self) -> None:
        """STATE is being sent: every approval not yet used is void, and all is asked again, same name, same content."""
        self._stale_lookups = 0
        for pending in self._pending:
            if pending is not None:
                pending.forget()
