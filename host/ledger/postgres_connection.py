"""Connections to PostgreSQL that are fit for money: what is set on each, and what refuses one.

Passwords are never in a message: a url is shown by `shown`, and the service or the password file of libpq keep them
out of onecard.toml (docs/operating.md).
"""

import queue
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from host.errors import LedgerAway, RuleBroken, ServerUnfit, SettingsWrong, TryAgain
from host.ledger.postgres_arrays import teach
from host.ledger.postgres_schema import statement

LOCK_TIMEOUT_S = 10
"""How long a commit waits for another process: many times the longest batch."""
READER_COUNT = 4
"""Connections of one process for pages and reports; with the writer's that is five."""
LEAST_VERSION = 140_000

_CONNECT_TIMEOUT_S = 5
_DEFAULTS: dict[str, Any] = {
    "application_name": "onecard",
    "connect_timeout": _CONNECT_TIMEOUT_S,
    "client_encoding": "UTF8",
    # Of several hosts the one that can write: after a failover that is another one.
    "target_session_attrs": "read-write",
    # A server that is gone without a word is noticed within seconds, not in two hours.
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}


def connect(url: str) -> psycopg.Connection[Any]:
    """Open a connection and check it.

    Raises `LedgerAway` when the server cannot be reached, `ServerUnfit` when money must not be kept there,
    `SettingsWrong` when the url is none.
    """
    parameters = {**_DEFAULTS, **_parse(url)}
    try:
        connection = psycopg.connect(**parameters, autocommit=True)
    except psycopg.Error as error:
        raise LedgerAway(
            f"账本数据库连不上 the ledger's database {shown(url)} cannot be reached ({_first_line(error)}): "
            "look whether PostgreSQL is up, and whether role, database and password are right (docs/operating.md)"
        ) from error
    try:
        teach(connection)
        connection.execute(statement(f"SET lock_timeout = '{LOCK_TIMEOUT_S}s'"))
        _check(connection)
    except psycopg.Error as error:
        connection.close()
        raise away(error) from error
    except BaseException:
        connection.close()
        raise
    return connection


def shown(url: str) -> str:
    """A url as people may see it: where, which database, as whom."""
    parameters = _parse(url)
    where = parameters.get("service") or parameters.get("host") or "localhost"
    return f"{parameters.get('dbname', '')} at {where} as {parameters.get('user', 'the default role')}".strip()


def meaning(error: psycopg.Error) -> Exception:
    """What a database's error means to whoever gave the job."""
    if isinstance(error, psycopg.OperationalError) and (error.sqlstate or "").startswith("40"):
        return TryAgain(f"账本暂不可写 the database broke a commit off for another's sake ({_first_line(error)}): try again")
    if isinstance(error, psycopg.IntegrityError | psycopg.DataError):
        return RuleBroken(_first_line(error))
    return away(error)


def away(error: psycopg.Error) -> LedgerAway:
    """The database cannot just now; nothing was changed."""
    return LedgerAway(
        f"账本暂不可写 the ledger cannot be written ({_first_line(error)}): nothing was changed; look at the database, then try again"
    )


def begin_reading(connection: psycopg.Connection[Any]) -> None:
    """Begin a transaction that sees one moment and may not write; no table is made or dropped before it ends.

    Names of tables are looked up in the newest state, rows in the snapshot's: a day that is archived in between would be in
    neither. So the lock comes first; LOCK TABLE is the one statement that takes no snapshot (PostgreSQL's manual, LOCK).
    Raises `LedgerAway` when a day is being archived for longer than `LOCK_TIMEOUT_S`.
    """
    try:
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; LOCK TABLE days IN ACCESS SHARE MODE")
    except psycopg.errors.LockNotAvailable as error:
        raise LedgerAway("账本暂不可读 a business day is being closed or archived: try again in a moment") from error


