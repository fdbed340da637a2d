"""Importing news: counts add up, a second time adds nothing, a dry run writes nothing."""

import datetime as dt

import pytest

from forecasting.app.news import add as news
from forecasting.app.news import shown as listing
from forecasting.app.news.add import import_news
from forecasting.app.upkeep import banks
from forecasting.errors import InvalidInput
from tests.app.small_world import NOW, WORLD, laid
from tests.steps import steps

HEADER = "title,source,known_at,event_at,url,on,grade,story,because\n"


@pytest.fixture
def ledger(monkeypatch):
    monkeypatch.setattr(banks, "world_of", lambda ledger: WORLD)
    with laid() as laid_ledger:
        yield laid_ledger


def _import(ledger, text, **more):
    result = import_news(ledger, text.encode(), name="f", now=NOW, **more)
    assert result["rows"] == result["added"] + result["duplicates"] + len(result["refused"])
    return result


def test_a_row_carries_all_its_fields(ledger):
    row = (
        "Envoys leave,wire,2026-11-20,2026-11-19T10:00Z,https://x.org/1,"
        "truce-holds=x0.5; truce-2026,b,envoys,a guess\n"
    )
    assert _import(ledger, HEADER + row)["added"] == 1
    listed = next(row for row in listing.rows(ledger, now=NOW) if row["title"] == "Envoys leave")
    shown = listing.show(ledger, listed["key"], now=NOW)
    # A fact known to the day is known at the midnight that ends it, in Kyiv.
    assert shown["known_at"] == dt.datetime(2026, 11, 20, 22, tzinfo=dt.UTC)
    assert shown["event_at"] == dt.datetime(2026, 11, 19, 10, tzinfo=dt.UTC)
    assert shown["on"] == {"truce-holds": "x0.5", "truce-2026": "bears"}
    assert (shown["grade"], shown["story"], shown["because"]) == ("B", "envoys", "a guess")


def test_importing_again_adds_nothing_and_never_revives_what_was_retracted(ledger):
    text = HEADER + "".join(f"Thing {i},wire,2026-11-20,,,truce-holds,,,\n" for i in range(5))
    assert _import(ledger, text)["added"] == 5
    head = ledger.head()
    assert _import(ledger, text)["duplicates"] == 5
    assert ledger.head() == head
    third = next(row for row in listing.rows(ledger, now=NOW) if row["title"] == "Thing 3")
    news.retract(ledger, third["key"], because="false", now=NOW)
    assert _import(ledger, text)["duplicates"] == 5
    doubled = HEADER + "New,wire,2026-11-20,,,,,,\n" * 3
    assert (_import(ledger, doubled)["added"], _import(ledger, doubled)["duplicates"]) == (1, 3)


def test_bad_rows_are_refused_with_line_and_reason_and_the_rest_is_kept(ledger):
    text = HEADER + (
        "Good,wire,2026-11-20,,,truce-holds=x2,,,\n"
        "Ratio,wire,2026-11-20,,,truce-holds=x0,,,\n"
        "Unknown,wire,2026-11-20,,,truce-hold=x2,,,\n"
        "Naive,wire,2026-11-20T10:00,,,,,,\n"
        ",wire,2026-11-20,,,,,,\n"
        "Late,wire,2027-01-01,,,,,,\n"
        "Before,wire,2026-11-20,2026-11-21,,,,,\n"
        "Grade,wire,2026-11-20,,,,Q,,\n"
        "Good two,wire,2026-11-20,,,,,,\n"
    )
    result = _import(ledger, text)
    assert result["added"] == 2
    reasons = {row["line"]: row["reason"] for row in result["refused"]}
    expected = {
        3: "above 0 and finite", 4: "truce-holds", 5: "must carry a zone", 6: "a title",
        7: "future", 8: "before it happened", 9: "must be one of",
    }  # fmt: skip
    assert reasons.keys() == expected.keys()
    for line, words in expected.items():
        assert words in reasons[line]


def test_one_transaction(ledger, monkeypatch):
    calls = []
    append = type(ledger).append

    def counted(self, drafts, **more):
        calls.append(len(drafts))
        return append(self, drafts, **more)

    monkeypatch.setattr(type(ledger), "append", counted)
    _import(ledger, HEADER + "".join(f"Thing {i},wire,2026-11-20,,,,,,\n" for i in range(50)))
    assert calls == [50]


def test_a_dry_run_says_the_same_and_writes_nothing(ledger):
    text = HEADER + "A,wire,2026-11-20,,,,,,\nB,wire,soon,,,,,,\n"
    head = ledger.head()
    dry = _import(ledger, text, dry_run=True)
    assert ledger.head() == head
    assert {**dry, "dry_run": False} == _import(ledger, text)


