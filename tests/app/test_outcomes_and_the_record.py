"""Outcomes in a world of one's own: what is early or against the record is asked about."""

import pytest

from forecasting import clock
from forecasting.app.book import Book
from forecasting.domain.instants import parse_instant
from forecasting.errors import InvalidInput, Unsure
from tests.workspace import NOW, workspace

WORLD = """\
zone: Africa/Kigali
watched: 2026-11-28
processes:
  peace:
    moves: {none > deal: once in 8 mo, deal > none: once in 8 mo}
    since 2026-09-01: none
  prisoners:
    delivery: {announced: 2026-09-20, known: 2026-09-20, agreed: 700, unit: people}
    2026-10-20: 157
    2026-11-24: 60
  strike: {event: 3 in 70 weeks, since 2026-09-01: ""}
questions:
  peace-by: {title: A deal?, opens: 2026-10-01, closes: 2026-11-27, answer: peace=deal by close}
  peace-later: {title: A deal?, opens: 2026-10-01, closes: 2027-03-31, answer: peace=deal by close}
  peace-then: {title: Which?, type: categorical, options: [none, deal], opens: 2026-10-01,
    closes: 2027-06-30, answer: peace on close}
  peace-end: {title: A deal then?, opens: 2026-10-01, closes: 2027-03-31,
    answer: peace=deal on close}
  no-deal: {title: No deal at all?, opens: 2026-10-01, closes: 2027-03-31,
    answer: peace=none through close}
  peace-past: {title: A deal in October?, opens: 2026-10-01, closes: 2027-03-31,
    answer: peace=deal on 2026-10-31 or peace=deal by 2026-11-20}
  both: {title: A deal and a strike?, opens: 2026-10-01, closes: 2027-03-31,
    answer: peace=deal on close and strike by close}
  which-first: {title: Which first?, type: categorical, options: [deal, strike, nothing],
    opens: 2026-10-01, closes: 2027-03-31,
    answer: "first of deal: peace=deal, strike: strike, else nothing"}
  done: {title: All?, opens: 2026-10-01, closes: 2027-02-28, answer: prisoners=done by close}
  strikes: {title: How many?, type: numeric, lower: 0, upper: 40, opens: 2026-10-01,
    closes: 2027-03-31, answer: strike count}
  struck: {title: A strike?, opens: 2026-10-01, closes: 2027-03-31, answer: strike by close}
  ladder: {title: By when?, ladder: [2026-11-20, 2026-11-27, 2027-01-31], opens: 2026-10-01}
"""
DEADLINE = "2026-11-27T22:00:00+00:00"


@pytest.fixture
def book(tmp_path):
    with clock.at(NOW), Book.plain(workspace(tmp_path, WORLD), forecaster="ana") as opened:
        yield opened


EARLY = [
    ("peace-later", "no", "can a yes no longer happen?"),
    ("peace-then", "none", "can it no longer end otherwise?"),
    ("strikes", "25", "can it no longer end otherwise?"),
    # What holds at the close is known early neither way.
    ("peace-end", "yes", "can it no longer end otherwise?"),
    ("peace-end", "no", "can a yes no longer happen?"),
    ("no-deal", "yes", "can it no longer end otherwise?"),
    ("both", "yes", "can it no longer end otherwise?"),
    ("which-first", "nothing", "can it no longer end otherwise?"),
    ("done", "yes", "217 of 700 of prisoners are on record"),
]


@pytest.mark.parametrize(("name", "outcome", "doubt"), EARLY)
def test_an_outcome_before_the_deadline_is_asked_about_for_every_type(book, name, outcome, doubt):
    before = book.head()
    with pytest.raises(Unsure) as asked:
        book.resolve(name, outcome, source="wire")
    assert doubt in str(asked.value)
    assert "? Try: sure=True" in str(asked.value)
    assert book.head() == before
    (row,) = book.resolve(name, outcome, source="wire", sure=True)
    assert (row["outcome"], row["resolved_at"]) == (outcome, NOW)


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("peace-later", "yes"),
        ("no-deal", "no"),
        ("peace-past", "yes"),
        ("peace-past", "no"),
        ("which-first", "deal"),
    ],
)
def test_an_outcome_that_what_is_asked_can_give_early_needs_no_word_more(book, name, outcome):
    assert book.resolve(name, outcome, source="wire")[0]["outcome"] == outcome


