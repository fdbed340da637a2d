"""Adding, showing, retracting news: a refusal writes nothing, what is alike stays apart."""

import datetime as dt
import json
import shlex
from dataclasses import replace

import pytest

from forecasting.app.news import add as news
from forecasting.app.news import shown as listing
from forecasting.app.upkeep import banks
from forecasting.domain.evidence import Effect, Evidence, fact_effect, standing
from forecasting.domain.forecast import Forecast, binary_value
from forecasting.domain.instants import day_ends, iso, parse_instant
from forecasting.domain.resolution import Resolution
from forecasting.errors import InvalidInput, NotFound
from forecasting.evidence import predicates as news_world
from tests.app.small_world import HOUR, NOON, NOW, RUNG, SINCE, WORLD, laid, question

DAY = 24 * HOUR


@pytest.fixture
def ledger(monkeypatch):
    monkeypatch.setattr(banks, "world_of", lambda ledger: WORLD)
    with laid() as laid_ledger:
        yield laid_ledger


def _add(ledger, title="Envoys leave", *on, **more):
    arguments = {"source": "wire", "known_at": NOON, "now": NOW, "on": on} | more
    return news.add(ledger, title, **arguments)


def _fact(ledger, *on, **more):
    return _add(ledger, f"It is so: {on} {more}", *on, **({"grade": "A"} | more))


@pytest.mark.parametrize(
    ("on", "more", "message"),
    [
        # Spelling.
        ((f"{RUNG}=0/0.2",), {}, "must lie above 0"),
        ((f"{RUNG}=0.6/1.01",), {}, "not exceed 1"),
        ((f"{RUNG}=x0",), {}, "above 0 and finite"),
        ((f"{RUNG}=x1/0",), {}, "above 0 and finite"),
        (("truce=on=x0",), {}, "above 0 and finite"),
        ((f"{RUNG}=xinf",), {}, "is a question, and a fact needs a process"),
        ((f"{RUNG}=x" + "9" * 400,), {}, "above 0 and finite"),
        ((f"{RUNG}=.{'0' * 200}1/.{'0' * 200}1",), {}, "too small"),
        ((f"{RUNG}=",), {}, "must be a pair"),
        (("truce=",), {}, "must be a pair"),
        (("truce=on=+3",), {}, "must be a pair"),
        # Targets.
        (("truce-2062=x2",), {}, "Try: truce-2026"),
        (("truse=on=x2",), {}, "Try: truce"),
        (("nothing-like-it",), {}, "no question or process named nothing-like-it"),
        (("truce=of=x2",), {}, "truce has none, on. Try: truce=on"),
        (("truce=x2",), {}, "needs a state"),
        (("guarantees=none|frim=+1",), {}, "Try: guarantees=firm"),
        (("election=held=x2",), {}, "a report cannot change"),
        (("vote=x2",), {}, "a report cannot change"),
        (("mute=x2",), {}, "has no `answer`"),
        (("level=x2",), {}, 'name one. Try: on="level=none=x2"'),
        (("level=frim=x2",), {}, 'level has none, soft, firm. Try: on="level=firm=x2"'),
        ((RUNG + "=x2", RUNG + "=x3"), {}, "is named twice"),
        (("truce=on", "truce=none"), {"grade": "A"}, "is named twice"),
        # Half-lives.
        (("truce=on=x2",), {"half_life": "0"}, "above 0"),
        (("truce=on=x2",), {"half_life": "101 y"}, "at most 100 years"),
        (
            ("truce=on=x2",),
            {"half_life": "3d", "lasting": True},
            "a lasting report has no half-life",
        ),
        (("truce",), {"half_life": "3d"}, "this item holds no report"),
        (("truce=on",), {"lasting": True, "grade": "A"}, "this item holds no report"),
        # Facts.
        (("truce=of",), {"grade": "A"}, "truce has none, on. Try: truce=on"),
        (("guarantees=firm",), {"grade": "A"}, "no move from none to firm"),
        (("truce=none",), {"grade": "A"}, "was already in that state"),
        (("truce=205",), {"grade": "A"}, "has no amounts to count"),
        (("convoy=2",), {"grade": "A"}, 'Try: on="convoy=event"'),
        (("convoy=evnt",), {"grade": "A"}, "Try: convoy=event"),
        (("detainees=0",), {"grade": "A"}, "must be above 0"),
        (("detainees=0",), {"grade": "E"}, "must be above 0"),
        (("detainees=796",), {"grade": "A"}, "makes 1001 of the 1000 agreed"),
        (("detainees=796",), {"grade": "A"}, "Try: at most detainees=795"),
        (("detainees=nan",), {"grade": "A"}, "detainees has agreed, begun"),
        (("detainees=300",), {"grade": "A", "event_at": SINCE - DAY}, "before it was agreed"),
        (("truce=on",), {"grade": "A", "event_at": SINCE - DAY}, "before it was first watched"),
        (("election=held",), {"grade": "C"}, "needs a source graded A or B"),
        (("returned=delivered=205",), {}, 'Try: on="detainees=205" (a part)'),
        ((f"{RUNG}=occurred",), {"grade": "A"}, 'Try: on="truce=none|on" (a fact)'),
        ((f"{RUNG}=on",), {"grade": "A"}, "a fact needs a process"),
        # Times and the rest.
        (("truce=on=x2",), {"event_at": NOON + HOUR}, "before it happened"),
        ((), {"event_at": NOON + HOUR}, "before it happened"),
        (("truce=on",), {"known_at": NOW + HOUR, "grade": "A"}, "in the future"),
        ((), {"known_at": NOW + HOUR}, "in the future"),
        ((), {"grade": "G"}, "must be one of A, B"),
        ((), {"source": " "}, "a title and a source"),
        ((), {"url": "x" * 2001}, "at most 2000"),
        ((), {"story": "\0"}, "NUL"),
    ],
)
def test_what_breaks_a_rule_is_one_clear_line_and_nothing_is_written(ledger, on, more, message):
    before = ledger.head()
    with pytest.raises(InvalidInput) as refused:
        _add(ledger, "Envoys leave", *on, **more)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)
    assert refused.value.exit_code == 2
    assert ledger.head() == before


