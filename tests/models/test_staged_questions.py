"""Staged questions of the bank: one process behind them, no look-ahead, states that add up."""

import dataclasses
import datetime as dt
import random

import numpy as np
import pytest

from forecasting.app.catalog import Catalog
from forecasting.app.predict import Predictor
from forecasting.app.questions import bundled_bank
from forecasting.domain import Effect, Evidence
from forecasting.evidence import known
from forecasting.models.encoding import stages
from forecasting.models.encoding.answers import Answers

DAY = dt.timedelta(days=1)


@pytest.fixture(scope="module")
def bank():
    return bundled_bank()


@pytest.fixture(scope="module")
def staged(bank):
    return {q.id: q for q in bank.questions if q.model.family == "staged"}


@pytest.fixture(scope="module")
def predictor(bank):
    catalog = Catalog({question.id: question for question in bank.questions}, {})
    return Predictor(catalog, bank.evidence, bank, seed=1)


def case_of(predictor, question, moment, worldview=None):
    return predictor.answers._case(question, known(predictor.evidence, moment), moment, worldview)


def said(predictor, question, moment, worldview=None):
    # The process alone: coded reports, which move yes-no questions afterwards, are another layer.
    return stages.model(case_of(predictor, question, moment, worldview))


def with_event(predictor, bank, name, moment, value=""):
    detail = {"name": "occurred", "at": moment.isoformat()}
    effect = Effect(f"{name}/new", "datum", detail | ({"value": value} if value else {}))
    item = Evidence("new", "datum", "it happened", "x", known_at=moment, effects=(effect,))
    return Predictor(predictor.catalog, [*bank.evidence, item], bank, seed=1)


def test_every_question_is_answered_by_the_family_itself(staged):
    assert len({question.ladder or question.id for question in staged.values()}) == 11
    assert {question.model.fitted for question in staged.values()} == {"staged"}


def test_every_draw_is_a_probability_and_the_answer_is_their_mean(predictor, staged):
    for question in staged.values():
        moment = question.opens + 40 * DAY
        answer = said(predictor, question, min(moment, question.closes - DAY))
        p = answer.draw()
        assert np.all((p >= 0) & (p <= 1)), question.id
        if question.type == "binary":
            assert p.mean() == pytest.approx(answer.numbers[0], abs=0.003)
        else:
            assert p.shape[1] == len(question.space.options)
            np.testing.assert_allclose(p.sum(axis=1), 1.0, atol=1e-9)
            np.testing.assert_allclose(p.mean(axis=0), answer.numbers, atol=1e-9)


def test_a_ladder_rises_in_every_draw(predictor, staged):
    rungs = sorted(
        (q for q in staged.values() if q.ladder == "leaders-meet"), key=lambda q: q.closes
    )
    p = [said(predictor, rung, rungs[0].opens + 90 * DAY).draw() for rung in rungs]
    assert np.all(np.diff(np.hstack(p), axis=1) >= -1e-12)


def test_one_stage_is_the_base_rate_until_it_happens(predictor, bank, staged):
    question = staged["us-guarantee-2025"]
    moment = question.opens + 10 * DAY
    facts = known(predictor.evidence, moment)
    model = said(predictor, question, moment)
    assert model.numbers == predictor.answers.base_rate(question, facts, moment).numbers
    later = with_event(predictor, bank, "us-guarantee", moment - DAY)
    assert said(later, question, moment).numbers == (1.0,)


def test_the_same_event_asked_twice_has_one_probability(predictor, staged):
    # The modular path's highest rung is the general ceasefire by the end of 2025.
    path, ceasefire = staged["modular-path-2025"], staged["general-ceasefire-2025@2025-12-31"]
    sea = staged["black-sea-truce-2025-in-force"]
    for days in (0, 5, 60, 100):
        moment = path.opens + days * DAY
        highest = said(predictor, path, moment).numbers
        assert highest[3] == pytest.approx(said(predictor, ceasefire, moment).numbers[0])
        # At sea by June implies at least maritime by December.
        assert highest[2] + highest[3] > said(predictor, sea, moment).numbers[0]


