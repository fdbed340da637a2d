"""The platform's scores: its published numbers, and the laws that make them worth copying."""

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.errors import InvalidInput
from forecasting.scoring.metaculus import baseline, geometric_means, peer, spot_baseline, spot_peer

NAN, INF = float("nan"), float("inf")
WINDOW = {"opens": 0, "closes": 10}
PROBABILITY = st.floats(0.01, 0.99)
# A crowd: what each says, when, and when it is taken back; ten days from 0.
SPELL = st.tuples(PROBABILITY, st.integers(-3, 12), st.integers(0, 15))
CROWD = st.lists(SPELL, min_size=1, max_size=7)


def columns(crowd):
    forecasts, start, lasts = (list(column) for column in zip(*crowd, strict=True))
    return forecasts, {"issued_at": start, "withdrawn_at": np.add(start, lasts)}


def numbers(text):
    return [float(x) for x in re.findall(r"-?\d*\.\d+|-?\d+", text)]


def to_the_digits_printed(score, printed):
    decimals = len(printed.partition(".")[2])
    return f"{score:.{decimals}f}" == f"{float(printed):.{decimals}f}"


def test_published_values(published):
    checked = 0
    for row in published("metaculus"):
        group, what, value = row["group"], row["what"], row["value"]
        if what.startswith("score if yes/no"):
            [p] = numbers(row["input"])
            for outcome, printed in zip((1, 0), value.split("/"), strict=True):
                score = baseline([p], outcome, issued_at=[0], **WINDOW).score[0]
                assert to_the_digits_printed(score, printed)
        elif group == "metaculus_baseline":
            [p] = numbers(row["input"])
            start = 5 if "half coverage" in what else 0
            points = baseline([p], 1, issued_at=[start], **WINDOW)
            assert to_the_digits_printed(points.score[0], value)
            assert points.coverage[0] == (10 - start) / 10
        elif group == "metaculus_baseline_time_avg":
            points = baseline(
                [0.4, 0.7, 0.8], 1, issued_at=[1, 2, 4], opens=0, closes=5, forecaster=["me"] * 3
            )
            assert to_the_digits_printed(points.score.sum(), value.split()[-1])
            by_day = [points.score[0] * 5, points.score[1] * 5 / 2, points.score[2] * 5]
            assert [round(each) for each in by_day] == [-32, 49, 68]
        elif what.startswith("two forecasters"):
            scores = peer([0.1, 0.9], 1, issued_at=[0, 0], **WINDOW).score
            assert scores == pytest.approx([float(value), -float(value)], rel=1e-14)
        elif what.startswith("three"):
            scores = peer([0.1, 0.5, 0.9], 1, issued_at=[0] * 3, **WINDOW).score
            for one, printed in zip(scores, value.split("/"), strict=True):
                assert to_the_digits_printed(one, printed)
        elif what.startswith("continuous log scores"):
            # Any densities with log scores -1, 1, 2 in the bucket of the outcome, up to a factor.
            rows_of = [[0, p, 1 - p, 0] for p in np.exp([-1.0, 1.0, 2.0]) / 10]
            scores = peer(rows_of, 1, issued_at=[0] * 3, question_type="pmf", **WINDOW).score
            # -1 against the mean of 1 and 2 is -2.5; the platform's points are 50 times that.
            assert scores / 50 == pytest.approx(numbers(value)[:3])
        elif group == "metaculus_gmean":
            means = geometric_means([0.7, 0.8, 0.9], issued_at=[0] * 3).forecast[0]
            assert [f"{x:.8f}" for x in means] == [f"{x:.8f}" for x in numbers(value)[:2]]
        elif group == "metaculus_recency":
            continue  # a pool, not a score
        else:
            pytest.fail(f"a row that no test reads: {row}")
        checked += 1
    assert checked == 12


def test_chance_scores_nothing_and_certainty_a_hundred():
    for options in (2, 3, 7):
        uniform, sure = [1 / options] * options, [1.0] + [0.0] * (options - 1)
        points = baseline(
            [uniform, sure], 0, issued_at=[0, 0], question_type="multiple_choice", **WINDOW
        )
        assert points.score == pytest.approx([0, 100])
    # A flat CDF between closed bounds, and with 5 % beyond each open one, is the baseline itself.
    closed = baseline([np.linspace(0, 1, 201)], 7, issued_at=[0], question_type="cdf", **WINDOW)
    assert closed.score == pytest.approx([0], abs=1e-9)
    flat = [np.linspace(0.05, 0.95, 201)]
    for bucket in (0, 1, 100, 200, 201):
        points = baseline(flat, bucket, issued_at=[0], question_type="cdf", open_bounds=2, **WINDOW)
        assert points.score == pytest.approx([0], abs=1e-9)


