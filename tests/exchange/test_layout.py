"""The documented layouts: every spelling that is taken, every default, every reason to refuse."""

import pytest

from forecasting.domain.catalog import Catalog
from forecasting.domain.instants import iso
from forecasting.errors import InvalidInput
from tests.exchange.conftest import NOW
from tests.exchange.tables import DAY, START, row, stamp, stream, table

BARE = "question,forecaster,forecast,issued_at"


def only(rows):
    """Give the one reason for which the rows are refused, all of them."""
    return {one["reason"] for one in rows["refused"]}


def test_the_least_that_makes_a_track_record(import_text, ledger):
    counts = import_text(f"{BARE}\nq,ana,0.4,2025-01-02T09:00Z\nq,ben,60%,2025-01-05\n")
    assert (counts["added"], counts["questions"], counts["resolutions"]) == (2, 1, 0)
    (question,) = ledger.questions()
    assert (question.title, question.event, question.topic, question.zone) == (
        *("q", "q", "imported", "UTC"),
    )
    assert iso(question.opens) == "2025-01-02T09:00:00Z"
    assert iso(question.closes) == "2025-01-06T00:00:00Z"
    noon = [iso(one.issued_at) for one in ledger.forecasts(forecaster="ben")]
    assert noon == ["2025-01-05T12:00:00Z"], "a forecast known to the day stands at its noon"
    assert {note.split(" ", 2)[2] for note in counts["notes"]} == {
        "no opens is stated: taken from their first forecast",
        "no closes is stated: the end of the day of their last forecast",
        "no title is stated: their id is used",
    }


def test_an_outcome_without_its_time_is_known_when_the_question_closes(import_text, ledger):
    counts = import_text(table([row(resolved_at="")]))
    assert "1 question: no resolved_at is stated: taken from when they close" in counts["notes"]
    assert iso(Catalog.of(ledger).outcomes["q"].resolved_at) == "2025-01-11T00:00:00Z"


def test_a_question_without_closes_closes_when_it_resolves(import_text, ledger):
    counts = import_text(
        table([row(closes=""), row("p", closes="", resolved_at="2025-01-08T15:00Z")])
    )
    assert (
        "2 questions: no closes is stated: the end of the day on which they resolved"
        in counts["notes"]
    )
    assert [one.closes for one in ledger.questions()] == [START + 8 * DAY] * 2


def test_a_question_that_is_no_slug_gets_an_id_for_good(import_text, ledger):
    rows = [row("Will X resign?"), row("Will X resign?", day=2), row("Will X resign!"), row("¿")]
    assert import_text(table(rows))["questions"] == 3
    ids = sorted(question.id for question in ledger.questions())
    assert [one.rpartition("-")[0] for one in ids] == ["", "will-x-resign", "will-x-resign"]
    assert import_text(table(rows))["duplicates"] == 4


def test_a_title_can_stand_for_the_question(import_text, ledger):
    import_text(table([row(question="", title="Will X resign?")]))
    assert ledger.questions()[0].title == "Will X resign?"
    assert only(import_text(table([row(), row(question="", title="")]))) == {
        "question: is empty, and so is title. Try: a short name, such as truce-2026"
    }


def test_rungs_find_their_ladder(import_text, ledger):
    import_text(table([row("truce@2025-01-10")]))
    assert ledger.questions()[0].ladder == "truce"


def test_options_by_name_or_as_an_object(import_text, ledger):
    rows = [
        row(forecast="b=0.8;a=20%", outcome="b"),
        row(forecast='{"a": 0.25, "b": "0.75"}', day=2, outcome="b"),
        row(forecast="a=0.3;b=0.8", day=3, outcome="b"),
        row(forecast="a=1", day=4, outcome="b"),
        row(forecast="a=0.5;b=0.5;a=0", day=5, outcome="b"),
        row(forecast="0.5", day=6, outcome="b"),
        row(forecast='{"a": [1]}', day=6, outcome="b"),
        row(forecast='{"a" 1}', day=6, outcome="b"),
        row(forecast="{}", day=6, outcome="b"),
    ]
    counts = import_text(table(rows))
    assert [one.value.entered for one in ledger.forecasts()] == [("0.2", "0.8"), ("0.25", "0.75")]
    assert ledger.questions()[0].space.options == ("a", "b")
    assert [one["line"] for one in counts["refused"]] == [4, 5, 6, 7, 8, 9, 10]
    assert "sum 1.1" in counts["refused"][0]["reason"]