def test_where_a_path_stood_at_the_opening_is_what_was_known_by_then(bank, predictor, staged):
    for question in staged.values():
        path = question.model.settings.get("stages")
        if not isinstance(path, tuple) or len(path) == 1:
            continue
        model = predictor.answers.inputs(
            question, known(predictor.evidence, question.opens - DAY), question.opens
        )
        floor = question.model.settings.get("floor")
        wanted = path.index(floor) + 1 if floor else 0
        assert model[f"{path[-1]} reached"] == wanted, question.id
        bare = dataclasses.replace(
            question,
            model=dataclasses.replace(
                question.model,
                settings={k: v for k, v in question.model.settings.items() if k != "floor"},
            ),
        )
        facts = known(predictor.evidence, question.opens - DAY)
        from_facts = predictor.answers.inputs(bare, facts, question.opens)
        assert from_facts[f"{path[-1]} reached"] == wanted, question.id
        first = said(predictor, question, question.opens)
        assert first.numbers == predictor.answers.prior(question, question.opens).numbers


def test_stages_are_walked_in_time_and_not_in_the_order_of_arrival(bank, staged):
    question = staged["leaders-meet@2026-12-31"]
    moment = question.opens + 300 * DAY
    shuffled = list(bank.evidence)
    random.Random(1).shuffle(shuffled)
    catalog = Catalog(dict(staged), {})
    both = [
        Predictor(catalog, items, bank, seed=1).answers.inputs(
            question, known(items, moment), moment
        )
        for items in (bank.evidence, shuffled)
    ]
    assert both[0].keys() == both[1].keys()
    assert all(np.array_equal(both[0][name], both[1][name]) for name in both[0])
    # Talks stood at the opening, broke down on 12 November 2025, began again on 23 January 2026.
    data = {name.partition(" ")[2]: array.tolist() for name, array in both[0].items()}
    assert data["reached"] == 1.0
    assert data["advances"] == [1.0, 0.0, 0.0]
    assert data["collapses"] == [0.0, 1.0, 0.0]
    weeks = [72 / 7, (moment - question.opens) / (7 * DAY) - 72 / 7, 0.0]
    assert data["exposure"] == pytest.approx(weeks, abs=0.02)


def test_a_stage_raises_and_a_collapse_lowers_what_is_asked(predictor, bank, staged):
    question = staged["general-ceasefire-2026@2026-12-31"]
    moment = question.opens + 60 * DAY
    plain = said(predictor, question, moment).numbers[0]
    nearer = with_event(predictor, bank, "ceasefire-text", moment)
    lost = with_event(predictor, bank, "direct-talks", moment, "collapsed")
    assert said(lost, question, moment).numbers[0] < plain
    assert plain < said(nearer, question, moment).numbers[0]


def test_without_the_time_that_passed_only_the_current_wait_is_left_out(predictor, staged):
    question = staged["leaders-meet@2026-12-31"]
    moment = question.opens + 300 * DAY
    case = case_of(predictor, question, moment)
    timed = stages.inputs(case)
    untimed = stages.inputs(dataclasses.replace(case, timed=False))
    name = "leaders-meeting exposure"
    assert untimed[name][0] == timed[name][0]
    assert 0 < untimed[name][1] < timed[name][1]
    np.testing.assert_array_equal(
        untimed["leaders-meeting advances"], timed["leaders-meeting advances"]
    )


def test_guarantees_stay_at_none_first_and_soft_can_be_lost(predictor, staged):
    question = staged["guarantees-2026"]
    before = said(predictor, question, question.opens + 10 * DAY).numbers
    after = said(predictor, question, question.opens + 60 * DAY).numbers
    assert before[0] > 0.5
    assert after[1] > after[2] > 0
    assert 0 < after[0] < 0.3


def test_a_worldview_moves_the_speed_of_the_path(bank, predictor, staged):
    worldview = next(view for view in bank.worldviews if view.id == "000")
    question = staged["general-ceasefire-2026@2026-12-31"]
    moment = question.opens + 30 * DAY
    changed = said(predictor, question, moment, worldview).numbers[0]
    assert changed < 0.5 * said(predictor, question, moment).numbers[0]


def test_a_path_that_does_not_end_in_its_class_is_refused(bank, predictor, staged):
    question = staged["buffer-zone-2026"]
    wrong = dataclasses.replace(
        question,
        model=dataclasses.replace(question.model, settings={"stages": ("direct-talks",)}),
    )
    answers = Answers(predictor.answers.book, bank.evidence, seed=0)
    with pytest.raises(ValueError, match="the last must be the class itself"):
        answers.model(wrong, (), question.opens)
