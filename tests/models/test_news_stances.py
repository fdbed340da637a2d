"""Stances as evidence: how they are written, where they are read, and what reaches an answer."""

import dataclasses
import datetime as dt

import numpy as np
import pytest

from forecasting.app.catalog import Catalog
from forecasting.app.predict import Predictor, prior_book
from forecasting.app.questions import bundled_bank
from forecasting.domain.evidence import Effect, Evidence, parse_effect
from forecasting.domain.instants import parse_instant
from forecasting.evidence import known
from forecasting.models.encoding.answers import Answers
from forecasting.models.encoding.stances import check_stance

DELEGATE, SANCTIONS = "top-level-delegate-2026", "sanctions-after-strike-2026"
NOW = parse_instant("2026-07-01T00:00:00Z")


@pytest.fixture(scope="module")
def bank():
    return bundled_bank()


def item(key, stated, day, *, on=DELEGATE, source="wire", story="", grade="F"):
    return Evidence(
        key,
        "report",
        key,
        source,
        known_at=parse_instant(f"{day}T12:00:00Z"),
        effects=(parse_effect(on, stated),),
        story=story,
        stream="news",
        grade=grade,
    )


RISING = (
    item("a", "stance=0.1", "2026-01-20"),
    item("b", "stance=-1", "2026-02-10", source="paper"),
    item("c", "stance=0.5", "2026-05-20"),
    item("d", "stance=+2", "2026-06-10", source="paper"),
)


def said(bank, items, *, name=DELEGATE, now=NOW, who="model", timed=True):
    questions = {question.id: question for question in bank.questions}
    predictor = Predictor(Catalog(questions, {}), [*bank.evidence, *items], bank, seed=1)
    (found,) = [s for s in predictor.say([questions[name]], now) if s.forecaster == who]
    return found.answer


def inputs(bank, items, now=NOW):
    question = next(q for q in bank.questions if q.id == DELEGATE)
    answers = Answers(prior_book(bank), bank.evidence, seed=0)
    found = answers.inputs(question, known([*bank.evidence, *items], now), now)
    return {name: array.tobytes() for name, array in found.items()}


@pytest.mark.parametrize(
    ("stated", "detail"),
    [
        ("stance=0.7", {"probability": 0.7}),
        ("stance=.7", {"probability": 0.7}),
        # Clipped openly: what was said stays beside what is read.
        ("stance=1.0", {"probability": 0.995, "clipped_from": 1.0}),
        ("stance=0.0", {"probability": 0.005, "clipped_from": 0.0}),
        ("stance=+1", {"code": 1.0}),
        ("stance=-2", {"code": -2.0}),
        ("stance=+0", {"code": 0.0}),
    ],
)
def test_a_stance_is_a_probability_or_a_signed_code(stated, detail):
    effect = parse_effect("q", stated)
    assert effect.form == "stance"
    assert dict(effect.detail) == detail
    assert effect.stated == stated


@pytest.mark.parametrize("stated", ["stance=", "stance=1", "stance=0", "stance=+3", "stance=1.2"])
def test_what_could_be_either_is_refused(stated):
    with pytest.raises(ValueError, match="stance"):
        parse_effect("q", stated)


def test_a_stance_that_nobody_reads_is_refused(bank):
    questions = {question.id: question for question in bank.questions}
    effect = parse_effect(DELEGATE, "stance=0.7")
    check_stance(effect, [questions[DELEGATE]])
    other = next(q for q in bank.questions if q.ladder == "leaders-meet")
    with pytest.raises(ValueError, match="reads no stances"):
        check_stance(dataclasses.replace(effect, target="leaders-meet"), [other])
    check_stance(Effect("leaders-meet", "likelihood", {}), [other])
    # A probability on a whole ladder names no deadline; a code does not need one.
    model = dataclasses.replace(other.model, family="news-log-odds", fitted="news-log-odds")
    rung = dataclasses.replace(other, model=model)
    with pytest.raises(ValueError, match="one deadline"):
        check_stance(parse_effect("leaders-meet", "stance=0.7"), [rung])
    check_stance(parse_effect("leaders-meet", "stance=+1"), [rung])
    check_stance(parse_effect(rung.id, "stance=0.7"), [rung])


