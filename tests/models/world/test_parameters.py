"""Parameters of moves: closed forms and grids as oracles, smooth in time, and keyed by name."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import ndtri

from forecasting.domain.process import LinkSpec, MoveSpec, Phrase, ProcessSpec
from forecasting.evidence.history import Past, Piece
from forecasting.inference.alike import representative, stratified
from forecasting.inference.fit import exact_fit
from forecasting.models.rates import Rates
from forecasting.models.spells import SpellDraws
from forecasting.models.world.parameters import parameters
from forecasting.models.world.pooled import anchor, pooled_rates

POINTS = 2048
HOLDS = ("t", "on > off")
EVENT = ("e", "waiting > waiting")
SHAPED = Phrase("median", median=60, low=15, high=240, shape=0.8, shape_low=0.6, shape_high=1.1)


class Pool:
    """A pooled fit of known draws, as if sampled; it keeps what it was asked to learn from."""

    def __init__(self, mu=-5.0, sd=0.4, sigma=1.0):
        rng = np.random.default_rng(0)
        self.draws = {
            "mu": mu + sd * rng.standard_normal(4000),
            "sigma": sigma * np.exp(0.2 * rng.standard_normal(4000)),
        }
        self.asked = []

    def fit(self, model, data, priors, **options):
        self.asked.append(data)
        return exact_fit(self.draws, data, {}, seed=0)


def holds(phrase):
    return {"t": ProcessSpec("t", "states", ("on", "off"), (MoveSpec("on", "off", phrase),))}


def event(phrase, name="e"):
    return ProcessSpec(name, "event", ("waiting",), (MoveSpec("waiting", "waiting", phrase),))


def quiet(days, key=EVENT, day=20_000.0):
    return {key: Past(*key, (Piece(0.0, days, False, (), day),))}


def events(count, days, key=EVENT):
    step = days / (count + 1)
    pieces = [Piece(0.0, step, k < count, (), 20_000.0 + k * step) for k in range(count + 1)]
    return {key: Past(*key, tuple(pieces))}


def drawn(processes, pasts, key, **options):
    options = {"points": POINTS, "seed": 1} | options
    return parameters(processes, pasts, **options).hazard(*key)


def chance(move, days, age=0.0):
    """P(the move comes within some days | it has not by its age), averaged over points."""
    survivals = [
        move.for_good + (1.0 - move.for_good - move.at_once) * np.exp(-move.rate * t**move.shape)
        for t in (age, age + days)
    ]
    return float(1.0 - np.mean(survivals[1] / survivals[0]))


def test_a_count_is_gamma_poisson_on_two_hundred_settings():
    rng = np.random.default_rng(0)
    for _ in range(200):
        shape, days = rng.uniform(0.5, 20), rng.uniform(20, 3000)
        count, seen, ahead = int(rng.integers(0, 6)), rng.uniform(1, 900), rng.uniform(5, 700)
        phrase = Phrase("count", count=shape, exposure=days)
        move = drawn({"e": event(phrase)}, events(count, seen), EVENT)
        total = days + seen
        exact = 1.0 - (total / (total + ahead)) ** (shape + count)
        assert chance(move, ahead) == pytest.approx(exact, abs=2e-4)


def test_without_a_pool_a_move_has_the_jeffreys_prior_and_its_own_past():
    move = drawn({"e": event(Phrase("history"))}, quiet(60.2), EVENT, pooled=False)
    assert chance(move, 180.0) == pytest.approx(1.0 - (60.2 / 240.2) ** 0.5, abs=2e-4)
    nothing = drawn({"e": event(Phrase("history"))}, {}, EVENT, pooled=False)
    assert 200.0 < 1.0 / np.median(nothing.rate) < 2000.0


def test_a_stated_median_has_its_middle_and_its_range():
    phrase = Phrase("median", median=60, low=15, high=240, shape=0.8)
    move = drawn(holds(phrase), {}, HOLDS)
    middles = (np.log(2.0) / move.rate) ** (1.0 / move.shape)
    assert np.quantile(middles, [0.05, 0.5, 0.95]) == pytest.approx([15, 60, 240], rel=0.02)
    exact = drawn(holds(Phrase("median", median=60)), {}, HOLDS)
    assert chance(exact, 60.0) == pytest.approx(0.5, abs=1e-4)


@pytest.mark.parametrize("for_good", [0.0, 0.2])
def test_a_stay_so_far_tells_of_rate_and_shape_as_a_grid_says(for_good):
    phrase = replace(SHAPED, shape_low=0.5, shape_high=1.3, for_good=for_good)
    pieces = (Piece(0.0, 20.0, True, (), 20_000.0), Piece(0.0, 90.0, False, (), 20_100.0))
    move = drawn(holds(phrase), {HOLDS: Past(*HOLDS, pieces)}, HOLDS)
    z = ndtri((np.arange(400) + 0.5) / 400)
    first, second = (axis.ravel() for axis in np.meshgrid(z, z))
    middle = 60 * np.exp(np.log(16) / 3.29 * first)
    k = 0.8 * np.exp(np.log(2.6) / 3.29 * second)
    rate = np.log(2) / middle**k
    ended = (1 - for_good) * rate * k * 20.0 ** (k - 1) * np.exp(-(rate * 20.0**k))
    survivals = [for_good + (1 - for_good) * np.exp(-rate * t**k) for t in (90.0, 120.0)]
    weight = ended * survivals[0]
    exact = 1.0 - np.sum(weight * survivals[1] / survivals[0]) / weight.sum()
    assert chance(move, 30.0, age=90.0) == pytest.approx(exact, abs=0.002)
    assert np.mean(move.shape) == pytest.approx(np.sum(weight * k) / weight.sum(), abs=0.01)


def test_a_class_gives_its_own_survival_and_a_factor_with_a_range_widens_it():
    rng = np.random.default_rng(0)
    theta = np.sort(rng.normal(-0.4, 0.5, 4000))
    k = np.full(4000, 0.8)
    classes = {("t", "truces-formal"): SpellDraws(theta, k, 30.0)}
    move = drawn(holds(Phrase("class", reference="truces-formal")), {}, HOLDS, classes=classes)
    exact = 1.0 - np.mean(np.exp(-np.exp(theta) * (45.0 / 30.0) ** k))
    assert chance(move, 45.0) == pytest.approx(exact, abs=0.003)
    wide = Phrase("class", reference="truces-formal", median=0.7, low=0.2, high=2.5)
    other = drawn(holds(wide), {}, HOLDS, classes=classes)
    ratio = np.log(np.median(other.rate) / np.median(move.rate))
    assert ratio == pytest.approx(np.log(0.7), abs=0.03)
    assert np.std(np.log(other.rate)) > 1.5 * np.std(np.log(move.rate))


def test_a_stand_in_class_widens_what_it_says_of_one_case():
    theta, k = np.linspace(-0.41, -0.39, 400), np.full(400, 0.8)
    narrow, wide = (
        drawn(
            holds(Phrase("class", reference="c")),
            {},
            HOLDS,
            classes={("t", "c"): SpellDraws(theta, k, 365.0, spread=spread)},
        )
        for spread in (0.0, 0.5)
    )
    ends = [
        np.quantile(1.0 - np.exp(-move.rate * 365.0**move.shape), [0.05, 0.95])
        for move in (narrow, wide)
    ]
    assert ends[0][1] - ends[0][0] < 0.08
    assert ends[1][1] - ends[1][0] > 0.4


def test_what_never_saw_its_event_borrows_from_the_others():
    pool = Pool(mu=-7.0, sd=0.2, sigma=0.5)
    processes = {"e": event(Phrase("history"))}
    own = drawn(processes, quiet(60.2), EVENT, pooled=False)
    borrowed = drawn(processes, quiet(60.2), EVENT, fits=pool)
    assert chance(borrowed, 180.0) < 0.4 * chance(own, 180.0)
    eventful = drawn(processes, events(6, 60.2), EVENT, fits=Pool(mu=-7.0, sd=0.2, sigma=0.5))
    assert np.median(eventful.rate) > 3 * np.median(borrowed.rate)


def test_a_pooled_rate_is_the_mixture_over_the_pool():
    # Of a move that entered the pool no sooner than now, an oracle by plain importance.
    pool = Pool()
    move = drawn({"e": event(Phrase("history"))}, events(2, 300.0), EVENT, fits=pool)
    rng = np.random.default_rng(3)
    place = rng.integers(0, 4000, 400_000)
    rate = np.exp(
        pool.draws["mu"][place] + pool.draws["sigma"][place] * rng.standard_normal(place.size)
    )
    # The pool has learned from the move, so each pair keeps its weight.
    weight = rate**2 * np.exp(-300.0 * rate)
    each = np.bincount(place, weight, 4000) / np.maximum(np.bincount(place, minlength=4000), 1)
    weight = weight / each[place]
    exact = np.sum(weight * -np.expm1(-100.0 * rate)) / weight.sum()
    assert chance(move, 100.0) == pytest.approx(exact, abs=0.004)


def test_answers_move_smoothly_with_the_watch_and_fall():
    processes = {"e": event(Phrase("history"))} | holds(SHAPED)
    # Days 25 to 109 lie between two anchors; what a refit there may move is in test_rates.py.
    for key in (EVENT, HOLDS):
        chances = []
        for day in range(25, 110, 3):
            past = quiet(float(day), key)
            move = drawn(processes, past, key, fits=Pool())
            age = float(day) if key == HOLDS else 0.0
            chances.append(chance(move, 365.0 - day, age=age))
        steps = np.diff(chances)
        assert np.all(steps < 0.0), key
        roughness = np.std(np.diff(steps)) / np.sqrt(6.0)
        assert roughness < 0.0006, key


def test_the_same_seed_gives_the_same_bytes_and_a_process_added_disturbs_none():
    alone = drawn(holds(SHAPED), quiet(50.0, HOLDS), HOLDS)
    other = {"a": event(Phrase("count", count=1, exposure=300), "a")}
    beside = drawn(other | holds(SHAPED), quiet(50.0, HOLDS), HOLDS)
    for name in ("rate", "shape", "at_once", "for_good"):
        assert getattr(alone, name).tobytes() == getattr(beside, name).tobytes()
    other = drawn(holds(SHAPED), quiet(50.0, HOLDS), HOLDS, seed=2)
    assert other.rate.tobytes() != alone.rate.tobytes()


def test_reports_in_the_past_multiply_its_exposure():
    phrase = Phrase("count", count=1.0, exposure=100.0)
    doubled = drawn({"e": event(phrase)}, quiet(200.0), EVENT, multipliers={EVENT: np.array([2.0])})
    plain = drawn({"e": event(phrase)}, quiet(400.0), EVENT)
    assert doubled.rate == pytest.approx(plain.rate)


def test_a_worldview_shifts_the_prior_and_the_past_corrects_it():
    phrase = Phrase("median", median=60, low=15, high=240)
    plain = drawn(holds(phrase), {}, HOLDS)
    moved = drawn(holds(phrase), {}, HOLDS, shifts={HOLDS: np.log(2.0)})
    assert moved.rate == pytest.approx(2.0 * plain.rate)
    key = {HOLDS: np.log(2.0)}
    past = events(12, 1500.0, HOLDS)
    ratio = drawn(holds(phrase), past, HOLDS, shifts=key).rate.mean()
    ratio /= drawn(holds(phrase), past, HOLDS).rate.mean()
    assert 1.0 < ratio < 1.2


def test_without_history_nothing_of_the_past_is_used():
    phrase = Phrase("count", count=1.0, exposure=100.0)
    processes = {"e": event(phrase), "f": event(Phrase("history"), "f")}
    pasts = events(9, 50.0) | events(9, 50.0, ("f", "waiting > waiting"))
    there = parameters(processes, pasts, points=512, seed=1, history=False)
    never = parameters(processes, {}, points=512, seed=1, history=False)
    for name in "ef":
        rates = [each.hazard(name, "waiting > waiting").rate for each in (there, never)]
        assert rates[0].tobytes() == rates[1].tobytes()
    assert there.pool.fit is None


def test_a_move_with_a_date_and_a_delivery_have_no_parameter_here():
    dated = ProcessSpec("t", "states", ("on", "off"), (MoveSpec("on", "off", Phrase("date")),))
    assert parameters({"t": dated}, {}, points=16, seed=1).processes == {}


def test_the_pool_learns_up_to_its_anchor_and_is_not_refitted_by_a_day():
    pool, processes = Pool(), {"e": event(Phrase("history"))}
    for days in (100.0, 101.0, 107.0):
        drawn(processes, quiet(days), EVENT, fits=pool)
    asked = [float(data["exposures"][0]) for data in pool.asked]
    assert asked == [asked[0]] * 3
    key = ("e", "m")
    after = Past(*key, (Piece(0, 150, True, (), 20_000.0), Piece(0, 3, False, (), 20_150.0)))
    assert anchor([after]) == 20_150.0


def test_what_came_since_the_anchor_weighs_the_pool():
    pool, rows = Pool(), {EVENT: (0.0, 300.0)}
    past = {EVENT: Past(*EVENT, (Piece(0.0, 300.0, False, (), 20_020.0 - 220.0),))}
    pooled = pooled_rates(rows, past, pool)
    assert float(pool.asked[0]["exposures"][0]) == pytest.approx(220.0)
    mean = np.sum(pooled.weight * pooled.mu) / pooled.weight.sum()
    log_ratio = Rates().log_likelihood(pool.draws, {"counts": [0.0], "exposures": [300.0]})
    log_ratio -= Rates().log_likelihood(pool.draws, {"counts": [0.0], "exposures": [220.0]})
    weight = np.exp(log_ratio[:, 0])
    exact = np.sum(weight * pool.draws["mu"]) / weight.sum()
    assert exact < pool.draws["mu"].mean() - 0.01
    assert mean == pytest.approx(exact, abs=0.008)


def test_a_pooled_child_of_a_link_tells_the_pool_once():
    # The pool has learned from the child with the link at its median: only the rest is told.
    link = LinkSpec("p", ("on",), "e", (), 3.0, 1.0, 9.0)
    pool = Pool(mu=-5.5, sd=0.3, sigma=0.5)
    pieces = (Piece(0.0, 60.0, False, (link.name,), 19_960.0),)
    past = {EVENT: Past(*EVENT, pieces)}
    move = drawn({"e": event(Phrase("history"))}, past, EVENT, links=[link], fits=pool)
    rng = np.random.default_rng(4)
    place = rng.integers(0, 4000, 40_000)
    mu, sigma = pool.draws["mu"][place], pool.draws["sigma"][place]
    beta = np.log(3.0) + np.log(9.0) / 3.29 * rng.standard_normal(place.size)
    rate = np.exp(mu[:, None] + sigma[:, None] * ndtri((np.arange(64) + 0.5) / 64))
    survival = np.exp(-rate * 60.0 * np.exp(beta)[:, None])
    weight = survival / np.exp(-rate * 180.0).mean(axis=1, keepdims=True)
    exact = np.sum(weight * np.log(rate)) / weight.sum()
    assert np.log(move.rate).mean() == pytest.approx(exact, abs=0.03)


def test_thinned_draws_stand_for_all():
    rng = np.random.default_rng(0)
    mu, sigma = rng.normal(-6, 0.5, 4000), np.exp(rng.normal(0, 0.3, 4000))
    few = representative(mu, sigma, 16)
    assert few.size == 256
    for thin, full in ((mu[few], mu), (sigma[few], sigma)):
        assert thin.mean() == pytest.approx(full.mean(), abs=0.03 * full.std())
        assert thin.std() == pytest.approx(full.std(), rel=0.05)


def test_points_near_each_other_share_out_the_octiles():
    rng = np.random.default_rng(0)
    order = rng.permutation(64) / 64.0
    u = stratified((rng.permutation(64) + 0.5) / 64, order)
    assert sorted((u * 64).astype(int).tolist()) == list(range(64))
    for block in np.argsort(order).reshape(-1, 8):
        assert sorted((u[block] * 8).astype(int).tolist()) == list(range(8))
