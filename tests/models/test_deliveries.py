"""Deliveries: parts that add up, a first part that takes its time, silence that tells of stalls."""

import datetime as dt
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from scipy import stats
from scipy.special import betaincc, betaln

from forecasting.bank.usable import bundled_bank
from forecasting.domain.phrase import parse_phrase
from forecasting.domain.prior import stated_over
from forecasting.domain.process import DELIVERY_STATES, DeliverySpec, MoveSpec, ProcessSpec
from forecasting.errors import InvalidInput
from forecasting.evidence.cases import Package, package_of
from forecasting.evidence.history import Record, Step, _parts
from forecasting.inference import compile_count, pack
from forecasting.inference.poisson_lognormal import numpy_mathematics
from forecasting.models.deliveries import (
    BETAS,
    BLOCKS,
    GAMMAS,
    STANDARD,
    T0,
    Deliveries,
    _log_above,
    delivery_data,
)
from forecasting.models.world.delivery import delivery_parameters, prior_draws
from tests.models import oracles
from tests.models.oracles import simulated

MODEL = Deliveries()
#: As the bundled bank states them of its exchanges.
PRIORS = stated_over(MODEL.default_priors(), bundled_bank().priors, "exchanges")
#: Packages before May 2025, and those after.
MARCH = Package(175, ((1, 175),), 1)
MAY = Package(1000, ((7, 390), (8, 307), (9, 303)), 9)
REFERENCE = [
    MARCH,
    MAY,
    Package(0, ((7, None), (8, None), (10, None), (17, None), (18, None), (24, None)), 90),
    Package(1200, (), 395),
    Package(500, ((15, 200), (16, 300)), 16),
]
TRUTH = {
    "w": 0.7,
    "theta": 0.1,
    "first": 1.8,
    "delta": 0.8,
    "later": 0.8,
    "stall": 0.05,
    "whole": 0.1,
    "mean": 0.35,
    "precision": 6.0,
}


def process(agreed=1000.0):
    announced = dt.datetime(2025, 5, 16, tzinfo=dt.UTC)
    return ProcessSpec(
        "exchange",
        "delivery",
        DELIVERY_STATES,
        (),
        delivery=DeliverySpec(agreed, announced, announced),
    )


def drawn(package, draws, due=None, seed=1, **more):
    return delivery_parameters(process(), package, draws, due, points=2048, seed=seed, **more)


def lasting(move, days):
    """The mean chance that a stay of so many days is one for good."""
    good = move.for_good
    return float(np.mean(good / (good + (1 - good) * np.exp(-move.rate * days**move.shape))))


def finishes_next_day(moves, open_share, silent=1.0):
    """P(what is open comes with one part on the next day), in each point, after some days of quiet.

    The part comes by the hazard of a gap, given that none came so far; what is open comes if the
    part is the whole of it, or a share of what was agreed that is larger.
    """
    part = moves["begun > begun"]
    goes = part.for_good + (1 - part.for_good) * np.exp(-part.rate * silent**part.shape)
    then = part.for_good + (1 - part.for_good) * np.exp(-part.rate * (silent + 1) ** part.shape)
    a = part.size.mean * part.size.precision
    enough = betaincc(a, part.size.precision - a, open_share)
    return (1 - then / goes) * (part.size.whole + (1 - part.size.whole) * enough)


def test_parts_that_add_up_but_for_the_rounding_of_floats_are_the_whole():
    announced = dt.datetime(2025, 5, 16, tzinfo=dt.UTC)
    days = [announced + dt.timedelta(days=k) for k in range(1, 9)]
    steps, late = _parts(process(0.8), [Step(at, "begun", 0.1) for at in days])
    assert sum([step.amount for step in steps], start=0.0) == pytest.approx(0.8)
    assert steps[-1] == Step(days[-1], "done")
    assert not late


def test_the_nearer_the_end_the_likelier_it_is():
    # The thousand for thousand, when only March is known of its class: 390, then 307.
    fitted = MODEL.fit(delivery_data([MARCH]), PRIORS, 1)
    chances = []
    for count, left in ((1, 0.61), (2, 0.303)):
        package = Package(1000, MAY.parts[:count], MAY.parts[count - 1][0])
        moves = drawn(package, fitted.draws)
        chances.append(float(finishes_next_day(moves, left, silent=1e-9).mean()))
    assert chances[1] > 1.6 * chances[0]
    assert chances[1] > 0.25


