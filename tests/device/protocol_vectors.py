"""Checks the protocol against docs/vectors: one set of checks, for CPython and for the real MicroPython.

On MicroPython: `micropython -X heapsize=192k tests/device/protocol_vectors.py`, with the plain and the
viper twins over the chip's AES; a line for each check, an AssertionError for the first that fails.
On CPython tests/protocol/test_vectors.py runs the same checks, with the host's libraries and with the plain twins.
"""

import json
import sys
from collections import namedtuple

ROOT = __file__.rsplit("/", 3)[0] if __file__.count("/") > 2 else "."
if sys.implementation.name == "micropython":
    sys.path.insert(0, ROOT)

from protocol import card, cobs, crc, handshake, keys, messages, packing, record  # noqa: E402
from protocol.crypto import Ccm, Crypto, xor  # noqa: E402
from protocol.frame import BadFrame, Codec, Decoder, Frame, encode_frame  # noqa: E402
from protocol.session import HostSession, TerminalSession  # noqa: E402

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NamedTuple

    from protocol.crypto import Sealer, Suite

    Page = dict[str, Any]

    class Build(NamedTuple):
        """What is checked: the codec, the packer, the crypto, and `make_ccm(key, nonce_size)`."""

        name: str
        codec: Codec
        pack: Callable[[Any], bytes]
        unpack: Callable[[bytes], Any]
        crypto: Suite
        make_ccm: Callable[[bytes, int], Sealer]

else:
    Build = namedtuple("Build", ("name", "codec", "pack", "unpack", "crypto", "make_ccm"))


def plain_build(aes: "Callable[..., Any]") -> "Build":
    """Return the plain twins over an AES primitive of cryptolib's shape."""
    codec = Codec(crc.crc16, cobs.encode, cobs.decode)
    return Build("plain", codec, packing.pack, packing.unpack, Crypto(aes), lambda key, size: Ccm(aes, key, xor, size))


def fast_build(aes: "Callable[..., Any]") -> "Build":
    """Return the viper twins, which only MicroPython has."""
    from protocol import fast

    return Build("viper", fast.CODEC, packing.pack, packing.unpack, Crypto(aes, fast.xor), lambda key, size: Ccm(aes, key, fast.xor, size))


def load(name: str) -> "Page":
    """Return the content of a file of docs/vectors."""
    with open(ROOT + "/docs/vectors/" + name + ".json", encoding="utf-8") as file:
        return json.load(file)


def check_crc(build: "Build", page: "Page") -> None:
    """`crc` is the CRC of `data`."""
    for vector in page["vectors"]:
        assert build.codec.crc16(_bytes(vector["data"])) == vector["crc"], vector


def check_cobs(build: "Build", page: "Page") -> None:
    """Both ways; and what is bad is refused."""
    for vector in page["vectors"]:
        data, encoded = _bytes(vector["data"]), _bytes(vector["encoded"])
        assert build.codec.cobs_encode(data) == encoded, vector
        assert build.codec.cobs_decode(encoded) == data, vector
    for encoded in page["bad"]:
        assert _is_refused(build.codec.cobs_decode, _bytes(encoded)), encoded


def check_frames(build: "Build", page: "Page") -> None:
    """Both ways; what is bad is dropped for its reason, and the next frame is heard."""
    decoder = Decoder(build.codec)
    for vector in page["vectors"]:
        frame = Frame(vector["address"], vector["control"], _bytes(vector["body"]))
        assert encode_frame(build.codec, frame.address, frame.control, frame.body) == _bytes(vector["wire"]), vector
        decoder.receive(_bytes(vector["wire"]))
        assert decoder.next_event() == frame, vector
    for vector in page["bad"]:
        decoder.receive(_bytes(vector["wire"]) + _bytes(page["vectors"][0]["wire"]))
        assert decoder.next_event() == BadFrame(vector["reason"]), vector
        assert type(decoder.next_event()) is Frame


def check_messages(build: "Build", page: "Page") -> None:
    """Both ways; what is bad raises what REFUSED must say."""
    for vector in page["vectors"]:
        message = messages.decode(_bytes(vector["packed"]), build.unpack)
        assert messages.number_of(message) == vector["number"], vector
        assert _as_json(message) == vector["fields"], vector
        assert messages.encode(message, build.pack) == _bytes(vector["packed"]), vector
    for vector in page["bad"]:
        assert _refusal(build, _bytes(vector["packed"])) == (vector["number"], vector["reason"]), vector


