"""The handshake, step by step, and each way somebody without the key might try to disturb it."""

from random import Random

import pytest

from host.crypto import HostCrypto
from protocol import messages
from protocol.frame import FROM_TERMINAL, SEALED, Frame
from protocol.messages import Hello, Refused, Welcome, Who
from protocol.session import HostSession, TerminalSession
from tests.protocol.ends import WatchedCrypto

ADDRESS, TERMINAL, HOST = 3, 100, 1
LINK_KEY = bytes(range(16))


class Pair:
    """Two ends without a wire; `poll` is one turn of the master."""

    def __init__(self, *, host_key: bytes = LINK_KEY, key_version: int = 1):
        random = Random(1)
        self.crypto = WatchedCrypto()
        self.terminal = TerminalSession(self.crypto, LINK_KEY, TERMINAL, ADDRESS, key_version, random.randbytes)
        self.host = HostSession(self.crypto, host_key, TERMINAL, ADDRESS, HOST, random.randbytes)

    def from_host(self) -> Frame:
        return Frame(ADDRESS, *self.host.frame())

    def from_terminal(self) -> Frame:
        return Frame(ADDRESS, *self.terminal.frame())

    def poll(self) -> tuple[bytes | None, bytes | None]:
        down = self.terminal.receive(self.from_host())
        return down, self.host.receive(self.from_terminal())

    def shake_hands(self, state: bytes = b"state") -> "Pair":
        """Go through a handshake, from whatever is between the ends now up to STATE."""
        for _ in range(20):
            self.terminal.receive(self.from_host())
            if self.terminal.just_opened:
                self.terminal.send(state)
            if self.host.receive(self.from_terminal()) == state:
                return self
        raise AssertionError("no session")

    def open(self) -> "Pair":
        """Go through a handshake up to RESUME and its acknowledgement."""
        self.shake_hands().host.send(b"resume")
        assert self.poll() == (b"resume", None)
        return self

    def new_host(self) -> None:
        self.host = HostSession(self.crypto, LINK_KEY, TERMINAL, ADDRESS, HOST, Random(2).randbytes)


def clear(message: object, *, to_host: bool = False) -> Frame:
    return Frame(ADDRESS, FROM_TERMINAL if to_host else 0, messages.encode(message))  # type: ignore[arg-type]


def stranger(*, to_host: bool = False, sequence: int = 3) -> Frame:
    return Frame(ADDRESS, SEALED | sequence << 3 | (FROM_TERMINAL if to_host else 0), bytes(24))


def said(frame: Frame) -> object:
    return messages.decode(frame.body)


def test_who_hello_welcome_state_open_a_session():
    pair = Pair()
    assert said(pair.from_host()) == Who()
    pair.terminal.receive(pair.from_host())
    assert isinstance(said(pair.from_terminal()), Hello)
    pair.host.receive(pair.from_terminal())
    assert isinstance(said(pair.from_host()), Welcome)
    assert not pair.terminal.is_open
    pair.terminal.receive(pair.from_host())
    assert (pair.terminal.is_open, pair.terminal.just_opened, pair.host.is_open) == (True, True, False)
    pair.terminal.send(b"state")
    assert not pair.terminal.just_opened
    assert pair.host.receive(pair.from_terminal()) == b"state"
    assert (pair.host.is_open, pair.host.generation, pair.terminal.generation) == (True, 1, 1)
    pair.host.send(b"resume")
    assert pair.terminal.receive(pair.from_host()) == b"resume"
    assert pair.terminal.can_send


@pytest.mark.parametrize("frame", [clear(Who()), Frame(ADDRESS, 0, b""), stranger(), clear(Refused(1, 5)), Frame(ADDRESS, 0, b"\xc1")])
def test_a_terminal_without_a_session_answers_anything_with_the_same_hello(frame: Frame):
    pair = Pair()
    hello = pair.from_terminal()
    assert pair.terminal.receive(frame) is None
    assert pair.from_terminal() == hello
    assert isinstance(said(hello), Hello)


def test_the_same_hello_gets_the_same_welcome_until_a_session_stands():
    pair = Pair()
    hello = pair.from_terminal()
    pair.host.receive(hello)
    welcome = pair.from_host()
    pair.host.receive(hello)
    assert pair.from_host() == welcome
    pair.terminal.receive(welcome)
    pair.terminal.send(b"state")
    pair.host.receive(pair.from_terminal())
    pair.host.receive(hello)
    assert said(pair.from_host()) != said(welcome)


def test_a_hello_heard_again_disturbs_no_session():
    pair = Pair()
    hello = pair.from_terminal()
    pair.open()
    pair.host.receive(hello)
    assert isinstance(said(pair.from_host()), Welcome)
    assert pair.poll() == (None, None)  # the terminal does not want it, and the old session goes on
    pair.terminal.send(b"ask")
    pair.host.send(b"offer")
    assert pair.poll() == (b"offer", b"ask")
    assert (pair.host.generation, pair.terminal.generation) == (1, 1)


