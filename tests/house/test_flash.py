"""The firmware build: texts encoded, both architectures compiled, only a program's own files on its board."""

import subprocess
import sys
from pathlib import Path

import pytest

from host import flash
from sim.rom import write_rom

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
    assert b"firmware.pos.start" in tree["/boot.py"]
    assert b'open_board("pos")' in tree["/boot.py"]


@pytest.mark.parametrize("program", flash.PROGRAMS)
def test_every_module_of_a_program_imports_on_micropython(program: str, tmp_path: Path) -> None:
    """In 192 KB, with what a Pico has built in (sim/rom.py) and nothing else."""
    tree = flash.board_tree(program)
    for name, code in tree.items():
        target = tmp_path / name[1:]
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(code)
    modules = [name[1:-4].replace("/", ".") for name in tree if name.endswith(".mpy")]
    runner = tmp_path / "run.py"
    runner.write_text(f"import gc, sys\nsys.path[:] = sys.argv[1:]\nfor name in {modules}:\n    __import__(name)\n    gc.collect()\n")
    done = subprocess.run(
        [str(MICROPYTHON), "-X", "heapsize=192k", str(runner), str(write_rom(tmp_path / "rom").parent), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