def test_a_question_that_had_closed_takes_no_effect(ledger):
    with pytest.raises(InvalidInput, match="had closed"):
        _add(ledger, "Late", RUNG + "=x2", known_at=NOW + 90 * DAY, now=NOW + 99 * DAY)
    _add(ledger, "Late", RUNG, known_at=NOW + 90 * DAY, now=NOW + 99 * DAY)
    # A ladder is open as long as one of its rungs is.
    _add(ledger, "Middle", "truce-2026=x2", known_at=NOW + 20 * DAY, now=NOW + 99 * DAY)


def test_a_code_of_nothing_is_a_code(ledger):
    assert _add(ledger, "Nothing new", f"{RUNG}=0")["on"] == {RUNG: "0"}


def test_half_lives_are_stored_with_the_effect(ledger):
    for half_life, stored in (
        ({}, 30.0), ({"half_life": "10d"}, 10.0), ({"half_life": "2 weeks"}, 14.0),
        ({"half_life": "36h"}, 1.5), ({"lasting": True}, "lasting"),
    ):  # fmt: skip
        row = _add(ledger, f"Said {half_life}", "truce=on=x2", "mute", **half_life)
        effects = listing.show(ledger, row["key"], now=NOW)["effects"]
        assert effects[0]["detail"]["half_life"] == stored
        assert effects[1]["detail"] == {}


def test_a_fact_of_a_good_source_enters_the_process(ledger):
    row = _fact(ledger, "truce=on", event_at=NOON - HOUR)
    assert (row["kind"], row["notes"]) == ("datum", [])
    (effect,) = listing.show(ledger, row["key"], now=NOW)["effects"]
    assert (effect["target"], effect["form"]) == ("truce", "datum")
    assert effect["detail"] == {"name": "state", "at": "2026-11-20T11:00:00Z", "state": "on"}
    # From there other moves are open; told again of the same day it is one fact.
    assert _fact(ledger, "truce=on", source="other")["notes"] == []
    _fact(ledger, "truce=none", known_at=NOON + DAY)
    with pytest.raises(InvalidInput, match="was already in that state"):
        _fact(ledger, "truce=none", known_at=NOW)
    assert _fact(ledger, "convoy=event")["on"] == {"convoy": "event"}
    (effect,) = listing.show(ledger, _fact(ledger, "detainees=300")["key"], now=NOW)["effects"]
    assert effect["detail"] == {"name": "part", "at": "2026-11-20T12:00:00Z", "value": 300.0}
    election = _fact(ledger, "election=held")
    assert election["kind"] == "datum"


