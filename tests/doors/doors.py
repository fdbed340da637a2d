"""The doors: each takes a spelling and gives what was read, or the words of the refusal."""

import csv
import io
import json
import re
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count

from forecasting import clock
from forecasting.app.book import Book
from forecasting.cli import run as cli
from forecasting.cli.spelling import as_options
from forecasting.domain.catalog import Catalog
from forecasting.domain.instants import iso, parse_instant
from forecasting.domain.reading import plainly, tidied
from forecasting.errors import ForecastingError

NOW = parse_instant("2026-11-22T12:00Z")
ZONE = "Europe/Kyiv"
OPENS, CLOSES = "2026-01-01T00:00Z", "2027-06-30T21:00Z"
SPACES = {
    "binary": {"type": "binary"},
    "options": {"type": "categorical", "options": ["none", "Soft deal", "firm"]},
    "number": {"type": "numeric", "lower": "-10", "upper": "5000000", "unit": "people"},
}
_names = count()


def words(error, text):
    """Give the words of a refusal from behind the value on: the name and the place differ."""
    message = " ".join(as_options(str(error)).split())
    shown = f"({' '.join(plainly(tidied(text)).split())})"
    message = message.partition(shown)[2] if shown in message else message.partition(": ")[2]
    for tail in (" (1 of ", " (got ", ". Try: questions/README", "; for a whole "):
        message = message.partition(tail)[0]
    return "refused", message.rstrip(".")


def question(name, space, **more):
    return {
        "kind": "question", "question": name, "title": "?", "opens": OPENS, "closes": CLOSES,
        "zone": ZONE, **SPACES[space], **more,
    }  # fmt: skip


class Doors:
    """A book in a folder, and the ways into it."""

    def __init__(self, folder, capsys):
        self.folder, self.capsys = folder, capsys
        self.path = folder / "book.db"
        with clock.at(NOW):
            self.book = Book.open(str(self.path), forecaster="ana", create=True)

    def close(self):
        self.book.close()

    def file(self, content, ending):
        path = self.folder / f"{next(_names)}.{ending}"
        path.write_text(content, encoding="utf-8")
        return path

    def imported(self, content, ending, text, **options):
        """Import a file of one row, and give its refusal if there is one."""
        try:
            counts = self.book.import_record(self.file(content, ending), ending, **options)
        except ForecastingError as wrong:
            return words(wrong, text)
        return words(counts["refused"][0]["reason"], text) if counts["refused"] else None

    def asked(self, space, **more):
        """Make a question of its own, and give its name."""
        name = f"q{next(_names)}"
        record = question(name, space, **more)
        assert self.imported(json.dumps(record) + "\n", "jsonl", "") is None
        return name

    def command(self, text, *arguments):
        self.capsys.readouterr()
        code = cli(["--db", str(self.path), *arguments])
        err = self.capsys.readouterr().err
        return None if code == 0 else words(err, text)


@contextmanager
def opened(folder, capsys):
    doors = Doors(folder, capsys)
    try:
        with clock.at(NOW):
            yield doors
    finally:
        doors.close()


def row(**cells):
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(cells)
    writer.writerow(cells.values())
    return out.getvalue()


def line(**fields):
    return json.dumps(fields, ensure_ascii=False) + "\n"


# Each of these is what a spelling may be of: how it is said at each door, and how it is read back.


@dataclass(frozen=True)
class Thing:
    """What is spelled: the question it is of, and its place in each kind of file and call."""

    space: str
    command: Callable
    cells: Callable
    record: Callable
    python: Callable
    read: Callable
    #: In a question file, and the same of the resolution that it holds.
    bank: Callable | None = None
    of: Callable = str


def by_command(thing):
    def door(doors, text):
        name = doors.asked(thing.space)
        return doors.command(text, *thing.command(name, text)) or thing.read(doors, name)

    return door


def by_csv(thing):
    answers = {"binary": "0.5", "options": "none=0.2;Soft deal=0.3;firm=0.5", "number": "5=1;95=2"}

    def door(doors, text):
        name = doors.asked(thing.space)
        cells = {"forecast": answers[thing.space], "issued_at": SAID_AT, "zone": ZONE}
        cells |= thing.cells(text)
        refusal = doors.imported(row(question=name, forecaster="b", **cells), "csv", text)
        return refusal or thing.read(doors, name)

    return door


def by_jsonl(thing):
    def door(doors, text):
        name = doors.asked(thing.space)
        record = line(question=name, **thing.record(text))
        return doors.imported(record, "jsonl", text, zone=ZONE) or thing.read(doors, name)

    return door


def by_python(thing):
    def door(doors, text):
        name = doors.asked(thing.space)
        try:
            thing.python(doors.book, name, text)
        except ForecastingError as wrong:
            return words(wrong, text)
        return thing.read(doors, name)

    return door


