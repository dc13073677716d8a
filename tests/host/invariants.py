"""The laws of the books (ROBUSTNESS 2), written once: what is true after every step, whatever happened before.

Each is recomputed naively from the rows, and takes nothing that the rules of the ledger have computed.
"""

from collections import Counter, defaultdict

from host.ledger.kinds import AccountKind, HoldKind, HoldState
from host.ledger.rows import Account, Epoch, Hold, HoldPart, Movement, Refund, Reversal
from protocol.record import unpack_key
from tests.host.site import Site

_LEG_MASK = 15


def assert_books_hold(site: Site) -> None:
    """Every law, and the proof of the books beside them (chain, TACs, names, seals)."""
    accounts = {row.number: row for row in site.rows(Account)}
    movements, holds = site.rows(Movement), site.holds()
    _sums_are_zero(accounts, movements)
    _nobody_is_below_nothing(accounts, holds, site.rows(HoldPart))
    _asked_holds_are_ahead(site, holds)
    _refunds_are_within_their_sales(site, movements)
    site.prove()


def _sums_are_zero(accounts: dict[int, Account], movements: list[Movement]) -> None:
    """1, 2, 12: debits are credits, a balance is the sum of its movements, and what holders and merchants have is what came in."""
    sums: Counter[int] = Counter()
    for row in movements:
        sums[row.debit] -= row.amount_fen
        sums[row.credit] += row.amount_fen
    assert {number: row.balance_fen for number, row in accounts.items() if row.balance_fen} == {k: v for k, v in sums.items() if v}
    assert sum(row.balance_fen for row in accounts.values()) == 0
    assert len({row.key for row in movements}) == len(movements)


def _nobody_is_below_nothing(accounts: dict[int, Account], holds: list[Hold], parts: list[HoldPart]) -> None:
    """3, 11: what is held is what the holds and their parts say; available is never below zero; a mirror, with its loads, neither."""
    held: Counter[int] = Counter()
    of_wallets: defaultdict[int, list[HoldPart]] = defaultdict(list)
    for part in parts:
        of_wallets[part.key].append(part)
        held[part.account] += part.amount_fen
    loads: Counter[int] = Counter()
    for hold in holds:
        mine = of_wallets.pop(hold.key, [])
        assert len(mine) == hold.part_count
        held[hold.account] += hold.amount_fen - sum(part.amount_fen for part in mine)
        if hold.kind == HoldKind.LOAD:
            loads[accounts[hold.account].owner] += hold.amount_fen
    assert not of_wallets, "a part without its hold"
    for number, row in accounts.items():
        assert row.held_fen == held[number], row
        if row.kind in (AccountKind.HOLDER, AccountKind.WALLET):
            assert row.available_fen >= 0, row
        if row.kind == AccountKind.MIRROR:
            assert row.balance_fen + loads[row.owner] >= 0, row


def _asked_holds_are_ahead(site: Site, holds: list[Hold]) -> None:
    """11: a hold only asked for has a name its terminal has not come to; a closed epoch has none."""
    epochs = {(row.terminal, row.epoch): row for row in site.rows(Epoch)}
    for hold in holds:
        name, _ = unpack_key(hold.key)
        if hold.state == HoldState.ASKED:
            epoch = epochs[name.terminal, name.epoch]
            assert not epoch.is_closed, hold
            # A gap moves the high water by itself; the next record ends what was asked for in it.
            assert name.sequence > 0, hold


def _refunds_are_within_their_sales(site: Site, movements: list[Movement]) -> None:
    """4: refunds and reversals of a sale add up to the sale at most; nothing is reversed twice."""
    by_key: defaultdict[int, list[Movement]] = defaultdict(list)
    for row in movements:
        by_key[row.key & ~_LEG_MASK].append(row)
    merchants = {row.number for row in site.rows(Account) if row.kind == AccountKind.MERCHANT}
    back: Counter[int] = Counter()
    for refund in site.rows(Refund):
        if not refund.is_waiting:
            back[refund.sale] += refund.amount_fen
    for sale, back_fen in back.items():
        assert back_fen <= sum(row.amount_fen for row in by_key[sale] if row.credit in merchants), sale
    reversals = site.rows(Reversal)
    assert len({row.reversed for row in reversals}) == len(reversals)
