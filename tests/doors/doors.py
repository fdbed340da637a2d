"""The doors: each takes a spelling and gives what was read, or the words of the refusal."""

import csv
import io
import json
import re
from contextlib import contextmanager
from itertools import count

from forecasting import clock
from forecasting.app.book import Book
from forecasting.cli import run as cli
from forecasting.cli.spelling import as_options
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
    found = " ".join(as_options(str(error)).split())
    shown = f"({' '.join(plainly(tidied(text)).split())})"
    found = found.partition(shown)[2] if shown in found else found.partition(": ")[2]
    for tail in (" (1 of ", " (got ", ". Try: questions/README", "; for a whole "):
        found = found.partition(tail)[0]
    return "refused", found.rstrip(".")


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
            found = self.book.import_record(self.file(content, ending), ending, **options)
        except ForecastingError as wrong:
            return words(wrong, text)
        return words(found["refused"][0]["reason"], text) if found["refused"] else None

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


# Each of these takes the doors and a spelling, and gives what was read.


def _forecast(doors, name):
    found = doors.book.ledger.forecasts(question=name)
    return found[-1].value.numbers[0]


def probability_by_command(doors, text):
    name = doors.asked("binary")
    return doors.command(text, "log", name, text) or _forecast(doors, name)


def probability_by_csv(doors, text):
    name = doors.asked("binary")
    cells = row(question=name, forecaster="b", forecast=text, issued_at="2026-02-01T00:00Z")
    return doors.imported(cells, "csv", text) or _forecast(doors, name)


def probability_by_jsonl(doors, text):
    name = doors.asked("binary")
    record = line(
        kind="forecast", question=name, forecaster="b", forecast=text, issued_at="2026-02-01T00:00Z"
    )
    return doors.imported(record, "jsonl", text) or _forecast(doors, name)


def probability_by_python(doors, text):
    name = doors.asked("binary")
    return tried(text, lambda: doors.book.log(name, text)) or _forecast(doors, name)


def tried(text, act):
    try:
        act()
    except ForecastingError as wrong:
        return words(wrong, text)
    return None


def _outcome(doors, name):
    return doors.book.ledger.standing_resolutions()[name].outcome


def outcome_by_command(space):
    def door(doors, text):
        name = doors.asked(space)
        refused = doors.command(
            text, "resolve", name, text, "--source", "x", "--at", "2026-10-05", "--sure"
        )
        return refused or _outcome(doors, name)

    return door


def outcome_by_csv(space):
    said = {"binary": "0.5", "options": "none=0.2;Soft deal=0.3;firm=0.5", "number": "5=1;95=2"}

    def door(doors, text):
        name = doors.asked(space)
        cells = row(
            question=name, forecaster="b", forecast=said[space], issued_at="2026-02-01T00:00Z",
            outcome=text, resolved_at="2026-10-05",
        )  # fmt: skip
        return doors.imported(cells, "csv", text) or _outcome(doors, name)

    return door


def outcome_by_jsonl(space):
    def door(doors, text):
        name = doors.asked(space)
        record = line(kind="resolution", question=name, outcome=text, resolved_at="2026-10-05")
        return doors.imported(record, "jsonl", text) or _outcome(doors, name)

    return door


def outcome_by_python(space):
    def door(doors, text):
        name = doors.asked(space)
        refused = tried(
            text, lambda: doors.book.resolve(name, text, source="x", at="2026-10-05", sure=True)
        )
        return refused or _outcome(doors, name)

    return door


def outcome_by_yaml(space):
    def door(doors, text):
        found = bank_file(doors, space, outcome=text, known="2026-10-05")
        return found if isinstance(found, tuple) else found.outcome

    return door


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


def bank_file(doors, space, *, outcome='"yes"', known="2026-10-05", closes="2026-12-31"):
    """Read a question file; give its resolution, or the words of the refusal."""
    from forecasting.bank import read_question_file

    more = {
        "binary": "",
        "options": 'options: [none, "Soft deal", firm]',
        "number": "lower: -10\nupper: 5000000\nunit: people",
    }[space]
    kind = SPACES[space]["type"]
    slug = f"y{next(_names)}"
    quoted = [value if value[0] == '"' else json.dumps(value, ensure_ascii=False)
              for value in (outcome, known, closes)]  # fmt: skip
    text = FILE.format(
        slug=slug, type=kind, more=more, outcome=quoted[0], known=quoted[1], closes=quoted[2]
    )
    questions, resolutions, problems = read_question_file(doors.file(text, "yaml"))
    if problems:
        spelled = next(
            value for value in (outcome, known, closes)
            if value not in ('"yes"', "2026-10-05", "2026-12-31")
        )  # fmt: skip
        return words(re.sub(r"^.*?: ", "", str(problems[0]), count=1), spelled)
    doors.read = questions[0]
    return resolutions[0]


# A moment or a day at which an outcome was known.


def _known(doors, name):
    return iso(doors.book.ledger.standing_resolutions()[name].resolved_at)


def known_by_command(doors, text):
    name = doors.asked("binary")
    refused = doors.command(text, "resolve", name, "yes", "--source", "x", "--at", text)
    return refused or _known(doors, name)


def known_by_csv(doors, text):
    name = doors.asked("binary")
    cells = row(
        question=name, forecaster="b", forecast="0.5", issued_at="2026-02-01T00:00Z", zone=ZONE,
        outcome="yes", resolved_at=text,
    )  # fmt: skip
    return doors.imported(cells, "csv", text) or _known(doors, name)


def known_by_jsonl(doors, text):
    name = doors.asked("binary")
    record = line(kind="resolution", question=name, outcome="yes", resolved_at=text)
    return doors.imported(record, "jsonl", text, zone=ZONE) or _known(doors, name)


def known_by_python(doors, text):
    name = doors.asked("binary")
    refused = tried(text, lambda: doors.book.resolve(name, "yes", source="x", at=text))
    return refused or _known(doors, name)


def known_by_yaml(doors, text):
    found = bank_file(doors, "binary", known=text)
    return found if isinstance(found, tuple) else iso(found.resolved_at)


# A day on which a question closes.


def closes_by_csv(doors, text):
    name = f"q{next(_names)}"
    cells = row(
        question=name, forecaster="b", forecast="0.5", issued_at="2026-02-01T00:00Z", zone=ZONE,
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
    found = bank_file(doors, "binary", closes=text)
    return found if isinstance(found, tuple) else iso(doors.read.closes)


TABLES = {
    "probabilities": (
        probability_by_command, probability_by_csv, probability_by_jsonl, probability_by_python,
    ),
    "moments": (known_by_command, known_by_csv, known_by_jsonl, known_by_python, known_by_yaml),
    "days": (
        known_by_command, known_by_csv, known_by_jsonl, known_by_python, known_by_yaml,
        closes_by_csv, closes_by_jsonl, closes_by_yaml,
    ),
    **{
        name: tuple(
            by(space)
            for by in (
                outcome_by_command, outcome_by_csv, outcome_by_jsonl, outcome_by_python,
                outcome_by_yaml,
            )
        )
        for name, space in (("yes_no", "binary"), ("options", "options"), ("numbers", "number"))
    },
}  # fmt: skip
