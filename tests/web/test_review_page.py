"""Review: what small numbers may say, what is set side by side, what is left out."""

import datetime as dt
import math
import re
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

import forecasting.web
from forecasting import clock
from forecasting.app.book import Book
from forecasting.domain.forecast import Forecast, binary_value
from forecasting.domain.scores import CALIBRATED
from forecasting.review import charts
from forecasting.review.plot import NARROW
from forecasting.web import figures
from tests import season as ours
from tests.web.conftest import Browser, housed

CRITERIA = (
    "Yes if two news agencies report it within the window; a later correction does not count."
)


def past(path, n):
    """Keep a record of n questions that have resolved: ana and the model answered each, boris some.

    The model says .2 throughout; ana says .1 where it did not happen and .6 where it did.
    """
    with living(400) as at, Book.plain(str(path), forecaster="ana", create=True) as book:
        for i in range(n):
            ask(book, at, f"convoy-{i}", days=10, topic="north" if i % 2 else "south")
            at[0] += dt.timedelta(days=1)
            outcome = "yes" if i % 4 == 0 else "no"
            book.log(f"convoy-{i}", 0.6 if outcome == "yes" else 0.1)
            (asked,) = (q for q in book.ledger.questions() if q.id == f"convoy-{i}")
            value = binary_value("0.2")
            forecast = Forecast(asked.id, asked.wording_hash, "model", value, at[0], "live")
            book.ledger.append([forecast], recorded_at=at[0])
            if i % 3 == 0:
                book.log(f"convoy-{i}", 0.5, forecaster="boris")
            at[0] += dt.timedelta(days=12)
            book.resolve(f"convoy-{i}", outcome, source="https://example.org/a")
    return path


