"""The words of the ledger: kinds and states as they stand in the database."""

from enum import StrEnum

from protocol import record as kinds


class AccountKind(StrEnum):
    """Whose money an account is."""

    HOLDER = "holder"
    WALLET = "wallet"
    """A part of a holder's money, for some merchants, for some time."""
    MIRROR = "mirror"
    """What a card's purse should hold; a debt to its holder."""
    MERCHANT = "merchant"
    CASH = "cash"
    BANK = "bank"
    CHANNEL = "channel"
    FEES = "fees"
    GIVER = "giver"
    """Who pays subsidies: its balance falls below zero as it gives."""
    LOSS = "loss"
    """What the school bears: its balance falls below zero."""
    SUSPENSE = "suspense"
    """Money with no known owner, until the office finds one."""


class HoldKind(StrEnum):
    """What a hold was set aside for."""

    SALE = "sale"
    SHOWER = "shower"
    LOAD = "load"
    BOOKING = "booking"
    PURSE = "purse"
    """Not asked for: what a purse shower has deducted from its card, under way in the mirror."""


class HoldState(StrEnum):
    """How far a hold is."""

    ASKED = "asked"
    """Ends with the next record of its terminal and epoch, at its name or after."""
    TAKEN = "taken"
    """Ends only by a record that names it."""


class TerminalKind(StrEnum):
    """What runs there."""

    SHOWER = "shower"
    POS = "pos"
    HOST = "host"


class DeviceKind(StrEnum):
    """The terminals that are boards."""

    SHOWER = TerminalKind.SHOWER
    POS = TerminalKind.POS


class ReservationState(StrEnum):
    """How far a booking is."""

    OPEN = "open"
    USED = "used"
    """An `opened` has taken its hold over."""
    CANCELLED = "cancelled"
    """Taken off the list; its money waits for the stall to confirm."""
    FREED = "freed"


class ItemKind(StrEnum):
    """What somebody must look at."""

    ALTERED = "altered"
    """A name came again with other bytes; the evidence is those bytes."""
    ASK_DIFFERS = "ask_differs"
    """A name was asked for twice with different content."""
    BAD_TAC = "bad_tac"
    UNREADABLE = "unreadable"
    """64 bytes under a known name that are no record of this version."""
    STRAY = "stray"
    """Bytes that name no record this terminal could send."""
    UNKNOWN_SUBJECT = "unknown_subject"
    NOT_EFFECTIVE = "not_effective"
    """A kind this host takes in without an effect of its own; its money is in suspense."""
    UNCOVERED = "uncovered"
    """Neither hold nor balance covered a charge: the school's loss, or for a purse, suspense."""
    MISMATCH = "mismatch"
    """A record names a hold of somebody else, or one that was settled before."""
    GAP = "gap"
    """Records the terminal can no longer send."""
    LATE = "late"
    """A record inside a gap came after all."""
    JOURNAL_OLDER = "journal_older"
    """A terminal's journal is new, wiped or swapped: it has a new epoch, the old one stays open."""
    HOST_BEHIND = "host_behind"
    """A terminal has an epoch this ledger never gave: the ledger was restored from a backup."""
    REFUND = "refund"
    """A void or refund above what is left of its sale; its money is in suspense."""
    REQUEST_TWICE = "request_twice"
    """A host record that came late, from a journal file: its request was answered by another record meanwhile; it has no effect."""
    UNDECIDED = "undecided"
    """As `uncovered`, but found while a restore waits: decided when the wait ends, since the money may still come."""
    FAULT = "fault"
    """A terminal reports a fault; the amount column has its error code."""


KIND_NAMES = {
    kinds.SALE: "sale",
    kinds.OPENED: "opened",
    kinds.STEP: "step",
    kinds.SETTLED: "settled",
    kinds.LOAD: "load",
    kinds.VOID: "void",
    kinds.REFUND: "refund",
    kinds.NOTHING: "nothing",
    kinds.STARTED: "started",
    kinds.ACTIVATED: "activated",
    kinds.SHIFT: "shift",
    kinds.FAULT: "fault",
    kinds.RECHARGE: "recharge",
    kinds.BOOKING: "booking",
    kinds.CANCEL: "cancel",
    kinds.CUT: "cut",
    kinds.ADJUST: "adjust",
}
"""What people call the kinds of records."""