def check_records(build: "Build", page: "Page") -> None:
    """Both ways, with the TAC; what is bad is refused."""
    for vector in page["vectors"]:
        cmac = build.crypto.cmac(_bytes(vector["key"]))
        data = _bytes(vector["bytes"])
        found = record.decode(data)
        for name in vector["fields"]:
            value = getattr(found, name)
            assert (value.hex() if isinstance(value, bytes) else _as_json(value)) == vector["fields"][name], (vector, name)
        assert record.encode(found, cmac) == data, vector
        assert record.verify(data, cmac), vector
        assert not record.verify(data[:55] + bytes([data[55] ^ 1]) + data[56:], cmac), vector
        key = record.pack_key((found.terminal, found.epoch, found.sequence), 0)
        assert key.to_bytes(8, "big") == _bytes(vector["movement"]), vector
        assert record.unpack_key(key + 15) == (record.Name(found.terminal, found.epoch, found.sequence), 15), vector
    for vector in page["bad"]:
        assert _is_refused(record.decode, _bytes(vector["bytes"])), vector


def check_cmac(build: "Build", page: "Page") -> None:
    """The CMAC of `message`, twice with one key: nothing of the first is left in the second."""
    for vector in page["vectors"]:
        cmac = build.crypto.cmac(_bytes(vector["key"]))
        for _ in range(2):
            assert cmac(_bytes(vector["message"])) == _bytes(vector["mac"]), vector


def check_ccm(build: "Build", page: "Page") -> None:
    """Both ways, and a tag altered by a bit opens nothing."""
    for vector in page["vectors"]:
        nonce, aad, sealed = _bytes(vector["nonce"]), _bytes(vector["aad"]), _bytes(vector["sealed"])
        ccm = build.make_ccm(_bytes(vector["key"]), len(nonce))
        assert ccm.seal(nonce, _bytes(vector["text"]), aad) == sealed, vector
        assert ccm.open(nonce, sealed[:-1] + bytes([sealed[-1] ^ 1]), aad) is None, vector
        assert ccm.open(nonce, sealed, aad) == _bytes(vector["text"]), vector


def check_kdf(build: "Build", page: "Page") -> None:
    """The published ones by their fixed input data as a whole, ours by label and context."""
    for vector in page["vectors"]:
        assert build.crypto.derive_fixed(_bytes(vector["key"]), _bytes(vector["fixed"])) == _bytes(vector["derived"]), vector
    for vector in page["labelled"]:
        derived = build.crypto.derive(_bytes(vector["key"]), vector["label"].encode(), _bytes(vector["context"]))
        assert derived == _bytes(vector["derived"]), vector


def check_an10922(build: "Build", page: "Page") -> None:
    """The published example, and inputs shorter than it."""
    for vector in page["vectors"] + page["short"]:
        assert build.crypto.diversify(_bytes(vector["key"]), _bytes(vector["input"])) == _bytes(vector["diversified"]), vector


def check_keys(build: "Build", page: "Page") -> None:
    """Every key from the site key down."""
    for vector in page["vectors"]:
        site_key = _bytes(vector["site_key"])
        terminal, version = vector["terminal"], vector["key_version"]
        record_key = keys.record_key(build.crypto, site_key, terminal, version)
        card_key = keys.card_key(build.crypto, site_key, version)
        assert keys.link_key(build.crypto, site_key, terminal, version) == _bytes(vector["link_key"]), vector
        assert record_key == _bytes(vector["record_key"]), vector
        assert card_key == _bytes(vector["card_key"]), vector
        assert keys.code_hash(build.crypto.cmac(record_key), vector["code"].encode()) == _bytes(vector["code_hash"]), vector
        for one in vector["cards"]:
            uid = _bytes(one["uid"])
            assert keys.sector_key(build.crypto, card_key, uid, one["sector"], "A") == _bytes(one["key_a"]), one
            assert keys.sector_key(build.crypto, card_key, uid, one["sector"], "B") == _bytes(one["key_b"]), one
            assert keys.mac_key(build.crypto, card_key, uid) == _bytes(one["mac_key"]), one


def check_card(build: "Build", page: "Page") -> None:
    """The four blocks both ways, and what a record says of them."""
    for vector in page["vectors"]:
        cmac = build.crypto.cmac(_bytes(vector["mac_key"]))
        blocks = [_bytes(block) for block in vector["blocks"]]
        identity = card.decode_identity(blocks[0], cmac)
        copies = [card.decode_copy(blocks[at], card.BLOCK_IDENTITY + at, cmac) for at in (1, 2)]
        assert list(identity or ()) == vector["identity"], vector
        assert card.encode_identity(identity, cmac) == blocks[0], vector
        for at in (1, 2):
            copy = copies[at - 1]
            assert (None if copy is None else list(copy)) == vector["copies"][at - 1], vector
            assert copy is None or card.encode_copy(copy, card.BLOCK_IDENTITY + at, cmac) == blocks[at], vector
        assert card.trailer(_bytes(vector["key_a"]), _bytes(vector["key_b"])) == blocks[3], vector
        assert card.shown(copies[0], copies[1]) == _bytes(vector["shown"]), vector


