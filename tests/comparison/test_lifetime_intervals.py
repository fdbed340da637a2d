"""Intervals of lifetime scores cover, with updates and rungs that share their event's luck."""

import numpy as np
import pytest

from forecasting.comparison import studentised_interval

UPDATES = 20


def record(rng, events, rungs):
    """Lifetime Brier scores: twenty updates a question, one to five rungs an event."""
    size = rng.integers(1, rungs + 1, events)
    event = np.repeat(np.arange(events), size)
    truth = rng.normal(0, 1.2, events)[event] + 0.3 * rng.normal(0, 1, len(event))
    luck = rng.random(events)[event]
    happened = luck < 1 / (1 + np.exp(-truth))
    noise = rng.normal(0, 0.6, events)[event] + rng.normal(0, 0.3, len(event))
    walk = np.cumsum(rng.normal(0, 0.1, (len(event), UPDATES)), axis=1)
    said = 1 / (1 + np.exp(-(truth + noise)[:, None] - walk))
    return (said - happened[:, None]) ** 2, event


def shares(runs, events, rungs, seed):
    """Shares of runs whose interval holds the long-run mean: over events, and over updates."""
    rng = np.random.default_rng(seed)
    long_run = [record(rng, 4_000, rungs) for _ in range(25)]
    total = sum(float(scores.mean(axis=1).sum()) for scores, _ in long_run)
    truth = total / sum(len(event) for _, event in long_run)
    held = naive = 0
    for _ in range(runs):
        scores, event = record(rng, events, rungs)
        found = studentised_interval(scores.mean(axis=1), event, resamples=499)
        held += found.lower <= truth <= found.upper
        error = 1.96 * scores.std() / np.sqrt(scores.size)
        naive += abs(scores.mean() - truth) <= error
    return held / runs, naive / runs


def test_over_events_it_holds_and_over_updates_it_does_not():
    held, naive = shares(120, 30, 5, seed=0)
    assert held >= 0.89
    assert naive <= 0.6


@pytest.mark.deep
@pytest.mark.parametrize("rungs", [1, 5])
@pytest.mark.parametrize("events", [12, 30, 100, 400])
def test_it_covers_93_to_97_percent(events, rungs):
    held, _ = shares(1_000, events, rungs, seed=events + rungs)
    # Two standard errors of a share of .95 among 1,000 are .014.
    assert 0.93 - 0.007 <= held <= 0.97 + 0.007
