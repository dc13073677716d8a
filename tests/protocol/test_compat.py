"""What stands in for MicroPython's words on CPython."""

from typing import NamedTuple

import pytest

from protocol.compat import const, gb, make, micropython


class Pair(NamedTuple):
    one: int
    other: int


def test_const_and_decorators_change_nothing():
    assert const(7) == 7
    assert micropython.native(len) is len
    assert micropython.viper(len) is len


def test_gb_encodes_for_the_display_and_refuses_what_its_font_lacks():
    assert gb("余额 3.20") == bytes.fromhex("d3e0b6ee20332e3230")
    with pytest.raises(UnicodeEncodeError):
        gb("𠮷")


def test_make_is_the_namedtuple_of_the_values():
    assert make(Pair, (1, 2)) == Pair(1, 2)
    assert type(make(Pair, (1, 2))) is Pair
