"""Links: what a range means, and what the past of their child teaches of them."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from forecasting.domain.process import LinkSpec, MoveSpec, Phrase, ProcessSpec, WorldSpec
from forecasting.evidence.history import Past, Piece, Record, Step, pasts
from forecasting.models.world.parameters import parameters
from forecasting.models.world.stated import beta_prior, implied_ratio, prior_betas

KEY = ("c", "waiting > waiting")
SD = 0.5
WIDE = float(np.exp(1.6448536 * SD))
LINK = LinkSpec("p", ("on",), "c", (), 3.0, 3.0 / WIDE, 3.0 * WIDE)
CHILD = {
    "c": ProcessSpec(
        "c",
        "event",
        ("waiting",),
        (MoveSpec("waiting", "waiting", Phrase("count", count=1.0, exposure=400.0)),),
    )
}


def history(rng, rate, beta, days, on_share, name=LINK.name):
    """Simulate a child whose parent was on in the last part of the past."""
    pieces = []
    for begin, end, on in (
        (0.0, days * (1 - on_share), ()),
        (days * (1 - on_share), days, (name,)),
    ):
        at = begin
        while True:
            wait = rng.exponential(1.0 / (rate * (np.exp(beta) if on else 1.0)))
            if at + wait > end:
                pieces.append(Piece(0.0, end - at, False, on, 20_000.0 + at))
                break
            pieces.append(Piece(0.0, wait, True, on, 20_000.0 + at))
            at += wait
    return {KEY: Past(*KEY, tuple(pieces))}


def test_a_range_is_a_normal_of_the_log():
    mean, sd = beta_prior(LINK)
    assert (mean, sd) == pytest.approx((np.log(3.0), SD))
    drawn = prior_betas(LINK, 4096, 7)
    assert np.quantile(np.exp(drawn), [0.05, 0.5, 0.95]) == pytest.approx(
        [LINK.low, 3.0, LINK.high], rel=0.01
    )
    assert prior_betas(LINK, 4096, 7).tobytes() == drawn.tobytes()


def test_a_wide_link_counts_for_more_than_its_middle():
    wide = LinkSpec("p", ("on",), "c", (), 3.0, 3.0 / np.exp(1.6448536), 3.0 * np.exp(1.6448536))
    assert implied_ratio(wide) == pytest.approx(3.0 * np.exp(0.5), rel=1e-6)


@pytest.mark.parametrize("on_share", [0.5, 0.9])
def test_learned_rates_are_right_with_the_parent_on_and_off(on_share):
    # Said over true, summed over two hundred histories; the naive way is off by half and more.
    rng = np.random.default_rng(1)
    total = {name: np.zeros(2) for name in ("learned", "naive")}
    true = np.zeros(2)
    for _ in range(200):
        rate, beta = rng.gamma(1.0, 1.0 / 400.0), rng.normal(np.log(3.0), SD)
        past = history(rng, rate, beta, 1096.0, on_share)
        true += (rate, rate * np.exp(beta))
        drawn = parameters(CHILD, past, points=256, seed=1, links=[LINK])
        rates, ratios = drawn.hazard(*KEY).rate, np.exp(drawn.beta(LINK))
        total["learned"] += (rates.mean(), (rates * ratios).mean())
        plain = parameters(CHILD, past, points=256, seed=1).hazard(*KEY).rate
        total["naive"] += (plain.mean(), (plain * np.exp(prior_betas(LINK, 256, 1))).mean())
    assert total["learned"] / true == pytest.approx([1.0, 1.0], abs=0.12)
    assert np.all(total["naive"] / true > 1.5)


def test_a_long_past_teaches_the_link_and_a_short_one_leaves_it():
    rng = np.random.default_rng(2)
    long = parameters(
        CHILD, history(rng, 0.01, 0.2, 60_000.0, 0.5), points=2048, seed=1, links=[LINK]
    )
    assert long.beta(LINK).mean() == pytest.approx(0.2, abs=0.25)
    assert long.beta(LINK).std() < 0.2
    assert len(np.unique(long.beta(LINK))) > 100
    nothing = parameters(CHILD, {}, points=2048, seed=1, links=[LINK])
    assert nothing.beta(LINK).tobytes() == prior_betas(LINK, 2048, 1).tobytes()


def test_the_joint_posterior_of_rate_and_link_is_that_of_a_grid():
    off, on, n_off, n_on = 400.0, 300.0, 1, 4
    pieces = [Piece(0, off / (n_off + 1), k < n_off, (), 20_000.0) for k in range(n_off + 1)]
    pieces += [Piece(0, on / (n_on + 1), k < n_on, (LINK.name,), 20_400.0) for k in range(n_on + 1)]
    drawn = parameters(CHILD, {KEY: Past(*KEY, tuple(pieces))}, points=2048, seed=1, links=[LINK])
    beta = np.linspace(-3, 5, 4001)
    a, b = 1.0 + n_off + n_on, 400.0 + off + on * np.exp(beta)
    log_weight = n_on * beta - a * np.log(b) - 0.5 * ((beta - np.log(3.0)) / SD) ** 2
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    assert drawn.beta(LINK).mean() == pytest.approx(np.sum(weight * beta), abs=0.01)
    assert drawn.hazard(*KEY).rate.mean() == pytest.approx(np.sum(weight * a / b), rel=0.01)
    hastened = (drawn.hazard(*KEY).rate * np.exp(drawn.beta(LINK))).mean()
    assert hastened == pytest.approx(np.sum(weight * a / b * np.exp(beta)), rel=0.01)


def test_a_parent_without_dates_splits_the_past_by_its_stated_share():
    undated = LinkSpec("p", ("on",), "c", (), 3.0, 3.0, 3.0, past=0.4)
    past = {KEY: Past(*KEY, (Piece(0.0, 500.0, False, (), 20_000.0),))}
    drawn = parameters(CHILD, past, points=2048, seed=1, links=[undated])
    exposure = 400.0 + 500.0 * (0.6 + 0.4 * 3.0)
    assert drawn.hazard(*KEY).rate.mean() == pytest.approx(1.0 / exposure, rel=0.01)


def test_a_link_into_one_state_leaves_the_other_moves_alone():
    moves = tuple(
        MoveSpec("none", state, Phrase("count", count=2.0, exposure=300.0))
        for state in ("soft", "firm")
    )
    child = {"c": ProcessSpec("c", "states", ("none", "soft", "firm"), moves)}
    link = LinkSpec("p", ("on",), "c", ("firm",), 3.0, 3.0, 3.0)
    pieces = (Piece(0.0, 200.0, False, (link.name,), 20_000.0),)
    pasts = {("c", move.name): Past("c", move.name, pieces) for move in moves}
    drawn = parameters(child, pasts, points=2048, seed=1, links=[link])
    assert drawn.hazard("c", "none > soft").rate.mean() == pytest.approx(2.0 / 500.0, rel=0.01)
    assert drawn.hazard("c", "none > firm").rate.mean() == pytest.approx(2.0 / 900.0, rel=0.01)


def test_a_certain_link_of_one_changes_no_rate():
    nothing = LinkSpec("p", ("on",), "c", (), 1.0, 1.0, 1.0)
    past = history(np.random.default_rng(3), 0.01, 0.0, 1000.0, 0.5, nothing.name)
    with_it = parameters(CHILD, past, points=2048, seed=1, links=[nothing]).hazard(*KEY).rate
    without = parameters(CHILD, past, points=2048, seed=1).hazard(*KEY).rate
    assert with_it.mean() == pytest.approx(without.mean(), rel=1e-3)


@pytest.mark.parametrize("once", [False, True])
def test_a_link_does_not_end_with_the_watch_of_its_parent(once):
    """The child was learned as if off since then, and the link then counted a second time."""
    begin = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    day = dt.timedelta(days=1)
    moves = (MoveSpec("none", "on", Phrase("count", count=1.0, exposure=400.0)),)
    parent = ProcessSpec("p", "states", ("none", "on"), moves)
    link = replace(LINK, once=once)
    record_of = {
        "p": Record(parent, begin, "none", (Step(begin + 10 * day, "on"),), begin + 20 * day),
        "c": Record(CHILD["c"], begin, "waiting", (), begin + 100 * day),
    }
    past = pasts(WorldSpec({"p": parent} | CHILD, (link,)), record_of)[KEY]
    pieces = [(piece.begin, piece.end, piece.on) for piece in past.pieces]
    assert pieces == [(0.0, 10.0, ()), (10.0, 100.0, (link.name,))]
