"""What the pages read of the host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from host.fleet import Fleet
    from host.ledger.contract import Ledger


@dataclass(frozen=True, slots=True)
class Site:
    """The books, the fleet, and how the site calls itself. `is_stopping`: the host is ending, so let streams end."""

    ledger: Ledger
    fleet: Fleet
    name: str
    language: str
    is_stopping: Callable[[], bool]


def site_of(request: Request) -> Site:
    """The site a request is for."""
    return cast(Site, request.app.state.site)
