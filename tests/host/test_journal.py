"""The host's journal: what people did is on a second disk before they are told, and comes back from there."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host import holders, own_records, reservations
from host import journal as journals
from host.errors import CopyMissing, InvalidValue, LedgerAway, RequestDiffers
from host.journal import Journal, JournalFile, Reader, encode_entry, file_path, files_in, is_on_disk_of, name_of
from host.ledger.contract import Written
from host.ledger.process import annex_digest, write_record
from host.ledger.rows import Account, Epoch, Item, Movement, Request, Reservation, Terminal
from host.replay import replay
from protocol import record as kinds
from protocol.messages import SUBJECT_ACCOUNT
from protocol.record import Name, decode
from tests.host.site import NOW_S, SHOWER, Site, make_record

ENTRY = Written(make_record(kinds.RECHARGE, name=Name(1, 1, 1)), b"annex", "order-1")
entries = st.builds(Written, st.binary(min_size=64, max_size=64), st.binary(max_size=40), st.text(max_size=12))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A journal folder that is not there yet."""
    return tmp_path / "other disk" / "journal"


@pytest.fixture
def kept(site: Site, folder: Path) -> Journal:
    """The journal of the site's own process, started anew with one."""
    return own_records.start(site.ledger, "serve", folder)[1]


def names_in(folder: Path) -> list[str]:
    """What the files have, as file and sequences."""
    return [f"{path.stem}: {[name_of(each.record).sequence for each in Reader(path)]}" for path in files_in(folder)]


# The file.


