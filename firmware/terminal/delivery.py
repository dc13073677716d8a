"""Which records to send next: every one, in order, until the ledger has it."""

from firmware.terminal.ticks import diff
from protocol.compat import const
from protocol.messages import RECORDS_MAX, Records
from protocol.record import SEQUENCE_MAX

TYPE_CHECKING = False

if TYPE_CHECKING:
    from firmware.terminal.journal import Journal

_AGAIN_MS = const(2000)  # a host that lost its database acknowledges nothing; no count ever gives a record up


class Delivery:
    """Walks the journal behind the host's high water, one message of up to three records under way.

    What is left of older epochs goes first (MONEY 7). `resume` starts it in a session; then `next` says what to send and
    `acknowledge` takes it on. A host that acknowledges nothing new gets the same again after two seconds. An older
    epoch that makes no headway (the ledger has a gap there that this journal cannot fill) is passed over until
    the next session, so that it never blocks those behind it; until it is delivered, nothing is removed.

    `is_broken`: a record cannot be read back. The next handshake must say so: `oldest` stands behind it now.
    """

    def __init__(self, journal: "Journal") -> None:
        self._journal = journal
        self._high_water = 0  # of the journal's epoch
        self._older: "tuple[int, int] | None" = None  # how far older epochs are delivered; None: all are
        self._has_passed_over = False
        self._is_resumed = False
        self._is_sent = False  # some are under way, since _tick
        self._tick = 0
        self.is_broken = False

    def pause(self) -> None:
        """A new session begins: say nothing until `resume`."""
        self._is_resumed = False
        self._is_sent = False
        self.is_broken = False

    def resume(self, epoch: int, high_water: int) -> None:
        """Go on at `high_water` + 1 of the journal's epoch, with what is left of older epochs before it.

        Below what was acknowledged before, the host was restored: all that is kept of older epochs is offered again.
        """
        journal = self._journal
        assert epoch == journal.epoch
        if (epoch, high_water) < journal.acknowledged:
            journal.rewind(0, 0)
        self._older = journal.acknowledged if journal.acknowledged[0] < epoch else None
        self._has_passed_over = False
        self._high_water = min(high_water, journal.next - 1)
        self._is_resumed = True
        self._is_sent = False
        self._note()

    def next(self, now_ms: int) -> "Records | None":
        """The records to send now; None while some are under way, or when all are delivered."""
        if not self._is_resumed or (self._is_sent and diff(now_ms, self._tick) < _AGAIN_MS):
            return None
        found = self._find()
        if found is None:
            return None
        data = self._journal.read(found[0], found[1], RECORDS_MAX)
        if not data:
            self._skip(found)
            return None
        self._is_sent = True
        self._tick = now_ms
        return Records(data)

    def acknowledge(self, epoch: int, high_water: int) -> None:
        """Take the host's word that all up to `high_water` of `epoch` is in the ledger."""
        if not self._is_resumed:
            return
        if epoch == self._journal.epoch:
            high_water = min(high_water, self._journal.next - 1)
            if high_water <= self._high_water:
                return
            self._high_water = high_water
            self._is_sent = False
        elif self._older is not None and self._is_sent and (found := self._find()) is not None and epoch == found[0]:
            if high_water < found[1]:
                self._has_passed_over = True
                high_water = SEQUENCE_MAX
            self._older = (epoch, high_water)
            self._is_sent = False
        self._note()

    def _find(self) -> "tuple[int, int] | None":
        """The oldest record the host lacks, as (epoch, sequence)."""
        epoch = self._journal.epoch
        if self._older is not None:
            found = self._journal.following(self._older[0], self._older[1])
            if found is not None and found[0] < epoch:
                return found
            self._older = None
            self._note()
        return self._journal.following(epoch, self._high_water)

    def _note(self) -> None:
        """Let the journal know what may be removed, unless something was passed over."""
        if self._has_passed_over:
            return
        if self._older is not None:
            self._journal.acknowledge(self._older[0], self._older[1])
        else:
            self._journal.acknowledge(self._journal.epoch, self._high_water)

    def _skip(self, name: "tuple[int, int]") -> None:
        """The flash has lost a record."""
        if name[0] == self._journal.epoch:
            self._journal.lose(name[1])
            self.is_broken = True
        else:
            self._older = name
