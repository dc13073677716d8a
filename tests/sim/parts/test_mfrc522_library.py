"""A driver written by others works unchanged on the chip: the package `mfrc522`, made for the Raspberry Pi.

It is the real, installed library; only the two modules it reaches the pins through are put in its way.
"""

import importlib
import logging
import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from sim.parts.field import Field
from sim.parts.mfrc522 import Mfrc522
from sim.parts.mifare import MifareClassic
from sim.parts.mifare_memory import new_image
from tests.sim.parts.probe import KEY, UID_4, Clock

# An access of two bytes at 1 MHz, with what Linux adds.
SPI_US = 25
DATA = list(range(16))


class Desk:
    """A Raspberry Pi with the reader on its pins, a card within reach if `put`, and the library's two classes."""

    def __init__(self, library: ModuleType, field: Field) -> None:
        self.library = library
        self.field = field

    def reader(self) -> Any:
        return self.library.MFRC522()

    def simple_reader(self) -> Any:
        return self.library.SimpleMFRC522()

    def put(self, image: bytearray | None = None) -> MifareClassic:
        card = MifareClassic(UID_4, image)
        self.field.put(card)
        return card


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """The library, freshly imported over fake pins; it is gone again afterwards."""
    field = Field()
    chip = Mfrc522(Clock(SPI_US), field)

    def xfer2(values: list[int]) -> list[int]:
        chip.select()
        miso = chip.exchange(bytes(value & 0xFF for value in values))
        chip.deselect()
        return list(miso)

    def nothing(*_: object) -> None:
        return None

    def output(_pin: int, level: int) -> None:
        chip.reset_pin(bool(level))

    pins = SimpleNamespace(OUT=0, getmode=nothing, setmode=nothing, setup=nothing, output=output, cleanup=nothing)
    bus = SimpleNamespace(open=nothing, close=nothing, xfer2=xfer2)
    modules: dict[str, Any] = {"RPi": SimpleNamespace(GPIO=pins), "RPi.GPIO": pins, "spidev": SimpleNamespace(SpiDev=lambda: bus)}
    for name in ("mfrc522", "mfrc522.MFRC522", "mfrc522.SimpleMFRC522"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    yield Desk(importlib.import_module("mfrc522"), field)
    for name in [name for name in sys.modules if name.partition(".")[0] == "mfrc522"]:
        del sys.modules[name]
    logging.getLogger("mfrc522Logger").handlers.clear()


def ready(desk: Desk) -> Any:
    """A reader whose card has had its 5 ms of field: the first request comes too early."""
    reader = desk.reader()
    reader.MFRC522_Request(reader.PICC_REQIDL)
    return reader


def selected(desk: Desk) -> Any:
    reader = ready(desk)
    assert reader.MFRC522_Request(reader.PICC_REQIDL)[0] == reader.MI_OK
    status, number = reader.MFRC522_Anticoll()
    assert status == reader.MI_OK
    assert reader.MFRC522_SelectTag(number) == 0x08
    return reader


def test_request_finds_nothing_on_an_empty_reader(desk: Desk) -> None:
    reader = ready(desk)
    assert reader.MFRC522_Request(reader.PICC_REQIDL)[0] == reader.MI_ERR


def test_request_and_anticollision_find_the_card(desk: Desk) -> None:
    desk.put()
    reader = ready(desk)
    assert reader.MFRC522_Request(reader.PICC_REQIDL) == (reader.MI_OK, 16)
    assert reader.MFRC522_Anticoll() == (reader.MI_OK, [*UID_4, 0x08])


def test_its_crc_is_the_coprocessors(desk: Desk) -> None:
    assert desk.reader().CalulateCRC([0x12, 0x34]) == [0x26, 0xCF]


def test_write_then_read_a_block(desk: Desk) -> None:
    card = desk.put()
    reader = selected(desk)
    assert reader.MFRC522_Auth(reader.PICC_AUTHENT1A, 8, list(KEY), list(UID_4)) == reader.MI_OK
    reader.MFRC522_Write(8, DATA)
    assert reader.MFRC522_Read(8) == DATA
    assert card.image[8 * 16 : 9 * 16] == bytes(DATA)
    reader.MFRC522_StopCrypto1()


def test_key_b_of_a_sector_that_has_one(desk: Desk) -> None:
    image = new_image(UID_4)
    image[7 * 16 : 8 * 16] = bytes.fromhex("a0a1a2a3a4a5787788 69b0b1b2b3b4b5")
    desk.put(image)
    reader = selected(desk)
    assert reader.MFRC522_Auth(reader.PICC_AUTHENT1B, 4, list(bytes.fromhex("b0b1b2b3b4b5")), list(UID_4)) == reader.MI_OK
    reader.MFRC522_Write(4, DATA)
    assert reader.MFRC522_Read(4) == DATA


def test_wrong_key_is_refused(desk: Desk) -> None:
    desk.put()
    reader = selected(desk)
    assert reader.MFRC522_Auth(reader.PICC_AUTHENT1A, 8, [0] * 6, list(UID_4)) == reader.MI_ERR


def test_two_cards_are_an_error(desk: Desk) -> None:
    desk.put()
    desk.field.put(MifareClassic(bytes.fromhex("92345679")))
    reader = ready(desk)
    assert reader.MFRC522_Request(reader.PICC_REQIDL)[0] == reader.MI_OK
    assert reader.MFRC522_Anticoll()[0] == reader.MI_ERR


def test_the_simple_class_writes_and_reads_text(desk: Desk) -> None:
    desk.put()
    reader = desk.simple_reader()
    number, _ = reader.write("一卡通".encode("gb2312").hex())
    assert number == int.from_bytes(bytes([*UID_4, 0x08]), "big")
    assert reader.read() == (number, "d2bbbfa8cda8".ljust(48))
    assert reader.read_id() == number
