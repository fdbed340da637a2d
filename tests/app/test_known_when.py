"""What is known when: no forecast rests on an agreement, or on a state, before it was known."""

import numpy as np
import pytest

from forecasting.app.forecast.update import update
from forecasting.bank import read_bank
from forecasting.bank.world_check import notes
from forecasting.domain.evidence import Evidence, fact_effect
from forecasting.domain.instants import parse_instant
from tests.app.quick import write_bank

WORLD = """\
zone: Europe/Kyiv
watched: 2026-10-19
processes:
  deal: {{moves: {{none > signed: 5 in 500 d}}, since 2026-01-01: none}}
  pris:
    delivery: {{agreed: 100, announced: 2026-10-01, known: 2026-10-03, delivered: 0}}
    moves: {{agreed > begun: 5 in 50 d, begun > begun: 5 in 50 d}}
  war: {{moves: {{on > off: 1 in 9 y}}, since 2026-10-01: on}}
links:
  - while pris=agreed|begun: deal x{pris}
    because: a
    source: judgement
    known_by: 2025-12-31
  - while war=on: deal x{war}
    because: a
    source: judgement
    known_by: 2025-12-31
questions:
  deal-comes: {{title: Deal, opens: 2026-09-01, closes: 2026-12-31, answer: deal=signed by close}}
{more}"""
ASKED = """\
  all-back: {{title: All, opens: {opens}, closes: 2026-12-31, answer: pris=done by close}}
  back: {{title: How many, type: numeric, unit: people, lower: 0, upper: 100, opens: {opens},
    closes: 2026-12-31, answer: pris total}}
  war-lasts: {{title: War, opens: {opens}, closes: 2026-12-31, answer: war=on through close}}
"""
NOW = parse_instant("2026-10-20T12:00Z")


def world(*, pris="9 (8..9)", war="9 (8..9)", opens=""):
    return WORLD.format(pris=pris, war=war, more=ASKED.format(opens=opens) if opens else "")


def answers(book, as_of):
    at = parse_instant(as_of)
    rows, warnings = update(book.ledger, [], now=NOW, as_of=at, dry_run=True, unwatched=True)
    return {row["question"]: row["after"] for row in rows}, warnings


STALLED = """\
zone: Europe/Kyiv
watched: 2026-10-19
processes:
  pris:
    delivery: {{agreed: 1000, announced: 2026-01-02, delivered: 0}}
    "2026-01-12": {{amount: 390, source: https://example.org/a}}
    {fact}
questions:
  all-back: {{title: All, opens: 2026-01-03, closes: 2026-12-31, answer: pris=done by close}}
"""


def test_the_longer_a_delivery_was_watched_to_stand_the_rarer_that_it_goes_on(own_book):
    """A stall of January and one of November gave the same .2341, ten months of silence apart."""

    def seen(fact):
        return answers(own_book(STALLED.format(fact=fact)), "2026-10-20T00:00Z")[0]["all-back"]

    days = ("2026-01-13", "2026-06-13", "2026-10-13")
    early, middle, late = (seen(f'"{day}": {{state: stalled, source: a}}') for day in days)
    assert early < 0.7 * middle < 0.7 * 0.8 * late


@pytest.mark.parametrize("opens", ["", "2026-09-01"])
def test_before_it_was_known_an_agreement_or_a_state_moves_nothing(own_book, opens):
    early, late = ("2026-09-05T00:00Z", "2026-09-30T20:59Z"), "2026-10-04T00:00Z"

    def seen(**links):
        # One at a time: a book of these tests reads the bank that was made last.
        book = own_book(world(opens=opens, **links))
        return [answers(book, at) for at in (*early, late)]

    linked, plain = seen(), seen(pris="1.1 (1..1.2)", war="1.1 (1..1.2)")
    for (now, warnings), (without, _) in zip(linked[:2], plain[:2], strict=True):
        assert now["deal-comes"] == without["deal-comes"]
        assert set(now) == set(without) == {"deal-comes"}
        for name in ("all-back", "back") if opens else ():
            assert any(
                each.startswith(f"{name}: process (pris): its agreement") for each in warnings
            )
        for name in ("war-lasts",) if opens else ():
            assert any(each.startswith(f"{name}: process (war): its state") for each in warnings)
    # Once they are known, both act.
    assert linked[2][0]["deal-comes"] > plain[2][0]["deal-comes"] + 0.2
    for each in ("pris", "war"):
        (_, _, (alone, _)) = seen(**{each: "1.1 (1..1.2)"})
        assert linked[2][0]["deal-comes"] > alone["deal-comes"] + 0.02 > plain[2][0]["deal-comes"]


def test_a_question_shows_what_was_known_when_it_opened(own_book):
    for opens, early, late in (
        ("2026-10-02", "2026-10-01T20:30Z", "2026-10-02T00:00Z"),
        ("2026-10-01", "2026-09-30T20:30Z", "2026-09-30T21:00Z"),
    ):
        book = own_book(world(opens=opens))
        assert "all-back" not in answers(book, early)[0]
        assert {"all-back", "back"} <= set(answers(book, late)[0])