def test_stated_types_options_and_bounds(import_text, ledger):
    counts = import_text(
        table(
            [
                row(
                    "o", forecast="low=0.1;high=0.9", type="ordered", options="low;high", outcome=""
                ),
                row("c", forecast="b=0.1;a=0.9", options='["b", "a"]', outcome="a"),
                row("n", forecast="5%=1;50%=2.50", lower="0", upper="9", outcome="3.5"),
                row("m", forecast="5=1;50=2", outcome=""),
                row("p", forecast="a=1", type="ordered", outcome=""),
                row("t", type="riddle"),
                row("u", forecast="a=0.5;b=0.5", options="[1]", outcome=""),
                row("v", forecast="5=1;50=20", lower="0", upper="9", outcome=""),
                row("w", forecast="5=x;50=2", lower="0", upper="9", outcome=""),
                row("x", lower="low", upper="9"),
                row("y", forecast="5=1;50=2", lower="0", upper="9", outcome="30"),
            ]
        ).replace("2025-01-09T00:00:00Z,war", ",war", 0)
    )
    reasons = {one["line"]: one["reason"] for one in counts["refused"]}
    spaces = {question.id: question.space for question in ledger.questions()}
    assert spaces["c"].options == ("b", "a")
    assert spaces["n"].upper == 9.0
    assert ledger.forecasts(question="n")[0].value.entered == ("1", "2.50")
    # A time of the outcome without an outcome is refused, so lines 2, 5 and 6 are too.
    assert set(reasons) == {2, 5, 6, 7, 8, 9, 10, 11}
    assert "is given without an outcome" in reasons[2]
    assert "needs both" in reasons[5]
    assert "from low to high" in reasons[6]
    assert Catalog.of(ledger).outcomes["y"].outcome == ">9"
    assert "1 question: an outcome beyond the bounds is recorded as >9" in counts["notes"]


def test_options_that_nobody_listed_are_those_that_were_forecast(import_text, ledger):
    rows = [row(forecast="z=0.5;y=0.5", outcome="", resolved_at="", type="categorical")]
    rows += [row("o", forecast="z=1", outcome="", resolved_at="", type="ordered")]
    counts = import_text(table(rows))
    assert ledger.questions()[0].space.options == ("y", "z")
    assert "1 question: no options are stated: those that their forecasts name" in counts["notes"]
    assert "options: an ordered question" in counts["refused"][0]["reason"]


def test_semicolons_with_decimal_commas_and_tabs(import_text, ledger):
    text = "\ufeffquestion;forecaster;forecast;issued_at\r\nq;ana;0,35;2025-01-02\r\n"
    counts = import_text(text + "q;ana;12,5 %;2025-01-03\r\n\r\n")
    assert counts["in"] == 2
    assert [one.value.entered[0] for one in ledger.forecasts()] == ["0.35", "0.125"]
    assert "record.csv: cells are separated by semicolons" in counts["notes"]
    more = import_text("question\tforecaster\tforecast\tissued_at\nq\tben\t0.1\t2025-01-02\n")
    assert "record.csv: cells are separated by tabs" in more["notes"]
    comma = import_text('question,forecaster,forecast,issued_at\nq,cy,"0,35",2025-01-02\n')
    assert "record.csv: numbers such as 0,35 have a decimal comma" in comma["notes"]
    numbers = "question;forecaster;forecast;issued_at;lower;upper;outcome;resolved_at\n"
    numbers += 'n;ana;"5=1;50=2";2025-01-02;0,5;9,5;2,5;2025-01-04\n'
    assert import_text(numbers)["refused"] == []
    assert Catalog.of(ledger).outcomes["n"].outcome == "2.5"


def test_columns_of_other_names_are_passed_over_and_named(import_text):
    counts = import_text(f"{BARE},mood\nq,ana,0.4,2025-01-02T09:00Z,fine\n")
    assert "record.csv: columns ignored: mood" in counts["notes"]


def test_rows_that_name_nobody(import_text, ledger):
    text = "question,forecast,issued_at\nq,0.4,2025-01-02T09:00Z\n"
    with pytest.raises(InvalidInput, match="me=NAME"):
        import_text(text)
    assert import_text(text, me="ana")["added"] == 1
    counts = import_text(f"{BARE}\nq,,0.4,2025-01-02T09:30Z\nq,ben,0.4,2025-01-02T10:00Z\n")
    assert only(counts) == {"forecaster: is empty. Try: me=NAME, for rows without a forecaster"}


