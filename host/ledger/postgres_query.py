"""An operator's own question to the ledger in PostgreSQL: it can read, for a while, and nothing else."""

from contextlib import closing
from typing import Any

import psycopg

from host.errors import QueryWrong
from host.ledger.postgres_connection import begin_reading, connect
from host.ledger.postgres_schema import statement

QUERY_TIMEOUT_S = 60
"""A question that takes longer is put to a copy of the database, not to the one that sells."""


def query(url: str, text: str, limit: int) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The columns and the first `limit` rows of one SELECT, WITH or VALUES.

    Raises `QueryWrong` with what the database says of it, and what `connect` and `begin_reading` raise.
    """
    with closing(connect(url)) as connection:
        connection.execute(statement(f"SET statement_timeout = '{QUERY_TIMEOUT_S}s'"))
        try:
            begin_reading(connection)
            # A cursor takes exactly one statement, and only one that asks.
            with connection.cursor("question") as cursor:
                cursor.execute(statement(text.strip().removesuffix(";")))
                rows = cursor.fetchmany(limit)
                return [column.name for column in cursor.description or ()], rows
        except psycopg.Error as error:
            raise QueryWrong(f"查询不对 {str(error).strip()}") from error
