"""Links, interventions and chance: laws of the event loop."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from scipy.linalg import expm

from forecasting.domain.predicate import And, At, Entered, Occurred
from forecasting.errors import InvalidInput
from forecasting.models.world.conditions import towards
from forecasting.models.world.simulate import simulate
from forecasting.models.world.values import Do, Known, Link, Move, Size
from tests.models.world.engine import (
    CLOSE,
    ask,
    at,
    entered,
    event,
    flip,
    mean_and_error,
    process,
    report,
    world,
)

SEEDS = range(24)


def near(shares, exact):
    mean, error = mean_and_error(shares)
    assert abs(mean - exact) <= 4.5 * max(error, 2e-5), (mean, exact, error)


@pytest.mark.parametrize("ratio", [5.0, 0.2])
def test_two_processes_that_feed_back_are_their_markov_chain(ratio):
    a, b, c, d, beta = 0.01, 0.02, 0.015, 0.01, float(np.log(ratio))
    both = (Link("a", 0, (1,), ((1, 0),), beta), Link("b", 1, (1,), ((0, 0),), beta))
    pair = world(flip("A", a, b), flip("B", c, d, age=7.0), links=both)
    q = np.zeros((4, 4))
    for i in (0, 1):
        for j in (0, 1):
            q[2 * i + j, 2 * (1 - i) + j] += b if i else a * ratio**j
            q[2 * i + j, 2 * i + 1 - j] += d if j else c * ratio**i
    q -= np.diag(q.sum(axis=1))
    by_states = {}
    for seed in SEEDS:
        paths = simulate(pair, 60.0, seed=seed)
        for i in ("off", "on"):
            for j in ("off", "on"):
                share = (at(paths, "A", i, 60) & at(paths, "B", j, 60)).mean()
                by_states.setdefault((i, j), []).append(share)
    for k, shares in enumerate(by_states.values()):
        near(shares, expm(q * 60)[0, k])


@pytest.mark.parametrize("k", [0.7, 1.0, 1.5])
def test_a_link_from_a_day_on_uses_up_the_rest_of_the_budget_faster(k):
    summit = process("S", ("ahead", "held"), Move(0, 1, at=np.full(4096, 20.0)))
    truce = process("T", ("on", "over"), Move(0, 1, 0.03, k), age=5.0)
    link = Link("held", 0, (1,), ((1, 0),), float(np.log(3)), once=True)
    shares = [
        entered(simulate(world(summit, truce, links=[link]), 50.0, seed=s), "T", "over", 50).mean()
        for s in SEEDS
    ]
    used = 0.03 * (25.0**k - 5.0**k + 3 * (55.0**k - 25.0**k))
    near(shares, -np.expm1(-used))


def test_a_precursor_whose_link_is_one_changes_nothing_nor_does_splitting_one():
    beta = 1.2
    child, parent = flip("B", 0.004, 0.01), flip("A", 0.02, 0.03)
    alone = simulate(world(child), 200.0)
    idle = simulate(world(parent, child, links=[Link("x1", 0, (1,), ((1, 0),), 0.0)]), 200.0)
    assert np.array_equal(alone.course("B").rows.time, idle.course("B").rows.time)
    one = world(parent, child, links=[Link("x", 0, (1,), ((1, 0),), beta)])
    half = [Link("half", 0, (1,), ((1, 0),), beta / 2), Link("rest", 0, (1,), ((1, 0),), beta / 2)]
    two = world(parent, child, links=half)
    first, second = simulate(one, 200.0), simulate(two, 200.0)
    assert np.allclose(first.rows.time, second.rows.time, rtol=1e-12)
    assert len(first.course("B").rows.time) > 1.5 * len(alone.course("B").rows.time)


def test_the_same_seed_gives_the_same_bytes_and_a_process_more_disturbs_no_other():
    few = world(flip("A", 0.01, 0.02), event("B", 0.05), links=[Link("l", 0, (1,), ((1, 0),), 0.7)])
    more = world(
        flip("C", 0.03, 0.01),
        *few.processes,
        links=[Link("l", 1, (1,), ((2, 0),), 0.7), Link("m", 2, (), ((0, 0),), 0.5, once=True)],
    )
    one, again, wide = (simulate(w, 300.0, seed=4) for w in (few, few, more))
    assert one.rows.time.tobytes() == again.rows.time.tobytes()
    for name in "AB":
        times = [each.course(name).rows.time.tobytes() for each in (one, wide)]
        assert times[0] == times[1]
    other = simulate(few, 300.0, seed=5)
    assert len(other.rows.time) != len(one.rows.time)
    longer = simulate(few, 400.0, seed=4)
    assert np.array_equal(longer.rows.time[longer.rows.time <= 300], one.rows.time)


def test_many_blocks_give_the_rows_of_one(monkeypatch):
    from forecasting.models.world import simulate as module

    one_event = world(event("B", 0.5))
    whole = simulate(one_event, 100.0)
    monkeypatch.setattr(module, "BLOCK", 6_000)
    for one, other in zip(whole.rows, simulate(one_event, 100.0).rows, strict=True):
        assert one.tobytes() == other.tobytes()


def confounded():
    links = [Link(f"c{k}", 0, (1,), ((k, 0),), float(np.log(8))) for k in (1, 2)]
    cause = flip("C", 0.01)
    return world(cause, flip("X", 0.003), flip("Y", 0.003), links=links, draws=16384)


def test_doing_is_not_seeing_on_a_confounded_pair():
    pair = confounded()
    paths = simulate(pair, 100.0)
    x, y = entered(paths, "X", "on", 100), entered(paths, "Y", "on", 100)
    done = simulate(pair, 100.0, do=[Do(1, 50.0, 1)])
    assert np.array_equal(entered(done, "Y", "on", 100), y)
    assert y[x].mean() > y.mean() + 0.05
    assert entered(done, "X", "on", 50).all()
    assert not entered(done, "X", "on", 49.9).any()


def test_doing_is_seeing_without_confounding_at_the_times_of_the_condition():
    link = Link("l", 0, (1,), ((1, 0),), float(np.log(6)))
    seen, done = [], []
    for seed in SEEDS:
        pair = world(flip("X", 0.01), flip("Y", 0.003), links=[link], draws=8192)
        paths = simulate(pair, 100.0, seed=seed)
        window = entered(paths, "X", "on", 51) & ~entered(paths, "X", "on", 49)
        seen.append(entered(paths, "Y", "on", 100)[window].mean())
        forced = simulate(pair, 100.0, seed=seed, do=[Do(0, 50.0, 1)])
        done.append(entered(forced, "Y", "on", 100).mean())
    (one, error), (other, rest) = mean_and_error(seen), mean_and_error(done)
    assert abs(one - other) <= 4.5 * np.hypot(error, rest)


def test_no_bars_the_move_and_what_it_would_have_hastened():
    link = Link("l", 0, (1,), ((1, 0),), float(np.log(6)))
    pair = world(flip("X", 0.01), flip("Y", 0.003), links=[link])
    barred = simulate(pair, 100.0, do=[Do(0, 30.0, barred=(1,))])
    assert entered(barred, "X", "on", 30).any()
    assert np.array_equal(entered(barred, "X", "on", 100), entered(barred, "X", "on", 30))
    none = simulate(pair, 100.0, do=[Do(0, 0.0, barred=(1,))])
    alone = simulate(world(flip("Y", 0.003)), 100.0)
    assert np.array_equal(entered(none, "Y", "on", 100), entered(alone, "Y", "on", 100))


@pytest.mark.parametrize("shape", [1.0, 0.7])
def test_what_was_barred_for_a_time_may_come_after_it(shape):
    """Without the question's deadline "no" by June was no for ever."""
    link = Link("l", 0, (1,), ((1, 0),), float(np.log(6)))
    move = Move(0, 1, 0.01, shape=shape)
    pair = world(process("X", ("off", "on"), move), flip("Y", 0.003), links=[link])
    barred = simulate(pair, 100.0, do=[Do(0, 10.0, barred=(1,), until=40.0)])
    free = simulate(pair, 100.0)
    assert np.array_equal(entered(barred, "X", "on", 39), entered(free, "X", "on", 10))
    still = ~entered(barred, "X", "on", 39)
    rest = -np.expm1(-0.01 * (100.0**shape - 40.0**shape))
    assert entered(barred, "X", "on", 100)[still].mean() == pytest.approx(rest, abs=0.02)
    assert entered(free, "Y", "on", 100).mean() > entered(barred, "Y", "on", 100).mean()


