"""A PostgreSQL server of the tests' own: an unprivileged process in a temporary folder, on a unix socket, ended by its number.

Nothing here is faked: fsync is on, and a commit is on disk when it returns. Each test gets a fresh database, copied from a
migrated one. The server listens on no network. It ends with the tests, and with the process that runs them if that is killed.
"""

import atexit
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import threading
from collections import deque
from itertools import count
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg.sql import SQL, Composable, Identifier, Literal

ROLE = "onecard"
"""Who the host is, as docs/operating.md tells to make it: no superuser, a connection limit."""
ADMIN = "admin"
CONNECTION_LIMIT = 200

_READY = "database system is ready to accept connections"
_START_TIMEOUT_S = 60.0
_START_TRIES = 50
"""After a kill the server's children may hold its memory for a moment; each try waits for a process, not for a time."""
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "on",
    "max_connections": "250",
    "shared_buffers": "32MB",
    "jit": "off",
    "recovery_init_sync_method": "syncfs",
    "max_prepared_transactions": "0",
}


class ServerMissing(Exception):
    """PostgreSQL is not installed, or would not start."""


class Server:
    """One server. `start` it, take databases of it, `stop` it; `kill` is the power going."""

    def __init__(self) -> None:
        self._bin = _find_bin()
        self._user = _unprivileged_user()
        # Short, and not pytest's: a unix socket's path has at most 107 bytes, and root's folders are closed to other users.
        self.folder = Path(tempfile.mkdtemp(prefix="onecard-pg-"))
        if self._user:
            shutil.chown(self.folder, self._user, _group(self._user))
        self._data = self.folder / "data"
        self._process: subprocess.Popen[str] | None = None
        self._lines: deque[str] = deque(maxlen=200)
        self._numbers = count(1)
        self._spare: list[str] = []
        self._templates: dict[str, tuple[list[tuple[Any, ...]], str]] = {}
        self._run("initdb", "-D", str(self._data), "-U", ADMIN, "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        for _ in range(_START_TRIES):
            if self._start_once():
                return
        raise ServerMissing("PostgreSQL does not start:\n" + "".join(self._lines))

    def stop(self) -> None:
        """End it in good order, and remove its folder."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(_START_TIMEOUT_S)
            self._process = None
        shutil.rmtree(self.folder, ignore_errors=True)

    def kill(self) -> None:
        """End all its processes at once, as a power cut does."""
        assert self._process is not None
        number = self._process.pid
        children = Path(f"/proc/{number}/task/{number}/children").read_text().split()
        self._process.kill()
        self._process.wait()
        self._process = None
        for child in children:
            try:
                os.kill(int(child), signal.SIGKILL)
            except ProcessLookupError:
                continue

    def url(self, database: str, *, role: str = ROLE, host: str = "") -> str:
        """What stands in `[ledger] url`. `host`: a folder with another socket (a proxy's) in it."""
        return f"postgresql:///{database}?user={role}&host={host or self.folder}"

    def admin(self, *statements: LiteralString, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run statements as the superuser, each by itself; the rows of the last."""
        with psycopg.connect(self.url(database, role=ADMIN), autocommit=True) as connection:
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def create(self, template: str = "template1") -> str:
        """Make a database that belongs to the host's role, and name it."""
        name = f"ledger_{next(self._numbers)}"
        self.admin(f"CREATE DATABASE {name} OWNER {ROLE} TEMPLATE {template}")  # type: ignore[arg-type]
        return name

    def drop(self, database: str) -> None:
        """Remove it, whoever is still connected."""
        self.admin(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")  # type: ignore[arg-type]

    def lend(self, template: str) -> str:
        """A database that is as the template is: one that was given back, or a new one."""
        return self._spare.pop() if self._spare else self.create(template)

    def take_back(self, database: str, template: str) -> None:
        """Make it as the template again, for the next test; drop it if a test has changed more than rows.

        To copy a database takes a third of a second, to empty its few rows a hundredth.
        """
        if template not in self._templates:
            self._templates[template] = (self._shape(template), self.contents(template))
        shape, contents = self._templates[template]
        if self._shape(database) == shape:
            self.put(database, contents)
            self._spare.append(database)
        else:
            self.drop(database)

    def contents(self, database: str) -> str:
        """All rows of a database, as a script for `put`: small ones only."""
        with psycopg.connect(self.url(database, role=ADMIN)) as connection:
            query = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
            parts: list[Composable] = [SQL("SET session_replication_role = replica")]  # the guards guard against the likes of us
            for (name,) in connection.execute(query).fetchall():
                parts.append(SQL("DELETE FROM {}").format(Identifier(name)))
                rows = connection.execute(SQL("SELECT * FROM {}").format(Identifier(name))).fetchall()
                values = [SQL("({})").format(SQL(", ").join(map(Literal, row))) for row in rows]
                parts += [SQL("INSERT INTO {} VALUES {}").format(Identifier(name), SQL(", ").join(values))] if values else []
            parts.append(SQL("SELECT setval(oid, 1, false) FROM pg_class WHERE relkind = 'S'"))
            return SQL("; ").join(parts).as_string(connection)

    def put(self, database: str, contents: str) -> None:
        """Let a database have these rows and no others; whoever is in the middle of something there is thrown out."""
        others = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}' AND state LIKE 'idle in%'"
        with psycopg.connect(self.url(database, role=ADMIN)) as connection:
            connection.execute(SQL("{}; {}").format(SQL(others), SQL(contents)))  # type: ignore[arg-type]

    def _shape(self, database: str) -> list[tuple[Any, ...]]:
        """All that is in a database beside rows."""
        return self.admin(
            """
            SELECT 'column', c.relname::text, a.attname::text, a.atttypid::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
                WHERE c.relnamespace = 'public'::regnamespace AND a.attnum > 0
            UNION ALL SELECT 'trigger', t.tgname, pg_get_triggerdef(t.oid), t.tgenabled::text FROM pg_trigger t WHERE NOT t.tgisinternal
            UNION ALL SELECT 'function', p.proname, p.prosrc, '' FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace
            UNION ALL SELECT 'view', v.viewname, v.definition, '' FROM pg_views v WHERE v.schemaname = 'public'
            ORDER BY 1, 2, 3, 4
            """,
            database=database,
        )

    def _start_once(self) -> bool:
        ready = threading.Event()
        options = [word for name, value in _SETTINGS.items() for word in ("-c", f"{name}={value}")]
        command = [str(self._bin / "postgres"), "-D", str(self._data), "-k", str(self.folder), *options]
        if setpriv := shutil.which("setpriv"):
            command = [setpriv, "--pdeathsig", "INT", *command]
        self._process = subprocess.Popen(command, cwd=self.folder, stderr=subprocess.PIPE, text=True, **self._identity())
        threading.Thread(target=self._listen, args=(self._process, ready), daemon=True).start()
        if ready.wait(_START_TIMEOUT_S) and self._process.poll() is None:
            return True
        self._process.kill()
        self._process.wait()
        self._process = None
        return False

    def _listen(self, process: "subprocess.Popen[str]", ready: threading.Event) -> None:
        """Keep what it says, and note when it is ready or has ended."""
        assert process.stderr is not None
        with process.stderr:
            for line in process.stderr:
                self._lines.append(line)
                if _READY in line:
                    ready.set()
        process.wait()
        ready.set()

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._bin / program), *arguments], cwd=self.folder, capture_output=True, text=True, check=False, **self._identity()
        )
        if done.returncode:
            raise ServerMissing(f"{program} failed:\n{done.stdout}{done.stderr}")

    def _identity(self) -> dict[str, Any]:
        """PostgreSQL refuses to run as root."""
        return {"user": self._user, "group": _group(self._user), "extra_groups": []} if self._user else {}


def start_server() -> Server:
    """A server with the host's role in it. Raises `ServerMissing`, with what to install."""
    server = Server()
    try:
        server.start()
        server.admin(f"CREATE ROLE {ROLE} LOGIN CONNECTION LIMIT {CONNECTION_LIMIT}")  # type: ignore[arg-type]
    except BaseException:
        server.stop()
        raise
    return server


def shared_server() -> Server:
    """The one server of this process, started when a test first asks for it."""
    if not _SHARED:
        _SHARED.append(start_server())
        atexit.register(stop_shared_server)
    return _SHARED[0]


def stop_shared_server() -> None:
    """End it; the tests are over."""
    while _SHARED:
        _SHARED.pop().stop()


_SHARED: list[Server] = []


def _find_bin() -> Path:
    """The newest installed server."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not versions:
        raise ServerMissing("PostgreSQL is not installed; the ledger is tested on it. Install it: sudo apt-get install postgresql")
    return versions[-1].parent


def _unprivileged_user() -> str:
    """Whom to run as when we are root; "" when we are not."""
    if os.geteuid():
        return ""
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _group(user: str) -> int:
    return pwd.getpwnam(user).pw_gid
