"""Reports: they fade in steps, end with their move, and nobody moves past their bound."""

import numpy as np
import pytest

from forecasting.domain.predicate import Occurred
from forecasting.models.world.fading import grid_of, lasts, values_on
from forecasting.models.world.simulate import simulate
from forecasting.models.world.values import Do, Known
from tests.models.world import engine
from tests.models.world.engine import CLOSE, ask, entered, event, flip, mean_and_error, world


def report(log_ratio, known=0.0, *, half_life=30.0, way=("A", "off > on"), **more):
    return engine.report(way, known, log_ratio, half_life=half_life, **more)


def dated(one):
    return (one.known_at - engine.ORIGIN).total_seconds() / 86_400, one


def share(*reports, rate=0.005, span=100.0, seed=0, **more):
    reported = world(flip("A", rate), reports=reports, draws=8192, **more)
    return float(entered(simulate(reported, span, seed=seed), "A", "on", span).mean())


def exact(*reports, rate=0.005, begin=0.0, end=100.0):
    """Integrate the stepped hazard of reports that share nothing but the move, by brute force."""
    t = begin + (np.arange(200_000) + 0.5) * (end - begin) / 200_000
    days = grid_of([dated(r) for r in reports], end)
    cell = np.searchsorted(days, t, side="right") - 1
    total = sum(np.where(cell >= 0, values_on(*dated(r), days)[cell], 0.0) for r in reports)
    return float(-np.expm1(-rate * np.mean(np.exp(total)) * (end - begin)))


@pytest.mark.parametrize("known", [0.0, -40.0, 25.0])
@pytest.mark.parametrize("log_ratio", [1.3, -0.8])
def test_a_fading_report_uses_up_the_integral_of_its_stepped_hazard(known, log_ratio):
    one = report(log_ratio, known)
    assert abs(share(one) - exact(one)) < 5e-4
    assert abs(share(one) - share()) > 0.005


def test_two_reports_share_one_grid():
    both = report(1.3, -10.0), report(-0.9, 12.0, half_life=7.0, source="b")
    assert abs(share(*both) - exact(*both)) < 5e-4
    assert share(*both) == share(*both[::-1])


def test_the_steps_keep_the_area_and_half_is_left_after_one_half_life():
    one = report(2.0, half_life=20.0)
    days = grid_of([dated(one)], 400.0)
    values = values_on(0.0, one, days)
    assert np.all(np.diff(days) == 10)
    assert values[2] == pytest.approx(values[0] / 2)
    assert values[:-1].sum() * 10 == pytest.approx(
        2.0 * 20 / np.log(2) * (1 - 2 ** (-lasts(one) / 20))
    )
    assert values[-1] == 0
    assert 2.0 * 2 ** (-lasts(one) / 20) < 0.02
    assert values_on(0.0, report(0.01), np.array([0.0])).tolist() == [0.0]


def test_a_lasting_report_never_ends():
    one = report(0.7, half_life=np.inf)
    assert abs(share(one) - -np.expm1(-0.005 * 100 * np.exp(0.7))) < 5e-4


def test_twice_and_half_at_one_moment_cancel():
    up, down = report(np.log(2)), report(-np.log(2), source="b")
    both = [simulate(world(flip("A", 0.005), reports=r), 100.0) for r in ((), (up, down))]
    assert np.array_equal(*(entered(paths, "A", "on", 100) for paths in both))
    gain = np.repeat(np.exp(np.linspace(-1, 1, 512)), 16)
    assert share(up, down, gain=gain) == share()


def test_nobody_moves_past_their_bound_but_two_sources_move_further_than_one():
    kind = {"half_life": np.inf, "bound": 0.7}
    one, two = report(3.0, **kind), report(3.0, **kind, key="2")
    other = report(3.0, **kind | {"source": "b"})
    assert abs(share(one) - -np.expm1(-0.5 * np.exp(0.7))) < 5e-4
    assert share(one, two) == share(one)
    assert abs(share(one, other) - -np.expm1(-0.5 * np.exp(1.4))) < 5e-4
    days = zip((-3.0, -2.0, -1.0), "aba", strict=True)
    mixed = [report(3.0, known, **kind | {"source": source}) for known, source in days]
    assert share(*mixed) == share(one, other)
    assert abs(share(report(-3.0, **kind)) - -np.expm1(-0.5 * np.exp(-0.7))) < 5e-4


