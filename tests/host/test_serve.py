"""The host as a process: it starts, answers, streams, and ends; one at a time."""

import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import pytest

from host import holders, intake
from host.backup import Facts
from host.errors import EXIT_BUSY
from host.keys import load_web_token
from host.restore import prepare
from host.web.listen import PORT_COUNT, PortsTaken, listen
from protocol.messages import State
from tests.host.link.site import SHOWER, STUDENT, TILL, Site, make_site

COMMAND = "import sys; from host.cli import app; app(sys.argv[1:])"
END_LIMIT_S = 2.0


class Host:
    """`onecard serve` on a site, as a child process."""

    def __init__(self, site: Site) -> None:
        arguments = [sys.executable, "-c", COMMAND, "serve", "--port", "0", "--data", str(site.data)]
        self.process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.said = self.process.stdout.readline()
        found = re.search(r"http://\S+", self.said)
        assert found, self.said
        self.url = found[0]
        self.bearer = {"authorization": f"Bearer {load_web_token(site.data)}"}

    def children(self) -> str:
        """The children of the host's process."""
        return Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()

    def end(self, number: int = signal.SIGTERM) -> tuple[int, float, str]:
        """Send a signal: exit code, seconds it took, and the log."""
        start = time.monotonic()
        self.process.send_signal(number)
        _, log = self.process.communicate(timeout=10)
        return self.process.returncode, time.monotonic() - start, log


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = make_site(tmp_path / "data", '\n[[line]]\nurl = "/dev/onecard-nowhere"\n')
    yield made
    made.ledger.close()


def test_the_host_starts_answers_streams_what_another_process_does_and_ends(site: Site) -> None:
    host = Host(site)
    assert httpx.get(host.url + "health").json() == {"ok": True}
    assert httpx.get(host.url + "api/terminals").status_code == 401
    with httpx.stream("GET", host.url + "api/events", headers=host.bearer, timeout=10) as stream:
        lines = stream.iter_lines()
        assert next(lines) == "retry: 1000"
        holders.recharge(site.ledger, STUDENT, 4_200)
        record = next(line for line in lines if line.startswith("data: ") and '"recharge"' in line)
        assert '"amount_fen":4200' in record
        assert host.children() == ""
        code, took_s, log = host.end()
    assert code == 0
    assert took_s < END_LIMIT_S
    assert load_web_token(site.data) not in log
    assert [line for line in log.splitlines() if not line.startswith("{")] == []


def test_a_second_host_on_the_same_data_names_the_first_and_exits_4(site: Site) -> None:
    first = Host(site)
    second = subprocess.run(
        [sys.executable, "-c", COMMAND, "serve", "--data", str(site.data)], capture_output=True, text=True, timeout=20, check=False
    )
    assert second.returncode == EXIT_BUSY
    assert str(first.process.pid) in second.stderr
    assert first.end(signal.SIGINT)[0] == 0


def test_a_host_that_was_killed_leaves_nothing_in_the_way(site: Site) -> None:
    Host(site).end(signal.SIGKILL)
    again = Host(site)
    assert again.end()[0] == 0


def test_a_journal_on_the_ledgers_disk_is_warned_of_and_what_it_lacks_is_copied_at_the_start(site: Site) -> None:
    host = Host(site)
    log = host.end()[2]
    assert "lies on the ledger's disk" in log
    assert [path.name for path in (site.data / "journal").glob("*.journal")] != [], "the recharge of the command that has ended"


def test_a_host_that_cannot_write_its_journal_serves_and_is_not_well(site: Site) -> None:
    (site.data / "journal").write_text("in the way")
    host = Host(site)
    assert httpx.get(host.url + "health").status_code == 503
    assert "journal" in httpx.get(host.url + "health", headers=host.bearer).json()
    assert "the host's journal cannot be written" in host.end()[2]


def test_a_restored_host_ends_the_wait_by_itself_once_nobody_is_missing(site: Site) -> None:
    prepare(site.ledger, [], facts=Facts("sqlite", "", 0, 0, "", 0, {}, 0, ""), name="a backup")
    host = Host(site)
    assert [one["terminal"] for one in httpx.get(host.url + "health", headers=host.bearer).json()["restoring"]] == [TILL, SHOWER]
    for number in (TILL, SHOWER):
        intake.resume(site.ledger, number, State(0, 1, 1, "test", 1, []), 0)
    end_s = time.monotonic() + 20
    while "restoring" in httpx.get(host.url + "health", headers=host.bearer).json():
        assert time.monotonic() < end_s
        time.sleep(0.05)
    assert "all terminals have delivered" in host.end()[2]


def test_a_port_that_is_taken_leads_to_the_next() -> None:
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with listen("127.0.0.1", port) as following:
            assert port < following.getsockname()[1] < port + PORT_COUNT


def test_ten_taken_ports_are_told_with_who_has_the_first() -> None:
    with ExitStack() as stack:
        port = 48_420
        for number in range(port, port + PORT_COUNT):
            with suppress(OSError):  # somebody has it already, which serves as well
                stack.enter_context(socket.create_server(("127.0.0.1", number)))
        with pytest.raises(PortsTaken, match=str(port)):
            listen("127.0.0.1", port)
