"""The shower's state table: where it may be, what may happen, and what then. It knows no bytes, no money, no time.

`TABLE` gives for a state and an event the next state and the act, a function of firmware/shower/acts.py; docs/shower.md says the
same, which a test holds. What is not in it is let pass on purpose: ignored.py lists it. `LIMITS_MS`: how long a state may
last before TIMED_OUT. RUNNING and PAUSED have the pause limit of the settings instead: PAUSED since OK was pressed,
RUNNING since water last flowed.
"""

from protocol.compat import const

# States. The valve is open in RUNNING and nowhere else.
STARTING = const("starting")  # the first seconds after power-on: a card that lies there already starts nothing
IDLE = const("idle")
TYPING = const("typing")  # a reservation code is being keyed
CHECKING = const("checking")  # the code is not known here: the host is asked whose it is
ASKING = const("asking")  # the host is asked for the first amount; the name is open
OPENING = const("opening")  # `opened` is on its way into the journal
RUNNING = const("running")  # water
PAUSED = const("paused")  # no water, no charge
SETTLING = const("settling")  # the valve is shut, `settled` is on its way into the journal
SUMMARY = const("summary")  # what was used, and the reminder while a card lies in the slot
REFUSED = const("refused")  # this attempt failed and says why

# Events, as firmware/shower/stall.py tells them apart.
CARD_IN = const("card in")  # a card in the slot, and no session
CARD_UNREADY = const("card unready")  # the same, but the host has not handed down a tariff
CARD_BAD = const("card bad")  # something in the slot that cannot pay
CARD_OUT = const("card out")  # the card of this session, or the card of nobody's, has left
VISITOR_IN = const("visitor in")  # a card in the slot while a code's session runs
SAME_HOLDER = const("same holder")  # it belongs to the holder of the code
OTHER_HOLDER = const("other holder")  # it does not, or the host does not say
DIGIT = const("digit")
DIGIT_LOCKED = const("digit locked")  # a digit within a minute of the fifth wrong code
ERASED = const("erased")  # CLEAR, or END while no session runs
OK = const("ok")
OK_EARLY = const("ok early")  # within two seconds after a code's session has begun: the same finger still
CODE_RIGHT = const("code right")  # OK, and the code opens a booking of this stall, now
CODE_SHORT = const("code short")  # OK, before the sixth digit
CODE_REFUSED = const("code refused")  # OK, and the booking's time has not come, or is over, or too many were wrong
CODE_UNKNOWN = const("code unknown")  # OK, and no booking of this stall has that code
CODE_ANSWERED = const("code answered")  # the host has said what it knows of an unknown code
END_ONCE = const("end once")
END_TWICE = const("end twice")  # the second END in a row within three seconds, in a code's session
GRANTED = const("granted")  # the host holds the first amount
DENIED = const("denied")  # it does not, and the terminal has closed the name
EXTENDED = const("extended")  # the host holds a higher total
NOT_EXTENDED = const("not extended")  # it does not; what was held stands
WRITTEN = const("written")  # the record waited for is durable
NOT_WRITTEN = const("not written")  # the journal would not take it
STEP_USED = const("step used")  # as much was used as may be lost in a power cut
LOW = const("low")  # little is left of what is held
SPENT = const("spent")  # nothing is left
LINK_FOUND = const("link found")
LINK_LOST = const("link lost")
TIMED_OUT = const("timed out")  # the state's limit has passed
FORGOTTEN = const("forgotten")  # it has passed in a state of REMINDING, and a card still lies in the slot

LIMITS_MS = {
    STARTING: 3_000,
    TYPING: 30_000,
    CHECKING: 3_000,
    ASKING: 3_000,  # longer than any answer takes on a line that works
    SUMMARY: 10_000,
    REFUSED: 10_000,
}

# Where a card in the slot is of no use any more.
REMINDING = (SUMMARY, REFUSED)

# Where a session is open: from its `opened` to its `settled`.
IN_SESSION = (OPENING, RUNNING, PAUSED, SETTLING)

