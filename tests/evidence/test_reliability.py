"""What resolved claims teach about sources: Bayes' rule by hand, the Beta, and no look-ahead."""

import datetime as dt
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.special import polygamma

from forecasting.domain.evidence import Effect, Evidence, parse_effect
from forecasting.domain.process import MoveSpec, Phrase, ProcessSpec, WorldSpec
from forecasting.domain.resolution import Resolution
from forecasting.evidence import learned
from forecasting.evidence.likelihood import GRADE_PRIORS, Report
from forecasting.evidence.reliability import STREAM, Claim, Reliabilities, grades_of, item_grades
from forecasting.evidence.reports import reports
from tests.season import between

NOON = dt.datetime(2026, 5, 9, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


def _claim(number, *, yes, source="wire", grade="C", story="", **channel):
    a, b, u = (channel.get(name, usual) for name, usual in (("a", 0.6), ("b", 0.2), ("u", 0.4)))
    report = Report(f"n{number}", source, grade, story or f"s{number}", a, b, u)
    return Claim(report, yes)


@pytest.mark.parametrize("grade", sorted(GRADE_PRIORS))
def test_without_claims_a_source_has_the_beta_of_its_grade(grade):
    # The shift is integrated all the same: as the common factor of a copula it leaves the marginal.
    posterior, beta = Reliabilities([]).of("wire", grade), stats.beta(*GRADE_PRIORS[grade])
    assert posterior.mean == pytest.approx(beta.mean(), abs=1e-9)
    second = float(posterior.nodes**2 @ posterior.weights)
    assert second - posterior.mean**2 == pytest.approx(beta.var(), abs=1e-9)
    for level in (0.05, 0.5, 0.95):
        assert posterior.quantile(level) == pytest.approx(beta.ppf(level), abs=2e-5)


def test_one_claim_is_bayes_rule_by_hand():
    # Prior Beta(6, 4): E r = .6, E r^2 = 6 x 7 / (10 x 11) = 42/110. The claim came true, so
    # E[r (.6 r + .4 (1 - r))] / E[.6 r + .4 (1 - r)] = (.4 x .6 + .2 x 42/110) / (.4 + .2 x .6).
    wire = Reliabilities([_claim(1, yes=True)]).of("wire")
    assert wire.mean == pytest.approx((0.4 * 0.6 + 0.2 * 42 / 110) / (0.4 + 0.2 * 0.6), abs=1e-9)
    # It came false: the channel is .2 r + .4 (1 - r) = .4 - .2 r.
    wire = Reliabilities([_claim(1, yes=False)]).of("wire")
    assert wire.mean == pytest.approx((0.4 * 0.6 - 0.2 * 42 / 110) / (0.4 - 0.2 * 0.6), abs=1e-9)


@pytest.mark.parametrize(("right", "wrong"), [(3, 0), (0, 2), (4, 3), (10, 1)])
def test_claims_that_decide_make_the_beta_posterior(right, wrong):
    # u << a and b << u: a right claim has the factor r, a wrong one 1 - r.
    sharp = {"a": 1.0, "b": 1e-18, "u": 1e-9}
    claims = [_claim(i, yes=True, **sharp) for i in range(right)]
    claims += [_claim(100 + i, yes=False, **sharp) for i in range(wrong)]
    wire, beta = Reliabilities(claims).of("wire"), stats.beta(6 + right, 4 + wrong)
    assert wire.mean == pytest.approx(beta.mean(), abs=1e-6)
    assert wire.quantile(0.05) == pytest.approx(beta.ppf(0.05), abs=1e-4)
    assert (wire.claims, wire.right, wire.wrong) == (right + wrong, right, wrong)


def test_only_the_ratios_of_a_claim_matter():
    pair, ratio = (dict(parse_effect("q", text).detail) for text in ("0.6/0.2", "x3"))
    by_pair, by_ratio = (
        Reliabilities([_claim(1, yes=True, **{k: float(v) for k, v in d.items()})]).of("wire").mean
        for d in (pair, ratio)
    )
    assert by_pair == pytest.approx(by_ratio, abs=1e-12)


def test_a_claim_that_says_nothing_teaches_nothing():
    silent = _claim(1, yes=True, a=0.5, b=0.5, u=0.5)
    assert Reliabilities([silent]).of("wire").mean == pytest.approx(0.6, abs=1e-9)
    assert silent.right is None


def test_copies_of_one_story_are_one_claim():
    copies = [_claim(i, yes=True, story="one") for i in range(5)]
    apart = [_claim(i, yes=True) for i in range(5)]
    once = Reliabilities(copies[:1]).of("wire").mean
    # With rho = 1 five equal copies have exponents 1/5 each: exactly one claim.
    assert Reliabilities(copies, rho=1.0).of("wire").mean == pytest.approx(once, abs=1e-12)
    half, all_five = Reliabilities(copies).of("wire"), Reliabilities(apart).of("wire")
    assert once < half.mean < all_five.mean
    assert half.effective == pytest.approx(5 / (1 + 4 * 0.9))
    assert (half.claims, all_five.effective) == (5, pytest.approx(5.0))


def test_sources_learn_from_each_other_and_less_than_from_themselves():
    right = [_claim(i, yes=True, a=0.9, b=0.1, u=0.3) for i in range(6)]
    reliabilities = Reliabilities(right)
    apart = Reliabilities(right, shift_sd=0.0)
    assert 0.6 < reliabilities.of("stranger", "C").mean < reliabilities.of("wire").mean
    assert apart.of("stranger", "C").mean == pytest.approx(0.6, abs=1e-9)
    # A lone source has its grade as marginal, so pooling changes nothing about itself.
    assert reliabilities.of("wire").mean == pytest.approx(apart.of("wire").mean, abs=1e-7)
    wrong = [_claim(50 + i, yes=False, source="rumour", a=0.9, b=0.1, u=0.3) for i in range(6)]
    assert Reliabilities([*right, *wrong]).of("wire").mean < reliabilities.of("wire").mean


def test_the_common_shift_is_as_large_as_it_says():
    # One sd of the factor moves the middle of a grade's own logit by .5, to first order.
    from forecasting.evidence import reliability

    for grade in "BCD":
        nodes, given_factor = reliability._tables(*GRADE_PRIORS[grade], reliability.SHIFT_SD)
        logit = np.log(nodes / (1 - nodes))
        inside = np.isfinite(logit)
        means = given_factor[:, inside] @ logit[inside]
        at = {z: float(np.interp(z, reliability._FACTOR, means)) for z in (-1.0, 1.0)}
        assert (at[1.0] - at[-1.0]) / 2 == pytest.approx(0.5, abs=0.03)


@given(st.permutations(range(6)))
def test_the_order_of_claims_reaches_no_digit(order):
    claims = [_claim(i, yes=i % 2 == 0, source=f"w{i % 3}", grade="BCD"[i % 3]) for i in range(6)]
    first, other = Reliabilities(claims), Reliabilities([claims[i] for i in order])
    for source in ("w0", "w1", "w2", "stranger"):
        assert first.of(source).mean == other.of(source).mean


def test_expected_learning_is_no_learning():
    # Averaged over what the claims' own prior predictive says of the outcomes, E[r] stays.
    # The complement of "yes" has the channel of b: given the report, yes has odds r a + (1 - r) u
    # against r b + (1 - r) u.
    sources = ["wire", "rumour"]
    mean = total = 0.0
    for outcomes in product([True, False], repeat=4):
        claims = [
            _claim(i, yes=yes, source=sources[i % 2], a=0.7, b=0.3, u=0.5)
            for i, yes in enumerate(outcomes)
        ]
        weight = _probability(claims)
        mean += weight * Reliabilities(claims).of("wire").mean
        total += weight
    assert total == pytest.approx(1.0, abs=1e-9)
    assert mean == pytest.approx(0.6, abs=1e-9)


def _probability(claims):
    """Chain rule: each claim's probability given those before it, a + b = 2u = 1 here."""
    p = 1.0
    for i, claim in enumerate(claims):
        believed = Reliabilities(claims[:i]).of(claim.report.source, "C").mean
        side = claim.report.a if claim.yes else claim.report.b
        p *= believed * side + (1 - believed) * claim.report.u
    return p


def test_reports_pass_through_the_learned_reliability():
    world = WorldSpec(
        {"truce": ProcessSpec("truce", "states", ("none", "on"), (_move("none", "on"),))}
    )
    item = Evidence("n", "report", "n", "wire", NOON, (parse_effect("truce=on", "0.6/0.2"),))
    right = Reliabilities([_claim(i, yes=True, a=0.9, b=0.1, u=0.5) for i in range(8)])
    wrong = Reliabilities([_claim(i, yes=False, a=0.9, b=0.1, u=0.5) for i in range(8)])
    coded = [
        reports([item], world, {}, {}, reliability=believed, as_of=NOON)[0]
        for believed in (wrong, Reliabilities([]), right)
    ]
    weights = [report.log_ratio for report in coded]
    assert weights == sorted(weights)
    assert weights[0] < weights[1] < weights[2]
    for report, believed in zip(coded, (wrong, None, right), strict=True):
        r = (believed or Reliabilities([])).of("wire", "F").mean
        exact = np.log((r * 0.6 + (1 - r) * 0.4) / (r * 0.2 + (1 - r) * 0.4))
        assert report.log_ratio == pytest.approx(exact)
        assert report.bound == pytest.approx(np.log((1 + r) / (1 - r)))


def _move(start, end):
    return MoveSpec(start, end, Phrase("history"))


def _question(name, *, ladder=None, closes=NOON + 30 * DAY):
    return between(name, NOON - 30 * DAY, closes, ladder=ladder, event="e")


def _item(key, on="q", *, grade="C", known_at=NOON, **more):
    effect = parse_effect(on, more.pop("effect", "x3"))
    return Evidence(
        key, "report", key, "wire", known_at, (effect,), grade=grade, stream="news", **more
    )


def graded(grade, at):
    effect = Effect("source/wire", "datum", {"name": "graded", "grade": grade})
    return Evidence(f"g{grade}", "datum", "grade", "analyst", at, (effect,), stream=STREAM)


def _retraction(at):
    effect = Effect("evidence/n1", "datum", {"name": "retracts"})
    return Evidence("r", "datum", "retracted", "analyst", at, (effect,), stream="news")


def _resolved(name, outcome="yes", at=NOON + 5 * DAY):
    return {name: Resolution(name, outcome, at, "court")}


def test_a_report_becomes_a_claim_when_its_question_resolves_and_not_before():
    items, questions = [_item("n1")], {"q": _question("q")}
    outcome = _resolved("q")
    at = NOON + 5 * DAY
    before = learned(items, questions, outcome, at - dt.timedelta(seconds=1)).of("wire")
    assert (before.claims, before.mean) == (0, pytest.approx(0.6))
    after = learned(items, questions, outcome, at).of("wire")
    assert after.claims == after.right == 1
    assert after.mean > 0.6


def test_what_is_known_later_changes_no_reliability():
    questions = {"q": _question("q"), "p": _question("p")}
    outcomes = _resolved("q") | _resolved("p", at=NOON + 20 * DAY)
    items = [_item("n1"), _item("n2", "p")]
    as_of = NOON + 10 * DAY
    poison = [
        _item("n3", known_at=as_of + DAY, effect="x0.01"),
        _item("n4", known_at=as_of + DAY, grade="A"),
        graded("A", as_of + DAY),
        _retraction(as_of + DAY),
    ]
    clean = learned(items, questions, outcomes, as_of).of("wire")
    poisoned = learned([*items, *poison], questions, outcomes, as_of).of("wire")
    assert np.array_equal(clean.weights, poisoned.weights)
    assert poisoned.claims == 1


@pytest.mark.parametrize(
    ("outcome", "known_at"),
    [("annulled", NOON), ("yes", NOON + 5 * DAY), ("yes", NOON + 6 * DAY)],
    ids=["annulled", "known with the outcome", "known after it"],
)
def test_what_is_no_claim(outcome, known_at):
    items = [_item("n1", known_at=known_at)]
    reliabilities = learned(items, {"q": _question("q")}, _resolved("q", outcome), NOON + 9 * DAY)
    assert reliabilities.of("wire").claims == 0


def test_a_retracted_claim_teaches_nothing_any_more():
    questions, outcomes = {"q": _question("q")}, _resolved("q")
    reliabilities = learned(
        [_item("n1"), _retraction(NOON + DAY)], questions, outcomes, NOON + 9 * DAY
    )
    assert reliabilities.of("wire", "C").mean == pytest.approx(0.6)


def test_a_report_on_a_ladder_is_about_its_last_deadline():
    rungs = [_question(f"l@{i}", ladder="l", closes=NOON + i * DAY) for i in (5, 10)]
    questions = {rung.id: rung for rung in rungs}
    first = _resolved("l@5", "no", NOON + 5 * DAY)
    both = first | _resolved("l@10", "yes", NOON + 8 * DAY)
    assert learned([_item("n1", "l")], questions, first, NOON + 9 * DAY).of("wire").claims == 0
    wire = learned([_item("n1", "l")], questions, both, NOON + 9 * DAY).of("wire")
    assert (wire.claims, wire.right) == (1, 1)


def test_no_later_item_regrades_an_earlier_one():
    items = [
        _item("ungraded", grade="F"),
        _item("c", grade="C", known_at=NOON + DAY),
        _item("between", grade="F", known_at=NOON + 2 * DAY),
        _item("a", grade="A", known_at=NOON + 3 * DAY),
        _item("last", grade="F", known_at=NOON + 4 * DAY),
    ]
    wanted = {"ungraded": "F", "c": "C", "between": "C", "a": "A", "last": "A"}
    assert item_grades(items) == item_grades(items[::-1]) == wanted
    # Recorded before it, an item that nobody had graded stays as it was then.
    early = replace(items[2], seq=1), replace(items[1], seq=2)
    assert item_grades(early)["between"] == "F"
    # To grade the source itself is said in words, and counts for all.
    assert set(item_grades([*items, graded("E", NOON + 5 * DAY)]).values()) == {"E"}


def test_a_claim_teaches_a_source_under_any_grade():
    reliabilities = Reliabilities([_claim(1, yes=True)])
    assert reliabilities.of("wire", "C").mean == reliabilities.of("wire").mean
    for grade in "ABDEF":
        assert reliabilities.of("wire", grade).mean > Reliabilities([]).of("wire", grade).mean


def test_the_grade_set_last_overrides_the_items():
    items = [_item("n1", grade="B"), _item("n2", grade="D", known_at=NOON + DAY)]
    items.append(_item("n3", grade="F", known_at=NOON + 2 * DAY))
    # F says nothing of the source, so the latest grade that does speaks.
    assert grades_of(items) == {"wire": "D"}
    set_twice = [*items, graded("E", NOON + 3 * DAY), graded("A", NOON + DAY)]
    assert grades_of(set_twice) == {"wire": "E"}
    assert "analyst" not in grades_of(set_twice)
    assert learned(set_twice, {}, {}, NOON + 2 * DAY).of("wire").grade == "A"


@pytest.mark.deep
def test_the_quadrature_is_what_pymc_samples():
    import pymc as pm
    import pytensor.tensor as pt

    from forecasting.evidence.reliability import SHIFT_SD

    rng = np.random.default_rng(7)
    grades = {"w0": "B", "w1": "C", "w2": "F"}
    claims = [
        _claim(
            i, yes=bool(rng.random() < 0.7), source=f"w{i % 3}", grade=grades[f"w{i % 3}"],
            a=0.8, b=0.15, u=0.4,
        )
        for i in range(15)
    ]  # fmt: skip
    reliabilities = Reliabilities(claims)
    with pm.Model():
        z = pm.Normal("z")
        for source, grade in grades.items():
            alpha, beta = GRADE_PRIORS[grade]
            r = pm.Beta(f"r_{source}", alpha, beta)
            sd = np.sqrt(polygamma(1, alpha) + polygamma(1, beta))
            c = min(0.95, SHIFT_SD / sd)
            # The copula's density over the marginals': N(x; c z, 1 - c^2) / N(x; 0, 1).
            x = np.sqrt(2.0) * pt.erfinv(
                2.0 * pt.clip(pt.betainc(alpha, beta, r), 1e-12, 1 - 1e-12) - 1.0
            )
            tie = -((x - c * z) ** 2) / (2 * (1 - c**2)) - 0.5 * np.log(1 - c**2) + x**2 / 2
            pm.Potential(f"tie_{source}", tie)
            for claim in claims:
                if claim.report.source == source:
                    side = claim.report.a if claim.yes else claim.report.b
                    pm.Potential(claim.report.key, pt.log(r * side + (1 - r) * claim.report.u))
        options = {"tune": 1500, "chains": 2, "cores": 1, "random_seed": 3, "nuts_sampler": "pymc"}
        trace = pm.sample(4000, progressbar=False, **options)
    for source in grades:
        draws, of = trace.posterior[f"r_{source}"].values, reliabilities.of(source)
        error = 4.5 * draws.std() / np.sqrt(2000)
        assert abs(draws.mean() - of.mean) <= error
        assert abs(draws.std() - np.sqrt(of.nodes**2 @ of.weights - of.mean**2)) <= error
        for level in (0.05, 0.95):
            assert np.quantile(draws, level) == pytest.approx(of.quantile(level), abs=0.02)