def check_session(build: "Build", page: "Page") -> None:
    """Both ends, frame by frame, byte for byte."""
    for vector in page["vectors"]:
        link_key, address = _bytes(vector["link_key"]), vector["address"]
        terminal, host, version = vector["terminal"], vector["host"], vector["key_version"]
        terminal_challenge, host_challenge = _bytes(vector["terminal_challenge"]), _bytes(vector["host_challenge"])
        ends = {
            "terminal": TerminalSession(build.crypto, link_key, terminal, address, version, _always(terminal_challenge)),
            "host": HostSession(build.crypto, link_key, terminal, address, host, _always(host_challenge), version),
        }
        decoder = Decoder(build.codec)
        for step in vector["steps"]:
            sender, receiver = ends[step["from"]], ends["host" if step["from"] == "terminal" else "terminal"]
            if step["send"] is not None:
                sender.send(_bytes(step["send"]))
            control, body = sender.frame()
            assert (control, body) == (step["control"], _bytes(step["body"])), step
            assert encode_frame(build.codec, address, control, body) == _bytes(step["wire"]), step
            decoder.receive(_bytes(step["wire"]))
            received = receiver.receive(decoder.next_event())
            assert received == (None if step["received"] is None else _bytes(step["received"])), step
        bound_to = handshake.transcript(
            versions=(1, 1, 1), terminal=terminal, host=host, terminal_challenge=terminal_challenge, host_challenge=host_challenge
        )
        assert handshake.proof(build.crypto, link_key, bound_to) == _bytes(vector["proof"])
        assert handshake.session_key(build.crypto, link_key, bound_to) == _bytes(vector["session_key"])


# File of docs/vectors, and its check.
CHECKS = {
    "crc": check_crc,
    "cobs": check_cobs,
    "frames": check_frames,
    "messages": check_messages,
    "records": check_records,
    "cmac": check_cmac,
    "ccm": check_ccm,
    "kdf": check_kdf,
    "an10922": check_an10922,
    "keys": check_keys,
    "card": check_card,
    "session": check_session,
}


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text)


def _as_json(value: "Any") -> "Any":
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    if isinstance(value, (list, tuple)):
        return [_as_json(item) for item in value]
    return value


def _always(value: bytes) -> "Callable[[int], bytes]":
    return lambda _: value


def _refusal(build: "Build", packed: bytes) -> "tuple[int, int] | None":
    """Return what REFUSED must say of these bytes, or None if they are a message."""
    try:
        messages.decode(packed, build.unpack)
    except messages.MessageError as error:
        return error.number, error.reason
    return None


def _is_refused(function: "Callable[[bytes], object]", data: bytes) -> bool:
    try:
        function(data)
    except ValueError:
        return True
    return False


def check_twins(plain: "Build", fast: "Build", fast_xor: "Callable[..., None]", random: "Callable[[int], bytes]") -> int:
    """Compare the twins on `random(n)` bytes, made long, short and full of zeros; return how many."""
    count = 0
    for size in (0, 1, 2, 15, 16, 17, 64, 242, 253, 254, 255, 256):
        noise = random(size)
        for data in (noise, bytes([byte & 1 for byte in noise]), bytes([byte | 1 for byte in noise])):
            assert plain.codec.crc16(data) == fast.codec.crc16(data), data
            encoded = plain.codec.cobs_encode(data)
            assert encoded == fast.codec.cobs_encode(data), data
            assert fast.codec.cobs_decode(encoded) == data, data
            is_refused = _is_refused(plain.codec.cobs_decode, data)
            assert is_refused == _is_refused(fast.codec.cobs_decode, data), data
            assert is_refused or plain.codec.cobs_decode(data) == fast.codec.cobs_decode(data), data
            into = [bytearray(data), bytearray(data)]
            source = random(size)
            xor(into[0], source, size)
            fast_xor(into[1], source, size)
            assert into[0] == into[1], data
            count += 1
    return count


def main() -> None:
    """Run every check with both builds, and compare them; on MicroPython only."""
    from os import urandom

    from cryptolib import aes

    from protocol.fast import xor as fast_xor

    plain, fast = plain_build(aes), fast_build(aes)
    print("ok twins", check_twins(plain, fast, fast_xor, urandom))
    for build in (plain, fast):
        for name in sorted(CHECKS):
            page = load(name)
            CHECKS[name](build, page)
            print("ok", name, build.name, len(page["vectors"]))


if __name__ == "__main__":
    main()