@settings(max_examples=60, deadline=None)
@given(written=st.lists(entries, max_size=6), cut=st.integers(0, 400))
def test_a_file_cut_anywhere_has_the_entries_before_the_cut(
    tmp_path_factory: pytest.TempPathFactory, written: list[Written], cut: int
) -> None:
    path = tmp_path_factory.mktemp("cut") / "1-1.journal"
    pieces = [b"onecard journal 1 serve\n", *(encode_entry(one) for one in written)]
    data = b"".join(pieces)[:cut]
    path.write_bytes(data)
    reader = Reader(path)
    whole = sum(1 for index in range(len(written)) if sum(map(len, pieces[: index + 2])) <= cut)
    assert list(reader) == written[:whole]
    assert reader.good_size + reader.torn_size == len(data)


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=300))
def test_noise_is_no_entry_and_no_crash(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("noise") / "1-1.journal"
    path.write_bytes(b"onecard journal 1 serve\n" + data)
    assert list(Reader(path)) == []


def test_one_bit_flipped_costs_one_entry(tmp_path: Path) -> None:
    path = file_path(tmp_path, (1, 1))
    with_three = [ENTRY._replace(request=f"order-{number}") for number in range(3)]
    file = JournalFile(path, "serve")
    file.append(b"".join(encode_entry(one) for one in with_three))
    file.close()
    data = bytearray(path.read_bytes())
    data[-len(encode_entry(ENTRY)) * 2 + 10] ^= 1
    path.write_bytes(data)
    reader = Reader(path)
    assert list(reader) == [with_three[0], with_three[2]]
    assert (reader.damaged_count, reader.torn_size) == (1, 0)


def test_a_torn_tail_is_cut_off_before_more_is_appended(tmp_path: Path) -> None:
    path = file_path(tmp_path, (1, 1))
    file = JournalFile(path, "serve")
    file.append(encode_entry(ENTRY))
    file.close()
    path.write_bytes(path.read_bytes() + encode_entry(ENTRY)[:-1])
    file = JournalFile(path, "serve")
    file.append(encode_entry(ENTRY._replace(request="second")))
    file.close()
    assert [one.request for one in Reader(path)] == ["order-1", "second"]


def test_a_file_that_is_no_journal_is_not_touched(tmp_path: Path) -> None:
    path = file_path(tmp_path, (1, 1))
    path.write_bytes(b"x" * 500)
    with pytest.raises(OSError, match="no journal of a host"):
        JournalFile(path, "serve")
    assert path.read_bytes() == b"x" * 500


def test_a_living_process_keeps_its_file_to_itself(tmp_path: Path) -> None:
    file = JournalFile(file_path(tmp_path, (1, 1)), "serve")
    with pytest.raises(BlockingIOError):
        JournalFile(file_path(tmp_path, (1, 1)), "serve")
    file.close()
    JournalFile(file_path(tmp_path, (1, 1)), "serve").close()


# Before anybody is told.


def test_a_recharge_is_in_the_file_when_it_is_answered(site: Site, kept: Journal) -> None:
    assert not kept.path.exists()
    holders.recharge(site.ledger, "20260001", 500, request="order-1")
    (entry,) = Reader(kept.path)
    record = decode(entry.record)
    assert (record.kind, record.subject, record.amount_fen, entry.request) == (kinds.RECHARGE, 100, 500, "order-1")


def test_a_booking_is_there_with_its_annex(site: Site, kept: Journal) -> None:
    reservations.book(site.ledger, "20260001", SHOWER, NOW_S, NOW_S + 1_800, 300)
    (entry,) = Reader(kept.path)
    assert entry.annex
    assert Reader(kept.path).role == "serve"


def test_terminals_write_nothing_there(site: Site, kept: Journal) -> None:
    till = site.journal(SHOWER)
    site.take(till, till.write(kinds.STARTED))
    assert not kept.path.exists()


def fail_once(monkeypatch: pytest.MonkeyPatch, name: str, number: int, *, after: int = 0) -> Callable[[], None]:
    """Let a call of `os` fail with `number` from the `after`-th on, until the function returned is called."""
    real, calls, is_broken = getattr(os, name), [0], [True]

    def broken(*arguments: object) -> object:
        calls[0] += 1
        if is_broken[0] and calls[0] > after:
            raise OSError(number, os.strerror(number))
        return real(*arguments)

    monkeypatch.setattr(journals.os, name, broken)
    return lambda: is_broken.__setitem__(0, False)


@pytest.mark.parametrize(("call", "number"), [("pwrite", errno.ENOSPC), ("fsync", errno.EIO)])
def test_a_copy_that_fails_is_committed_but_never_called_done(
    site: Site, kept: Journal, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    holders.recharge(site.ledger, "20260001", 100)
    mend = fail_once(monkeypatch, call, number)
    with pytest.raises(CopyMissing, match="缺副本"):
        holders.recharge(site.ledger, "20260001", 500, request="order-1")
    assert site.account(100).balance_fen == 20_600
    assert kept.problem
    assert site.shake_hands(site.journal(SHOWER)).epoch == 1, "terminals do not suffer"
    with pytest.raises(LedgerAway, match="nothing was changed"):
        holders.recharge(site.ledger, "20260001", 700)
    assert site.account(100).balance_fen == 20_600
    mend()
    kept.retry()
    assert not kept.problem
    assert [one.request for one in Reader(kept.path)] == ["", "order-1"]
    holders.recharge(site.ledger, "20260001", 500, request="order-1")
    assert site.account(100).balance_fen == 20_600
    assert len(list(Reader(kept.path))) == 2


def test_a_folder_that_cannot_be_made_refuses_before_anything_is_booked(site: Site, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    _, journal = own_records.start(site.ledger, "serve", tmp_path / "file" / "journal")
    with pytest.raises(LedgerAway, match="主机日志写不了"):
        holders.recharge(site.ledger, "20260001", 500)
    assert site.account(100).balance_fen == 20_000
    assert journal.problem


def test_of_a_batch_only_those_whose_copy_is_missing_are_told_so(site: Site, kept: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    holders.recharge(site.ledger, "20260001", 100)
    fail_once(monkeypatch, "fsync", errno.EIO)

    outcomes = site.ledger.batch(
        [
            lambda books: write_record(books, kind=kinds.RECHARGE, subject_kind=SUBJECT_ACCOUNT, subject=100, amount_fen=500),
            lambda books: books.need(Account, 100).balance_fen,
        ]
    )
    assert isinstance(outcomes[0].error, CopyMissing)
    assert outcomes[1].get() == 20_600


# At the next start.


def test_what_a_process_had_no_time_to_copy_the_next_one_copies(site: Site, folder: Path) -> None:
    holders.recharge(site.ledger, "20260001", 500, request="order-1")
    reservations.book(site.ledger, "20260001", SHOWER, NOW_S, NOW_S + 1_800, 300)
    process, journal = own_records.start(site.ledger, "serve", folder)
    assert names_in(folder) == ["1-1: [1, 2, 3, 4]"]
    copied = list(Reader(file_path(folder, (1, 1))))
    assert [bool(one.annex) for one in copied] == [False, False, False, True]
    assert [one.request for one in copied] == ["", "", "order-1", ""]
    holders.recharge(site.ledger, "20260001", 1)
    journal.close()
    own_records.start(site.ledger, "command", folder)
    assert names_in(folder) == ["1-1: [1, 2, 3, 4]", f"1-{process.epoch}: [1]"]


def test_a_file_with_a_hole_or_a_torn_tail_is_made_whole(site: Site, folder: Path) -> None:
    for amount_fen in (1, 2, 3):
        holders.recharge(site.ledger, "20260001", amount_fen)
    _, journal = own_records.start(site.ledger, "serve", folder)
    path = file_path(folder, (1, 1))
    data = bytearray(path.read_bytes()[:-3])
    data[200] ^= 0xFF
    path.write_bytes(data)
    (folder / "complete").unlink()
    assert own_records.complete(site.ledger, folder) == 2
    assert sorted(name_of(one.record).sequence for one in Reader(path)) == [1, 2, 3, 4, 5]
    assert own_records.complete(site.ledger, folder) == 0
    journal.close()


def test_a_living_process_is_left_to_copy_for_itself(site: Site, folder: Path) -> None:
    other = site.open()
    _, journal = own_records.start(other, "command", folder)
    holders.recharge(other, "20260001", 5)
    before = journal.path.read_bytes()
    own_records.complete(site.ledger, folder)
    assert journal.path.read_bytes() == before
    other.close()
    journal.close()


def test_ended_files_are_looked_at_once(site: Site, folder: Path) -> None:
    holders.recharge(site.ledger, "20260001", 5)
    own_records.start(site.ledger, "serve", folder)
    file_path(folder, (1, 1)).unlink()
    assert own_records.complete(site.ledger, folder) == 0, "known to have been whole"
    assert (folder / "complete").read_text() == "1 1\n"


def test_disks_are_told_apart_by_their_device(tmp_path: Path) -> None:
    assert is_on_disk_of(tmp_path / "not" / "there yet", tmp_path / "ledger.db")
    if os.stat("/dev/shm").st_dev != tmp_path.stat().st_dev:
        assert not is_on_disk_of(Path("/dev/shm/journal"), tmp_path / "ledger.db")


# Requests by key.


def test_the_same_key_again_pays_once_whatever_process_hears_it(site: Site, kept: Journal, folder: Path) -> None:
    holders.recharge(site.ledger, "20260001", 500, request="order-1")
    holders.recharge(site.ledger, "20260001", 500, request="order-1")
    other = site.open()
    _, journal = own_records.start(other, "command", folder)
    assert holders.recharge(other, "20260001", 500, request="order-1").account_fen == 20_500
    other.close()
    assert site.account(100).balance_fen == 20_500
    assert len(site.rows(Request)) == 1
    assert [one.request for one in Reader(journal.path)] == ["order-1"], "it answered from it, so it has it too"
    assert len(list(Reader(kept.path))) == 1


@pytest.mark.parametrize(("number", "amount_fen"), [("20260001", 501), ("20260002", 500)])
def test_a_key_used_for_something_else_is_refused(site: Site, number: str, amount_fen: int) -> None:
    holders.recharge(site.ledger, "20260001", 500, request="order-1")
    with pytest.raises(RequestDiffers):
        holders.recharge(site.ledger, number, amount_fen, request="order-1")
    assert site.account(100).balance_fen == 20_500


@pytest.mark.parametrize("request_key", ["a b", "号", "x" * 65, "\n"])
def test_what_is_no_key_is_refused(site: Site, request_key: str) -> None:
    with pytest.raises(InvalidValue, match="请求号不对"):
        holders.recharge(site.ledger, "20260001", 500, request=request_key)


def test_a_booking_repeated_with_its_key_gets_the_same_code(site: Site) -> None:
    code = reservations.book(site.ledger, "20260001", SHOWER, NOW_S, NOW_S + 1_800, 300, request="r1")
    assert reservations.book(site.ledger, "20260001", SHOWER, NOW_S, NOW_S + 1_800, 300, request="r1") == code
    assert len(site.rows(Reservation)) == 1
    with pytest.raises(RequestDiffers):
        reservations.book(site.ledger, "20260001", SHOWER, NOW_S + 60, NOW_S + 1_800, 300, request="r1")


# A file that comes late.


def test_a_file_brought_back_twice_changes_nothing(site: Site, kept: Journal) -> None:
    holders.recharge(site.ledger, "20260001", 500)
    before = site.rows(Movement)
    found = replay(site.ledger, [kept.path], is_restore=False)
    assert (found.posted_count, found.known_count) == (0, 1)
    found = replay(site.ledger, [kept.path], is_restore=True)
    assert (found.posted_count, found.known_count, found.altered_count) == (0, 1, 0)
    assert site.rows(Movement) == before


def test_the_epoch_of_a_process_that_may_live_is_left_alone(site: Site, kept: Journal, tmp_path: Path) -> None:
    """Two ledgers of one name: a record under the next name of somebody who is about to write it."""
    life = (1, site.rows(Terminal)[0].epoch)
    record = make_record(kinds.RECHARGE, name=Name(*life, 1), subject=100, subject_kind=2, amount_fen=500)
    file = JournalFile(file_path(tmp_path, life), "serve")
    file.append(encode_entry(Written(record, b"", "")))
    file.close()
    found = replay(site.ledger, [file_path(tmp_path, life)], is_restore=False)
    assert (found.posted_count, found.in_force_count) == (0, 1)
    holders.recharge(site.ledger, "20260001", 1)


def late_file(folder: Path, *written: Written) -> Path:
    """A file of a process whose ledger was lost: serve's, in epoch 900."""
    path = file_path(folder, (1, 900))
    file = JournalFile(path, "serve")
    file.append(b"".join(encode_entry(one) for one in written))
    file.close()
    return path


def recharge_record(sequence: int, amount_fen: int = 500) -> bytes:
    """A recharge of 张小雨 by that process."""
    return make_record(kinds.RECHARGE, name=Name(1, 900, sequence), subject=100, subject_kind=2, amount_fen=amount_fen)


def test_a_late_file_is_posted_and_a_hole_in_it_is_an_item(site: Site, folder: Path) -> None:
    path = late_file(folder, Written(recharge_record(1), b"", "a"), Written(recharge_record(4), b"", "b"))
    found = replay(site.ledger, [path], is_restore=True)
    assert (found.posted_count, found.gap_count) == (2, 2)
    assert site.account(100).balance_fen == 21_000
    assert site.items() == ["gap"]
    assert site.ledger.view(lambda books: books.need(Epoch, 1, 900)).high_water == 4
    site.prove()


def test_a_request_answered_meanwhile_is_an_item_and_not_paid_again(site: Site, folder: Path) -> None:
    holders.recharge(site.ledger, "20260001", 500, request="order-1")
    replay(site.ledger, [late_file(folder, Written(recharge_record(1), b"", "order-1"))], is_restore=True)
    assert site.account(100).balance_fen == 20_500
    assert site.items() == ["request_twice"]
    site.prove()


def test_other_bytes_under_a_name_are_kept_and_refused(site: Site, folder: Path) -> None:
    replay(site.ledger, [late_file(folder, Written(recharge_record(1), b"", ""))], is_restore=True)
    file_path(folder, (1, 900)).unlink()
    found = replay(site.ledger, [late_file(folder, Written(recharge_record(1, 700), b"", ""))], is_restore=True)
    assert found.altered_count == 1
    assert site.account(100).balance_fen == 20_500
    (item,) = site.rows(Item)
    assert (item.kind, item.evidence) == ("altered", recharge_record(1, 700))


def test_a_record_of_a_holder_who_is_gone_is_in_suspense(site: Site, folder: Path) -> None:
    lost = make_record(kinds.RECHARGE, name=Name(1, 900, 1), subject=999, subject_kind=2, amount_fen=500)
    shown = annex_digest(b"no booking")
    booking = make_record(kinds.BOOKING, name=Name(1, 900, 2), subject=999, subject_kind=2, amount_fen=300, shown=shown)
    replay(site.ledger, [late_file(folder, Written(lost, b"", ""), Written(booking, b"no booking", ""))], is_restore=True)
    assert site.account(5).balance_fen == 500
    assert set(site.items()) >= {"unknown_subject"}
    assert site.ledger.view(lambda books: books.need(Epoch, 1, 900)).high_water == 2
    site.prove()


def test_a_file_that_cannot_be_read_is_named(site: Site, folder: Path) -> None:
    found = replay(site.ledger, [folder / "1-1.journal"], is_restore=True)
    assert len(found.unreadable) == 1
