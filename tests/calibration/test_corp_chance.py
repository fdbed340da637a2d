"""What chance alone gives: bands, null and p-values keep their promises, and only for independent
forecasts."""

import numpy as np
import pytest

from forecasting.calibration import confidence_band, corp
from forecasting.calibration.isotonic import isotonic

FORECAST = np.repeat(np.arange(0, 101, 10) / 100, 8)


#: Runs, the size of a record, and whether its forecasts are rounded to 5 %.
RECORDS = [
    (300, 50, True),
    *(
        pytest.param(1_000, n, rounded, marks=pytest.mark.deep)
        for n in (50, 200, 1_000)
        for rounded in (False, True)
    ),
]


def forecasts(rng, n, rounded):
    p = rng.beta(0.8, 1.2, n)
    return np.clip(np.round(p * 20) / 20, 0.05, 0.95) if rounded else p


@pytest.mark.parametrize(("runs", "n", "rounded"), RECORDS)
def test_p_values_are_small_as_rarely_as_they_say(runs, n, rounded):
    rng = np.random.default_rng(n + rounded)
    p = np.empty(runs)
    for run in range(runs):
        forecast = forecasts(rng, n, rounded)
        p[run] = corp(forecast, rng.random(n) < forecast, resamples=199, seed=run).p_value
    for a in (0.01, 0.05, 0.1):
        assert (p <= a).mean() <= a + 3 * np.sqrt(a * (1 - a) / runs)
    # And not only because they never are: 200 draws know a tenth to a few hundredths.
    assert (p <= 0.1).mean() >= 0.06 - (runs < 1_000) * 3 * np.sqrt(0.09 / runs)
    assert (p > 0).all()


@pytest.mark.parametrize(("runs", "n", "rounded"), RECORDS)
def test_bands_hold_calibrated_curves(runs, n, rounded):
    rng = np.random.default_rng(n)
    forecast = forecasts(rng, n, rounded)
    d = corp(forecast, np.zeros(n), seed=1)
    band = d.band(0.9)
    pooled = d.pooled
    drawn = rng.binomial(pooled.n, pooled.value, (runs, len(pooled.value))).astype(float)
    curves = isotonic(drawn, pooled.n)
    inside = (band["lower"].to_numpy() <= curves) & (curves <= band["upper"].to_numpy())
    # Each point by itself, with what 1,000 runs and 1,000 draws leave open.
    assert inside.mean(axis=0).min() >= 0.88 - 3 * np.sqrt(0.1 * 0.9 / runs)
    # Ties broken by lot, ranks are uniform: on average the band is no wider than it must be.
    null = np.sort(d._null[0], axis=0)
    lot = rng.random(curves.shape)
    rank = np.empty_like(curves)
    for x in range(curves.shape[1]):
        below = np.searchsorted(null[:, x], curves[:, x] - 1e-12)
        level = np.searchsorted(null[:, x], curves[:, x] + 1e-12, side="right") - below
        rank[:, x] = (below + lot[:, x] * (level + 1)) / (len(null) + 1)
    assert 0.88 <= ((rank >= 0.05) & (rank <= 0.95)).mean() <= 0.92


@pytest.mark.parametrize(
    ("runs", "n"), [(60, 30), *(pytest.param(200, n, marks=pytest.mark.deep) for n in (50, 200))]
)
def test_twenty_updates_taken_as_independent_fail(runs, n):
    # The negative control, for band and p-value.
    rng = np.random.default_rng(n)
    small, inside = [], []
    for run in range(runs):
        forecast = forecasts(rng, n, True)
        outcome = rng.random(n) < forecast
        # Every update says what the question's first did; its outcome is one.
        d = corp(np.repeat(forecast, 20), np.repeat(outcome, 20), resamples=199, seed=run)
        small.append(d.p_value <= 0.05)
        band = d.band(0.9)
        inside.append(
            ((band["lower"] <= d.event_rate) & (d.event_rate <= band["upper"])).to_numpy().mean()
        )
    assert np.mean(small) > 0.7
    assert np.mean(inside) < 0.75


def test_the_null_miscalibration_is_the_mean_under_calibration():
    rng = np.random.default_rng(4)
    forecast = rng.random(30).round(1)
    seen = [corp(forecast, rng.random(30) < forecast).miscalibration for _ in range(400)]
    null = corp(forecast, np.zeros(30)).null_miscalibration
    assert null == pytest.approx(np.mean(seen), abs=4 * np.std(seen) / 20)
    # At thirty forecasts it is far from nothing, which is why it is shown beside.
    assert null > 0.01


def test_overconfidence_is_found():
    rng = np.random.default_rng(6)
    truth = rng.random(1000)
    p = np.clip(1.6 * (truth - 0.5) + 0.5, 0.02, 0.98).round(2)
    d = corp(p, rng.random(1000) < truth)
    assert d.p_value < 0.01
    assert d.miscalibration > 2 * d.null_miscalibration