def test_local_times_want_a_zone(import_text, ledger):
    text = f"{BARE}\nq,ana,0.4,2025-03-28 09:00\n"
    with pytest.raises(InvalidInput, match="must carry a zone"):
        import_text(text)
    import_text(text, zone="Europe/Paris")
    (forecast,) = ledger.forecasts()
    assert iso(forecast.issued_at) == "2025-03-28T08:00:00Z"
    assert ledger.questions()[0].zone == "Europe/Paris"
    with pytest.raises(InvalidInput, match="zone"):
        import_text(text, zone="Middle/Earth")
    text = f"{BARE},zone\nz,ana,0.4,2025-10-26 02:30,Europe/Paris\nz,ana,1.0,2025-10-26,\n"
    twice = import_text(text)
    assert "2025-10-26T00:30:00Z or 2025-10-26T01:30:00Z" in twice["refused"][0]["reason"]


def test_withdrawals(import_text, ledger):
    rows = [row(), row(forecast="Withdrawn", day=2), row(forecast="withdrawn", day=2)]
    counts = import_text(table(rows))
    assert (counts["forecasts"], counts["withdrawals"], counts["duplicates"]) == (1, 1, 1)
    assert ledger.withdrawals()[0].withdrawn_at == START + 2 * DAY
    again = import_text(table([row(day=2, forecast="0.5"), row(day=2, forecast="withdrawn")]))
    assert (again["duplicates"], len(again["refused"])) == (1, 1)


def test_what_cannot_be_kept_is_refused_with_its_line_and_reason(import_text):
    rows = [
        row(),
        row(day=-1),
        row(day=8),
        row(day=9, forecaster="ben"),
        row("late", day=10, outcome="", resolved_at=""),
        row(forecast="170", forecaster="ben"),
        row(forecast="135 %", forecaster="ben"),
        row(forecast="likelier", forecaster="ben"),
        row(forecast="-1e-3", forecaster="ben"),
        row(forecast="", forecaster="ben"),
        row(issued_at="yesterday", forecaster="ben"),
        row(issued_at="", forecaster="ben"),
        row(issued_at="2025-02-30", forecaster="ben"),
        row(forecaster="x" * 300),
        row(forecaster="a\nb"),
        row(kind="replay", forecaster="ben"),
        row(forecast="a=1;b=0", forecaster="ben"),
        row("soon", closes="2027-01-01T00:00Z", issued_at="2026-12-01T00:00Z", outcome="",
            resolved_at=""),
        row("f", resolved_at="2026-12-01T00:00Z"),
        row("g", resolved_at=stamp(START)),
        row("h", outcome="maybe"),
        row("i", closes=stamp(START)),
        row("j", resolves_by=stamp(START)),
        row("k", title="x" * 3000),
        row("l", zone="Middle/Earth"),
    ]  # fmt: skip
    counts = import_text(table(rows, header=[*rows[0], "kind", "zone", "resolves_by"]))
    lines = [one["line"] for one in counts["refused"]]
    assert counts["added"] == 1
    # The name with a line break takes two lines of the file.
    assert lines == [*range(3, 17), *range(18, 28)]
    assert counts["in"] == len(rows) == 1 + len(lines)
    reason = {one["line"]: one["reason"] for one in counts["refused"]}
    assert "opens at 2025-01-01T00:00:00Z" in reason[3]
    assert "had resolved" in reason[4]
    assert "had closed" in reason[6]
    assert "must lie from 0 to 1" in reason[8]
    assert reason[11].startswith("forecast: is empty")


def test_lines_that_disagree_refuse_their_question_whole_and_no_other(import_text, ledger):
    rows = [row(), row(day=2, outcome="no"), row("p"), row("p", day=2, tags="")]
    counts = import_text(table(rows))
    assert [one["line"] for one in counts["refused"]] == [2, 3]
    assert only(counts) == {
        "outcome (no in line 3 and yes in line 2): lines disagree on question q. "
        "Try: one of them in each line"
    }
    assert (counts["questions"], counts["forecasts"]) == (1, 2)


@pytest.mark.parametrize(
    ("more", "name"),
    [
        ({"title": "Another"}, "title"),
        ({"opens": "2025-01-01T01:00Z"}, "opens"),
        ({"closes": "2025-01-12"}, "closes"),
        ({"outcome": "no"}, "outcome"),
        ({"resolved_at": "2025-01-09T01:00Z"}, "outcome"),
        ({"type": "numeric", "lower": "0", "upper": "1"}, "type"),
    ],
)
def test_a_row_that_contradicts_the_ledger_is_refused(import_text, ledger, more, name):
    import_text(table([row()]))
    counts = import_text(
        table([row("p"), row(day=2, **more)], header=[*row(), "type", "lower", "upper"])
    )
    (refused,) = counts["refused"]
    assert refused["reason"].startswith(f"{name} (")
    assert counts["added"] == 1


