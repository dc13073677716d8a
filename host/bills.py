"""Bills of holders, for those who ask by number: a page on a screen, or all of it as a file."""

from host.errors import InvalidValue
from host.exports import to_csv
from host.holders import need_holder
from host.ledger.bills import PAGE_COUNT, BillLine, Cursor, Wish, bill, whole_bill
from host.ledger.books import Books
from host.ledger.clock import day_text
from host.ledger.contract import Ledger
from host.ledger.reports import KIND_NAMES, yuan
from host.ledger.rows import Holder

HEADS = ("营业日 day", "时间 time", "类型 kind", "对方 other party", "变动 change", "金额 amount", "原属 written on", "记录 record")


def page(
    ledger: Ledger, number: str, wish: Wish | None = None, *, after: Cursor | None = None, limit: int = PAGE_COUNT
) -> tuple[Holder, list[BillLine]]:
    """A holder, and a page of the bill, newest first; go on `after` the last line's cursor. Raises `NotFound`, `InvalidValue`."""
    asked = _checked(wish or Wish())

    def read(books: Books) -> tuple[Holder, list[BillLine]]:
        holder = need_holder(books, number)
        return holder, bill(books, holder.account, asked, after=after, limit=limit)

    return ledger.view(read)


def export(ledger: Ledger, number: str, wish: Wish) -> bytes:
    """The whole bill as a CSV file. Raises `NotFound`, `InvalidValue`."""
    asked = _checked(wish)

    def read(books: Books) -> bytes:
        text = books.settings.site.local_text
        lines = whole_bill(books, need_holder(books, number).account, asked)
        return to_csv(HEADS, (cells(line, text(line.at_s)) for line in lines))

    return ledger.view(read)


def cells(line: BillLine, time_text: str) -> tuple[str, ...]:
    """A line as people read it, in the order of `HEADS`."""
    other = line.credit_label if line.change_fen <= 0 else line.debit_label
    origin = day_text(line.origin) if line.origin else ""
    return (day_text(line.date), time_text, line.kind, other, yuan(line.change_fen), yuan(line.amount_fen), origin, line.name)


def _checked(wish: Wish) -> Wish:
    if unknown := wish.kinds - set(KIND_NAMES.values()):
        raise InvalidValue(f"类型不对 kind {', '.join(sorted(unknown))}: known are {', '.join(sorted(KIND_NAMES.values()))}")
    if wish.to_date and wish.from_date > wish.to_date:
        raise InvalidValue(f"日期不对 from {day_text(wish.from_date)} to {day_text(wish.to_date)}: the first must not be later")
    return wish
