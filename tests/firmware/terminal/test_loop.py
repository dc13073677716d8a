"""The loop: feeds the watchdog at each pass, and never leaves the valve open behind it."""

import pytest

from firmware.terminal.loop import run


class Parts:
    """A board and a terminal in one; the third pass fails."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.watchdog = self.valve = self

    def poll(self) -> None:
        self.log.append("poll")
        if self.log.count("poll") == 3:
            raise OSError(28)

    def feed(self) -> None:
        self.log.append("feed")

    def wait(self, ms: int) -> None:
        self.log.append(f"wait {ms}")

    def shut(self) -> None:
        self.log.append("shut")


def test_a_failing_pass_shuts_the_valve_and_ends_the_program() -> None:
    parts = Parts()
    with pytest.raises(OSError, match="28"):
        run(parts, parts)  # pyright: ignore[reportArgumentType]
    assert parts.log == ["poll", "feed", "wait 5", "poll", "feed", "wait 5", "poll", "shut"]
