"""Flash images, written and read by the real littlefs."""

from pathlib import Path

import pytest

from sim import terminal
from sim.image import IMAGE_SIZE, ImageFailed, read_tree, write_image
from sim.terminal import Busy, open_image

TREE = {"/main.py": b"print(1)\n", "/firmware/terminal/loop.mpy": bytes(range(256)) * 20, "/identity": b"\0" * 38}


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    image = tmp_path / "new folder" / "flash.img"
    assert write_image(image, TREE) == 3
    assert read_tree(image) == TREE
    assert image.stat().st_size == IMAGE_SIZE


def test_only_what_differs_is_written_and_nothing_else_is_touched(tmp_path: Path) -> None:
    image = tmp_path / "flash.img"
    write_image(image, {**TREE, "/journal/0": b"records"})
    before = image.read_bytes()
    assert write_image(image, TREE) == 0
    assert image.read_bytes() == before
    assert write_image(image, {**TREE, "/main.py": b"print(2)\n"}) == 1
    assert read_tree(image) == {**TREE, "/main.py": b"print(2)\n", "/journal/0": b"records"}


def test_an_image_in_use_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "_IMAGE_LIMIT_S", 0)
    image = tmp_path / "flash.img"
    write_image(image, TREE)
    with open(open_image(image), "rb"), pytest.raises(Busy, match="in use"):
        write_image(image, TREE)
    assert read_tree(image) == TREE


def test_more_than_the_flash_holds_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(ImageFailed, match=r"ENOSPC|28"):
        write_image(tmp_path / "flash.img", {"/big": bytes(IMAGE_SIZE)})


def test_chinese_names_and_empty_files_survive(tmp_path: Path) -> None:
    image = tmp_path / "flash.img"
    write_image(image, {"/资源/空": b""})
    assert read_tree(image) == {"/资源/空": b""}
