"""A faulty scenario, worldview or text stops itself alone; the questions and the world go on."""

import pytest

from forecasting import clock
from forecasting.app.book import Book
from forecasting.bank import check, read_bank
from forecasting.errors import InvalidInput
from tests.workspace import NOW, PEACE, workspace

GOOD = """\
schema: 1
id: peace
title: How the peace may go
opens: 2026-11-28
closes: 2027-03-31
scenarios:
  - {name: deal, title: They sign before April, when: peace=signed by close}
"""
FAULTY = {
    "scenarios/horn.yaml": GOOD.replace("id: peace", "id: horn").replace("title: They", "titel: T"),
    "worldviews/dove.yaml": "schema: 1\nid: dove\ntext: nowhere\ntitle: It ends soon enough\n",
    "texts/talk.yaml": "schema: 1\nid: talk\nsentences: many\n",
}


@pytest.fixture
def place(tmp_path):
    database = workspace(tmp_path, PEACE)
    (tmp_path / "questions/scenarios").mkdir()
    (tmp_path / "questions/scenarios/peace.yaml").write_text(GOOD)
    return tmp_path, database


@pytest.mark.parametrize("name", FAULTY)
def test_it_is_named_and_left_out_and_the_rest_goes_on(place, name):
    folder, database = place
    file = folder / "questions" / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(FAULTY[name])
    notes = []
    with clock.at(NOW), Book.plain(database, forecaster="ana", tell=notes.append) as book:

        def named(door, *arguments, **more):
            """Do something, and give what came of it; the file was named once."""
            notes.clear()
            result = door(*arguments, **more)
            assert sum(f"left out: questions/{name}:" in note for note in notes) == 1
            return result

        named(book.add_news, "They signed", source="wire", on=["peace=signed"],
              known_at="2026-11-29T06:00Z", confirmed=True)  # fmt: skip
        assert [row["scenario"] for row in named(book.scenarios)] == ["peace"]
        (row,) = named(book.update, dry_run=True, unwatched=True)
        assert row["after"] > 0.999
        assert named(book.explanations, row["question"])[0]["posterior"] == row["after"]
        named(book.simulated)
        named(book.priors)


def test_loading_and_checking_stay_strict(place):
    folder, _ = place
    (folder / "questions/scenarios/horn.yaml").write_text(FAULTY["scenarios/horn.yaml"])
    assert [fault.source for fault in check(read_bank(folder / "questions"))] != []
    with clock.at(NOW), pytest.raises(InvalidInput, match=r"questions/scenarios/horn\.yaml:"):
        Book.make_workspace(folder, forecaster="ana")


def test_a_faulty_question_still_stops_an_update(place):
    folder, database = place
    world = folder / "questions/worlds/world.yaml"
    world.write_text(PEACE.replace("closes: 2027-03-31", "closes: soon"))
    with (
        clock.at(NOW),
        Book.plain(database, forecaster="ana") as book,
        pytest.raises(InvalidInput, match=r"bank \(1 fault"),
    ):
        book.update(dry_run=True, unwatched=True)


def test_an_answer_that_cannot_be_read_is_told_once_with_the_true_reason(tmp_path):
    asked = "highest of one: convoy count >= 1 by close, more: convoy count >= 2 by close, else no"
    world = (
        "watched: 2026-11-28\n"
        'processes: {convoy: {event: 3 in 70 weeks, since 2026-09-01: ""}}\n'
        "questions: {many: {title: How many?, type: categorical, options: [no, one, more],\n"
        f"  closes: 2027-03-31, answer: '{asked}'}}}}\n"
    )
    with clock.at(NOW):
        database = workspace(tmp_path, world)
        (fault,) = Book.make_workspace(tmp_path, forecaster="ana")["faults"]
        notes = []
        with Book.plain(database, forecaster="ana", tell=notes.append) as book:
            book.update(dry_run=True, unwatched=True)
    (warning,) = [note for note in notes if "many" in note]
    for text in (fault, warning):
        assert text.count(f"answer ({asked})") == 1
        assert "takes PROCESS or PROCESS=STATE by the close and no `count`" in text
    assert "numeric question, answer: convoy count" in fault
    assert "world.yaml:4: [answer]" in fault
