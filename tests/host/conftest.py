"""What the host's tests share."""

from pathlib import Path

import pytest

from tests.host.site import Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Two holders with a card each (张小雨: account 100, card 1, 200.00; 李强: account 101, card 2, 3.20), two showers, a till."""
    made = Site(tmp_path / "ledger.db")
    made.add_holder("20260001", 20_000)
    made.add_holder("20260002", 320, "李强")
    made.add_card("20260001")
    made.add_card("20260002")
    made.add_terminals()
    return made
