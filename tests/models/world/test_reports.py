"""Laws of reports: what each source, story and half-life may do to the moves of a world."""

import datetime as dt
from dataclasses import replace
from math import exp, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.domain import predicate as ask
from forecasting.domain.evidence import Effect, Evidence, fading, parse_effect, split_on
from forecasting.domain.predicate import Moment, Predicate
from forecasting.domain.process import DeliverySpec, MoveSpec, Phrase, ProcessSpec, WorldSpec
from forecasting.errors import InvalidInput
from forecasting.evidence import learned
from forecasting.evidence.history import EPOCH, Past, Piece, Record, Step
from forecasting.evidence.leads import to_question, to_target
from forecasting.evidence.reports import alive, bound, multiplier, reports, story_total, unusable
from forecasting.models.news_gain import Gain, exposed, gain_draws, learned_gain, summary
from forecasting.models.world import values
from forecasting.models.world.fading import fading as in_steps
from forecasting.models.world.learning import piece_multipliers
from tests.season import between

NOON = dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
LATER = NOON + 300 * DAY
CLOSE = Moment()
HISTORY = Phrase("history")


def total_at(coded, moment, gain=1.0):
    """The log hazard ratio of one move's reports at a moment, each source in its bound."""
    sums = {}
    for each in coded:
        key = (each.source, each.bound)
        sums[key] = sums.get(key, 0.0) + each.weight_at(moment)
    return sum(min(max(gain * size, -most), most) for (_, most), size in sums.items())


def _process(name, *moves, kind="states", states=""):
    ways = tuple(MoveSpec(*move.split(" > "), HISTORY) for move in moves)
    names = states.split() or list(dict.fromkeys(s for way in ways for s in (way.start, way.end)))
    return ProcessSpec(name, kind, tuple(names), ways)


DELIVERY = replace(
    _process("detainees", kind="delivery", states="agreed begun stalled failed done"),
    delivery=DeliverySpec(1000.0, NOON, NOON),
)
WORLD = WorldSpec(
    {
        process.name: process
        for process in (
            _process("truce", "none > on", "on > none"),
            _process("guarantees", "none > soft", "soft > firm", "none > firm", "soft > none"),
            _process("talks", "none > text", "text > signed", "text > none"),
            _process("convoy", "waiting > waiting", kind="event"),
            _process("election", kind="scheduled", states="ahead held"),
            _process("venue", "none > russia", "none > third"),
            DELIVERY,
        )
    }
)
TRUCE = ask.Entered("truce", ("on",), CLOSE)
ASKED = {
    "truce-by": TRUCE,
    "truce-q@2026-06-30": TRUCE,
    "truce-q@2026-12-31": TRUCE,
    "truce-holds": ask.Through("truce", ("on",), CLOSE),
    "level": ask.StateOn("guarantees", CLOSE, (("soft", "vague"),)),
}


def _question(name):
    ladder = name.partition("@")[0] if "@" in name else None
    return between(name, NOON - DAY, NOON + 400 * DAY, ladder=ladder)


QUESTIONS = {name: _question(name) for name in ASKED}
PREDICATES = {name: Predicate(event) for name, event in ASKED.items()}


def _item(key, *on, at=0.0, half_life=30.0, **more):
    stated = [split_on(text) for text in on]
    effects = tuple(fading(parse_effect(s.target, s.effect), half_life) for s in stated)
    fields = {"source": "wire", "grade": "B", "story": ""} | more
    return Evidence(key, "report", key, known_at=NOON + at * DAY, effects=effects, **fields)


def _coded(*items, as_of=LATER):
    return reports(items, WORLD, QUESTIONS, PREDICATES, as_of=as_of)


def _weight(*items, at=0.0, way=("truce", "none > on")):
    mine = [each for each in _coded(*items) if (each.process, each.move) == way]
    return total_at(mine, NOON + at * DAY)


ITEM = st.builds(
    lambda key, effect, source, story, at, half_life: _item(
        key, f"truce=on={effect}", source=source, grade=source, story=story, at=at,
        half_life=half_life,
    ),
    st.uuids().map(str),
    st.sampled_from(["x2", "x1/2", "+2", "-1", "0.6/0.2", "x5"]),
    st.sampled_from("ABCDEF"),
    st.sampled_from(["", "s", "s/x", "s/y", "t/x"]),
    st.integers(0, 60).map(float),
    st.sampled_from([10.0, 30.0, "lasting"]),
)  # fmt: skip


