"""A process that runs commands one after another and tells of each once it has returned.

It imports what the commands need by running each once; for each line that it is given it forks a
child that speaks until it is killed. A line holds the database, a folder for files, the number of
the first command and the names of the commands to take turns.
"""

import datetime as dt
import io
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from itertools import count
from pathlib import Path

from forecasting.app.forecast import update
from forecasting.bank.usable import bundled_bank
from forecasting.cli import commands, root, run
from forecasting.store import Ledger

BEGAN = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
NEWS = "title,source,known_at,on\n" + "".join(
    f"{what} {{n}},wire,2026-11-20T10:00Z,flood=x1.1\n" for what in ("dam", "dyke", "rain")
)
RECORD = """question,title,forecaster,forecast,issued_at,opens,closes,outcome,resolved_at
storm-{n},Will it storm?,ben,0.2,2024-03-02T10:00Z,2024-03-01,2024-04-01,no,2024-04-01
storm-{n},Will it storm?,ben,0.4,2024-03-12T10:00Z,2024-03-01,2024-04-01,no,2024-04-01
frost-{n},Will it freeze?,cat,0.9,2024-03-02T10:00Z,2024-03-01,2024-04-01,yes,2024-03-20
"""


def moment(number):
    """Give the time at which a command speaks: its entries carry it, and no other's do."""
    return BEGAN + dt.timedelta(seconds=number)


def words(name, number, folder):
    """Give the arguments of a command; each may be given any number of times."""
    if name == "log":
        return ["log", "truce", "--ladder", "2027-01-31=0.1", "--ladder", "2027-03-31=0.2"]
    if name == "resolve":
        outcome = ("no", "yes")[number // 5 % 2]
        # A no before the deadline is asked about, and the child must not end by itself.
        return ["resolve", "quake", outcome, "--source", f"office {number}", "--sure"]
    if name == "import":
        file = Path(folder) / f"record-{number}.csv"
        file.write_text(RECORD.format(n=number), encoding="utf-8")
        return ["import", "csv", str(file)]
    if name == "news":
        file = Path(folder) / f"news-{number}.csv"
        file.write_text(NEWS.format(n=number), encoding="utf-8")
        return ["news", "import", str(file)]
    return ["update", name.partition(":")[2], "--unwatched"]


def speak(name, number, path, folder):
    """Run one command as of its own moment."""
    os.environ["FORECASTING_NOW"] = moment(number).isoformat()
    output = io.StringIO()
    with redirect_stdout(output), redirect_stderr(output):
        code = run([*words(name, number, folder), "--db", path, "--as", "ana"])
    if code:
        sys.exit(output.getvalue())


def tell(line):
    os.write(1, line.encode() + b"\n")


def child(path, folder, first, *names):
    tell(f"pid {os.getpid()}")
    for number in count(int(first)):
        speak(names[number % len(names)], number, path, folder)
        with Ledger.open(path) as ledger:
            head = ledger.head()
        tell(f"saved {head.seq} {head.hash}")


def main(path, folder, *names):
    commands.load(root)
    if any(name.startswith("update") for name in names):
        bank = bundled_bank()
        update.bank_of = lambda ledger: bank
    for number, name in enumerate(names, start=len(names)):
        speak(name, number, path, folder)
    tell("ready")
    for line in sys.stdin:
        if not (pid := os.fork()):
            child(*line.rstrip("\n").split("\t"))
            os._exit(0)
        tell(f"gone {os.waitpid(pid, 0)[1]}")


if __name__ == "__main__":
    main(*sys.argv[1:])
