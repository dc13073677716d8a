"""The thread of one serial line: opens the port and opens it again, and moves bytes between it and the master.

What to say is the master's and the desk's business; here is only waiting, and what a cable can do.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from host.fleet import Fleet, LineState
from host.link.codec import host_codec
from host.link.desk import Desk
from host.link.events import FAULT_TEXTS, LineFault, PeerDown, PeerUp, Received
from host.link.master import TIMEOUT_MS, Master
from host.link.port import LATENCY_GOOD_MS, REMEDIES, Cause, Obstacle, Port, PortLost, latency_ms, open_port
from host.link.roster import Roster
from protocol.messages import State

if TYPE_CHECKING:
    from collections.abc import Callable

    from host.settings import Line
    from host.writer import Writer

WAIT_MAX_MS = 200.0
"""The longest sleep, so that the end of the process is noticed."""

REFRESH_MS = 1000.0
"""How often the ledger is asked for terminals added, and for resources changed."""

BACKOFF_FIRST_S = 0.1
BACKOFF_LAST_S = 2.0
"""Pauses between tries to open a port: doubled from the first to the last."""

NETWORK_TIMEOUT_MS = 100.0
"""How long an answer may take over TCP, where a device server and the network stand between."""

ERROR_PAUSE_S = 0.2
"""After an error that nobody expected, so that it does not fill the log."""


class LineThread(threading.Thread):
    """One line, from the opening of its port to `stop`.

    `number`: which [[line]] of the settings, from 1. `roster` makes the peers. `clock` gives Unix seconds.
    Nothing that arrives, and no error of a service, ends the thread.
    """

    def __init__(
        self, number: int, line: Line, *, roster: Roster, writer: Writer, fleet: Fleet, clock: Callable[[], int], log: Any
    ) -> None:
        super().__init__(name=f"line {number}", daemon=True)
        self._number = number
        self._line = line
        self._roster = roster
        self._fleet = fleet
        self._clock = clock
        self._log = log.bind(line=number, url=line.url)
        is_network = line.url.startswith(("socket://", "rfc2217://"))
        self._master = Master(host_codec(), [], baud=line.baud, timeout_ms=NETWORK_TIMEOUT_MS if is_network else TIMEOUT_MS)
        self._desk = Desk(writer, clock=clock, wake=self._wake, log=self._log)
        self._port: Port | None = None
        self._stopping = threading.Event()
        self._refresh_ms = 0.0
        self._problem: LineState | None = None

    def stop(self) -> None:
        """End the thread; `join` it next. It takes a fifth of a second at most, unless the port's driver hangs."""
        self._stopping.set()
        self._wake()

    def run(self) -> None:
        """Serve the line until `stop`."""
        backoff_s = BACKOFF_FIRST_S
        while not self._stopping.is_set():
            opened = open_port(self._line.url, self._line.baud)
            if isinstance(opened, Port):
                backoff_s = BACKOFF_FIRST_S
                self._serve(opened)
            else:
                self._tell_problem(opened)
                self._stopping.wait(backoff_s)
                backoff_s = min(2 * backoff_s, BACKOFF_LAST_S)

    def _serve(self, port: Port) -> None:
        self._port = port
        self._tell_open(port)
        self._master.resume(_now_ms())
        while not self._stopping.is_set():
            try:
                self._step(port)
            except PortLost as error:
                self._tell_problem(Obstacle(Cause.LOST, "", str(error)))
                break
            except Exception:  # noqa: BLE001 (the outermost loop: the line goes on, whatever a service does)
                self._log.exception("a step of the line failed")
                self._stopping.wait(ERROR_PAUSE_S)
        self._port = None
        port.close()
        self._master.suspend()
        self._handle_events()

    def _step(self, port: Port) -> None:
        now_ms = _now_ms()
        if now_ms >= self._refresh_ms:
            self._refresh_ms = now_ms + REFRESH_MS
            self._refresh()
        for decided in self._desk.decided():
            for message in decided.messages:
                self._master.send(decided.terminal, message, decided.generation)
        if (data := self._master.poll(now_ms)) is not None:
            port.write(data)
        now_ms = _now_ms()
        heard = port.read(min(self._master.due() - now_ms, WAIT_MAX_MS))
        if heard:
            self._master.receive(heard, _now_ms())
        self._handle_events()

    def _handle_events(self) -> None:
        while (event := self._master.next_event()) is not None:
            self._handle(event)

    def _handle(self, event: Received | PeerUp | PeerDown | LineFault) -> None:
        if isinstance(event, Received):
            if isinstance(event.message, State):
                state = event.message
                self._fleet.set_terminal(event.terminal, self._number, epoch=state.epoch, next_sequence=state.next, fault="")
            self._desk.take(event)
        elif isinstance(event, PeerUp):
            self._log.info("terminal up", terminal=event.terminal)
            self._fleet.set_terminal(event.terminal, self._number, is_up=True, heard_s=self._clock())
        elif isinstance(event, PeerDown):
            self._log.warning("terminal silent", terminal=event.terminal)
            self._fleet.set_terminal(event.terminal, self._number, is_up=False)
        else:
            where = {"address": event.address, "terminal": event.terminal, "detail": event.detail}
            self._log.warning("line fault", fault=event.fault, text=FAULT_TEXTS[event.fault], **where)
            if event.terminal in self._roster.terminals:
                self._fleet.set_terminal(event.terminal, self._number, fault=event.fault)

    def _refresh(self) -> None:
        """Take up terminals that were added, leave out those that went, and offer what has changed."""
        added, removed = self._roster.changes()
        for terminal in removed:
            self._master.remove(terminal)
            self._fleet.drop_terminal(terminal)
        for peer in added:
            self._master.add(peer)
            self._fleet.set_terminal(peer.terminal, self._number)
        up = [peer.terminal for peer in self._master.peers if peer.is_up]
        for terminal in up:
            self._fleet.set_terminal(terminal, self._number, heard_s=self._clock())
        self._desk.refresh(up)

    def _wake(self) -> None:
        port = self._port
        if port is not None:
            port.wake()

    def _tell_open(self, port: Port) -> None:
        self._problem = None
        self._fleet.set_line(LineState(self._number, self._line.url, is_open=True))
        timer_ms = latency_ms(port.url)
        self._log.info("line open", baud=self._line.baud, latency_timer_ms=timer_ms)
        if timer_ms is not None and timer_ms > LATENCY_GOOD_MS:
            self._log.warning("the adapter's latency timer slows the whole line: set it to 1 ms", latency_timer_ms=timer_ms)

    def _tell_problem(self, obstacle: Obstacle) -> None:
        """Say why the line is not open, once for each reason."""
        state = LineState(self._number, self._line.url, problem=obstacle.cause, holder=obstacle.holder)
        if state != self._problem:
            self._problem = state
            self._log.warning(
                "line closed", cause=obstacle.cause, remedy=REMEDIES[obstacle.cause], holder=obstacle.holder, detail=obstacle.detail
            )
            self._fleet.set_line(state)


def _now_ms() -> float:
    return time.monotonic() * 1000
