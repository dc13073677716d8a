"""Resources from OFFER to activation, with the power cut at every write."""

from hashlib import sha256

import pytest

from firmware.terminal.resources import SIZE_MAX, ResourceFiles
from protocol.messages import CHUNK_SIZE_MAX, DENY_LIST, RESERVATIONS, SETTINGS, TARIFF, Chunk, Offer
from tests.firmware.terminal.storage_model import PowerCut, StorageModel

BAD = b"bad" * 40


class Taker:
    """What `InForce.take` is to the files: it remembers, and refuses BAD."""

    def __init__(self, room: int) -> None:
        self.taken: dict[int, tuple[int, bytes]] = {}
        self.room = room

    def take(self, resource: int, version: int, content: bytes) -> None:
        if content == BAD:
            raise ValueError
        if len(content) > self.room:
            raise MemoryError
        self.taken[resource] = (version, content)


def open_resources(storage: StorageModel, room: int = SIZE_MAX) -> tuple[ResourceFiles, Taker]:
    taker = Taker(room)
    return ResourceFiles(storage, taker.take), taker


def offer_of(resource: int, version: int, content: bytes) -> Offer:
    return Offer(resource, version, len(content), sha256(content).digest())


def fetch(resources: ResourceFiles, contents: dict[int, bytes]) -> None:
    """Answer FETCHes until something is complete or nothing is asked for."""
    while (asked := resources.next(0)) is not None:
        data = contents[asked.resource][asked.offset : asked.offset + CHUNK_SIZE_MAX]
        resources.receive(Chunk(asked.resource, asked.version, asked.offset, data))


def hand_down(resources: ResourceFiles, resource: int, version: int, content: bytes) -> int:
    assert resources.offer(offer_of(resource, version, content))
    fetch(resources, {resource: content})
    assert resources.is_complete
    return resources.activate()


def test_an_offer_is_fetched_in_chunks_and_put_in_force() -> None:
    storage = StorageModel({})
    resources, taker = open_resources(storage)
    content = bytes(range(250)) * 4
    assert hand_down(resources, TARIFF, 9, content) == TARIFF
    assert taker.taken == {TARIFF: (9, content)}
    assert resources.summary() == [[TARIFF, 9, sha256(content).digest()[:8]]]
    again, taker_again = open_resources(storage)
    assert taker_again.taken == taker.taken
    assert again.summary() == resources.summary()


def test_what_is_in_force_is_not_fetched_again() -> None:
    resources, _ = open_resources(StorageModel({}))
    hand_down(resources, TARIFF, 9, b"tariff")
    assert resources.offer(offer_of(TARIFF, 9, b"tariff"))
    assert resources.next(0) is None


def test_several_offers_are_fetched_one_after_the_other() -> None:
    resources, taker = open_resources(StorageModel({}))
    contents = {SETTINGS: b"settings", TARIFF: b"tariff", RESERVATIONS: b"codes" * 100}
    for resource, content in contents.items():
        resources.offer(offer_of(resource, 1, content))
    order: list[int] = []
    for _ in contents:
        fetch(resources, contents)
        order.append(resources.activate())
    assert order == [SETTINGS, TARIFF, RESERVATIONS]
    assert taker.taken == {resource: (1, content) for resource, content in contents.items()}


def test_a_newer_offer_replaces_one_being_fetched() -> None:
    resources, taker = open_resources(StorageModel({}))
    resources.offer(offer_of(TARIFF, 1, b"x" * 300))
    first = resources.next(0)
    assert first is not None
    resources.receive(Chunk(TARIFF, 1, 0, b"x" * 192))
    resources.offer(offer_of(TARIFF, 2, b"y" * 300))
    resources.receive(Chunk(TARIFF, 1, 192, b"x" * 108))
    fetch(resources, {TARIFF: b"y" * 300})
    assert resources.activate() == TARIFF
    assert taker.taken == {TARIFF: (2, b"y" * 300)}


def test_a_fetch_comes_again_in_a_new_session_and_after_two_seconds() -> None:
    resources, _ = open_resources(StorageModel({}))
    resources.offer(offer_of(TARIFF, 1, b"x" * 300))
    asked = resources.next(0)
    assert resources.next(1_999) is None
    assert resources.next(2_000) == asked
    resources.restart()
    assert resources.next(2_001) == asked


@pytest.mark.parametrize(
    "chunk",
    [
        Chunk(SETTINGS, 1, 0, b"x" * 10),
        Chunk(TARIFF, 2, 0, b"x" * 10),
        Chunk(TARIFF, 1, 5, b"x" * 10),
    ],
)
def test_a_chunk_not_asked_for_is_dropped(chunk: Chunk) -> None:
    resources, taker = open_resources(StorageModel({}))
    resources.offer(offer_of(TARIFF, 1, b"x" * 10))
    resources.next(0)
    resources.receive(chunk)
    assert not resources.is_complete
    fetch(resources, {TARIFF: b"x" * 10})
    resources.restart()
    fetch(resources, {TARIFF: b"x" * 10})
    resources.activate()
    assert taker.taken == {TARIFF: (1, b"x" * 10)}