def test_what_may_differ_from_the_ledger_is_noted(import_text, ledger):
    import_text(table([row(event="d", topic="s")]))
    counts = import_text(table([row(day=2, tags="talks", event="e", topic="t")]))
    assert counts["refused"] == []
    assert counts["notes"] == [
        f"1 question: {name} differ from the ledger's, which are kept"
        for name in ("event", "tags", "topic")
    ]
    assert ledger.questions()[0].tags == ("talks", "war")


def test_two_numbers_at_one_instant(import_text, ledger):
    counts = import_text(table([row(), row(forecast="0.36"), row(forecast="35.0%"), row(day=2)]))
    assert [one["line"] for one in counts["refused"]] == [2, 3, 4]
    import_text(table([row()]))
    again = import_text(table([row(forecast="0.350"), row(forecast="0.36")]))
    assert (again["duplicates"], [one["line"] for one in again["refused"]]) == (1, [3])


def test_all_or_nothing(import_text, ledger):
    with pytest.raises(InvalidInput, match="1 of 2 rows refused") as refused:
        import_text(table([row(), row(day=-1)]), all_or_nothing=True)
    assert refused.value.where == "record.csv:3"
    assert ledger.head().seq == 0
    assert import_text(table([row(), row(day=-1)]))["added"] == 1


def test_an_outcome_corrected_since_is_no_conflict(import_text, ledger):
    from forecasting.domain import Resolution

    import_text(table([row()]))
    at = START + 8 * DAY
    ledger.append([Resolution("q", "no", at, "corrected", version=2)], recorded_at=NOW)
    counts = import_text(table([row(), row(day=2)]))
    assert (counts["added"], counts["duplicates"], counts["resolutions"]) == (1, 1, 0)


def test_records_of_every_kind(import_text, ledger):
    counts = import_text(
        stream(
            [
                {"kind": "news", "title": "Talks end", "source": "wire", "on": ["q"],
                 "known_at": "2025-01-03T09:00Z", "event_at": "2025-01-02", "grade": "B"},
                {"kind": "forecast", "question": "q", "forecaster": "ana", "forecast": 0.350,
                 "issued_at": "2025-01-02T00:00Z", "because": "so"},
                {"kind": "withdrawal", "question": "q", "forecaster": "ana",
                 "withdrawn_at": "2025-01-04T00:00Z"},
                {"kind": "question", "question": "q", "title": "Q?", "opens": "2025-01-01",
                 "closes": "2025-01-31", "tags": ["b", "a"], "background": "long\nago"},
                {"kind": "resolution", "question": "q", "outcome": "no", "version": 1,
                 "resolved_at": "2025-01-20T00:00Z", "source": "wire", "certainty": "high"},
                {"kind": "resolution", "question": "q", "outcome": "yes", "version": 2,
                 "resolved_at": "2025-01-20T00:00Z", "source": "wire", "note": "it\nwas"},
                {"kind": "news", "title": "Talks end", "source": "wire", "url": "",
                 "known_at": "2025-01-03T09:00Z", "story": None},
            ]
        ),
        format="jsonl",
    )  # fmt: skip
    keys = ("in", "added", "duplicates", "questions", "forecasts", "withdrawals", "resolutions")
    assert [counts[key] for key in (*keys, "news")] == [7, 6, 1, 1, 1, 1, 2, 1]
    assert Catalog.of(ledger).outcomes["q"].outcome == "yes"
    assert ledger.forecasts()[0].value.entered == ("0.35",)
    assert ledger.forecasts()[0].because == "so"
    assert ledger.evidence()[0].effects[0].target == "q"