def test_continuous_by_hand():
    # Buckets .2 .3 .3 .2; two bins, one open bound: the baseline inside is .95 / 2 = .475.
    cdf, pmf = [[0.2, 0.5, 0.8]], [[0.2, 0.3, 0.3, 0.2]]
    for forecast, kind in ((cdf, "cdf"), (pmf, "pmf")):
        inside = spot_baseline(forecast, 2, issued_at=[0], at=1, question_type=kind, open_bounds=1)
        assert inside.score == pytest.approx([50 * math.log(0.3 / 0.475)])
        tail = spot_baseline(forecast, 3, issued_at=[0], at=1, question_type=kind, open_bounds=1)
        assert tail.score == pytest.approx([50 * math.log(0.2 / 0.05)])


def test_an_option_that_came_later_reads_as_other_and_counts_only_once_offered():
    early, late = [0.5, 0.1, NAN, 0.4], [0.5, 0.1, 0.3, 0.1]
    scores = baseline(
        [early, late], 2, issued_at=[0, 0], question_type="multiple_choice", **WINDOW
    ).score
    assert scores == pytest.approx(
        [100 * math.log(0.4 * 3) / math.log(3), 100 * math.log(0.3 * 4) / math.log(4)]
    )
    # Among those who all lack it, the peer score compares their Other.
    crowd = [early, [0.2, 0.6, NAN, 0.2]]
    alike = peer(crowd, 2, issued_at=[0, 0], question_type="multiple_choice", **WINDOW).score
    assert alike == pytest.approx([100 * math.log(2), -100 * math.log(2)])
    # In a mixed crowd the platform's yardstick is the geometric mean of Other, sqrt(.4 x .1).
    mixed = peer([early, late], 2, issued_at=[0, 0], question_type="multiple_choice", **WINDOW)
    assert mixed.score == pytest.approx([200 * math.log(0.4 / 0.2), 200 * math.log(0.3 / 0.2)])
    means = geometric_means([early, late], issued_at=[0, 0], question_type="multiple_choice")
    assert np.isnan(means.forecast[0]).tolist() == [False, False, True, False]


@given(crowd=CROWD, outcome=st.integers(0, 1), closed=st.integers(1, 12))
def test_peer_scores_of_a_question_sum_to_nothing(crowd, outcome, closed):
    forecasts, spells = columns(crowd)
    points = peer(forecasts, outcome, closed_at=closed, **spells, **WINDOW)
    assert points.score.sum() == pytest.approx(0, abs=1e-8)
    buckets = np.column_stack([np.multiply(forecasts, 0.5), np.full(len(forecasts), 0.5)])
    pmf = np.column_stack([buckets, 0.5 - buckets[:, 0]])
    points = peer(pmf, outcome, closed_at=closed, question_type="pmf", **spells, **WINDOW)
    assert points.score.sum() == pytest.approx(0, abs=1e-8)


@given(crowd=CROWD, outcome=st.integers(0, 1), at=st.floats(0.1, 9.9))
def test_spot_peer_scores_sum_to_nothing_between_changes(crowd, outcome, at):
    forecasts, spells = columns(crowd)
    if at.is_integer():
        at += 0.05
    points = spot_peer(forecasts, outcome, at=at, **spells)
    assert points.score.sum() == pytest.approx(0, abs=1e-8)
    assert set(points.coverage) <= {0.0, 1.0}


@given(crowd=CROWD, bots=CROWD, outcome=st.integers(0, 1), at=st.floats(0.1, 9.9))
def test_who_is_not_of_the_crowd_moves_nobodys_score(crowd, bots, outcome, at):
    (people, spells), (everybody, all_spells) = columns(crowd), columns([*crowd, *bots])
    within = [True] * len(crowd) + [False] * len(bots)
    for score, window in ((peer, WINDOW), (spot_peer, {"at": at})):
        alone = score(people, outcome, **spells, **window)
        beside = score(everybody, outcome, in_crowd=within, **all_spells, **window)
        np.testing.assert_allclose(beside.score[: len(crowd)], alone.score, atol=1e-9)
        np.testing.assert_allclose(beside.coverage[: len(crowd)], alone.coverage, atol=1e-12)
        nobody = score(everybody, outcome, in_crowd=[False] * len(within), **all_spells, **window)
        assert not nobody.score.any()
        with pytest.raises(InvalidInput, match="must be one for each of"):
            score(people, outcome, in_crowd=within, **spells, **window)


