"""Without links and news each shape equals its closed form, on 200 random settings.

Standard errors come from 24 seeds, because draws are spread; two computations of one number are
compared by |z| <= 4.5 each and mean squared z within .75 to 1.3 (23/21 is expected of 24 seeds).
"""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.linalg import expm
from scipy.special import gammaincinv

from forecasting.domain.predicate import Moment, Occurred, Total
from forecasting.models.world.chance import uniforms
from forecasting.models.world.simulate import simulate
from forecasting.models.world.values import Move, Size
from tests.models.world.engine import CLOSE, ask, at, day, entered, event, process, world

DRAWS, SEEDS = 256, 24
Case = tuple[Callable[[int], float], float]


def gamma(seed, shape, exposure):
    return gammaincinv(shape, uniforms(DRAWS, seed, "rate")) / exposure


def drawn(*processes, horizon, seed):
    return simulate(world(*processes, draws=DRAWS, repeats=1), horizon, seed=seed)


def gamma_poisson(rng):
    shape, exposure, span = rng.uniform(0.5, 4), rng.uniform(50, 500), rng.uniform(20, 300)
    least = int(rng.integers(1, 3))

    def run(seed):
        paths = drawn(event("e", gamma(seed, shape, exposure), age=9.0), horizon=span, seed=seed)
        return float(ask(paths, Occurred("e", CLOSE, least), span).mean())

    q = exposure / (exposure + span)
    none, one = q**shape, shape * (1 - q) * q**shape
    return run, 1 - none - (one if least == 2 else 0.0)


def weibull_with_delayed_entry(rng):
    k, age, span = rng.uniform(0.4, 2.0), rng.uniform(0, 60), rng.uniform(10, 90)
    shape, scale = rng.uniform(1, 4), rng.uniform(5, 200)

    def run(seed):
        rate = gamma(seed, shape, scale)
        truce = process("t", ("on", "over"), Move(0, 1, rate, k), age=age)
        return float(entered(drawn(truce, horizon=span, seed=seed), "t", "over", span).mean())

    used = (age + span) ** k - age**k
    return run, 1 - (scale / (scale + used)) ** shape


def at_once_and_for_good(rng):
    k, age, span = rng.uniform(0.5, 1.5), rng.choice([0.0, 20.0]), rng.uniform(10, 90)
    exposure, once, good = rng.uniform(20, 200), rng.uniform(0, 0.4), rng.uniform(0, 0.5)

    def run(seed):
        move = Move(0, 1, gamma(seed, 2.0, exposure), k, at_once=once, for_good=good)
        paths = drawn(process("t", ("on", "over"), move, age=age), horizon=span, seed=seed)
        return float(entered(paths, "t", "over", span).mean())

    rates = gammaincinv(2.0, (np.arange(4000) + 0.5) / 4000) / exposure

    def survival(t):
        return good + (1 - once - good) * np.exp(-rates * t**k)

    return run, float(np.mean(1 - survival(age + span) / (survival(age) if age else 1.0)))


def staged_path(rng):
    stages, span = int(rng.integers(2, 5)), rng.uniform(20, 200)
    up, down = rng.uniform(0.005, 0.08, stages), rng.uniform(0, 0.05, stages)
    direct = rng.choice([0.0, 0.01])
    erlang = rng.random() < 0.3
    if erlang:
        up, down, direct = np.full(stages, up[0]), down * 0, 0.0
    moves = [Move(j, j + 1, up[j]) for j in range(stages)]
    moves += [Move(j, 0, down[j]) for j in range(1, stages)]
    moves += [Move(j, stages, direct) for j in range(stages - 1)]
    q = np.zeros((stages + 1, stages + 1))
    for move in moves:
        q[move.start, move.end] += move.rate
    q -= np.diag(q.sum(axis=1))
    names = [str(j) for j in range(stages + 1)]

    def run(seed):
        paths = drawn(process("p", names, *moves), horizon=span, seed=seed)
        return float(at(paths, "p", names[-1], span).mean())

    return run, float(expm(q * span)[0, -1])


