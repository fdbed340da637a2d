"""What a piece of work costs in steps: a count that neither the machine nor its load changes.

A step is a call, a turn of a loop, or ten operations of SQLite's virtual machine. A test of how
cost grows compares two such counts; seconds are printed by ``tests.bench`` and ``tests.web.big``.
"""

import contextlib
import sqlite3
import sys

from sqlalchemy import Engine, event

STEPS = sys.monitoring.events
COUNTED = (STEPS.PY_START, STEPS.PY_RESUME, STEPS.JUMP, STEPS.CALL)


def steps(work):
    """Give how many steps `work()` takes."""
    count = 0
    watched = set()

    def stepped(*_):
        nonlocal count
        count += 1

    def executed(_, cursor, *__):
        if hasattr(cursor.connection, "set_progress_handler"):
            cursor.connection.set_progress_handler(stepped, 10)
            watched.add(cursor.connection)

    monitoring, tool = sys.monitoring, sys.monitoring.PROFILER_ID
    monitoring.use_tool_id(tool, "steps")
    event.listen(Engine, "before_cursor_execute", executed)
    try:
        for kind in COUNTED:
            monitoring.register_callback(tool, kind, stepped)
        monitoring.set_events(tool, sum(COUNTED))
        work()
    finally:
        monitoring.set_events(tool, 0)
        monitoring.free_tool_id(tool)
        event.remove(Engine, "before_cursor_execute", executed)
        for connection in watched:
            with contextlib.suppress(sqlite3.ProgrammingError):  # it is closed
                connection.set_progress_handler(None, 0)
    return count
