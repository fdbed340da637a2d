"""News into log-odds: the tables of the notes, to the digit."""

import datetime as dt
from itertools import product
from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.domain.evidence import Effect, Evidence, parse_effect
from forecasting.errors import InvalidInput
from forecasting.evidence import (
    Reliability,
    Report,
    known,
    likelihood_ratio,
    retracted,
    shift_probability,
    story_discount,
    story_discounts,
    total_log_odds,
)
from forecasting.models.encoding.reports import reports_on, reweigh

NOON = dt.datetime(2026, 5, 9, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


def _reports(
    count: int, *, story: str = "", grade: str = "C", source: str = "wire"
) -> list[Report]:
    return [Report(f"n{i}", source, grade, story or f"s{i}", 0.6, 0.2, 0.4) for i in range(count)]


@pytest.mark.parametrize(
    ("reliability", "ratio", "p"),
    [
        (1.0, 3.0, 0.5625),
        (0.8, 2.333, 0.5),
        (0.5, 1.667, 0.4167),
        (0.2, 1.222, 0.3438),
        (0.0, 1.0, 0.3),
    ],
)
def test_reliability_weakens_a_report_to_nothing(
    reliability: float, ratio: float, p: float
) -> None:
    # Prior .3, a = .6, b = .2, u = .4.
    found = float(likelihood_ratio(0.6, 0.2, 0.4, reliability))
    assert found == pytest.approx(ratio, abs=5e-4)
    assert float(shift_probability(0.3, log(found))) == pytest.approx(p, abs=5e-5)


@pytest.mark.parametrize(("rho", "p"), [(1.0, 0.4615), (0.6, 0.5429), (0.0, 0.932)])
def test_five_copies_of_one_story_count_as_their_dependence_says(rho: float, p: float) -> None:
    # Prior .3, five reports of likelihood ratio 2.
    shift = 5 * log(2) * story_discount([log(2)] * 5, rho)
    assert float(shift_probability(0.3, shift)) == pytest.approx(p, abs=5e-5)


def test_five_stories_of_one_source_share_its_reliability() -> None:
    # Averaging the probability over r instead would give .883.
    assert float(shift_probability(0.3, total_log_odds(_reports(5)))) == pytest.approx(
        0.898, abs=5e-4
    )


def test_an_uninformative_item_changes_nothing() -> None:
    reports = _reports(2, story="one")
    silent = Report("n9", "other", "A", "one", 0.5, 0.5, 0.5)
    assert total_log_odds([*reports, silent]) == pytest.approx(total_log_odds(reports), abs=1e-12)


@given(st.permutations(range(5)))
def test_the_order_of_reports_does_not_matter(order: list[int]) -> None:
    reports = [*_reports(3, story="a"), *_reports(2, grade="E", source="rumour")]
    reports = [
        Report(f"k{i}", r.source, r.grade, r.story, r.a, r.b, r.u) for i, r in enumerate(reports)
    ]
    assert total_log_odds([reports[i] for i in order]) == pytest.approx(total_log_odds(reports))


@given(
    st.lists(st.floats(0.001, 0.999), min_size=1, max_size=5),
    st.integers(0, 4),
    st.floats(0.01, 100),
)
def test_a_report_keeps_a_ladder_rising_and_inside_its_bounds(
    probabilities: list[float], about: int, ratio: float
) -> None:
    ladder = sorted(probabilities)
    moved = reweigh(ladder, min(about, len(ladder) - 1), ratio)
    assert all(0 <= p <= 1 for p in moved)
    assert np.all(np.diff(moved) >= -1e-12)


def test_a_report_on_one_rung_is_bayes_rule_on_that_rung() -> None:
    assert reweigh([0.3], 0, 3.0)[0] == pytest.approx(0.5625)


@given(st.floats(0.01, 100))
def test_a_ratio_and_its_inverse_are_mirror_images(ratio: float) -> None:
    up = parse_effect("q", f"x{ratio:.6f}").detail
    down = parse_effect("q", f"x{1 / ratio:.6f}").detail
    for r in (0.0, 0.3, 1.0):
        product = likelihood_ratio(up["a"], up["b"], up["u"], r) * likelihood_ratio(
            down["a"], down["b"], down["u"], r
        )
        assert float(product) == pytest.approx(1.0, rel=1e-3)


@pytest.mark.parametrize(
    "text",
    ["0/0.2", "1.2/0.2", "x0", "xinf", "+3", "delivered", "delivered=-3", "ended=3", "maybe", ""],
)
def test_effects_that_say_nothing_are_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_effect("q", text)


def _told(*stories: str) -> list[Report]:
    # Graded A in full: u = 1 and a / b = 2 at r = 1.
    return [Report(f"k{i}", f"w{i}", "A", story, 2.0, 1.0, 1.5) for i, story in enumerate(stories)]


@pytest.mark.parametrize(
    ("stories", "effective"),
    [
        (("s", "s"), 2 / 1.9),
        (("e/x", "e/x"), 2 / 1.9),
        (("e/x", "e/y"), 2 / 1.5),
        (("e", "e/y"), 2 / 1.5),
        (("e/x", "f/x"), 2.0),
        # Two copies are worth 1.0526 of one; with the other outlet m* = 2.0526^2 / (1.0526^2 + 1).
        (("e/x", "e/x", "e/y"), 2.05263 / (1 + (2.05263**2 / (1.05263**2 + 1) - 1) * 0.5)),
    ],
)
def test_one_event_sourced_apart_is_between_copies_and_independence(
    stories: tuple[str, ...], effective: float
) -> None:
    discounts = story_discounts(_told(*stories), lambda report: 1.0)
    assert sum(discounts.values()) == pytest.approx(effective, abs=1e-4)


class _Certain:
    def of(self, source: str, grade: str) -> Reliability:
        return Reliability(source, grade, np.array([1.0]), np.array([1.0]))


def test_the_total_is_what_the_discounts_say_when_the_source_is_certain() -> None:
    for rho, p in [(1.0, 0.4615), (0.6, 0.5429), (0.0, 0.932)]:
        shift = total_log_odds(_told(*["one"] * 5), rho=rho, reliability=_Certain())
        assert float(shift_probability(0.3, shift)) == pytest.approx(p, abs=5e-5)


@pytest.mark.parametrize("grade", list("ABCDEF"))
def test_on_average_over_what_may_be_reported_nothing_is_expected_to_change(grade: str) -> None:
    # Two reports of one source on two stories, each said or left unsaid: the complement of
    # (a, b, u) is (1 - a, 1 - b, 1 - u). Weights: the prior predictive of the four cases.
    prior, told = 0.3, [(0.6, 0.2, 0.4), (0.7, 0.1, 0.3)]
    alpha, beta = {"A": (19, 1), "B": (8, 2), "C": (6, 4), "D": (4, 6), "E": (2, 8), "F": (1, 1)}[
        grade
    ]
    nodes, weights = np.polynomial.legendre.leggauss(200)
    r = (nodes + 1) / 2
    density = weights * r ** (alpha - 1) * (1 - r) ** (beta - 1)
    density /= density.sum()
    mean = total = 0.0
    for said in product([True, False], repeat=2):
        sides = [
            tuple(x if yes else 1 - x for x in channel)
            for yes, channel in zip(said, told, strict=True)
        ]
        reports = [Report(f"n{i}", "wire", grade, f"s{i}", *side) for i, side in enumerate(sides)]
        if_yes, if_no = (
            float(density @ np.prod([r * side[at] + (1 - r) * side[2] for side in sides], axis=0))
            for at in (0, 1)
        )
        weight = prior * if_yes + (1 - prior) * if_no
        total += weight
        mean += weight * float(shift_probability(prior, total_log_odds(reports)))
    assert total == pytest.approx(1.0, abs=1e-9)
    assert mean == pytest.approx(prior, abs=1e-9)


def _item(key: str, effect: str = "x3", at: dt.datetime = NOON) -> Evidence:
    return Evidence(key, "report", key, "wire", at, (parse_effect("q", effect),), stream="news")


def _retraction(key: str, at: dt.datetime) -> Evidence:
    effect = Effect(f"evidence/{key}", "datum", {"name": "retracts"})
    return Evidence(f"r-{key}", "datum", "no", "analyst", at, (effect,), stream="news")


def _shift(items: list[Evidence], as_of: dt.datetime) -> float:
    return total_log_odds(reports_on(retracted(known(items, as_of)), {"q"}))


def test_adding_then_retracting_restores_and_only_from_then_on() -> None:
    items = [_item("a"), _item("b", "x0.2", NOON + DAY), _retraction("b", NOON + 3 * DAY)]
    alone = _shift([_item("a")], NOON + 9 * DAY)
    assert _shift(items, NOON + 3 * DAY) == alone
    assert _shift(items, NOON + 2 * DAY) == _shift(items[:2], NOON + 2 * DAY) != alone


@given(st.permutations(range(4)), st.integers(0, 5))
def test_nothing_known_later_enters_in_any_order(order: list[int], days: int) -> None:
    items = [_item(f"k{i}", "x3", NOON + i * DAY) for i in range(3)]
    items.append(_retraction("k0", NOON + 4 * DAY))
    as_of = NOON + days * DAY
    by_then = [item for item in items if item.known_at <= as_of]
    assert _shift([items[i] for i in order], as_of) == _shift(by_then, as_of)


def test_evidence_without_measure_is_certainty_and_no_overflow() -> None:
    for sign, p in [(1, 1.0), (-1, 0.0)]:
        assert float(shift_probability(0.3, sign * 5000.0)) == pytest.approx(p, abs=1e-12)
    absurd = [Report(f"k{i}", f"w{i}", "A", f"s{i}", 1e150, 1e-150, 1.0) for i in range(5)]
    assert total_log_odds(absurd) > 700