def test_no_part_comes_before_its_agreement(own_book):
    book = own_book(world(opens="2026-10-01"))
    agreed = parse_instant("2026-10-01T21:00Z")
    view = book.world(as_of="2026-10-01T00:00Z")
    rows = view.event_times()
    parts = rows[rows["process"] == "pris"]
    assert len(parts) > 1_000
    assert parts["time"].min() >= agreed
    assert (rows["time"] >= parse_instant("2026-10-01T00:00Z")).all()


LATE = """\
zone: Europe/Kyiv
watched: 2026-10-19
processes:
  deal: {{moves: {{none > signed: 5 in 500 d}}, since 2026-01-01: none}}
  talks: {{moves: {{off > on: {talks}}}, since 2026-01-01: off}}
links:
  - while talks=off: deal x{ratio}
    because: a
    source: judgement
    known_by: {link}
questions:
  deal-comes: {{title: Deal, opens: 2026-02-01, closes: 2026-12-31, answer: deal=signed by close}}
  talks-come: {{title: Talks, opens: 2026-02-01, closes: 2026-12-31, answer: talks=on by close}}
"""


def test_what_was_argued_later_acts_in_no_forecast_of_before(own_book):
    """A link of September made .781 of .676 as of May."""
    early, late = "2026-08-31T20:59Z", "2026-08-31T21:00Z"

    def seen(at, **more):
        words = {"talks": "1 in 100 d", "ratio": "5 (4..6)", "link": "2026-09-01"} | more
        return answers(own_book(LATE.format(**words)), at)

    without = seen(early, ratio="1.001 (1..1.002)")[0]["deal-comes"]
    assert seen(early)[0]["deal-comes"] == seen(early, ratio="9 (8..10)")[0]["deal-comes"]
    assert seen(late)[0]["deal-comes"] > without + 0.1
    assert seen(early, link="2026-08-31")[0]["deal-comes"] > without + 0.1
    rated = {"talks": "{rate: 1 in 100 d, source: a, known_by: 2026-09-01}"}
    now, warnings = seen(early, link="2026-01-01", **rated)
    assert set(now) == {"deal-comes"}
    assert any("talks-come: process (talks): its rates were not argued yet" in x for x in warnings)
    assert set(seen(late, **rated)[0]) == {"deal-comes", "talks-come"}


def test_what_is_done_has_come_whole(own_book):
    part = '    "2026-10-06T12:00Z": {amount: 30, source: https://example.org/a, grade: A}\n'
    done = '    "2026-10-10T12:00Z": {state: done, source: https://example.org/a, grade: A}\n'
    for facts in (done, part + done):
        text = world(opens="2026-10-02").replace("  war: {moves", f"{facts}  war: {{moves")
        book = own_book(text)
        now, _ = answers(book, "2026-10-20T00:00Z")
        assert now["all-back"] == 0.9999
        assert set(now["back"].values()) == {100.0}
        fan = book.world(as_of="2026-10-20T00:00Z").fan("pris", ["2026-10-09", "2026-12-31"])
        assert np.all(fan.iloc[1] == 100.0)
        assert np.all(fan.iloc[0] == (30.0 if part in facts else 0.0))


def test_the_check_says_which_questions_opened_before(tmp_path):
    def hints(name, text):
        faults = [n for n in notes(read_bank(write_bank(tmp_path / name, text))) if "yet" in n.rule]
        return [(each.message.split(" before ")[0], each.hint) for each in faults]

    pris = "pris: is not known"
    linked = [(pris, "opens: 2026-10-04"), ("war: is not known", "opens: 2026-10-01")]
    for opens in ("", "2026-09-01", "2026-10-04"):
        assert hints(f"bank{opens}", world(opens=opens)) == linked
    # A question about it that opens on its day shows that it was known, to the other one too.
    assert hints("shown", world(opens="2026-10-02"))[0] == (pris, "opens: 2026-10-02")
    late = world(opens="2026-10-01").replace("opens: 2026-09-01", "opens: 2026-10-04")
    assert hints("late", late) == []


def test_what_is_told_after_an_end_is_named_at_the_update(own_book):
    book = own_book(world(opens="2026-10-02"))
    for key, day, effect in (
        ("end", "2026-10-06T12:00Z", ("state", {"state": "failed"})),
        ("part", "2026-10-08T12:00Z", ("part", {"value": 10})),
    ):
        at = parse_instant(day)
        fact = fact_effect("pris", effect[0], at, **effect[1])
        item = Evidence(key, "datum", key, "wire", at, (fact,), grade="A")
        book.ledger.append([item], recorded_at=at)
    now, warnings = answers(book, "2026-10-20T00:00Z")
    assert (now["all-back"], set(now["back"].values())) == (0.0001, {0.0})
    (line,) = [each for each in warnings if each.startswith("pris: ")]
    assert "a part of 10) counts for nothing, for it was failed on 2026-10-06" in line
    assert line.endswith("forecast news retract part")
