"""Adjusted scores with intervals over events, and probabilities of rank."""

import numpy as np
import pytest

from forecasting.comparison import effects, gaussian_ranks
from forecasting.comparison.ranks import ranks


def panel(rng, people=6, events=20, rungs=3, share=0.8, spread=0.05):
    """Skills on a line; who misjudges an event does so on each of its rungs."""
    who, what = np.nonzero(rng.random((people, events * rungs)) < share)
    event = what // rungs
    skill = np.linspace(-spread, spread, people)
    score = (
        skill[who]
        + rng.normal(0.2, 0.1, events * rungs)[what]
        + rng.normal(0, 0.06, (people, events))[who, event]
        + rng.normal(0, 0.03, len(who))
    )
    return score, who, what, event, skill


def coverage(runs, events, seed):
    rng = np.random.default_rng(seed)
    hits = []
    for _ in range(runs):
        score, who, what, event, skill = panel(rng, events=events)
        table = effects(score, who, what, event)
        # The contrast that the interval is for: own skill against those who answered.
        order = np.array(table.adjusted.forecaster, dtype=int)
        middle = table.adjusted.adjusted.mean()
        truth = skill[order] + middle
        hits += list((table.lower <= truth) & (truth <= table.upper))
    return float(np.mean(hits))


def test_intervals_of_adjusted_scores_cover():
    # 30 runs of 6: three standard errors of .95 are .05.
    assert 0.90 <= coverage(30, 16, seed=1) <= 1.0


@pytest.mark.deep
@pytest.mark.parametrize("events", [12, 30, 100])
def test_intervals_of_adjusted_scores_cover_over_many_runs(events):
    assert 0.93 <= coverage(200, events, seed=2) <= 0.98


def test_a_ladder_is_one_event_and_not_twenty():
    rng = np.random.default_rng(4)
    score, who, what, event, _ = panel(rng, events=10, rungs=20, share=1.0)
    by_event = effects(score, who, what, event)
    by_row = effects(score, who, what, what)
    assert np.all(by_event.upper - by_event.lower > 1.5 * (by_row.upper - by_row.lower))


def test_order_and_names_decide_nothing():
    score, who, what, event, _ = panel(np.random.default_rng(0))
    order = np.random.default_rng(1).permutation(len(score))
    one = effects(score, who, what, event)
    other = effects(score[order], [f"p{w}" for w in who[order]], what[order], event[order])
    place = [other.adjusted.forecaster.tolist().index(f"p{w}") for w in one.adjusted.forecaster]
    np.testing.assert_allclose(other.lower[place], one.lower, atol=1e-6)


def test_ranks_are_sure_where_scores_are_and_open_where_not():
    apart = gaussian_ranks([0.1, 0.2, 0.3], np.eye(3) * 1e-8)
    assert apart.p_best.tolist() == [1, 0, 0]
    equal = gaussian_ranks([0.2, 0.2, 0.2], np.eye(3) * 1e-2)
    np.testing.assert_allclose(equal.p_best, 1 / 3, atol=0.04)
    assert (equal.rank_lower.tolist(), equal.rank_upper.tolist()) == ([1] * 3, [3] * 3)
    assert gaussian_ranks([0.2], [[0.1]]).p_best.tolist() == [1]


def test_a_noisy_lead_is_no_sure_win():
    # The best of twelve equal ones leads by luck alone: shrunk, it is far from sure.
    rng = np.random.default_rng(3)
    best = [
        gaussian_ranks(rng.normal(0, 0.1, 12), np.eye(12) * 0.01).p_best.max() for _ in range(20)
    ]
    assert np.mean(best) < 0.45


def test_too_many_to_sample_is_said():
    rng = np.random.default_rng(0)
    score, who, what, event, _ = panel(rng, people=70, events=10, share=0.4)
    table = effects(score, who, what, event)
    chance = ranks(score, who, what, event, effects=table)
    assert chance.method == "gaussian"
    assert "too many to sample" in chance.note
    assert chance.p_best.sum() == pytest.approx(1)


@pytest.mark.deep
def test_the_sampled_model_agrees_with_its_approximation_and_finds_the_best():
    score, who, what, event, _ = panel(np.random.default_rng(5), events=40)
    table = effects(score, who, what, event)
    sampled = ranks(score, who, what, event, effects=table)
    plain = ranks(score, who, what, event, effects=table, sample=False)
    assert sampled.method == "pymc"
    np.testing.assert_allclose(sampled.p_best, plain.p_best, atol=0.15)
    assert int(table.adjusted.forecaster[np.argmax(sampled.skill * -1)]) in (0, 1)


@pytest.mark.deep
def test_two_thousand_forecasters_take_seconds():
    rng = np.random.default_rng(0)
    pair = np.unique(rng.integers(0, 2_000 * 4_000, 60_000))
    who, what = np.divmod(pair, 4_000)
    score = rng.normal(0, 0.05, 2_000)[who] + rng.normal(0.2, 0.1, len(who))
    table = effects(score, who, what, what // 4)
    assert ranks(score, who, what, what // 4, effects=table).p_best.sum() == pytest.approx(1)
