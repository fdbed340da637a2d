"""Laws of one world: parts and wholes, precursors, tables that add up, news, faults, and chance."""

import dataclasses
import datetime as dt

import pytest

from forecasting import clock
from forecasting.app.forecast.predict import OWN, Predictor
from forecasting.app.forecast.update import update
from forecasting.app.upkeep.banks import bank_of
from forecasting.app.world import processes, scenario, what_if
from forecasting.bank.usable import bundled_bank
from forecasting.cli import run
from forecasting.domain import Effect, Evidence
from forecasting.domain.catalog import Catalog
from forecasting.domain.instants import parse_instant
from forecasting.domain.provenance import fits_of
from forecasting.errors import GateRefused, InvalidInput
from forecasting.inference.fits import FitCache
from forecasting.models.spells import Spells
from forecasting.models.world import assembly, model, parameters
from forecasting.review import words
from forecasting.review.world_rows import world_page
from tests.app import quick
from tests.app.quick import SMALL

NOW = parse_instant("2026-08-22T12:00:00Z")
NOON = parse_instant("2026-08-20T12:00:00Z")
DAY = dt.timedelta(days=1)


def predictor(bank, *more, draws=1_024, seed=0):
    catalog = Catalog({q.id: q for q in bank.questions}, {})
    return Predictor(catalog, [*bank.evidence, *more], bank, seed=seed, draws=draws)


def numbers(bank, names, moment, *more, **options):
    one = predictor(bank, *more, **options)
    asked = [one.catalog.questions[name] for name in names]
    answers = one.one(OWN[0], asked, moment)
    assert not one.model.faults
    return {name: answers[name].numbers for name in names}


# ---- law 3: precursors, parts and wholes -------------------------------------------------------

LINK = "  - while text=table: truce=on x3 (1..9)"
LINK_OF_1 = LINK.replace("x3 (1..9)", "x1 (1..1)")


def test_a_precursor_that_changes_nothing_changes_nothing(own_book):
    start, end = SMALL.index(LINK), SMALL.index("  - while truce=on")
    results = []
    for text in (SMALL.replace(LINK, LINK_OF_1), SMALL[:start] + SMALL[end:], SMALL):
        own_book(text)
        results.append(numbers(bundled_bank(), ["truce-comes", "convoys", "text-lies"], NOW))
    with_it, without, hastened = results
    assert with_it == without
    # And one that does hasten changes what it leads to alone.
    assert hastened["truce-comes"] != without["truce-comes"]
    assert hastened["text-lies"] == without["text-lies"]


def test_a_precursor_split_in_two_changes_nothing(own_book):
    """By stages of a path an event was once likelier or rarer: 1 stage .038, 2 .105, 4 .012."""
    own_book(SMALL.replace(LINK, LINK_OF_1))
    one = numbers(bundled_bank(), ["truce-comes"], NOW)
    process = SMALL[SMALL.index("  text:") : SMALL.index("  truce:")]
    second = process.replace("  text:", "  draft:").replace("table", "ready")
    two = SMALL.replace(process, process + second).replace(
        LINK,
        "  - while draft=ready: text=table x1 (1..1)\n    because: a draft comes first\n"
        f"    source: judgement\n    known_by: 2025-12-31\n{LINK_OF_1}",
    )
    own_book(two)
    assert len(bundled_bank().world.processes) == 6
    assert numbers(bundled_bank(), ["truce-comes"], NOW) == one


@pytest.mark.usefixtures("quick_fits")
@pytest.mark.parametrize("day", ["2025-05-20", "2025-06-10", "2025-06-25"])
def test_a_part_is_never_likelier_than_its_whole(day):
    """A ceasefire out of the Istanbul talks had .0087 while any ceasefire by then had .0036."""
    part, whole = "istanbul-2025-ceasefire", "general-ceasefire-2025@2025-06-30"
    one = predictor(bundled_bank())
    questions = [one.catalog.questions[name] for name in (part, whole)]
    answers = one.one(OWN[0], questions, parse_instant(f"{day}T12:00:00Z"))
    assert answers[part].numbers[0] <= answers[whole].numbers[0]
    assert answers[part].spread.p95 <= answers[whole].spread.p95