def test_an_outcome_against_the_facts_on_record_is_asked_about_and_one_with_them_is_not(book):
    # The moment of a fact is vouched for, so a no is against it, even after the deadline.
    book.add_news("Strike", source="wire", on=["strike=event"], event_at="2026-11-28T12:00Z",
                  known_at="2026-11-28T13:00Z", confirmed=True)  # fmt: skip
    with pytest.raises(Unsure, match="by the facts on record struck is yes; is it no all the same"):
        book.resolve("struck", "no", source="wire")
    with clock.at(parse_instant("2027-04-02T12:00Z")):
        with pytest.raises(Unsure, match="by the facts on record"):
            book.resolve("struck", "no", source="wire")
        assert book.resolve("struck", "yes", source="wire")[0]["outcome"] == "yes"


def test_a_no_after_the_deadline_was_known_at_the_deadline(book):
    (row,) = book.resolve("peace-by", "no", source="wire")
    assert row["resolved_at"].isoformat() == DEADLINE
    (row,) = book.resolve("peace-by", "no", source="gazette", at="2026-11-29T06:00Z")
    assert row["resolved_at"] == parse_instant("2026-11-29T06:00Z")


def test_each_rung_of_a_ladder_ran_out_at_its_own_deadline(book):
    rows = book.resolve("ladder", "no", source="wire")
    assert [(r["question"], r["resolved_at"].isoformat()) for r in rows] == [
        ("ladder@2026-11-20", "2026-11-20T22:00:00+00:00"),
        ("ladder@2026-11-27", DEADLINE),
    ]


def test_what_the_deadline_does_not_settle_is_known_when_it_is_written_down(book):
    with clock.at(parse_instant("2027-07-02T12:00Z")) as _:
        (row,) = book.resolve("peace-then", "none", source="wire")
        assert row["resolved_at"] == parse_instant("2027-07-02T12:00Z")
    with pytest.raises(InvalidInput, match="opened at"):
        book.resolve("peace-by", "no", source="wire", at="2026-09-02")


CLOSED = """\
watched: 2026-11-28
processes:
  strike: {event: 3 in 70 weeks, since 2026-01-01: "", 2026-10-27: event}
  late: {moves: {none > on: once in 8 mo}, since 2026-01-01: none, 2026-11-05: on}
  prompt: {moves: {none > on: once in 8 mo}, since 2026-01-01: none, 2026-10-27: on}
  back: {delivery: {agreed: 100, announced: 2026-10-01}, 2026-10-20: 30, 2026-11-10: 70}
questions:
  after: {title: Sanctions?, opens: 2026-10-15, closes: 2026-10-31,
    answer: late=on within 14d of strike}
  that-day: {title: Prompt ones?, opens: 2026-10-15, closes: 2026-10-31,
    answer: prompt=on within 14d of strike}
  total: {title: How many?, type: numeric, lower: 0, upper: 100, opens: 2026-10-15,
    closes: 2026-10-31, answer: back total}
  twice: {title: Two parts?, opens: 2026-10-15, closes: 2026-11-20,
    answer: back count >= 2 by close}
  all-back: {title: All?, opens: 2026-10-15, closes: 2026-10-31, answer: back=done by close}
"""


@pytest.mark.parametrize(
    ("name", "doubted", "doubt", "right"),
    [
        ("that-day", "no", "by the facts on record that-day is yes", "yes"),
        ("after", "", "", "no"),
        ("total", "", "", "30"),
        ("twice", "no", "by the facts on record twice is yes", "yes"),
        ("all-back", "yes", "30 of 100 of back are on record", "no"),
    ],
)
def test_the_facts_on_record_are_read_up_to_the_deadline_as_paths_are(
    tmp_path, name, doubted, doubt, right
):
    """What came after the close decided it, and what came on the day of its cause did not."""
    with clock.at(NOW), Book.plain(workspace(tmp_path, CLOSED), forecaster="ana") as book:
        if doubted:
            with pytest.raises(Unsure, match=doubt):
                book.resolve(name, doubted, source="wire")
        assert book.resolve(name, right, source="wire")[0]["outcome"] == right