@pytest.mark.parametrize(
    ("fact", "target"),
    [
        ("truce=on", "truce=on"),
        ("convoy=event", "convoy"),
        ("detainees=300", "detainees"),
        ("detainees=stalled", "detainees=stalled"),
    ],
)
def test_a_fact_below_b_is_a_report_of_two_unless_confirmed(ledger, fact, target):
    for grade in "CDEF":
        row = _add(ledger, f"By {grade}", fact, source=f"s{grade}", grade=grade)
        (note,) = row["notes"]
        assert note.startswith(f"{fact}: a fact needs a source graded A or B (s{grade}: {grade})")
        assert note.endswith("recorded as a report of +2")
        assert row["kind"] == "report"
        (effect,) = listing.show(ledger, row["key"], now=NOW)["effects"]
        assert (effect["target"], effect["form"], effect["stated"]) == (target, "likelihood", "+2")
    if "stalled" not in fact:
        row = _add(ledger, "Confirmed", fact, grade="E", confirmed=True)
        (effect,) = listing.show(ledger, row["key"], now=NOW)["effects"]
        assert (row["kind"], row["notes"], effect["form"]) == ("datum", [], "datum")
        assert effect["detail"]["confirmed"] == "yes"


def test_the_grade_of_the_source_counts_and_not_what_its_item_claims(ledger):
    news.set_grade(ledger, "blog", "E", now=NOW - DAY, new=True)
    assert _add(ledger, "Mine", "truce=on", source="blog", grade="A")["notes"]
    _add(ledger, "Earlier", source="agency", grade="B")
    assert _add(ledger, "Ungraded", "truce=on", source="agency")["notes"] == []


def test_parts_add_up_to_the_agreement_and_no_further(ledger):
    # The file knows of 205 of the 1,000.
    _fact(ledger, "detainees=395", known_at=NOON - DAY)
    with pytest.raises(InvalidInput, match="at most detainees=400"):
        _fact(ledger, "detainees=401")
    last = _fact(ledger, "detainees=400")
    news.retract(ledger, str(last["seq"]), because="a slip", now=NOW)
    _fact(ledger, "detainees=390")
    # The same part told again is one part; a day has one.
    (note,) = _fact(ledger, "detainees=390", source="other")["notes"]
    assert "the same day (2026-11-20 UTC) has one already, so it is not counted again" in note
    with pytest.raises(InvalidInput, match="one of 390 on that day already"):
        _fact(ledger, "detainees=5", source="other")


def test_what_a_second_event_of_a_day_counts_for_is_said(ledger):
    assert _fact(ledger, "convoy=event")["notes"] == []
    (note,) = _fact(ledger, "convoy=event", known_at=NOON + HOUR)["notes"]
    assert note.startswith("convoy=event: the same day")
    assert _fact(ledger, "convoy=event", known_at=NOON + DAY)["notes"] == []


def test_nothing_follows_the_end_of_a_delivery(ledger):
    def refused(*on, **more):
        before = ledger.head()
        with pytest.raises(InvalidInput) as refusal:
            _fact(ledger, *on, **more)
        assert ledger.head() == before
        assert "\n" not in str(refusal.value)
        return str(refusal.value)

    process = WORLD.processes["detainees"]

    def record():
        world = news_world.NewsWorld(WORLD, {})
        return world.record(process, standing(ledger.evidence()), NOW)

    _fact(ledger, "detainees=395", known_at=NOON - DAY)
    for end in ("done", "failed"):
        last = _fact(ledger, f"detainees={end}", known_at=NOON)
        assert "nothing comes after that" in refused("detainees=10", known_at=NOON + DAY)
        # The file knows of 205: what is said to be done has brought what was left of the 1,000.
        assert (record().state, record().total) == (end, 1000.0 if end == "done" else 600.0)
        # What came before may still be told, and is part of the sum.
        early = _fact(ledger, "detainees=100", known_at=NOON + DAY, event_at=NOON - 2 * DAY)
        assert (record().state, record().total) == (end, 1000.0 if end == "done" else 700.0)
        assert "400 known before" not in refused(
            "detainees=301", known_at=NOON + DAY, event_at=NOON - 3 * DAY
        )
        for item in (last, early):
            news.retract(ledger, str(item["seq"]), because="a slip", now=NOW)
    assert "nothing comes after that" in refused("detainees=done", known_at=NOON - 2 * DAY)
    # By another way than this door it counts for nothing.
    for key, at, effect in (
        ("a", NOON, fact_effect("detainees", "state", NOON, state="failed")),
        ("b", NOON + DAY, fact_effect("detainees", "part", NOON + DAY, value=10)),
    ):
        ledger.append([Evidence(key, "datum", key, "wire", at, (effect,))], recorded_at=NOW)
    assert (record().state, record().total) == ("failed", 600.0)
    assert [step.key for step in record().late] == ["b"]


