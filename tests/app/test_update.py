"""An update: what a variant leaves out, and what the gate refuses."""

from dataclasses import replace

import pytest

from forecasting.app.forecast import predict
from forecasting.app.forecast.update import _silent, update
from forecasting.domain.forecasters import BASE_RATE, MODEL, WITHOUT_LINKS, WITHOUT_NEWS
from forecasting.domain.instants import parse_instant
from forecasting.models.world.model import WorldModel

WORLD = """\
zone: UTC
processes:
  talks:
    title: Talks through a mediator
    moves: {none > open: once in 14 mo, open > none: "median 60 d (20..200)"}
    since 2026-01-01: none
  war:
    title: Open fighting
    moves: {peace > war: 1 in 2 y, war > peace: "median 60 d (10..400)"}
    since 2026-01-01: peace
  clash: {event: 4 in 47 weeks, title: Clashes, since 2026-01-01: ""}
links:
  - while talks=open: war x0.4 (0.15..1)
    because: they do not fight while they talk
  - while war=war: clash x4 (1.5..9)
    because: it is on the front line
questions:
  talks-on: {title: Are talks under way, closes: 2027-03-31, answer: talks=open on close}
  war-mar: {title: Will there be war, closes: 2027-03-31, answer: war=war by close}
  clash-mar: {title: Will there be a clash, closes: 2027-03-31, answer: clash by close}
"""
NOW = parse_instant("2026-08-22T12:00:00Z")


def test_a_variant_on_which_nothing_acts_says_the_very_number_of_the_model(own_book, monkeypatch):
    """Fewer paths beside the model would pass off their error for an effect."""
    monkeypatch.setattr(predict, "REPLAY_DRAWS", 4_096)
    book = own_book(WORLD)
    update(book.ledger, (), now=NOW, unwatched=True)
    numbers = {(f.forecaster, f.question): f.value.numbers for f in book.ledger.forecasts()}
    for variant in (WITHOUT_LINKS, WITHOUT_NEWS, BASE_RATE):
        assert numbers[variant, "talks-on"] == numbers[MODEL, "talks-on"], variant
    assert numbers[WITHOUT_NEWS, "war-mar"] == numbers[MODEL, "war-mar"]
    assert numbers[WITHOUT_LINKS, "war-mar"] != numbers[MODEL, "war-mar"]


AUGUST = parse_instant("2026-08-01T12:00:00Z")
ASKED = "gift-comes"


@pytest.fixture
def refusing(monkeypatch):
    read = WorldModel.read

    def refused(self, *arguments):
        return replace(read(self, *arguments), gate="refused: Monte Carlo error .03 above .01")

    monkeypatch.setattr(WorldModel, "read", refused)


def test_a_refused_model_logs_nothing_and_leaves_the_last_forecast_standing(own_book, request):
    book = own_book()
    update(book.ledger, [ASKED], now=AUGUST)
    (first,) = book.ledger.forecasts(question=ASKED, forecaster="model")
    request.getfixturevalue("refusing")
    (row,), _ = update(book.ledger, [ASKED], now=AUGUST, everything=True)
    assert row["after"] is None
    assert row["before"] == first.value.plain
    assert row["gate"].startswith("refused: Monte Carlo")
    assert not row["logged"]
    assert book.ledger.forecasts(question=ASKED, forecaster="model") == [first]


@pytest.mark.usefixtures("refusing")
def test_an_override_needs_a_reason_and_keeps_it_with_the_refusal(own_book):
    book = own_book()
    (row,), _ = update(book.ledger, [ASKED], now=AUGUST, accept_because="more paths agree")
    assert row["after"] is not None
    (logged,) = book.ledger.forecasts(question=ASKED, forecaster="model")
    (run,) = [run for run in book.ledger.model_runs() if run.seq == logged.model_run]
    assert run.gate == "overridden: more paths agree; refused: Monte Carlo error .03 above .01"


@pytest.mark.usefixtures("refusing")
def test_a_blank_reason_is_none(own_book):
    book = own_book()
    (row,), _ = update(book.ledger, [ASKED], now=AUGUST, accept_because="   ")
    assert row["after"] is None
    assert book.ledger.forecasts(forecaster="model") == []


def test_what_several_questions_lack_is_said_of_several():
    assert _silent({"a": "has no `answer`"}) == ["a has no `answer`"]
    assert _silent(dict.fromkeys("ab", "has no `answer`")) == ["a, b have no `answer`"]
    (line,) = _silent(dict.fromkeys("ab", "has no `answer`, so no model speaks of it"))
    assert line == "a, b have no `answer`, so no model speaks of them"
