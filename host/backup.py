"""Backups: made while sales go on, one file with its facts beside it, and verified without touching the ledger.

    FILE           the whole ledger as it stood at one moment: a SQLite database, or what pg_dump makes of PostgreSQL's
    FILE.json      when it was made, what it holds, its SHA-256, and a proof of all that under the site's keys

The keys are in no backup: keep a copy of `keys/` elsewhere. A backup without its facts is none: it was cut.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from host.check import Proof, check
from host.errors import AlreadyThere, BackupWrong, DataMissing
from host.keys import SiteKeys
from host.ledger import sqlite_backup
from host.ledger.contract import Ledger
from host.ledger.state import read_state
from host.settings import Settings, ledger_path

Tell = Callable[[int, int], None]
"""Told how far it is: done, and of how much."""

FACTS_SUFFIX = ".json"
_FORMAT = 1
_PIECE_SIZE = 1 << 20


@dataclass(frozen=True, slots=True)
class Facts:
    """What a backup says of itself. `commit`: the last link of the chain in it; `counts`: rows by table."""

    database: str
    """"sqlite" or "postgresql": only the same kind reads it."""
    site: str
    made_s: int
    commit: int
    commit_digest: str
    commit_s: int
    counts: dict[str, int]
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What `verify` found: the facts, and the proof of the books in the backup."""

    facts: Facts
    proof: Proof


def backup(settings: Settings, data: Path, file: Path, *, keys: SiteKeys, now_s: int, tell: Tell = lambda _done, _total: None) -> Facts:
    """Write a backup of the ledger to `file`; sales go on meanwhile. Its facts come beside it once it is whole and on disk.

    Raises `AlreadyThere` for a file that exists, `DataMissing` without its folder, `MissingTool`, `BackupWrong`, `LedgerAway`,
    `OSError`; then nothing stays.
    """
    for path in (file, facts_path(file)):
        if path.exists():
            raise AlreadyThere("备份 backup", path, "a backup is never overwritten; give another name")
    if not file.parent.is_dir():
        raise DataMissing(f"没有目录 {file.parent} is not there: is the disk mounted? make the folder, or give another one")
    new = file.with_name(f"{file.name}.{os.getpid()}.new")
    try:
        new.touch(mode=0o600)
        state = sqlite_backup.copy_out(ledger_path(settings, data), new, tell)
        facts = Facts(sqlite_backup.DATABASE, settings.site.name, now_s, *state, new.stat().st_size, _sha256(new, None, tell))
        _sync(new)
        _write_facts(facts_path(file), facts, keys)
        new.rename(file)
        sync_folder(file.parent)
    finally:
        new.unlink(missing_ok=True)
    return facts


def verify(settings: Settings, data: Path, file: Path, *, keys: SiteKeys, tell: Tell = lambda _done, _total: None) -> Verified:
    """Open a backup in a place of its own, and prove it: its digest, the database's own check, and the books.

    Raises `BackupWrong` when it is not what it says, and what opening a ledger raises. The proof may still find something
    wrong: then it was wrong when the backup was made.
    """
    facts = read_facts(file, keys)
    with _temporary(data) as folder:
        copy = folder / "copy"
        copy_checked(file, copy, facts, tell)
        with sqlite_backup.opened(copy, keys=keys, settings=settings, clock=lambda: facts.made_s) as ledger:
            _compare(ledger, facts)
            return Verified(facts, check(ledger))


def read_facts(file: Path, keys: SiteKeys) -> Facts:
    """The facts of a backup, which must be whole and of this site. Raises `BackupWrong`."""
    path = facts_path(file)
    try:
        tree: Any = json.loads(path.read_text(encoding="utf-8"))
        proof = tree.pop("proof")
        assert tree.pop("format") == _FORMAT
        facts = Facts(**tree)
        is_ours = proof == _proof(tree, keys)
    except FileNotFoundError:
        if not file.exists():
            raise BackupWrong(f"没有这个文件 {file}: no such file; give the backup's name") from None
        raise BackupWrong(f"备份不完整 {path} is missing: the backup was cut, or moved without it; take another one") from None
    except (ValueError, KeyError, TypeError, AttributeError, AssertionError) as error:
        raise BackupWrong(f"备份说明不对 {path} cannot be read ({error!r}): take another backup") from None
    if not is_ours:
        raise BackupWrong(f"不是本站备份 {path} was altered, or made under other keys: take another one, or the site's own keys/")
    return facts


def copy_checked(file: Path, copy: Path, facts: Facts, tell: Tell) -> None:
    """Copy a backup, and see that it is the file its facts are about. The copy is on disk then. Raises `BackupWrong`, `OSError`."""
    copy.touch(mode=0o600)
    try:
        found = _sha256(file, copy, tell)
    except FileNotFoundError:
        raise BackupWrong(f"没有备份文件 {file} is missing: only its facts are there") from None
    if found != facts.sha256:
        raise BackupWrong(f"备份已损坏 {file} is not the file that was written (SHA-256 differs): take another one")
    _sync(copy)


def facts_path(file: Path) -> Path:
    """Where the facts of a backup are."""
    return file.with_name(file.name + FACTS_SUFFIX)


def sync_folder(folder: Path) -> None:
    """Make new names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_facts(path: Path, facts: Facts, keys: SiteKeys) -> None:
    tree = asdict(facts)
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        new.write_text(json.dumps({"format": _FORMAT, **tree, "proof": _proof(tree, keys)}, ensure_ascii=False, indent=1), encoding="utf-8")
        _sync(new)
        new.rename(path)
    finally:
        new.unlink(missing_ok=True)


def _proof(tree: dict[str, Any], keys: SiteKeys) -> str:
    """A CMAC over the facts under the site's seal key: nobody else makes one."""
    named = {field.name: tree[field.name] for field in fields(Facts)}
    return keys.seal_cmac()(b"backup" + json.dumps(named, ensure_ascii=False, sort_keys=True).encode()).hex()


def _sha256(file: Path, copy: Path | None, tell: Tell) -> str:
    """The digest of a file, which is copied on the way if a copy is wanted."""
    digest, size, done = hashlib.sha256(), file.stat().st_size, 0
    with file.open("rb") as source, open(copy or os.devnull, "wb") as target:
        while piece := source.read(_PIECE_SIZE):
            digest.update(piece)
            target.write(piece)
            done += len(piece)
            tell(done, size)
    return digest.hexdigest()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _compare(ledger: Ledger, facts: Facts) -> None:
    """See that an opened copy ends where its facts say. Raises `BackupWrong`."""
    state = ledger.view(lambda books: read_state(books.run))
    if (state.commit, state.commit_digest) != (facts.commit, facts.commit_digest):
        raise BackupWrong(f"备份内容不符 the backup ends with commit {state.commit}, its facts say {facts.commit}: take another one")


@contextmanager
def _temporary(data: Path) -> Generator[Path]:
    """A folder for a copy, on the ledger's disk, where there is room; nobody else may look."""
    with tempfile.TemporaryDirectory(dir=data, prefix="verify-") as name:
        yield Path(name)
