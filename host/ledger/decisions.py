"""Whether an ask is granted: the first table of MONEY 4, without a database.

Services gather a `Situation`, `decide` says what to answer and what to set aside.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from host.ledger.funds import Share, draw, of_wallets
from host.ledger.kinds import HoldKind, HoldState, ItemKind, TerminalKind
from host.ledger.rows import Account, Card, Hold
from protocol import codes
from protocol.card import EXPIRY_NONE
from protocol.messages import ASK_EXTEND, ASK_SALE, ASK_SHOWER, Ask

GRANTED = 0

_ASKS = {
    ASK_SALE: (HoldKind.SALE, TerminalKind.POS),
    ASK_SHOWER: (HoldKind.SHOWER, TerminalKind.SHOWER),
}
"""What a first ask sets aside, and which terminals may ask it."""


@dataclass(frozen=True, slots=True)
class Situation:
    """An ask, and what the ledger knows about it.

    `hold` stands under the ask's own name, `key`; `shares` is what each account bears of it. `account` is
    whom the subject charges, `payers` which of that holder's accounts may pay this merchant, in their order
    (ledger/funds.py). `busy_at`: the place where the holder has a shower open, "" for nowhere. `today`: days
    since 2020. `is_over`: the operator has closed the epoch.
    """

    ask: Ask
    key: int
    program: str
    epoch: int
    high_water: int
    hold: Hold | None
    account: Account | None
    card: Card | None
    is_closed: bool
    busy_at: str
    today: int
    single_fen: int
    session_fen: int
    payers: Sequence[Account] = ()
    shares: Sequence[Share] = ()
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer. `hold` is to be put in the place of the one under the ask's name, wallets bearing `parts`; None changes nothing."""

    code: int
    held_fen: int = 0
    lacking_fen: int = 0
    hold: Hold | None = None
    parts: tuple[Share, ...] = ()
    item: ItemKind | None = None


def decide(case: Situation) -> Decision:
    """Answer an ask for a sale, a shower or an extension. Granted: the hold is there once this is committed."""
    ask = case.ask
    if ask.epoch == 0 or ask.epoch != case.epoch or case.is_over:
        return Decision(codes.CLOSED)
    if ask.kind == ASK_EXTEND:
        return _extend(case)
    if ask.sequence <= case.high_water:
        return Decision(codes.CLOSED)
    if case.hold is not None:
        return _repeat(case.hold, ask)
    return _begin(case)


def _repeat(hold: Hold, ask: Ask) -> Decision:
    same = _kind_of(hold.kind) == ask.kind and (hold.subject_kind, hold.subject) == (ask.subject_kind, ask.subject)
    if same and (hold.asked_fen, hold.code) == (ask.amount_fen, ask.code):
        return Decision(GRANTED, held_fen=hold.amount_fen)
    return Decision(codes.REFUSED, item=ItemKind.ASK_DIFFERS)


def _begin(case: Situation) -> Decision:
    ask = case.ask
    kind, program = _ASKS.get(ask.kind, (None, None))
    if kind is None or case.program != program:
        return Decision(codes.REFUSED)
    if ask.amount_fen == 0:
        return Decision(codes.AMOUNT_ZERO)
    if ask.amount_fen > (case.single_fen if kind is HoldKind.SALE else case.session_fen):
        return Decision(codes.AMOUNT_TOO_LARGE)
    if case.account is None or case.card is None:
        return Decision(codes.CARD_UNKNOWN)
    if code := _refusal(case.card, is_closed=case.is_closed, today=case.today):
        return Decision(code)
    if kind is HoldKind.SHOWER and case.busy_at:
        return Decision(codes.BUSY)
    shares, lacking_fen = draw(ask.amount_fen, case.payers)
    if lacking_fen:
        return Decision(codes.BALANCE_LOW, lacking_fen=lacking_fen)
    parts = of_wallets(shares, case.account.number)
    hold = Hold(
        case.key,
        case.account.number,
        kind,
        HoldState.ASKED,
        ask.amount_fen,
        subject_kind=ask.subject_kind,
        subject=ask.subject,
        asked_fen=ask.amount_fen,
        code=ask.code,
        part_count=len(parts),
    )
    return Decision(GRANTED, held_fen=ask.amount_fen, hold=hold, parts=parts)


def _extend(case: Situation) -> Decision:
    """Raise a shower's hold to a total. What was used is kept in it: it settles an epoch that is lost."""
    ask, hold = case.ask, case.hold
    if hold is None or hold.kind != HoldKind.SHOWER:
        return Decision(codes.CLOSED)
    if (hold.subject_kind, hold.subject) != (ask.subject_kind, ask.subject) or case.account is None:
        return Decision(codes.REFUSED, held_fen=hold.amount_fen, item=ItemKind.ASK_DIFFERS)
    noted, item = _noted(hold, ask, hold.amount_fen)
    kept = Decision(GRANTED, held_fen=hold.amount_fen, hold=noted, parts=of_wallets(case.shares, hold.account), item=item)
    if ask.amount_fen > case.session_fen:
        return replace(kept, code=codes.AMOUNT_TOO_LARGE)
    if case.card is not None and case.card.denied_s is not None:
        return replace(kept, code=codes.CARD_DENIED)
    if case.is_closed:
        return replace(kept, code=codes.REFUSED)
    if ask.amount_fen <= hold.amount_fen:
        return kept
    shares, lacking_fen = draw(ask.amount_fen, case.payers, freed=case.shares, first=case.shares)
    if lacking_fen:
        return replace(kept, code=codes.BALANCE_LOW, lacking_fen=lacking_fen)
    parts = of_wallets(shares, hold.account)
    # After a restore the terminal may have gone on to what it was granted before: that total it asks for again.
    noted, item = _noted(hold, ask, ask.amount_fen)
    raised = replace(noted, amount_fen=ask.amount_fen, part_count=len(parts))
    return Decision(GRANTED, held_fen=ask.amount_fen, hold=raised, parts=parts, item=item)


def _noted(hold: Hold, ask: Ask, held_fen: int) -> tuple[Hold, ItemKind | None]:
    """Keep what was used, at most what was granted or asked for when it began: nobody may use more, so more is an item."""
    most_fen = max(held_fen, hold.asked_fen)
    kept = replace(hold, used_fen=max(hold.used_fen, min(ask.used_fen, most_fen)))
    return kept, ItemKind.MISMATCH if ask.used_fen > most_fen else None


def _refusal(card: Card, *, is_closed: bool, today: int) -> int:
    """Why a card may not begin anything; 0 if it may."""
    if card.denied_s is not None:
        return codes.CARD_DENIED
    if card.expiry_day != EXPIRY_NONE and card.expiry_day < today:
        return codes.CARD_EXPIRED
    return codes.REFUSED if is_closed else 0


def _kind_of(hold_kind: str) -> int:
    return next((ask for ask, (kind, _) in _ASKS.items() if kind == hold_kind), 0)
