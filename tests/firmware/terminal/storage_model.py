"""A folder in memory whose power can be cut at any write: the storage that journal and resources are tested on."""


class PowerCut(OSError):
    """What every operation raises from the cut on."""


class StorageModel:
    """The shape of `firmware.terminal.storage.FileStorage`, on a dict of bytes.

    `cut_at`: the number of the changing operation (from 1) that the power goes in, 0 for never; `torn_percent`: how much
    of an append has reached the flash by then. Replacing, renaming and removing are atomic, as on littlefs; an append
    is torn on purpose, which littlefs does not do.
    """

    def __init__(self, files: dict[str, bytes], cut_at: int = 0, torn_percent: int = 0) -> None:
        self.files = files
        self.operation_count = 0
        self._cut_at = cut_at
        self._torn_percent = torn_percent
        self._is_off = False

    def names(self) -> list[str]:
        return sorted(self.files)

    def size(self, name: str) -> int:
        return len(self._get(name))

    def read(self, name: str, offset: int = 0, size: int = -1) -> bytes:
        data = self._get(name)
        return data[offset:] if size < 0 else data[offset : offset + size]

    def replace(self, name: str, data: bytes) -> None:
        self._change()
        self.files[name] = bytes(data)

    def append(self, name: str, data: bytes) -> None:
        before = self.files.get(name, b"")
        try:
            self._change()
        except PowerCut:
            if self.operation_count == self._cut_at:
                self.files[name] = before + data[: len(data) * self._torn_percent // 100]
            raise
        self.files[name] = before + data

    def rename(self, old: str, new: str) -> None:
        self._change()
        self.files[new] = self.files.pop(old)

    def remove(self, name: str) -> None:
        self._change()
        del self.files[name]

    def _get(self, name: str) -> bytes:
        if self._is_off:
            raise PowerCut
        if name not in self.files:
            raise OSError(2, name)
        return self.files[name]

    def _change(self) -> None:
        if self._is_off:
            raise PowerCut
        self.operation_count += 1
        if self.operation_count == self._cut_at:
            self._is_off = True
            raise PowerCut
