"""What the tests of broken disks share."""

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.host.faults.rig import SEED, Rig

_MEMORY = Path("/dev/shm")


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder in memory, where there is one: what a disk does is played here, and waiting for a real one shows nothing more."""
    with TemporaryDirectory(prefix="onecard-", dir=_MEMORY if os.access(_MEMORY, os.W_OK) else None) as name:
        yield Path(name)


@pytest.fixture(scope="module")
def rig(folder: Path) -> Iterator[Rig]:
    """A worker on a faulty disk."""
    print(f"ONECARD_SEED={SEED}")
    made = Rig(folder)
    yield made
    made.worker.close()
