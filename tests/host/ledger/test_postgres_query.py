"""An operator's question reads, and nothing else."""

import pytest

from host.errors import QueryWrong
from host.ledger import postgres_query
from host.ledger.postgres_query import query
from tests.host.site import Site

pytestmark = pytest.mark.stores("postgresql")


def test_a_question_has_columns_and_no_more_rows_than_asked_for(site: Site) -> None:
    assert query(site.url, "SELECT number, name AS who FROM holders ORDER BY number;", 1) == (["number", "who"], [("20260001", "张小雨")])
    assert query(site.url, "SELECT 1 AS one WHERE false", 10) == (["one"], [])


@pytest.mark.parametrize(
    "text",
    [
        "DELETE FROM holders",
        "WITH gone AS (DELETE FROM holders RETURNING *) SELECT * FROM gone",
        "SELECT 1; DELETE FROM holders",
        "SELECT set_config('transaction_read_only', 'off', true)",
        "SET transaction_read_only = off",
        "COMMIT",
        "SELECT nonsense",
        "",
        "SELECT '%s', %(x)s",
    ],
)
def test_what_is_no_question_is_refused_and_changes_nothing(site: Site, text: str) -> None:
    with pytest.raises(QueryWrong):
        query(site.url, text, 10)
    assert site.execute("SELECT count(*) FROM holders") == [(2,)]


def test_a_percent_sign_is_a_percent_sign(site: Site) -> None:
    assert query(site.url, "SELECT count(*) FROM holders WHERE number LIKE '2026%'", 10)[1] == [(2,)]


def test_a_question_that_takes_too_long_is_broken_off(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_query, "QUERY_TIMEOUT_S", 0.1)
    with pytest.raises(QueryWrong, match="timeout"):
        query(site.url, "SELECT pg_sleep(30)", 1)
