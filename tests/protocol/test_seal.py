"""One established session: each text once, in order, repeated byte for byte until acknowledged."""

from struct import pack

import pytest

from host.crypto import HostCrypto
from protocol.frame import FROM_TERMINAL, SEALED
from protocol.seal import TEXT_SIZE_MAX, Seal

KEY = bytes(range(16))
COUNTER_MAX = 2**31 - 1


def _new_ends() -> tuple[Seal, Seal]:
    ccm = HostCrypto().ccm(KEY)
    return Seal(ccm, 3, FROM_TERMINAL), Seal(ccm, 3, 0)


def _ends() -> tuple[Seal, Seal]:
    """Ends that have proven themselves: the host to the terminal by a first text."""
    terminal, host = _new_ends()
    host.send(b"resume")
    assert terminal.receive(*host.frame()) == b"resume"
    return terminal, host


def test_texts_come_through_in_order_and_the_sequence_is_the_counters_low_bits():
    terminal, host = _ends()
    for counter in range(1, 20):
        terminal.send(b"text %d" % counter)
        control, body = terminal.frame()
        assert control & FROM_TERMINAL
        assert control & SEALED
        assert control >> 3 & 7 == counter % 8
        assert host.receive(control, body) == b"text %d" % counter
        answer, _ = host.frame()
        assert answer & 7 == counter % 8
        terminal.acknowledge(answer)
        assert terminal.can_send


def test_an_unacknowledged_frame_is_repeated_byte_for_byte_but_for_its_acknowledgement():
    terminal, host = _new_ends()
    terminal.send(b"once")
    control, body = terminal.frame()
    host.send(b"something else")
    assert terminal.receive(*host.frame()) == b"something else"
    repeated_control, repeated_body = terminal.frame()
    assert repeated_body == body
    assert repeated_control == control | 1


def test_a_repeat_is_known_by_its_bytes_and_never_accepted():
    terminal, host = _ends()
    terminal.send(b"once")
    control, body = terminal.frame()
    assert host.receive(control, body) == b"once"
    assert host.receive(control, body) == b""
    assert host.receive(control, body[:-1] + b"\0") is None
    assert host.receive(control ^ 8, body) is None


def test_nothing_is_a_repeat_before_anything_was_accepted():
    _, host = _ends()
    assert host.receive(FROM_TERMINAL | SEALED, b"") is None


def test_only_the_counter_after_the_last_one_opens():
    terminal, host = _ends()
    frames: list[tuple[int, bytes]] = []
    for counter in range(1, 12):
        terminal.send(b"text %d" % counter)
        frames.append(terminal.frame())
        terminal.acknowledge(counter & 7)
    assert host.receive(*frames[1]) is None
    assert host.receive(*frames[8]) is None  # counter 9 has the sequence of counter 1
    assert host.receive(*frames[0]) == b"text 1"
    assert host.receive(*frames[1]) == b"text 2"


def test_ones_own_frame_does_not_open():
    terminal, _ = _ends()
    terminal.send(b"echo")
    assert terminal.receive(*terminal.frame()) is None


def test_a_frame_for_another_address_does_not_open():
    terminal, _ = _ends()
    terminal.send(b"text")
    assert Seal(HostCrypto().ccm(KEY), 4, 0).receive(*terminal.frame()) is None


def test_an_acknowledgement_of_another_sequence_frees_nothing():
    terminal, _ = _ends()
    terminal.send(b"text")
    for acknowledgement in (0, 2, 3, 4, 5, 6, 7):
        terminal.acknowledge(acknowledgement)
        assert not terminal.can_send
    terminal.acknowledge(1)
    assert terminal.can_send
    assert terminal.frame() == (FROM_TERMINAL | 1, b"")


def test_nothing_is_let_go_before_a_sealed_frame_has_opened():
    terminal, host = _new_ends()
    terminal.send(b"state")
    terminal.frame()
    terminal.acknowledge(1)
    assert not terminal.can_send
    assert terminal.tries == 0
    assert host.receive(*terminal.frame()) == b"state"
    host.send(b"resume")
    assert terminal.receive(*host.frame()) == b"resume"
    assert terminal.can_send


def test_no_counter_goes_beyond_31_bits():
    terminal, host = _ends()
    terminal._sent = host._accepted = COUNTER_MAX - 1
    terminal.send(b"the last")
    assert host.receive(*terminal.frame()) == b"the last"
    terminal.acknowledge(COUNTER_MAX & 7)
    assert not terminal.can_send
    assert terminal.is_spent
    assert host.is_spent
    beyond = HostCrypto().ccm(KEY).seal(pack(">BIQ", 1, COUNTER_MAX + 1, 0), b"one more", bytes((3, FROM_TERMINAL | SEALED)))
    assert host.receive(FROM_TERMINAL | SEALED, beyond) is None


@pytest.mark.parametrize("size", [0, TEXT_SIZE_MAX + 1])
def test_no_text_that_does_not_fit_is_sealed(size: int):
    terminal, _ = _ends()
    with pytest.raises(AssertionError):
        terminal.send(bytes(size))


def test_a_second_text_waits_for_the_first():
    terminal, _ = _ends()
    terminal.send(b"first")
    with pytest.raises(AssertionError):
        terminal.send(b"second")