def test_no_hint_is_refused_itself(ledger, monkeypatch):
    small = replace(WORLD.processes["detainees"], delivery=replace(
        WORLD.processes["detainees"].delivery, agreed=100.0, delivered=0.0))  # fmt: skip
    world = replace(WORLD, processes={**WORLD.processes, "detainees": small})
    monkeypatch.setattr(banks, "world_of", lambda ledger: world)
    with pytest.raises(InvalidInput) as refusal:
        _fact(ledger, "detainees=-5")
    assert refusal.value.hint == 'on="detainees=100"'
    _fact(ledger, "detainees=99.5")
    with pytest.raises(InvalidInput) as refusal:
        _fact(ledger, "detainees=1", known_at=NOON - DAY)
    assert refusal.value.hint == "at most detainees=0.5"
    _fact(ledger, "detainees=0.5", known_at=NOON - DAY)
    with pytest.raises(InvalidInput) as refusal:
        _fact(ledger, "detainees=1", known_at=NOON - 2 * DAY)
    assert refusal.value.hint == "instead_of=N, if a part was less"


def test_a_part_whose_point_may_mark_thousands_is_asked_about(ledger, monkeypatch):
    large = replace(WORLD.processes["detainees"], delivery=replace(
        WORLD.processes["detainees"].delivery, agreed=5000.0))  # fmt: skip
    world = replace(WORLD, processes={**WORLD.processes, "detainees": large})
    monkeypatch.setattr(banks, "world_of", lambda ledger: world)
    before = ledger.head()
    with pytest.raises(InvalidInput, match=r"part \(1\.200\): is 1\.2 or 1200"):
        _fact(ledger, "detainees=1.200")
    assert ledger.head() == before
    _fact(ledger, "detainees=1200")


def test_a_fact_of_the_bank_and_one_of_the_news_are_one(ledger):
    at = NOON.replace(hour=0) + DAY  # the midnight that ends the day
    known = Evidence(
        "world-truce-2026-11-20-on", "datum", "Truce", "wire", at,
        (fact_effect("truce", "state", at, state="on"),), stream="world", grade="B",
    )  # fmt: skip
    ledger.append([known], recorded_at=NOON + DAY)
    assert _fact(ledger, "truce=on")["notes"] == []
    assert [row["stream"] for row in listing.rows(ledger, now=NOW)] == ["news"]


@pytest.mark.parametrize(
    ("zone", "during", "after"),
    [
        ("UTC", "2026-11-20T12:00Z", "2026-11-21T00:30Z"),
        ("America/New_York", "2026-11-20T09:00-05:00", "2026-11-21T00:30-05:00"),
        ("Asia/Tokyo", "2026-11-20T05:00+09:00", "2026-11-21T00:30+09:00"),
        ("Europe/Kyiv", "2026-11-20T23:30+02:00", "2026-11-21T00:30+02:00"),
    ],
)
def test_a_day_has_one_event_and_one_part_in_the_zone_of_their_process(
    monkeypatch, zone, during, after
):
    """By the days of UTC a part of a file's day came twice, and one of the next day not at all."""
    processes = {name: replace(process, zone=zone) for name, process in WORLD.processes.items()}
    world = replace(WORLD, processes=processes)
    monkeypatch.setattr(banks, "world_of", lambda ledger: world)
    midnight = day_ends(dt.date(2026, 11, 20), zone)
    facts = {"convoy": {"name": "event"}, "detainees": {"name": "part", "value": 100.0}}
    on_file = [
        Evidence(
            f"world-{name}-2026-11-20", "datum", name, "wire", midnight,
            (Effect(name, "datum", {**detail, "at": iso(midnight)}),), stream="world", grade="B",
        )
        for name, detail in facts.items()
    ]  # fmt: skip
    with laid() as ledger:
        ledger.append(on_file, recorded_at=NOW)

        def steps(name):
            known = news_world.NewsWorld(world, {})
            return known.record(processes[name], ledger.evidence(), NOW).steps

        for fact in ("convoy=event", "detainees=100"):
            same = _fact(ledger, fact, event_at=parse_instant(during), known_at=NOW - HOUR)
            assert f"the same day (2026-11-20 {zone}) has one already" in same["notes"][0]
        assert [len(steps(name)) for name in facts] == [1, 1]
        for fact in ("convoy=event", "detainees=50"):
            next_day = _fact(ledger, fact, event_at=parse_instant(after), known_at=NOW - HOUR)
            assert next_day["notes"] == []
        assert [len(steps(name)) for name in facts] == [2, 2]


