"""Whatever the wire does: nothing is accepted twice, out of order or from a stranger, and it heals by itself."""

from random import Random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from protocol import messages
from protocol.frame import FROM_TERMINAL, PLAIN, encode_frame
from tests.protocol.ends import ADDRESS, PATIENCE_POLLS, TERMINAL, Ends, Fault, clean

HEALED_WITHIN_POLLS = 4 * PATIENCE_POLLS
LINE_FAULTS = st.sampled_from(["clean", "clean", "lost", "twice", "flipped", "cut"])


class LineMachine(RuleBasedStateMachine):
    """Two honest ends and a line that loses, repeats and alters; power cuts and killed processes at either end."""

    IS_PATIENT = True

    @initialize(seed=st.integers(0, 2**32), polls=st.integers(0, 30))
    def start(self, seed: int, polls: int) -> None:
        self.ends = Ends(Random(seed), is_patient=self.IS_PATIENT)
        for _ in range(polls):
            self.ends.poll()

    @rule(down=LINE_FAULTS, up=LINE_FAULTS, at=st.integers(0, 10_000), count=st.integers(1, 12))
    def poll(self, down: str, up: str, at: int, count: int) -> None:
        for _ in range(count):
            self.ends.poll(_fault(down, at), _fault(up, at))

    @rule()
    def cut_the_terminals_power(self) -> None:
        self.ends.start_terminal()

    @rule()
    def kill_the_host(self) -> None:
        self.ends.start_host()

    @rule(count=st.integers(1, 20))
    def keep_the_terminal_busy(self, count: int) -> None:
        self.ends.slow_polls = count

    @rule()
    def restart_the_session(self) -> None:
        self.ends.terminal.restart()

    @invariant()
    def each_text_is_accepted_once_and_in_order(self) -> None:
        if hasattr(self, "ends"):
            assert _is_within(self.ends.accepted_by_host, self.ends.sent_by_terminal)
            assert _is_within(self.ends.accepted_by_terminal, self.ends.sent_by_host)

    @invariant()
    def the_host_hears_state_first_in_each_session(self) -> None:
        if hasattr(self, "ends"):
            assert all(text.startswith(b"state") for text in self.ends.firsts)

    def teardown(self) -> None:
        """The line is clean again: a new question gets its answer."""
        if not hasattr(self, "ends"):
            return
        old = len(self.ends.sent_by_terminal)
        for _ in range(HEALED_WITHIN_POLLS):
            self.ends.poll()
            if any(_is_answered(text, self.ends.accepted_by_terminal) for text in self.ends.sent_by_terminal[old:]):
                break
        else:
            raise AssertionError("no answer on a clean line")
        self.each_text_is_accepted_once_and_in_order()
        self.the_host_hears_state_first_in_each_session()


class StrangerMachine(LineMachine):
    """The same, and on the line somebody who hears all, delays it, repeats it and says anything, but has no key."""

    IS_PATIENT = False

    @rule(at=st.integers(0, 10_000), count=st.integers(1, 3))
    def delay(self, at: int, count: int) -> None:
        def late(wire: bytes) -> list[bytes]:
            self.ends.late.append(wire)
            return []

        for turn in range(count):
            self.ends.poll(*((late, clean) if (at + turn) % 2 else (clean, late)))

    @rule(at=st.integers(0, 10_000))
    def deliver_late(self, at: int) -> None:
        if self.ends.late:
            self.say(self.ends.late.pop(at % len(self.ends.late)))

    @rule(at=st.integers(0, 10_000), count=st.integers(1, 50))
    def replay(self, at: int, count: int) -> None:
        for wire in self.ends.heard[at % max(1, len(self.ends.heard)) :][:count]:
            self.say(wire)

    @rule(acknowledgement=st.integers(0, 7), from_terminal=st.booleans())
    def forge_an_acknowledgement(self, acknowledgement: int, from_terminal: bool) -> None:
        self.say(encode_frame(PLAIN, ADDRESS, _direction(from_terminal) | acknowledgement, b""))

    @rule(body=st.binary(max_size=40), control=st.integers(0, 127), from_terminal=st.booleans(), count=st.integers(1, 60))
    def forge_a_frame(self, body: bytes, control: int, from_terminal: bool, count: int) -> None:
        for _ in range(count):
            self.say(encode_frame(PLAIN, ADDRESS, _direction(from_terminal) | control, body))

    @rule(from_terminal=st.booleans(), challenge=st.binary(min_size=16, max_size=16), which=st.integers(0, 3), count=st.integers(1, 12))
    def forge_a_handshake(self, from_terminal: bool, challenge: bytes, which: int, count: int) -> None:
        forged = (
            messages.Who(),
            messages.Hello(1, 1, TERMINAL, 1, challenge),
            messages.Welcome(1, TERMINAL, 1, challenge, challenge[:8]),
            messages.Refused(messages.HELLO, messages.TERMINAL_UNKNOWN),
        )[which]
        for _ in range(count):
            self.say(encode_frame(PLAIN, ADDRESS, _direction(from_terminal), messages.encode(forged)))

    def say(self, wire: bytes) -> None:
        """Let bytes arrive at both ends, as they do on two wires that all share."""
        self.ends.arrive_at_terminal([wire])
        self.ends.arrive_at_host([wire])


def _direction(from_terminal: bool) -> int:
    return FROM_TERMINAL if from_terminal else 0


def _fault(name: str, at: int) -> Fault:
    faults: dict[str, Fault] = {
        "clean": clean,
        "lost": lambda wire: [],
        "twice": lambda wire: [wire, wire],
        "flipped": lambda wire: [(int.from_bytes(wire) ^ 1 << at % (8 * len(wire))).to_bytes(len(wire))],
        "cut": lambda wire: [wire[: at % len(wire)]],
    }
    return faults[name]


def _is_answered(text: bytes, answers: list[bytes]) -> bool:
    return any(answer.startswith(b"resume to " + text + b" ") for answer in answers)


def _is_within(part: list[bytes], whole: list[bytes]) -> bool:
    """Tell whether `part` is `whole` with some left out: nothing twice, nothing out of order, nothing strange."""
    rest = iter(whole)
    return all(text in rest for text in part)


LineMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
StrangerMachine.TestCase.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
TestLine = LineMachine.TestCase
TestStranger = StrangerMachine.TestCase
