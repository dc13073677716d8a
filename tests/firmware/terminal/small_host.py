"""A host small enough to read: it holds a session, answers asks, takes records, hands down resources."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import TYPE_CHECKING

from firmware.terminal.identity import Identity
from host.crypto import HostCrypto
from protocol import messages, record
from protocol.frame import PLAIN, Decoder, Frame, encode_frame
from protocol.messages import ASK_EXTEND, ASK_LOOKUP, Answer, Ask
from protocol.record import SIZE, Record
from protocol.session import HostSession

if TYPE_CHECKING:
    from protocol.messages import Message

TERMINAL, ADDRESS, HOST = 100, 3, 1
IDENTITY = Identity(TERMINAL, ADDRESS, bytes(range(16)), bytes(range(16, 32)), 1)
CRYPTO = HostCrypto()
RECORD_CMAC = CRYPTO.cmac(IDENTITY.record_key)


class Chance:
    """Random bytes that come again in the same order."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._count = 0

    def __call__(self, size: int) -> bytes:
        self._count += 1
        return sha256(b"%d %d" % (self._seed, self._count)).digest()[:size]


def grant(ask: Ask) -> Answer:
    """What a host says that has money for everything."""
    return Answer(ask.epoch, ask.sequence, ask.kind, 0, ask.amount_fen, 10_000, 0, 0, 0, b"")


@dataclass
class Host:
    """Enough of a host to be talked to: epochs, high waters, holds by name, resources. `restored` makes a copy of it.

    `decide`: ask to answer, None for no answer at all. `open_wait`: whether the session is lost at the next poll.
    """

    decide: Callable[[Ask], Answer | None] = grant
    epoch: int = 1
    taken: dict[int, list[bytes]] = field(default_factory=lambda: {1: []})
    asks: list[Ask] = field(default_factory=list[Ask])
    states: list[messages.State] = field(default_factory=list[messages.State])
    refused: list[messages.Refused] = field(default_factory=list[messages.Refused])
    conflicts: list[bytes] = field(default_factory=list[bytes])
    outbox: "list[Message]" = field(default_factory=list["Message"])
    contents: dict[int, bytes] = field(default_factory=dict[int, bytes])
    seed: int = 1000
    at_s: int = 200_000_000

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """A new process: the session is gone, the ledger is not."""
        self.seed += 1
        self.session = HostSession(CRYPTO, IDENTITY.link_key, TERMINAL, ADDRESS, HOST, Chance(self.seed))
        self.decoder = Decoder(PLAIN)
        self.outbox.clear()

    def restored(self, *, keep: dict[int, int]) -> "Host":
        """The same host from a backup that has only so many records of each epoch."""
        taken = {epoch: records[: keep.get(epoch, 0)] for epoch, records in self.taken.items()}
        return replace(self, taken=taken, asks=[], states=[], outbox=[], seed=self.seed + 100)

    def poll(self) -> bytes:
        if self.outbox and self.session.can_send:
            self.session.send(messages.encode(self.outbox.pop(0)))
        control, body = self.session.frame()
        return encode_frame(PLAIN, ADDRESS, control, body)

    def receive(self, data: bytes) -> None:
        self.decoder.receive(data)
        while (event := self.decoder.next_event()) is not None:
            if isinstance(event, Frame):
                plain = self.session.receive(event)
                if plain is not None:
                    self._take(messages.decode(plain))

    def offer(self, resource: int, version: int, content: bytes) -> None:
        self.contents[resource] = content
        self.outbox.append(messages.Offer(resource, version, len(content), sha256(content).digest()))

    @property
    def records(self) -> list[Record]:
        """Every record taken, oldest first; those a terminal could no longer bring are missing."""
        return [record.decode(data) for epoch in sorted(self.taken) for data in self.taken[epoch] if data]

    def _take(self, message: "Message") -> None:
        if isinstance(message, messages.State):
            self.states.append(message)
            self.outbox.clear()
            self.outbox.append(self._resume(message))
        elif isinstance(message, messages.Ask):
            self.asks.append(message)
            if message.kind not in (ASK_EXTEND, ASK_LOOKUP) and message.sequence <= len(self.taken.get(message.epoch, [])):
                raise AssertionError("asked under a name that is closed")
            answer = self.decide(message)
            if answer is not None:
                self.outbox.append(answer)
        elif isinstance(message, messages.Records):
            self._take_records(message.data)
        elif isinstance(message, messages.Fetch):
            data = self.contents[message.resource][message.offset : message.offset + messages.CHUNK_SIZE_MAX]
            self.outbox.append(messages.Chunk(message.resource, message.version, message.offset, data))
        elif isinstance(message, messages.Refused):
            self.refused.append(message)

    def _resume(self, state: messages.State) -> messages.Resume:
        taken = self.taken.setdefault(self.epoch, [])
        if state.epoch > self.epoch:
            self.epoch = state.epoch
            taken = self.taken.setdefault(self.epoch, [])
        elif state.epoch == self.epoch and state.next <= len(taken):
            self.epoch += 1
            taken = self.taken.setdefault(self.epoch, [])
        elif state.epoch == self.epoch and state.oldest > len(taken) + 1:
            taken += [b""] * (state.oldest - 1 - len(taken))
        return messages.Resume(self.epoch, len(taken), self.at_s)

    def _take_records(self, data: bytes) -> None:
        epoch = int.from_bytes(data[4:6], "little")
        taken = self.taken.setdefault(epoch, [])
        for at in range(0, len(data), SIZE):
            one = data[at : at + SIZE]
            assert record.verify(one, RECORD_CMAC)
            sequence = record.decode(one).sequence
            if sequence <= len(taken):
                if taken[sequence - 1] != one:
                    self.conflicts.append(one)
            elif sequence == len(taken) + 1:
                taken.append(one)
        self.outbox.append(messages.Ack(epoch, len(taken)))
