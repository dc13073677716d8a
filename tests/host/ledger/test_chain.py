"""The chain: a link for each run, and no place to put anything between."""

from hypothesis import given
from hypothesis import strategies as st

from host.ledger.chain import NO_DIGEST, digest_of, link
from host.ledger.rows import Commit, Fact, Movement
from protocol.record import pack_key

RECORD = bytes(range(64))


def fact(terminal: int, epoch: int, sequence: int) -> Fact:
    return Fact(pack_key((terminal, epoch, sequence), 0), RECORD)


def test_a_run_is_one_link_whatever_order_it_was_posted_in() -> None:
    rows = [fact(100, 1, 3), fact(100, 1, 1), fact(100, 1, 2)]
    (commit,) = link(None, rows, 5)
    assert (commit.number, commit.first_key, commit.last_key) == (1, rows[1].key, rows[0].key)


def test_terminals_epochs_and_gaps_end_a_run() -> None:
    rows = [fact(100, 1, 1), fact(100, 1, 2), fact(100, 1, 4), fact(100, 2, 1), fact(101, 1, 1)]
    commits = link(Commit(7, 1, 1, 0, NO_DIGEST), rows, 5)
    assert [commit.number for commit in commits] == [8, 9, 10, 11]
    assert [commit.first_key for commit in commits] == [rows[0].key, rows[2].key, rows[3].key, rows[4].key]


def test_legs_belong_to_their_record() -> None:
    key = pack_key((100, 1, 1), 0)
    rows = [Movement(key, 1, 2, 5, RECORD), Movement(key | 1, 3, 2, 6, None), fact(100, 1, 2)]
    (commit,) = link(None, rows, 5)
    assert (commit.first_key, commit.last_key) == (key, rows[2].key)


@given(st.sampled_from(["key", "debit", "credit", "amount_fen", "record"]), st.integers(1, 1000))
def test_any_change_of_a_row_changes_the_digest(column: str, change: int) -> None:
    row = Movement(1 << 47, 1, 2, 500, RECORD)
    other = row._replace(**{column: bytes(64) if column == "record" else getattr(row, column) + change})  # type: ignore[arg-type]
    assert digest_of(NO_DIGEST, 1, 1, 9, 0, [row]) != digest_of(NO_DIGEST, 1, 1, 9, 0, [other])


def test_a_link_depends_on_all_before_it() -> None:
    first = link(None, [fact(100, 1, 1)], 5)
    other = link(None, [fact(100, 1, 1)], 6)
    assert link(first[-1], [fact(100, 1, 2)], 7) != link(other[-1], [fact(100, 1, 2)], 7)
