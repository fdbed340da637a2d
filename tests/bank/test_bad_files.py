"""Bad question files: every fault with its file, its line, its rule; nothing half-read."""

import datetime as dt
import shutil

import pytest

from forecasting.bank import check, read_bank, read_question_file
from forecasting.bank.world_check import notes
from forecasting.domain.instants import iso
from tests.bank.conftest import ROOT

GOOD = (ROOT / "bank" / "ceasefires" / "buffer-zone-2026.yaml").read_text(encoding="utf-8")
ANSWER = "answer (zone=by): zone=by needs by, on, through, between or within"


def _faults(tmp_path, text):
    path = tmp_path / "question.yaml"
    path.write_text(text, encoding="utf-8")
    return [(p.line, p.rule, p.message) for p in read_question_file(path)[2]]


def _line(text, start):
    return next(i for i, line in enumerate(text.splitlines(), 1) if line.startswith(start))


def test_a_good_file_has_none(tmp_path):
    assert _faults(tmp_path, GOOD) == []


def test_a_missing_field_is_named(tmp_path):
    text = "\n".join(line for line in GOOD.splitlines() if not line.startswith("title:"))
    ((_, rule, message),) = _faults(tmp_path, text)
    assert rule == "missing"
    assert "title" in message


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "---\n"])
def test_a_file_with_nothing_in_it_is_one_fault(tmp_path, text):
    assert _faults(tmp_path, text) == [(1, "missing", "file: is empty")]


@pytest.mark.parametrize(
    ("needs", "message"),
    [
        ("{question: truce, outcome: yes}", "condition (truce=yes): truce is a ladder"),
        ("{question: convoy, outcome: maybe}", "condition (convoy=maybe): is no outcome of convoy"),
        ("{question: who, outcome: Egypt}", "condition (who): its outcome is written egypt"),
        ("{question: convoy, outcome: yes}", ""),
    ],
)
def test_a_condition_names_a_question_and_an_outcome_that_it_can_have(tmp_path, needs, message):
    """Otherwise it would annul the question whatever came, or never."""
    (tmp_path / "worlds").mkdir()
    (tmp_path / "worlds" / "own.yaml").write_text(
        "zone: UTC\nprocesses:\n  road: {event: 3 in 70 weeks, since 2026-01-01: ''}\nquestions:\n"
        "  truce: {title: A truce?, opens: 2026-01-10, ladder: [2026-06-30, 2026-12-31]}\n"
        "  convoy: {title: A convoy?, opens: 2026-01-10, closes: 2026-12-31}\n"
        "  who: {title: Who then?, opens: 2026-01-10, closes: 2026-12-31, type: categorical,\n"
        "    options: [egypt, qatar]}\n"
        "  then: {title: What then?, opens: 2026-01-10, closes: 2026-12-31,\n"
        "    answer: road by close,\n"
        f"    links: {{condition: {needs}}}}}\n",
        encoding="utf-8",
    )
    bank = read_bank(tmp_path)
    assert [fault.message for fault in check(bank)] == ([message] if message else [])
    (note,) = notes(bank)
    assert "so the model's number is the one without it" in note.message
    assert note.hint == "road by close given ..."


def test_slug_title_and_deadline_are_enough(tmp_path):
    path = tmp_path / "question.yaml"
    path.write_text("slug: truce\ntitle: The truce holds\ncloses: 2026-12-31\n", encoding="utf-8")
    now = dt.datetime(2026, 11, 28, 23, tzinfo=dt.UTC)
    (question,), outcomes, faults = read_question_file(path, now=now, zone_name="Africa/Cairo")
    assert (outcomes, faults) == ([], [])
    assert (question.type, question.event, question.basis.texts) == ("binary", "truce", ())
    # In Cairo it is the 29th already, and a question opens with its day.
    assert (iso(question.opens), iso(question.closes)) == (
        "2026-11-28T22:00:00Z",
        "2026-12-31T22:00:00Z",
    )
    (elsewhere,), _, _ = read_question_file(path, now=now, zone_name="UTC")
    assert iso(elsewhere.opens) == "2026-11-28T00:00:00Z"


@pytest.mark.parametrize(
    ("lines", "words", "hint"),
    [
        ("options: [a, b]", "type binary has no options of its own", "type: categorical"),
        ("type: numeric\nlower: 0\nupper: 9\noptions: [a, b]", "type numeric has no opt", "type:"),
        ("lower: 0\nupper: 9", "has no lower, upper and unit", "type: numeric"),
        ("unit: people", "has no lower, upper and unit", "type: numeric"),
        ("type: ordered\noptions: [a, b]\nupper: 9", "type ordered has no lower", "type: numeric"),
        ("type: date", "when something happens is asked as a ladder", "ladder: [2027-"),
    ],
)  # fmt: skip
def test_outcomes_that_the_type_would_pass_over_are_refused(tmp_path, lines, words, hint):
    path = tmp_path / "question.yaml"
    path.write_text(f"slug: t\ntitle: The truce\ncloses: 2026-12-31\n{lines}\n", encoding="utf-8")
    (fault,) = read_question_file(path)[2]
    assert words in fault.message
    assert hint in fault.hint