TABLE = {
    STARTING: {
        CARD_IN: (REFUSED, "refuse_start"),
        CARD_UNREADY: (REFUSED, "refuse_start"),
        CARD_BAD: (REFUSED, "refuse_reason"),
        TIMED_OUT: (IDLE, "rest"),
    },
    IDLE: {
        CARD_IN: (ASKING, "ask"),
        CARD_UNREADY: (REFUSED, "refuse_unready"),
        CARD_BAD: (REFUSED, "refuse_reason"),
        DIGIT: (TYPING, "type_first"),
        DIGIT_LOCKED: (REFUSED, "refuse_locked"),
    },
    TYPING: {
        CARD_IN: (ASKING, "ask"),
        CARD_UNREADY: (REFUSED, "refuse_unready"),
        CARD_BAD: (REFUSED, "refuse_reason"),
        DIGIT: (TYPING, "type_more"),
        ERASED: (IDLE, "rest"),
        CODE_RIGHT: (OPENING, "open_booking"),
        CODE_SHORT: (TYPING, "say_short"),
        CODE_REFUSED: (REFUSED, "refuse_code"),
        CODE_UNKNOWN: (CHECKING, "look_up"),
        TIMED_OUT: (IDLE, "rest"),
    },
    CHECKING: {
        CARD_IN: (ASKING, "ask"),
        CARD_UNREADY: (REFUSED, "refuse_unready"),
        CARD_BAD: (REFUSED, "refuse_reason"),
        CODE_ANSWERED: (REFUSED, "refuse_looked_up"),
        LINK_LOST: (REFUSED, "refuse_unchecked"),
        TIMED_OUT: (REFUSED, "refuse_unchecked"),
    },
    ASKING: {
        CARD_OUT: (IDLE, "give_up"),
        GRANTED: (OPENING, "open_card"),
        DENIED: (REFUSED, "refuse"),
        LINK_LOST: (REFUSED, "refuse_away"),
        TIMED_OUT: (REFUSED, "refuse_away"),
    },
    OPENING: {
        WRITTEN: (RUNNING, "run"),
        NOT_WRITTEN: (REFUSED, "refuse_reason"),
    },
    RUNNING: {
        CARD_OUT: (SETTLING, "settle"),
        VISITOR_IN: (RUNNING, "question"),
        SAME_HOLDER: (SETTLING, "settle"),
        OTHER_HOLDER: (RUNNING, "say_busy"),
        OK: (PAUSED, "pause"),
        END_ONCE: (RUNNING, "say_end"),
        END_TWICE: (SETTLING, "settle"),
        STEP_USED: (RUNNING, "mark"),
        LOW: (RUNNING, "extend"),
        EXTENDED: (RUNNING, "take_more"),
        NOT_EXTENDED: (RUNNING, "take_no_more"),
        SPENT: (SETTLING, "settle_spent"),
        LINK_FOUND: (RUNNING, "hope"),
        LINK_LOST: (RUNNING, "doubt"),
        TIMED_OUT: (SETTLING, "settle_left"),
    },
    PAUSED: {
        CARD_OUT: (SETTLING, "settle"),
        VISITOR_IN: (PAUSED, "question"),
        SAME_HOLDER: (SETTLING, "settle"),
        OTHER_HOLDER: (PAUSED, "say_busy"),
        OK: (RUNNING, "go_on"),
        END_ONCE: (PAUSED, "say_end"),
        END_TWICE: (SETTLING, "settle"),
        STEP_USED: (PAUSED, "mark"),
        EXTENDED: (PAUSED, "take_more"),
        NOT_EXTENDED: (PAUSED, "take_no_more"),
        LINK_FOUND: (PAUSED, "hope"),
        LINK_LOST: (PAUSED, "doubt"),
        TIMED_OUT: (SETTLING, "settle_left"),
    },
    SETTLING: {
        WRITTEN: (SUMMARY, "show_summary"),
        NOT_WRITTEN: (SETTLING, "wait_for_room"),
        TIMED_OUT: (SETTLING, "settle_again"),
    },
    SUMMARY: {
        CARD_IN: (ASKING, "ask"),
        CARD_UNREADY: (REFUSED, "refuse_unready"),
        CARD_BAD: (REFUSED, "refuse_reason"),
        CARD_OUT: (SUMMARY, "stay"),
        DIGIT: (TYPING, "type_first"),
        DIGIT_LOCKED: (REFUSED, "refuse_locked"),
        TIMED_OUT: (IDLE, "rest"),
        FORGOTTEN: (SUMMARY, "remind"),
    },
    REFUSED: {
        CARD_IN: (ASKING, "ask"),
        CARD_UNREADY: (REFUSED, "refuse_unready"),
        CARD_BAD: (REFUSED, "refuse_reason"),
        CARD_OUT: (REFUSED, "stay"),
        DIGIT: (TYPING, "type_first"),
        DIGIT_LOCKED: (REFUSED, "refuse_locked"),
        TIMED_OUT: (IDLE, "rest"),
        FORGOTTEN: (REFUSED, "remind"),
    },
}