def test_of_two_states_at_one_moment_the_second_is_refused(ledger):
    """Which of them held from then on once hung on how their titles hashed."""
    _fact(ledger, "truce=on")
    with pytest.raises(InvalidInput, match=r"became on at the same moment.*which came first"):
        _fact(ledger, "truce=none")
    assert _fact(ledger, "truce=none", event_at=NOON + HOUR, known_at=NOON + HOUR)["notes"] == []


@pytest.mark.parametrize("keys", [("a", "b"), ("b", "a")])
def test_facts_of_one_moment_on_record_are_read_in_the_order_in_which_they_were_recorded(keys):
    """A part comes before what is said of the whole."""

    def item(key, name, **detail):
        effect = fact_effect(name, detail.pop("kind"), NOON, **detail)
        return Evidence(key, "datum", key, "wire", NOON, (effect,), grade="B")

    one, other = keys
    with laid() as ledger:
        ledger.append([item(one, "truce", kind="state", state="on")], recorded_at=NOON)
        ledger.append([item(other, "truce", kind="state", state="none")], recorded_at=NOON)
        stalled = item(f"{one}1", "detainees", kind="state", state="stalled")
        ledger.append([stalled], recorded_at=NOON)
        part = item(f"{other}1", "detainees", kind="part", value=50.0)
        ledger.append([part], recorded_at=NOON)
        known, items = news_world.NewsWorld(WORLD, {}), ledger.evidence()
        states = [
            known.record(WORLD.processes[n], items, NOW).state for n in ("truce", "detainees")
        ]
    assert states == ["none", "stalled"]


def test_a_fact_that_decides_a_question_proposes_its_resolution(ledger):
    row = _fact(ledger, "truce=on", url="https://example.org/a")
    assert [(each["question"], each["outcome"]) for each in row["resolves"]] == [
        ("truce-2026@2026-11-30", "yes"),
        (RUNG, "yes"),
    ]
    assert row["resolves"][1]["accept"] == (
        f"forecast resolve {RUNG} yes --source https://example.org/a --at 2026-11-20T12:00:00Z"
    )
    assert not ledger.resolutions()
    # What is decided already, or resolved, is not proposed again; a report decides nothing.
    _fact(ledger, "truce=none", known_at=NOON + DAY)
    assert _fact(ledger, "truce=on", known_at=NOW)["resolves"] == []
    assert _fact(ledger, "convoy=event", known_at=NOON - DAY)["resolves"] == []
    report = _add(ledger, "Seen", "convoy=event", source="blog", grade="E")
    assert report["resolves"] == []
    second = _fact(ledger, "convoy=event")
    assert [each["question"] for each in second["resolves"]] == ["convoys"]
    (done,) = _fact(ledger, "detainees=795")["resolves"]
    assert (done["question"], done["outcome"]) == ("returned", "1000")


def test_what_is_resolved_is_not_proposed(ledger):
    ledger.append([Resolution(RUNG, "yes", NOON, "https://example.org")], recorded_at=NOON)
    # What was known at noon settles the earlier rung too, which had not ended by then.
    assert _fact(ledger, "truce=on", event_at=NOON - HOUR)["resolves"] == []