def test_draws_are_made_at_first_access_and_then_kept():
    d = corp(FORECAST, np.zeros(len(FORECAST)))
    assert "_null" not in vars(d)
    first = d.p_value
    draws = vars(d)["_null"]
    assert d.p_value == first
    assert d.null_miscalibration > 0
    assert vars(d)["_null"] is draws


def test_a_seed_gives_the_same_band():
    forecast, outcome = FORECAST, np.arange(len(FORECAST)) % 2
    one, two, other = (corp(forecast, outcome, seed=seed).band() for seed in (1, 1, 2))
    assert one.equals(two)
    assert not one.equals(other)


def test_bands_nest_and_hold_the_diagonal():
    d = corp(FORECAST, np.zeros(len(FORECAST)))
    narrow, wide = d.band(0.5), d.band(0.95)
    assert (wide["lower"] <= narrow["lower"]).all()
    assert (wide["upper"] >= narrow["upper"]).all()
    assert (wide["lower"] <= wide["forecast"]).all()
    assert (wide["forecast"] <= wide["upper"]).all()


def test_too_few_draws_for_a_level_give_the_whole_range():
    band = corp([0.3, 0.6], [0, 1], resamples=9).band(0.9)
    assert band["lower"].tolist() == [0, 0]
    assert band["upper"].tolist() == [1, 1]


def updates(seed, clusters=12, each=20):
    rng = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(clusters), each)
    chance = rng.beta(1, 1, clusters)[cluster]
    forecast = np.clip(chance + rng.normal(0, 0.1, len(cluster)), 0, 1).round(1)
    return forecast, (rng.random(clusters)[cluster] < chance).astype(int), cluster


def test_a_confidence_band_over_events_is_wider_than_over_updates():
    forecast, outcome, cluster = updates(0)
    honest = confidence_band(forecast, outcome, cluster=cluster)
    naive = confidence_band(forecast, outcome, cluster=range(len(forecast)))
    assert honest.note == "approximate"
    assert np.mean(honest.upper - honest.lower) > 2 * np.mean(naive.upper - naive.lower)
    assert (honest.lower <= honest.upper).all()
    assert np.isfinite(honest.lower).all()
    assert not hasattr(honest, "p_value")


def test_a_confidence_band_pays_no_heed_to_rows_and_names():
    forecast, outcome, cluster = updates(1)
    rows = np.random.default_rng(0).permutation(len(forecast))
    one = confidence_band(forecast, outcome, cluster=cluster)
    two = confidence_band(
        forecast[rows], outcome[rows], cluster=[f"e{99 - c}" for c in cluster[rows]]
    )
    np.testing.assert_allclose(one.lower, two.lower)
    np.testing.assert_allclose(one.upper, two.upper)
    np.testing.assert_allclose(one.event_rate, two.event_rate)


def test_below_eight_events_there_is_no_confidence_band():
    forecast, outcome, cluster = updates(2, clusters=7)
    band = confidence_band(forecast, outcome, cluster=cluster)
    assert np.isnan(band.lower).all()
    assert band.note.startswith("too few: 7 events")
    assert np.isfinite(band.event_rate).all()


def ladders(rng, events, calibrated=True):
    """Three rungs an event, decided by one lot: nested, so that picks hang together."""
    low = rng.beta(0.8, 1.2, events)
    forecast = 1 - np.outer(1 - low, [1.0, 0.7, 0.4])
    lot = rng.random(events)[:, None]
    happened = lot < (forecast if calibrated else np.clip(1.8 * (forecast - 0.5) + 0.5, 0, 1))
    if not calibrated:
        forecast = 1 - (1 - forecast) * 0.6
    picks = [np.arange(events) * 3 + (np.arange(events) + k) % 3 for k in range(60)]
    return forecast.ravel(), happened.ravel(), picks, np.repeat(np.arange(events), 3)


def test_over_picks_the_parts_and_the_curve_are_means_of_those_of_each_pick():
    p, y, picks, event = ladders(np.random.default_rng(0), 20)
    sizes = [picks[0], picks[1][:7]]
    both = corp(p, y, picks=sizes, cluster=event)
    each = [corp(p[rows], y[rows]) for rows in sizes]
    weight = [20 / 27, 7 / 27]
    for part in ("mean_score", "miscalibration", "discrimination", "uncertainty"):
        by_hand = sum(w * getattr(one, part) for w, one in zip(weight, each, strict=True))
        assert getattr(both, part) == pytest.approx(by_hand)
    curves = [np.interp(both.pooled.value, d.pooled.value, d.event_rate) for d in each]
    assert both.event_rate == pytest.approx(np.mean(curves, axis=0))
    assert (np.diff(both.event_rate) >= -1e-12).all()
    assert both.pooled.n.sum() == 13.5


