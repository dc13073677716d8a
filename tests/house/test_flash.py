"""The firmware build: texts encoded, both architectures compiled, only a program's own files on its board."""

import subprocess
import sys
from pathlib import Path

import pytest
from host import flash

ROOT = Path(__file__).resolve().parents[2]
MICROPYTHON = Path(sys.executable).parent / "micropython"


def test_texts_become_gb2312_bytes() -> None:
    assert flash.encode_texts('x = gb("余额 1")') == f"x = {'余额 1'.encode('gb2312')!r}"


def test_a_text_the_display_cannot_say_stops_the_build() -> None:
    with pytest.raises(ValueError, match="GB2312"):
        flash.encode_texts('gb("龘")')


@pytest.mark.parametrize("architecture", flash.ARCHITECTURES)
def test_every_file_compiles(architecture: str) -> None:
    tree = flash.compile_firmware(architecture)
    assert tree, "nothing compiled"
    assert all(code[:1] == b"M" for code in tree.values()), "an .mpy begins with M"


def test_a_board_carries_only_its_own_program() -> None:
    tree = flash.board_tree("pos")
    assert "/firmware/pos/start.mpy" in tree
    assert not [name for name in tree if "/shower/" in name]
    assert b"firmware.pos.start" in tree["/main.py"]


def test_every_module_imports_on_micropython(tmp_path: Path) -> None:
    """In 192 KB, with what a Pico has built in (sim/device) and nothing else."""
    for name, code in flash.compile_firmware("x64").items():
        target = tmp_path / name[1:]
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(code)
    modules = [name[1:-4].replace("/", ".") for name in flash.compile_firmware("x64") if not name.endswith("__init__.mpy")]
    script = "import sys, gc\nsys.path[:] = sys.argv[1:3]\n" + "".join(
        f"print({m!r})\n__import__({m!r})\nfor k in list(sys.modules):\n    del sys.modules[k]\ngc.collect()\n" for m in modules
    )
    runner = tmp_path / "run.py"
    runner.write_text(script)
    done = subprocess.run(
        [str(MICROPYTHON), "-X", "heapsize=192k", str(runner), str(ROOT / "sim/device"), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, f"after {done.stdout.split()[-1:]}: {done.stderr}{done.stdout[-500:]}"