class Readers:
    """A few connections for many threads; whoever finds none waits. They are made when they are needed."""

    def __init__(self, url: str) -> None:
        self._url = url
        # The last one given back is the first to be taken, so that idle ones stay unmade.
        self._free: queue.LifoQueue[psycopg.Connection[Any] | None] = queue.LifoQueue()
        for _ in range(READER_COUNT):
            self._free.put(None)

    @contextmanager
    def snapshot(self) -> Generator[psycopg.Connection[Any]]:
        """A connection in a transaction that sees one moment and may not write."""
        try:
            connection = self._free.get(timeout=LOCK_TIMEOUT_S)
        except queue.Empty:
            raise LedgerAway(f"账本暂不可读 all {READER_COUNT} readers of the ledger are busy: try again in a moment") from None
        try:
            connection = self._begun(connection)
            yield connection
        finally:
            if connection is not None and not ended(connection):
                connection = None
            self._free.put(connection)

    def close(self) -> None:
        """Close those that nobody uses."""
        for _ in range(READER_COUNT):
            try:
                connection = self._free.get_nowait()
            except queue.Empty:
                return
            if connection is not None:
                connection.close()
            self._free.put(None)

    def _begun(self, connection: psycopg.Connection[Any] | None) -> psycopg.Connection[Any]:
        if connection is not None:
            try:
                begin_reading(connection)
            except psycopg.OperationalError:
                connection.close()  # the server was restarted meanwhile
            else:
                return connection
        connection = connect(self._url)
        try:
            begin_reading(connection)
        except BaseException:
            connection.close()
            raise
        return connection


def ended(connection: psycopg.Connection[Any]) -> bool:
    """End a connection's transaction, if it is in one, and say whether the connection can be used again."""
    try:
        if not connection.closed and connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            connection.execute("ROLLBACK")
    except psycopg.Error:
        connection.close()
    if connection.closed:
        return False
    if connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE:
        return True
    connection.close()
    return False


def _check(connection: psycopg.Connection[Any]) -> None:
    """Refuse a server, and a role, that would lose money or put the others at risk; say the statement that mends it."""
    if connection.info.server_version < LEAST_VERSION:
        raise ServerUnfit(f"PostgreSQL 版本过旧 the server is {connection.info.server_version // 10_000}: 14 or later is needed")
    for name, wrong in (("synchronous_commit", "off"), ("fsync", "off"), ("full_page_writes", "off")):
        if _setting(connection, name) == wrong:
            raise ServerUnfit(
                f"数据库会丢账 {name} is off, so a power cut loses what was committed: ALTER SYSTEM SET {name} = on, and reload"
            )
    if (encoding := _setting(connection, "server_encoding")) != "UTF8":
        raise ServerUnfit(f"编码不对 the database is in {encoding}: make it with createdb --encoding UTF8 --template template0")
    row = connection.execute("SELECT rolname, rolsuper, rolconnlimit FROM pg_roles WHERE rolname = current_user").fetchone()
    assert row is not None, "a session has a role"
    name, is_super, limit = row
    if is_super:
        raise ServerUnfit(f"角色权限过大 {name} is a superuser, whom no guard stops: ALTER ROLE {name} NOSUPERUSER, or make another role")
    if limit < 0:
        raise ServerUnfit(f"角色没有连接上限 {name} could take every connection of the server: ALTER ROLE {name} CONNECTION LIMIT 40")


def _setting(connection: psycopg.Connection[Any], name: str) -> str:
    row = connection.execute("SELECT current_setting(%s)", (name,)).fetchone()
    return str(row[0]) if row else ""


def _parse(url: str) -> dict[str, Any]:
    try:
        return dict(conninfo_to_dict(url))
    except psycopg.ProgrammingError:
        # libpq's own words may quote the url, and a password in it.
        raise SettingsWrong(
            ["[ledger] url is no address of a database: write postgresql://ROLE@HOST/DATABASE (docs/operating.md)"]
        ) from None


def _first_line(error: psycopg.Error) -> str:
    return (error.diag.message_primary or str(error).strip().partition("\n")[0] or type(error).__name__).strip()