def test_records_that_cannot_be_kept(import_text):
    forecast = {
        "kind": "forecast",
        "question": "q",
        "forecaster": "a",
        "issued_at": "2025-01-02T00:00Z",
    }
    out = {"kind": "resolution", "question": "q", "outcome": "no", "resolved_at": "2025-01-03"}
    bad = [
        {"kind": 3},
        {"kind": "forecast", "question": "q"},
        forecast | {"forecast": 0.5, "mood": "fine"},
        forecast | {"forecast": True},
        forecast | {"forecast": 0.5, "question": ["q"]},
        out | {"version": "0"},
        out | {"status": "odd"},
        out | {"certainty": "odd"},
        out | {"outcome": "maybe"},
        out | {"version": 2},
        out | {"version": 2, "outcome": "yes"},
        {"kind": "resolution", "question": "r", "outcome": "no", "resolved_at": "2025-01-03"},
        {"kind": "question", "question": "s"},
        {"kind": "question", "question": "t", "options": [1, 2]},
        {"kind": "question", "question": "t", "opens": ["2025-01-01"]},
        {"kind": "news", "title": "x", "source": "y", "known_at": "2027-01-01"},
        {"kind": "news", "title": "x", "source": "y", "known_at": "2025-01-01", "on": "none=x2"},
        {"kind": "news", "title": "x", "source": "y", "known_at": "2025-01-01", "on": [1]},
    ]  # fmt: skip
    good = [
        forecast | {"forecast": "0.5"},
        {"kind": "question", "question": "q", "closes": "2025-02-01"},
    ]
    late = {"kind": "question", "question": "late2", "opens": "2025-01-05", "closes": "2025-01-09"}
    counts = import_text(stream([*good, *bad, late]), format="jsonl")
    assert [one["line"] for one in counts["refused"]] == list(range(3, 21))
    assert (counts["added"], counts["in"]) == (3, 21)


def test_an_outcome_of_which_nothing_else_is_kept(import_text, ledger):
    out = {"kind": "resolution", "question": "late", "outcome": "no", "resolved_at": "2025-01-03"}
    forecast = {"kind": "forecast", "question": "late", "forecaster": "a", "forecast": 0.5}
    forecast |= {"issued_at": "2025-01-02T00:00Z"}
    other = forecast | {"question": "q"}
    counts = import_text(
        stream([out, out, forecast, forecast | {"forecast": 0.6}, other]), format="jsonl"
    )
    assert (counts["added"], [one["line"] for one in counts["refused"]]) == (1, [1, 2, 3, 4])
    assert counts["refused"][0]["reason"] == "question (late): every row of it was refused"
    assert [question.id for question in ledger.questions()] == ["q"]


def test_the_same_outcome_twice_and_another_under_its_number(import_text, ledger):
    out = {
        "kind": "resolution",
        "question": "q",
        "outcome": "yes",
        "resolved_at": stamp(START + 8 * DAY),
    }
    import_text(table([row()]))
    again = import_text(stream([out, out]), format="jsonl")
    assert (again["duplicates"], again["added"]) == (2, 0)
    with pytest.raises(InvalidInput, match="another outcome in the ledger"):
        import_text(stream([out | {"outcome": "no"}]), format="jsonl")
    twice = import_text(stream([out | {"version": 2, "outcome": "no"}] * 2), format="jsonl")
    assert (twice["added"], twice["duplicates"]) == (1, 1)
    with pytest.raises(InvalidInput, match="lines disagree"):
        import_text(
            stream([out | {"version": 3}, out | {"version": 3, "outcome": "no"}]), format="jsonl"
        )


def test_an_outcome_may_come_back_after_it_was_reopened(import_text, ledger):
    from forecasting.domain import Resolution

    import_text(table([row()]))
    reopened = Resolution("q", "yes", START + 9 * DAY, "us", version=2, status="reopened")
    ledger.append([reopened], recorded_at=NOW)
    counts = import_text(table([row(outcome="no"), row(outcome="no", day=2)]))
    assert (counts["resolutions"], counts["duplicates"]) == (1, 1)
    assert Catalog.of(ledger).outcomes["q"].version == 3


def test_a_bare_question_and_a_resolution_without_one(import_text):
    with pytest.raises(InvalidInput, match="states no opens and closes"):
        import_text(stream([{"kind": "question", "question": "s"}]), format="jsonl")


@pytest.mark.parametrize("options", ["saudi;uae;nobody", "saudi|uae|nobody"])
def test_options_of_a_table_are_apart_by_semicolons_or_bars(import_text, ledger, options):
    import_text(
        "question,type,options,forecast,issued_at,closes\n"
        f"q,categorical,{options},saudi=0.5;uae=0.3;nobody=0.2,2025-02-01,2025-06-30\n",
        me="ana",
    )
    assert ledger.questions()[0].space.options == ("saudi", "uae", "nobody")


def test_options_apart_by_commas_are_told_the_mark(import_text):
    with pytest.raises(InvalidInput, match="are separated by ; in a table") as refused:
        import_text(
            "question,type,options,forecast,issued_at\n"
            'q,categorical,"saudi, uae",saudi=0.5;uae=0.5,2025-02-01\n',
            me="ana",
        )
    assert "saudi;uae" in str(refused.value)