def test_an_item_whose_target_the_world_lost_says_so(ledger):
    fine = _add(ledger, "Envoys leave", "truce-2026=x2", grade="B")
    effect = Effect("pact=on", "likelihood", {"a": 0.6, "b": 0.3, "u": 0.5})
    lost = Evidence("lost", "report", "Pact", "wire", NOON, (effect,), grade="B")
    ledger.append([lost], recorded_at=NOW)
    shown = listing.show(ledger, "lost", now=NOW)
    assert (shown["moves"], shown["then"]) == ([], 1.0)
    assert shown["unusable"] == "target (pact=on): no process or question has it"
    assert listing.show(ledger, fine["key"], now=NOW)["unusable"] is None


def test_what_an_item_weighed_and_weighs_is_shown(ledger):
    row = _add(ledger, "Envoys leave", "truce-2026=x2", grade="B", half_life="2d")
    shown = listing.show(ledger, row["key"], now=NOON + 2 * DAY)
    (move,) = shown["moves"]
    assert (move["process"], move["move"], move["half_life"]) == ("truce", "none > on", 2.0)
    # u = (a + b) / 2 at r = .8: (.8 * 2 + .2 * 1.5) / (.8 + .2 * 1.5).
    assert move["then"] == pytest.approx(1.9 / 1.1)
    assert move["now"] == pytest.approx((1.9 / 1.1) ** 0.5)
    assert move["bound"] == pytest.approx(9.0)
    (listed,) = listing.rows(ledger, question="truce-2026", now=NOON + 2 * DAY)
    assert (listed["then"], listed["now"]) == (move["then"], move["now"])
    (listed,) = listing.rows(ledger, question=RUNG, now=NOON + 4 * DAY)
    assert listed["now"] == pytest.approx((1.9 / 1.1) ** 0.25)
    # A copy adds nothing; what the fact overtook is over.
    copy = _add(ledger, "Again", "truce=on=x2", story=row["key"], source="other", grade="B")
    _add(ledger, "Holds", "truce-holds=x2", grade="C", lasting=True, known_at=NOW)
    _fact(ledger, "truce=on", known_at=NOW)
    later = NOW + DAY
    by_key = {item["key"]: item for item in listing.rows(ledger, now=later)}
    assert by_key[row["key"]]["now"] == 1.0
    assert listing.show(ledger, copy["key"], now=later)["moves"][0]["over"]
    (holds,) = [item for item in by_key.values() if item["title"] == "Holds"]
    assert holds["half_life"] == "lasting"
    assert holds["then"] == holds["now"] < 1.0


def test_a_process_lists_its_news(ledger):
    _add(ledger, "One", "truce=on=x2")
    _add(ledger, "Two", "convoy=x2")
    assert [row["title"] for row in listing.rows(ledger, question="truce", now=NOW)] == ["One"]
    with pytest.raises(NotFound):
        listing.rows(ledger, question="tuce", now=NOW)


def test_likeness_is_proposed_with_the_command_and_never_merged(ledger):
    first = _add(ledger, "Envoys leave without a date for talks", f"{RUNG}=x0.5")
    assert first["similar"] == []
    second = _add(
        ledger, "Envoys leave without any date for talks", f"{RUNG}=x0.5", source="o'wire",
        known_at=NOON + 20 * HOUR, because="a guess", half_life="10d",
    )  # fmt: skip
    (alike,) = second["similar"]
    assert (alike["seq"], alike["why"]) == (first["seq"], "nearly the same title")
    assert listing.show(ledger, str(second["seq"]), now=NOW)["story"] == ""
    # The command is whole: it records the same item in the story, instead of this one.
    words = shlex.split(alike["accept"])
    assert words[:3] == ["forecast", "news", "add"]
    options = dict(zip(words[4::2], words[5::2], strict=True))
    assert options == {
        "--source": "o'wire", "--known-at": "2026-11-21T08:00:00Z", "--because": "a guess",
        "--half-life": "10d", "--on": f"{RUNG}=x0.5", "--story": first["key"],
        "--instead-of": str(second["seq"]),
    }  # fmt: skip
    accepted = _add(
        ledger, words[3], options["--on"], source=options["--source"], known_at=NOON + 20 * HOUR,
        because=options["--because"], story=options["--story"], instead_of=options["--instead-of"],
    )  # fmt: skip
    assert accepted["similar"] == []
    assert listing.show(ledger, str(second["seq"]), now=NOW)["state"] == "retracted"
    others = listing.show(ledger, str(accepted["seq"]), now=NOW)["story_items"]
    assert [(row["seq"], row["state"]) for row in others] == [(first["seq"], "standing")]


