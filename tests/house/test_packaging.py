"""The wheel: one name in site-packages, everything that runs in it, and a command that starts."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, unpacked."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as archive:
        archive.extractall(folder / "unpacked")
    return folder / "unpacked"


def test_only_our_name_lands_in_site_packages(wheel: Path) -> None:
    names = {path.name for path in wheel.iterdir() if not path.name.endswith(".dist-info")}
    assert names == {"onecard"}


def test_an_installed_command_starts_away_from_the_checkout(wheel: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "onecard", "init", "--data", str(tmp_path / "var")]
    done = subprocess.run(command, cwd=tmp_path, env={"PYTHONPATH": str(wheel)}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "var" / "onecard.toml").exists()


def test_pages_and_firmware_sources_are_in_it(wheel: Path) -> None:
    for name in ("host/web/templates/page.html", "sim/workbench/static/page.js", "firmware/boards/pico.py", "protocol/record.py"):
        assert (wheel / "onecard" / name).exists(), f"{name} is missing from the wheel"