def test_a_first_part_is_the_likelier_the_longer_it_has_taken_in_the_first_week():
    fitted = MODEL.fit(delivery_data([]), PRIORS, 1)
    first = drawn(None, fitted.draws)["agreed > begun"]
    survivals = [
        first.for_good + (1 - first.for_good) * np.exp(-first.rate * day**first.shape)
        for day in range(7)
    ]
    hazards = [float(np.mean(a - b) / np.mean(a)) for a, b in pairwise(survivals)]
    assert hazards[1] > 1.2 * hazards[0]
    assert np.mean(first.shape > 1.0) > 0.9


def test_silence_tells_of_a_package_that_never_comes_and_of_a_stall():
    fitted = MODEL.fit(delivery_data(REFERENCE), PRIORS, 1)
    never, stall = [], []
    for days in (10.0, 40.0, 160.0):
        waiting = drawn(Package(1000, (), days), fitted.draws)["agreed > begun"]
        never.append(lasting(waiting, days))
        begun = drawn(Package(1000, ((7, 205),), 7 + days), fitted.draws)["begun > begun"]
        stall.append(lasting(begun, days))
    assert never[0] < never[1] < never[2]
    assert never[2] > 0.7
    assert stall[0] < stall[1] < stall[2]
    assert stall[2] > 0.8


def test_the_rate_of_going_on_after_a_stall_counts_how_long_it_stood():
    fitted = MODEL.fit(delivery_data([]), PRIORS, 1)
    for stalls in ((0, 0.0), (0, 300.0), (2, 40.0)):
        moves = drawn(None, fitted.draws, stalls=stalls)
        mean = float(np.mean(moves["stalled > begun"].rate))
        assert mean == pytest.approx((1 + stalls[0]) / (60 + stalls[1]), rel=0.02)


def test_its_own_parts_tell_of_its_pace_and_of_the_size_of_parts():
    fitted = MODEL.fit(delivery_data([MARCH]), PRIORS, 1)
    quick = Package(1000, ((5, 60), (6, 70), (7, 50), (8, 60)), 8)
    slow = Package(1000, ((5, 300), (25, 290)), 25)
    moves = [drawn(package, fitted.draws)["begun > begun"] for package in (quick, slow)]
    pace = [np.median(move.rate ** (1 / move.shape)) for move in moves]
    assert pace[0] > 2.0 * pace[1]
    assert moves[0].size.mean.mean() < moves[1].size.mean.mean() - 0.05


def test_the_tail_of_a_share_is_the_incomplete_beta():
    for a, b, share in [
        (1.8, 4.2, 0.3),
        (1.8, 4.2, 0.01),
        (3, 3, 0.9),
        (0.6, 5, 0.6),
        (5, 0.7, 0.5),
    ]:
        log_tail = _log_above(
            np.array([share]), np.array(float(a)), np.array(float(b)), numpy_mathematics()
        )
        assert log_tail[0] - betaln(a, b) == pytest.approx(np.log(betaincc(a, b, share)), abs=1e-4)


def test_one_package_has_the_likelihood_of_its_story():
    # Three parts of a thousand, the last of which completes it, told by hand.
    p = TRUTH
    draws = {name: np.array([value]) for name, value in p.items()}
    a = p["mean"] * p["precision"]
    b = p["precision"] - a

    def first(day):
        return np.exp(p["theta"]) * (day / T0) ** p["first"]

    def later(day):
        return (p["delta"] * day) ** p["later"]

    density = [(a - 1) * np.log(x) + (b - 1) * np.log1p(-x) - betaln(a, b) for x in (0.39, 0.307)]
    exact = np.log(p["w"]) + np.log(np.exp(-first(6)) - np.exp(-first(7)))
    exact += 2 * (np.log1p(-p["stall"]) + np.log(1 - np.exp(-later(1))))
    exact += 2 * np.log1p(-p["whole"]) + sum(density)
    exact += np.log(p["whole"] + (1 - p["whole"]) * betaincc(a, b, 0.303))
    assert MODEL.log_likelihood(draws, delivery_data([MAY])).sum() == pytest.approx(exact, abs=1e-4)
    waiting = delivery_data([Package(1000, (), 20)])
    never = np.log(1 - p["w"] + p["w"] * np.exp(-first(20)))
    assert MODEL.log_likelihood(draws, waiting).sum() == pytest.approx(never)


