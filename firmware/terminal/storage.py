"""A folder of small files, as the journal and the resources need one."""

import os

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Protocol

    class Storage(Protocol):
        """What may be a folder on littlefs, a folder anywhere else, or a test's model that is cut at any write.

        Any method may raise OSError for a flash that fails; what each raises beside that stands with it.
        """

        def names(self) -> list[str]:
            """The names of the files, sorted."""
            ...

        def size(self, name: str) -> int:
            """The size of a file in bytes. Raises OSError (ENOENT) where there is none."""
            ...

        def read(self, name: str, offset: int = 0, size: int = -1) -> bytes:
            """The bytes from `offset` on, at most `size`; fewer where the file ends. Raises OSError (ENOENT) where there is none."""
            ...

        def replace(self, name: str, data: bytes) -> None:
            """Make `data` the whole content of a file, new or not. Durable when it returns; cut, the old content stands.

            Raises OSError (ENOSPC) when the flash is full; then nothing changed.
            """
            ...

        def append(self, name: str, data: bytes) -> None:
            """Put `data` at the end of a file, new or not. Durable when it returns; cut, part of it may stand there.

            Raises OSError (ENOSPC) when the flash is full.
            """
            ...

        def rename(self, old: str, new: str) -> None:
            """Give a file another name, in the place of one that had it. Durable when it returns; cut, it has the old or the new.

            Raises OSError (ENOENT) where there is no `old`.
            """
            ...

        def remove(self, name: str) -> None:
            """Remove a file. Durable when it returns. Raises OSError (ENOENT) where there is none."""
            ...


_SIZE_INDEX = 6  # of the tuple os.stat returns


class FileStorage:
    """One folder of a file system; made when it is missing.

    On littlefs every method that changes something is atomic and durable when it returns: a file's new content,
    and its new size, take effect in one commit when it is closed (littlefs DESIGN.md, "Files"; SPEC.md, "Metadata
    pairs"). Elsewhere a cut may leave a file half written; the journal finds that out by its CRCs.

    Raises OSError: ENOENT for a file that is not there, ENOSPC when the flash is full.
    """

    def __init__(self, folder: str) -> None:
        self._prefix = folder + "/"
        try:
            os.stat(folder)
        except OSError:
            os.mkdir(folder)

    def names(self) -> list[str]:
        """The names of the files, sorted."""
        return sorted(os.listdir(self._prefix[:-1]))

    def size(self, name: str) -> int:
        """The size of a file in bytes."""
        return os.stat(self._prefix + name)[_SIZE_INDEX]

    def read(self, name: str, offset: int = 0, size: int = -1) -> bytes:
        """The bytes from `offset` on, at most `size`; fewer where the file ends."""
        with open(self._prefix + name, "rb") as file:
            file.seek(offset)
            return file.read(size)

    def replace(self, name: str, data: bytes) -> None:
        """Make `data` the whole content of a file, new or not."""
        with open(self._prefix + name, "wb") as file:
            file.write(data)

    def append(self, name: str, data: bytes) -> None:
        """Put `data` at the end of a file."""
        with open(self._prefix + name, "ab") as file:
            file.write(data)

    def rename(self, old: str, new: str) -> None:
        """Give a file another name; a file that had it is gone."""
        os.rename(self._prefix + old, self._prefix + new)

    def remove(self, name: str) -> None:
        """Remove a file."""
        os.remove(self._prefix + name)
