"""A campus keeps its books on a PostgreSQL server: nobody at a terminal notices, and when the server goes down they are told to wait."""

from pathlib import Path

import pytest

from sim.demo import Demo
from sim.story import RIGHT, Story
from tests.postgres import shared_server
from tests.stories.street import SPEED

pytestmark = pytest.mark.xdist_group("street")


def test_the_story_plays_on_a_postgresql_server_as_it_does_on_a_file(tmp_path: Path) -> None:
    """Rows: K2, K1. The same firmware, the same host, the same story; at the end the same proof."""
    told: list[str] = []
    postgres = shared_server()
    demo = Demo(tmp_path / "demo", speed=SPEED, web_port=0, ledger=postgres.url(postgres.create()))
    try:
        demo.open()
        Story(demo, told.append).play()
    finally:
        demo.close()
    assert RIGHT in told[-1]
    assert not (tmp_path / "demo" / "ledger.db").exists()