@given(crowd=CROWD, outcome=st.integers(0, 1), seed=st.integers(0, 99))
def test_the_order_of_rows_moves_the_scores_along_and_changes_none(crowd, outcome, seed):
    forecasts, spells = columns(crowd)
    order = np.random.default_rng(seed).permutation(len(forecasts))
    moved = {name: np.asarray(times)[order] for name, times in spells.items()}
    for score in (baseline, peer):
        plain = score(forecasts, outcome, **spells, **WINDOW)
        again = score(np.asarray(forecasts)[order], outcome, **moved, **WINDOW)
        np.testing.assert_allclose(again.score, plain.score[order], atol=1e-9)
        np.testing.assert_allclose(again.coverage, plain.coverage[order], atol=1e-12)
    plain, again = (
        geometric_means(*args[:1], **args[1])
        for args in ((forecasts, spells), (np.asarray(forecasts)[order], moved))
    )
    np.testing.assert_allclose(again.forecast, plain.forecast)


@given(crowd=CROWD, outcome=st.integers(0, 1), shift=st.integers(-50, 50))
def test_only_durations_count(crowd, outcome, shift):
    forecasts, spells = columns(crowd)
    later = {name: np.add(times, shift) for name, times in spells.items()}
    for score in (baseline, peer):
        plain = score(forecasts, outcome, **spells, **WINDOW)
        moved = score(forecasts, outcome, opens=shift, closes=10 + shift, **later)
        np.testing.assert_allclose(moved.score, plain.score, atol=1e-9)


def test_a_lone_forecaster_has_no_peers():
    alone = peer([0.9], 1, issued_at=[2], **WINDOW)
    assert (alone.score.tolist(), alone.coverage.tolist()) == ([0.0], [0.8])
    spot = spot_peer([0.9], 1, issued_at=[2], at=5)
    assert (spot.score.tolist(), spot.coverage.tolist()) == ([0.0], [1.0])
    assert geometric_means([0.9], issued_at=[2]).n_forecasters.tolist() == [0]
    # Even one who gave what happened no chance.
    assert peer([0.0], 1, issued_at=[0], **WINDOW).score.tolist() == [0.0]


def test_equal_forecasts_are_equal_peers():
    points = peer([0.3] * 4, 1, issued_at=[0] * 4, **WINDOW)
    np.testing.assert_allclose(points.score, 0, atol=1e-12)
    np.testing.assert_allclose(points.coverage, 1)


def test_a_late_joiner_meets_the_others_for_the_time_left():
    # Alone for five days (0 each), then .9 against .5 for five of ten: half of 100 ln(.9/.5).
    points = peer([0.5, 0.9], 1, issued_at=[0, 5], **WINDOW)
    assert points.score == pytest.approx([-50 * math.log(1.8), 50 * math.log(1.8)])
    assert points.coverage == pytest.approx([1, 0.5])


def test_forecasts_before_the_opening_count_from_the_opening():
    for score in (baseline, peer):
        early = score([0.8, 0.4], 1, issued_at=[-5, -2], **WINDOW)
        punctual = score([0.8, 0.4], 1, issued_at=[0, 0], **WINDOW)
        np.testing.assert_allclose(early.score, punctual.score)
        np.testing.assert_allclose(early.coverage, 1)


def test_a_new_forecast_ends_the_same_persons_last_one_and_nobody_elses():
    by_hand = {"issued_at": [0, 4, 0], "withdrawn_at": [4, INF, INF]}
    carried = {"issued_at": [0, 4, 0], "forecaster": ["me", "me", "you"]}
    for score in (baseline, peer):
        np.testing.assert_allclose(
            score([0.4, 0.8, 0.5], 1, **carried, **WINDOW).score,
            score([0.4, 0.8, 0.5], 1, **by_hand, **WINDOW).score,
        )


def test_restating_a_forecast_changes_nothing():
    once = peer([0.8, 0.5], 1, issued_at=[0, 0], **WINDOW).score
    again = peer(
        [0.8, 0.8, 0.5], 1, issued_at=[0, 3, 0], forecaster=["me", "me", "you"], **WINDOW
    ).score
    assert again[0] + again[1] == pytest.approx(once[0])
    assert again[2] == pytest.approx(once[1])


def test_early_closure_cuts_the_score_and_not_the_window():
    early = baseline([0.9, 0.9], 1, issued_at=[0, 5], closed_at=5, **WINDOW)
    full = baseline([0.9], 1, issued_at=[0], **WINDOW)
    assert early.score == pytest.approx([full.score[0] / 2, 0])
    assert early.coverage.tolist() == [0.5, 0.0]
    late = baseline([0.9], 1, issued_at=[0], closed_at=30, **WINDOW)
    assert late.score == pytest.approx(full.score)


