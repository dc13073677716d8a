"""The till's state table: where it may be, what may happen, and what then. It knows no bytes, no money, no time.

`TABLE` gives for a state and an event the next state and the act, a method of firmware/pos/sale.py; docs/pos.md says the
same, which a test holds. What is not in it is let pass on purpose: ignored.py lists it. `LIMITS_MS`: how long a state may
last before TIMED_OUT.
"""

from protocol.compat import const

# States.
IDLE = const("idle")  # nothing keyed
TYPING = const("typing")  # an amount is being keyed
WAITING = const("waiting")  # the amount is confirmed and frozen; a card, please
ASKING = const("asking")  # the host is asked; the name is open
WRITING = const("writing")  # the sale is on its way into the journal
PAID = const("paid")  # the sale is durable and shown
REFUSED = const("refused")  # this attempt failed and says why; the amount stands, a card may be presented again

# Events, as firmware/pos/sale.py tells them apart.
KEYED = const("keyed")  # a digit, DOT, PLUS, TIMES
CONFIRMED = const("confirmed")  # OK, with an amount that may be charged
CONFIRMED_BADLY = const("confirmed badly")  # OK, with 0 or more than the maximum, or with a reader that fails
CANCELLED = const("cancelled")  # CLEAR or END
CARD_IN = const("card in")  # a card was presented
CARD_AGAIN = const("card again")  # the card that paid within the last three seconds
CARD_BAD = const("card bad")  # something is on the reader that cannot pay
CARD_OUT = const("card out")  # the reader is free
GRANTED = const("granted")  # the host holds the whole amount
DENIED = const("denied")  # it does not, and the terminal has closed the name
WRITTEN = const("written")  # the record is durable
NOT_WRITTEN = const("not written")  # the journal would not take it
LINK_LOST = const("link lost")  # the host went away
TIMED_OUT = const("timed out")  # the state's limit has passed

LIMITS_MS = {
    TYPING: 60_000,  # an amount left standing must not be paid by the next student
    WAITING: 60_000,
    REFUSED: 60_000,
    PAID: 60_000,
    ASKING: 3_000,  # longer than any answer takes on a line that works
}

TABLE = {
    IDLE: {
        KEYED: (TYPING, "key"),
        CONFIRMED_BADLY: (IDLE, "warn_amount"),
        CARD_AGAIN: (IDLE, "warn_charged"),
        CARD_BAD: (IDLE, "warn_card"),
    },
    TYPING: {
        KEYED: (TYPING, "key"),
        CONFIRMED: (WAITING, "confirm"),
        CONFIRMED_BADLY: (TYPING, "warn_amount"),
        CANCELLED: (IDLE, "clear"),
        CARD_AGAIN: (TYPING, "warn_charged"),
        CARD_BAD: (TYPING, "warn_card"),
        TIMED_OUT: (IDLE, "clear"),
    },
    WAITING: {
        CANCELLED: (IDLE, "clear"),
        CARD_IN: (ASKING, "ask"),
        CARD_AGAIN: (REFUSED, "refuse_charged"),
        CARD_BAD: (REFUSED, "refuse_reason"),
        TIMED_OUT: (IDLE, "clear"),
    },
    ASKING: {
        CANCELLED: (IDLE, "give_up"),
        GRANTED: (WRITING, "write"),
        DENIED: (REFUSED, "refuse"),
        LINK_LOST: (REFUSED, "refuse_away"),
        TIMED_OUT: (REFUSED, "refuse_away"),
    },
    WRITING: {
        WRITTEN: (PAID, "show_paid"),
        NOT_WRITTEN: (REFUSED, "refuse_reason"),
    },
    PAID: {
        KEYED: (TYPING, "key_anew"),
        CANCELLED: (IDLE, "clear"),
        CARD_AGAIN: (PAID, "warn_charged"),
        CARD_BAD: (PAID, "warn_card"),
        TIMED_OUT: (IDLE, "clear"),
    },
    REFUSED: {
        CANCELLED: (IDLE, "clear"),
        CARD_IN: (ASKING, "ask"),
        CARD_AGAIN: (REFUSED, "refuse_charged"),
        CARD_BAD: (REFUSED, "refuse_reason"),
        TIMED_OUT: (IDLE, "clear"),
    },
}