@pytest.mark.usefixtures("quick_fits")
@pytest.mark.parametrize("day", ["2025-03-25", "2025-06-25", "2025-11-28"])
def test_one_thing_has_one_number_whatever_it_is_a_part_of(day):
    """The last rung of the modular path had .0729 and the same ceasefire on its ladder .0433."""
    path, ladder = "modular-path-2025", "general-ceasefire-2025@2025-12-31"
    one, noon = predictor(bundled_bank(), draws=8_192), parse_instant(f"{day}T12:00:00Z")
    asked = [one.catalog.questions[name] for name in (path, ladder)]
    answers = one.one(OWN[0], asked, noon)
    place = asked[0].space.options.index("general")
    # What is logged is held off 0 and 1 and the options normalised; no further apart than that.
    assert answers[path].numbers[place] == pytest.approx(answers[ladder].numbers[0], rel=5e-4)
    run = one.model.run(OWN[0], asked, one.at(noon, watched={}))
    chosen = run.paths.choice(
        one.asks[path].event, asked[0].space.options, asked[0].opens, asked[0].closes
    )
    truth = run.paths.truth(one.asks[ladder].event, asked[1].opens, asked[1].closes)
    assert ((chosen == place) == truth).all()


# ---- law 4: tables, conjunctions, conditions ---------------------------------------------------


@pytest.fixture
def live(bank_book, quick_fits, monkeypatch):
    # Conditions are read off the one simulation, however few paths meet them.
    monkeypatch.setattr(what_if, "ENOUGH", 0)
    monkeypatch.setattr(what_if, "TIMES", ())
    now = parse_instant("2026-11-22T12:00:00Z")
    return scenario.live(bank_book.ledger, now=now, draws=4_096)


def test_scenario_tables_sum_to_one_and_no_path_is_in_two(live):
    bank = live.predictor.bank
    assert [each.id for each in bank.scenarios] == ["ladder", "settlement", "summit"]
    for each in bank.scenarios:
        rows = live.shares(each)
        assert sum(row["probability"] for row in rows) == pytest.approx(1.0, abs=1e-12)
        truths = [truth for *_, truth in scenario.partition(live.run, each)]
        assert (sum(truth.astype(int) for truth in truths) == 1).all()
        assert rows[-1]["scenario"] == "otherwise"


def test_joint_marginal_and_conditional_agree_to_the_last_digit(live):
    question = next(q for q in live.questions if q.id == "leaders-meet@2026-12-31")
    (each,) = [one for one in live.predictor.bank.scenarios if one.id == "settlement"]
    weights = live.run.paths.weights(None)
    met = live.truths(live.run, question)["yes"]
    p_met = float(weights @ met)
    rows = live.what_if([question.id], [], each)
    after = {row["question"]: row["after"] for row in rows if row["gate"] == "passed"}
    checked = 0
    for name, _, _, truth in scenario.partition(live.run, each):
        joint = float(weights @ (truth & met))
        if (conditional := after.get(f"scenario:{name}")) is not None:
            assert joint == pytest.approx(p_met * conditional, rel=1e-12, abs=1e-15)
            checked += 1
        # Total probability: the scenario's own number is the mean over both answers.
        other = float(weights @ (truth & ~met))
        row = next(r for r in rows if r["question"] == f"scenario:{name}")
        if row["before"] is not None:
            assert row["before"] == pytest.approx(joint + other, rel=1e-12, abs=1e-15)
    assert checked


NUMBER = """\
  how-many: {title: How many convoys, opens: 2026-01-10, closes: 2026-12-31, type: numeric,
    lower: 0, upper: 20, unit: convoys, answer: convoy count}
"""