def test_a_welcome_heard_again_resets_no_counter():
    pair = Pair()
    pair.host.receive(pair.from_terminal())
    welcome = pair.from_host()
    pair.terminal.receive(welcome)
    pair.terminal.send(b"state")
    state = pair.from_terminal()
    for _ in range(20):
        assert pair.terminal.receive(welcome) is None
        assert pair.from_terminal() == state
    assert (pair.terminal.repeated, pair.terminal.dropped, pair.terminal.generation) == (20, 0, 1)


def test_an_old_welcome_opens_no_later_handshake():
    pair = Pair()
    pair.host.receive(pair.from_terminal())
    welcome = pair.from_host()
    pair.open()
    pair.terminal.restart()
    pair.terminal.receive(welcome)
    assert pair.terminal.generation == 1
    assert isinstance(said(pair.from_terminal()), Hello)


@pytest.mark.parametrize(
    "change", [{"proof": bytes(8)}, {"terminal": 101}, {"host": 2}, {"version": 2}, {"version": 0}, {"challenge": bytes(16)}]
)
def test_a_welcome_that_proves_nothing_opens_nothing(change: dict[str, int]):
    pair = Pair()
    pair.host.receive(pair.from_terminal())
    welcome = said(pair.from_host())
    assert isinstance(welcome, Welcome)
    pair.terminal.receive(clear(welcome._replace(**change)))  # pyright: ignore[reportArgumentType]
    assert not pair.terminal.is_open


def test_a_host_with_another_key_opens_nothing():
    pair = Pair(host_key=bytes(16))
    for _ in range(10):
        pair.poll()
    assert not pair.terminal.is_open
    assert not pair.host.is_open


def test_the_old_session_is_kept_until_state_proves_the_new_one():
    pair = Pair().open()
    pair.terminal.restart()
    pair.host.send(b"answer")
    assert pair.terminal.receive(pair.from_host()) == b"answer"  # a sealed frame of the old session, while HELLO is due
    pair.host.receive(pair.from_terminal())
    assert pair.host.generation == 1
    assert not pair.host.can_send
    pair.terminal.receive(pair.from_host())
    pair.terminal.send(b"state again")
    assert pair.host.receive(pair.from_terminal()) == b"state again"
    assert pair.host.generation == 2


def test_state_opens_the_new_session_though_the_old_one_awaits_the_same_sequence():
    pair = Pair().open()
    for count in range(7):  # the old session's next frame would be number 9, sequence 1
        pair.terminal.send(b"ask %d" % count)
        pair.poll()
        pair.poll()
    pair.terminal.restart()
    pair.shake_hands(b"state again")
    assert pair.host.generation == 2


def test_state_is_heard_though_the_terminal_was_slow_to_say_it():
    # The host goes back to the old session, which acknowledges sequence 1 by chance.
    pair = Pair().shake_hands()
    pair.host.send(b"resume")
    pair.poll()
    pair.terminal.restart()
    for _ in range(3):
        pair.poll()
    assert pair.terminal.just_opened
    pair.terminal.send(b"state again")
    assert pair.poll() == (None, b"state again")


def test_state_waits_for_a_sealed_answer_however_slow_the_host_is():
    pair = Pair().shake_hands()
    state = pair.from_terminal()
    for _ in range(200):
        assert pair.poll() == (None, None)
        assert pair.from_terminal() == state
    pair.host.send(b"resume")
    assert pair.poll() == (b"resume", None)
    assert pair.terminal.can_send


def test_nothing_of_the_old_session_opens_in_the_new_one():
    pair = Pair().shake_hands()
    state = pair.from_terminal()
    pair.terminal.restart()
    pair.poll()
    assert pair.host.receive(state) is None
    pair.shake_hands(b"state again")
    assert pair.host.receive(state) is None


@pytest.mark.parametrize("hello", [Hello(1, 1, 101, 1, bytes(16)), Hello(1, 1, TERMINAL, 2, bytes(16))])
def test_another_terminal_or_key_version_at_this_address_is_refused(hello: Hello):
    pair = Pair()
    pair.host.receive(clear(hello, to_host=True))
    assert said(pair.from_host()) == Refused(messages.HELLO, messages.TERMINAL_UNKNOWN)


def test_a_clear_refusal_is_shown_and_changes_nothing_else():
    pair = Pair(key_version=2)
    pair.poll()
    hello = pair.from_terminal()
    pair.poll()
    assert pair.terminal.refused == messages.TERMINAL_UNKNOWN
    assert pair.from_terminal() == hello
    pair = Pair().open()
    for _ in range(100):
        pair.terminal.receive(clear(Refused(messages.HELLO, messages.BUSY)))
        pair.host.receive(clear(Refused(messages.WELCOME, messages.BUSY), to_host=True))
    assert pair.terminal.is_open
    pair.terminal.send(b"ask")
    assert pair.poll() == (None, b"ask")