@contextmanager
def living(days):
    """Begin so many days ago; give the moment, in a list, to be moved on."""
    at = [clock.now() - dt.timedelta(days=days)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", lambda: at[0])
        patch.setattr(clock, "overridden", lambda: True)
        yield at


def ask(book, at, slug, *, days, **more):
    """Ask a question that opens on this day and closes so many days later."""
    opens = at[0].date()
    book.add_question({
        "slug": slug, "title": f"Will {slug.replace('-', ' ')} pass?", "type": "binary",
        "opens": opens.isoformat(), "closes": str(opens + dt.timedelta(days=days)),
        "criteria": CRITERIA, **more,
    })  # fmt: skip


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    """A house over the record of 12 questions."""
    with housed(past(tmp_path_factory.mktemp("review") / "past.db", 12)) as house:
        yield house


def shown(browser, address="/review"):
    return browser.finished(address)


def test_a_resolved_question_shows_what_everybody_scored_on_it(record):
    page = shown(Browser(record), "/q/convoy-0")
    table = page.partition('id="scores-head"')[2].partition("</section>")[0]
    scores = dict(re.findall(r'<th scope="row">(\w+)</th><td>([\d.]+)</td>', table))
    (question,) = record.book.question("convoy-0")
    window = question["closes"] - question["opens"]
    # It happened; the time before somebody spoke counts as even.
    first = record.book.ledger.forecasts(question="convoy-0")[0].issued_at
    spoken = (question["closes"] - first) / window
    for who, p in (("ana", 0.6), ("model", 0.2), ("boris", 0.5)):
        expected = (1 - p) ** 2 * spoken + 0.25 * (1 - spoken)
        assert float(scores[who]) == pytest.approx(expected, abs=6e-4), who
    assert 'id="scores-head"' not in Browser(record).get("/questions").text


def test_my_calibration_is_one_click_away(record):
    browser = Browser(record)
    (link,) = set(re.findall(r'<a href="(/review)"', browser.get("/").text))
    page = shown(browser, link)
    assert 'aria-label="Reliability of ana' in page
    assert "discrimination" in page
    assert "What is left out, and why" in page


def test_the_page_says_what_the_book_says(record):
    page = shown(Browser(record))
    calibration = record.book.calibration(forecaster="ana")
    for line in calibration.reading.splitlines():
        assert line.partition(": forecast")[0][:40] in page.replace("&#39;", "'")
    (row,) = record.book.scores(by="forecaster", forecaster="ana")
    assert f"{row['mean']:.3f}" in page
    compared = record.book.compare("ana", "model")
    assert f"{abs(compared['difference']):.3g}" in page.partition('id="override"')[2]


def test_each_question_of_the_override_is_better_worse_or_the_same(record):
    review = figures.review(record.book, lambda step: None, "ana")
    rows = review["override"]
    assert len(rows) == review["versus"]["n_shared"] == 12
    mean = sum(row["difference"] for row in rows) / len(rows)
    assert mean == pytest.approx(review["versus"]["difference"])
    page = shown(Browser(record))
    (better, worse) = re.findall(r"did better on (\d+), worse on (\d+)", page)[0]
    assert (int(better), int(worse)) == (12, 0)


def test_what_came_too_soon_is_said_once_at_the_top_with_the_choice_to_score_it(tmp_path):
    path = tmp_path / "soon.db"
    with living(30) as at, Book.plain(str(path), forecaster="ana", create=True) as book:
        for i in range(2):
            at[0] = at[0].replace(hour=3) + dt.timedelta(days=1)
            ask(book, at, f"bus-{i}", days=20)
            at[0] += dt.timedelta(hours=3)
            book.log(f"bus-{i}", 0.7)
            at[0] += dt.timedelta(hours=8)
            book.resolve(f"bus-{i}", "yes", source="https://example.org/a")
    with housed(path) as house:
        browser = Browser(house)
        page = shown(browser)
        assert page.partition('id="left"')[0].count("within two days of opening") == 1
        top = page.partition('<p class="note info">')[2].partition("</p>")[0]
        assert top.startswith("All 2 resolved questions were settled within two days of opening")
        for sentence in ("Nothing of this choice is scored", "has resolved", "not enough data"):
            assert sentence not in page
        (link,) = re.findall(r'href="([^"]*too_soon=1)"', top)
        page = shown(browser, link)
        assert "Leave them out" in page
        assert 'id="calibration"' in page
        assert "<b>" in page.partition('id="all"')[2]
        review = figures.review(house.book, lambda step: None, "ana", "live", "", True)
        (row,) = (row for row in review["scores"] if row["forecaster"] == "ana")
        assert row["n_questions"] == 2


def test_few_outcomes_are_too_few_to_say(tmp_path):
    with housed(past(tmp_path / "few.db", 1)) as house:
        page = shown(Browser(house))
    assert "1 resolved forecast: too few to say." in page
    assert "not enough data to say more" in page
    assert "too few for an interval" in page
    assert "Questions of one month only" in page
    assert "The slope of your numbers" not in page


def test_nobody_and_nothing_say_what_to_do_next(empty):
    page = shown(empty)
    assert "You have no live forecast yet" in page
    assert 'href="/ask"' in page


def test_another_forecaster_a_topic_and_a_kind_live_in_the_address(record):
    browser = Browser(record)
    page = shown(browser, "/review?who=boris&kind=live&tag=north")
    assert "<small>of boris</small>" in page
    assert re.search(r"<dt>Resolved questions</dt><dd>2</dd>", page)
    assert "You and" not in page.partition('id="override"')[2].partition("</section>")[0]
    page = shown(browser, "/review?kind=replay")
    assert "no replay forecast" in page
    page = shown(browser, "/review?who=%3Cscript%3E")
    assert "<script>" not in page.partition("</head>")[2]
    odd = browser.get("/review?kind=guesses")
    assert odd.status_code == 200
    assert "must be one of" in shown(browser, "/review?kind=guesses")


def test_a_reliability_diagram_keeps_to_its_frame():
    curve = [
        {"forecast": f, "event_rate": r, "n": 3, "lower": 0.0, "upper": 1.0}
        for f, r in ((0.0, 0.0), (0.5, 0.5), (0.9, 1.0), (1.0, 1.0))
    ]
    bins = [{"from": 0.95, "to": 1.0, "n": 4, "n_yes": 4}]
    drawn = charts.reliability(curve, bins)
    assert drawn is not None
    places = [(dot.x, dot.y) for dot in drawn.dots]
    frame = drawn.frame
    for x, y in places:
        assert frame.x.start <= x <= frame.x.end
        assert frame.y.end <= y <= frame.y.start
    (bar,) = drawn.bars
    assert bar.height == bar.part
    assert charts.over_months([]) is None
    one = [{"month": "2026-01", "forecaster": "ana", "mean": 0.1}]
    assert charts.over_months(one) is None


def test_an_entry_that_comes_later_is_in_the_next_look(record):
    browser = Browser(record)
    assert "Resolved questions</dt><dd>12<" in shown(browser)
    record.book.reopen("convoy-1", source="https://example.org/b")
    assert "Resolved questions</dt><dd>11<" in shown(browser)


def test_the_page_says_what_the_commands_say():
    ledger = ours.season(events=24).ledger
    book = Book(ledger, forecaster="ann")
    review = figures.review(book, lambda _: None, "ann")
    table = book.scores()
    for name in ("mean", "lower", "upper", "difference_lower", "difference_upper"):
        numbers = [math.nan if row[name] is None else row[name] for row in review["scores"]]
        assert numbers == pytest.approx(table[name].astype(float).tolist(), nan_ok=True)
    left = book.left_out(counted=False, share=0.5, types=CALIBRATED, forecaster="ann")
    assert review["unread"] == left


def test_on_a_telephone_no_column_is_out_of_sight():
    """Each cell of a table that stacks there says which column it is of; others scroll and show it.

    A row of a stacked table has no head, so that a cell without a name is a number of nothing.
    """
    templates = Path(forecasting.web.__file__).parent / "templates"
    for name in ("review", "updated", "news_item", "explained"):
        text = (templates / f"{name}.html.j2").read_text()
        tables = re.findall(r"<table class=\"[^\"]*stack[^\"]*\">.*?</table>", text, re.DOTALL)
        assert tables, name
        assert not re.findall(r"<td class=\"n\">", "".join(tables)), name
    style = (templates.parent / "assets" / "app.css").read_text()
    assert re.search(r"\.scroll\{background:[^}]*\blocal\b", style)


def test_the_scores_of_months_have_a_drawing_for_a_telephone():
    """Its letters are as large as those of the wide one, and its marks stand apart."""
    rows = [
        {"month": f"2026-{month:02d}", "forecaster": "ana", "mean": 0.2, "lower": None,
         "upper": None, "n_questions": 3, "reference": 0.25}
        for month in range(1, 13)
    ]  # fmt: skip
    for width in (720.0, NARROW.width):
        drawn = charts.over_months(rows, width=width)
        assert drawn.frame.width == width
        places = [place for place, _ in drawn.frame.x_ticks]
        assert len(places) >= 2
        assert min(b - a for a, b in pairwise(places)) > 60
        assert all(0 < dot.x < width for track in drawn.tracks for dot in track.dots)


@pytest.mark.parametrize("width", [720.0, NARROW.width])
def test_a_record_of_ten_years_is_marked_where_years_begin(width):
    rows = [
        {"month": f"{2016 + k // 12}-{k % 12 + 1:02d}", "forecaster": "ana", "mean": 0.2,
         "lower": None, "upper": None, "n_questions": 3, "reference": 0.25}
        for k in range(7, 127)
    ]  # fmt: skip
    names = [name for _, name in charts.over_months(rows, width=width).frame.x_ticks]
    assert len(names) >= 3
    assert {name[:4] for name in names} == {"Jan "}
