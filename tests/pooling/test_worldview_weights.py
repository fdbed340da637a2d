"""Weights of worldviews: Bayes tempered by event, a floor, and nothing won by absence."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.pooling.worldview_weights import ensemble_weights, floored, log_likelihood_of

chances = st.floats(0.0, 1.0)


def records(members=3):
    rows = st.lists(st.lists(chances, min_size=members, max_size=members), min_size=1, max_size=8)
    return rows.flatmap(
        lambda chosen: st.tuples(
            st.just(np.array(chosen)),
            st.lists(st.integers(0, 3), min_size=len(chosen), max_size=len(chosen)),
        )
    )


def test_two_worldviews_and_one_yes():
    # Known answer 15: .8 / .2 and one yes: .8 / .2, predictive .8^2 + .2^2 = .68; tempered by 1/2,
    # sqrt .8 : sqrt .2 = 2 : 1, predictive (2 x .8 + .2) / 3 = .60.
    log_p = log_likelihood_of([[0.8, 0.2]])
    plain = ensemble_weights(log_p, ["e"], tempering=1.0)
    np.testing.assert_allclose(plain, [0.8, 0.2])
    assert plain @ [0.8, 0.2] == pytest.approx(0.68)
    tempered = ensemble_weights(log_p, ["e"])
    np.testing.assert_allclose(tempered, [2 / 3, 1 / 3])
    assert tempered @ [0.8, 0.2] == pytest.approx(0.60)


def test_questions_of_one_event_count_once_and_of_two_twice():
    log_p = log_likelihood_of([[0.8, 0.2]])
    once = ensemble_weights(log_p, ["e"])
    ladder = np.repeat(log_p, 5, axis=0)
    np.testing.assert_allclose(ensemble_weights(ladder, ["e"] * 5), once)
    # Tempering is once an event: two events give (2 : 1)^2.
    np.testing.assert_allclose(ensemble_weights(ladder[:2], ["e", "f"]), [0.8, 0.2])


@given(records(), st.randoms(use_true_random=False))
def test_no_order_matters_and_weights_sum_to_one_above_the_floor(record, random):
    p, event = record
    log_p = log_likelihood_of(p)
    weights = ensemble_weights(log_p, event)
    assert weights.sum() == pytest.approx(1.0)
    assert weights.min() >= 0.02 - 1e-12
    order = list(range(len(p)))
    random.shuffle(order)
    again = ensemble_weights(log_p[order], [event[i] for i in order])
    np.testing.assert_allclose(again, weights, atol=1e-12)
    members = [2, 0, 1]
    np.testing.assert_allclose(ensemble_weights(log_p[:, members], event), weights[members])


def test_one_surprise_costs_at_most_what_the_clip_allows():
    weights = ensemble_weights(log_likelihood_of([[1.0, 0.0]]), ["e"], floor=0.0)
    assert weights[0] / weights[1] == pytest.approx(99**0.5)


def test_the_floor_holds_after_normalising():
    np.testing.assert_allclose(
        floored([0.5, 0.48, 0.01, 0.01]), [0.96 * 0.5 / 0.98, 0.96 * 0.48 / 0.98, 0.02, 0.02]
    )
    # Raising one to the floor can push another below it.
    assert floored([0.9597, 0.0203, 0.02 / 3, 0.02 / 3, 0.02 / 3], 0.02).min() == 0.02
    with pytest.raises(ValueError, match="floor"):
        floored([0.5, 0.5], 0.6)


@given(records(2))
def test_a_late_entrant_takes_an_equal_share_whatever_the_others_did(record):
    p, event = record
    log_p = log_likelihood_of(p)
    before = ensemble_weights(log_p, event, floor=0.0)
    absent = np.column_stack([log_p, np.full(len(log_p), np.nan)])
    after = ensemble_weights(absent, event, floor=0.0)
    assert after[2] == pytest.approx(1 / 3)
    np.testing.assert_allclose(after[:2], before * 2 / 3)


def test_an_entrant_is_then_judged_like_the_others():
    early, late = log_likelihood_of([[0.9, 0.1]]), log_likelihood_of([[0.5, 0.5, 0.9]])
    rows = np.vstack([np.column_stack([early, [[np.nan]]]), late])
    weights = ensemble_weights(rows, ["e", "f"], floor=0.0)
    # 3 : 1 sharing two thirds, and a third; then times the roots of .5, .5, .9.
    wanted = np.array([0.5, 1 / 6, 1 / 3]) * np.sqrt([0.5, 0.5, 0.9])
    np.testing.assert_allclose(weights, wanted / wanted.sum())


def test_silence_after_entering_is_refused():
    rows = [[-0.1, np.nan], [np.nan, -0.1]]
    with pytest.raises(ValueError, match="has no forecast"):
        ensemble_weights(rows, ["e", "f"])


@pytest.mark.parametrize(
    ("log_p", "event", "match"),
    [
        ([[-0.1, -np.inf]], ["e"], "finite"),
        ([[0.1, -0.1]], ["e"], "at most 0"),
        ([[-0.1, -0.1]], ["e", "f"], r"\(n, K\)"),
    ],
)
def test_a_record_that_is_none_is_refused(log_p, event, match):
    with pytest.raises(ValueError, match=match):
        ensemble_weights(log_p, event)


def test_counting_early_yeses_at_once_would_favour_whoever_says_yes():
    # Hazards are true for worldview 0 (yes .3, or .4 of the rest of the window); worldview 1 says
    # .6. Half-way through many windows that opened together only yeses are known.
    rng = np.random.default_rng(5)
    early = rng.random(400) < 0.2
    seen = log_likelihood_of(np.tile([0.3, 0.6], (int(early.sum()), 1)))
    rash = ensemble_weights(seen, range(len(seen)), floor=0.0)
    assert rash[1] > 0.99
    outcome = early | (rng.random(400) < 0.1)
    p = np.where(outcome[:, None], [[0.3, 0.6]], [[0.7, 0.4]])
    patient = ensemble_weights(log_likelihood_of(p), range(400), floor=0.0)
    assert patient[0] > 0.99
