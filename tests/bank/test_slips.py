"""Common slips in a world file are told with their line, the name, and a way out that helps."""

import re
from pathlib import Path

import pytest

from forecasting import clock
from forecasting.bank import check, read_bank
from forecasting.domain.instants import parse_instant
from forecasting.domain.phrase import parse_phrase
from forecasting.errors import InvalidInput

NOW = parse_instant("2026-11-29T07:45Z")
README = Path(__file__).parents[2] / "questions" / "README.md"
HEAD = "processes:\n  a: {moves: {none > yes: once in 8 mo}, since 2026-01-01: none}\n"
ASK = HEAD + "questions:\n"


def faults(tmp_path, text):
    (tmp_path / "worlds").mkdir(exist_ok=True)
    (tmp_path / "worlds" / "world.yaml").write_text(text)
    with clock.at(NOW):
        return check(read_bank(tmp_path))


SLIPS = {
    "colon in a title": (
        ASK + "  qa:\n    title: Goma: what next?\n    closes: 2027-06-30\n",
        5, "mapping values are not allowed", "quotes around text that holds a colon",
    ),
    "no space after a colon": (
        ASK + "  qa:\n    title:Goma what next\n    closes: 2027-06-30\n",
        6, "mapping values are not allowed", "a space after the colon of a field, here and in the",
    ),
    "a day that is none": (
        HEAD.replace("none}", "none,\n    2026-02-30: yes}"),
        3, "2026-02-30: is no day", "a day of the calendar",
    ),
    "closing before opening": (
        ASK + "  qb: {title: Will it be?, closes: 2027-06-30}\n"
        "  qa: {title: Will it not?, opens: 2027-06-30,\n    closes: 2027-05-30}\n",
        6, "qa: closes (2027-05-30): must not come before", "a later day",
    ),
    "a name twice": (
        HEAD + "  a: {moves: {none > no: once in 8 mo}, since 2026-01-01: none}\n",
        3, "a: is there twice", "another name",
    ),
    "a short title": (ASK + "  qa: {title: x, closes: 2027-06-30}\n", 4, "3 letters or more", ""),
}  # fmt: skip


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_told_once_with_its_line_and_its_way_out(tmp_path, slip):
    text, line, words, hint = SLIPS[slip]
    (fault,) = faults(tmp_path, text)
    assert (fault.line, words in fault.message) == (line, True), fault
    assert hint in fault.hint
    assert bool(hint) == bool(fault.hint), fault
    assert "{'" not in fault.message


def test_a_broken_process_is_told_and_not_that_there_is_none(tmp_path):
    text = ASK.replace("once in 8 mo", "sometimes") + (
        "  qa: {title: Will it be?, closes: 2027-06-30, answer: a=yes by close}\n"
        "  qb: {title: Will it be?, closes: 2027-06-30, answer: b=yes by close}\n"
    )
    phrase, other = faults(tmp_path, text)
    assert (phrase.line, phrase.rule) == (2, "phrase")
    assert "process (b): the world has no such process" in other.message


@pytest.mark.parametrize("between", [" ", "; ", ", ", ";", ", and "])
def test_parts_of_a_phrase_may_follow_a_space_a_comma_or_a_semicolon(between):
    plain = parse_phrase("median 90 d (20..500) shape 0.7 for good 25%")
    phrase = parse_phrase(f"median 90 d (20..500){between}shape 0.7{between}for good 25%")
    assert (phrase.median, phrase.shape, phrase.for_good) == (plain.median, 0.7, 0.25)
    if between not in (" ",):
        assert phrase.text != plain.text  # As it was written.


def test_a_phrase_with_something_else_behind_it_is_shown_a_whole_one():
    with pytest.raises(InvalidInput) as wrong:
        parse_phrase("median 90 d (20..500) quickly")
    assert parse_phrase(wrong.value.hint).for_good == 0.25


def test_the_worked_example_is_a_whole_world_of_every_kind(tmp_path):
    section = README.read_text(encoding="utf-8").partition("#### One of each kind")[2]
    text = re.search(r"```yaml\n(.*?)```", section, re.DOTALL)[1]
    assert faults(tmp_path, text) == []
    with clock.at(NOW):
        bank = read_bank(tmp_path)
    kinds = {process.kind for process in bank.world.processes.values()}
    assert kinds == {"states", "event", "delivery", "scheduled"}
    table = section.partition("| field of `delivery` |")[2].partition("\n\n")[0]
    from forecasting.bank.schema import DeliveryFile

    named = {field.alias or name for name, field in DeliveryFile.model_fields.items()}
    assert named == set(re.findall(r"`(\w+)`", table)) - {"reference"} - {"classes"}
    assert {q.id for q in bank.questions if not q.answer} == set()
    on, good = (
        next(m.phrase for m in bank.world.processes["truce"].moves if m.name == name)
        for name in ("none > on", "on > none")
    )
    assert (on.form, good.shape, good.at_once, good.for_good) == ("count", 0.7, 0.1, 0.25)
