"""Laws of one world: precursors, parts and wholes, conjunctions, news, dates, paces and chance."""

import datetime as dt
import re

import pytest

from forecasting import clock
from forecasting.app.forecast.predict import OWN
from forecasting.app.forecast.update import update
from forecasting.app.upkeep.banks import bank_of
from forecasting.app.world import processes, scenario
from forecasting.bank.usable import bundled_bank
from forecasting.cli import run
from forecasting.domain.instants import parse_instant
from forecasting.review.world_rows import world_page
from tests.app.quick import predictor

NOW = parse_instant("2026-08-22T12:00:00Z")
DAY = dt.timedelta(days=1)


def numbers(bank, names, moment, *more, **options):
    one = predictor(bank, *more, **options)
    asked = [one.catalog.questions[name] for name in names]
    answers = one.one(OWN[0], asked, moment)
    assert not one.model.faults
    return {name: answers[name].numbers for name in names}


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


def test_numbers_of_conjunctions_come_from_one_simulation(own_book):
    live, names = scenario.live(own_book().ledger, now=NOW), ["both", "truce-comes", "text-lies"]
    truths = {q.id: live.truths(live.run, q)["yes"] for q in live.questions if q.id in names}
    assert (truths["both"] == (truths["truce-comes"] & truths["text-lies"])).all()
    answers = numbers(live.predictor.bank, names, NOW, draws=8_192)
    p, p_truce, p_text = (answers[name][0] for name in names)
    assert max(0.0, p_truce + p_text - 1) <= p <= min(p_truce, p_text)


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
    # The page of the world says the same, with its unit in full.
    world = bank_of(book.ledger).world
    page = world_page(world, book.ledger.evidence(), NOW)
    shown = {row.name: row.base_rate for row in page.processes}
    for row in processes.prior_rows(book.ledger):
        if row["process"] in {"stated", "silent"}:
            name = row["parameter"].partition(": ")[0]
            assert re.sub(r"\bd\b", "days", row["prior"]) in shown[name]
    # What is not stated is said, once for each delivery (a stated pace states no sizes).
    notes = [each for each in book.check(bundled_bank().root) if each.note]
    assert [each.message.partition(":")[0] for each in notes] == ["stated", "silent", "slow"]
    assert all("its pace is stated, but how large" in notes[place].message for place in (0, 2))
    capsys.readouterr()
    run(["questions", "check", str(bundled_bank().root)])
    output = capsys.readouterr()
    assert "wide priors, for a delivery of any kind" in " ".join(output.err.split())
    assert "[wide]" not in output.out


def test_every_forecaster_that_rests_on_the_world_has_the_same_number_of_paths(own_book):
    own_book()
    one = predictor(bundled_bank(), draws=16_384)
    asking = [q for q in one.catalog.open_at(NOW) if one.asks[q.id].given is None]
    answers = one.answers(asking, NOW)
    assert {name for name, _ in answers} > {"model", "model without links", "base-rate", "prior"}
    assert {answer.draws for answer in answers.values()} == {16_384}


def test_asked_alone_or_together_a_question_has_one_number(own_book):
    own_book()
    bank = bundled_bank()
    names = [q.id for q in bank.questions if q.opens <= NOW < q.closes]
    together = numbers(bank, names, NOW)
    for name in names:
        assert numbers(bank, [name], NOW)[name] == together[name], name
    assert numbers(bank, names, NOW, seed=1) != together


def test_with_workers_a_replay_has_the_digest_that_it_has_without(own_book):
    options = {"start": NOW - 40 * DAY, "until": NOW, "every": 7, "seed": 3}
    with clock.at(parse_instant("2026-11-01T00:00:00Z")):
        alone, shared = (own_book().replay(**options, **more) for more in ({}, {"workers": 2}))
    assert (alone["run"], alone["digest"]) == (shared["run"], shared["digest"])
