"""The annex of an adjustment: what was written is read, and what is none is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.ledger.adjustment import Adjustment, Purpose, decode_annex, decode_source, encode_annex, source_annex
from host.ledger.refunds import Leg
from protocol.packing import pack, unpack

numbers = st.integers(1, 500)
legs = st.lists(st.builds(Leg, numbers, numbers, st.integers(1, 10**9)).filter(lambda leg: leg[0] != leg[1]), max_size=8)


@given(
    st.sampled_from(list(Purpose)),
    st.text(max_size=20),
    legs,
    st.lists(st.integers(0, 9) | st.text(max_size=5) | st.binary(max_size=5), max_size=5),
)
def test_what_was_written_is_read(purpose: Purpose, reason: str, moved: list[Leg], detail: list[str | int | bytes]) -> None:
    adjustment = Adjustment(purpose, reason, tuple(moved), tuple(detail))
    assert decode_annex(encode_annex(adjustment)) == adjustment
    assert adjustment.amount_fen == sum(leg.amount_fen for leg in moved)


@given(st.binary(max_size=60))
def test_whatever_bytes_come_nothing_is_raised(data: bytes) -> None:
    decode_annex(data)
    decode_source(data)


def test_the_bytes_are_as_the_document_says() -> None:
    annex = encode_annex(Adjustment(Purpose.MOVE, "why", (Leg(1, 100, 5),), ("a", 7)))
    assert unpack(annex) == [1, "move", "why", [[1, 100, 5]], ["a", 7]]
    assert unpack(source_annex(2)) == [1, 2]


@pytest.mark.parametrize("annex", [b"", b"\xc1", pack(1), pack([1]), pack([2, 2]), pack([1, "x"]), pack([1, 2, 3])])
def test_what_does_not_say_where_money_came_from_says_nothing(annex: bytes) -> None:
    assert decode_source(annex) is None
    assert decode_source(source_annex(2)) == 2


def test_cut_short_it_is_none() -> None:
    annex = encode_annex(Adjustment(Purpose.MOVE, "why", (Leg(1, 100, 5),)))
    assert all(decode_annex(annex[:size]) is None for size in range(len(annex)))


@pytest.mark.parametrize(
    "content",
    [
        None,
        [2, "move", "", [], []],
        [1, "move", "", []],
        [1, 5, "", [], []],
        [1, "move", "", [[1, 1, 5]], []],
        [1, "move", "", [[1, 2, 0]], []],
        [1, "move", "", [[1, 2]], []],
        [1, "move", "", [[1, 2, True]], []],
        [1, "move", "", [7], []],
        [1, "move", "", 7, []],
        [1, "move", 5, [], []],
        [1, "move", "", [], 5],
        7,
    ],
)
def test_bytes_that_are_no_annex_are_none(content: object) -> None:
    assert decode_annex(pack(content)) is None
