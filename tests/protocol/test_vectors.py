"""docs/vectors, by the host's libraries and by the plain twins: the checks that the device runs too."""

import pytest

from host.crypto import HostCcm, HostCrypto
from host.link.codec import _pack, _unpack, host_codec
from tests.device.protocol_vectors import CHECKS, Build, load, plain_build
from tests.protocol.pretend_cryptolib import aes


def _make_ccm(key: bytes, _: int) -> HostCcm:
    return HostCrypto().ccm(key)


HOST = Build("host", host_codec(), _pack, _unpack, HostCrypto(), _make_ccm)


@pytest.mark.parametrize("build", [HOST, plain_build(aes)], ids=lambda build: build.name)
@pytest.mark.parametrize("name", sorted(CHECKS))
def test_every_vector_holds(name: str, build: Build):
    CHECKS[name](build, load(name))


def test_every_file_of_vectors_has_a_check():
    from pathlib import Path

    folder = Path(__file__).parents[2] / "docs" / "vectors"
    assert {path.stem for path in folder.glob("*.json")} == set(CHECKS)


def test_every_message_and_kind_of_record_has_a_vector():
    from protocol import messages, record

    assert {vector["number"] for vector in load("messages")["vectors"]} == set(range(messages.CHUNK + 1))
    kinds = {vector["fields"]["kind"] for vector in load("records")["vectors"]}
    assert kinds == set(range(record.SALE, record.FAULT + 1)) | set(range(record.RECHARGE, record.ADJUST + 1))