def test_whose_value_is_not_asked_for_is_named(own_book, tmp_path, capsys):
    live = scenario.live(own_book(SMALL + NUMBER).ledger, now=NOW, draws=1_024)
    valued = {row["question"] for row in live.value()}
    assert live.valueless() == ["how-many"]
    assert valued | {"how-many"} == {question.id for question in live.questions}
    with clock.at(NOW):
        assert run(["--db", str(tmp_path / "own0.db"), "scenario", "value"]) == 0
    assert "left out: how-many" in capsys.readouterr().err


def test_numbers_of_conjunctions_come_from_one_simulation(own_book):
    live, names = scenario.live(own_book().ledger, now=NOW), ["both", "truce-comes", "text-lies"]
    truths = {q.id: live.truths(live.run, q)["yes"] for q in live.questions if q.id in names}
    assert (truths["both"] == (truths["truce-comes"] & truths["text-lies"])).all()
    answers = numbers(live.predictor.bank, names, NOW, draws=8_192)
    p, p_truce, p_text = (answers[name][0] for name in names)
    assert max(0.0, p_truce + p_text - 1) <= p <= min(p_truce, p_text)


def test_conditions_that_exclude_each_other_are_refused_and_named(live):
    with pytest.raises(InvalidInput, match=r"conditions \(summit=russia, summit=ukraine\)"):
        live.what_if(["summit=russia", "summit=ukraine"], [])
    # In the zone of the bank, to the minute.
    local = r"no path meets it, seen from 2026-\d\d-\d\d \d\d:\d\d Europe/Kyiv\."
    with pytest.raises(InvalidInput, match=local):
        live.what_if(["strike count >= 4000 by close"], [])


def test_a_target_is_met_and_nothing_else_about_its_paths_changes(live):
    name = "leaders-meet@2026-12-31"
    (question,) = [q for q in live.questions if q.id == name]
    sets = next(each for each in live.predictor.bank.scenarios if each.id == "summit")
    truth = live.truths(live.run, question)["yes"]
    rows = {
        p: {
            row["question"] + row["state"]: row["after"]
            for row in live.what_if([f"{name}={p}"], [], sets)
        }
        for p in ("no", "yes", "25%", ".5")
    }
    aimed = what_if.aimed(live, live.run, {"x": (f"{name}=yes", 0.25)})
    assert aimed.paths.weights() @ truth == pytest.approx(0.25, abs=1e-9)
    zone = next(q for q in live.questions if q.id == "buffer-zone-2026")
    both = {"x": (f"{name}=yes", 0.25), "y": ("buffer-zone-2026=yes", 0.3)}
    weights = what_if.aimed(live, live.run, both).paths.weights()
    assert weights @ truth == pytest.approx(0.25, abs=1e-8)
    assert weights @ live.truths(live.run, zone)["yes"] == pytest.approx(0.3, abs=1e-8)
    # By the law of total probability: on either side the paths keep their weights.
    for key, after in rows["25%"].items():
        ends = rows["no"].get(key), rows["yes"].get(key)
        if after is not None and None not in ends:
            assert after == pytest.approx(0.75 * ends[0] + 0.25 * ends[1], abs=1e-9)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["leaders-meet=.2", "leaders-meet@2026-12-31=.3"], "no weights of the paths give both"),
        (["leaders-meet=120%"], "must lie from 0 to 1"),
        (["guarantees-2026=.3"], "a probability alone fits a yes-or-no question"),
    ],
)
def test_targets_that_no_weights_meet_are_refused_in_one_line(live, given, words):
    with pytest.raises(InvalidInput, match=words):
        live.what_if(given, [])


# ---- law 5: news ---------------------------------------------------------------------------------