@pytest.mark.parametrize(
    ("grade", "most"), [("E", 1.5), ("D", 7 / 3), ("C", 4.0), ("B", 9.0), ("A", 39.0), ("F", 3.0)]
)
def test_nobody_moves_a_hazard_past_the_bound(grade, most):
    # One absurd claim, and many honest ones of one source in stories of their own.
    absurd = _weight(_item("n", "truce=on=x1000000", grade=grade, source=grade))
    assert exp(absurd) == pytest.approx(most, rel=1e-3)
    many = [_item(f"n{i}", "truce=on=x3", grade=grade, source=grade) for i in range(30)]
    assert exp(_weight(*many)) == pytest.approx(most, rel=1e-9)
    mine = _coded(*many)
    assert multiplier(mine, [(NOON - EPOCH) / DAY + 1e-9], [0.1, 50.0])[1, 0] <= most + 1e-9


def test_the_channel_is_that_of_rule_23():
    # u = .4 for a = .6, b = .2, at r = .8: (.48 + .08) / (.16 + .08).
    assert exp(_weight(_item("n", "truce=on=0.6/0.2"))) == pytest.approx(0.56 / 0.24)
    # The stored u is of no account: it is (a + b) / 2 wherever it is used.
    item = _item("n", "truce=on=0.6/0.2")
    other = Effect("truce=on", "likelihood", {"a": 0.6, "b": 0.2, "u": 0.001}, "0.6/0.2")
    assert _weight(replace(item, effects=(other,))) == _weight(item)


def test_twice_as_fast_and_half_as_fast_at_one_moment_cancel_exactly():
    both = [_item("a", "truce=on=x2"), _item("b", "truce=on=x1/2")]
    for days in (0.0, 10.0, 100.0):
        assert _weight(*both, at=days) == 0.0
    (one, other) = _coded(*both)
    assert one.log_ratio == -other.log_ratio != 0.0
    for ratio in ("1.1", "3", "7", "13", "0.3", "99"):
        for grade in "ABCDE":
            both = [_item(x, f"truce=on={x}{ratio}", grade=grade) for x in ("x", "x1/")]
            assert _weight(*both) == 0.0
    # Before the bound, whatever the gain.
    huge = [_item("a", "truce=on=x90"), _item("b", "truce=on=x90"), _item("c", "truce=on=-2")]
    assert total_at(_coded(*huge), NOON, 20.0) == bound(0.8)
    ratios = multiplier(_coded(*both), [(LATER - EPOCH) / DAY], [0.3, 1.0, 7.0])
    assert ratios.tolist() == [[1.0], [1.0], [1.0]]


@given(st.lists(ITEM, max_size=6, unique_by=lambda item: item.key), st.randoms())
def test_the_order_of_arrival_does_not_matter(items, luck):
    mixed = list(items)
    luck.shuffle(mixed)
    assert _coded(*mixed) == _coded(*items)


@given(st.lists(ITEM, min_size=1, max_size=5, unique_by=lambda item: item.key))
def test_a_retraction_restores_exactly(items):
    retraction = Evidence(
        "r", "datum", "no", "analyst", NOON + 100 * DAY,
        (Effect(f"evidence/{items[0].key}", "datum", {"name": "retracts"}),),
    )  # fmt: skip
    assert _coded(*items, retraction) == _coded(*items[1:])
    # As of a moment before, it was believed.
    before = NOON + 99 * DAY
    assert _coded(*items, retraction, as_of=before) == _coded(*items, as_of=before)


@given(st.lists(ITEM, max_size=5, unique_by=lambda item: item.key), ITEM, st.integers(0, 200))
def test_what_is_known_later_changes_nothing_before(items, late, days):
    as_of = NOON + days * DAY
    known = [item for item in (*items, late) if item.known_at <= as_of]
    assert _coded(*items, late, as_of=as_of) == _coded(*known, as_of=as_of)


def test_a_later_grade_of_a_source_leaves_what_an_earlier_item_weighs():
    first = _item("first", "truce=on=x1000", grade="C")
    later = _item("later", "convoy=x2", grade="A", at=1.0)
    believed = learned([first, later], QUESTIONS, {}, LATER)
    for reliability in (None, believed):
        coded = reports(
            [first, later], WORLD, QUESTIONS, PREDICATES, reliability=reliability, as_of=LATER
        )
        mine = {each.key: each for each in coded}
        assert mine["first"].log_ratio == pytest.approx(_weight(first))
        assert (mine["first"].grade, mine["later"].grade) == ("C", "A")
        assert exp(mine["first"].bound) == pytest.approx(4.0)


