"""What questions ask of paths: facts since the opening joined to what follows."""

import datetime as dt

import numpy as np
import pytest

from forecasting.domain.predicate import (
    And,
    At,
    Entered,
    FirstOf,
    HighestAmong,
    HighestOf,
    Moment,
    Not,
    Occurred,
    Or,
    StateOn,
    Through,
    Total,
    Within,
)
from forecasting.errors import InvalidInput
from forecasting.models.world.conditions import leads, towards
from forecasting.models.world.reading import Answer
from forecasting.models.world.simulate import simulate
from forecasting.models.world.values import Known, Move, Size
from tests.models.world.engine import CLOSE, ask, day, event, flip, process, world


def story():
    """A path without chance: what is asked of it has one answer."""
    truce = process(
        "truce",
        ("none", "on", "held"),
        Move(0, 1, at=np.full(16, 12.0)),
        Move(1, 2, at=np.full(16, 30.0)),
        known=(Known(-8.0, 1), Known(-4.0, 0)),
        age=20.0,
    )
    strike = process(
        "strike",
        ("waiting",),
        Move(0, 0, at=np.full(16, 25.0)),
        known=(Known(-6.0, 0, counted=True), Known(3.0, 0, counted=True)),
        age=20.0,
        free=5.0,
    )
    parcels = process(
        "parcels",
        ("agreed", "begun", "done"),
        Move(1, 2, at=np.full(16, 40.0), size=Size(0.5, 4.0, 1.0)),
        known=(Known(-2.0, 1, 200.0),),
        age=20.0,
        goal=1000.0,
        total=100.0,
        done=2,
    )
    return simulate(world(truce, strike, parcels, draws=16), 60.0)


STORY = [
    # what, opening, close, the answer
    (Entered("truce", ("on",), CLOSE), -10, 10, True),
    (Entered("truce", ("on",), CLOSE), -8, 10, False),  # entered at the opening: before it
    (Entered("truce", ("on",), CLOSE), -8, 12, True),
    (Entered("truce", ("on", "held"), CLOSE, Moment(day(15))), -10, 29, False),
    (Entered("truce", ("on", "held"), CLOSE, Moment(day(15))), -10, 30, True),
    (At("truce", ("on",), CLOSE), -20, -4.5, True),
    (At("truce", ("on",), CLOSE), -20, -4, False),
    (At("truce", ("on",), CLOSE), 0, 12, True),
    (At("truce", ("on",), Moment(day(11))), 0, 50, False),
    (Through("truce", ("none",), CLOSE), 0, 11, True),
    (Through("truce", ("none",), CLOSE), 0, 12, False),
    (Through("truce", ("none",), CLOSE), -20, 11, False),
    (Through("truce", ("on", "held"), CLOSE), 12, 60, True),
    (Through("truce", ("on",), CLOSE), -7, -5, True),
    (Through("truce", ("on",), CLOSE), -3, 5, False),  # never on: nothing to leave
    (Occurred("strike", CLOSE), -10, -5, True),
    (Occurred("strike", CLOSE), -6, 2, False),
    (Occurred("strike", CLOSE), 0, 3, True),
    (Occurred("strike", CLOSE, 3), -10, 24, False),
    (Occurred("strike", CLOSE, 3), -10, 25, True),
    (Occurred("strike", CLOSE, 1, Moment(day(3))), -10, 24, False),
    (Occurred("parcels", CLOSE, 2), -10, 40, True),
    (Entered("parcels", ("done",), CLOSE), 0, 39, False),
    (Entered("parcels", ("done",), CLOSE), 0, 40, True),
    (Within("truce", ("on",), 10, "strike", ()), 0, 60, True),
    (Within("truce", ("on",), 8, "strike", ()), 0, 60, False),
    (Within("truce", ("on",), 10, "strike", ()), 0, 11, False),
    (Within("truce", ("on",), 10, "strike", ()), 4, 60, False),  # the first strike is that of 25
    (Within("truce", ("none",), 4, "truce", ("on",)), -10, 60, True),
    (Within("strike", (), 22, "strike", ()), 0, 60, True),
    (Within("strike", (), 21, "strike", ()), 0, 60, False),
    (And(At("truce", ("on",), CLOSE), Not(Occurred("strike", CLOSE))), 4, 20, True),
    (Or(At("truce", ("none",), CLOSE), Occurred("strike", CLOSE)), 4, 20, False),
]


@pytest.mark.parametrize(("what", "opens", "close", "answer"), STORY)
def test_a_predicate_reads_facts_and_path_as_one(what, opens, close, answer):
    truth = ask(story(), what, close, opens)
    assert truth.shape == (16,)
    assert np.all(truth == answer)


def chosen(event, options, opens, close):
    places = np.unique(story().choice(event, options, day(opens), day(close)))
    assert len(places) == 1
    return options[places[0]]


