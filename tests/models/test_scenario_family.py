"""The scenario family: rows by counting, evenly spaced draws, graphs that are refused."""

import datetime as dt

import numpy as np
import pytest

from forecasting.domain.scenario import Logit, Named, Node, Row, ScenarioGraph, faults
from forecasting.errors import InvalidInput
from forecasting.models.encoding.answer import Answer
from forecasting.models.encoding.scenarios import tie
from forecasting.models.scenario import Scenario
from forecasting.models.scenario_rows import logit_rows, spaced_dirichlet, spaced_pick

DAY = dt.date(2025, 1, 1)
NOW = dt.datetime(2025, 6, 1, tzinfo=dt.UTC)


def test_rows_are_learned_by_counting():
    # Dirichlet(3, 7) with 4 yes and 2 no: mean 7 / 16.
    net = Scenario()
    cases = [[0, 0, 0]] * 4 + [[1, 0, 0]] * 2
    fitted = net.fit(net.counts(cases), net.default_priors(), 1)
    assert fitted.method == "conjugate"
    assert fitted.draws["row_0_0"][:, 0].mean() == pytest.approx(7 / 16, abs=1e-3)
    # Rows that no case fell into stay at their priors: P(s | g) saw 4 yes, P(h | g, no s) none.
    assert fitted.draws["row_1_0"][:, 0].mean() == pytest.approx(6 / 14, abs=1e-3)
    assert fitted.draws["row_2_1"][:, 0].mean() == pytest.approx(0.1, abs=1e-3)


def test_every_row_of_every_draw_sums_to_one():
    net = Scenario((3, 2, 4), ((), (0,), (0, 1)))
    truth, data = net.simulate(np.random.default_rng(0), 3)
    for draws in (truth, net.fit(data[0], net.default_priors(), 0).draws):
        for row in draws.values():
            np.testing.assert_allclose(row.sum(axis=1), 1, atol=1e-12)
    assert all(sum(count.sum() for count in each.values()) == 60 for each in data)


def test_the_likelihood_counts_each_case_once():
    net = Scenario()
    draws = net.fit(net.counts([]), net.default_priors(), 0).draws
    cases = [[0, 1, 0], [1, 1, 1], [0, 0, 0]]
    together = net.log_likelihood(draws, net.counts(cases)).sum(axis=1)
    whole = net.predict(draws)
    alone = sum(np.log(whole.probability(dict(enumerate(case)))) for case in cases)
    np.testing.assert_allclose(together, alone, atol=1e-9)


def test_learning_is_calibrated_by_simulation():
    # Ranks of the true row among its posterior draws are uniform: mean 1/2, variance 1/12.
    net = Scenario()
    truth, data = net.simulate(np.random.default_rng(3), 120)
    ranks = [
        float((net.fit(each, net.default_priors(), i).draws["row_2_0"][:, 0] < t).mean())
        for i, (each, t) in enumerate(zip(data, truth["row_2_0"][:, 0], strict=True))
    ]
    assert np.mean(ranks) == pytest.approx(0.5, abs=4.5 * np.sqrt(1 / 12 / 120))
    assert np.var(ranks) == pytest.approx(1 / 12, abs=0.03)


@pytest.mark.deep
def test_the_sampler_finds_what_counting_finds():
    net = Scenario()
    data = net.counts([[0, 0, 0]] * 4 + [[1, 1, 0]] * 3)
    exact = net.fit(data, net.default_priors(), 1)
    drawn = net.fit(data, net.default_priors(), 1, method="nuts", draws=1000)
    assert drawn.report.passed
    for name, row in exact.draws.items():
        np.testing.assert_allclose(drawn.draws[name].mean(axis=0), row.mean(axis=0), atol=0.02)


