"""The people, cards and places of the demonstration (张小雨 pays, 李强 is refused, 王敏 books)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Person:
    """A holder with one card. `number`: holder number; `uid`: of the card, hex; `balance_fen`: what the story starts with."""

    number: str
    name: str
    holder_class: str
    uid: str
    balance_fen: int


@dataclass(frozen=True, slots=True)
class Place:
    """One terminal. `program`: "shower" or "pos"; `address`: on the line; `name`: what the ledger calls the place."""

    program: str
    address: int
    name: str


PEOPLE = (
    Person("20260001", "张小雨", "student", "04A1B2C3", 20_000),
    Person("20260002", "李强", "student", "04D4E5F6", 320),
    Person("000000000123", "王敏", "staff", "04112233445566", 10_000),
)

SHOWER = Place("shower", 1, "北区浴室 12 号")
TILL = Place("pos", 2, "第一食堂 03 窗口")
PLACES = (SHOWER, TILL)

# Dear enough to see: 10 ml a fen, so that half a minute of water costs some yuan.
TARIFF_FEN_PER_M3 = 100_000
