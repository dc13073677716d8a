"""State machines over the books, on both databases."""

import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine

from host.settings import Settings
from tests.host.site import Site, new_site


class SiteMachine(RuleBasedStateMachine):
    """A machine with a site of its own: call `make_site` in `initialize`; it goes when the run ends."""

    store = "sqlite"

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()

    def make_site(self, settings: Settings | None = None) -> Site:
        """A site without anybody in it."""
        folder = Path(tempfile.mkdtemp(prefix="onecard-"))
        self._stack.callback(shutil.rmtree, folder)
        return self._stack.enter_context(new_site(self.store, folder / "ledger.db", settings))

    def teardown(self) -> None:
        """See `RuleBasedStateMachine`."""
        self._stack.close()


def on_both(machine: type[SiteMachine], *, examples: int, steps: int) -> tuple[Any, Any]:
    """The test cases of a machine on SQLite and on PostgreSQL; there, where a commit costs more, with a fifth of the examples."""
    on_postgres = type(machine.__name__ + "OnPostgres", (machine,), {"store": "postgresql"})
    cases: list[Any] = []
    for made, count in ((machine, examples), (on_postgres, max(examples // 5, 4))):
        case: Any = made.TestCase
        case.settings = settings(max_examples=count, stateful_step_count=steps, deadline=None)
        cases.append(case)
    return cases[0], cases[1]