def competing_exits(rng):
    rates, shapes = rng.uniform(0.005, 0.05, 2), rng.uniform(0.5, 1.6, 2)
    age, span = rng.uniform(0, 30), rng.uniform(10, 120)

    def run(seed):
        moves = (Move(0, 1, rates[0], shapes[0]), Move(0, 2, rates[1], shapes[1]))
        paths = drawn(process("c", ("a", "b", "c"), *moves, age=age), horizon=span, seed=seed)
        return float(entered(paths, "c", "b", span).mean())

    # In the cumulative hazard of the first exit the integrand is smooth.
    low, high = rates[0] * age ** shapes[0], rates[0] * (age + span) ** shapes[0]
    nodes, weights = np.polynomial.legendre.leggauss(200)
    h = low + (nodes + 1) * (high - low) / 2
    ages = (h / rates[0]) ** (1 / shapes[0])
    other = rates[1] * (ages ** shapes[1] - age ** shapes[1])
    return run, float((weights * np.exp(-(h - low) - other)).sum() * (high - low) / 2)


def thinned_deliveries(rng):
    rate, whole, span = rng.uniform(0.05, 0.5), rng.uniform(0.02, 0.3), rng.uniform(5, 40)

    def run(seed):
        part = Move(0, 0, rate, size=Size(1e-5, 50.0, whole))
        parcel = process("d", ("begun", "done"), part, goal=1000.0, done=1)
        return float(entered(drawn(parcel, horizon=span, seed=seed), "d", "done", span).mean())

    return run, 1 - np.exp(-rate * whole * span)


def mean_delivered(rng):
    rate, mean, span = rng.uniform(0.05, 0.3), rng.uniform(0.001, 0.01), rng.uniform(5, 30)
    precision = rng.uniform(60, 300) / mean / 20

    def run(seed):
        part = Move(0, 0, rate, size=Size(np.full(DRAWS, mean), precision))
        parcel = process("d", ("begun", "done"), part, goal=1000.0, total=100.0, done=1)
        paths = drawn(parcel, horizon=span, seed=seed)
        total = paths.number(Total("d", Moment()), day(0), day(span))
        return float(total.mean())

    return run, 100.0 + 1000.0 * mean * rate * span


CASES = (
    gamma_poisson,
    weibull_with_delayed_entry,
    at_once_and_for_good,
    staged_path,
    competing_exits,
    thinned_deliveries,
    mean_delivered,
)


def test_each_shape_equals_its_closed_form_on_200_settings():
    squares = []
    for setting in range(200):
        case = CASES[setting % len(CASES)]
        run, exact = case(np.random.default_rng(setting))
        shares = np.array([run(1000 * setting + seed) for seed in range(SEEDS)])
        # A spread estimate cannot be surer than one draw of a run.
        error = max(shares.std(ddof=1), 0.3 / DRAWS) / np.sqrt(SEEDS)
        z = (shares.mean() - exact) / error
        assert abs(z) <= 4.5, (case.__name__, setting, shares.mean(), exact, error)
        squares.append(z**2)
    assert 0.75 <= np.mean(squares) * 21 / 23 <= 1.3, np.mean(squares)


@pytest.mark.parametrize("k", [0.6, 1.0, 1.7])
def test_watched_and_quiet_a_probability_falls_to_nothing_at_its_deadline(k):
    deadline, rate = 100.0, 0.02
    chances = []
    for as_of in range(0, 101, 5):
        quiet = process("q", ("no", "yes"), Move(0, 1, rate, k), age=30.0 + as_of)
        rest = deadline - as_of
        paths = simulate(world(quiet, draws=8192), rest)
        chances.append(entered(paths, "q", "yes", rest).mean())
        exact = -np.expm1(-rate * ((130.0) ** k - (30.0 + as_of) ** k))
        assert abs(chances[-1] - exact) < 1e-3
    assert np.all(np.diff(chances) <= 0)
    assert chances[-1] == 0