@pytest.mark.parametrize("at", [0.0, 5.0])
@pytest.mark.parametrize("grade", ["B", "E"])
def test_a_copy_adds_nothing(at, grade):
    first = _item("a", "truce=on=x2", story="s")
    copy = _item("b", "truce=on=x2", story="s", at=at, source="other", grade=grade)
    assert _coded(first, copy) == _coded(first)
    same_sourcing = [replace(item, story="s/wire") for item in (first, copy)]
    assert len(_coded(*same_sourcing)) == 1


def test_a_stronger_copy_adds_by_how_much_it_is_stronger():
    weak = _item("a", "truce=on=x2", story="s", grade="E", source="rumour")
    strong = _item("b", "truce=on=x2", story="s", at=30.0)
    assert _weight(weak, strong, at=30.0) == pytest.approx(_weight(strong, at=30.0))
    assert _weight(weak, strong, at=29.0) == _weight(weak, at=29.0)


@given(
    st.lists(ITEM, min_size=1, max_size=4, unique_by=lambda item: item.key),
    ITEM,
    st.sampled_from(["x1.2", "x2", "x4"]),
    st.integers(0, 150),
)
def test_a_corroboration_never_lowers(items, more, effect, days):
    for sign in (1.0, -1.0):
        late = _with_effect(more, effect, sign)
        up = [
            _with_effect(item, "x2", sign)
            for item in items
            # A copy that was told first shows that the story is older than it seemed.
            if item.story != more.story or item.known_at <= more.known_at or not item.story
        ]
        before, after = _coded(*up), _coded(*up, late)
        moment = NOON + days * DAY
        # Without the bounds, which only ever cut.
        total = [sum(report.weight_at(moment) for report in coded) for coded in (before, after)]
        assert (total[1] - total[0]) * sign >= -1e-9


def test_a_corroboration_that_fades_sooner_takes_nothing_along():
    lasting = _item("a", "truce=on=x2", story="s/a", half_life="lasting")
    quick = _item("b", "truce=on=x4", story="s/b", source="b", at=1.0, half_life=2.0)
    for days in (1.0, 5.0, 100.0):
        assert _weight(lasting, quick, at=days) >= _weight(lasting, at=days)
        early = replace(quick, known_at=NOON - DAY)
        assert _weight(lasting, early, at=days) >= _weight(lasting, at=days)


def _with_effect(item, effect, sign):
    over = effect if sign > 0.0 else f"x1/{effect[1:]}"
    half_life = item.effects[0].detail["half_life"]
    return replace(item, effects=(fading(parse_effect("truce=on", over), half_life),))


def test_one_event_sourced_twice_is_between_a_copy_and_two_events():
    size = _weight(_item("a", "truce=on=x2"))
    twice = [_item(k, "truce=on=x2", story=f"s/{k}", source=k) for k in "ab"]
    assert _weight(*twice) == pytest.approx(2 * size / 1.5)
    apart = [_item(k, "truce=on=x2", story=k, source=k) for k in "ab"]
    assert _weight(*apart) == pytest.approx(2 * size)
    # An item that says next to nothing takes nothing away (its mean would).
    silent = _item("c", "truce=on=x1.01", story="s/c", source="c")
    assert _weight(twice[0], silent) >= size - 1e-12


@given(st.lists(st.floats(0.0, 3.0), max_size=6))
def test_a_story_weighs_at_least_its_strongest_and_at_most_all(sizes):
    total = story_total(sizes)
    assert max(sizes, default=0.0) - 1e-9 <= total <= sum(sizes) + 1e-9
    assert story_total([*sizes, 0.5]) >= total - 1e-9
    for place in range(len(sizes)):
        raised = [size + 0.1 * (k == place) for k, size in enumerate(sizes)]
        assert story_total(raised) >= total - 1e-9


def test_a_story_told_on_nested_questions_counts_once():
    one = _item("n", "truce-by=x2")
    nested = _item("n", "truce-by=x2", "truce-q=x2", "truce-q@2026-06-30=x2", "truce=on=x2")
    assert _coded(nested) == _coded(one)
    # Several codes on one move: the one nearest 0; none where they contradict each other.
    assert _coded(_item("n", "truce-by=x2", "truce-q=+2")) == _coded(one)
    assert _coded(_item("n", "truce-by=x2", "truce-q=-1")) == ()
    parts = [_item(k, f"{q}=x2", story="s") for k, q in (("a", "truce-by"), ("b", "truce-q"))]
    assert _coded(*parts) == _coded(parts[0])


