"""The storage adapter and its model do the same, so that what holds on one holds on the other."""

from pathlib import Path

import pytest

from firmware.terminal.storage import FileStorage
from tests.firmware.terminal.storage_model import StorageModel


@pytest.fixture(params=["files", "model"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> FileStorage | StorageModel:
    return FileStorage(str(tmp_path / "folder")) if request.param == "files" else StorageModel({})


def test_what_is_written_is_read_back(storage: FileStorage | StorageModel) -> None:
    storage.replace("b", b"hello")
    storage.append("b", b", world")
    storage.append("a", b"new")
    assert storage.names() == ["a", "b"]
    assert (storage.size("b"), storage.read("b"), storage.read("b", 7), storage.read("b", 7, 2)) == (12, b"hello, world", b"world", b"wo")
    assert storage.read("b", 99, 5) == b""


def test_a_file_is_replaced_renamed_and_removed(storage: FileStorage | StorageModel) -> None:
    storage.replace("a", b"one, and longer")
    storage.replace("a", b"two")
    storage.replace("b", b"three")
    storage.rename("a", "b")
    assert storage.names() == ["b"]
    assert storage.read("b") == b"two"
    storage.remove("b")
    assert storage.names() == []


def test_what_is_not_there_raises(storage: FileStorage | StorageModel) -> None:
    with pytest.raises(OSError):  # noqa: PT011 (any message)
        storage.read("nothing")


def test_a_folder_that_is_there_is_used(tmp_path: Path) -> None:
    FileStorage(str(tmp_path / "folder")).replace("a", b"kept")
    assert FileStorage(str(tmp_path / "folder")).read("a") == b"kept"
