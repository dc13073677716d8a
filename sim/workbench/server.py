"""Serves the live page from a thread of its own."""

import asyncio
import socket
import threading

import uvicorn

from host.web.listen import listen
from sim.workbench.app import Bench, create_app

HOST = "127.0.0.1"
_END_S = 3.0
_CONNECTION_COUNT = 64


class LivePage:
    """The page of one bench, on loopback. `start` returns its address, `stop` ends it; stopping one not started does nothing."""

    def __init__(self, bench: Bench, port: int) -> None:
        self._port = port
        self._is_ending = threading.Event()
        config = uvicorn.Config(
            create_app(bench, self._is_ending.is_set),
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            ws="none",
            limit_concurrency=_CONNECTION_COUNT,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread: threading.Thread | None = None

    def start(self) -> str:
        """Listen, on the next of ten ports if this one is taken, and serve. Raises `host.web.listen.PortsTaken`."""
        listener = listen(HOST, self._port)
        self._thread = threading.Thread(target=self._run, args=(listener,), name="live page", daemon=True)
        self._thread.start()
        return f"http://{HOST}:{listener.getsockname()[1]}/"

    def stop(self) -> None:
        """End the streams and the server."""
        self._is_ending.set()
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(_END_S)

    def _run(self, listener: socket.socket) -> None:
        with listener:
            asyncio.run(self._server.serve(sockets=[listener]))
