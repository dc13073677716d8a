"""A socket between a ledger and its PostgreSQL server that plays the tricks networks and standbys play on COMMIT."""

import shutil
import socket
import tempfile
import threading
from pathlib import Path
from types import TracebackType

_COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"
"""A simple query of the protocol (PostgreSQL's documentation, "Message Formats")."""
_NOTICE = b"SWARNING\0VWARNING\0C01000\0Mcanceling wait for synchronous replication due to user request\0\0"
_WARNING = b"N" + (len(_NOTICE) + 4).to_bytes(4, "big") + _NOTICE
_SOCKET_NAME = ".s.PGSQL.5432"


class Proxy:
    """Listens in a folder of its own (`host` of a url) and passes everything on.

    `trick` is for the next COMMITs, `times` of them: "cut before" (the server never hears it), "cut after" (it does, and nobody
    hears its answer), "warn" (the answer comes with a warning). While `is_shut` nobody is let in.
    """

    def __init__(self, server_folder: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="onecard-proxy-"))
        self.trick = ""
        self.times = 0
        self.shuts = False
        self.is_shut = False
        self._target = str(server_folder / _SOCKET_NAME)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.folder / _SOCKET_NAME))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def play(self, trick: str, *, times: int = 1, shuts: bool = False) -> None:
        """Have the next COMMITs go wrong; `shuts`: and let nobody in afterwards."""
        self.trick, self.times, self.shuts = trick, times, shuts

    def __enter__(self) -> "Proxy":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._listener.close()
        shutil.rmtree(self.folder)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.is_shut:
                client.close()
                continue
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._target)
            threading.Thread(target=self._join, args=(client, server), daemon=True).start()

    def _join(self, client: socket.socket, server: socket.socket) -> None:
        with client, server:
            down = threading.Thread(target=_pass_on, args=(server, client), daemon=True)
            down.start()
            self._pass_up(client, server)
            # The server ends when it has done what it was sent, and then so does the other thread.
            server.shutdown(socket.SHUT_WR)
            down.join()

    def _pass_up(self, client: socket.socket, server: socket.socket) -> None:
        """From the ledger to the server. psycopg sends one message and waits for its answer, so COMMIT comes alone."""
        while data := _received(client):
            if data != _COMMIT or not self.times:
                server.sendall(data)
                continue
            self.times -= 1
            if self.trick == "warn":
                client.sendall(_WARNING)
                server.sendall(data)
                continue
            self.is_shut = self.shuts
            if self.trick == "cut after":
                server.sendall(data)
            _close(client)
            return


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    while data := _received(source):
        try:
            target.sendall(data)
        except OSError:
            return
    _close(target)


def _received(source: socket.socket) -> bytes:
    try:
        return source.recv(65_536)
    except OSError:
        return b""


def _close(end: socket.socket) -> None:
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
