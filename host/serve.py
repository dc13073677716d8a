"""The host process: the books, a thread for each line, the pages; from start to a clean end."""

import asyncio
import logging
import signal
import socket
import sys
import threading
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import structlog
import uvicorn

from host import own_records
from host.chores import Chores
from host.errors import EXIT_BUSY, OnecardError
from host.fleet import Fleet
from host.journal import Journal, is_on_disk_of
from host.keys import load_site_keys, load_web_token
from host.ledger.opening import open_ledger, unix_seconds
from host.link.roster import Roster
from host.link.serial import LineThread
from host.processes import LOCK_NAME, OnlyOne
from host.settings import Settings, journal_folder, ledger_path
from host.web.app import make_app
from host.web.listen import listen
from host.web.site import Site
from host.writer import Writer

GRACE_S = 1
"""What open requests have to end in; streams end by themselves."""

CONNECTION_COUNT = 256
HEADER_SIZE_MAX = 16 * 1024


class HostRunning(OnecardError):
    """Another host has this data folder; the message names its process."""

    exit_code = EXIT_BUSY


def serve(settings: Settings, data: Path) -> None:
    """Run the host on a data folder until SIGINT or SIGTERM.

    Prints its address once it answers there; the log goes to standard error, a JSON object a line. Raises
    `HostRunning`, `host.web.listen.PortsTaken`, and what opening keys and ledger raise.
    """
    configure_log()
    log = structlog.get_logger()
    only_one = OnlyOne(data / LOCK_NAME)
    if (other := only_one.take()) is not None:
        raise HostRunning(f"主机已在运行 a host runs on {data} already, process {other}: end it first")
    with ExitStack() as stack:
        stack.callback(only_one.release)
        stopping = stack.enter_context(_signals())
        host = stack.enter_context(_running(settings, data, stopping, log))
        only_one.write(host.url)
        print(f"一卡通主机已启动 The host is up: {host.url}", flush=True)
        host.run()
    log.info("host ended")


class _Host:
    """A host with its lines running and its socket open; `run` serves until a signal."""

    def __init__(self, app: Any, opened: socket.socket, chores: Chores, stopping: threading.Event) -> None:
        self._socket = opened
        self._chores = chores
        self._server = _Server(
            stopping,
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                lifespan="off",
                ws="none",
                http="h11",
                h11_max_incomplete_event_size=HEADER_SIZE_MAX,
                limit_concurrency=CONNECTION_COUNT,
                timeout_graceful_shutdown=GRACE_S,
            ),
        )
        address, port = opened.getsockname()[:2]
        self.url = f"http://{'[' + address + ']' if ':' in address else address}:{port}/"

    def run(self) -> None:
        """Serve the pages in this thread until a signal."""
        asyncio.run(self._main())

    async def _main(self) -> None:
        chores = asyncio.create_task(self._do_chores())
        await self._server.serve(sockets=[self._socket])
        chores.cancel()

    async def _do_chores(self) -> None:
        while True:
            await asyncio.to_thread(self._chores.do, unix_seconds())
            await asyncio.sleep(await asyncio.to_thread(self._chores.wait_s, unix_seconds()))


class _Server(uvicorn.Server):
    """Uvicorn that ends when `stopping` is set, instead of by signal handlers of its own: the lines must end too."""

    def __init__(self, stopping: threading.Event, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._stopping = stopping

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: True ends the server."""
        return await super().on_tick(counter) or self._stopping.is_set()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave signals alone."""
        yield


@contextmanager
def _signals() -> Generator[threading.Event]:
    """An event that SIGINT and SIGTERM set, from now on: one that comes during the start ends the host as soon as it is up."""
    stopping = threading.Event()

    def stop(_number: int, _frame: object) -> None:
        stopping.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _running(settings: Settings, data: Path, stopping: threading.Event, log: Any) -> Generator[_Host]:
    """Open everything in order, and close it in the other."""
    with ExitStack() as stack:
        token, keys = load_web_token(data), load_site_keys(data)
        ledger = open_ledger(settings, data)
        stack.callback(ledger.close)
        folder = journal_folder(settings, data)
        process, journal = own_records.start(ledger, "serve", folder, actor="serve")
        stack.callback(journal.close)
        _tell_journal(settings, data, journal, log)
        Chores(ledger, log).close_missed()
        opened = listen(settings.web.host, settings.web.port)
        stack.callback(opened.close)
        _tell_address(settings, opened, log)
        writer = Writer(ledger)
        stack.callback(writer.close)
        fleet = Fleet()
        threads = [
            LineThread(
                number,
                line,
                roster=Roster(writer, number, keys=keys, host=process.terminal),
                writer=writer,
                fleet=fleet,
                clock=unix_seconds,
                log=log,
            )
            for number, line in enumerate(settings.lines, 1)
        ]
        stack.callback(_end, threads)
        for thread in threads:
            thread.start()
        site = Site(
            writer,
            fleet,
            settings.site.name,
            settings.site.language,
            stopping.is_set,
            is_away=lambda: writer.is_away,
            journal_problem=lambda: journal.problem,
        )
        app = make_app(site, token=token, names=[socket.gethostname().lower(), settings.web.host])
        log.info("host started", process=process.terminal, epoch=process.epoch, lines=len(threads))
        yield _Host(app, opened, Chores(writer, log, journal), stopping)


def _end(threads: list[LineThread]) -> None:
    """End all lines together: each takes a fifth of a second."""
    for thread in threads:
        thread.stop()
    for thread in threads:
        if thread.ident is not None:
            thread.join(1)


def _tell_address(settings: Settings, opened: socket.socket, log: Any) -> None:
    address, port = opened.getsockname()[:2]
    if settings.web.port not in (0, port):
        print(f"端口 {settings.web.port} 被占用，改用 {port} Port {settings.web.port} is taken, using {port}", flush=True)
    if not ip_address(address).is_loopback:
        log.warning("the pages are open to the network, without encryption: put a proxy with TLS before them", host=address, port=port)


def _tell_journal(settings: Settings, data: Path, journal: Journal, log: Any) -> None:
    """Warn of what would cost the host's own records: a journal that cannot be written, or that dies with the ledger's disk."""
    where = {"folder": str(journal.folder)}
    if journal.problem:
        log.error("the host's journal cannot be written: nothing is booked by people until it can", reason=journal.problem, **where)
    elif settings.ledger.url.startswith("sqlite:") and is_on_disk_of(journal.folder, ledger_path(settings, data)):
        log.warning("the host's journal lies on the ledger's disk: let [ledger] journal name a folder on another", **where)


def configure_log() -> None:
    """Send the log of this process, and of its libraries, to standard error as one JSON object a line."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    renderer = structlog.processors.JSONRenderer(ensure_ascii=False)
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    for noisy in ("uvicorn.error", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
