"""News into log-odds: the tables of the notes, to the digit."""

from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.domain.evidence import parse_effect
from forecasting.errors import InvalidInput
from forecasting.evidence import (
    Report,
    likelihood_ratio,
    shift_probability,
    story_discount,
    total_log_odds,
)
from forecasting.models.encoding.reports import reweigh

CERTAIN = {"A": (1e9, 1e-3)}


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