def test_an_intervention_before_the_end_of_a_watch_sets_aside_what_is_known_later():
    known = (Known(-3.0, 1), Known(10.0, 0))
    watched = flip("A", 0.0, 0.01, known=known, age=9.0, free=20.0)
    paths = simulate(world(watched), 105.0, do=[Do(0, 5.0, 0)])
    assert not at(paths, "A", "on", 5).any()
    undone = simulate(
        world(flip("A", 0.01, known=known, age=9.0, free=20.0)), 15.0, do=[Do(0, 5.0, 0)]
    )
    assert abs(entered(undone, "A", "on", 15).mean() - -np.expm1(-0.1)) < 1e-3


def test_an_event_can_be_done_and_barred():
    one_event = world(event("E", 0.02))
    done = simulate(one_event, 100.0, do=[Do(0, 40.0, 0)])
    assert not ask(done, Occurred("E", CLOSE), 39.9).any()
    assert ask(done, Occurred("E", CLOSE), 40.0).all()
    assert ask(done, Occurred("E", CLOSE, 2), 100.0).mean() == pytest.approx(
        1 - np.exp(-1.2), abs=0.03
    )
    assert not ask(
        simulate(one_event, 100.0, do=[Do(0, 0.0, barred=(0,))]), Occurred("E", CLOSE), 100
    ).any()


