"""A pretend line in virtual time: a master on one end, terminals with real sessions on the other.

Bytes take their time of transmission, a terminal answers after its turnaround, two that talk at once
garble each other, and a seeded `Random` loses, alters, repeats and delays what passes.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, TypeVar

from host.crypto import HostCrypto
from host.link.codec import decode_message, encode_message, host_codec
from host.link.events import Event, Received
from host.link.master import Master
from host.link.peer import Peer
from protocol.frame import BadFrame, Decoder, encode_frame
from protocol.messages import ASK_SALE, SUBJECT_CARD, Ack, Answer, Ask, Records, Resume, State
from protocol.session import HostSession, TerminalSession

if TYPE_CHECKING:
    from protocol.messages import Message

T = TypeVar("T")

HOST = 1
BYTE_MS = 10_000 / 115_200
CODEC = host_codec()
CRYPTO = HostCrypto()


def link_key(terminal: int) -> bytes:
    """A key per terminal."""
    return bytes([terminal % 251]) * 16


class PretendTerminal:
    """A terminal with the real decoder and session, and a journal that is a list of record bytes."""

    def __init__(
        self, number: int, address: int, random: Random, *, turnaround_ms: tuple[float, float] = (0.2, 0.5), key: bytes = b""
    ) -> None:
        self.number = number
        self.address = address
        self.turnaround_ms = turnaround_ms
        self.is_on = True
        self.random = random
        self.journal: list[bytes] = []
        self.epoch = 1
        self.card = 7
        self.high_water = 0
        self.to_send: list[Message] = []
        self.heard: list[Message] = []
        self.asked_ms: dict[int, float] = {}
        self.approved_ms: dict[int, float] = {}
        self._key = key or link_key(number)
        self.boot()

    def boot(self) -> None:
        """Lose all that RAM holds; the journal stays."""
        self._decoder = Decoder(CODEC)
        self.session = TerminalSession(CRYPTO, self._key, self.number, self.address, 1, self.random.randbytes)
        self.high_water = 0
        self._delivering = 0
        self.to_send.clear()

    def ask(self, sequence: int, now_ms: float) -> None:
        """A card is held to the reader."""
        self.asked_ms[sequence] = now_ms
        self.to_send.append(Ask(self.epoch, sequence, ASK_SALE, SUBJECT_CARD, self.card, 1250, 0, b"", b""))

    def hear(self, data: bytes, now_ms: float) -> list[bytes]:
        """Take bytes off the line; the frames to answer with."""
        if not self.is_on:
            return []
        answers: list[bytes] = []
        self._decoder.receive(data)
        while (event := self._decoder.next_event()) is not None:
            if isinstance(event, BadFrame) or not self.session.concerns(event):
                continue
            plain = self.session.receive(event)
            if plain is not None:
                self._obey(decode_message(plain), now_ms)
            self._speak()
            control, body = self.session.frame()
            answers.append(encode_frame(CODEC, self.address, control, body))
        return answers

    def _obey(self, message: Message, now_ms: float) -> None:
        self.heard.append(message)
        if isinstance(message, Answer) and message.sequence in self.asked_ms:
            self.approved_ms.setdefault(message.sequence, now_ms)
        elif isinstance(message, Resume | Ack):
            self.epoch = message.epoch
            self.high_water = max(self.high_water, message.high_water)
            self._delivering = 0

    def _speak(self) -> None:
        if not self.session.can_send:
            return
        if self.session.just_opened:
            self._delivering = 0
            for sequence in self.asked_ms.keys() - self.approved_ms.keys():
                self.ask(sequence, self.asked_ms[sequence])
            self._say(State(self.epoch, len(self.journal) + 1, 1, "pretend", 2, ()))
        elif self.to_send:
            self._say(self.to_send.pop(0))
        elif self.high_water < len(self.journal) and not self._delivering:
            self._delivering = self.high_water + 1
            self._say(Records(b"".join(self.journal[self.high_water : self.high_water + 3])))

    def _say(self, message: Message) -> None:
        self.session.send(encode_message(message))


@dataclass
class Faults:
    """How often things go wrong with one transmission, 0 to 1."""

    loss: float = 0.0
    alteration: float = 0.0
    repeat: float = 0.0
    delay: float = 0.0
    garbage: float = 0.0
    has_echo: bool = False


@dataclass
class Wire:
    """The line, its clock, and a host that decides `decision_ms` after it was asked."""

    random: Random
    terminals: list[PretendTerminal]
    faults: Faults = field(default_factory=Faults)
    decision_ms: float = 0.0
    now_ms: float = 0.0
    records: dict[int, list[bytes]] = field(default_factory=dict[int, list[bytes]])
    events: list[Event] = field(default_factory=list[Event])
    sent: list[tuple[float, bytes]] = field(default_factory=list[tuple[float, bytes]])

    def __post_init__(self) -> None:
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._talks: list[tuple[float, float]] = []
        self.master = self.new_master()

    def new_master(self, terminals: Iterable[PretendTerminal] | None = None) -> Master:
        """A host that just started: no sessions."""
        peers = [
            Peer(
                each.number,
                each.address,
                HostSession(CRYPTO, link_key(each.number), each.number, each.address, HOST, self.random.randbytes),
            )
            for each in (self.terminals if terminals is None else terminals)
        ]
        return Master(CODEC, peers)

    def at(self, when_ms: float, act: Callable[[], None]) -> None:
        """Have something happen at a time."""
        heapq.heappush(self._queue, (when_ms, next(self._order), act))

    def run(self, until_ms: float) -> None:
        """Let time pass, from one thing that happens to the next."""
        while self.now_ms < until_ms:
            if (data := self.master.poll(self.now_ms)) is not None:
                self._transmit(data)
                continue
            following = self.master.due()
            assert following > self.now_ms, "poll returned None although it was due"
            if self._queue:
                following = min(following, self._queue[0][0])
            self.now_ms = max(self.now_ms, min(following, until_ms))
            while self._queue and self._queue[0][0] <= self.now_ms:
                heapq.heappop(self._queue)[2]()

    def of_kind(self, kind: type[T]) -> list[T]:
        """The events of one class, in order."""
        return [event for event in self.events if isinstance(event, kind)]

    def _transmit(self, data: bytes) -> None:
        self.sent.append((self.now_ms, data))
        end_ms = self.now_ms + len(data) * BYTE_MS
        if self.faults.has_echo:
            self.at(end_ms, lambda: self._arrive(data))
        for heard in self._spoil(data):
            self.at(end_ms, lambda heard=heard: self._broadcast(heard))

    def _broadcast(self, data: bytes) -> None:
        for terminal in self.terminals:
            for answer in terminal.hear(data, self.now_ms):
                self._answer(answer, self.random.uniform(*terminal.turnaround_ms))

    def _answer(self, data: bytes, turnaround_ms: float) -> None:
        start_ms = self.now_ms + turnaround_ms
        end_ms = start_ms + len(data) * BYTE_MS
        self._talks = [talk for talk in self._talks if talk[1] > self.now_ms]
        if any(start_ms < other_end and other_start < end_ms for other_start, other_end in self._talks):
            data = bytes(byte ^ 0x55 for byte in data)
        self._talks.append((start_ms, end_ms))
        for heard in self._spoil(data):
            late_ms = self.random.uniform(5, 60) if self.random.random() < self.faults.delay else 0
            self.at(end_ms + late_ms, lambda heard=heard: self._arrive(heard))

    def _spoil(self, data: bytes) -> list[bytes]:
        draw, faults = self.random.random, self.faults
        if draw() < faults.loss:
            return []
        if draw() < faults.alteration:
            index = self.random.randrange(len(data))
            data = data[:index] + bytes([data[index] ^ 1 << self.random.randrange(8)]) + data[index + 1 :]
        if draw() < faults.garbage:
            data = self.random.randbytes(self.random.randrange(1, 40)) + data
        return [data, data] if draw() < faults.repeat else [data]

    def _arrive(self, data: bytes) -> None:
        self.master.receive(data, self.now_ms)
        while (event := self.master.next_event()) is not None:
            self.events.append(event)
            if isinstance(event, Received):
                self._decide(event)

    def _decide(self, event: Received) -> None:
        reply = self._reply(event.terminal, event.message)
        if reply is not None:
            self.at(self.now_ms + self.decision_ms, lambda: self._hand_out(event, reply))

    def _hand_out(self, event: Received, reply: Message) -> None:
        self.master.send(event.terminal, reply, event.generation)

    def _reply(self, terminal: int, message: Message) -> Message | None:
        taken = self.records.setdefault(terminal, [])
        if isinstance(message, Ask):
            return Answer(message.epoch, message.sequence, message.kind, 0, message.amount_fen, 0, 0, 0, 0, b"")
        if isinstance(message, State):
            return Resume(message.epoch, len(taken), 0)
        if isinstance(message, Records):
            for start in range(0, len(message.data), 64):
                record = message.data[start : start + 64]
                if int.from_bytes(record[:4], "little") == len(taken) + 1:
                    taken.append(record)
            return Ack(1, len(taken))
        return None


def pretend_record(sequence: int) -> bytes:
    """64 bytes that say their sequence."""
    return sequence.to_bytes(4, "little") * 16
