"""What commands print: plain lines, columns that line up with Chinese in them, one line for an error."""

import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import typer
from rich.cells import cell_len
from typer.core import TyperGroup

from host.errors import EXIT_CUT, EXIT_FAILED, OnecardError, SettingsWrong


class Commands(TyperGroup):
    """The root of the commands: an error becomes one line saying what to do, and an exit code (docs/ledger.md)."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
        for stream in (sys.stdout, sys.stderr):
            # A terminal that cannot say a character gets "?" for it, not a traceback.
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="replace")  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
        try:
            return super().invoke(ctx)
        except OnecardError as error:
            for line in error.problems if isinstance(error, SettingsWrong) else (str(error),):
                typer.echo(f"onecard: {line}", err=True)
            raise typer.Exit(error.exit_code) from error
        except KeyboardInterrupt:
            raise typer.Exit(EXIT_CUT) from None
        except BrokenPipeError:
            # Whoever read our output has gone (`| head`); nothing may be flushed to it at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(EXIT_FAILED) from None
        except OSError as error:
            where = f" {error.filename}" if error.filename else ""
            typer.echo(f"onecard: 文件出错 {error.strerror}{where}: check the path, its rights and the disk", err=True)
            raise typer.Exit(EXIT_FAILED) from error


def print_table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows in columns; numbers stand to the right."""
    lines = [list(heads)] + [[str(cell) for cell in row] for row in rows]
    right = [_is_number(column[1:]) for column in zip(*lines, strict=True)]
    widths = [max(cell_len(cell) for cell in column) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = [_padded(cell, width, right=to_right) for cell, width, to_right in zip(line, widths, right, strict=True)]
        typer.echo("  ".join(cells).rstrip())


def _is_number(cells: Sequence[str]) -> bool:
    return bool(cells) and all(cell.lstrip("-").replace(".", "", 1).isdecimal() for cell in cells)


def _padded(cell: str, width: int, *, right: bool) -> str:
    space = " " * (width - cell_len(cell))
    return space + cell if right else cell + space
