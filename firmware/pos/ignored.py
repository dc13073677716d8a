"""What the till lets pass on purpose, state by state. For tests and readers: no board loads this file.

`IGNORED`: with `TABLE` of states.py it has each event in each state exactly once, which a test holds.
"""

from firmware.pos.states import (
    ASKING,
    CANCELLED,
    CARD_AGAIN,
    CARD_BAD,
    CARD_IN,
    CARD_OUT,
    CONFIRMED,
    CONFIRMED_BADLY,
    DENIED,
    GRANTED,
    IDLE,
    KEYED,
    LINK_LOST,
    NOT_WRITTEN,
    PAID,
    REFUSED,
    TIMED_OUT,
    TYPING,
    WAITING,
    WRITING,
    WRITTEN,
)

STATES = (IDLE, TYPING, WAITING, ASKING, WRITING, PAID, REFUSED)

EVENTS = (
    KEYED,
    CONFIRMED,
    CONFIRMED_BADLY,
    CANCELLED,
    CARD_IN,
    CARD_AGAIN,
    CARD_BAD,
    CARD_OUT,
    GRANTED,
    DENIED,
    WRITTEN,
    NOT_WRITTEN,
    LINK_LOST,
    TIMED_OUT,
)

_NOT_OURS = (GRANTED, DENIED, WRITTEN, NOT_WRITTEN)  # late answers to what was given up

IGNORED = {
    IDLE: (CONFIRMED, CANCELLED, CARD_IN, CARD_OUT, LINK_LOST, TIMED_OUT) + _NOT_OURS,
    TYPING: (CARD_IN, CARD_OUT, LINK_LOST) + _NOT_OURS,
    WAITING: (KEYED, CONFIRMED, CONFIRMED_BADLY, CARD_OUT, LINK_LOST) + _NOT_OURS,
    # Keys while a card is being charged are lost, but not a cancel. A sale on an account needs no card once asked.
    ASKING: (KEYED, CONFIRMED, CONFIRMED_BADLY, CARD_IN, CARD_AGAIN, CARD_BAD, CARD_OUT, WRITTEN, NOT_WRITTEN),
    # A record on its way cannot be called back: what is durable is kept.
    WRITING: (KEYED, CONFIRMED, CONFIRMED_BADLY, CANCELLED, CARD_IN, CARD_AGAIN, CARD_BAD, CARD_OUT, GRANTED, DENIED, LINK_LOST, TIMED_OUT),
    # A finger that pressed OK once more; an amount that is keyed anew leads out of here.
    PAID: (CONFIRMED, CONFIRMED_BADLY, CARD_IN, CARD_OUT, LINK_LOST) + _NOT_OURS,
    REFUSED: (KEYED, CONFIRMED, CONFIRMED_BADLY, CARD_OUT, LINK_LOST) + _NOT_OURS,
}