def by_yaml(thing):
    def door(doors, text):
        result = bank_file(doors, thing.space, **thing.bank(text))
        return result if isinstance(result, tuple) else thing.of(result)

    return door


SAID_AT, KNOWN = "2026-02-01T00:00Z", "2026-10-05"
PROBABILITY = Thing(
    "binary",
    command=lambda name, text: ("log", name, text),
    cells=lambda text: {"forecast": text},
    record=lambda text: {
        "kind": "forecast", "forecaster": "b", "forecast": text, "issued_at": SAID_AT
    },
    python=lambda book, name, text: book.log(name, text),
    read=lambda doors, name: doors.book.ledger.forecasts(question=name)[-1].value.numbers[0],
)  # fmt: skip


def standing(doors, name):
    return Catalog.of(doors.book.ledger).outcomes[name]


def outcome(space):
    return Thing(
        space,
        command=lambda name, text: (
            "resolve", name, text, "--source", "x", "--at", KNOWN, "--sure"
        ),
        cells=lambda text: {"outcome": text, "resolved_at": KNOWN},
        record=lambda text: {"kind": "resolution", "outcome": text, "resolved_at": KNOWN},
        python=lambda book, name, text: book.resolve(name, text, source="x", at=KNOWN, sure=True),
        read=lambda doors, name: standing(doors, name).outcome,
        bank=lambda text: {"outcome": text},
        of=lambda question: question.outcome,
    )  # fmt: skip


#: A moment or a day at which an outcome was known.
WHEN = Thing(
    "binary",
    command=lambda name, text: ("resolve", name, "yes", "--source", "x", "--at", text),
    cells=lambda text: {"outcome": "yes", "resolved_at": text},
    record=lambda text: {"kind": "resolution", "outcome": "yes", "resolved_at": text},
    python=lambda book, name, text: book.resolve(name, "yes", source="x", at=text),
    read=lambda doors, name: iso(standing(doors, name).resolved_at),
    bank=lambda text: {"known": text},
    of=lambda question: iso(question.resolved_at),
)


FILE = """\
slug: {slug}
title: Does the thing come about in time?
type: {type}
zone: Europe/Kyiv
opens: 2026-01-01
closes: {closes}
{more}
resolution:
  outcome: {outcome}
  known: {known}
  source: https://example.org/word
  certainty: high
"""


def bank_file(doors, space, **spelled):
    """Read a question file; give its resolution, or the words of the refusal."""
    from forecasting.bank import read_question_file

    more = {
        "binary": "",
        "options": 'options: [none, "Soft deal", firm]',
        "number": "lower: -10\nupper: 5000000\nunit: people",
    }[space]
    cells = {"outcome": "yes", "known": KNOWN, "closes": "2026-12-31"} | spelled
    text = FILE.format(
        slug=f"y{next(_names)}",
        type=SPACES[space]["type"],
        more=more,
        **{name: json.dumps(value, ensure_ascii=False) for name, value in cells.items()},
    )
    questions, resolutions, problems = read_question_file(doors.file(text, "yaml"))
    if problems:
        (text,) = spelled.values()
        return words(re.sub(r"^.*?: ", "", str(problems[0]), count=1), text)
    doors.read = questions[0]
    return resolutions[0]


# A day on which a question closes.


def closes_by_csv(doors, text):
    name = f"q{next(_names)}"
    cells = row(
        question=name, forecaster="b", forecast="0.5", issued_at=SAID_AT, zone=ZONE,
        opens=OPENS, closes=text,
    )  # fmt: skip
    return doors.imported(cells, "csv", text) or _closes(doors, name)


def closes_by_jsonl(doors, text):
    name = f"q{next(_names)}"
    record = line(**question(name, "binary", closes=text))
    return doors.imported(record, "jsonl", text) or _closes(doors, name)


def _closes(doors, name):
    return next(iso(one.closes) for one in doors.book.ledger.questions() if one.id == name)


def closes_by_yaml(doors, text):
    result = bank_file(doors, "binary", closes=text)
    return result if isinstance(result, tuple) else iso(doors.read.closes)


SPOKEN = (by_command, by_csv, by_jsonl, by_python)
EVERY = (*SPOKEN, by_yaml)
#: The doors for each table of spellings: each takes the doors and a spelling, and gives what was
#: read, or the words of the refusal.
TABLES = {
    "probabilities": [by(PROBABILITY) for by in SPOKEN],
    "moments": [by(WHEN) for by in EVERY],
    "days": [*(by(WHEN) for by in EVERY), closes_by_csv, closes_by_jsonl, closes_by_yaml],
    "yes_no": [by(outcome("binary")) for by in EVERY],
    "options": [by(outcome("options")) for by in EVERY],
    "numbers": [by(outcome("number")) for by in EVERY],
}
