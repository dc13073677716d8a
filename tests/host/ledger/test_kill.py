"""The power goes while the ledger is written: what was acknowledged is there, and the books are right."""

import random
import subprocess
import sys
from pathlib import Path

from host.ledger.rows import Epoch
from host.ledger.sqlite import SqliteLedger
from host.settings import Settings
from tests.host.site import KEYS, NOW_S, TILL, Site

ROOT = Path(__file__).resolve().parents[3]
KILL_COUNT = 10


def test_killed_at_random_moments_nothing_acknowledged_is_lost(site: Site) -> None:
    site.add_holder("20260003", 1)
    site.journal(TILL)
    site.ledger.close()
    chance = random.Random(20_261_124)
    recharged_before = 0
    for _ in range(KILL_COUNT):
        acknowledged = post_until_killed(site.path, chance.randint(0, 60))
        site.ledger = SqliteLedger(site.path, keys=KEYS, settings=Settings(), clock=lambda: NOW_S)
        site.prove()
        epochs = {row.terminal: row for row in site.rows(Epoch)}
        assert epochs[TILL].high_water >= acknowledged["took"]
        assert epochs[1].high_water >= acknowledged["recharged"]
        recharged = sum(row.high_water for row in site.rows(Epoch) if row.terminal == 1)
        assert recharged >= recharged_before + acknowledged["recharged"]
        recharged_before = recharged
        site.ledger.close()


def post_until_killed(path: Path, line_count: int) -> dict[str, int]:
    """Run the posting process, kill it after so many acknowledgements, and return the last of each kind."""
    command = [sys.executable, "-m", "tests.host.ledger.posting_process", str(path)]
    last = {"took": 0, "recharged": 0}
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for count, line in enumerate(process.stdout):
            word, *_, number = line.decode().split()
            last[word] = int(number)
            if count == line_count:
                process.kill()
    return last
