"""What a program (shower or till) wants done: one namedtuple an action, returned in a tuple from `handle`, `poll` or `meter`.

The terminal executes a tuple in order, each action done before the next: a `Write` is durable before the
`OpenValve` behind it. What an action gives rise to (`Written`, an `Answered` that the terminal gives itself) is
handed to the program as an event once the whole tuple is done. Idle programs return `NO_ACTIONS`.

Who closes a name (MONEY.md, rule 1) is the terminal's business: a refused ask, an `AskHost` or a `Write` of another
kind while an ask is open, all write `nothing` under the open name first. A program says `GiveUp` when the person does.
"""

from collections import namedtuple

from protocol.record import NONE

TYPE_CHECKING = False

NO_ACTIONS = ()

# The name of nothing: for `reference`, and for `AskHost.name` of an ask that takes the next sequence.
NO_NAME = NONE

if TYPE_CHECKING:
    from typing import NamedTuple

    from protocol.record import Name

    class AskHost(NamedTuple):
        """Ask the host; the answer comes as `Answered`, at once with host_away when the link is down.

        `kind`: ASK_* of protocol/messages.py; `subject_kind` and `subject` as in a record; `copies`: both purse copies as
        read (32 bytes) or b""; `code`: what was typed or scanned (up to 18 bytes) or b""; `name`: for ASK_EXTEND the
        name of the `opened`, and `amount_fen` the new total; otherwise NO_NAME.
        """

        kind: int
        subject_kind: int
        subject: int
        amount_fen: int
        used_fen: int
        copies: bytes
        code: bytes
        name: "Name"

    class Write(NamedTuple):
        """Journal a record; durable when done, then `Written` (or `NotWritten`).

        `kind`: of protocol/record.py; `subject_kind`: 0 none, 1 card, 2 account; `reference`: a Name or NO_NAME;
        `detail`: ml for a shower; `balance_fen` and `counter`: of the purse after it; `shown`: 14 bytes
        (docs/protocol.md 6.2 for settled); `purse`: paid from the purse. The terminal adds name, time, trust, versions, TAC.
        """

        kind: int
        subject_kind: int
        subject: int
        reference: "Name"
        amount_fen: int
        detail: int
        balance_fen: int
        counter: int
        shown: bytes
        purse: bool

    class Mark(NamedTuple):
        """Remember durably how far a running session is: totals since its `opened`, whose name `name` is.

        After a cut the session settles at its last mark. Not a record: never sent, gone with `settled`.
        """

        name: "Name"
        cold_ml: int
        hot_ml: int
        fen: int
        seconds: int

    class GiveUp(NamedTuple):
        """The person cancelled or walked off: close the name of the open ask with `nothing`. Does nothing when none is open."""

    class OpenValve(NamedTuple):
        """Let water flow."""

    class ShutValve(NamedTuple):
        """Stop the water. Put it first in a tuple: a record may take half a second to become durable."""

    class Beep(NamedTuple):
        """Sound `pattern` of firmware/drivers/beeper.py; returns at once."""

        pattern: object

else:
    AskHost = namedtuple("AskHost", ("kind", "subject_kind", "subject", "amount_fen", "used_fen", "copies", "code", "name"))
    Write = namedtuple(
        "Write",
        ("kind", "subject_kind", "subject", "reference", "amount_fen", "detail", "balance_fen", "counter", "shown", "purse"),
    )
    Mark = namedtuple("Mark", ("name", "cold_ml", "hot_ml", "fen", "seconds"))
    GiveUp = namedtuple("GiveUp", ())
    OpenValve = namedtuple("OpenValve", ())
    ShutValve = namedtuple("ShutValve", ())
    Beep = namedtuple("Beep", ("pattern",))
