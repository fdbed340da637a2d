"""Averaging over the scheduled window is proper when questions end early; the others are not."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.scoring import lifetime
from tests.scoring.frames import START, day, frame

CHANCE = st.floats(0.05, 0.95)
RULES = [("brier", "half"), ("brier", "full"), ("log", "half")]


def world(first, second, *, happens):
    """Ten days; the event can come on day 5 alone and is then known, else the answer is no."""
    ended = day(5) if happens else pd.NaT
    named = {"question": f"happens {happens}", "outcome": int(happens)}
    return frame([first, second], [0, 5], closed_at=ended, **named)


def expected(chance, first, **options):
    # Once day 5 has passed without the event the honest forecast is 0.
    both = pd.concat([world(first, 0.0, happens=happens) for happens in (True, False)])
    yes, no = lifetime.score(both, **options)["score"]
    return chance * yes + (1 - chance) * no


@pytest.mark.parametrize(("rule", "convention"), RULES)
@given(chance=CHANCE, other=CHANCE)
def test_honesty_is_best_over_the_scheduled_window(rule, convention, chance, other):
    options = {"rule": rule, "convention": convention}
    assert expected(chance, chance, **options) <= expected(chance, other, **options) + 1e-12


@pytest.mark.parametrize(("rule", "convention"), RULES)
@given(chance=CHANCE, other=CHANCE)
def test_honesty_is_best_at_a_spot(rule, convention, chance, other):
    options = {"rule": rule, "convention": convention, "window": "spot", "at": 0.3}
    assert expected(chance, chance, **options) <= expected(chance, other, **options) + 1e-12


@pytest.mark.parametrize("chance", [0.2, 0.4, 0.6])
def test_what_pays_until_resolution_does_not_pay_over_the_scheduled_window(chance):
    # Until resolution, yes is averaged over the first half alone and no over both halves, so the
    # first half counts twice as much when the event comes: lean to 2c / (2c + 1 - c).
    lean = 2 * chance / (1 + chance)
    until = {"window": "until-resolution"}
    assert expected(chance, lean, **until) < expected(chance, chance, **until) - 0.005
    assert expected(chance, lean) > expected(chance, chance) + 0.0025


def test_what_pays_under_last_does_not_pay_over_the_scheduled_window():
    # An early yes is scored by the first forecast alone, a no by the second alone: shout, then 0.
    last = {"window": "last"}
    assert expected(0.4, 0.9, **last) < expected(0.4, 0.4, **last) - 0.1
    assert expected(0.4, 0.9) > expected(0.4, 0.4) + 0.1


def test_the_improper_windows_say_so():
    frame = world(0.4, 0.0, happens=False)
    assert not lifetime.score(frame, window="until-resolution")["proper"].any()
    assert not lifetime.score(frame, window="last")["proper"].any()
    assert lifetime.score(frame)["proper"].all()


@given(chance=CHANCE, when=st.integers(1, 9))
def test_the_forecaster_without_information_has_no_skill_whatever_the_window_covers(chance, when):
    frame = world(0.5, 0.5, happens=True).iloc[:1].assign(issued_at=day(when))
    for rule, convention in RULES:
        skill = lifetime.score(frame, rule=rule, convention=convention)["skill"].item()
        assert skill == pytest.approx(0, abs=1e-12)


@given(weights=st.lists(st.floats(0.05, 1), min_size=6, max_size=6))
def test_ranked_scores_are_proper_when_one_of_the_options_ends_the_question(weights):
    truth, other = (np.array(w) / sum(w) for w in (weights[:3], weights[3:]))
    # The last option, and it alone, is seen on day 5: who still waits then leaves it out.
    rest = np.array([truth[0], truth[1], 0]) / (truth[0] + truth[1])

    def expected_rps(first):
        frames = [
            world(0.0, 0.0, happens=label == 2).assign(
                question=f"option {label}", forecast=[first, rest], outcome=label
            )
            for label in range(3)
        ]
        return float(truth @ lifetime.score(pd.concat(frames), rule="rps")["score"])

    assert expected_rps(truth) <= expected_rps(other) + 1e-12


@given(quantiles=st.lists(st.floats(0, 10), min_size=4, max_size=4))
def test_numeric_scores_are_proper_when_high_values_end_the_question(quantiles):
    honest, other = ({0.25: low, 0.75: high} for low, high in (sorted(quantiles[:2]),
                     sorted(quantiles[2:])))  # fmt: skip
    u = (np.arange(400) + 0.5) / 400
    values = np.interp(u, [0, 0.25, 0.75, 1], [0, *honest.values(), 10])

    def expected_crps(forecast):
        frame = pd.DataFrame({"question": u, "outcome": values}).assign(
            forecaster="me",
            forecast=[forecast] * len(u),
            issued_at=START,
            withdrawn_at=[pd.NaT if value > 6 else day(5) for value in values],
            opens=START,
            closes=day(10),
            closed_at=[day(5) if value > 6 else pd.NaT for value in values],
            lower=0.0,
            upper=10.0,
        )
        return lifetime.score(frame, rule="crps")["score"].mean()

    assert expected_crps(honest) <= expected_crps(other) + 2e-3