def test_after_one_half_life_half_is_left():
    for half_life in (10.0, 30.0):
        item = _item("n", "truce=on=x2", half_life=half_life)
        assert _weight(item, at=half_life) == pytest.approx(_weight(item) / 2)
        assert _weight(item, at=3 * half_life) == pytest.approx(_weight(item) / 8)
        assert _weight(item, at=-0.001) == 0.0
    lasting = _item("n", "truce=on=x2", half_life="lasting")
    assert _weight(lasting, at=300.0) == _weight(lasting)
    # What older entries hold states none: thirty days.
    old = replace(item, effects=(parse_effect("truce-by", "+1"),))
    assert _weight(old, at=30.0) == pytest.approx(_weight(old) / 2)


def test_a_stance_of_before_is_read_as_a_code():
    for old_code, code in (("stance=+1", "+1"), ("stance=-2", "-2"), ("stance=0.7", "+1")):
        old = replace(_item("n", "truce=on=x2"), effects=(parse_effect("truce-by", old_code),))
        assert _weight(old) == _weight(_item("n", f"truce=on={code}"))


VENUE = (("R", "venue", ("russia",)), ("3", "venue", ("third",)))
AMONG = (("a", "venue", ("third",)), ("b", "truce", ("on",)))


@pytest.mark.parametrize(
    ("event", "option", "expected"),
    [
        (TRUCE, "", "+truce: none > on"),
        (TRUCE, "no", "-truce: none > on"),
        (ask.Through("truce", ("on",), CLOSE), "", "-truce: on > none"),
        (ask.Not(ask.Through("truce", ("on",), CLOSE)), "", "+truce: on > none"),
        (ask.Not(TRUCE), "", "-truce: none > on"),
        (ask.At("truce", ("on",), CLOSE), "", "+truce: none > on, -truce: on > none"),
        (ask.Occurred("convoy", CLOSE, 3), "", "+convoy: waiting > waiting"),
        (ask.Total("convoy", CLOSE, True), "", "+convoy: waiting > waiting"),
        (ask.Total("detainees", CLOSE), "",
         "+detainees: agreed > begun, +detainees: begun > begun"),
        (ask.Entered("detainees", ("done",), CLOSE), "",
         "+detainees: agreed > begun, +detainees: begun > begun"),
        # Stages: a text comes before a signature; the way back is no way there.
        (ask.Entered("talks", ("signed",), CLOSE), "",
         "+talks: text > signed, +talks: none > text"),
        (ask.Entered("guarantees", ("firm",), CLOSE), "",
         "+guarantees: soft > firm, +guarantees: none > firm, +guarantees: none > soft"),
        (ask.And(TRUCE, ask.Occurred("convoy", CLOSE)), "",
         "+truce: none > on, +convoy: waiting > waiting"),
        (ask.Or(TRUCE, ask.Not(ask.Occurred("convoy", CLOSE))), "",
         "+truce: none > on, -convoy: waiting > waiting"),
        (ask.And(TRUCE, ask.Not(TRUCE)), "", ""),
        (ask.Within("truce", ("on",), 14.0, "convoy", ()), "", "+truce: none > on"),
        (ask.StateOn("guarantees", CLOSE, (("soft", "vague"),)), "vague",
         "+guarantees: none > soft, -guarantees: soft > firm, -guarantees: soft > none"),
        (ask.HighestOf("guarantees", CLOSE), "soft",
         "+guarantees: none > soft, -guarantees: soft > firm"),
        (ask.HighestOf("guarantees", CLOSE), "none",
         "-guarantees: none > soft, -guarantees: none > firm"),
        (ask.HighestAmong(AMONG, "rest"), "a", "+venue: none > third, -truce: none > on"),
        (ask.HighestAmong(AMONG, "rest"), "b", "+truce: none > on"),
        (ask.FirstOf(VENUE, "else"), "R", "+venue: none > russia"),
        (ask.FirstOf(VENUE, "else"), "else", "-venue: none > russia, -venue: none > third"),
    ],
)  # fmt: skip
def test_every_kind_of_question_moves_the_right_way(event, option, expected):
    # Given the condition, a report is about the event alone.
    for given_ in (None, ask.Entered("talks", ("text",), CLOSE)):
        signs = to_question(Predicate(event, given_), WORLD, option)
        signed = {
            f"{'+' if s > 0 else '-'}{process}: {move}" for (process, move), s in signs.items()
        }
        assert signed == set(filter(None, expected.split(", ")))


