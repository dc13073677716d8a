"""Versions in the handshake: the highest that both know, whoever talks between them."""

import pytest

from protocol import handshake, messages
from protocol.messages import Hello, Refused, Welcome
from tests.protocol.test_session import HOST, LINK_KEY, TERMINAL, Pair, clear, said


@pytest.mark.parametrize("version", [0, 2])
def test_a_version_nobody_offered_opens_nothing_even_with_the_right_proof(version: int):
    """A host that answers with a version the terminal does not have is broken, whatever keys it has."""
    pair = Pair()
    hello = said(pair.from_terminal())
    assert isinstance(hello, Hello)
    challenge = bytes(16)
    bound_to = handshake.transcript(
        versions=(version, 1, 1), terminal=TERMINAL, host=HOST, terminal_challenge=hello.challenge, host_challenge=challenge
    )
    proof = handshake.proof(pair.crypto, LINK_KEY, bound_to)
    pair.terminal.receive(clear(Welcome(version, TERMINAL, HOST, challenge, proof)))
    assert not pair.terminal.is_open


@pytest.mark.parametrize("versions", [(0, 1), (1, 9)])
def test_a_hello_whose_versions_were_altered_on_the_line_opens_nothing(versions: tuple[int, int]):
    """Nobody can talk two ends down to an older version than both know."""
    pair = Pair()
    hello = said(pair.from_terminal())
    assert isinstance(hello, Hello)
    pair.host.receive(clear(hello._replace(low=versions[0], high=versions[1]), to_host=True))
    pair.terminal.receive(pair.from_host())
    assert not pair.terminal.is_open


def test_versions_without_a_common_one_are_refused():
    pair = Pair()
    pair.host.receive(clear(Hello(2, 9, TERMINAL, 1, bytes(16)), to_host=True))
    assert said(pair.from_host()) == Refused(messages.HELLO, messages.VERSION_UNKNOWN)


def test_the_highest_common_version_is_taken():
    pair = Pair()
    pair.host.receive(clear(Hello(0, 9, TERMINAL, 1, bytes(16)), to_host=True))
    welcome = said(pair.from_host())
    assert isinstance(welcome, Welcome)
    assert welcome.version == 1
