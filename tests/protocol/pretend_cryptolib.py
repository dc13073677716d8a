"""MicroPython's `cryptolib.aes` in the shape the device has it, over the host's library: for CPython only."""

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC, ECB

Buffer = bytes | bytearray | memoryview


class aes:  # the name is cryptolib's
    """AES in mode 1 (ECB) or 2 (CBC, chaining on from call to call)."""

    def __init__(self, key: bytes, mode: int, iv: bytes = b""):
        self._encryptor = Cipher(AES(key), ECB() if mode == 1 else CBC(iv)).encryptor()

    def encrypt(self, source: Buffer, target: bytearray | memoryview | None = None) -> Buffer:
        """Encrypt whole blocks, into `target` if given, which may be `source`."""
        encrypted = self._encryptor.update(bytes(source))
        if target is None:
            return encrypted
        target[:] = encrypted
        return target
