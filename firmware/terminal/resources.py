"""What the host hands down: fetched in chunks, verified, put in force by a rename, told by a record."""

import struct
from collections import namedtuple
from hashlib import sha256

from firmware.terminal.ticks import diff
from protocol.compat import const
from protocol.messages import RESERVATIONS, SETTINGS, TARIFF, Chunk, Fetch, Offer

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any, Callable, NamedTuple

    from firmware.terminal.storage import Storage

    class InForceVersion(NamedTuple):
        """What of a resource is in force: `digest` is the whole SHA-256."""

        version: int
        digest: bytes

else:
    InForceVersion = namedtuple("InForceVersion", ("version", "digest"))

# In this order they are read at boot: settings first.
KNOWN = (SETTINGS, TARIFF, RESERVATIONS)

SIZE_MAX = const(4096)  # held in RAM while it is fetched: as much as the most reservations of a stall take
_AGAIN_MS = const(2000)
_HEADER = const("<I32s")
_HEADER_SIZE = const(36)
_DIGEST_SIZE = const(32)
_SHORT_DIGEST_SIZE = const(8)
_TOLD_NAME = "told"
_TOLD_ENTRY = const("<BI")
_TOLD_ENTRY_SIZE = const(5)


class ResourceFiles:
    """The resources of one terminal, in a folder (storage.py).

    File "1" (the resource's number): version 4, SHA-256 32, content. It comes into being as "1.new", verified before,
    and takes its name by a rename; the one before is kept as "1.old" and comes back by itself when a cut falls
    between the two renames, or the content turns out not to be what it should (`take` raises ValueError) or to be more than
    the heap has room for (MemoryError).

    File "told": which version of which resource the journal has an `activated` record of. That record is written
    after the rename, never before: from the record on the host counts on the new version (MONEY 6). A cut between the
    two writes it again, which moves nothing.

    `take(resource, version, content)`: puts a content in force, or raises ValueError or MemoryError.
    Sans-IO but for the folder: `offer` and `receive` take messages, `next` says what to ask for, `poll` activates.
    """

    def __init__(self, storage: "Storage", take: "Callable[[int, int, bytes], None]") -> None:
        self._storage = storage
        self._take = take
        self._in_force = {}  # resource: InForceVersion
        self._told = {}  # resource: version
        self._wanted = {}  # resource: Offer; never more than KNOWN
        self._unusable = {}  # resource: digest of a content that was not what it should be; not fetched again
        self._fetched = b""  # the beginning of the resource being fetched
        self._fetching = 0  # that resource; 0: none
        self._is_sent = False
        self._tick = 0
        self._complete: "Offer | None" = None  # verified, waits for `activate`
        names = storage.names()
        self._read_told(names)
        for resource in KNOWN:
            self._read_at_boot(str(resource), names)

    def summary(self) -> "list[list[Any]]":
        """What STATE says is in force: [resource, version, first 8 bytes of the digest] each."""
        rows = []
        for resource in KNOWN:
            held = self._in_force.get(resource)
            if held is not None:
                rows.append([resource, held.version, held.digest[:_SHORT_DIGEST_SIZE]])
        return rows

    def offer(self, offer: Offer) -> bool:
        """Take an OFFER of a resource other than the clock; False: it is nothing this terminal can hold."""
        if offer.resource not in KNOWN or not 0 < offer.size <= SIZE_MAX or len(offer.digest) != _DIGEST_SIZE:
            return False
        held = self._in_force.get(offer.resource)
        if held is not None and (held.version, held.digest) == (offer.version, offer.digest):
            self._drop(offer.resource)
        elif self._unusable.get(offer.resource) != offer.digest and self._wanted.get(offer.resource) != offer:
            self._drop(offer.resource)
            self._wanted[offer.resource] = offer
        return True

    def restart(self) -> None:
        """A new session begins: what was asked for and not answered is asked for again."""
        self._is_sent = False

    def next(self, now_ms: int) -> "Fetch | None":
        """The next FETCH; None while one is under way, or when nothing is wanted."""
        if self._complete is not None or (self._is_sent and diff(now_ms, self._tick) < _AGAIN_MS):
            return None
        if not self._fetching:
            for resource in KNOWN:
                if resource in self._wanted:
                    self._fetching = resource
                    self._fetched = b""
                    break
            else:
                return None
        self._is_sent = True
        self._tick = now_ms
        return Fetch(self._fetching, self._wanted[self._fetching].version, len(self._fetched))

    def receive(self, chunk: Chunk) -> None:
        """Take a CHUNK. One that was not asked for is dropped; an empty one means that the version is gone."""
        wanted = self._wanted.get(chunk.resource)
        if wanted is None or chunk.resource != self._fetching or chunk.version != wanted.version or self._complete is not None:
            return
        if chunk.offset != len(self._fetched):
            return
        self._is_sent = False
        self._fetched += chunk.data
        if not chunk.data or len(self._fetched) > wanted.size:
            self._drop(chunk.resource)
        elif len(self._fetched) == wanted.size:
            if sha256(self._fetched).digest() == wanted.digest:
                self._complete = wanted
            else:
                self._drop(chunk.resource)

    @property
    def is_complete(self) -> bool:
        """Whether a resource waits for `activate`."""
        return self._complete is not None

    def activate(self) -> int:
        """Put the complete resource in force. Call it only while no session runs and no name is open.

        Returns its number, or 0: the content was not what it should be, or too much, and the old one stays. Durable when it
        returns.
        """
        complete = self._complete
        assert complete is not None
        content = self._fetched
        self._drop(complete.resource)
        try:
            self._take(complete.resource, complete.version, content)
        except ValueError:
            self._unusable[complete.resource] = complete.digest
            return 0
        except MemoryError:
            # There may be room for it when it is offered next.
            return 0
        name = str(complete.resource)
        self._storage.replace(name + ".new", struct.pack(_HEADER, complete.version, complete.digest) + content)
        if complete.resource in self._in_force:
            self._storage.rename(name, name + ".old")
        self._storage.rename(name + ".new", name)
        self._in_force[complete.resource] = InForceVersion(complete.version, complete.digest)
        return complete.resource

    def untold(self) -> int:
        """A resource in force whose `activated` record is still to be written; 0 when there is none."""
        for resource in KNOWN:
            held = self._in_force.get(resource)
            if held is not None and self._told.get(resource) != held.version:
                return resource
        return 0

    def in_force(self, resource: int) -> InForceVersion:
        """The version in force of a resource that `untold` or `activate` named."""
        return self._in_force[resource]

    def told(self, resource: int) -> None:
        """The `activated` record of the version in force is durable."""
        self._told[resource] = self._in_force[resource].version
        self._storage.replace(_TOLD_NAME, b"".join([struct.pack(_TOLD_ENTRY, *item) for item in sorted(self._told.items())]))

    def _drop(self, resource: int) -> None:
        """Forget what is wanted and fetched of a resource."""
        self._wanted.pop(resource, None)
        if self._fetching == resource:
            self._fetching = 0
            self._fetched = b""
            self._is_sent = False
            self._complete = None

    def _read_told(self, names: "list[str]") -> None:
        if _TOLD_NAME not in names:
            return
        data = self._storage.read(_TOLD_NAME)
        for at in range(0, len(data) - _TOLD_ENTRY_SIZE + 1, _TOLD_ENTRY_SIZE):
            resource, version = struct.unpack(_TOLD_ENTRY, data[at : at + _TOLD_ENTRY_SIZE])
            self._told[resource] = version

    def _read_at_boot(self, name: str, names: "list[str]") -> None:
        """Put in force what a boot finds: the file, or else the one before it."""
        if name in names and self._read(name):
            return
        if name + ".old" in names and self._read(name + ".old"):
            self._storage.rename(name + ".old", name)

    def _read(self, name: str) -> bool:
        data = self._storage.read(name)
        content = data[_HEADER_SIZE:]
        if len(data) <= _HEADER_SIZE:
            return False
        version, digest = struct.unpack(_HEADER, data[:_HEADER_SIZE])
        if sha256(content).digest() != digest:
            return False
        resource = int(name[0])
        try:
            self._take(resource, version, content)
        except (ValueError, MemoryError):
            return False
        self._in_force[resource] = InForceVersion(version, digest)
        return True