def test_the_sampled_graph_is_the_numpy_likelihood():
    from pytensor.compile.mode import Mode

    data = delivery_data([*REFERENCE, Package(1000, ((7, 205),), 106)])
    with MODEL.build_model() as built:
        log_density = built.compile_logp(mode=Mode(linker="py", optimizer=None))
    rng = np.random.default_rng(1)
    for _ in range(4):
        point = {n: rng.normal(size=np.shape(v)) * 0.5 for n, v in built.initial_point().items()}
        at = []
        for rows in (data, delivery_data([])):
            flat = pack(MODEL.layout, {**MODEL.prepared(rows), **MODEL.prior_arrays(PRIORS)})
            built.set_data("inputs", flat)
            at.append(float(log_density(point)))
        draws = {
            name: 1 / (1 + np.exp(-point["betas_logodds__"][k])) for k, name in enumerate(BETAS)
        }
        draws |= {name: np.exp(point["gammas_log__"][k]) for k, name in enumerate(GAMMAS)}
        for k, name in enumerate(STANDARD):
            value = PRIORS[name].value("mu") + PRIORS[name].value("sd") * point["z"][k]
            draws[name] = value if name == "theta" else np.exp(value)
        one = {name: np.array([value]) for name, value in draws.items()}
        assert at[0] - at[1] == pytest.approx(MODEL.log_likelihood(one, data).sum(), abs=1e-7)


def test_random_classes_pass_the_gate_and_compile_once():
    before = compile_count()
    sizes = [0, 1, 3, 6, 12]
    for seed, n in enumerate(sizes):
        _, data = simulated(MODEL, np.random.default_rng(seed), n=n)
        fitted = MODEL.fit(data, PRIORS, seed)
        assert fitted.report.passed, (seed, fitted.report.reasons)
    assert compile_count() <= before + 1


@pytest.mark.deep
def test_fifty_of_fifty_classes_pass_the_gate():
    rng = np.random.default_rng(0)
    for seed in range(50):
        _, data = simulated(MODEL, rng, n=int(rng.integers(0, 13)))
        assert MODEL.fit(data, PRIORS, seed).report.passed, seed


def test_the_simulated_story_agrees_with_the_closed_form():
    rng = np.random.default_rng(0)
    n = 4000
    stories = [oracles.package(rng, TRUTH, 1000.0, 400.0) for _ in range(n)]
    begun = np.mean([bool(story.parts) for story in stories])
    assert abs(begun - TRUTH["w"]) < 4.5 * np.sqrt(0.21 / n)
    by_ten = np.mean([bool(s.parts) and s.parts[0][0] <= 10 for s in stories])
    exact = TRUTH["w"] * -np.expm1(-np.exp(TRUTH["theta"]) * (10 / T0) ** TRUTH["first"])
    assert abs(by_ten - exact) < 4.5 * np.sqrt(0.25 / n)
    assert all(sum(x for _, x in story.parts) <= 1000.0 + 1e-6 for story in stories)


def test_parts_of_one_day_are_one_part_and_a_record_is_a_package():
    joined = delivery_data([Package(1000, ((7.2, 200), (7.4, 190), (8.1, 307)), 30)])
    assert joined["shares"].tolist() == [0.39, 0.307]
    assert joined["gap_high"].tolist() == [1.0]
    small = delivery_data([replace(MARCH, watched=5)])
    assert float(small["whole"]) == 1.0
    assert small["quiet"].size == small["finals"].size == 0


def test_a_record_gives_its_package():
    announced = process().delivery.announced
    steps = (
        Step(announced + dt.timedelta(days=7), "begun", 390.0),
        Step(announced + dt.timedelta(days=8), "begun", 307.0, counted=True),
    )
    record = Record(process(), announced, "agreed", steps, announced + dt.timedelta(days=20))
    assert package_of(record) == Package(1000.0, ((7.0, 390.0), (8.0, 307.0)), 20.0)