def report(key, target, ratio, *, at=NOON, story="", **more):
    """An item by which the truth is `ratio` times as likely to have been reported."""
    a = ratio / (1 + ratio)
    effect = Effect(target, "likelihood", {"a": a, "b": 1 - a, "u": 0.5})
    return Evidence(
        key, "report", key, f"wire {key}", known_at=at, effects=(effect,), grade="B", story=story,
        **more,
    )  # fmt: skip


def numbers_with(own, *items, moment=NOW):
    return numbers(own, ["text-lies", "truce-comes", "convoys", "bridge-holds"], moment, *items)


A, FIRST = report("a", "text=table", 3.0), report("a", "text=table", 3.0, story="draft")
UP, DOWN = report("a", "text=table", 2.0), report("b", "text=table", 0.5)
B, C = report("b", "truce-comes", 0.4, at=NOON - DAY), report("c", "bridge-holds", 2.0)
BACK = Evidence(
    "r", "report", "a", "w", known_at=NOW,
    effects=(Effect("evidence/a", "datum", {"name": "retracts"}),),
)  # fmt: skip


@pytest.mark.parametrize(
    ("items", "same"),
    [
        ((C, A, B), (A, B, C)),
        ((A, BACK), ()),
        (
            (FIRST, dataclasses.replace(FIRST, key="b", known_at=NOON + DAY, title="again")),
            (FIRST,),
        ),
        # Coded on the question as well as on the process, it is still one story.
        (
            (
                dataclasses.replace(
                    FIRST, effects=(*FIRST.effects, *report("x", "text-lies", 3.0).effects)
                ),
            ),
            (FIRST,),
        ),
        ((UP, DOWN), ()),
    ],
    ids=["another order", "taken back", "a copy", "a story on two targets", "twice and half"],
)
def test_news_that_says_the_same_gives_the_same_numbers(own_book, items, same):
    own_book()
    bank = bundled_bank()
    assert numbers_with(bank, *items) == numbers_with(bank, *same)
    assert (
        numbers_with(bank, UP)["text-lies"]
        > numbers_with(bank)["text-lies"]
        > numbers_with(bank, DOWN)["text-lies"]
    )


# ---- law 6: faults -------------------------------------------------------------------------------

PACT = SMALL.replace(
    "  bridge:\n",
    "  pact:\n    moves: {on > off: class peace-agreements}\n    since 2026-01-01: on\n  bridge:\n",
).replace(
    "links:\n",
    "links:\n  - while truce=on: pact=off x0.5 (0.2..1.2)\n    because: it is kept then\n"
    "    source: judgement\n    known_by: 2025-12-31\n",
) + (
    "  pact-holds: {title: The pact holds, opens: 2026-01-10, closes: 2026-12-31,\n"
    "    answer: pact=on through close}\n"
)


def _open_rows(book):
    rows, warnings = update(book.ledger, [], now=NOW, dry_run=True)
    return {row["question"]: row for row in rows if row["status"] == "open"}, warnings


def _numbers(rows, but=frozenset()):
    return {name: row["after"] for name, row in rows.items() if name not in but}


@pytest.mark.parametrize("fault", [InvalidInput("prior k: no such thing"), GateRefused("no start")])
def test_a_fault_in_one_process_leaves_every_other_update_standing(own_book, monkeypatch, fault):
    book = own_book(PACT)
    whole, warnings = _open_rows(book)
    assert not warnings
    assert whole["pact-holds"]["after"] is not None

    def breaks(cache, model, *arguments, **options):
        if isinstance(model, Spells):
            raise fault
        return quick.quick_fit(cache, model, *arguments, **options)

    monkeypatch.setattr(FitCache, "fit", breaks)
    rows, warnings = _open_rows(book)
    # The truce that hastens it and all that hangs on that truce stand, to the last digit.
    assert _numbers(rows) == _numbers(whole, but={"pact-holds"})
    assert warnings == [f"pact-holds: process (pact): {fault}"]
    logged, _ = update(book.ledger, [], now=NOW)
    assert {row["question"] for row in logged if row["logged"]} == {
        name for name, row in rows.items() if row["gate"] == "passed"
    }


