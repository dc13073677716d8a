"""What the host cannot grant, as exceptions under one base, with the facts as attributes.

Noise, lost lines and pulled cards are no exceptions (they are events), and neither is our own mistake
(an assertion). A message names the thing, the value and the remedy; code looks at the type.
"""

from collections.abc import Sequence

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_MISSING = 3
EXIT_BUSY = 4
EXIT_CUT = 130


class OnecardError(Exception):
    """The base of all of them; `exit_code` is what a command ends with."""

    exit_code = EXIT_FAILED


class SettingsWrong(OnecardError):
    """onecard.toml or the environment cannot be used; `problems` has them all, one line each."""

    exit_code = EXIT_USAGE

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


class KeyMissing(OnecardError):
    """The site key or a token is not there, or others may read it."""

    exit_code = EXIT_MISSING


class MissingTool(OnecardError):
    """A program this needs is not installed; the message has the command that installs it."""

    exit_code = EXIT_MISSING


class CompileFailed(OnecardError):
    """A file of the firmware does not compile."""


class DataMissing(OnecardError):
    """There is no data folder, no onecard.toml in it, or no ledger where it says."""

    exit_code = EXIT_MISSING


class LedgerUnreadable(OnecardError):
    """What lies there is no ledger of ours, is damaged, or was written by a newer version."""


class LedgerAway(OnecardError):
    """The ledger cannot be written just now (locked too long, disk full, disk error). Nothing was changed."""

    exit_code = EXIT_BUSY


class AlreadyThere(OnecardError):
    """A number, UID, place or address is taken; `thing` and `value` say which."""

    def __init__(self, thing: str, value: object, remedy: str = "") -> None:
        super().__init__(f"{thing} {value} 已存在 is taken already{': ' + remedy if remedy else ''}")
        self.thing = thing
        self.value = value


class NotFound(OnecardError):
    """No such holder, card, terminal or booking; `thing` and `value` say which."""

    exit_code = EXIT_MISSING

    def __init__(self, thing: str, value: object, remedy: str = "") -> None:
        super().__init__(f"没有 no {thing} {value}{': ' + remedy if remedy else ''}")
        self.thing = thing
        self.value = value


class InvalidValue(OnecardError):
    """A value is outside what is allowed; the message says what is."""

    exit_code = EXIT_USAGE


class InsufficientFunds(OnecardError):
    """The account has less available than is asked for."""

    def __init__(self, *, available_fen: int, lacking_fen: int) -> None:
        super().__init__(f"余额不足 {lacking_fen} fen are lacking, {available_fen} fen are available: recharge first")
        self.available_fen = available_fen
        self.lacking_fen = lacking_fen


class AlreadyEnded(OnecardError):
    """A booking was used, cancelled or has run out; `state` says which."""

    def __init__(self, code: str, state: str) -> None:
        super().__init__(f"预约已结束 booking {code} is {state} already")
        self.state = state