def test_a_feed_bears_on_nothing_unless_told(ledger):
    feed = (
        "<rss><channel><title>W</title><item><title>{}</title>"
        "<pubDate>Fri, 20 Nov 2026 09:00:00 GMT</pubDate></item></channel></rss>"
    )
    _import(ledger, feed.format("Plain"))
    _import(ledger, feed.format("Told of something"), on=["truce-holds=x2"], grade="b")
    rows = {row["title"]: row for row in listing.rows(ledger, now=NOW)}
    assert (rows["Plain"]["on"], rows["Plain"]["grade"]) == ({}, "F")
    coded = rows["Told of something"]
    assert (coded["on"], coded["grade"]) == ({"truce-holds": "x2"}, "B")


@pytest.mark.parametrize(
    ("on", "grade"), [("truce-hold", "F"), ("truce-holds=x0", "F"), ("truce-holds", "Q")]
)
def test_what_no_row_could_take_is_refused_once(ledger, on, grade):
    with pytest.raises(InvalidInput):
        _import(ledger, HEADER + "A,wire,2026-11-20,,,,,,\n", on=[on], grade=grade)


def test_parts_of_one_file_are_counted_together(ledger):
    row = "Stage {0},wire,2026-11-{0},,,detainees=300,A,,\n"
    result = _import(ledger, HEADER + "".join(row.format(10 + i) for i in range(3)))
    # 205 known, 300 + 300 fit into 1,000, a third does not.
    assert (result["added"], [r["line"] for r in result["refused"]]) == (2, [4])
    assert "805 known before" in result["refused"][0]["reason"]


def test_facts_and_half_lives_come_from_a_file_too(ledger):
    text = HEADER.replace("because", "because,half_life") + (
        "Firm,ministry,2026-11-18,,,guarantees=soft,A,,,\n"
        "Firmer,ministry,2026-11-19,,,guarantees=firm,A,,,\n"
        "Truce,blog,2026-11-20,,,truce=on,E,,,10d\n"
        "Truce two,ministry,2026-11-20,,,truce=on,A,,,\n"
        "Talk,wire,2026-11-20,,,truce=none=x2,C,,,lasting\n"
        "Wrong,wire,2026-11-20,,,truce=none=x2,C,,,0d\n"
        "Nowhere,ministry,2026-11-21,,,guarantees=soft,A,,,\n"
    )
    dry = _import(ledger, text, dry_run=True)
    result = _import(ledger, text)
    assert {**dry, "dry_run": False} == result
    assert result["added"] == 5
    reasons = {row["line"]: row["reason"] for row in result["refused"]}
    assert reasons.keys() == {7, 8}
    assert "must be above 0" in reasons[7]
    assert "no move from firm to soft" in reasons[8]
    assert [(row["line"], row["note"][:8]) for row in result["notes"]] == [(4, "truce=on")]
    assert {(row["line"], row["question"]) for row in result["resolves"]} == {
        (5, "truce-2026@2026-11-30"), (5, "truce-2026@2026-12-31"),
    }  # fmt: skip
    stated = {row["title"]: row["half_life"] for row in listing.rows(ledger, now=NOW)}
    assert (stated["Truce"], stated["Talk"], stated["Firm"]) == (10.0, "lasting", None)


def test_likeness_is_told_and_nothing_is_merged(ledger):
    news.add(ledger, "Envoys leave without a date for talks", source="w", known_at=NOW, now=NOW)
    text = HEADER + (
        "Envoys leave without any date for talks,x,2026-11-21,,,,,,\n"
        "Envoys leave without any date for talks,y,2026-11-21,,,,,,\n"
        "Envoys leave without any date for talks,z,2026-11-21,,,,,envoys,\n"
    )
    result = _import(ledger, text)
    assert result["added"] == 3
    assert [row["line"] for row in result["similar"]] == [2, 3, 4]
    stories = [
        row["story"] for row in listing.rows(ledger, now=NOW) if row["title"].startswith("Envoys")
    ]
    assert sorted(stories) == ["", "", "", "envoys"]


@pytest.mark.deep
def test_a_long_file_takes_time_in_proportion(ledger):
    def taken(numbers):
        text = HEADER + "".join(
            f"Item {i} of town {i % 97} and village {i % 89},w{i % 50},"
            f"2026-{1 + i % 10:02d}-{1 + i % 28:02d}T10:00Z,,,,,,\n"
            for i in numbers
        )
        added = []
        count = steps(lambda: added.append(_import(ledger, text)["added"]))
        assert added == [len(numbers)]
        return count

    # Ten times as many rows after as many are there already: the square would take a hundred.
    few = taken(range(2_000))
    assert taken(range(2_000, 22_000)) < 15 * few