def test_one_pick_of_all_rows_is_no_pick():
    p, y, *_ = ladders(np.random.default_rng(1), 30)
    one, same = (
        corp(p, y),
        corp(p, y, picks=[range(len(p))], cluster=range(len(p))),
    )
    assert one.band().equals(same.band())
    assert (one.mean_score, one.p_value) == (same.mean_score, same.p_value)


def test_over_picks_chance_is_that_of_one_question_an_event():
    rng = np.random.default_rng(8)
    p_values, inside, naive = [], [], []
    grid = np.linspace(0.05, 0.95, 10)
    for run in range(200):
        p, y, picks, event = ladders(rng, 30)
        p = p.round(1)
        y = np.repeat(rng.random(30), 3) < p
        d = corp(p, y, picks=picks, cluster=event, resamples=240, seed=run)
        band = d.band()
        covered = (band["lower"] <= d.event_rate + 1e-9) & (d.event_rate <= band["upper"] + 1e-9)
        place = np.searchsorted(grid, band["forecast"])
        inside += list(zip(place.tolist(), covered, strict=True))
        p_values.append(d.p_value)
        naive.append(corp(p, y, resamples=99, seed=run).p_value)
    for a in (0.01, 0.05, 0.1):
        assert np.mean(np.array(p_values) <= a) <= a + 3 * np.sqrt(a * (1 - a) / len(p_values))
    # At every forecast, also near 0, where a single pick has no event at all.
    for value in {place for place, _ in inside}:
        covered = [ok for place, ok in inside if place == value]
        assert np.mean(covered) >= 0.88 - 3 * np.sqrt(0.09 / len(covered))
    # The negative control: every rung as if it were an event of its own.
    assert np.mean(np.array(naive) <= 0.05) >= 0.08
    p, y, picks, event = ladders(rng, 150, calibrated=False)
    assert corp(p, y, picks=picks, cluster=event).p_value < 0.01


@pytest.mark.parametrize("n", [8, 30])
def test_numbers_that_tell_nothing_are_found_to_tell_as_rarely_as_the_p_value_says(n):
    # The fit finds a rise in anything: at 8 forecasts a fifth of the uncertainty, by chance.
    rng, runs = np.random.default_rng(n), 300
    p, apart, chance = [], [], []
    for run in range(runs):
        d = corp(rng.beta(1.5, 3, n).round(2), rng.random(n) < 0.3, seed=run)
        p.append(d.discrimination_p)
        apart.append(d.discrimination)
        chance.append(d.null_discrimination)
    for a in (0.01, 0.05, 0.1):
        assert np.mean(np.array(p) <= a) <= a + 3 * np.sqrt(a * (1 - a) / runs)
    gap = np.array(apart) - chance
    assert abs(gap.mean()) <= 3 * gap.std() / np.sqrt(runs)
    assert np.mean(chance) > 0.3 / n
    # And numbers that tell are found out.
    forecast = rng.random(100)
    assert corp(forecast, rng.random(100) < forecast).discrimination_p < 0.01


def test_over_picks_an_event_is_told_apart_once():
    rng, p, naive = np.random.default_rng(9), [], []
    for run in range(200):
        # Rungs of an event share what happens, and what somebody who knows nothing says of them.
        luck = np.repeat(rng.random(20), 3)
        forecast = np.clip(np.repeat(rng.random(20), 3) + 0.05 * np.tile([0, 1, 2], 20), 0, 1)
        happened = luck < 0.4
        event = np.repeat(np.arange(20), 3)
        picks = [np.arange(20) * 3 + (np.arange(20) + k) % 3 for k in range(60)]
        p.append(corp(forecast, happened, picks=picks, cluster=event, seed=run).discrimination_p)
        naive.append(corp(forecast, happened, seed=run).discrimination_p)
    for a in (0.05, 0.1):
        assert np.mean(np.array(p) <= a) <= a + 3 * np.sqrt(a * (1 - a) / len(p))
    # The negative control: every rung as if it were an event of its own.
    assert np.mean(np.array(naive) <= 0.05) > 0.1


@pytest.mark.parametrize("score", ["brier", "log"])
def test_no_draw_discriminates_less_than_nothing_or_more_than_there_is(score):
    rng = np.random.default_rng(2)
    d = corp(rng.random(40).round(1), rng.random(40) < 0.4, score=score)
    assert (d._dealt >= 0).all()
    assert (d._dealt <= d.uncertainty + 1e-12).all()
    alike = corp([0.2, 0.3, 0.4], [0, 0, 0], score=score)
    assert (alike.null_discrimination, alike.discrimination_p) == (0.0, 1.0)