def test_a_retraction_is_an_entry_and_the_item_stays_in_the_record(ledger):
    row = _add(ledger, "Envoys leave", f"{RUNG}=x0.5")
    listed = listing.rows(ledger, now=NOW)
    entry = news.retract(ledger, row["id"], because="denied", now=NOW)
    assert entry["retracts"] == row["seq"]
    assert [r for r in listed if r["seq"] != row["seq"]] == listing.rows(ledger, now=NOW)
    states = {r["seq"]: r["state"] for r in listing.rows(ledger, everything=True, now=NOW)}
    assert (states[row["seq"]], states[entry["seq"]]) == ("retracted", "retraction")
    shown = listing.show(ledger, str(row["seq"]), now=NOW)
    assert shown["retracted_by"] == {"seq": entry["seq"], "known_at": NOW, "because": "denied"}
    assert shown["moves"] == []
    for name, message in [(row["key"], "already retracted"), (entry["key"], "is a retraction")]:
        with pytest.raises(InvalidInput, match=message):
            news.retract(ledger, name, because="again", now=NOW)


@pytest.mark.parametrize(
    ("because", "known_at", "message"),
    [
        (" ", None, "needs a reason"),
        ("x", NOON - HOUR, "before it was known"),
        ("x", NOW + HOUR, "in the future"),
        ("x" * 20_001, None, "at most 20000"),
    ],
)
def test_a_retraction_needs_a_reason_and_a_time_that_can_be(ledger, because, known_at, message):
    row = _add(ledger)
    before = ledger.head()
    with pytest.raises(InvalidInput, match=message):
        news.retract(ledger, row["key"], because=because, now=NOW, known_at=known_at)
    assert ledger.head() == before


def test_what_is_no_news_is_not_found_as_news(ledger):
    with pytest.raises(NotFound, match="no news item named"):
        listing.show(ledger, "99999", now=NOW)
    with pytest.raises(NotFound, match="is a question, no news"):
        listing.show(ledger, "1", now=NOW)


def test_showing_an_item_names_the_forecasts_that_it_moved(ledger):
    row = _add(ledger, "Envoys leave", f"{RUNG}=x0.5", story="envoys")
    alone = _add(ledger, "Quite another thing", f"{RUNG}=x2")
    forecast = Forecast(
        question=RUNG, question_hash="0" * 64, forecaster="model", value=binary_value("0.2"),
        issued_at=NOW, kind="live",
        meta={"moved": json.dumps([["envoys", [-0.51]], [alone["key"], 0.4], ["time", [0.1]]])},
    )  # fmt: skip
    forecast = replace(forecast, question_hash=question(RUNG).wording_hash)
    # What others say is not read: a ledger may hold a million forecasts.
    pooled = replace(forecast, forecaster="pool")
    entry, _ = ledger.append([forecast, pooled], recorded_at=NOW)
    (by_story,) = listing.show(ledger, row["key"], now=NOW)["moved"]
    assert (by_story["forecast"], by_story["of"], by_story["change"], by_story["scale"]) == (
        entry.seq, "story", -0.51, "log-odds",
    )  # fmt: skip
    (by_item,) = listing.show(ledger, alone["key"], now=NOW)["moved"]
    assert (by_item["of"], by_item["change"]) == ("item", 0.4)


@pytest.mark.parametrize(
    ("grade", "most", "counts"), [("C", "4", "x3.99"), ("A", "39", "x37.5"), ("F", "3", "x2.99")]
)
def test_a_ratio_that_its_source_cannot_carry_is_said_at_the_door(ledger, grade, most, counts):
    (note,) = _add(ledger, "Huge", "truce=on=x1000", grade=grade)["notes"]
    assert f"graded {grade}" in note
    assert f"at most {most} times as fast or as slow" in note
    assert note.startswith(f"truce=on x1000 counts as {counts}: ")
    assert _add(ledger, "Usual", "truce=on=x2", grade=grade, source="other")["notes"] == []