def test_evenly_spaced_draws_have_the_known_means_and_variances():
    a = np.array([[0.5, 0.5, 0.5], [6, 3, 1], [0, 2, 2]])
    rows = spaced_dirichlet(np.random.default_rng(0), a, 1000)
    mean = a / a.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(rows.mean(axis=0), mean, atol=1e-3)
    variance = mean * (1 - mean) / (a.sum(axis=1, keepdims=True) + 1)
    np.testing.assert_allclose(rows.var(axis=0), variance, atol=0.004)
    assert np.all(rows[:, 2, 0] == 0)


def test_picking_keeps_the_mean_and_obeys_the_weights():
    p = np.random.default_rng(0).random((4000, 1))
    weights = p[:, 0] / p[:, 0].sum()
    picked = spaced_pick(np.random.default_rng(1), p, 1000, weights)
    assert picked.mean() == pytest.approx(float(weights @ p[:, 0]), abs=1e-3)


def test_links_on_the_log_odds_add_up():
    table = logit_rows(np.random.default_rng(0), 0.2, 20, [[0, 1.0], [0, -1.0]], 8000)
    odds = np.log(table[..., 0] / table[..., 1])
    base = np.log(0.2 / 0.8)
    np.testing.assert_allclose(odds.mean(axis=0), base + np.array([[0, -1], [1, 0]]), atol=0.02)
    # The effects are as uncertain as is said: N(mean, 1).
    np.testing.assert_allclose((odds[:, 1, 0] - odds[:, 0, 0]).std(), 1, atol=0.02)


def row(given, shares, known=DAY, kappa=10.0):
    return Row(tuple(given), tuple(shares), kappa, "argued in a test", "a test", known)


def node(name, parents=(), rows=None, states=("yes", "no"), **more):
    rows = rows if rows is not None else (row((), (0.3, 0.7)),)
    return Node(name, "a node of a test", states, tuple(parents), tuple(rows), **more)


def child(name, parent, a=0.8, b=0.1, **more):
    return node(name, [parent], [row(["no"], (b, 1 - b)), row(["yes"], (a, 1 - a))], **more)


GOOD = (node("a"), child("b", "a"), child("c", "b"))


def messages(nodes, named=()):
    return [fault.message for fault in faults(nodes, named)]


def test_a_good_graph_has_no_fault_and_its_rows_in_order():
    assert messages(GOOD) == []
    graph = ScenarioGraph("g", "a graph", GOOD)
    assert [r.given for r in graph.node("b").rows] == [("yes",), ("no",)]


def test_what_is_wrong_with_a_graph_is_named():
    round_trip = (child("a", "c"), child("b", "a"), child("c", "b"))
    assert "cycle" in messages(round_trip)[0]
    assert "a -> b -> c -> a" in messages(round_trip)[0]
    unknown = (*GOOD[:2], child("c", "nothing"))
    assert "parent (nothing)" in messages(unknown)[0]
    gap = (*GOOD[:2], node("c", ["b"], [row(["yes"], (0.5, 0.5))]))
    assert "b=no): missing" in messages(gap)[0]
    sums = (node("a", rows=[row((), (0.3, 0.6))]), *GOOD[1:])
    assert "sums to 0.9" in messages(sums)[0]
    state = (*GOOD[:2], node("c", ["b"], [row(["yes"], (1, 0)), row(["maybe"], (1, 0))]))
    assert any("no state maybe" in message for message in messages(state))
    sure = (node("a", rows=[row((), (0.3, 0.7), kappa=500)]), *GOOD[1:])
    assert "kappa (500)" in messages(sure)[0]
    early = (node("a", rows=[row((), (0.3, 0.7), dt.date(2026, 1, 1))]), *GOOD[1:])
    assert "known_by" in messages(early)[0]
    assert "nodes (2)" in messages(GOOD[:2])[0]
    with pytest.raises(InvalidInput, match="sums to"):
        ScenarioGraph("g", "a graph", sums)


