"""What the pages read of the host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from host.fleet import Fleet
    from host.ledger.contract import Ledger


def _never() -> bool:
    return False


def _nothing() -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Site:
    """The books, the fleet, and how the site calls itself.

    `is_stopping`: the host is ending, so let streams end. `is_away`: the books cannot be written just now.
    `journal_problem`: why the host's own records cannot be copied to its journal, "" while they can.
    """

    ledger: Ledger
    fleet: Fleet
    name: str
    language: str
    is_stopping: Callable[[], bool]
    is_away: Callable[[], bool] = _never
    journal_problem: Callable[[], str] = _nothing


def site_of(request: Request) -> Site:
    """The site a request is for."""
    return cast(Site, request.app.state.site)
