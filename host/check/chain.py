"""The hash chain against the rows it covers, in the order of names.

Each link has the digest of the one before it, so links are compared one by one in any order: together
they hold all of them. A row that stands in no link, or does not match its link's digest, was put there or altered.
"""

from host.check.entries import Entry
from host.check.proof import Proof
from host.ledger.books import Books
from host.ledger.chain import NO_DIGEST, digest_of
from host.ledger.reports import name_text
from host.ledger.rows import Commit, Fact, Movement


class Chain:
    """Sees every entry once, in the order of names."""

    def __init__(self, books: Books, proof: Proof) -> None:
        self._books = books
        self._proof = proof
        self._links = books.scan(Commit, order=("first_key",))
        self._link = next(self._links, None)
        self._rows: list[Movement | Fact] = []
        """Rows of the link under way: as many as one commit brought."""

    def see(self, entry: Entry) -> None:
        """Take an entry into its link."""
        rows: list[Movement | Fact] = [Fact(entry.key, entry.data)] if entry.is_fact else [*entry.legs]
        for row in rows:
            while self._link is not None and self._link.last_key < row.key:
                self._end_link(self._link)
            if self._link is None or row.key < self._link.first_key:
                self._proof.wrong(f"链 {entry} stands in no commit of the chain: it was added by hand, or its link is gone")
                return
            self._rows.append(row)

    def end(self) -> None:
        """Nothing follows: the links that are left, and whether one is missing."""
        while self._link is not None:
            self._end_link(self._link)
        newest = self._books.highest(Commit, "number")
        if newest != self._proof.commit_count:
            self._proof.wrong(f"链 the chain has {self._proof.commit_count} commits, and its newest is number {newest}")

    def _end_link(self, commit: Commit) -> None:
        self._proof.commit_count += 1
        before = self._books.peek(Commit, commit.number - 1) if commit.number > 1 else None
        if before is None and commit.number != 1:
            self._proof.wrong(f"链 the chain lacks commit {commit.number - 1}: {commit.number} follows")
        else:
            digest = before.digest if before else NO_DIGEST
            found = digest_of(digest, commit.number, commit.first_key, commit.last_key, commit.at_s, self._rows)
            if found != commit.digest:
                span = f"{name_text(commit.first_key)} to {name_text(commit.last_key)}"
                self._proof.wrong(
                    f"链 commit {commit.number} ({span}) does not match its digest: a row in it, or the link before, was altered"
                )
        self._rows = []
        self._link = next(self._links, None)