def test_a_choice_without_an_option_moves_nothing_and_is_named():
    item, other = _item("n", "level=x2"), _item("m", "level=hard=x2")
    fine = _item("k", "level=firm=x2", "truce-holds=x2")
    assert _coded(item, other) == ()
    assert {each.move for each in _coded(item, other, fine)} == {
        "soft > firm", "none > firm", "none > soft", "on > none",
    }  # fmt: skip
    unknown = _item("x", "tuce=on=x2")
    named = unusable([item, other, fine, unknown], WORLD, QUESTIONS, PREDICATES)
    assert [each.key for each, _ in named] == ["n", "m", "x"]


def test_a_report_is_over_when_its_move_fired_or_its_state_was_left():
    record = Record(
        WORLD.processes["guarantees"], NOON - 9 * DAY, "none",
        (Step(NOON + 5 * DAY, "soft"), Step(NOON + 8 * DAY, "none")), LATER,
    )  # fmt: skip
    coded = _coded(_item("a", "guarantees=firm=x2"), _item("b", "guarantees=firm=x2", at=6.0))
    living = {(each.key, each.move) for each in alive(coded, {"guarantees": record})}
    # Before day 5 nothing was left but none; soft was left on day 8 and none is entered anew.
    assert living == {("b", "none > firm")}
    events = Record(
        WORLD.processes["convoy"], NOON - DAY, "waiting",
        (Step(NOON + DAY, "waiting", counted=True),), LATER,
    )  # fmt: skip
    coded = _coded(_item("a", "convoy=x2"), _item("b", "convoy=x2", at=2.0))
    assert [each.key for each in alive(coded, {"convoy": events})] == ["b"]


def test_a_move_with_a_date_is_none_that_a_report_moves():
    dated = Phrase("date", at=NOON)
    moves = (MoveSpec("on", "over", dated), MoveSpec("on", "broken", HISTORY))
    term = ProcessSpec("term", "states", ("on", "over", "broken"), moves)
    world = WorldSpec({"term": term})
    assert to_target("term=broken", world, {}, {}) == {("term", "on > broken"): 1}
    with pytest.raises(InvalidInput, match="has a fixed date, which a report cannot change"):
        to_target("term=over", world, {}, {})
    holds = Predicate(ask.Through("term", ("on",), CLOSE))
    assert to_question(holds, world) == {("term", "on > broken"): -1}


def test_reports_find_their_moves_in_a_world_of_numbers():
    ways = (values.Move(0, 1, rate=0.1), values.Move(1, 0, rate=0.1))
    process = values.Process("truce", ("none", "on"), ways, (), 0.0)
    coded = _coded(_item("a", "truce-holds=x2", half_life="lasting"), _item("b", "convoy=x2"))
    faded = in_steps(values.World((process,), (), coded, NOON - 10 * DAY, 8), 30.0)
    # The second move has the one report, from day 10 on; nothing here is a convoy.
    assert faded.of.tolist() == [[0, 0, -1], [0, 1, -1]]
    assert faded.later == [(10.0, 1, 0)]
    assert faded.value.tolist() == [-_weight(_item("a", "truce=on=x2"))]
    assert faded.item_size[0] == pytest.approx([10.0, log(9.0)])


def _past(*stays):
    day = (NOON - EPOCH) / DAY
    return Past(
        "truce", "none > on",
        tuple(Piece(0.0, end - begin, fired, (), day + begin) for begin, end, fired in stays),
    )  # fmt: skip


def test_exposure_is_the_integral_of_the_ratio():
    coded = _coded(_item("a", "truce=on=x2", at=10.0))
    size = coded[0].log_ratio
    ages = np.linspace(0.0, 90.0, 900_001)
    middle = (ages[1:] + ages[:-1]) / 2
    ratio = np.where(middle < 10.0, 1.0, np.exp(size * 2.0 ** -((middle - 10.0) / 30.0)))
    seen = exposed(_past((0.0, 90.0, True)), coded, [0.0, 1.0])
    assert seen.days == pytest.approx([90.0, float(ratio @ np.diff(ages))], rel=1e-4)
    assert seen.log_fired == pytest.approx([0.0, size * 2.0 ** -(80 / 30)])
    # It is over with the stay in which it came.
    two = exposed(_past((0.0, 20.0, True), (20.0, 50.0, False)), coded, [1.0])
    one = exposed(_past((0.0, 20.0, True)), coded, [1.0])
    assert two.days[0] == pytest.approx(one.days[0] + 30.0)


