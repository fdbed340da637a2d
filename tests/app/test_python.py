"""What a notebook meets: values in any form, frames with columns, plain errors, short lines."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

import forecasting as fc
from forecasting import clock
from forecasting.app.book import Book
from forecasting.app.forecast.update import UPDATE_COLUMNS
from forecasting.app.ledger.log import HISTORY_COLUMNS
from forecasting.app.ledger.resolve import SCORED_COLUMNS
from forecasting.app.news.shown import EVIDENCE_COLUMNS
from forecasting.app.world.processes import WATCH_COLUMNS
from forecasting.app.world.view import ANSWER_COLUMNS, VALUE_COLUMNS, WHAT_IF_COLUMNS
from forecasting.errors import InvalidInput, NotFound
from tests.season import season
from tests.workspace import NOW as LATER
from tests.workspace import workspace

NOW = "2026-11-28T12:00:00Z"
DAYS = [
    "2027-01-31",
    "31 Jan 2027",
    dt.date(2027, 1, 31),
    dt.datetime(2027, 1, 31),
    pd.Timestamp("2027-01-31"),
    np.datetime64("2027-01-31"),
    np.datetime64("2027-01-31T00:00:00.000000000"),
]
MOMENTS = [
    "2026-11-27T09:00Z",
    dt.datetime(2026, 11, 27, 9, tzinfo=dt.UTC),
    pd.Timestamp("2026-11-27T09:00Z"),
    pd.Timestamp("2026-11-27T10:00+01:00"),
]
BASE = "3 in 70 weeks"


@pytest.fixture
def book(tmp_path, monkeypatch):
    monkeypatch.setenv("FORECASTING_NOW", NOW)
    with fc.init(tmp_path / "sudan", forecaster="ana") as opened:
        yield opened


@pytest.mark.parametrize("day", DAYS, ids=repr)
def test_a_day_is_taken_in_any_form(book, day):
    book.ask("Will a convoy arrive?", 0.3, by=day, slug="asked")
    book.add_question({"slug": "added", "title": "Will it leave?", "closes": day})
    book.ask("Will a truce hold?", {day: 0.1, "2027-03-31": 0.2}, ladder=[day, "2027-03-31"],
             slug="rungs")  # fmt: skip
    closes = book.questions().set_index("id")["closes"]
    assert closes["asked"] == closes["added"] == closes["rungs@2027-01-31"]
    assert closes["asked"] == pd.Timestamp("2027-02-01T00:00Z")
    entries = book.log("rungs", {day: 0.15, "2027-03-31": 0.2})
    assert [entry["forecast"] for entry in entries] == [0.15, 0.2]


@pytest.mark.filterwarnings("ignore:q has no .answer")
@pytest.mark.parametrize("moment", MOMENTS, ids=repr)
def test_a_moment_is_taken_in_any_form(book, moment):
    book.add_question({"slug": "q", "title": "Will it?", "opens": "2026-11-01",
                       "closes": "2027-01-31"})  # fmt: skip
    nine = pd.Timestamp("2026-11-27T09:00Z")
    assert book.log("q", 0.4, at=moment)[0]["issued_at"] == nine
    book.add_news("News", source="wire", known_at=moment, on="q")
    assert book.evidence()["known_at"].tolist() == [nine]
    for frame in (book.scores(as_of=moment), book.update(as_of=moment, dry_run=True)):
        assert len(frame.columns)
    assert book.calibration(as_of=moment, past_close=True).table.empty
    with pytest.raises(NotFound, match="2026-11-27T09:00:00Z"):
        book.pool("q", as_of=moment)  # it was recorded later


def test_a_midnight_without_a_zone_is_a_day_and_another_time_is_refused(book):
    with pytest.raises(InvalidInput, match="zone"):
        book.add_news("News", source="wire", known_at=pd.Timestamp("2026-11-27T09:00"))
    book.add_news("Midnight", source="wire", known_at=pd.Timestamp("2026-11-26"))
    book.add_news("A day", source="wire", known_at="2026-11-26")
    assert book.evidence()["known_at"].nunique() == 1
    for nothing in (pd.NaT, np.datetime64("NaT", "s"), 5):
        with pytest.raises(InvalidInput, match="is no moment"):
            book.watch(every=True, until=nothing)


@pytest.mark.parametrize(
    ("value", "outcome"),
    [(True, "yes"), (np.False_, "no"), ("Yes", "yes"), (1, "yes"), (0, "no"), ("FALSE", "no")],
)
def test_an_outcome_is_taken_in_any_form(book, value, outcome):
    book.add_question({"slug": "q", "title": "Will it?", "closes": "2027-01-31"})
    (row,) = book.resolve("q", value, source="wire", sure=True)
    assert row["outcome"] == outcome


@pytest.mark.parametrize("nothing", [None, pd.NA, float("nan")])
def test_no_value_is_no_outcome(book, nothing):
    book.add_question({"slug": "q", "title": "Will it?", "closes": "2027-01-31"})
    with pytest.raises(InvalidInput):
        book.resolve("q", nothing, source="wire")


def test_a_question_comes_from_a_dict_or_a_path(book, tmp_path):
    file = tmp_path / "q.yaml"
    file.write_text("slug: of-a-file\ntitle: Will it?\ncloses: 2027-01-31\n")
    number = {"slug": "n", "title": "How many?", "type": "numeric", "unit": "people",
              "lower": np.int64(0), "upper": np.float64(50.0), "closes": "2027-01-31",
              "criteria": "The UN counts."}  # fmt: skip
    assert book.add_question(str(file)) == ["of-a-file"]
    with pytest.raises(InvalidInput, match="already"):
        book.add_question(file)
    assert book.add_question(number) == ["n"]
    with pytest.raises(InvalidInput, match="Try: closes"):
        book.add_question({"slug": "typo", "title": "Will it?", "close": "2027-01-31"})


@pytest.mark.filterwarnings("ignore:.*no worldview")
def test_a_frame_without_rows_has_the_columns_of_one_with_rows(book, tmp_path):
    diary = season(tmp_path / "season.db", events=10)
    full = Book(diary.ledger, forecaster="ann")
    name = full.questions()["id"][0]
    for empty, rows in [
        (book.questions(), full.questions()),
        (book.forecasts(), full.forecasts()),
        (book.resolutions(), full.resolutions()),
        (book.scores(), full.scores()),
        (book.calibration().table, full.calibration(forecaster="ann").table),
    ]:
        assert empty.empty
        assert set(empty.columns) <= set(rows.columns)
        assert list(empty.columns) == [c for c in rows.columns if c in set(empty.columns)]
    assert tuple(full.resolutions(name, scores=True)) == SCORED_COLUMNS
    assert tuple(full.history(name)) == HISTORY_COLUMNS
    assert str(book.forecasts()["issued_at"].dtype).startswith("datetime64")
    assert {"section", "question", "mine"} <= set(book.today())
    assert {"worldview", "weight"} <= set(book.worldviews())
    assert tuple(book.update()) == UPDATE_COLUMNS
    book.ask("Will a convoy arrive?", 0.35, by="2027-01-31", base=BASE, slug="convoy")
    assert tuple(book.update(dry_run=True)) == UPDATE_COLUMNS
    book.watch(every=True)
    assert tuple(book.watches()) == WATCH_COLUMNS
    book.add_news("News", source="wire", known_at="2026-11-27", on="convoy")
    assert tuple(book.evidence()) == EVIDENCE_COLUMNS
    world = book.world()
    assert tuple(world.answers()) == ANSWER_COLUMNS
    assert tuple(world.value()) == VALUE_COLUMNS
    assert tuple(world.what_if(given="convoy=yes")) == WHAT_IF_COLUMNS


def test_a_warning_points_at_the_line_that_called(book):
    with pytest.warns(UserWarning, match="no worldview") as warnings:
        book.worldviews()
    assert warnings[0].filename == __file__


def test_a_book_says_what_it_is(book):
    book.ask("Will a convoy arrive?", 0.35, by="2027-01-31", slug="convoy")
    book.add_question({"slug": "done", "title": "Will it?", "closes": "2027-01-31"})
    book.resolve("done", True, source="wire")
    assert repr(book).startswith("<Book of ana: 2 questions, 1 open, in ")


SHAPES = [
    ("who", {"options": ["egypt", "nobody"]}, {"egypt": 0.2, "nobody": 0.8}),
    ("many", {"span": "0..10", "unit": "t"}, {"5": 3, "50": 4.5, "95": 9}),
    ("days", {"ladder": ["2027-01-31", "2027-03-31"]}, {"2027-01-31": 0.2, "2027-03-31": 0.3}),
]
FORMS = [
    dict,
    lambda numbers: {key: str(value) for key, value in numbers.items()},
    lambda numbers: {key: np.float64(value) for key, value in numbers.items()},
    pd.Series,
]


@pytest.mark.parametrize("form", FORMS, ids=["numbers", "text", "numpy", "Series"])
@pytest.mark.parametrize(("slug", "shape", "numbers"), SHAPES, ids=[name for name, *_ in SHAPES])
def test_several_numbers_are_taken_in_any_form_by_every_argument(book, slug, shape, numbers, form):
    by = {} if "ladder" in shape else {"by": "2027-01-31"}
    book.ask("Which, or how many?", slug=slug, **by, **shape)
    [argument] = {"who": ["options"], "many": ["quantiles"], "days": ["ladder"]}[slug]
    ways = [
        book.log(slug, form(numbers)),
        book.log(slug, **{argument: form(numbers)}),
        book.ask("And which?", form(numbers), slug=f"{slug}-too", **by, **shape)["forecasts"],
        book.ask("Which, again?", each=form(numbers), slug=f"{slug}-again", **by, **shape)[
            "forecasts"
        ],
    ]
    forecasts = [[row["forecast"] for row in rows] for rows in ways]
    assert forecasts == [forecasts[0]] * 4
    wanted = list(numbers.values()) if slug == "days" else [numbers]
    assert forecasts[0] == wanted


def test_a_number_that_is_said_twice_is_refused(book):
    book.ask("How many?", slug="many", by="2027-01-31", span="0..10")
    twice = pd.Series([1, 2, 3], index=[5, 5, 95])
    for quantiles in (twice, {5: 1, "5": 2, "95": 3}):
        with pytest.raises(InvalidInput, match=r"forecast \(5\): is given twice"):
            book.log("many", quantiles)
    with pytest.raises(InvalidInput, match="neither a number nor text"):
        book.log("many", pd.DataFrame({"5": [1, 2]}))


def test_a_question_is_written_in_one_line_at_a_prompt(tmp_path):
    """A row keeps everything by its keys; what a prompt shows of it is short."""
    with Book.plain(str(tmp_path / "a.db"), forecaster="ana", create=True) as book:
        asked = book.ask("Will it rain in the capital?", 0.3, by="2031-01-31")
        assert "Will it rain in the capital?" in repr(asked)
        assert len(repr(asked)) < 300
        (row,) = book.question(asked["id"])
        assert "ana 0.3" in repr(row)
        assert "open" in repr(row)
        assert len(repr([row])) < 300
        assert row["title"] == "Will it rain in the capital?"


@pytest.fixture
def peace(tmp_path):
    with clock.at(LATER), Book.open(workspace(tmp_path), forecaster="ana") as opened:
        yield opened


def test_a_world_and_a_calibration_are_shown_in_a_line(peace):
    assert repr(peace.world(draws=1_024)) == (
        "<World of 1 questions, 29 Nov 2026 to 31 Mar 2027, 1,024 paths of 1 processes>"
    )
    shown = repr(peace.calibration())
    assert shown.startswith("<Calibration of live, 0 events: ")
    assert len(shown) < 300
    assert "0x" not in shown


def test_a_leaderboard_needs_no_word_more_than_on_the_command_line(peace):
    for kind in ("live", "backdated", "imported"):
        with pytest.warns(UserWarning, match=f"no {kind} forecast"):
            assert len(peace.leaderboard(kind=kind)) == 0


def test_news_without_an_item_says_where_the_items_are(peace):
    with pytest.raises(InvalidInput, match=r"Try: book.evidence\(\) for all"):
        peace.news()