def test_withdrawal_ends_the_score():
    points = baseline([0.9], 1, issued_at=[2], withdrawn_at=[5], **WINDOW)
    assert points.coverage == pytest.approx([0.3])
    # The platform's habit: with nobody left, the last crowd's coverage runs on to the close.
    peers = peer([0.9, 0.5], 1, issued_at=[0, 0], withdrawn_at=[5, 8], **WINDOW)
    assert peers.coverage == pytest.approx([0.5, 1.0])
    assert peers.score == pytest.approx([50 * math.log(1.8), -50 * math.log(1.8)])


def test_a_spot_score_is_what_stood_then():
    spells = {"issued_at": [0, 6], "withdrawn_at": [4, INF]}
    points = spot_baseline([0.9, 0.8], 1, at=4, **spells)
    assert (points.score.tolist(), points.coverage.tolist()) == ([0, 0], [0, 0])
    points = spot_baseline([0.9, 0.8], 1, at=6, **spells)
    assert points.score == pytest.approx([0, 100 * (1 + math.log2(0.8))])
    # Whoever comes at the moment itself meets those before; and nobody came before the first.
    points = spot_peer([0.5, 0.5, 0.9], 1, issued_at=[0, 0, 6], at=6)
    assert points.score == pytest.approx([0, 0, 200 * math.log(1.8)])
    assert spot_peer([0.9, 0.8], 1, issued_at=[6, 6], at=6).coverage.tolist() == [0, 0]


@given(truth=PROBABILITY, other=PROBABILITY)
def test_honesty_maximises_the_baseline_score(truth, other):
    def expected(p):
        yes, no = (baseline([p], y, issued_at=[3], **WINDOW).score[0] for y in (1, 0))
        return truth * yes + (1 - truth) * no

    assert expected(truth) >= expected(other) - 1e-9


def test_nobody_gains_from_an_early_yes_under_the_scheduled_window():
    # A thing that happens with chance .02 a day for 50 days, and closes the question: forecast
    # its true remaining chance, or lean towards YES all along.
    days, daily = 50, 0.02
    happens = daily * (1 - daily) ** np.arange(days)
    left = 1 - (1 - daily) ** (days - np.arange(days))

    def expected(path):
        def points(outcome, end):
            return baseline(
                path,
                outcome,
                issued_at=np.arange(days),
                opens=0,
                closes=days,
                closed_at=end,
                forecaster=["me"] * days,
            )

        per_window, per_day_open = (1 - happens.sum()) * points(0, None).score.sum(), 0.0
        per_day_open = per_window
        for day in range(days):
            at_yes = points(1, day + 1)
            per_window += happens[day] * at_yes.score.sum()
            per_day_open += happens[day] * at_yes.score.sum() / at_yes.coverage.sum()
        return per_window, per_day_open

    honest, leaning = expected(left), expected(np.minimum(left + 0.1, 0.99))
    assert honest[0] > leaning[0]
    # The negative control: divided by the days it was open, leaning pays.
    assert honest[1] < leaning[1]


def test_a_zero_for_what_happened_is_shown():
    assert baseline([0.0], 1, issued_at=[0], **WINDOW).score.tolist() == [-INF]
    assert peer([0.0, 0.5], 1, issued_at=[0, 0], **WINDOW).score.tolist() == [-INF, INF]
    both = peer([0.0, 0.0, 0.5], 1, issued_at=[0] * 3, **WINDOW).score
    assert np.isnan(both[:2]).all()
    # Unless it never stood.
    assert baseline([0.0], 1, issued_at=[20], **WINDOW).score.tolist() == [0.0]


def test_changes_of_the_crowd():
    means = geometric_means([0.5, 0.2, 0.8], issued_at=[0, 1, 1], withdrawn_at=[3, 2, 3])
    assert means.at.tolist() == [0, 1, 2]
    assert means.n_forecasters.tolist() == [0, 3, 2]
    yes = [0.5, 0.08 ** (1 / 3), 0.4**0.5]
    assert means.forecast[:, 1] == pytest.approx(yes)
    zero = geometric_means(
        [[0, 0.5, 0.5, 0], [0, 1.0, 0, 0]], issued_at=[0, 0], question_type="pmf"
    )
    assert zero.forecast[0] == pytest.approx([0, 0.5**0.5, 0, 0])


def test_a_question_without_forecasts_has_no_scores():
    assert baseline([], 1, issued_at=[], **WINDOW).score.shape == (0,)
    assert peer([], 1, issued_at=[], **WINDOW).score.shape == (0,)
    assert spot_baseline([], 1, issued_at=[], at=1).score.shape == (0,)
    assert spot_peer([], 1, issued_at=[], at=1).coverage.shape == (0,)
    assert geometric_means([], issued_at=[]).at.shape == (0,)
