"""Questions matched with other platforms' by hand: shown beside ours, scored where they agree."""

import pytest

from forecasting.app.ledger.ask import crowds, matches, same_as
from forecasting.app.page import show
from forecasting.domain.catalog import Catalog
from forecasting.errors import InvalidInput, NotFound
from tests.exchange.conftest import NOW
from tests.exchange.tables import row, table

URL = "https://www.metaculus.com/questions/41138/a-title/"


@pytest.fixture
def book(ledger, import_text):
    """Give a ledger with a question of ours, and one of a platform with its crowd."""
    theirs = [
        row("metaculus-7", forecast, day, forecaster=who, url=URL, kind="imported")
        for who, forecast, day in (
            ("crowd:metaculus/recency_weighted", "0.30", 1.0),
            ("crowd:metaculus/recency_weighted", "0.40", 1.2),
            ("crowd:metaculus/recency_weighted", "0.60", 3.0),
            ("metaculus:ben", "0.9", 2.0),
        )
    ]
    import_text(table([*theirs, row("ours", "0.5", 1.0)], header=list(theirs[0])))
    return ledger


def match(book, **more):
    options = {"forecaster": "ana", "now": NOW} | more
    return same_as(book, "ours", "https://metaculus.com/questions/41138", **options)


def forecasts_of(book):
    return [
        (one.question, one.forecaster, one.value.entered[0])
        for one in crowds(book, Catalog.of(book), kind="live")
    ]


def test_nothing_is_matched_silently(book):
    assert matches(book, Catalog.of(book)) == []
    assert forecasts_of(book) == []


def test_a_crowd_stands_beside_ours_once_a_day(book):
    assert match(book).other == "metaculus-7"
    name = "crowd:metaculus/recency_weighted"
    assert forecasts_of(book) == [("ours", name, "0.4"), ("ours", name, "0.6")]


def test_where_criteria_differ_the_name_says_so(book):
    match(book, differs="they count a day's truce")
    assert {who for _, who, _ in forecasts_of(book)} == {
        "crowd:metaculus/recency_weighted (other criteria)"
    }


def test_an_opposite_question_says_one_minus_ours(book):
    match(book, complement=True)
    assert [p for _, _, p in forecasts_of(book)] == ["0.6", "0.4"]


def test_of_several_questions_at_one_address_none_is_taken_silently(ledger, import_text):
    theirs = [row(f"metaculus-{n}", "0.3", 1.0, url=URL, kind="imported") for n in (8, 9)]
    import_text(table([*theirs, row("ours", "0.5", 1.0)], header=list(theirs[0])))
    with pytest.raises(InvalidInput, match="2 imported questions") as refused:
        match(ledger)
    assert "metaculus-8 or metaculus-9" in refused.value.hint
    same = same_as(ledger, "ours", "metaculus-9", forecaster="ana", now=NOW)
    assert same.other == "metaculus-9"


@pytest.mark.parametrize(
    "address",
    [
        "https://POLYMARKET.com/market/c-d/?utm=1",
        "https://www.polymarket.com/event/talks-in-may/c-d#comments",
        "http://polymarket.com/market/c-d",
    ],
)
def test_an_address_is_known_as_the_browser_shows_it(ledger, import_text, address):
    url = "https://polymarket.com/market/c-d"
    theirs = row("polymarket-1", "0.3", 1.0, url=url, kind="imported")
    import_text(table([theirs, row("ours", "0.5", 1.0)], header=list(theirs)))
    assert same_as(ledger, "ours", address, forecaster="ana", now=NOW).other == "polymarket-1"


def test_a_match_is_taken_back(book):
    match(book)
    match(book, undo=True)
    assert forecasts_of(book) == []
    with pytest.raises(NotFound):
        match(book, undo=True)


def test_what_is_no_address_is_refused(book):
    for url in ("41138", "ours", "ftp://x.y"):
        with pytest.raises(InvalidInput):
            same_as(book, "ours", url, forecaster="ana", now=NOW)
    with pytest.raises(NotFound):
        same_as(book, "theirs", URL, forecaster="ana", now=NOW)


def test_the_review_shows_the_crowd_beside_the_others_and_scores_it(book):
    from forecasting.app.scores.review import gather

    name = "crowd:metaculus/recency_weighted"
    for differs, scored in (("", True), ("a day's truce counts", False)):
        match(book, differs=differs)
        page = gather(book, kind="imported", run="", now=NOW)
        [ours] = [path for path in page.questions if path.id == "ours"]
        shown = {who for who in ours.paths if who.startswith("crowd:")}
        assert shown == {name if scored else f"{name} (other criteria)"}
        assert "ana" in ours.paths
        assert (name in ours.scores) is scored


def test_a_question_shows_what_it_is_matched_with_from_either_side(book):
    assert show(book, "ours", NOW)[0]["same_as"] == []
    match(book, differs="they count a day's truce", complement=True)
    (one,) = show(book, "ours", NOW)[0]["same_as"]
    assert (one["question"], one["complement"]) == ("metaculus-7", True)
    assert one["url"].endswith("/questions/41138")
    assert one["differs"] == "they count a day's truce"
    (back,) = show(book, "metaculus-7", NOW)[0]["same_as"]
    assert back["question"] == "ours"