def test_choices():
    states = ["none", "on", "held"]
    assert chosen(StateOn("truce", CLOSE), states, 0, 11) == "none"
    assert chosen(StateOn("truce", CLOSE), states, 0, 31) == "held"
    named = StateOn("truce", CLOSE, (("on", "yes"), ("held", "yes")))
    assert chosen(named, ["none", "yes"], 0, 31) == "yes"
    assert chosen(StateOn("truce", CLOSE), ["on", "other"], 0, 31) == "other"
    assert chosen(HighestOf("truce", CLOSE), states, -5, 5) == "on"  # held at the opening
    assert chosen(HighestOf("truce", CLOSE), states, -4, 5) == "none"
    assert chosen(HighestOf("truce", CLOSE), states, -10, 30) == "held"
    entries = (("T", "truce", ("on",)), ("S", "strike", ()), ("P", "parcels", ("done",)))
    first = FirstOf(entries, "X")
    assert chosen(first, ["T", "S", "P", "X"], 0, 60) == "S"
    assert chosen(first, ["T", "S", "P", "X"], 3, 60) == "T"
    assert chosen(first, ["T", "S", "P", "X"], 3, 11) == "X"
    tied = FirstOf((("A", "truce", ("on",)), ("B", "truce", ("on", "held"))), "X")
    assert chosen(tied, ["A", "B", "X"], 0, 60) == "A"
    highest = HighestAmong(entries, "X")
    assert chosen(highest, ["T", "S", "P", "X"], -7, -6.5) == "T"  # held at the opening
    assert chosen(highest, ["T", "S", "P", "X"], 0, 25) == "S"
    assert chosen(highest, ["T", "S", "P", "X"], 0, 60) == "P"
    assert chosen(highest, ["T", "S", "P", "X"], 0, 2) == "X"


def test_numbers():
    def number(event, opens, close):
        values = np.unique(story().number(event, day(opens), day(close)))
        assert len(values) == 1
        return float(values[0])

    assert number(Total("parcels", CLOSE), -10, -3) == 100
    assert number(Total("parcels", CLOSE), 0, 39) == 300
    assert number(Total("parcels", CLOSE), 0, 40) == 1000
    assert number(Total("parcels", CLOSE, since_opening=True), -10, 40) == 900
    assert number(Total("parcels", CLOSE, since_opening=True), 0, 40) == 700
    assert number(Total("strike", CLOSE, since_opening=True), 0, 30) == 2
    assert number(Total("strike", CLOSE), 0, 30) == 3


def test_a_quantile_moved_where_the_old_one_lies_beyond_the_neighbours_of_its_level():
    levels = tuple(range(10, 109))
    answer = Answer(levels, None, 0, "", "", 16, {}, errors=(0.004,))
    near, far = ([level + by for level in levels] for by in (0.9, 1.1))
    assert not answer.moved_from(levels, errors=2.0)
    assert (answer.moved_from(near, errors=2.0), answer.moved_from(far, errors=2.0)) == (
        False,
        True,
    )
    two = Answer((0.3, 0.7), None, 0, "", "", 16, {}, errors=(0.01, 0.01))
    assert not two.moved_from((0.315, 0.685), errors=2.0)
    assert two.moved_from((0.325, 0.675), errors=2.0)


def test_what_lies_beyond_the_paths_or_outside_the_world_is_refused():
    paths = story()
    with pytest.raises(InvalidInput, match="2026-03-03: beyond the simulated 60 days"):
        ask(paths, At("truce", ("on",), CLOSE), 61)
    with pytest.raises(KeyError, match="trice"):
        ask(paths, At("trice", ("on",), CLOSE), 60)
    with pytest.raises(ValueError, match="not in"):
        ask(paths, At("truce", ("off",), CLOSE), 60)
    with pytest.raises(ValueError, match="not in"):
        paths.choice(StateOn("truce", CLOSE), ["none", "on"], day(0), day(60))


def test_options_of_one_simulation_sum_to_one_and_agree_with_their_predicates():
    stages = process(
        "G", ("none", "soft", "firm"), Move(0, 1, 0.01), Move(1, 2, 0.02), Move(0, 2, 0.003)
    )
    paths = simulate(world(stages), 100.0)
    choice = paths.choice(StateOn("G", CLOSE), ["none", "soft", "firm"], day(0), day(100))
    for k, state in enumerate(("none", "soft", "firm")):
        assert np.array_equal(choice == k, ask(paths, At("G", (state,), CLOSE), 100))
    highest = paths.choice(HighestOf("G", CLOSE), ["none", "soft", "firm"], day(0), day(100))
    assert np.all(highest >= choice)


def test_of_several_entries_the_first_since_the_opening_counts():
    paths = simulate(world(flip("A", 0.2, 0.2)), 100.0)
    times = paths.course("A").entries(("on",), 30.0)
    frame = paths.event_times()
    later = frame[(frame.state == "on") & (frame.time > day(30))]
    first = (later.groupby("draw").time.min() - day(0)) / dt.timedelta(days=1)
    assert np.allclose(times[first.index], first)
    assert np.isinf(times).sum() == 4096 - len(first)


