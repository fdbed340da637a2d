"""Which tests are about SQLite's files, and so do not run with ``--engine postgresql``.

Every other test of the suite runs on both: ``pytest --engine postgresql`` keeps each ledger that a
test opens in its process on a server (see :class:`tests.databases.Elsewhere`).
"""

#: The start of a node id (below `tests/`), and why it is about files or has PostgreSQL of its own.
OF_FILES = {
    "app/test_clocks.py::test_at_a_terminal": "a process of its own",
    "app/test_redact.py": "bytes and edits of the file; test_postgresql.py has the others",
    "app/test_seal.py::test_nothing_of_the_number_is_in_the_ledger": "dumps the file",
    "store/test_anchor.py": "edits of the file",
    "store/test_authorizer.py": "SQLite's authorizer; on PostgreSQL the roles",
    "store/test_backup.py": "files and their journals; test_postgresql.py has the others",
    "store/test_database_commands.py": "backups, and what the doctor says of files",
    "store/test_doctor.py": "pages, disks and folders",
    "store/test_edges.py::test_a_file": "a file",
    "store/test_guards.py": "the statements of SQLite; test_postgresql.py has the others",
    "store/test_injected_faults.py": "both engines already",
    "store/test_kills.py": "processes of their own",
    "store/test_migrations.py": "frozen files",
    "store/test_postgresql.py": "PostgreSQL already",
    "store/test_state_machine.py": "both engines already",
    "store/test_tamper.py": "edits of the file",
    "store/test_together.py": "processes of their own; SQLite's pragmas",
    "store/test_unusable.py": "files that cannot be used",
    "store/test_verify_laws.py": "edits of the file",
    "store/test_chain.py::test_a_forecast_commits": "reads the file",
    "forecasting/store/condition.py": "what a file is looked at for",
    "cli/test_bad_input.py": "compares bytes of files",
    "cli/test_commands.py::test_the_tour": "a process of its own",
    "cli/test_commands.py::test_verify_and_the_database": "looks for the file",
    "cli/test_files.py::test_a_backup": "a backup is a file",
    "cli/test_cost.py::test_a_forecast_walks": "counts the files of code on SQLite's way",
    "web/test_browser.py": "a server of its own",
    "web/test_hostile.py": "a server of its own",
    "web/test_import_page.py": "an import is read by a process of its own",
    "web/test_cost.py::test_no_page_of_news": "a process of its own",
    "web/test_question_page.py::test_the_time_after": "scores in a process of its own",
    "web/test_review_page.py": "scores in a process of its own",
    "web/test_team.py::test_somebody_signs_in": "a server of its own",
    "web/test_work.py": "processes of their own",
    "web/test_world_page.py": "simulates in a process of its own",
    "web/test_writes.py::test_nothing_acknowledged": "a server of its own",
    "packaging": "processes of their own",
    "deep": "hours of fits, the same on either",
    "inference": "no ledger",
    "models": "no ledger",
    "scoring": "no ledger",
    "notebooks": "processes of their own",
}


def of_files(name):
    """Tell whether a test, by its node id, is about files."""
    return name.removeprefix("tests/").startswith(tuple(OF_FILES))
