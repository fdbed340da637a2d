"""Counts add up: of all questions forecast each is scored, read, or left out with a reason."""

import csv
import json
import random
import re

import pytest

import forecasting as fc

DAYS = [f"2025-0{1 + day // 28}-{1 + day % 28:02d}" for day in range(8 * 28)]


def rows(rng):
    """Give forecasts of random questions: withdrawn, late, annulled, open, or over at once."""
    for number in range(40):
        closes = rng.choice([28, 56, 84])
        known = rng.choice([1, 2, 3, 10, 20, 40, 80, closes])
        kind = rng.choice(["binary", "binary", "binary", "numeric", "categorical"])
        outcome = {"binary": "yes", "numeric": "5", "categorical": "a"}[kind]
        outcome = rng.choice([outcome, outcome, outcome, "annulled", ""])
        spellings = {
            "binary": ["0.3", "0.8"],
            "numeric": ["5=1;50=4;95=9", "10=2;50=4;90=8"],
            "categorical": ["a=0.4;b=0.6"],
        }[kind]
        at = sorted(rng.sample(range(1, closes), 2))
        for who in rng.choice([("ana",), ("ana", "ben")]):
            for place, day in enumerate(at):
                back = place == 1 and rng.random() < 0.4
                yield {
                    "question": f"q{number}", "title": f"Q{number}?", "forecaster": who,
                    "forecast": "withdrawn" if back else rng.choice(spellings),
                    "issued_at": f"{DAYS[day]}T09:00Z", "opens": DAYS[0],
                    "closes": DAYS[closes], "type": kind, "outcome": outcome,
                    "resolved_at": DAYS[min(known, closes)] if outcome else "",
                    "options": "a;b" if kind == "categorical" else "",
                    "lower": "0" if kind == "numeric" else "",
                    "upper": "10" if kind == "numeric" else "",
                }  # fmt: skip


@pytest.fixture(scope="module", params=range(3))
def book(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("left-out")
    table = list(rows(random.Random(request.param)))
    with (folder / "a.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(table[0]))
        writer.writeheader()
        writer.writerows(table)
    with fc.open(str(folder / "a.db"), forecaster="ana", create=True) as book:
        book.import_record(folder / "a.csv", "csv")
        yield book


def counted(notes):
    """Sum the counts of a note, a reason each."""
    lists = [note.removeprefix("left out: ") for note in notes if note.startswith("left out: ")]
    return sum(int(n) for note in lists for n in re.findall(r"(?:^|, )(\d+) ", note))


def asked(book, who=""):
    forecasts = book.ledger.forecasts(kind="imported")
    return len({one.question for one in forecasts if who in ("", one.forecaster)})


@pytest.mark.parametrize("who", ["", "ana"])
def test_each_question_is_scored_or_left_out(book, who):
    wanted = {"kind": "imported", "forecaster": who}
    table = book.scores(by="question", **wanted)
    scored = len({row for row in table["question"]})
    assert scored + counted(book.left_out(**wanted)) == asked(book, who)
    whole = book.scores(**wanted)
    per = whole.groupby("forecaster")["n_questions"].sum()
    assert per.to_dict() == table.groupby("forecaster")["question"].nunique().to_dict()


@pytest.mark.parametrize("who", ["", "ana"])
@pytest.mark.parametrize("share", [0.0, 0.5, 0.9])
def test_each_question_is_in_a_calibration_or_left_out(book, who, share):
    wanted = {"kind": "imported", "forecaster": who}
    table = book.calibration(share=share, **wanted).numbers
    notes = book.left_out(share=share, types=("binary",), **wanted)
    assert table["n_questions"] + counted(notes) == asked(book, who)
    # A pick of an event whose one forecaster is silent by then is empty: of one person none is.
    assert table["n"] <= table["n_events"] == table["n_questions"]
    assert table["n"] == table["n_events"] or not who
    if "numbers" in table and who:
        notes = book.left_out(share=share, types=("numeric",), **wanted)
        assert table["numbers"]["n"] + counted(notes) == asked(book, who)


def test_the_command_says_what_it_leaves_out(book, capsys):
    from forecasting.cli import run

    command = ["--db", book.database, "--json", "calibration", "--kind", "imported"]
    assert run([*command, "--forecaster", "ana"]) == 0
    out, err = capsys.readouterr()
    table = json.loads(out)
    read = table["n_questions"] + table.get("numbers", {"n": 0})["n"]
    assert read + counted(err.splitlines()) == asked(book, "ana")