def test_the_options_of_a_yes_no_question_may_be_written_out(tmp_path):
    text = "slug: t\ntitle: The truce\ncloses: 2026-12-31\noptions: [no, yes]\n"
    assert _faults(tmp_path, text) == []


def test_a_ladder_out_of_order_is_shown_in_order(tmp_path):
    path = tmp_path / "question.yaml"
    path.write_text(
        "slug: t\ntitle: The truce\nladder: [2027-03-31, 2027-01-31]\n", encoding="utf-8"
    )
    assert read_question_file(path)[2][0].hint == "[2027-01-31, 2027-03-31]"


def test_an_answer_that_cannot_be_read_is_named_with_its_line(tmp_path):
    assert _faults(tmp_path, GOOD.replace("answer: zone=accepted by close", "answer: zone=by")) == [
        (_line(GOOD, "answer:"), "value", ANSWER)
    ]


def test_an_older_file_is_read_with_a_word_on_what_to_write(copy):
    _edit(copy / "bank" / "ceasefires" / "buffer-zone-2026.yaml", "answer: zone=", "note: zone=")
    path = copy / "bank" / "ceasefires" / "buffer-zone-2026.yaml"
    if "\nmodel:" not in path.read_text(encoding="utf-8"):
        model = "topic: ceasefires\nmodel: {family: staged, reference: demilitarised-zone}"
        _edit(path, "topic: ceasefires", model)
    bank = read_bank(copy)
    assert check(bank) == []
    (hint,) = (note for note in notes(bank) if note.rule == "model")
    assert (hint.rule, hint.line) == ("model", _line(path.read_text(encoding="utf-8"), "model:"))
    assert "answer: " in hint.hint


def test_a_wrong_type_is_named_with_its_line(tmp_path):
    text = GOOD.replace("type: binary", "type: perhaps")
    faults = _faults(tmp_path, text)
    assert (faults[0][0], faults[0][1]) == (_line(text, "type:"), "field")
    assert "perhaps" in faults[0][2]


def test_every_fault_is_listed_not_the_first(tmp_path):
    text = GOOD.replace("type: binary", "type: perhaps").replace("topic: ", "topic: NOT A SLUG ")
    assert len(_faults(tmp_path, text)) == 2


def _edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_faults_across_files_are_found(copy):
    bank = copy / "bank"
    _edit(bank / "ceasefires" / "buffer-zone-2026.yaml", "zone=accepted", "zone=acceptet")
    shutil.copy(bank / "talks" / "leaders-meet.yaml", bank / "talks" / "copy.yaml")
    _edit(
        bank / "wider" / "power-change-kremlin.yaml",
        "opens: 2026-01-01",
        "opens: 2026-01-01\nlinks:\n  parent: nothing-here",
    )
    _edit(copy / "worlds" / "ukraine.yaml", "class peace-agreements", "class peace-agreement")
    problems = {problem.rule: problem for problem in check(read_bank(copy))}
    assert set(problems) == {"answer", "duplicate-slug", "unknown-parent", "unknown-reference"}
    assert problems["answer"].message.endswith("the nearest is accepted")
    assert problems["unknown-reference"].hint == "peace-agreements"
    assert all(problem.line > 0 for problem in problems.values())


def test_a_prior_that_its_class_does_not_have_is_a_fault(copy):
    path = copy / "reference" / "priors.csv"
    _edit(path, "exchanges,stall,beta", "exchanges,stal,beta")
    _edit(path, "exchanges,delta,gamma,2 2", "exchanges,delta,gamma,2 0")
    problems = {problem.rule: problem for problem in check(read_bank(copy))}
    assert problems["unknown-prior"].message == "class (exchanges): has no beta prior stal"
    assert "stall beta" in problems["unknown-prior"].hint
    assert "prior delta: rate (0.0) must be positive" in problems["value"].message


def test_an_outcome_known_at_the_opening_is_hindsight(copy):
    path = copy / "bank" / "ceasefires" / "energy-truce-2025-extended.yaml"
    _edit(path, "known: 2025-04-18", "known: 2025-03-17")
    (fault,) = check(read_bank(copy))
    assert (fault.rule, fault.source.endswith(path.name)) == ("hindsight", True)
    assert fault.line > 1


def test_a_row_without_a_source_is_a_fault(copy):
    path = copy / "reference" / "occurrences.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text(
        "\n".join([lines[0], "us-strikes-iran,2025-06-22,,,Strikes,high,"]) + "\n", encoding="utf-8"
    )
    faults = [p for p in read_bank(copy).problems if p.rule == "source"]
    assert [(p.line, p.source) for p in faults] == [(2, "questions/reference/occurrences.csv")]


def test_a_worldview_names_links_and_processes_that_there_are(copy):
    path = copy / "worldviews" / "000.yaml"
    text = path.read_text(encoding="utf-8")
    text = text.replace("  - process: ceasefire\n    move: none > accepted", "  - link: no such", 1)
    path.write_text(text, encoding="utf-8")
    (fault,) = [each for each in read_bank(copy).problems if each.rule == "unknown-prior"]
    assert (fault.line, fault.message) == (
        _line(text, "  - link:"),
        "link (no such): the world has no such link",
    )
