"""Predicates: one meaning a spelling, back to the same text, and one line a fault."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.domain.outcome import OutcomeSpace
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
    Predicate,
    StateOn,
    Through,
    Total,
    Within,
)
from forecasting.domain.predicate_check import check_predicate, processes_of
from forecasting.domain.predicate_text import parse_predicate, parse_target
from forecasting.domain.process import (
    DELIVERY_STATES,
    SCHEDULED_STATES,
    DeliverySpec,
    MoveSpec,
    Phrase,
    ProcessSpec,
    WorldSpec,
)
from forecasting.errors import InvalidInput
from tests.domain.predicates_written import format_predicate

CLOSE = Moment()
OPENS, CLOSES = (dt.datetime(2026, month, 1, tzinfo=dt.UTC) for month in (1, 7))


def _day(month, day):
    """The midnight UTC that ends a day of 2026."""
    return Moment(dt.datetime(2026, month, day, tzinfo=dt.UTC) + dt.timedelta(days=1))


TRUCE = ("on",)
SPELLINGS = [
    ("convoy by close", Occurred("convoy", CLOSE)),
    ("convoy by 2026-03-31", Occurred("convoy", _day(3, 31))),
    ("convoy count >= 3 by close", Occurred("convoy", CLOSE, 3)),
    ("convoy count >= 3 between 2026-01-31 and close", Occurred("convoy", CLOSE, 3, _day(1, 30))),
    ("convoy count", Total("convoy", CLOSE, since_opening=True)),
    ("detainees total", Total("detainees", CLOSE)),
    ("detainees total by 2026-03-31", Total("detainees", _day(3, 31))),
    ("truce=on by close", Entered("truce", TRUCE, CLOSE)),
    ("truce=on on close", At("truce", TRUCE, CLOSE)),
    ("truce=on through close", Through("truce", TRUCE, CLOSE)),
    ("truce=on between 2026-01-31 and close", Entered("truce", TRUCE, CLOSE, _day(1, 30))),
    ("truce=on|held through 2026-05-31", Through("truce", ("on", "held"), _day(5, 31))),
    ("guarantees on close", StateOn("guarantees", CLOSE)),
    (
        "guarantees on close as weak: soft|vague, strong: firm",
        StateOn("guarantees", CLOSE, (("soft", "weak"), ("vague", "weak"), ("firm", "strong"))),
    ),
    (
        'first of Russia: venue=russia, "third country": venue=third, else none',
        FirstOf((("Russia", "venue", ("russia",)), ("third country", "venue", ("third",))), "none"),
    ),
    ("first of yes: convoy, else no", FirstOf((("yes", "convoy", ()),), "no")),
    ("highest of guarantees by close", HighestOf("guarantees", CLOSE)),
    (
        "highest of energy: energy=on, general: truce=on|held, else none",
        HighestAmong((("energy", "energy", ("on",)), ("general", "truce", ("on", "held"))), "none"),
    ),
    ("relief within 14d of strike", Within("relief", (), 14.0, "strike", ())),
    (
        "settlement=relapsed within 1.5 y of settlement=signed",
        Within("settlement", ("relapsed",), 547.875, "settlement", ("signed",)),
    ),
    (
        "not a by close and b by close or c by close",
        Or(And(Not(Occurred("a", CLOSE)), Occurred("b", CLOSE)), Occurred("c", CLOSE)),
    ),
    ("not (a by close or b by close)", Not(Or(Occurred("a", CLOSE), Occurred("b", CLOSE)))),
]


@pytest.mark.parametrize(("text", "event"), SPELLINGS)
def test_a_spelling_has_one_meaning(text, event):
    assert parse_predicate(text) == Predicate(event, None, text)


def test_a_condition_follows_given():
    predicate = parse_predicate("a=x on close given b=y by close and not c by close")
    assert predicate.event == At("a", ("x",), CLOSE)
    condition = And(Entered("b", ("y",), CLOSE), Not(Occurred("c", CLOSE)))
    assert predicate.given == condition
    assert processes_of(predicate) == {"a", "b", "c"}


def test_a_day_is_the_midnight_in_the_zone_that_ends_it():
    event = parse_predicate("truce=on on 2026-03-28", zone="Europe/Kyiv").event
    assert event == At("truce", TRUCE, Moment(dt.datetime(2026, 3, 28, 22, tzinfo=dt.UTC)))


def test_names_stand_where_a_name_belongs():
    by = parse_predicate("by=by by close").event
    assert by == Entered("by", ("by",), CLOSE)
    assert parse_target("truce=on|by") == ("truce", ("on", "by"))


NEEDS = "truce=on needs by, on, through, between or within"
WHEN = "a time must be `close` or a day"
DAYS = "Try: by close or by 2026-12-31"
BAD = [
    ("", "a process was expected. Try: lower case with hyphens"),
    ("truce=on", f"{NEEDS}. Try: truce=on by close"),
    ("truce=on at close", f"{NEEDS}, not at. Try: truce=on on close"),
    ("truce=on until close", f"{NEEDS}, not until. Try: truce=on through close"),
    (
        "truce",
        "truce needs a state, or by, between, within, count. "
        "Try: truce by close or truce=STATE by close",
    ),
    ("truce=on by", f"{WHEN}. {DAYS}"),
    ("truce=on by tomorrow", f"{WHEN}, not tomorrow. {DAYS}"),
    ("truce=on by 2026-02-30", f"{WHEN}, not 2026-02-30. {DAYS}"),
    ("truce=on by close maybe", "maybe comes after a complete predicate"),
    ("(truce=on by close", ") was expected after close. Try: (a=x by close or b=y by close)"),
    ("Truce=on by close", "a process was expected in place of Truce. Try: lower case with hyphens"),
    ("convoy count > 2 by close", "> 2 by clo was not expected here. Try: count >= 3"),
    ("convoy count >= 0 by close", "count takes a whole number from 1, not 0. Try: count >= 3"),
    (
        "relief within 14 of strike",
        "span (14of): must be a number with d, w, mo, y or h. Try: within 14d of strike",
    ),
    (
        "first of a: p=x, b: p=y",
        "needs an option for the remainder. Try: first of a: P=x, else none",
    ),
    ("p on close as a: x, b: x", "gives one state to two options"),
]


@pytest.mark.parametrize(("text", "rule"), BAD)
def test_what_is_not_in_the_grammar_is_one_line(text, rule):
    with pytest.raises(InvalidInput) as refused:
        parse_predicate(text)
    assert str(refused.value) == f"answer ({text}): {rule}"


def test_a_move_in_a_link_is_named_by_the_state_that_it_leads_to():
    with pytest.raises(InvalidInput) as refused:
        parse_target("truce none > talks")
    assert refused.value.hint == "truce=talks"


def test_brackets_are_bounded():
    with pytest.raises(InvalidInput, match="nested more than"):
        parse_predicate("(" * 500 + "a by close" + ")" * 500)
    with pytest.raises(InvalidInput, match="at most"):
        parse_predicate("not " * 5000 + "a by close")


names = st.sampled_from(["truce", "on", "by", "a-1", "2x", "of", "count", "total", "within", "as"])
states = st.lists(names, min_size=1, max_size=3, unique=True).map(tuple)
moments = st.one_of(
    st.just(CLOSE),
    st.datetimes(dt.datetime(2025, 1, 1), dt.datetime(2027, 1, 1)).map(
        lambda t: Moment(t.replace(second=0, microsecond=0, tzinfo=dt.UTC))
    ),
    st.dates(dt.date(2025, 1, 1), dt.date(2027, 1, 1)).map(
        lambda d: Moment(dt.datetime(d.year, d.month, d.day, tzinfo=dt.UTC))
    ),
)
days = st.floats(0.001, 9000).map(lambda x: round(x, 3))
atoms = st.one_of(
    st.builds(Entered, names, states, moments, st.none() | moments),
    st.builds(Occurred, names, moments, st.integers(1, 99), st.none() | moments),
    st.builds(At, names, states, moments),
    st.builds(Through, names, states, moments),
    st.builds(Within, names, st.just(()) | states, days, names, st.just(()) | states),
)
truths = st.recursive(
    atoms,
    lambda inner: (
        st.builds(Not, inner) | st.builds(And, inner, inner) | st.builds(Or, inner, inner)
    ),
    max_leaves=6,
)
options = st.sampled_from(["yes", "third country", "else", "as", "Russia", "a:b", "9"])
entries = st.lists(st.tuples(options, names, st.just(()) | states), min_size=1, max_size=3).map(
    tuple
)


def _grouped(pairs):
    """States to options in the order in which the grammar gives them: option by option."""
    by_option = {}
    for state, option in pairs:
        by_option.setdefault(option, []).append(state)
    return tuple((state, option) for option, each in by_option.items() for state in each)


named = st.lists(st.tuples(names, options), max_size=3, unique_by=lambda pair: pair[0]).map(
    _grouped
)
events = st.one_of(
    truths,
    st.builds(StateOn, names, moments, named),
    st.builds(HighestOf, names, moments, named),
    st.builds(FirstOf, entries, options),
    st.builds(HighestAmong, entries, options),
    st.builds(Total, names, moments, st.booleans()),
)


@settings(max_examples=300, deadline=None)
@given(events, st.none() | truths, st.sampled_from(["UTC", "Europe/Kyiv", "America/New_York"]))
def test_what_is_written_reads_back_as_the_same(event, condition, zone):
    predicate = Predicate(event, condition)
    text = format_predicate(predicate, zone=zone)
    reread = parse_predicate(text, zone=zone)
    assert (reread.event, reread.given) == (event, condition), text


def _moves(*ways):
    return tuple(
        MoveSpec(*(state.strip() for state in way.split(">")), Phrase("history")) for way in ways
    )


def _states(name, states, *ways):
    return ProcessSpec(name, "states", states, _moves(*ways), start=states[0])


WORLD = WorldSpec(
    {
        process.name: process
        for process in (
            _states("truce", ("none", "on", "held"), "none > on", "on > none", "on > held"),
            _states("guarantees", ("none", "soft", "firm"), "none > soft", "soft > firm"),
            _states("venue", ("none", "russia", "third"), "none > russia", "none > third"),
            ProcessSpec("convoy", "event", ("waiting",), _moves("waiting > waiting")),
            ProcessSpec(
                "detainees",
                "delivery",
                DELIVERY_STATES,
                _moves("agreed > begun", "begun > begun"),
                delivery=DeliverySpec(1200.0, OPENS, OPENS),
            ),
            ProcessSpec("election", "scheduled", SCHEDULED_STATES, _moves("ahead > held")),
        )
    }
)
BINARY = OutcomeSpace.binary()
NUMBER = OutcomeSpace("numeric", (), 0.0, 1200.0)


def _options(*options):
    return OutcomeSpace("ordered", options)


def _faults(text, space=BINARY):
    return check_predicate(parse_predicate(text, world=WORLD), WORLD, space, OPENS, CLOSES)


@pytest.mark.parametrize(
    ("text", "space"),
    [
        ("truce=on through close", BINARY),
        ("truce=none by close", BINARY),
        ("convoy count >= 3 by 2026-03-31", BINARY),
        ("detainees=done by close", BINARY),
        ("detainees by close", BINARY),
        ("election by close", BINARY),
        ("truce=held within 30d of election=held", BINARY),
        ("detainees total", NUMBER),
        ("convoy count", NUMBER),
        ("guarantees on close", _options("none", "soft", "firm")),
        ("guarantees on close as weak: soft, strong: firm", _options("none", "weak", "strong")),
        ("highest of guarantees by close", _options("none", "soft", "firm")),
        ("first of r: venue=russia, t: venue=third, else n", _options("r", "t", "n")),
        ("truce=on on close given truce=held by close or guarantees=firm by close", BINARY),
        ("truce=held on close given truce=on on 2026-03-31", BINARY),
    ],
)
def test_what_fits_has_no_fault(text, space):
    assert _faults(text, space) == []


@pytest.mark.parametrize(
    ("text", "space", "line"),
    [
        (
            "truse=on by close",
            BINARY,
            "process (truse): the world has no such process; the nearest is truce",
        ),
        (
            "truce=onn by close",
            BINARY,
            "state (truce=onn): truce has none, on, held; the nearest is on",
        ),
        (
            "convoy=waiting2 by close",
            BINARY,
            "state (convoy=waiting2): an event has no states; say convoy by close",
        ),
        ("guarantees=none by close", BINARY, "state (guarantees=none): no move leads into it"),
        (
            "truce by close",
            BINARY,
            "process (truce): is not an event; name a state, such as truce=held",
        ),
        (
            "guarantees on close",
            BINARY,
            "a binary question needs what is true or false: PROCESS=STATE by close",
        ),
        (
            "convoy count",
            BINARY,
            "a number answers only numeric questions; ask convoy count >= 3 by close",
        ),
        (
            "convoy by close",
            NUMBER,
            "a numeric question asks for a number: PROCESS count, or PROCESS total",
        ),
        ("truce count", NUMBER, "process (truce): is not counted, so it has no number"),
        ("convoy total", NUMBER, "process (convoy): events have a count: convoy count"),
        (
            "truce=on by close",
            _options("a", "b"),
            "a question of type ordered asks which option: PROCESS on close, or first of",
        ),
        (
            "guarantees on close",
            _options("none", "soft"),
            "state (guarantees=firm): gives no option; say as OPTION: firm with one of none, soft",
        ),
        (
            "guarantees on close",
            _options("none", "soft", "firm", "extra"),
            "option (extra): no state leads to it",
        ),
        (
            "first of r: venue=russia, else n",
            _options("r", "t", "n"),
            "option (t): no state leads to it",
        ),
        (
            "first of r: venue=russia, t: venue=third, x: convoy, else n",
            _options("r", "t", "n"),
            "option (x): the question has r, t, n",
        ),
        (
            "truce=on by 2026-07-01",
            BINARY,
            "time (2026-07-02T00:00:00Z): lies after the close (2026-07-01T00:00:00Z)",
        ),
        (
            "truce=on on 2025-12-31",
            BINARY,
            "time (2026-01-01T00:00:00Z): lies before the question opens (2026-01-01T00:00:00Z)",
        ),
        (
            "truce=on between 2026-04-01 and 2026-03-31",
            BINARY,
            "between (2026-04-01T00:00:00Z): must begin before it ends (2026-04-01T00:00:00Z)",
        ),
    ],
)
def test_what_does_not_fit_is_one_line(text, space, line):
    assert _faults(text, space) == [line]


@pytest.mark.parametrize(
    "condition",
    [
        "truce=on on close and truce=none on close",
        "truce=on through close and truce=none by 2026-03-31",
        "truce=on through close and truce=held through 2026-03-31",
        "truce=on through close and truce=none on 2026-03-31",
        "truce=held on 2026-03-31 and truce=on on close",
        "convoy by close and not convoy by close",
        "(truce=on on close or truce=held on close) and truce=none on close",
        "not (not truce=on on close or not truce=none on close)",
    ],
)
def test_a_condition_that_cannot_happen_is_refused(condition):
    assert _faults(f"guarantees=firm by close given {condition}") == [
        "given: the condition is impossible: its parts exclude each other"
    ]


@pytest.mark.parametrize(
    "condition",
    [
        "truce=on on 2026-03-31 and truce=none on close",
        "truce=none|on through close and truce=on by 2026-03-31",
        "truce=on through 2026-03-31 and truce=none by close",
        "truce=on on close or truce=none on close and truce=on on close",
        "truce=none by 2026-03-31 and truce=on by 2026-03-31",
    ],
)
def test_a_condition_that_can_happen_is_not(condition):
    assert _faults(f"guarantees=firm by close given {condition}") == []


def test_what_is_scheduled_is_held_by_a_time():
    event = parse_predicate("election by close", world=WORLD).event
    assert event == Entered("election", ("held",), CLOSE)


@pytest.mark.parametrize("beginning", ["first of", "highest of"])
@pytest.mark.parametrize(
    ("entry", "word", "instead"),
    [
        ("p count >= 2 by close", "count", "a numeric question, answer: p count"),
        ("p=x by close", "by", "b: p=x"),
        ("p=x and q=y", "and", "b: p=x"),
    ],
)
def test_an_entry_that_says_more_than_what_is_entered_is_told_so(beginning, entry, word, instead):
    with pytest.raises(InvalidInput, match=f"by the close and no `{word}`") as wrong:
        parse_predicate(f"{beginning} a: p=z, b: {entry}, else none", zone="UTC")
    assert wrong.value.hint == instead


def test_a_fault_quotes_whole_words_of_an_answer():
    long = "first of " + ", ".join(f"option-{k}: process-{k}=state-{k}" for k in range(40))
    with pytest.raises(InvalidInput) as wrong:
        parse_predicate(long, zone="UTC")
    quoted = wrong.value.message.partition("(")[2].partition(")")[0]
    assert quoted.endswith(" ...")
    assert long.startswith(quoted.removesuffix("...").rstrip() + " ")