def test_a_delivery_done_by_hand_holds_all_and_a_barred_one_never_ends():
    part = Move(0, 0, 0.2, size=Size(0.4, 6.0))
    delivery = world(process("D", ("begun", "done"), part, goal=100.0, total=10.0, done=1))
    free = simulate(delivery, 60.0)
    totals = np.bincount(free.rows.draw, free.rows.amount, 4096) + 10
    finished = at(free, "D", "done", 60)
    assert finished.any()
    assert np.allclose(totals[finished], 100)
    assert np.all(totals[~finished] < 100)
    forced = simulate(delivery, 60.0, do=[Do(0, 5.0, 1)])
    totals = np.bincount(forced.rows.draw, forced.rows.amount, 4096) + 10
    assert np.allclose(totals, 100)
    barred = simulate(delivery, 60.0, do=[Do(0, 0.0, barred=(1,))])
    assert not at(barred, "D", "done", 60).any()
    assert (np.bincount(barred.rows.draw, barred.rows.amount, 4096) + 10).max() < 100


def test_drawn_oftener_and_weighted_back_is_the_same():
    link = Link("l", 0, (1,), ((1, 0),), float(np.log(6)))
    pair = world(flip("A", 2e-5), flip("B", 0.002), links=[link], draws=8192)
    condition = Entered("A", ("on",), CLOSE)
    tilt = towards(pair, condition, 100.0)
    assert tilt == [(1.0, {(0, 0): pytest.approx(300.0)})]
    plain, rare, both = [], [], []
    for seed in SEEDS:
        paths, more = simulate(pair, 100.0, seed=seed), simulate(pair, 100.0, seed=seed, tilt=tilt)
        w = more.weights()
        assert w.max() * 8192 <= 2.1
        assert abs(np.exp(more.log_weight).mean() - 1) < 0.05
        a, b = ask(more, condition, 100), entered(more, "B", "on", 100)
        assert a.sum() > 1000
        plain.append(entered(paths, "B", "on", 100).mean() - w @ b)
        rare.append(w @ a)
        both.append((w @ (a & b)) / (w @ a))
    near(plain, 0.0)
    near(rare, -np.expm1(-2e-3))
    # A uniform over the window, then six times as fast.
    t = (np.arange(1000) + 0.5) / 10
    near(both, float(np.mean(-np.expm1(-0.002 * (t + 6 * (100 - t))))))


