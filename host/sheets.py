"""Lists that people bring as files: CSV in whatever their spreadsheet writes, or XLSX.

CSV is UTF-8 with or without BOM, else GB18030 (Excel on a Chinese Windows). Everything is text here: what
a number means is said by whoever reads the list.
"""

import csv
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from host.errors import InvalidValue

MOST_BYTES = 16 * 1024 * 1024
MOST_ROWS = 100_000
_MOST_COLUMNS = 20
_MOST_UNPACKED = 256 * 1024 * 1024
"""An XLSX file is a zip archive: one that would fill the memory is refused before it is unpacked."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """The rows of a list that are not empty: their number in the file, from 1, and their cells. `encoding`: how it was read."""

    encoding: str
    rows: tuple[tuple[int, tuple[str, ...]], ...]


def read(path: Path) -> Sheet:
    """Read a list. Raises `InvalidValue` for what is none, or too large, and `OSError`."""
    data = path.read_bytes() if path.stat().st_size <= MOST_BYTES else b""
    if not data:
        raise InvalidValue(f"文件不对 {path.name} is empty, or larger than {MOST_BYTES >> 20} MB")
    suffix = path.suffix.lower()
    if suffix == ".xlsx":
        sheet = Sheet("XLSX", _kept(_read_xlsx(path.name, data)))
    elif suffix == ".csv":
        text, encoding = _decode(path.name, data)
        try:
            sheet = Sheet(encoding, _kept(list(csv.reader(io.StringIO(text, newline=""), strict=True))))
        except csv.Error as error:
            raise InvalidValue(f"文件不对 {path.name} is no CSV ({error}): save it again from the spreadsheet") from error
    else:
        raise InvalidValue(f"文件类型不对 {path.name}: a .csv or .xlsx file")
    if len(sheet.rows) > MOST_ROWS:
        raise InvalidValue(f"行数太多 {path.name} has {len(sheet.rows)} rows: up to {MOST_ROWS}; split it")
    return sheet


def _decode(name: str, data: bytes) -> tuple[str, str]:
    for encoding, words in (("utf-8-sig", "UTF-8"), ("gb18030", "GB18030")):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            break
        return text, words
    raise InvalidValue(f"文件编码不对 {name} is neither UTF-8 nor GB18030 text: save it as CSV UTF-8")


def _read_xlsx(name: str, data: bytes) -> list[list[str]]:
    # Here, so that nobody pays for it who reads no spreadsheet.
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(each.file_size for each in archive.infolist()) > _MOST_UNPACKED:
                raise InvalidValue(f"文件过大 {name} unpacks to more than {_MOST_UNPACKED >> 20} MB")
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        # What the file says of its size is a claim: a row or column more than allowed is enough to refuse it.
        rows = sheet.iter_rows(max_row=MOST_ROWS + 1, max_col=_MOST_COLUMNS, values_only=True)
        return [["" if cell is None else str(cell) for cell in row] for row in rows]
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, IndexError, EOFError, SyntaxError) as error:
        raise InvalidValue(f"文件不对 {name} is no XLSX workbook ({error}): save it again from the spreadsheet") from error


def _kept(rows: Sequence[Sequence[str]]) -> tuple[tuple[int, tuple[str, ...]], ...]:
    cleaned = ((number, tuple(cell.strip() for cell in row)) for number, row in enumerate(rows, start=1))
    return tuple((number, cells) for number, cells in cleaned if any(cells))