def test_a_host_that_lost_its_session_gets_a_new_one():
    pair = Pair().open()
    pair.new_host()
    for _ in range(7):
        pair.poll()
        assert pair.terminal.is_open
    pair.poll()
    assert not pair.terminal.is_open
    pair.shake_hands()


def test_a_terminal_that_lost_its_session_gets_a_new_one_at_once():
    pair = Pair().open()
    pair.terminal = TerminalSession(pair.crypto, LINK_KEY, TERMINAL, ADDRESS, 1, Random(3).randbytes)
    pair.shake_hands()
    assert pair.host.generation == 2


def test_8_sealed_frames_in_a_row_that_do_not_open_start_a_handshake_and_7_do_not():
    pair = Pair().open()
    for _ in range(7):
        pair.terminal.receive(stranger())
    assert pair.from_terminal().body == b""
    pair.host.send(b"offer")
    assert pair.terminal.receive(pair.from_host()) == b"offer"
    for _ in range(8):
        pair.terminal.receive(stranger())
    assert isinstance(said(pair.from_terminal()), Hello)
    assert pair.terminal.dropped == 15


def test_a_frame_sent_once_and_repeated_40_times_unacknowledged_starts_a_handshake():
    pair = Pair().open()
    pair.terminal.send(b"ask")
    first = pair.from_terminal()
    for _ in range(40):
        assert pair.from_terminal() == first
    assert isinstance(said(pair.from_terminal()), Hello)


def test_a_host_that_opens_none_of_8_sealed_frames_says_who_until_the_terminal_proves_itself():
    pair = Pair().open()
    for _ in range(8):
        pair.host.receive(stranger(to_host=True))
    assert said(pair.from_host()) == Who()
    assert not pair.host.can_send
    pair.terminal.send(b"ask")
    assert pair.host.receive(pair.from_terminal()) == b"ask"
    assert pair.from_host().body == b""
    assert pair.host.generation == 1


@pytest.mark.parametrize("control", [0, SEALED, FROM_TERMINAL, FROM_TERMINAL | SEALED])
def test_frames_for_others_and_echoes_of_ones_own_are_nothing_at_all(control: int):
    pair = Pair().open()
    for end, own in ((pair.terminal, FROM_TERMINAL), (pair.host, 0)):
        before = end.frame(), end.dropped, end.repeated
        for address in (0, ADDRESS, 4):
            frame = Frame(address, control, bytes(20) if control & SEALED else messages.encode(Who()))
            if address != ADDRESS or control & FROM_TERMINAL == own:
                assert not end.concerns(frame)
                assert end.receive(frame) is None
        assert (end.frame(), end.dropped, end.repeated) == before


def test_the_terminal_does_not_send_while_a_handshake_is_under_way():
    pair = Pair()
    assert not pair.terminal.can_send
    with pytest.raises(AssertionError):
        pair.terminal.send(b"ask")
    pair.open().terminal.restart()
    with pytest.raises(AssertionError):
        pair.terminal.send(b"ask")


def test_restarting_twice_keeps_the_challenge():
    pair = Pair().open()
    pair.terminal.restart()
    hello = pair.from_terminal()
    pair.terminal.restart()
    assert pair.from_terminal() == hello


def test_each_handshake_has_fresh_challenges():
    pair = Pair()
    hellos: set[bytes] = set()
    for _ in range(5):
        hellos.add(pair.from_terminal().body)
        pair.open().terminal.restart()
    assert len(hellos) == 5


def test_a_spent_counter_starts_a_handshake():
    pair = Pair().open()
    assert pair.terminal._seal is not None
    assert pair.host._seal is not None
    pair.terminal._seal._sent = 2**31 - 1
    pair.host._seal._accepted = 2**31 - 1
    assert said(pair.from_host()) == Who()
    assert isinstance(said(pair.from_terminal()), Hello)


def test_both_builds_of_the_crypto_understand_each_other():
    from protocol.crypto import Crypto
    from tests.protocol.pretend_cryptolib import aes

    pair = Pair()
    pair.terminal = TerminalSession(Crypto(aes), LINK_KEY, TERMINAL, ADDRESS, 1, Random(4).randbytes)
    pair.host = HostSession(HostCrypto(), LINK_KEY, TERMINAL, ADDRESS, HOST, Random(5).randbytes)
    pair.open()
    for count in range(20):
        pair.terminal.send(b"ask %d" % count)
        pair.host.send(b"answer %d" % count)
        assert pair.poll() == (b"answer %d" % count, b"ask %d" % count)
        pair.poll()
