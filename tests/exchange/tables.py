"""Track records of any shape, as rows that a table or a stream of records may state."""

import csv
import datetime as dt
import io
import json
import zipfile
from pathlib import Path

from hypothesis import strategies as st

HEADER = (
    *("question", "title", "forecaster", "forecast", "issued_at", "opens", "closes"),
    *("outcome", "resolved_at", "tags"),
)
FORMATS = Path(__file__).parent / "formats"
START = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


def stamp(moment):
    return moment.isoformat().replace("+00:00", "Z")


def row(question="q", forecast="0.35", day=1.0, **more):
    """Give a row of a question that is open for ten days and came out yes on the eighth."""
    cells = {
        "question": question,
        "title": f"Will {question} come about?",
        "forecaster": "ana",
        "forecast": forecast,
        "issued_at": stamp(START + day * DAY),
        "opens": stamp(START),
        "closes": stamp(START + 10 * DAY),
        "outcome": "yes",
        "resolved_at": stamp(START + 8 * DAY),
        "tags": "war;talks",
    }
    return cells | more


def table(rows, separator=",", header=None):
    out = io.StringIO()
    columns = header or list(dict.fromkeys([key for one in rows for key in one])) or HEADER
    writer = csv.DictWriter(out, columns, delimiter=separator, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def rewritten(archive, path, change):
    """Copy a zip of tables; `change` gives the rows of each member, or None to leave it out."""
    with zipfile.ZipFile(archive) as whole, zipfile.ZipFile(path, "w") as out:
        for member in whole.namelist():
            reader = csv.DictReader(io.StringIO(whole.read(member).decode()))
            rows = change(member, list(reader))
            if rows is not None:
                out.writestr(member, table(rows, header=reader.fieldnames))
    return path


def first_question(path, asked=(), spoken=lambda rows: None):
    """Write a Metaculus zip of one question, with these of its cells, and of its forecasts."""

    def change(member, rows):
        if member not in ("question_data.csv", "forecast_data.csv"):
            return None
        rows = [one for one in rows if one["Question ID"] == "1"]
        if member == "question_data.csv":
            rows[0] |= dict(asked)
        else:
            spoken(rows)
        return rows

    return rewritten(FORMATS / "metaculus.zip", path, change)


def stream(records):
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def record_of(one):
    """Give the record of a forecast that a row of a table states."""
    stated = {key: one[key] for key in ("question", "forecaster", "forecast", "issued_at")}
    return {"kind": "forecast", **stated}


texts = st.text(
    st.characters(exclude_characters="\0", exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1
).filter(str.strip)
wild = st.one_of(texts, texts.map(lambda text: "=" + text), texts.map(lambda text: "'" + text))
probabilities = st.integers(0, 100).map(lambda n: st.sampled_from([f"{n}%", f"{n / 100:.2f}"]))


@st.composite
def questions(draw):
    """Give what every row of one question states, and how its forecasts look."""
    kind = draw(st.sampled_from(["binary", "binary", "categorical", "numeric"]))
    name = draw(st.from_regex(r"[a-z]{1,3}(-[a-z]{1,2})?", fullmatch=True))
    about = {"question": name, "title": draw(wild), "type": kind, "tags": "b;a", "event": "e"}
    about |= {"opens": stamp(START), "closes": stamp(START + 10 * DAY)}
    options = ["no", "yes"]
    if kind == "categorical":
        options = draw(st.lists(wild.map(str.strip).filter(bool), min_size=2, max_size=3))
        options = sorted({normal(one) for one in options} | {"a;b", "="})
        about["options"] = json.dumps(options)
    if kind == "numeric":
        about |= {"lower": "-5", "upper": "10.25", "unit": draw(wild)}
    if draw(st.booleans()):
        outcome = draw(st.sampled_from(["-1.5"] if kind == "numeric" else [*options, "annulled"]))
        about |= {"outcome": guarded(outcome), "resolved_at": stamp(START + 8 * DAY)}
    return about, kind, options


def normal(text):
    import unicodedata

    return unicodedata.normalize("NFC", text).strip()


def guarded(text):
    from forecasting.files import neutral

    return text if text == "-1.5" else neutral(text)


@st.composite
def forecast_texts(draw, kind, options):
    if draw(st.integers(0, 9)) == 0:
        return "withdrawn"
    if kind == "binary":
        number = draw(st.integers(0, 100))
        return draw(st.sampled_from([f"{number}%", f"{number / 100:.2f}"]))
    if kind == "numeric":
        return f"5=-2;50=1.50;95={draw(st.integers(2, 10))}"
    return json.dumps(dict.fromkeys(options[1:], "0") | {options[0]: "1.0"})


@st.composite
def track_records(draw):
    """Give rows of up to three questions: some twice, some at the same instant, some too late."""
    drawn = draw(st.lists(questions(), max_size=3, unique_by=lambda one: one[0]["question"]))
    rows = []
    for about, kind, options in drawn:
        for _ in range(draw(st.integers(1, 5))):
            hours = draw(st.integers(0, 250))
            rows.append(
                {
                    **{
                        key: guarded(v) if key in ("title", "unit") else v
                        for key, v in about.items()
                    },
                    "forecaster": guarded(draw(st.sampled_from(["ana", "=ben", "'cy", "Ünal"]))),
                    "forecast": draw(forecast_texts(kind, options)),
                    "issued_at": stamp(START + hours * dt.timedelta(hours=1)),
                    "because": guarded(draw(st.sampled_from(["", "=x\n", " two\r\nlines ", "ü"]))),
                }
            )
    return rows + draw(st.lists(st.sampled_from(rows), max_size=2)) if rows else rows
