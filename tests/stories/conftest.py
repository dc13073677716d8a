"""One running street for all tales of this folder but the kills, which have one of their own."""

from collections.abc import Iterator

import pytest

from tests.stories.street import Street


@pytest.fixture(scope="session")
def running_street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    """Started once in each process of pytest that needs it; the group `street` keeps that to one."""
    street = Street(tmp_path_factory.mktemp("street") / "demo")
    try:
        street.give_money()
        yield street
    finally:
        street.close()


@pytest.fixture
def street(running_street: Street) -> Street:
    """The street at rest: each tale begins with nobody there."""
    running_street.come_to_rest()
    return running_street


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, so that several workers end together."""
    items.sort(key=lambda item: "tests/stories/test_kill" not in item.nodeid)
