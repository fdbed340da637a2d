"""Reports as evidence: their spelling, the channel that doubts them, stories, and time."""

import datetime as dt
from math import inf, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.domain.evidence import (
    Effect,
    code_ratio,
    fading,
    half_life_of,
    parse_effect,
    parse_half_life,
    split_on,
)
from forecasting.errors import InvalidInput
from forecasting.evidence.likelihood import (
    Report,
    likelihood_ratio,
    story_discount,
    story_discounts,
)

NOON = dt.datetime(2026, 5, 9, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


@pytest.mark.parametrize(
    ("reliability", "ratio"), [(1.0, 3.0), (0.8, 2.333), (0.5, 1.667), (0.2, 1.222), (0.0, 1.0)]
)
def test_reliability_weakens_a_report_to_nothing(reliability, ratio):
    assert float(likelihood_ratio(0.6, 0.2, 0.4, reliability)) == pytest.approx(ratio, abs=5e-4)


@given(st.floats(1e-6, 1e6), st.floats(0.0, 1.0))
def test_half_way_between_yes_and_no_bounds_what_a_source_can_say(ratio, r):
    a, b = ratio**0.5, ratio**-0.5
    ratio_at_r = float(likelihood_ratio(a, b, (a + b) / 2, r))
    most = (1 + r) / (1 - r) if r < 1.0 else inf
    assert 1 / most * (1 - 1e-9) <= ratio_at_r <= most * (1 + 1e-9)


@pytest.mark.parametrize(("rho", "effective"), [(1.0, 1.0), (0.6, 1.4706), (0.0, 5.0)])
def test_five_equal_items_count_as_their_dependence_says(rho, effective):
    assert 5 * story_discount([log(2)] * 5, rho) == pytest.approx(effective, abs=5e-5)


def _reports(*stories):
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
def test_one_event_sourced_apart_is_between_copies_and_independence(stories, effective):
    discounts = story_discounts(_reports(*stories), lambda report: 1.0)
    assert sum(discounts.values()) == pytest.approx(effective, abs=1e-4)


@given(st.floats(0.01, 100))
def test_a_ratio_and_its_inverse_are_mirror_images(ratio):
    up, down = (
        parse_effect("q", f"x{ratio:.6f}").detail,
        parse_effect("q", f"x1/{ratio:.6f}").detail,
    )
    assert up["a"] * down["a"] == pytest.approx(1.0)
    assert up["a"] == pytest.approx(down["b"])


@pytest.mark.parametrize(
    "text",
    ["0/0.2", "1.2/0.2", "x0", "xinf", "x1/0", "+3", "delivered", "delivered=-3", "ended=3",
     "maybe", ""],
)  # fmt: skip
def test_effects_that_say_nothing_are_refused(text):
    with pytest.raises(InvalidInput):
        parse_effect("q", text)


@pytest.mark.parametrize(
    ("text", "target", "effect", "fact"),
    [
        ("q", "q", "", ""),
        (" guarantees = firm = x2 ", "guarantees=firm", "x2", ""),
        ("guarantees=soft|firm=0.6/0.2", "guarantees=soft|firm", "0.6/0.2", ""),
        ("convoy=+1", "convoy", "+1", ""),
        ("q@2026-12-31=x1/2", "q@2026-12-31", "x1/2", ""),
        ("q=option=0", "q=option", "0", ""),
        ("truce=on", "truce", "", "on"),
        ("detainees=300", "detainees", "", "300"),
        ("detainees=0", "detainees", "", "0"),
        ("convoy=event", "convoy", "", "event"),
        ("q=stance=0.7", "q", "stance=0.7", ""),
        ("q=stance=-1", "q", "stance=-1", ""),
        ("q=delivered=205", "q", "", "delivered=205"),
    ],
)
def test_an_effect_is_known_by_its_spelling(text, target, effect, fact):
    stated = split_on(text)
    assert (stated.target, stated.effect, stated.fact) == (target, effect, fact)


@pytest.mark.parametrize(
    ("text", "days"), [("10d", 10.0), ("10", 10.0), ("2 weeks", 14.0), ("3mo", 91.3125),
                       ("1 y", 365.25), ("6h", 0.25), ("Lasting", "lasting")],
)  # fmt: skip
def test_half_lives_are_read(text, days):
    assert parse_half_life(text) == days


@pytest.mark.parametrize("text", ["", "0d", "-1d", "d", "inf", "1e3d", "10 fortnights", "900y"])
def test_half_lives_that_are_none_are_refused(text):
    with pytest.raises(InvalidInput, match="half_life"):
        parse_half_life(text)


def test_what_older_entries_hold_is_read_and_stays_as_it_is():
    pair, ratio = parse_effect("q", "0.6/0.15"), parse_effect("q", "x4")
    assert dict(pair.detail) == {"a": 0.6, "b": 0.15, "u": 0.3}
    assert dict(ratio.detail) == {"a": 2.0, "b": 0.5, "u": 1.0}
    assert half_life_of(pair) == 30.0
    assert half_life_of(fading(pair, "lasting")) == inf
    assert dict(parse_effect("q", "delivered=205").detail) == {"name": "delivered", "value": 205.0}
    assert dict(parse_effect("q", "ended").detail) == {"name": "ended"}
    codes = {"stance=+2": 4.0, "stance=-1": 0.5, "stance=0.99": 4.0, "stance=0.15": 0.25,
             "stance=0.5": 1.0, "stance=0.3": 0.5}  # fmt: skip
    assert {code: code_ratio(parse_effect("q", code)) for code in codes} == codes
    assert fading(Effect("q", "bears", {}), 3.0).detail == {}


@given(st.lists(st.floats(0.0, 5.0), min_size=1, max_size=6))
def test_an_uninformative_item_changes_nothing(sizes):
    assert story_discount([*sizes, 0.0]) == pytest.approx(story_discount(sizes))
    assert 0.0 < story_discount(sizes) <= 1.0
    assert np.isfinite(story_discount(sizes))
