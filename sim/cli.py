"""The simulator's commands, joined to the host's by onecard/__main__.py."""

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from host.errors import EXIT_BUSY, EXIT_CUT, EXIT_FAILED, EXIT_MISSING

if TYPE_CHECKING:
    from sim.story import Story

FAST = 4.0
"""Virtual seconds in a real one, at most, for `--once`, unless said otherwise."""

PORT = 8430

_ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def add_commands(app: typer.Typer) -> None:
    """Add `demo` to the command line."""
    app.command()(demo)


def demo(
    once: Annotated[bool, typer.Option("--once", help="只演一遍 play the story once, then end: exit 0, or 1 with what went wrong")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="从头开始 forget the demonstration's cards, journals and books")] = False,
    speed: Annotated[
        float | None, typer.Option(min=0.1, max=50, help=f"快慢 virtual seconds in a real one, at most; default 1, with --once {FAST:.0f}")
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="端口 of the live page; taken: the next of ten")] = PORT,
    data: Annotated[
        Path, typer.Option(envvar="ONECARD_DATA", help="数据目录 the data folder; the demonstration keeps to demo/ in it")
    ] = Path("var"),
) -> None:
    """演示 Play a shower and a till with the real firmware.

    Starts host and terminals, plays a short story, and stays up to be played with; Ctrl-C ends all of it.

    Example: onecard demo --once
    """
    # Here, so that the host's commands do not load the simulator.
    from sim.demo import Demo
    from sim.image import ImageFailed
    from sim.story import Story
    from sim.terminal import Busy, MicroPythonMissing
    from sim.workbench.server import LivePage

    running = Demo((data / "demo").absolute(), speed=speed or (FAST if once else 1.0), say=typer.echo)
    page = LivePage(running, port)
    is_played = False
    with _signals():
        try:
            running.open(fresh=fresh)
            _tell_page(page.start(), port)
            is_played = _play(Story(running, typer.echo), once=once)
            if not once:
                typer.echo("请在网页上自己按键插卡；Ctrl-C 结束 now it is yours: press keys on the page; Ctrl-C ends")
                threading.Event().wait()
        except KeyboardInterrupt:
            raise typer.Exit(0 if is_played else EXIT_CUT) from None
        except (Busy, MicroPythonMissing, ImageFailed) as error:
            typer.echo(f"onecard: {error}", err=True)
            code = EXIT_BUSY if isinstance(error, Busy) else EXIT_MISSING if isinstance(error, MicroPythonMissing) else EXIT_FAILED
            raise typer.Exit(code) from None
        finally:
            _ignore_signals()
            page.stop()
            running.close()


def _tell_page(address: str, port: int) -> None:
    if port and f":{port}/" not in address:
        typer.echo(f"端口 {port} 被占用 port {port} is taken")
    typer.echo(f"现场 live page: {address}")


def _play(story: "Story", *, once: bool) -> bool:
    """Play the story; whether to its end. Somebody who presses keys on the page may break it off: what stays up stays up then."""
    from sim.story import StoryFailed

    try:
        story.play()
    except StoryFailed as error:
        if once:
            raise
        typer.echo(f"故事中断 the story broke off: {error}", err=True)
        return False
    return True


@contextmanager
def _signals() -> Generator[None]:
    """Let the first signal that ends a process break off what runs."""
    before = {number: signal.signal(number, _interrupt) for number in _ENDING_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(_number: int, _frame: object) -> None:
    _ignore_signals()
    raise KeyboardInterrupt


def _ignore_signals() -> None:
    """What ends must come to its end, however often Ctrl-C is pressed: it is bounded."""
    for number in _ENDING_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