@pytest.mark.parametrize("data", [b"", b"y" * 10, b"x" * 11])
def test_a_content_that_is_gone_wrong_or_too_long_is_forgotten(data: bytes) -> None:
    resources, taker = open_resources(StorageModel({}))
    resources.offer(offer_of(TARIFF, 1, b"x" * 10))
    resources.next(0)
    resources.receive(Chunk(TARIFF, 1, 0, data))
    assert not resources.is_complete
    assert resources.next(5_000) is None, "until the next OFFER"
    assert hand_down(resources, TARIFF, 1, b"x" * 10) == TARIFF
    assert taker.taken == {TARIFF: (1, b"x" * 10)}


def test_a_content_that_makes_no_sense_leaves_the_old_one_in_force() -> None:
    storage = StorageModel({})
    resources, taker = open_resources(storage)
    hand_down(resources, TARIFF, 1, b"good")
    assert hand_down(resources, TARIFF, 2, BAD) == 0
    assert taker.taken == {TARIFF: (1, b"good")}
    resources.offer(offer_of(TARIFF, 2, BAD))
    assert resources.next(0) is None, "not fetched again and again"
    assert open_resources(storage)[1].taken == {TARIFF: (1, b"good")}


def test_a_content_without_room_is_taken_when_it_is_offered_again() -> None:
    resources, taker = open_resources(StorageModel({}), room=10)
    assert hand_down(resources, TARIFF, 1, b"x" * 11) == 0
    taker.room = 11
    assert hand_down(resources, TARIFF, 1, b"x" * 11) == TARIFF


def test_a_boot_without_room_goes_back_to_the_one_before() -> None:
    storage = StorageModel({})
    resources, _ = open_resources(storage)
    hand_down(resources, TARIFF, 1, b"one")
    hand_down(resources, TARIFF, 2, b"x" * 20)
    again, taker = open_resources(storage, room=10)
    assert taker.taken == {TARIFF: (1, b"one")}
    assert again.summary()[0][1] == 1


@pytest.mark.parametrize(
    "offer",
    [
        Offer(DENY_LIST, 1, 10, bytes(32)),
        Offer(TARIFF, 1, 0, bytes(32)),
        Offer(TARIFF, 1, SIZE_MAX + 1, bytes(32)),
        Offer(TARIFF, 1, 10, b""),
        Offer(99, 1, 10, bytes(32)),
    ],
)
def test_an_offer_that_cannot_be_held_is_said_so(offer: Offer) -> None:
    resources, _ = open_resources(StorageModel({}))
    assert not resources.offer(offer)
    assert resources.next(0) is None


def test_the_record_of_an_activation_is_asked_for_until_it_is_written() -> None:
    storage = StorageModel({})
    resources, _ = open_resources(storage)
    assert resources.untold() == 0
    hand_down(resources, TARIFF, 5, b"five")
    assert resources.untold() == TARIFF
    again, _ = open_resources(storage)
    assert again.untold() == TARIFF
    again.told(TARIFF)
    assert again.untold() == 0
    assert open_resources(storage)[0].untold() == 0


def test_stepping_back_to_an_older_version_is_an_activation_too() -> None:
    storage = StorageModel({})
    resources, taker = open_resources(storage)
    for version in (5, 6, 5):
        hand_down(resources, TARIFF, version, b"version %d" % version)
        assert resources.untold() == TARIFF
        resources.told(TARIFF)
    assert taker.taken == {TARIFF: (5, b"version 5")}


def test_a_damaged_file_gives_way_to_the_one_before() -> None:
    storage = StorageModel({})
    resources, _ = open_resources(storage)
    hand_down(resources, TARIFF, 1, b"one")
    hand_down(resources, TARIFF, 2, b"two")
    storage.files["3"] = storage.files["3"][:-1]
    again, taker = open_resources(storage)
    assert taker.taken == {TARIFF: (1, b"one")}
    assert again.untold() == TARIFF


def test_a_cut_at_any_write_leaves_a_whole_version_in_force() -> None:
    """Either version, never none; and the record of a version in force is asked for until it was written."""
    for cut_at in range(1, 12):
        files: dict[str, bytes] = {}
        resources, _ = open_resources(StorageModel(files))
        hand_down(resources, TARIFF, 1, b"one")
        resources.told(TARIFF)
        storage = StorageModel(files, cut_at)
        resources, _ = open_resources(storage)
        told = 1
        try:
            for version in (2, 3):
                hand_down(resources, TARIFF, version, b"version %d" % version)
                resources.told(TARIFF)
                told = version
        except PowerCut:
            pass
        again, taker = open_resources(StorageModel(files))
        version, content = taker.taken[TARIFF]
        assert version in (told, told + 1)
        assert content == (b"one" if version == 1 else b"version %d" % version)
        if version != told:
            assert again.untold() == TARIFF
        assert hand_down(again, TARIFF, 9, b"nine") == TARIFF