def test_many_parents_need_the_logit():
    roots = tuple(node(f"r{i}") for i in range(4))
    names = [each.id for each in roots]
    crowded = (*roots, node("x", names, []))
    assert "at most 3" in messages(crowded)[0]
    logit = Logit(0.2, 10, ((0.0, 0.5),) * 4, "argued in a test", "a test", DAY)
    fine = (*roots, node("x", names, [], logit=logit))
    assert messages(fine) == []
    tied = tie(ScenarioGraph("g", "a graph", fine), {}, None, NOW, seed=0)
    assert tied.joint.marginal([4]).shape == (1000, 2)


def test_named_scenarios_must_exclude_each_other():
    first, second = Named("x", "x", {"a": "yes"}), Named("y", "y", {"b": "yes"})
    assert "overlaps x" in messages(GOOD, [first, second])[0]
    assert messages(GOOD, [first, Named("y", "y", {"a": "no", "b": "yes"})]) == []


def test_only_what_could_be_argued_by_a_day_speaks():
    late = child("c", "b")
    late = Node(
        "c", late.title, late.states, late.parents,
        tuple(row(r.given, r.shares, dt.date(2025, 9, 1)) for r in late.rows),
    )  # fmt: skip
    graph = ScenarioGraph("g", "a graph", (*GOOD[:2], late))
    assert [each.id for each in graph.known(dt.date(2025, 8, 31)).nodes] == ["a", "b"]
    assert graph.known(dt.date(2025, 9, 1)) == graph
    with pytest.raises(InvalidInput, match="could be argued by"):
        graph.known(dt.date(2024, 1, 1))


def answer(numbers, draws=None, gate="passed"):
    p = np.array(draws if draws is not None else [numbers] * 8, dtype=float)
    return Answer(tuple(numbers), None, "x", "conjugate", 0, "", "", gate=gate, draw=lambda: p)


def linked(opens, closes):
    yes_no = {"yes": "yes", "no": "no"}
    return (
        *GOOD[:2],
        child("c", "b", question="q", outcomes=yes_no, opens=opens, closes=closes),
    )


def test_a_node_takes_its_level_from_an_open_question_draw_by_draw():
    graph = ScenarioGraph("g", "a graph", linked(NOW, NOW + dt.timedelta(days=9)))
    p = np.random.default_rng(0).beta(2, 8, (4000, 1))
    said = answer([float(p.mean())], p)
    tied = tie(graph, {}, lambda name: said, NOW, seed=0)
    got = tied.joint.marginal([2])[:, 0]
    assert got.mean() == pytest.approx(p.mean(), abs=1e-6)
    assert got.std() == pytest.approx(p.std(), abs=0.005)
    # What lies above it moves with it.
    assert tied.joint.marginal([1])[:, 0].mean() != pytest.approx(
        tied.bare.marginal([1])[:, 0].mean(), abs=1e-3
    )


def test_reports_that_moved_the_answer_move_the_draws():
    graph = ScenarioGraph("g", "a graph", linked(NOW, NOW + dt.timedelta(days=9)))
    p = np.random.default_rng(0).beta(2, 8, (4000, 1))
    tied = tie(graph, {}, lambda name: answer([0.4], p), NOW, seed=0)
    assert tied.joint.marginal([2])[:, 0].mean() == pytest.approx(0.4, abs=1e-6)


def test_a_question_is_asked_only_while_it_is_open():
    week = dt.timedelta(days=7)

    def never(name):
        raise AssertionError(name)

    for opens in (NOW + week, NOW - 2 * week):
        graph = ScenarioGraph("g", "a graph", linked(opens, opens + week))
        tied = tie(graph, {}, never, NOW, seed=0)
        assert tied.linked == {}


def test_a_refused_fit_does_not_speak():
    graph = ScenarioGraph("g", "a graph", linked(NOW, NOW + dt.timedelta(days=9)))
    tied = tie(graph, {}, lambda name: answer([0.5], gate="refused: r_hat"), NOW, seed=0)
    assert tied.silent == {"c": "refused: r_hat"}
    assert tied.joint == tied.bare or not tied.joint.tilts