@pytest.mark.parametrize(
    ("package", "words"),
    [
        (Package(1000, ((7, -5),), 9), "above 0"),
        (Package(1000, ((7, 600), (8, 600)), 9), "at most the 1000"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(package, words):
    with pytest.raises(InvalidInput, match=words):
        delivery_data([package])


@pytest.mark.parametrize("priors", [PRIORS, MODEL.default_priors()], ids=["stated", "wide"])
@pytest.mark.parametrize(
    "package",
    [
        # Parts five weeks apart, where the stated priors expect days.
        Package(700, ((30, 157), (65, 60)), 69),
        # Ten parts like each other, at even intervals, where they expect three or four.
        Package(1000, tuple((10 + 12 * k, 60 + 5 * k) for k in range(10)), 130),
    ],
)
def test_a_record_unlike_its_priors_is_read_from_enough_draws(priors, package):
    chances = []
    for seed in range(3):
        draws, due = prior_draws(priors, package, seed)
        log_p = MODEL.log_likelihood(draws, delivery_data([package]))
        for k, (_, kinds) in enumerate(BLOCKS):
            log_weight = due[:, k] + log_p[:, kinds].sum(axis=1)
            weight = np.exp(log_weight - log_weight.max())
            assert weight.sum() ** 2 / (weight @ weight) > 2_000
        moves = drawn(package, draws, due, seed)
        part = moves["begun > begun"]
        chances.append(float(np.mean(1 - np.exp(-part.rate * 30.0**part.shape))))
    assert np.std(chances, ddof=1) < 0.01


def test_without_a_record_a_prior_is_drawn_as_it_is_stated():
    draws, due = prior_draws(PRIORS, None, 0)
    assert due == pytest.approx(0.0)
    for name, prior in PRIORS.items():
        if prior.distribution == "beta":
            a, b = prior.values
            assert draws[name].mean() == pytest.approx(a / (a + b), abs=1e-3)
    assert draws["delta"].mean() == pytest.approx(1.0, abs=2e-3)
    assert np.median(draws["later"]) == pytest.approx(0.8, abs=1e-3)


def test_a_delivery_whose_bank_states_nothing_is_told_by_its_own_parts():
    """Ten parts, every twelve days, of a twelfth each: by hand Gamma-Poisson and Beta.

    Half a part in two days and nine gaps in 120 days; Beta(.25, 1.75) and nine that went on, and
    Beta(.5, 1.5) and ten that did not bring all.
    """
    package = Package(1000, tuple((10 + 12 * k, 60 + 5 * k) for k in range(10)), 130)
    pair = []
    for priors in (MODEL.default_priors(), PRIORS):
        draws, due = prior_draws(priors, package, 1)
        moves = drawn(package, draws, due)
        pair.append(moves["begun > begun"])
    wide, judged = pair
    assert wide.size.mean.mean() == pytest.approx(0.0825, abs=0.005)
    assert wide.size.whole.mean() == pytest.approx(0.5 / 12, abs=0.003)
    assert np.median(wide.rate ** (1 / wide.shape)) == pytest.approx(9.5 / 122, rel=0.1)
    assert wide.for_good.mean() == pytest.approx(0.25 / 11, abs=0.01)
    assert judged.size.mean.mean() > 0.12


def test_own_parts_teach_the_size_of_further_ones_whoever_states_the_pace():
    """Two parts that were not all: Beta(1, 5) becomes Beta(1, 7), and the shares weigh the mean.

    By hand: a grid over the priors of mean and precision, times the density of both shares.
    """
    package = Package(40_000, ((45, 4_000), (93, 6_500)), 151)
    m, k = np.meshgrid(np.linspace(5e-4, 0.9995, 1_000), np.exp(np.linspace(0.3, 3.3, 400)))
    prior = stats.beta(3, 7).pdf(m) * stats.norm(np.log(6.0), 0.4).pdf(np.log(k))
    density = [stats.beta(m * k, (1 - m) * k).pdf(share) for share in (0.1, 0.1625)]
    weight = prior * density[0] * density[1]
    mean = float((weight * m).sum() / weight.sum())
    assert mean < 0.25 < 0.3
    paced = (
        MoveSpec("agreed", "begun", parse_phrase("median 30 d (10..90)")),
        MoveSpec("begun", "begun", parse_phrase("2 in 65 d")),
    )
    for moves in ((), paced):
        one = replace(process(40_000.0), moves=moves)
        for seed in range(3):
            draws, due = prior_draws(PRIORS, package, seed)
            hazards = delivery_parameters(one, package, draws, due, points=2048, seed=seed)
            size = hazards["begun > begun"].size
            assert size.mean.mean() == pytest.approx(mean, abs=0.005)
            assert size.whole.mean() == pytest.approx(1 / 8, abs=0.008)
