"""Row 9: a frame from text to line and from line to text, on the host."""

from collections.abc import Iterator
from pathlib import Path
from struct import pack

from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from bench.canteens import Canteens
from bench.row import Row, microseconds
from host.crypto import HostCrypto
from host.link.codec import host_codec
from protocol.frame import FROM_TERMINAL, SEALED, Decoder, Frame, encode_frame
from protocol.messages import Records, encode
from protocol.seal import Seal

_KEY = bytes(range(16))
_ADDRESS = 3
_COUNT = 10_000


def rows(_canteens: Canteens, _pictures: Path) -> Iterator[Row]:
    """The one row."""
    yield encode_and_decode()


def encode_and_decode() -> Row:
    """Compare a sealed frame's whole way, both ends in this process, with the bare seal and open.

    Ours, for each frame: seal under the next counter, CRC, COBS; then find the frame in the stream, COBS, CRC, check the
    sequence, open, take the acknowledgement. The reference: AESCCM seals and opens the same text, each side making the
    nonce and the associated data that a frame needs, and nothing else. The text is one record's message.
    """
    texts = [encode(Records(bytes(60) + index.to_bytes(4))) for index in range(_COUNT)]
    codec = host_codec()
    decoder = Decoder(codec)
    bare = AESCCM(_KEY, tag_length=8)
    key_count = 0

    def exchange(sender: Seal, receiver: Seal, text: bytes) -> None:
        sender.send(text)
        control, body = sender.frame()
        decoder.receive(encode_frame(codec, _ADDRESS, control, body))
        frame = decoder.next_event()
        if type(frame) is not Frame or receiver.receive(frame.control, frame.body) != text:
            raise AssertionError(frame)

    def ours() -> None:
        nonlocal key_count
        key_count += 1
        ccm = HostCrypto().ccm(key_count.to_bytes(16))
        terminal, host = Seal(ccm, _ADDRESS, FROM_TERMINAL), Seal(ccm, _ADDRESS, 0)
        pairs = iter(texts)
        for up, down in zip(pairs, pairs, strict=True):
            exchange(terminal, host, up)
            exchange(host, terminal, down)

    def reference() -> None:
        seal, unseal = bare.encrypt, bare.decrypt
        for counter, text in enumerate(texts):
            control = FROM_TERMINAL | SEALED | (counter & 7) << 3
            sealed = seal(pack(">BIQ", 1, counter, 0), text, bytes((_ADDRESS, control)))
            if unseal(pack(">BIQ", 1, counter, 0), sealed, bytes((_ADDRESS, control))) != text:
                raise AssertionError(text)

    return Row("9 encode and decode a frame on the host", microseconds(ours, _COUNT), microseconds(reference, _COUNT), "<= 2.5")
