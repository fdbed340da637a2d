"""Joint distributions: known answers of the test net, raking, and what seeing and doing keep."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.errors import InvalidInput
from forecasting.models.scenario_information import brier_reduction, mutual_information
from forecasting.models.scenario_joint import descendants, joint
from forecasting.models.scenario_raking import frechet_bounds, maximum_entropy, rake

# g: guarantee, s: signature, h: the ceasefire holds; state 0 is yes.
G, S, H = 0, 1, 2
NET = joint(
    [(), (G,), (G, S)],
    [
        [[0.3, 0.7]],
        [[[0.2, 0.8], [0.6, 0.4]]],
        [[[[0.8, 0.2], [0.1, 0.9]], [[0.5, 0.5], [0.1, 0.9]]]],
    ],
)


def yes(p):
    return float(p[0])


def test_the_known_answers_of_the_test_net():
    # P(h) = .3(.2 x .8 + .8 x .1) + .7(.6 x .5 + .4 x .1) = .072 + .238 = .31
    assert yes(NET.probability({H: 0})) == pytest.approx(0.31, abs=1e-12)
    assert yes(NET.probability({G: 0}, {H: 0})) == pytest.approx(0.072 / 0.31, abs=1e-12)
    # P(h, s) = .3 x .2 x .8 + .7 x .6 x .5 = .258; P(s) = .48
    assert yes(NET.probability({H: 0}, {S: 0})) == pytest.approx(0.5375, abs=1e-12)
    # Seeing is not doing: .3 x .8 + .7 x .5 = .59
    assert yes(NET.do({S: 0}).probability({H: 0})) == pytest.approx(0.59, abs=1e-12)
    assert yes(NET.do({G: 0}).probability({H: 0})) == pytest.approx(0.24, abs=1e-12)


def test_the_known_worth_of_an_answer():
    # c(1 - c)(u1 - u0)^2 = .3 x .7 x (.24 - .34)^2 = .0021
    both = NET.marginal([G, H])
    assert brier_reduction(both)[0] == pytest.approx(0.0021, abs=1e-12)
    assert mutual_information(both)[0] == pytest.approx(0.00505, abs=5e-6)


def test_no_answer_is_worth_less_than_nothing_and_an_unrelated_one_is_worth_nothing():
    rng = np.random.default_rng(0)
    table = rng.dirichlet(np.ones(6), 200).reshape(200, 2, 3)
    assert np.all(brier_reduction(table) >= 0)
    assert np.all(mutual_information(table) >= 0)
    apart = np.outer([0.2, 0.8], [0.5, 0.1, 0.4])
    assert brier_reduction(apart) == pytest.approx(0, abs=1e-15)
    assert mutual_information(apart) == pytest.approx(0, abs=1e-15)


@st.composite
def nets(draw):
    n = draw(st.integers(2, 5))
    states = [draw(st.integers(2, 3)) for _ in range(n)]
    parents = [
        tuple(sorted(draw(st.sets(st.integers(0, i - 1), max_size=min(i, 2))))) if i else ()
        for i in range(n)
    ]
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    tables = [
        rng.dirichlet(np.ones(k), size=(4, *(states[p] for p in above)))
        for k, above in zip(states, parents, strict=True)
    ]
    return joint(parents, tables)


def enumerated(net):
    """All combinations of states, by a loop: (S, states...)."""
    whole = np.ones((net.draws, *net.states))
    n = len(net.states)
    for node, table in enumerate(net.tables):
        axes = [*net.parents[node], node]
        order = sorted(range(len(axes)), key=lambda i: axes[i])
        moved = np.transpose(table, (0, *(i + 1 for i in order)))
        whole *= moved.reshape(net.draws, *(net.states[i] if i in axes else 1 for i in range(n)))
    for axes, table in net.tilts:
        whole *= table.reshape(net.draws, *(net.states[i] if i in axes else 1 for i in range(n)))
    return whole


@given(nets())
def test_elimination_is_enumeration(net):
    whole = enumerated(net)
    n = len(net.states)
    np.testing.assert_allclose(whole.sum(axis=tuple(range(1, n + 1))), 1, atol=1e-12)
    for node in range(n):
        rest = tuple(i + 1 for i in range(n) if i != node)
        np.testing.assert_allclose(net.marginal([node]), whole.sum(axis=rest), atol=1e-12)
        other = (node + 1) % n
        part = np.take(whole, [0], axis=other + 1).sum(axis=rest)
        got = net.marginal([node], {other: 0})
        np.testing.assert_allclose(got, part / part.sum(axis=1, keepdims=True), atol=1e-12)


@given(nets(), st.integers(0, 10**6))
def test_raking_has_the_wanted_marginals_and_keeps_the_odds_ratios(net, seed):
    rng = np.random.default_rng(seed)
    chosen = [0, len(net.states) - 1]
    wanted = {i: rng.dirichlet(np.ones(net.states[i]), net.draws) for i in chosen}
    near = rake(net, wanted)
    for i in chosen:
        np.testing.assert_allclose(near.marginal([i]), wanted[i], atol=1e-8)
    np.testing.assert_allclose(enumerated(near).reshape(net.draws, -1).sum(axis=1), 1, atol=1e-8)
    before, after = net.marginal(chosen), near.marginal(chosen)

    def odds(p):
        return np.log(p[:, 0, 0] * p[:, 1, 1] / p[:, 0, 1] / p[:, 1, 0])

    np.testing.assert_allclose(odds(after), odds(before), atol=1e-6)


def test_raking_gives_the_nearest_joint_by_divergence():
    # Any other joint with the same marginal of h lies further from the net.
    near = rake(NET, {H: [[0.5, 0.5]]})
    p, q = enumerated(NET)[0], enumerated(near)[0]
    least = float((q * np.log(q / p)).sum())
    rng = np.random.default_rng(1)
    for _ in range(200):
        other = q * np.exp(0.1 * rng.standard_normal(q.shape))
        other *= 0.5 / other.sum(axis=(0, 1))
        assert float((other * np.log(other / p)).sum()) >= least - 1e-12


@given(nets(), st.integers(0, 10**6))
def test_an_intervention_leaves_what_does_not_follow_from_it(net, seed):
    rng = np.random.default_rng(seed)
    node = int(rng.integers(len(net.states)))
    last = len(net.states) - 1
    tied = rake(net, {last: rng.dirichlet(np.ones(net.states[last]), net.draws)})
    for each in (net, tied):
        done = each.do({node: 0})
        np.testing.assert_allclose(done.marginal([node])[:, 0], 1, atol=1e-12)
        np.testing.assert_allclose(
            done.weight([]), each.weight([]), rtol=1e-9, err_msg="mass is kept"
        )
        below = descendants(net.parents, node)
        for other in set(range(len(net.states))) - below - {node}:
            np.testing.assert_allclose(done.marginal([other]), each.marginal([other]), atol=1e-9)


@given(nets())
def test_setting_a_node_without_parents_is_seeing_it(net):
    done = net.do({0: 1})
    for other in range(1, len(net.states)):
        np.testing.assert_allclose(done.marginal([other]), net.marginal([other], {0: 1}), atol=1e-9)


@given(nets(), st.integers(0, 10**6))
def test_what_follows_goes_its_way_after_a_deed_as_after_a_sight(net, seed):
    # P(descendants | all else, do x) = P(descendants | all else, x), reconciled or not.
    rng = np.random.default_rng(seed)
    last = len(net.states) - 1
    tied = rake(net, {last: rng.dirichlet(np.ones(net.states[last]), net.draws)})
    rest = {node: 0 for node in range(1, last)}
    if last not in descendants(net.parents, 0):
        return
    seen = tied.marginal([last], {**rest, 0: 1})
    np.testing.assert_allclose(tied.do({0: 1}).marginal([last], rest), seen, atol=1e-9)


def test_two_interventions_are_the_same_in_either_order():
    tied = rake(NET, {H: [[0.5, 0.5]]})
    for net in (NET, tied):
        together = net.do({G: 0, S: 1}).marginal([H])
        np.testing.assert_allclose(net.do({G: 0}).do({S: 1}).marginal([H]), together, atol=1e-12)
    # Without tilts it is the row itself: P(h | s = no, g = yes) = .1.
    assert yes(NET.do({G: 0, S: 1}).probability({H: 0})) == pytest.approx(0.1)


def test_the_order_of_the_nodes_does_not_matter():
    # The same net with its nodes renamed: h first, then g, then s.
    h, g, s = 0, 1, 2
    other = joint([(g, s), (), (g,)], [NET.tables[H], NET.tables[G], NET.tables[S]])
    assert yes(other.probability({h: 0})) == pytest.approx(0.31)
    assert yes(other.do({s: 0}).probability({h: 0})) == pytest.approx(0.59)
    assert yes(other.probability({g: 0}, {h: 0})) == pytest.approx(0.072 / 0.31)


def test_what_cannot_be_is_no_condition():
    sure = joint([(), (0,)], [[[0.5, 0.5]], [[[1.0, 0.0], [0.0, 1.0]]]])
    with pytest.raises(InvalidInput, match="probability 0"):
        sure.marginal([0], {0: 0, 1: 1})
    with pytest.raises(InvalidInput, match="probability 0"):
        sure.probability({0: 0}, {0: 1, 1: 0})


def test_a_cycle_and_a_row_that_does_not_sum_to_one_are_refused():
    with pytest.raises(InvalidInput, match="cycle"):
        joint([(1,), (0,)], [[[[0.5, 0.5]] * 2]] * 2)
    with pytest.raises(InvalidInput, match="sum to 1"):
        joint([()], [[[0.5, 0.6]]])


def test_marginals_that_no_joint_has_are_named_with_their_shortfall():
    # a and b exclude each other, so P(a) + P(b) <= 1; .7 + .6 is .3 too much.
    never = joint([(), (0,)], [[[0.5, 0.5]], [[[0.0, 1.0], [0.5, 0.5]]]])
    with pytest.raises(InvalidInput, match=r"ceasefire, offensive.*0\.3 too likely.*Frechet"):
        rake(never, {0: [[0.7, 0.3]], 1: [[0.6, 0.4]]}, names=["ceasefire", "offensive"])
    low, _ = frechet_bounds(0.7, 0.6)
    assert low == pytest.approx(0.3)
    fits = rake(never, {0: [[0.3, 0.7]], 1: [[0.6, 0.4]]})
    np.testing.assert_allclose(fits.marginal([0, 1])[0, 0], [0, 0.3], atol=1e-9)


def test_a_cross_impact_matrix_gives_the_least_committed_joint():
    pair = {(0, 1): [[0.2, 0.1], [0.3, 0.4]]}
    p = maximum_entropy([[0.3, 0.7], [0.5, 0.5], [0.6, 0.4]], pair)
    np.testing.assert_allclose(p.sum(axis=2), pair[0, 1], atol=1e-9)
    # Nothing was said of the third: it is independent of the pair.
    np.testing.assert_allclose(p[:, :, 0], 0.6 * np.array(pair[0, 1]), atol=1e-9)


def test_a_pair_that_its_marginals_leave_no_room_for_is_named():
    with pytest.raises(InvalidInput, match=r"pair 0-1.*by 0\.1 \(Frechet"):
        maximum_entropy([[0.3, 0.7], [0.5, 0.5]], {(0, 1): [[0.4, 0.0], [0.1, 0.5]]})
    # Each pair can be, and all three together cannot: a, b, c pairwise opposite.
    opposite = [[0.0, 0.5], [0.5, 0.0]]
    with pytest.raises(InvalidInput, match="all together are not"):
        maximum_entropy([[0.5, 0.5]] * 3, {(0, 1): opposite, (0, 2): opposite, (1, 2): opposite})


@pytest.mark.deep
def test_pymc_says_the_same_of_seeing_and_doing():
    import pymc as pm

    with pm.Model() as model:
        g = pm.Bernoulli("g", 0.3)
        s = pm.Bernoulli("s", pm.math.switch(g, 0.2, 0.6))
        h_if = pm.math.switch(s, pm.math.switch(g, 0.8, 0.5), 0.1)
        pm.Bernoulli("h", h_if)

    def share(net, name, size=40_000):
        with net:
            drawn = pm.sample_prior_predictive(size, random_seed=1)
        return float(drawn.prior[name].mean())

    error = 4.5 * 0.5 / 200
    assert share(model, "h") == pytest.approx(0.31, abs=error)
    assert share(pm.do(model, {"s": 1}), "h") == pytest.approx(0.59, abs=error)
    assert share(pm.do(model, {"g": 1}), "h") == pytest.approx(0.24, abs=error)
    with pm.observe(model, {"h": 1}):
        seen = pm.sample(
            4000, tune=500, chains=2, cores=1, random_seed=1, progressbar=False, quiet=True
        )
    assert float(seen.posterior["g"].mean()) == pytest.approx(0.2323, abs=0.03)
