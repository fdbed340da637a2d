"""What nothing acts on is not touched by what a variant leaves out."""

from forecasting.app.forecast import predict
from forecasting.app.forecast.update import update
from forecasting.domain.forecasters import BASE_RATE, MODEL, WITHOUT_LINKS, WITHOUT_NEWS
from forecasting.domain.instants import parse_instant

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