def _break_draws(monkeypatch, process, fault):
    real = parameters.Parameters._draw

    def breaks(drawn, one):
        if one.name == process:
            raise fault
        return real(drawn, one)

    monkeypatch.setattr(parameters.Parameters, "_draw", breaks)


@pytest.mark.parametrize("fault", [InvalidInput("rate: broken"), ValueError("rate: broken")])
def test_so_does_a_draw_that_breaks(own_book, monkeypatch, fault):
    book = own_book()
    whole, _ = _open_rows(book)
    _break_draws(monkeypatch, "text", fault)
    rows, warnings = _open_rows(book)
    silent = whole.keys() - rows.keys()
    assert silent
    assert rows
    assert _numbers(rows) == _numbers(whole, but=silent)
    assert set(warnings) == {f"{name}: process (text): {fault}" for name in silent}


_row = what_if._row
SCHEDULED = """\
zone: Europe/Kyiv
processes:
  day: {at: 2026-09-15}
  begun: {at: 2026-09-15, since 2026-01-01: ahead}
  range: {at: 2026-09-01..2026-09-21}
  watched: {at: 2026-09-01..2026-09-21, watched: 2026-09-11}
  held: {at: 2026-09-15, 2026-09-09: held}
  convoy: {event: once in 20 w}
links:
  - {while day=held: convoy x3 (2..5), because: it does, source: judgement, known_by: 2025-12-31}
questions:
"""
DAYS = ("2026-09-13", "2026-09-15", "2026-09-16")
SCHEDULED += "".join(
    f"  {name}-{day}: {{title: Held, opens: 2026-01-10, closes: {day}, answer: {name} by close}}\n"
    for name in ("day", "begun", "range", "watched")
    for day in DAYS
)
SCHEDULED += """\
  is: {title: Held, opens: 2026-01-10, closes: 2026-09-13, answer: held=held on close}
  hit: {title: Hit, opens: 2026-01-10, closes: 2026-12-31, answer: convoy by close}
"""


def test_a_scheduled_process_comes_on_its_day_or_evenly_in_its_range(own_book):
    book = own_book(SCHEDULED)
    moment = parse_instant("2026-09-12T12:00:00Z")
    rows, warnings = update(book.ledger, [], now=moment, dry_run=True, unwatched=True)
    after = {row["question"]: row["after"] for row in rows}
    assert all("nobody has watched" in line for line in warnings)
    for name in ("day", "begun"):
        assert [after[f"{name}-{day}"] for day in DAYS] == [0.0001, 0.9999, 0.9999]
    # From midnight to midnight of twenty days; who looked for ten of them knows the other ten.
    for day, all_of, rest in zip(DAYS, (12, 14, 15), (2, 4, 5), strict=True):
        assert after[f"range-{day}"] == pytest.approx(all_of / 20, abs=0.001)
        assert after[f"watched-{day}"] == pytest.approx(rest / 10, abs=0.001)
    assert after["is"] == 0.9999
    changes = scenario.live(book.ledger, now=moment).what_if(do=["day-2026-09-15=no"])
    rows = {row["question"]: row for row in changes}
    assert rows["hit"]["after"] < after["hit"]