def test_ways_that_share_a_move_are_weighted_back_too():
    rates = np.array([4e-4, 3e-4, 2e-4])
    moves = (Move(0, 1, rates[0]), Move(1, 2, rates[1]), Move(1, 3, rates[2]))
    one_process = world(process("P", ("a", "b", "c", "d"), *moves), draws=8192)
    ways = towards(one_process, Entered("P", ("c", "d"), CLOSE), 100.0)
    assert [sorted(way) for _, way in ways] == [[(0, 0), (0, 1)], [(0, 0), (0, 2)]]
    ways = [(0.3, {(0, 0): 50.0}), (0.4, ways[0][1]), (0.3, ways[1][1])]
    shares, sums = [], []
    for seed in SEEDS:
        paths = simulate(one_process, 100.0, seed=seed, tilt=ways)
        shares.append(paths.weights() @ entered(paths, "P", "d", 100))
        sums.append(np.exp(paths.log_weight).mean())
    q = np.zeros((4, 4))
    for move, rate in zip(moves, rates, strict=True):
        q[move.start, move.end] += rate
        q[move.start, move.start] -= rate
    near(shares, expm(q * 100)[0, 3])
    near(sums, 1.0)


def test_ladders_are_nested_and_a_part_is_never_likelier_than_its_whole():
    paths = simulate(confounded(), 100.0)
    rungs = [entered(paths, "X", "on", d) for d in range(0, 101, 10)]
    assert all(np.all(low <= high) for low, high in pairwise(rungs))
    part = ask(paths, And(Entered("X", ("on",), CLOSE), At("C", ("on",), CLOSE)), 100)
    assert np.all(part <= rungs[-1])


def test_what_is_known_is_replayed_and_moves_the_others_at_its_day():
    known = (Known(10.0, 1), Known(20.0, 0))
    parent = flip("A", 0.01, 0.01, free=30.0, known=known, age=4.0)
    link = Link("l", 0, (1,), ((1, 0),), float(np.log(9)))
    early, late = [], []
    for seed in SEEDS:
        paths = simulate(world(parent, flip("B", 0.01), links=[link]), 60.0, seed=seed)
        times = paths.course("A").rows.time
        assert not len(times) or times.min() > 30
        early.append(entered(paths, "B", "on", 30).mean())
        late.append(at(paths, "A", "on", 40).mean())
        assert at(paths, "A", "on", 15).all()
    near(early, -np.expm1(-0.01 * (20 + 9 * 10)))
    near(late, 0.5 * -np.expm1(-0.02 * 10))


def test_a_watch_that_ended_early_leaves_the_time_since_to_chance():
    # Watched until day 0, asked on day 20: the event may have fallen between.
    paths = simulate(world(flip("A", 0.01, age=50.0)), 60.0)
    assert abs(entered(paths, "A", "on", 60).mean() - -np.expm1(-0.6)) < 1e-3
    watched = simulate(world(flip("A", 0.01, age=50.0, free=20.0)), 60.0)
    assert abs(entered(watched, "A", "on", 60).mean() - -np.expm1(-0.4)) < 1e-3


@pytest.mark.parametrize("once", [True, False])
def test_once_looks_back_before_the_origin_and_while_does_not(once):
    known = (Known(-30.0, 1), Known(-20.0, 0))
    parent = process("A", ("off", "on"), known=known, age=40.0)
    link = Link("l", 0, (1,), ((1, 0),), float(np.log(4)), once=once)
    paths = simulate(world(parent, flip("B", 0.005), links=[link]), 50.0)
    exact = -np.expm1(-0.005 * 50 * (4 if once else 1))
    assert abs(entered(paths, "B", "on", 50).mean() - exact) < 1e-3


