"""How far a share of paths moves under a condition, and how sure that is."""

import numpy as np
import pytest

from forecasting.inference.estimate import change_error, influence

POINTS, REPEATS = 250, 4


def worlds(rng, *, link=0.0):
    """Draw one simulation: two events by parameter points, the second leaning on the first."""
    base = np.repeat(rng.beta(4, 8, POINTS), REPEATS)
    first = rng.random(POINTS * REPEATS) < base
    second = rng.random(POINTS * REPEATS) < 0.3 + link * first
    return first, second


def even(mask):
    return mask / mask.sum()


def spread_and_error(link, aim=None):
    """Give the true spread of a change over many simulations, and the mean stated error."""
    rng = np.random.default_rng(11)
    changes, errors = [], []
    for _ in range(800):
        first, second = worlds(rng, link=link)
        every = even(np.ones(len(first)))
        if aim is None:
            then, raked, truth = even(first), [], second
        else:
            p = first.mean()
            then = every * np.where(first, aim / p, (1 - aim) / (1 - p))
            raked, truth = [first.astype(float)], second
        changes.append(truth @ then - truth @ every)
        errors.append(change_error((truth, every, REPEATS), (truth, then, REPEATS), raked))
    return np.std(changes), np.mean(errors)


@pytest.mark.parametrize("link", [0.0, 0.5])
@pytest.mark.parametrize("aim", [None, 0.5, 0.8])
def test_the_error_of_a_change_is_its_spread_over_simulations(link, aim):
    spread, error = spread_and_error(link, aim)
    assert error == pytest.approx(spread, rel=0.1)


def test_kept_paths_are_part_of_all_paths_so_their_errors_do_not_add_up():
    """The fewer paths a condition leaves out, the less a change can err."""
    rng = np.random.default_rng(3)
    truth = rng.random(1_000) < 0.4
    every = even(np.ones(1_000))
    most = even(np.arange(1_000) > 20)
    apart = np.hypot(*(np.sqrt(np.sum(influence(truth, w, 4) ** 2)) for w in (every, most)))
    assert change_error((truth, every, 4), (truth, most, 4)) < 0.2 * apart
    assert change_error((truth, every, 4), (truth, every, 4)) == 0.0


def test_of_two_simulations_of_different_size_the_errors_add_up():
    rng = np.random.default_rng(5)
    old, new = rng.random(800) < 0.4, rng.random(2_400) < 0.4
    a, b = even(np.ones(800)), even(np.ones(2_400))
    alone = [np.sum(influence(x, w, 4) ** 2) for x, w in ((old, a), (new, b))]
    error = change_error((old, a, 4), (new, b, 4))
    assert error == pytest.approx(np.sqrt(sum(alone)), rel=0.01)
    # Nor do points with more paths each belong to those with fewer.
    assert change_error((old, a, 4), (old, a, 8)) > 0.0


def test_no_path_of_few_is_no_certainty():
    """Of 40 kept paths none says yes: 0 has the error of the rule of three, not none."""
    truth, met = np.zeros(1_000, dtype=bool), np.zeros(1_000, dtype=bool)
    truth[500:550], met[:40] = True, True
    error = change_error((truth, even(np.ones(1_000)), 4), (truth, even(met), 4))
    assert error >= 1.5 / 40
    # One parameter point tells nothing of the spread of others.
    one = np.zeros(1_000, dtype=bool)
    one[:4] = True
    assert change_error((truth, even(np.ones(1_000)), 4), (truth, even(one), 4)) == float("inf")
