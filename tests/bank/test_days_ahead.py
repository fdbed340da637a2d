"""What a world says to have been lies behind whoever wrote it: a wrong year is a fault."""

import pytest

from forecasting import clock
from forecasting.app.book import Book
from forecasting.app.forecast.update import update
from forecasting.bank import check, read_bank
from forecasting.domain.instants import parse_instant
from forecasting.errors import InvalidInput

NOW = parse_instant("2026-11-29T07:45Z")
WORLD = """\
zone: {zone}
watched: {file}
processes:
  strike:
    event: 3 in 70 weeks
    watched: {own}
    since {since}: ""
    {fact}: {{state: event, known: {known}}}
"""
RIGHT = {"zone": "UTC", "file": "2026-11-28", "own": "2026-11-28", "since": "2026-01-01",
         "fact": "2026-10-24", "known": "2026-10-25"}  # fmt: skip


def faults(tmp_path, now=NOW, **changed):
    (tmp_path / "worlds").mkdir(exist_ok=True)
    text = WORLD.format(**RIGHT | changed)
    (tmp_path / "worlds" / "world.yaml").write_text(text)
    with clock.at(now):
        return check(read_bank(tmp_path))


AHEAD = {"file": 2, "own": 6, "since": 7, "fact": 8, "known": 8}


@pytest.mark.parametrize(("what", "line"), AHEAD.items())
def test_a_day_ahead_is_refused_with_its_line_wherever_it_stands(tmp_path, what, line):
    assert faults(tmp_path) == []
    problems = [f for f in faults(tmp_path, **{what: "2027-10-24"}) if f.rule == "future"]
    assert [(f.line, f.message.partition(")")[2]) for f in problems] == [(line, ": lies ahead")]
    assert problems[0].hint == "2026-11-29 or an earlier day"


def test_today_may_be_named_in_the_zone_of_the_world_and_tomorrow_may_not(tmp_path):
    # At 22:30 in Greenwich it is the 30th in Goma, and the 29th in Caracas.
    late = parse_instant("2026-11-29T22:30Z")
    for zone, day, right in (
        ("Africa/Lubumbashi", "2026-11-30", True),
        ("Africa/Lubumbashi", "2026-12-01", False),
        ("America/Caracas", "2026-11-29", True),
        ("America/Caracas", "2026-11-30", False),
    ):
        problems = faults(tmp_path, late, zone=zone, file=day)
        assert ([f.rule for f in problems] == []) == right, (zone, day, problems)


def test_no_hint_advises_a_watch_that_reaches_ahead(tmp_path):
    problems = faults(tmp_path, fact="2027-10-24", known="2027-10-24")
    assert problems
    assert not [f.hint for f in problems if f.hint.startswith("watched: 2027")]
    (late,) = faults(tmp_path, own="2026-10-01")
    assert late.hint == "watched: 2026-10-24"


def test_a_world_from_the_future_is_not_loaded_either(tmp_path):
    workspace = Book.make_workspace(tmp_path / "w", forecaster="ana")
    file = tmp_path / "w" / "questions" / "worlds" / "world.yaml"
    long_ago = {name: day.replace("2026", "2020") for name, day in RIGHT.items()}
    file.write_text(WORLD.format(**long_ago | {"own": "2999-01-01"}))
    with pytest.raises(InvalidInput, match=r"2999-01-01\): lies ahead"):
        Book.make_workspace(tmp_path / "w")
    with Book.plain(workspace["database"]) as book:
        assert book.ledger.evidence() == []
    # To a clock that is told, what lies after it is only not yet known.
    with clock.at(parse_instant("2026-02-01T00:00Z")):
        file.write_text(WORLD.format(**RIGHT))
        assert Book.make_workspace(tmp_path / "w")["evidence"] == 1


TWO = """\
zone: UTC
watched: 2020-11-28
processes:
  strike: {event: 3 in 70 weeks, since 2020-01-01: ""}
  pris:
    delivery: {agreed: 100, announced: %s, delivered: 0}
    watched: %s
    moves: {agreed > begun: 5 in 50 d, begun > begun: 5 in 50 d}
questions:
  struck: {title: A strike, opens: 2020-02-01, closes: 2099-12-31, answer: strike by close}
  back: {title: All back, opens: 2020-02-01, closes: 2099-12-31, answer: pris=done by close}
"""


@pytest.mark.parametrize("days", [("2999-01-01", "2999-01-02"), ("2020-01-01", "2999-01-01")])
def test_a_process_from_the_future_is_refused_and_no_other(tmp_path, days):
    workspace = Book.make_workspace(tmp_path / "w", forecaster="ana")
    file = tmp_path / "w" / "questions" / "worlds" / "world.yaml"
    file.write_text(TWO % days)
    with pytest.raises(InvalidInput, match=r"2999-01-0.\): lies ahead"):
        Book.make_workspace(tmp_path / "w")
    with Book.plain(workspace["database"]) as book:
        assert (book.ledger.evidence(), book.ledger.questions()) == ([], [])
    # Edited after it was loaded, it is named, and what does not rest on it is answered.
    file.write_text(TWO % ("2020-01-01", "2020-11-28"))
    Book.make_workspace(tmp_path / "w")
    file.write_text(TWO % days)
    with Book.plain(workspace["database"]) as book:
        rows, warnings = update(book.ledger, [], now=clock.now(), dry_run=True, unwatched=True)
    assert {row["question"] for row in rows if row.get("after") is not None} == {"struck"}
    (warning,) = [each for each in warnings if "lies ahead" in each]
    assert warning.startswith("back rests on pris, and is skipped: ")
    notes = []
    with Book.plain(workspace["database"], tell=notes.append) as book:
        assert [fault.message for fault in book.check() if "lies ahead" in fault.message]
        assert [q.id for q in book.world().live.questions] == ["struck"]
        for door in (
            lambda: book.explanations("struck"),
            lambda: book.add_news("A strike", source="wire", known_at="2020-12-01", on=[]),
        ):
            notes.clear()
            door()
            (note,) = [each for each in notes if "lies ahead" in each]
            assert note.startswith("what rests on pris is skipped: ")
        with pytest.raises(InvalidInput, match="rests on pris, and is skipped"):
            book.explanations("back")
