"""What the host's tests share. A test that takes `site` (or `make_site`) runs on both databases without a word.

`@pytest.mark.stores("sqlite")`, or a module's `pytestmark`, keeps one to a database whose own ways it is about.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest

from host.settings import Settings
from tests.host.site import TILL, Journal, Site, new_site, populate
from tests.postgres import stop_shared_server

STORES = ("sqlite", "postgresql")
MakeSite = Callable[..., Site]

_ONE_IS_ENOUGH = {"cli", "faults", "link", "web"}
"""Folders of tests that go through a ledger, and are about something else."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what needs a ledger on each database."""
    if "store" in metafunc.fixturenames:
        mark = metafunc.definition.get_closest_marker("stores")
        default = STORES[:1] if _ONE_IS_ENOUGH & set(metafunc.definition.path.parts) else STORES
        metafunc.parametrize("store", mark.args if mark else default, indirect=True)


def pytest_sessionfinish() -> None:
    """Leave no server behind."""
    stop_shared_server()


@pytest.fixture
def store(request: pytest.FixtureRequest) -> str:
    """Which database this run of the test is on."""
    return request.param


@pytest.fixture
def make_site(store: str, tmp_path: Path) -> Iterator[MakeSite]:
    """Makes a site without anybody in it: `make_site()`, `make_site(Settings(...))`."""
    numbers = count()
    with ExitStack() as stack:

        def make(settings: Settings | None = None) -> Site:
            return stack.enter_context(new_site(store, tmp_path / f"ledger{next(numbers) or ''}.db", settings))

        yield make


@pytest.fixture
def site(make_site: MakeSite) -> Site:
    """Two holders with a card each (张小雨: account 100, card 1, 200.00; 李强: account 101, card 2, 3.20), two showers, a till."""
    made = make_site()
    populate(made)
    return made


@pytest.fixture
def till(site: Site) -> Journal:
    """A till with its first epoch."""
    return site.journal(TILL)
