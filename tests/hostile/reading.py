"""Hand every hostile file to its readers in one process, and write what came of it as JSON lines.

Run as ``python -m tests.hostile.reading FOLDER``: one start of Python for all files, an alarm for
each, and the greatest memory so far beside each result.
"""

import contextlib
import gc
import io
import json
import os
import resource
import signal
import sys
from pathlib import Path

from tests.hostile.corpus import FILES, QUESTION

#: The alarm ends what hangs; the slowest file takes half a second. Its code is no command's.
SECONDS, LATE = 10, -1
#: What one reader is run with; {} stands for the file.
COMMANDS = {
    "news": ("news", "import", "{}"),
    "rows": ("news", "import", "{}"),
    "question": ("questions", "add", "{}"),
    "check": ("questions", "check", "{}"),
    "bank": ("questions", "check", "{}"),
    "table": ("questions", "check", "{}"),
    "config": ("db", "path"),
    "anchor": ("verify", "--anchor", "{}"),
    "restore": ("restore", "{}", "--force"),
}
#: Readers of a whole track record: they meet every other file, and refuse it or each of its rows.
IMPORTS = {
    "import-csv": ("import", "csv", "{}", "--me", "ana"),
    "import-jsonl": ("import", "jsonl", "{}", "--me", "ana"),
}


def main(folder):
    from forecasting.app.book import Book
    from forecasting.store import Ledger

    database = folder / "book.db"
    question = folder / "question.yaml"
    question.write_text(QUESTION.replace("ships-sail", "quays-open"), encoding="utf-8")
    Book.open(str(database), create=True).close()
    here = ("--db", str(database))
    news = ("news", "add", "A", "--source", "w", "--known-at", "2026-11-20T00:00Z")
    for words in (("questions", "add", str(question)), news):
        result = _run((*here, *words))
        assert result["code"] == 0, result
    with Ledger.open(str(database)) as ledger:
        before, head = ledger.content_digest(), ledger.head()
        for number, hostile in enumerate(FILES):
            for reader, word in (hostile.words | dict.fromkeys(IMPORTS, "")).items():
                place = _place(folder / f"{number}-{reader}", hostile, reader)
                words = [part.format(place) for part in (COMMANDS | IMPORTS)[reader]]
                chosen = () if reader == "config" else here
                result = _run((*chosen, *words))
                if number % 3 == 0:
                    result["json"] = _run((*chosen, "--json", *words))
                result["unchanged"] = ledger.head() == head
                result |= {"name": hostile.name, "reader": reader, "word": word}
                result["megabytes"] = _megabytes()
                os.environ["FORECASTING_HOME"] = str(folder)
                print(json.dumps(result), flush=True)
        # Of a ledger that only grows, what changed at any file is still changed at the end.
        print(json.dumps({"unchanged": ledger.content_digest() == before}))


def _megabytes():
    """Give the most memory that this program has held at once.

    Not ru_maxrss: after a fork and an exec that still holds what the parent had.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


def _place(folder, hostile, reader):
    """Put a file where its reader looks for it, and give what the command is told."""
    folder.mkdir()
    if reader == "config":
        os.environ["FORECASTING_HOME"] = str(folder)
        return hostile.write(folder / "config.toml")
    if reader == "table":
        (folder / "reference").mkdir()
        hostile.write(folder / "reference" / "occurrences.csv")
        return folder
    return hostile.write(folder / "file")


def _run(arguments):
    from forecasting.cli import run

    # What the runs before left is collected now: in the middle of a file that exhausts the stack
    # its callbacks would fail, and Python would say so beside the command's own line.
    gc.collect()
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), _alarm():
        try:
            code = run(arguments)
        except _Late:
            code = LATE
    return {"code": code, "out": out.getvalue(), "err": err.getvalue()}


class _Late(BaseException):
    """Raised by the alarm; not an Exception, so that no reader catches it."""


@contextlib.contextmanager
def _alarm():
    def ring(*_):
        raise _Late

    signal.signal(signal.SIGALRM, ring)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