def test_tables_for_people():
    paths = story()
    frame = paths.event_times()
    assert list(frame.columns) == ["draw", "process", "time", "before", "state", "amount"]
    assert len(frame) == 4 * 16
    first = frame[frame.draw == 0]
    assert list(first.state) == ["on", "waiting", "held", "done"]
    assert first.time.iloc[0].to_pydatetime() == day(12)
    states = paths.states_at([day(0), day(35)])
    assert list(states.loc[day(35), "truce"].unique()) == ["held"]
    assert paths.fan("truce", [day(0), day(20)]).tolist() == [[1, 0, 0], [0, 1, 0]]
    assert paths.fan("parcels", [day(0), day(50)]).tolist() == [[300] * 5, [1000] * 5]
    assert paths.fan("strike", [day(50)]).tolist() == [[3] * 5]


def test_stories_are_shares_of_one_and_tell_the_order():
    (only,) = story().stories()
    assert only.steps == ("truce=on", "strike", "parcels=done")
    assert only.share == pytest.approx(1)
    paths = simulate(world(flip("A", 0.02), flip("B", 0.01), event("E", 0.3)), 50.0)
    stories = paths.stories(20, processes=["A", "B"])
    assert sum(each.share for each in stories) == pytest.approx(1)
    assert {each.steps for each in stories} == {
        (), ("A=on",), ("B=on",), ("A=on", "B=on"), ("B=on", "A=on"),
    }  # fmt: skip
    assert stories == sorted(stories, key=lambda each: -each.share)
    none = next(each.share for each in stories if not each.steps)
    assert none == pytest.approx(np.exp(-1.5), abs=0.02)


def test_a_further_part_of_what_has_begun_is_told_as_the_next_one():
    part = Move(1, 1, at=np.full(16, 5.0), size=Size(0.2, 4.0))
    goods = process("goods", ("agreed", "begun", "done"), part, known=(Known(-2.0, 1, 200.0),),
                    age=20.0, goal=1000.0, total=100.0, done=2)  # fmt: skip
    (only,) = simulate(world(goods, draws=16), 10.0).stories()
    assert only.steps == ("goods=next-part",)


def test_what_comes_whole_in_its_first_part_has_begun():
    whole = Move(0, 1, at=np.full(16, 5.0), size=Size(0.5, 4.0, 1.0))
    goods = process("goods", ("agreed", "begun", "done"), whole, goal=100.0, done=2)
    paths = simulate(world(goods, draws=16), 10.0)
    for state in ("begun", "done"):
        assert (paths.course("goods").entries((state,), 0.0) == 5.0).all()


def test_the_moves_towards_a_condition():
    path = process(
        "P", ("a", "b", "c", "d"), *[Move(j, j + 1, 1e-4) for j in range(3)], Move(1, 0, 1.0)
    )
    three = world(path, event("E", 1e-4), flip("F", 0.5, 1e-4, state=1))
    ((share, steps),) = towards(three, Entered("P", ("c",), CLOSE), 100.0)
    assert share == 1
    assert steps == {(0, 0): pytest.approx(200), (0, 1): pytest.approx(200)}
    both = And(Occurred("E", CLOSE), Not(Through("F", ("on",), CLOSE)))
    assert [set(way) for _, way in towards(three, both, 100.0)] == [{(1, 0)}, {(2, 1)}]
    assert towards(three, Not(Occurred("E", CLOSE)), 100.0) == []


def test_a_state_that_no_way_leads_to_is_told_from_one_that_is_rare():
    stages, parts = ("agreed", "begun", "failed", "done"), (Move(0, 1, 0.01), Move(1, 1, 0.01))
    at_each = [process("d", stages, *parts, state=state, done=3) for state in range(4)]
    done = [leads(world(one), Entered("d", ("done",), CLOSE)) for one in at_each]
    assert done == [True, True, False, False]
    ends = process("A", ("a", "b", "gone"), Move(0, 1, 1e-9), Move(0, 2, 0.01))
    assert leads(world(ends), Entered("A", ("b",), CLOSE))
    gone = process("A", ("a", "b", "gone"), Move(0, 1, 0.01), Move(0, 2, 0.01), state=2)
    assert not leads(world(gone), Entered("A", ("b",), CLOSE))
    assert leads(world(gone), Entered("A", ("gone",), CLOSE))


def test_the_zone_of_a_moment_does_not_matter():
    paths = story()
    east = dt.timezone(dt.timedelta(hours=3))
    close = day(12).astimezone(east)
    assert paths.truth(At("truce", ("on",), CLOSE), day(0), close).all()


def test_a_delivery_that_is_whole_has_brought_what_was_agreed():
    """Parts are kept in few digits: no total is a millionth short of the goal, or beyond it."""
    for goal in (0.7, 100.0, 700.0, 1e6):
        size = Size(0.13, 4.0)
        moves = (Move(0, 1, 0.5, size=size), Move(1, 1, 0.5, size=size))
        gift = process("gift", ("agreed", "begun", "done"), *moves, goal=goal, done=2)
        paths = simulate(world(gift), 400.0)
        total = paths.number(Total("gift", CLOSE), day(0.0), day(400.0))
        assert (ask(paths, Entered("gift", ("done",), CLOSE), 400.0)).all()
        assert set(total) == {goal}
