"""What a program (shower or till) is told: one namedtuple an event, handed to `handle(event, now_ms)`.

An event is a fact that happened. The terminal hands events over one at a time, in order, and
executes the actions that come back (actions.py) before it hands over the next.
"""

from collections import namedtuple

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import NamedTuple

    from protocol.messages import Answer
    from protocol.record import Name

    class CardSeen(NamedTuple):
        """A card whose identity is genuine lies on the reader; said once until `CardGone`.

        `number`: card number; `holder_class`: 0..15; `expiry_day`: days since 2020-01-01, 65535 never;
        `copies`: both purse copies as read, A then B, 32 bytes; `shown`: the two operations they name,
        newest first, 14 bytes, as a record carries them; `counter` and `balance_fen`: of the newest copy
        (0 and 0 where neither copy is valid).
        """

        number: int
        holder_class: int
        expiry_day: int
        copies: bytes
        shown: bytes
        counter: int
        balance_fen: int

    class CardGone(NamedTuple):
        """Nothing answers on the reader any more: proven by a failed presence check and a failed activation.

        Ends a `CardSeen` and a `CardProblem` alike; after reader_fault it says that the reader answers again.
        """

    class CardProblem(NamedTuple):
        """Something lies on the reader that is no usable card; said once until `CardGone`.

        `code`: of protocol/codes.py (card_unreadable, two_cards, card_unknown), or reader_fault when the reader itself does
        not answer: then nobody knows whether anything lies there. One problem may take the place of another.
        """

        code: int

    class Key(NamedTuple):
        """A key was pressed, debounced. `name`: "0".."9", "DOT", "PLUS", "TIMES", "CLEAR", "OK", "END"."""

        name: str

    class KeypadChanged(NamedTuple):
        """A key got stuck, or came free: `is_key_stuck` of what is in force says which."""

    class Answered(NamedTuple):
        """The host answered the ask under way, or the terminal itself refused it at once.

        `answer.code` 0: granted; anything else refused, and the name is closed already (the terminal wrote
        `nothing`, or never opened it). An approval is good only now: return the `Write` that takes it up from
        this very `handle`, or `GiveUp`. For ASK_EXTEND `answer.held_fen` is the total held; what was granted
        before stands, so take the larger. After a new handshake the terminal asks again for a running session by
        itself; that answer arrives as any other.
        """

        answer: Answer

    class Written(NamedTuple):
        """A `Write` is durable. `name`: the record's name (`Mark`, `reference` and ASK_EXTEND need it); `kind`: its kind."""

        name: Name
        kind: int

    class NotWritten(NamedTuple):
        """A `Write` was not made, and the actions after it in its tuple were not executed. A `Mark` is always made.

        `kind`: of the record; `code`: why (journal_full, host_away while no epoch is known). Nothing changed:
        no money moved, so nothing may be shown as paid and no water may flow.
        """

        kind: int
        code: int

    class LinkUp(NamedTuple):
        """The host is there: a session stands and asks are answered."""

    class LinkDown(NamedTuple):
        """No valid frame from the host for 3 s. An ask under way stays open until its answer or `GiveUp`."""

    class Resources(NamedTuple):
        """A resource came into force. `resource`: its number in protocol/messages.py (settings, tariff, ...)."""

        resource: int

else:
    CardSeen = namedtuple("CardSeen", ("number", "holder_class", "expiry_day", "copies", "shown", "counter", "balance_fen"))
    CardGone = namedtuple("CardGone", ())
    CardProblem = namedtuple("CardProblem", ("code",))
    Key = namedtuple("Key", ("name",))
    KeypadChanged = namedtuple("KeypadChanged", ())
    Answered = namedtuple("Answered", ("answer",))
    Written = namedtuple("Written", ("name", "kind"))
    NotWritten = namedtuple("NotWritten", ("kind", "code"))
    LinkUp = namedtuple("LinkUp", ())
    LinkDown = namedtuple("LinkDown", ())
    Resources = namedtuple("Resources", ("resource",))
