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


class CommitUnknown(LedgerAway):
    """The answer to a commit was lost, and so is whether it was written. The same request again, by its own name or key, finds out."""


class ServerUnfit(OnecardError):
    """A database server, or the role the host has there, that money must not be trusted to; the message has what mends it."""


class CopyMissing(OnecardError):
    """What was done is in the ledger, but its copy is not in the journal file: it may not be called done."""

    exit_code = EXIT_BUSY


class RequestDiffers(OnecardError):
    """A request's key was used before, for something else; `request` and `field` say which key, and what is other."""

    def __init__(self, request: str, record: str, field: str, *, there: object, here: object) -> None:
        super().__init__(
            f"请求号已用过 request key {request!r} stands for record {record} with another {field}: {there} there, {here} here; "
            "nothing was done; use a new key for a new request"
        )
        self.request = request
        self.field = field


class RestoreWaiting(OnecardError):
    """The ledger was restored, and what is asked for must wait until all terminals have delivered."""

    exit_code = EXIT_BUSY


class QueryWrong(OnecardError):
    """A question to the ledger that the database does not understand, or does not allow."""

    exit_code = EXIT_USAGE


class BackupWrong(OnecardError):
    """A backup is incomplete, damaged, or not of this site; the message says what to try."""


class TryAgain(LedgerAway):
    """The database broke a transaction off for another's sake (deadlock, serialization): nothing of it stays, and it may work now."""


class TransactionLost(LedgerAway):
    """The database has rolled back a whole commit, not one job of it."""


class RuleBroken(OnecardError):
    """The database itself refused a row: a name stands already, a balance would fall too low, what is posted would change."""


class NeedsAlone(OnecardError):
    """What a terminal sent touches more than its own rows: it is answered in a commit of its own."""


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


class AlreadyClosed(OnecardError):
    """An item of the worklist was closed before."""

    def __init__(self, number: int) -> None:
        super().__init__(f"差错已结 item {number} is closed already: `onecard audit --subject {number}` says by whom and why")
        self.number = number


class DayNotReady(OnecardError):
    """A business day cannot be closed, archived or reported just now; the message says what is missing."""