def test_more_paths_are_drawn_until_every_number_can_be_told_or_it_says_why(own_book, monkeypatch):
    drawn = []
    real = what_if._drawn_towards

    def towards(*arguments):
        drawn.append(arguments[-1])
        return real(*arguments)

    monkeypatch.setattr(what_if, "_drawn_towards", towards)
    book = own_book()
    live = scenario.live(book.ledger, now=NOW, draws=4_096)
    rows = live.what_if(["text-lies=yes"])
    assert drawn[0] == what_if.TIMES[0]
    left = [row["mcse"] for row in rows if row["gate"] != "passed"]
    assert not left or drawn == list(what_if.TIMES) or min(left) > 0.01 * 2**0.5
    # Where every number can be told at once, nothing is drawn again.
    drawn.clear()
    monkeypatch.setattr(what_if, "ENOUGH", 0)
    monkeypatch.setattr(what_if, "_row", lambda *a: _row(*a) | {"gate": "passed"})
    live.what_if(["text-lies=yes"])
    assert drawn == []
    # Where one cannot, it is told which, why, and what else to do.
    monkeypatch.setattr(what_if, "_row", lambda *a: _row(*a) | {"gate": "refused: so and so"})
    *lines, way_out = words.refusals(live.what_if(["text-lies=yes"]))
    assert drawn == list(what_if.TIMES)
    assert "convoys has no number: so and so" in lines
    # Where twice the paths could tell none, they are not drawn.
    drawn.clear()
    far = {"gate": "refused: so and so", "mcse": 0.0142}
    monkeypatch.setattr(what_if, "_row", lambda *a: _row(*a) | far)
    live.what_if(["text-lies=yes"])
    assert drawn == [what_if.TIMES[0]]
    assert "likelier" in way_out


STATED = """\
zone: UTC
watched: 2026-08-22
processes:
  stated:
    delivery: {agreed: 700, announced: 2026-06-01, delivered: 0, unit: persons}
    moves: {agreed > begun: once in 60 d, begun > begun: 3 in 90 d}
  silent:
    delivery: {agreed: 700, announced: 2026-06-01, delivered: 0, unit: persons}
    2026-07-01: {amount: 157, source: https://example.org/a, grade: A}
  slow:
    delivery: {agreed: 700, announced: 2026-06-01, delivered: 0, unit: persons}
    moves: {agreed > begun: once in 60 d, begun > begun: 3 in 90 d}
    2026-07-01: {amount: 157, source: https://example.org/a, grade: A}
questions:
  begins: {title: It begins, opens: 2026-06-02, closes: 2026-10-31, answer: stated=begun by close}
  slow-done: {title: All, opens: 2026-06-02, closes: 2026-10-31, answer: slow=done by close}
  silent-done: {title: All, opens: 2026-06-02, closes: 2026-10-31, answer: silent=done by close}
"""


def test_a_delivery_has_the_pace_that_its_bank_states(own_book, capsys):
    book = own_book(STATED)
    rows, _ = update(book.ledger, [], now=NOW, dry_run=True, watched=True)
    after = {row["question"]: row["after"] for row in rows}
    waited = (NOW - parse_instant("2026-06-02T00:00:00Z")) / DAY
    left = (parse_instant("2026-11-01T00:00:00Z") - NOW) / DAY
    # Gamma(1, 60 d), and its own silence since the day of the agreement.
    assert after["begins"] == pytest.approx(left / (60 + waited + left), abs=0.01)
    # Another pace is another answer.
    assert abs(after["slow-done"] - after["silent-done"]) > 0.02
    prior = {row["parameter"]: row["prior"] for row in processes.prior_rows(book.ledger)}
    assert prior["slow: begun > begun"] == "3 in 90 d"
    assert prior["silent: begun > begun"].startswith("wide priors of any delivery")
    assert (prior["w"], prior["mean"]) == ("Beta(0.5, 0.5)", "Beta(0.5, 1.5)")
    assert prior["silent: begun > failed"] == "never by chance: facts alone"
    # The page of the world says it in the same words.
    world = bank_of(book.ledger).world
    page = world_page(world, book.ledger.evidence(), NOW)
    shown = {row.name: row.base_rate for row in page.processes}
    for row in processes.prior_rows(book.ledger):
        if row["process"] in {"stated", "silent"}:
            name, _, move = row["parameter"].partition(": ")
            assert f"{move}: {row['prior']}" in shown[name]
    # What is not stated is said, once for each delivery (a stated pace states no sizes).
    notes = [each for each in book.check(bundled_bank().root) if each.note]
    assert [each.message.partition(":")[0] for each in notes] == ["stated", "silent", "slow"]
    assert all("its pace is stated, but how large" in notes[place].message for place in (0, 2))
    capsys.readouterr()
    run(["questions", "check", str(bundled_bank().root)])
    output = capsys.readouterr()
    assert "wide priors, for a delivery of any kind" in " ".join(output.err.split())
    assert "[wide]" not in output.out


