"""What the kinds of records keep in `shown` and `detail`, each where section 6.2 has it."""

from hypothesis import given
from hypothesis import strategies as st

from protocol import shown

u8, u16, u32 = (st.integers(0, 2**bits - 1) for bits in (8, 16, 32))


@given(u32, u32, u16, u8)
def test_settled_comes_through(cold_ml: int, hot_ml: int, seconds: int, cause: int):
    packed = shown.pack_settled(cold_ml=cold_ml, hot_ml=hot_ml, seconds=seconds, cause=cause)
    assert shown.unpack_settled(packed) == (cold_ml, hot_ml, seconds, cause)
    assert packed == cold_ml.to_bytes(4, "little") + hot_ml.to_bytes(4, "little") + seconds.to_bytes(2, "little") + bytes([cause, 0, 0, 0])


def test_a_session_of_more_than_18_hours_stays_at_the_most_that_fits():
    assert shown.unpack_settled(shown.pack_settled(cold_ml=0, hot_ml=0, seconds=70_000, cause=1))[2] == 65_535


@given(u8, u32, st.binary(min_size=32, max_size=32))
def test_activated_comes_through(resource: int, version: int, digest: bytes):
    packed = shown.pack_activated(resource=resource, version=version, digest=digest)
    assert packed == bytes([resource]) + version.to_bytes(4, "little") + digest[:9]
    assert shown.unpack_activated(packed) == (resource, version, digest[:9])


@given(u8, u8)
def test_started_comes_through(cause: int, unhealthy_boots: int):
    packed = shown.pack_started(cause=cause, unhealthy_boots=unhealthy_boots)
    assert packed == bytes([cause, unhealthy_boots]) + bytes(12)
    assert shown.unpack_started(packed) == (cause, unhealthy_boots)


@given(u8)
def test_fault_comes_through(code: int):
    assert shown.pack_fault(code) == bytes([code]) + bytes(13)
    assert shown.unpack_fault(shown.pack_fault(code)) == code


@given(u16, u8)
def test_details_come_through(wide: int, narrow: int):
    assert shown.unpack_till(shown.pack_till(operator=wide, count=narrow)) == (wide, narrow)
    assert shown.unpack_face(shown.pack_face(clerk=wide, face=narrow)) == (wide, narrow)