def test_an_event_renews_its_age_and_what_was_known_sets_it():
    move = Move(0, 0, 0.02, 2.0, renews=True)
    known = (Known(-10.0, 0, counted=True),)
    shares = [
        ask(
            simulate(world(process("E", ("waiting",), move, known=known, age=90.0)), 9.0, seed=s),
            Occurred("E", CLOSE), 9.0,
        ).mean()
        for s in SEEDS
    ]  # fmt: skip
    near(shares, -np.expm1(-0.02 * (19.0**2 - 10.0**2)))
    fresh = process("E", ("waiting",), move, age=0.0)
    times = simulate(world(fresh, draws=16384), 400.0, seed=1)
    gaps = np.diff(times.rows.time)[np.diff(times.rows.draw) == 0]
    assert gaps[gaps < 100].mean() == pytest.approx(np.sqrt(np.pi / 4 / 0.02), rel=0.02)


def test_events_leave_the_other_ways_out_of_their_state_as_they_are():
    moves = (Move(0, 0, 0.5), Move(0, 1, 0.01, for_good=0.5))
    lasting = report(("E", "going > over"), 0.0, float(np.log(2)), half_life=np.inf)
    one_process = world(process("E", ("going", "over"), *moves), reports=[lasting])
    near(
        [entered(simulate(one_process, 60.0, seed=s), "E", "over", 60).mean() for s in SEEDS],
        0.5 * -np.expm1(-0.02 * 60),
    )


def test_parts_known_after_the_origin_count_towards_the_goal():
    part = Move(0, 0, 0.3, size=Size(0.3, 20.0))
    known = (Known(2.0, 0, 60.0, True), Known(4.0, 0, 40.0, True), Known(4.0, 1))
    delivery = process("D", ("begun", "done"), part, goal=100.0, done=1, known=known, free=5.0)
    paths = simulate(world(delivery), 30.0)
    assert at(paths, "D", "done", 4).all()
    assert len(paths.rows.time) == 0
    open_still = replace(delivery, known=delivery.known[:2])
    totals = np.bincount(*_amounts(simulate(world(open_still), 90.0)), 4096)
    assert np.allclose(totals[totals > 0].max(), 40)


def _amounts(paths):
    return paths.rows.draw, paths.rows.amount


def test_links_that_drive_each_other_without_end_are_named():
    """And where nothing acts on the process, its own rate is: there is no link to leave out."""
    for child, reason in ((1, "a loop of links"), (0, "its rate is too high")):
        links = [Link("a", 0, (), ((child, 0),), 1.0, once=True)]
        pair = world(event("quiet", 0.001), event("storm", 900.0), links=links, draws=16)
        with pytest.raises(
            InvalidInput, match=rf"storm:waiting>waiting: more than 5,000 .* {reason}"
        ):
            simulate(pair, 60.0)


def test_a_scheduled_day_is_met_and_nan_never_comes():
    days = np.where(np.arange(4096) % 2 == 0, 10.0, np.nan)
    paths = simulate(world(process("S", ("ahead", "held"), Move(0, 1, at=days))), 30.0)
    assert np.array_equal(entered(paths, "S", "held", 10), np.arange(4096) % 2 == 0)
    assert not entered(paths, "S", "held", 9.9).any()


def test_the_compiled_loop_is_kept_in_the_cache_folder_where_numba_finds_no_place(
    monkeypatch, tmp_path
):
    from numba.core import caching

    from forecasting.models.world import loop

    monkeypatch.setenv("FORECASTING_HOME", str(tmp_path))
    # The folder that a user names, and no other: a library may have put one of its own first.
    chosen = [caching.UserProvidedCacheLocator]
    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", chosen)
    assert loop._kept(_double)(4) == 8
    assert list(tmp_path.rglob("*.nbi"))
    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", [])
    assert loop._kept(_double)(4) == 8


def _double(x):
    return 2 * x