@pytest.mark.parametrize("fault", [KeyError("k"), ValueError("v"), ZeroDivisionError("z")])
def test_so_does_a_process_that_cannot_be_put_together(own_book, monkeypatch, fault):
    book = own_book(PACT)
    whole, _ = _open_rows(book)
    real = assembly._process

    def breaks(spec, *arguments):
        if spec.name == "pact":
            raise fault
        return real(spec, *arguments)

    monkeypatch.setattr(assembly, "_process", breaks)
    rows, warnings = _open_rows(book)
    assert _numbers(rows) == _numbers(whole, but={"pact-holds"})
    assert warnings == [f"pact-holds: process (pact): {type(fault).__name__}: {fault}"]
    live = scenario.live(book.ledger, now=NOW, draws=4_096)
    assert any(note.startswith("pact-holds is left out: process (pact)") for note in live.notes)


def test_so_does_a_question_that_cannot_be_read(own_book, monkeypatch):
    book = own_book(PACT)
    whole, _ = _open_rows(book)
    real = model.read

    def breaks(paths, predicate, question):
        if question.id == "pact-holds":
            raise KeyError("k")
        return real(paths, predicate, question)

    monkeypatch.setattr(model, "read", breaks)
    rows, warnings = _open_rows(book)
    assert set(rows) == set(whole) - {"pact-holds"}
    assert warnings == ["pact-holds: KeyError: 'k'"]


def test_a_fault_at_one_moment_is_not_told_of_another(own_book, monkeypatch):
    own_book(PACT)
    one = predictor(bundled_bank())
    asked = [one.catalog.questions["pact-holds"]]
    before = NOW - DAY
    with monkeypatch.context() as broken:

        def breaks(*_, **__):
            raise GateRefused("no start")

        broken.setattr(FitCache, "fit", breaks)
        assert not one.one(OWN[0], asked, before)
    assert one.one(OWN[0], asked, NOW)
    assert list(one.model.faults) == [("pact-holds", before)]


def _refuse_fits(monkeypatch, of=object):
    def doubtful(cache, model, *arguments, **options):
        fit = quick.quick_fit(cache, model, *arguments, **options)
        if not isinstance(model, of):
            return fit
        report = dataclasses.replace(fit.report, passed=False, reasons=("R-hat 1.20 above 1.01",))
        return dataclasses.replace(fit, report=report)

    monkeypatch.setattr(FitCache, "fit", doubtful)


def test_a_refused_fit_refuses_what_rests_on_it_and_nothing_else(own_book, monkeypatch):
    book = own_book(PACT)
    whole, _ = _open_rows(book)
    _refuse_fits(monkeypatch, Spells)
    rows, _ = _open_rows(book)
    assert rows["pact-holds"]["after"] is None
    assert "R-hat 1.20" in rows["pact-holds"]["gate"]
    assert _numbers(rows, but={"pact-holds"}) == _numbers(whole, but={"pact-holds"})
    update(book.ledger, [], now=NOW)
    said_of = {f.question for f in book.ledger.forecasts(forecaster="model")}
    assert said_of == {name for name, row in rows.items() if row["gate"] == "passed"}


UNSTATED = """\
zone: UTC
watched: 2026-08-22
processes:
  convoy: {event: "", since 2026-01-01: ""}
  parcels: {delivery: {agreed: 700, announced: 2026-06-01, unit: persons}, 2026-07-01: 157}
questions:
  struck: {title: It is struck, opens: 2026-06-02, closes: 2026-10-31, answer: convoy by close}
  all-came: {title: All, opens: 2026-06-02, closes: 2026-10-31, answer: parcels=done by close}
"""