def test_a_report_on_a_move_is_over_once_another_move_left_its_state():
    """The rates were learned as if it had gone on: of one past two sums of time at risk."""
    coded = _coded(_item("a", "truce=on=x2", half_life="lasting", at=10.0))
    another_left = _past((0.0, 20.0, False), (30.0, 60.0, False))
    assert piece_multipliers(_past((20.0, 20.0, True)), coded).tolist() == [1.0]
    first, second = piece_multipliers(another_left, coded)
    assert (first > 1.2, second) == (True, 1.0)
    seen = exposed(another_left, coded, [1.0])
    assert seen.days[0] == pytest.approx(20.0 * first + 30.0 * second, rel=0.02)


@pytest.mark.parametrize("late", [2.0, 20.0, 40.0])
def test_rates_and_the_gain_learn_from_one_time_at_risk_however_long_the_stay(late):
    """A stay of years was looked at in 24 moments, of which a late report met none, or one."""
    past = _past((0.0, 1_700.0, False))
    coded = _coded(_item("a", "truce=on=x9", at=1_700.0 - late), as_of=NOON + 1_700 * DAY)
    (mean,) = piece_multipliers(past, coded)
    assert mean * 1_700.0 == pytest.approx(exposed(past, coded, [1.0]).days[0], rel=1e-9)
    middle = (np.arange(200_000) + 0.5) * late / 200_000
    ratio = np.exp(coded[0].log_ratio * 2.0 ** (-middle / 30.0))
    assert mean * 1_700.0 == pytest.approx(1_700.0 - late + ratio.mean() * late, rel=1e-4)


def test_the_gain_has_mean_one_and_learns_whether_reports_came_true():
    prior = learned_gain({}, {})
    row = summary(prior)
    assert row["mean"] == pytest.approx(1.0, abs=1e-3)
    assert row["lower"] == pytest.approx(exp(-0.125 - 1.645 * 0.5), rel=2e-3)
    assert row["moves"] == 0
    coded = _coded(*[_item(f"n{i}", "truce=on=+2", at=20.0 * i + 10.0) for i in range(10)])
    # Each time a report came, the move followed within days.
    true = _past(*[(20.0 * i, 20.0 * i + 13.0, True) for i in range(10)])
    way = ("truce", "none > on")
    right = learned_gain({way: true}, {way: coded})
    assert right.mean > prior.mean
    assert (right.moves, right.fired) == (1, 10)
    # All came before the past began to end: nobody taught.
    ended = learned_gain({way: _past((-30.0, -1.0, True))}, {way: coded})
    assert (ended.moves, ended.mean) == (0, pytest.approx(prior.mean))
    silent = learned_gain({way: _past((0.0, 200.0, False))}, {way: coded})
    assert silent.mean < prior.mean


def test_nobody_is_said_to_have_taught_before_a_day_at_risk_has_passed():
    way, coded = ("truce", "none > on"), _coded(_item("n", "truce=on=+2", at=12.5))
    for until, taught in ((12.6, 0), (13.4, 0), (13.6, 1)):
        assert learned_gain({way: _past((0.0, until, False))}, {way: coded}).moves == taught


def test_what_came_on_the_day_of_the_event_teaches_nothing_of_it():
    way, past = ("truce", "none > on"), _past((0.0, 13.0, True))
    near = learned_gain({way: past}, {way: _coded(_item("n", "truce=on=+2", at=12.5))})
    assert near.mean <= learned_gain({}, {}).mean + 1e-3


def test_draws_of_the_gain_follow_its_weights():
    prior = learned_gain({}, {})
    drawn = gain_draws(2_048, 7, prior)
    assert np.mean(drawn) == pytest.approx(1.0, abs=5e-3)
    assert np.log(drawn).std() == pytest.approx(0.5, abs=5e-3)
    assert (gain_draws(2_048, 7, prior) == drawn).all()
    point = Gain(np.array([0.5, 2.0]), np.array([0.25, 0.75]))
    assert np.mean(gain_draws(2_048, 7, point) > 1.0) > 0.5
