"""Every case of what can happen to the database has a test, by name: the table says which.

The lines are numbered as issues and reviews number them: db 1 locks, 2 a disk that fails, 3 files that are damaged, 4 migrations, 5 what
is posted stays, 6 numbers at their ends, 7 clocks, 8 PostgreSQL's answers, 9 backups.
"""

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1] / "host"

CASES = {
    "faults/test_locks.py": {
        "db 1, locked for longer than it waits": "test_locked_for_longer_than_it_waits_the_ledger_is_away_and_tried_again_it_is_whole",
        "db 1, locked, and the process that holds it is killed": "test_the_lock_of_a_killed_process_is_gone_with_it",
        "db 1, locked, many ask": "test_a_writer_that_found_it_locked_answers_everybody_and_goes_on",
        "db 1, BUSY_SNAPSHOT": "test_a_deferred_transaction_that_reads_first_would_fail_at_once",
        "db 1, BUSY_SNAPSHOT cannot happen to a job": "test_nobody_writes_between_what_a_job_reads_and_what_it_writes",
        "db 1, several processes at once": "test_two_processes_that_read_and_write_at_once_lose_nothing_and_never_fail",
    },
    "ledger/test_schema.py": {
        "db 1, locked for a moment": "test_a_commit_waits_for_the_other_process",
        "db 1, BUSY_SNAPSHOT cannot come back": "test_only_the_one_helper_begins_a_transaction",
        "db 3, no database at all": "test_what_is_no_ledger_is_refused_and_left_alone",
        "db 4, run twice": "test_migrating_twice_changes_nothing",
        "db 5, UPDATE and DELETE": "test_what_is_posted_is_never_changed_or_deleted",
        "db 5, INSERT OR REPLACE": "test_insert_or_replace_does_not_replace_either",
        "db 5, a trigger taken away": "test_a_ledger_without_its_guards_is_refused",
    },
    "faults/test_disk.py": {
        "db 2, full, EIO, no sync, read-only, torn, power": "test_at_whatever_call_the_disk_fails_the_books_end_as_without_it",
        "db 2, the same during recovery": "test_at_whatever_call_it_fails_while_the_log_is_recovered_nothing_is_lost",
        "db 2, nobody restores a backup for it": "test_a_failing_disk_is_told_from_a_damaged_ledger",
        "db 2, the test of the tests": "test_a_disk_that_says_it_has_what_it_has_not_is_found_out",
    },
    "faults/test_service.py": {
        "db 2, till told, service degraded, well again": "test_a_host_whose_disk_fails_says_so_and_goes_on_when_it_is_well",
        "db 2, degraded until a write succeeds": "test_what_needs_no_writing_does_not_say_that_the_disk_is_well",
    },
    "faults/test_kills.py": {
        "db 2, kill -9": "test_killed_at_any_moment_nothing_acknowledged_is_lost_and_nobody_else_notices",
    },
    "faults/test_damage.py": {
        "db 3, log missing": "test_without_its_log_the_ledger_is_that_of_the_last_check_in",
        "db 3, log cut off": "test_a_log_cut_off_anywhere_ends_at_its_last_whole_commit",
        "db 3, rubbish behind the log": "test_rubbish_at_the_end_of_a_log_changes_nothing",
        "db 3, rubbish in the log": "test_rubbish_within_a_log_ends_it_at_the_commit_before",
        "db 3, index of the log": "test_the_index_of_the_log_is_made_anew",
        "db 3, other bytes": "test_other_bytes_in_the_database_are_never_other_money_unnoticed",
        "db 3, pages of rubbish": "test_a_page_of_rubbish_is_never_other_money_unnoticed",
        "db 3, an index": "test_an_index_that_leads_elsewhere_is_named",
        "db 3, database cut off": "test_a_database_cut_off_is_refused_or_named",
        "db 3, zero length": "test_an_empty_file_is_refused_and_its_log_kept",
    },
    "ledger/test_migration.py": {
        "db 4, a migration fails half-way": "test_a_migration_that_fails_half_way_leaves_the_old_ledger",
        "db 4, old code on a new schema": "test_a_new_ledger_under_old_code_is_refused",
        "db 4, several at once": "test_processes_that_start_together_migrate_once",
    },
    "faults/test_opening.py": {
        "db 4, the disk fails in it": "test_at_whatever_call_the_disk_fails_a_migration_is_whole_or_not_there",
        "db 4, a ledger of the first version": "test_a_ledger_of_the_first_version_goes_on_as_if_it_had_always_been_of_this_one",
        "db 5, a trigger that does nothing": "test_a_guard_that_guards_nothing_any_more_is_found",
    },
    "ledger/test_limits.py": {
        "db 6, integer limits of a balance": "test_a_balance_that_no_integer_holds_is_refused_and_nothing_stays",
        "db 6, integer limits of a movement": "test_a_movement_that_no_integer_holds_is_refused",
        "db 6, sum overflow": "test_a_sum_that_would_run_over_is_refused_and_the_job_beside_it_is_not",
        "db 6, the largest records": "test_the_largest_amounts_a_record_can_say_are_taken_in_and_add_up",
        "db 6, the last name": "test_the_last_name_of_an_epoch_is_taken_and_nothing_comes_after_it",
    },
    "test_clock.py": {
        "db 7, clock back": "test_a_host_whose_clock_goes_back_posts_in_the_order_of_names",
        "db 7, year, leap day, Asia/Shanghai": "test_the_business_day_of_a_time",
        "db 7, DST": "test_days_follow_one_another_whatever_the_clock_on_the_wall_does",
    },
    "ledger/test_postgres_commit.py": {
        "db 8, 40001 and 40P01": "test_what_the_database_breaks_off_for_anothers_sake_is_run_again_whole",
        "db 8, connection lost after COMMIT": "test_an_own_record_is_posted_once_and_answered_whatever_the_cut",
    },
    "ledger/test_postgres_processes.py": {
        "db 8, several processes at once": "test_processes_that_post_at_once_lose_nothing_and_never_deadlock",
        "db 8, the server dies": "test_a_server_that_dies_under_load_loses_nothing_acknowledged_and_nothing_is_done_twice",
    },
    "test_backup.py": {
        "db 9, backup during load": "test_many_threads_sell_while_backups_are_made",
    },
    "test_restore.py": {
        "db 9, restore, terminals send again": "test_terminals_send_again_and_the_books_end_the_same",
        "db 9, restore, own records come back": "test_what_people_did_since_comes_back_from_the_journal",
        "db 9, restore cut anywhere": "test_a_restore_cut_anywhere_is_run_again",
    },
}


@pytest.mark.parametrize("file", CASES)
def test_each_case_has_its_test(file: str) -> None:
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    there = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    assert [case for case, name in CASES[file].items() if name not in there] == []


def test_no_line_of_the_table_is_left_out() -> None:
    lines = {case.partition(",")[0] for cases in CASES.values() for case in cases}
    assert lines == {f"db {number}" for number in range(1, 10)}
