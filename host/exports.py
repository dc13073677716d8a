"""Tables as CSV that a spreadsheet opens well: UTF-8 with a byte order mark, and no cell that is taken for a formula."""

import csv
import io
import re
from collections.abc import Iterable, Sequence

BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"
"""Without it Excel reads UTF-8 as the code page of its machine, and Chinese is noise."""

_FORMULA = re.compile(r"\s*[=+\-@\t\r\n]")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def to_csv(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """A CSV file. A text that a spreadsheet would take for a formula gets an apostrophe before it."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(heads)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return (BYTE_ORDER_MARK + text.getvalue()).encode("utf-8")


def _cell(value: object) -> str:
    text = str(value)
    return "'" + text if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text
