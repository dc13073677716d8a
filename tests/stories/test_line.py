"""Somebody with a laptop on the wires between host and terminals: listening, making noise, playing back."""

from collections.abc import Iterator

import pytest

from host.ledger.reports import yuan
from host.link.codec import host_codec
from protocol.frame import BadFrame, Decoder, Frame, encode_frame, is_from_terminal, is_sealed
from protocol.record import SALE, SETTLED
from sim.parts.line import Line
from tests.stories.street import STUDENT_CARD, TEACHER_CARD, Street

pytestmark = pytest.mark.xdist_group("street")

NOISE = 0.002
"""Of so many bytes one is lost and one altered: every tenth frame or so, as on a line without a terminator."""

SALE_COUNT = 4
_TRIES = 10
_PLAY_COUNT = 2


class Tap:
    """A transceiver of its own on the wires."""

    def __init__(self, line: Line) -> None:
        self.heard = bytearray()
        self._is_on = True
        self._wires = line.attach(self._hear, lambda: True)

    def frames(self) -> list[Frame | BadFrame]:
        """What was heard so far, by the host's own libraries for CRC and COBS; the first frame may have begun before."""
        decoder = Decoder(host_codec())
        events: list[Frame | BadFrame] = []
        whole = bytes(self.heard)
        for start in range(0, len(whole), 256):
            decoder.receive(whole[start : start + 256])
            while (event := decoder.next_event()) is not None:
                events.append(event)
        return events[1:]

    def say(self, data: bytes) -> None:
        """Put bytes on the wires, whoever else talks."""
        self._wires.switch(True)
        self._wires.send(data)
        self._wires.switch(False)

    def stop(self) -> None:
        """Listen no more."""
        self._is_on = False

    def _hear(self, data: bytes) -> None:
        if self._is_on:
            self.heard += data


@pytest.fixture
def tap(street: Street) -> Iterator[Tap]:
    tap = Tap(street.demo.line)
    yield tap
    tap.stop()


def test_everything_on_the_wires_is_frames_of_the_published_format_and_sealed(street: Street, tap: Tap) -> None:
    """Rows: L1, L2. Nothing of a sale can be read: only a handshake goes in the clear, and there is none."""
    sell(street, 1250)
    frames = [event for event in tap.frames() if isinstance(event, Frame)]
    assert len(frames) == len(tap.frames()) > 50
    with_body = [frame for frame in frames if frame.body]
    assert {is_from_terminal(frame.control) for frame in with_body} == {True, False}
    assert all(is_sealed(frame.control) for frame in with_body)
    assert {frame.address for frame in frames} == {1, 2}


def test_recorded_frames_played_back_move_nothing(street: Street, tap: Tap) -> None:
    """Rows: L2. Neither the host nor a terminal obeys what it has obeyed before; the next sale goes as ever."""
    start = street.books.commit
    sell(street, 330)
    street.wait(lambda: street.books.sales(start) == [330], "the sale in the books")
    recorded = [frame for frame in tap.frames() if isinstance(frame, Frame) and frame.body]
    tap.stop()
    before = street.books.commit
    for _ in range(_PLAY_COUNT):
        for frame in recorded:
            with street.demo.clock.lock:
                tap.say(encode_frame(host_codec(), frame.address, frame.control, frame.body))
            street.till.pause(0.005)
    street.wait_online()
    assert street.books.posted(SALE, SETTLED, after=before) == []
    sell(street, 340)
    street.wait(lambda: street.books.sales(before) == [340], "one sale in the books")


def test_noise_loses_no_record_and_doubles_none(street: Street) -> None:
    """Rows: L1, L3, K1."""
    line, books, before = street.demo.line, street.books, street.books.commit
    line.corrupt = line.drop = NOISE
    try:
        for index in range(SALE_COUNT):
            sell(street, 500 + index)
        shower(street, 20)
    finally:
        line.corrupt = line.drop = 0.0
    charged_fen = street.stall.fen("扣款")
    street.wait(lambda: sorted(books.sales(before)) == [500 + index for index in range(SALE_COUNT)], "every sale in the books, once")
    street.wait(lambda: [posted.record.amount_fen for posted in books.settled(before)] == [charged_fen], "the shower in the books")
    street.wait(lambda: books.holds() == [], "nothing set aside any more")
    assert books.prove().problems == []


def test_cable_out_for_a_while_delays_the_books_and_nothing_else(street: Street) -> None:
    """Rows: L3."""
    line, stall, books, before = street.demo.line, street.stall, street.books, street.books.commit
    street.put("shower", STUDENT_CARD)
    stall.watch(lambda: stall.fen("已用") >= 10, "water running")
    line.is_cut = True
    try:
        street.till.see("暂不收款")
        street.take("shower")
        stall.read("扣款")
    finally:
        line.is_cut = False
    charged_fen = stall.fen("扣款")
    street.wait(lambda: [posted.record.amount_fen for posted in books.settled(before)] == [charged_fen], "the shower in the books, once")
    street.wait_online()


def sell(street: Street, amount_fen: int) -> None:
    """Sell for an amount, as often as it takes until the display says that it is paid."""
    till = street.till
    for _ in range(_TRIES):
        street.come_to_rest()
        street.key_amount(yuan(amount_fen))
        street.put("pos", STUDENT_CARD)
        till.see("已付", "E12")
        street.take("pos")
        if till.shows("已付"):
            return
    pytest.fail(f"never paid: {till.rows}")


def shower(street: Street, used_fen: int) -> None:
    """Shower for an amount, with as many tries as the host needs to be heard."""
    stall = street.stall
    for _ in range(_TRIES):
        stall.see("请插卡")
        street.put("shower", TEACHER_CARD)
        stall.see("用水中", "E12")
        if stall.shows("用水中"):
            stall.watch(lambda: stall.fen("已用") >= used_fen, f"{used_fen} fen used")
            street.take("shower")
            stall.read("扣款")
            return
        street.take("shower")
    pytest.fail(f"no water: {stall.rows}")