def test_the_gain_of_a_draw_multiplies_before_the_bound():
    one = report(0.5, half_life=np.inf, bound=0.6)
    assert abs(share(one, gain=2.0) - -np.expm1(-0.5 * np.exp(0.6))) < 5e-4
    assert abs(share(one, gain=0.5) - -np.expm1(-0.5 * np.exp(0.25))) < 5e-4
    assert share(one, gain=0.0) == share()


def test_a_report_ends_when_its_move_fires():
    one = report(2.0, half_life=np.inf, way=("E", "waiting > waiting"))
    first, second = [], []
    for seed in range(24):
        paths = simulate(world(event("E", 0.01), reports=[one]), 60.0, seed=seed)
        times = paths.rows.time[np.flatnonzero(np.diff(paths.rows.draw, prepend=-1))]
        first.append(np.mean(ask(paths, Occurred("E", CLOSE), 60)))
        second.append(len(paths.rows.time) / 4096 - first[-1])
        assert len(times) <= 4096
    fast = 0.01 * np.exp(2.0)
    mean, error = mean_and_error(first)
    assert abs(mean - -np.expm1(-60 * fast)) <= 4.5 * max(error, 1e-4)
    t = (np.arange(60_000) + 0.5) / 1000
    later = float(np.mean(fast * np.exp(-fast * t) * 0.01 * (60 - t)) * 60)
    mean, error = mean_and_error(second)
    assert abs(mean - later) <= 4.5 * error


def test_a_report_ends_when_its_state_is_left_and_waits_for_the_next_stay_if_known_elsewhere():
    lasting = {"half_life": np.inf}
    # Known while on; the stay off that begins on day 20 is the one it concerns.
    waits = flip("A", 0.01, known=(Known(-5.0, 1),), age=9.0)
    paths = simulate(
        world(waits, reports=[report(1.0, -2.0, **lasting)]), 120.0, do=[Do(0, 20.0, 0)]
    )
    assert abs(entered(paths, "A", "on", 120).mean() - -np.expm1(-0.01 * 100 * np.e)) < 2e-3
    # Known before the state was left, by a fact: it has ended.
    left = flip("A", 0.01, known=(Known(-5.0, 1), Known(-3.0, 0)), age=9.0)
    paths = simulate(world(left, reports=[report(1.0, -7.0, **lasting)]), 100.0)
    assert abs(entered(paths, "A", "on", 100).mean() - -np.expm1(-1.0)) < 1e-3
    # The same within the simulation: left and entered again on known days.
    back = flip("A", 0.01, known=(Known(5.0, 1), Known(8.0, 0)), age=9.0, free=10.0)
    paths = simulate(world(back, reports=[report(1.0, 2.0, **lasting)]), 110.0)
    assert abs(ask_on(paths, 110) - -np.expm1(-1.0)) < 1e-3
    paths = simulate(world(back, reports=[report(1.0, 9.0, **lasting)]), 110.0)
    assert abs(ask_on(paths, 110) - -np.expm1(-np.e)) < 1e-3


def test_a_report_known_with_the_event_is_about_the_next_one():
    """One item says both that it fell and that more are to come; no list calls that over."""
    for known, ratio in ((-3.0, 1.0), (-2.0, np.e), (-1.0, np.e)):
        before = event("E", 0.01, known=(Known(-2.0, 0, counted=True),), age=9.0)
        heard = report(1.0, known, half_life=np.inf, way=("E", "waiting > waiting"))
        paths = simulate(world(before, reports=[heard]), 60.0)
        share = np.mean(ask(paths, Occurred("E", CLOSE), 60))
        assert abs(share - -np.expm1(-0.6 * ratio)) < 2e-3


def ask_on(paths, close):
    from forecasting.domain.predicate import Entered

    return float(ask(paths, Entered("A", ("on",), CLOSE), close, opens=10.0).mean())


def test_every_report_moves_the_way_it_says():
    rising = [share(report(x)) for x in (-2.0, -1.0, 0.0, 0.5, 1.5)]
    assert np.all(np.diff(rising) > 0)