def test_a_delivery_shares_no_pace_and_a_refused_pool_of_rates_leaves_it_its_number(
    own_book, monkeypatch
):
    book = own_book(UNSTATED)
    whole, _ = _open_rows(book)
    _refuse_fits(monkeypatch)
    rows, _ = _open_rows(book)
    assert rows["struck"]["after"] is None
    assert rows["all-came"]["after"] == whole["all-came"]["after"] is not None
    update(book.ledger, [], now=NOW)
    (forecast,) = book.ledger.forecasts(forecaster="model")
    (model_run,) = (
        model_run for model_run in book.ledger.model_runs() if model_run.seq == forecast.model_run
    )
    assert set(fits_of(model_run)) == {"deliveries parcels"}


def test_every_forecaster_that_rests_on_the_world_has_the_same_number_of_paths(own_book):
    own_book()
    one = predictor(bundled_bank(), draws=16_384)
    asking = [q for q in one.catalog.open_at(NOW) if one.asks[q.id].given is None]
    answers = one.answers(asking, NOW)
    assert {name for name, _ in answers} > {"model", "model without links", "base-rate", "prior"}
    assert {answer.draws for answer in answers.values()} == {16_384}


# ---- law 7: chance -------------------------------------------------------------------------------


def test_asked_alone_or_together_a_question_has_one_number(own_book):
    own_book()
    bank = bundled_bank()
    names = [q.id for q in bank.questions if q.opens <= NOW < q.closes]
    together = numbers(bank, names, NOW)
    for name in names:
        assert numbers(bank, [name], NOW)[name] == together[name], name
    assert numbers(bank, names, NOW, seed=1) != together


@pytest.mark.usefixtures("quick_fits")
def test_of_the_bank_too():
    bank = bundled_bank()
    names = [q.id for q in bank.questions if q.opens <= NOW < q.closes]
    together = numbers(bank, names, NOW)
    for name in ("guarantees-2026", "leaders-meet@2026-12-31", "sanctions-after-strike-2026"):
        if name in names:
            assert numbers(bank, [name], NOW)[name] == together[name], name


def test_cold_warm_and_with_workers_a_replay_has_one_digest(own_book):
    options = {"start": NOW - 40 * DAY, "until": NOW, "every": 7, "seed": 3}
    digests = set()
    with clock.at(parse_instant("2026-11-01T00:00:00Z")):
        for more in ({}, {}, {"workers": 2}):
            result = own_book().replay(**options, **more)
            digests.add((result["run"], result["digest"]))
        assert len(digests) == 1
        other = own_book().replay(**options | {"seed": 4})
    assert other["digest"] not in {digest for _, digest in digests}


@pytest.mark.parametrize("fault", [InvalidInput("rate: broken"), ValueError("rate: broken")])
def test_a_fault_in_one_process_leaves_every_other_scenario_standing(own_book, monkeypatch, fault):
    book = own_book(PACT)

    def what_if_numbers():
        simulated = scenario.live(book.ledger, now=NOW, draws=4_096)
        rows = simulated.what_if(do=["truce-comes=yes"])
        return {row["question"]: (row["before"], row["after"]) for row in rows}, simulated

    whole, live = what_if_numbers()
    assert "while truce=on: pact=off" in live.learned()
    _break_draws(monkeypatch, "pact", fault)
    rows, live = what_if_numbers()
    assert (
        rows == {name: numbers for name, numbers in whole.items() if name != "pact-holds"} != whole
    )
    assert f"pact-holds is left out: process (pact): {fault}" in live.notes
    # What the page of the world shows: the links of all others were learned.
    assert set(live.learned()) == {link.name for link in live.run.spec.links}