def test_stances_move_the_question_and_a_retraction_restores_it(bank):
    quiet = said(bank, ())
    assert quiet.family == "news-log-odds"
    assert quiet.gate == "passed"
    moved = said(bank, RISING)
    assert moved.method == "psis"
    assert moved.gate == "passed"
    assert moved.numbers[0] > quiet.numbers[0] + 0.02
    back = Evidence(
        "r",
        "datum",
        "taken back",
        "me",
        known_at=NOW - dt.timedelta(days=1),
        effects=tuple(
            Effect(f"evidence/{found.key}", "datum", {"name": "retracts"}) for found in RISING
        ),
        stream="news",
    )
    assert said(bank, (*RISING, back)).numbers == quiet.numbers
    assert said(bank, RISING[::-1]).numbers == moved.numbers


def test_a_quiet_source_and_a_late_one_change_nothing(bank):
    clean = inputs(bank, RISING)
    late = item("late", "stance=0.99", "2026-07-02")
    elsewhere = item("else", "stance=0.99", "2026-06-01", on=SANCTIONS)
    assert inputs(bank, (*RISING, late, elsewhere)) == clean
    assert inputs(bank, (*RISING, item("x", "stance=0.99", "2026-06-01"))) != clean


def test_likelihoods_and_stances_act_side_by_side(bank):
    moved = said(bank, RISING).numbers[0]
    report = item("l", "x3", "2026-06-20", grade="A")
    both = said(bank, (*RISING, report)).numbers[0]
    # LR(r) of a source graded A is between 1 and 3.
    assert moved < both < 3 * moved / (1 + 2 * moved)


def test_what_was_known_at_the_opening_moves_nothing(bank):
    before = tuple(item(str(i), "stance=0.9", f"2025-12-{10 + i}") for i in range(4))
    opening = next(q for q in bank.questions if q.id == DELEGATE).opens
    quiet, history = (said(bank, items, now=opening).numbers[0] for items in ((), before))
    assert history == pytest.approx(quiet, abs=0.005)


def test_the_same_words_say_more_near_the_deadline(bank):
    # A stance is read against the base rate of its moment, and that falls as quiet time passes.
    early, late = (
        # The bank has a stance of its own between the two days.
        np.frombuffer(inputs(bank, [item("e", "stance=0.3", day)])["said"])[place]
        for day, place in (("2026-02-01", 0), ("2026-06-29", -1))
    )
    assert late > early + 0.5


def test_the_base_rate_and_the_prior_stand_beside_it(bank):
    base, prior, model = (
        said(bank, (), who=who).numbers[0] for who in ("base-rate", "prior", "model")
    )
    # The walk adds little to the base rate; the prior alone has not seen half a year pass.
    assert base < model < base + 0.02
    assert prior > model + 0.05
    # For the sanctions both carry the chance that a very large strike comes at all.
    base, model = (
        said(bank, (), name=SANCTIONS, who=who).numbers[0] for who in ("base-rate", "model")
    )
    comes = (
        1
        - (
            4
            / (
                4
                + (parse_instant("2026-12-31T22:00:00Z") - parse_instant("2026-05-30T21:00:00Z"))
                / dt.timedelta(weeks=1)
            )
        )
        ** 2
    )
    assert base == pytest.approx(0.5 * comes, abs=1e-9)
    assert model == pytest.approx(0.5 * comes, abs=0.003)


def test_an_occasion_that_has_begun_needs_no_chance(bank):
    begun = Evidence(
        "b",
        "datum",
        "a very large strike",
        "wire",
        known_at=NOW - dt.timedelta(days=2),
        effects=(Effect(SANCTIONS, "datum", {"name": "begun"}),),
        stream="news",
    )
    assert said(bank, (begun,), name=SANCTIONS).numbers[0] == pytest.approx(0.5, abs=0.003)


def test_an_answer_gives_its_draws(bank):
    for name in (DELEGATE, SANCTIONS):
        answer = said(bank, RISING, name=name)
        drawn = answer.draw()
        assert drawn.shape == (4096, 1)
        assert drawn.mean() == pytest.approx(answer.numbers[0], abs=0.02)
        assert answer.spread.p05 < answer.numbers[0] < answer.spread.p95
