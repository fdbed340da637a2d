"""Ask, change, drop: questions that are made in the ledger, and the processes behind them."""

import datetime as dt
from dataclasses import replace

import pytest

import forecasting as fc
from forecasting import clock
from forecasting.app.forecast.update import update
from forecasting.app.ledger.ask import edit
from forecasting.app.upkeep import banks
from forecasting.bank.asked import as_yaml, slug_of
from forecasting.domain.catalog import Catalog
from forecasting.domain.instants import iso
from forecasting.errors import DatabaseUnusable, ForecastingError, InvalidInput

NOW = dt.datetime(2026, 11, 22, 9, tzinfo=dt.UTC)
TITLE = "Will a convoy reach El Fasher?"
SLUG = "a-convoy-reach-el-fasher"
BY = "2027-01-31"


@pytest.fixture
def book(tmp_path):
    with clock.at(NOW), fc.init(tmp_path / "w", forecaster="ana") as own:
        yield own


def test_a_question_and_its_number_are_made_together(book):
    row = book.ask(TITLE, "35%", by=BY, because="one in three", tags=["aid"])
    assert row["id"] == SLUG
    (question,) = book.ledger.questions()
    assert (iso(question.opens), iso(question.closes)) == (iso(NOW), "2027-02-01T00:00:00Z")
    assert (question.zone, question.tags, question.answer) == ("UTC", ("aid",), "")
    (forecast,) = book.ledger.forecasts()
    assert (forecast.value.plain, forecast.because) == (0.35, "one in three")
    assert forecast.question_hash == question.wording_hash
    assert row["model"] == {}
    assert row["process"] == ""
    assert book.verify()["ok"]


def test_a_base_rate_makes_a_process_and_the_model_speaks_at_once(book):
    row = book.ask(TITLE, 0.35, by=BY, base="3 in 70 weeks")
    assert row["process"] == f"{SLUG}-event"
    days = (dt.datetime(2027, 2, 1, tzinfo=dt.UTC) - NOW) / dt.timedelta(days=1)
    # Gamma(3.5, 490) on the rate a day: by hand.
    by_hand = 1 - (490 / (490 + days)) ** 3.5
    assert row["model"][SLUG] == pytest.approx(by_hand, abs=0.012)
    process = banks.bank_of(book.ledger).world.processes[row["process"]]
    assert (process.since, process.watched, process.kind) == (NOW, NOW, "event")
    # Both are in the ledger, and an update right after it has nothing to add.
    logged = {f.forecaster: f.value.numbers[0] for f in book.ledger.forecasts()}
    assert (logged["ana"], logged["model"]) == (0.35, row["model"][SLUG])
    head = book.ledger.head()
    book.update()
    assert book.ledger.head() == head


def test_a_question_is_asked_although_the_model_fails(book, monkeypatch):
    def locked(*_, **__):
        raise DatabaseUnusable("database (x): is locked", hint="again")

    monkeypatch.setattr("forecasting.app.forecast.update.update", locked)
    with pytest.warns(
        UserWarning, match="is asked, but the model's number is not logged: .*locked"
    ):
        row = book.ask(TITLE, 0.35, by=BY, base="3 in 70 weeks")
    assert (row["id"], row["model"], len(row["forecasts"])) == (SLUG, {}, 1)
    assert [f.forecaster for f in book.ledger.forecasts()] == ["ana"]


def test_news_update_and_outcome_use_the_process_of_a_phrase(book):
    book.ask(TITLE, 0.35, by=BY, base="3 in 70 weeks")
    book.add_news("Trucks loaded", source="wire", known_at=iso(NOW), on={f"{SLUG}-event": "x3"})
    with clock.at(NOW + dt.timedelta(hours=1)):
        row = book.update(watched=True).iloc[0]
        assert row["logged"]
        assert row["after"] > 0.4
        book.add_news(
            "It arrived",
            source="wire",
            known_at=iso(clock.now()),
            on={f"{SLUG}-event": "event"},
            confirmed=True,
        )
    with clock.at(NOW + dt.timedelta(hours=2)):
        assert book.update(SLUG, watched=True).iloc[0]["after"] > 0.99


@pytest.mark.parametrize(
    ("more", "forecast", "type_", "space"),
    [
        ({"options": ["egypt", "qatar"]}, {"egypt": "40%", "qatar": "60%"}, "categorical", None),
        ({"ordered": ["low", "high"]}, {"low": 0.5, "high": 0.5}, "ordered", None),
        ({"span": "0..5000", "unit": "people"}, {5: 10, 50: 200, 95: 900}, "numeric", (0, 5000)),
    ],
)
def test_other_types(book, more, forecast, type_, space):
    row = book.ask("What of it?", forecast, by=BY, **more)
    (question,) = book.ledger.questions()
    assert (row["type"], len(row["forecasts"])) == (type_, 1)
    if space:
        assert (question.space.lower, question.space.upper, question.space.unit) == (
            *space,
            "people",
        )


def test_a_ladder_with_a_base_rate_rises(book):
    row = book.ask(
        TITLE,
        {"2026-12-31": 0.1, BY: 0.3},
        ladder=[dt.date(2026, 12, 31), BY],
        base="3 in 70 weeks",
    )
    assert row["questions"] == [f"{SLUG}@2026-12-31", f"{SLUG}@{BY}"]
    early, late = (row["model"][name] for name in row["questions"])
    assert 0.1 < early < late < 0.5


@pytest.mark.parametrize(
    ("words", "more", "says"),
    [
        (("One?", 0.3), {"by": "2026-11-21"}, "past|come before"),
        (("One?", 0.3), {"by": BY, "ladder": [BY]}, "give one day"),
        (("One?", 0.3), {}, "give one day"),
        (("One?", 1.3), {"by": BY}, "from 0 to 1|probability"),
        (("One?", 0.3), {"by": BY, "options": ["a", "b"]}, "categorical"),
        (("One?", 0.3), {"by": BY, "options": ["a"], "base": "once in 8 mo"}, "base"),
        (("One?", 0.3), {"by": BY, "base": "now and then"}, "phrase|now and then"),
        (("One?", 0.3), {"by": BY, "base": "at 2027-01-01"}, "how often"),
        (("One?", 0.3), {"by": BY, "answer": "no-such by close"}, "no-such"),
        (("One?", None), {"by": BY, "span": "many"}, "two numbers"),
        (("One?", None), {"by": BY, "because": "so"}, "because"),
        (("???", None), {"by": BY}, "no slug"),
    ],
)
def test_a_broken_rule_writes_nothing(book, words, more, says):
    before = book.ledger.head()
    with pytest.raises(InvalidInput, match=says):
        book.ask(*words, **more)
    assert book.ledger.head() == before


def test_a_question_may_be_open_since_an_earlier_day_and_never_from_a_later_one(book):
    name = book.ask("Signed?", by=BY, opens="2026-10-01")["id"]
    (row,) = book.log(name, 0.4, at="2026-10-15T12:00Z")
    assert row["kind"] == "backdated"
    with pytest.raises(InvalidInput, match="lies in the future"):
        book.ask("Sealed?", by=BY, opens="2026-12-24")


def test_a_title_without_latin_letters_gets_a_number_that_is_free_and_is_told(book):
    notes = []
    book_of_ana = book.speaking_as("ana", tell=notes.append)
    first = book_of_ana.ask("هل ستنتهي الهدنة قبل 23 ديسمبر؟", 0.2, by="2027-01-31")
    second = book_of_ana.ask("停战会持续到1月吗？", 0.3, by="2027-01-31")
    assert (first["id"], second["id"]) == ("question-1", "question-2")
    assert notes[0].startswith(
        "its id is question-1, since no word of the title is in Latin letters"
    )
    named = book_of_ana.ask("Перемирие до 2027?", by="2027-01-31", slug="truce-ru")
    assert (named["id"], len(notes)) == ("truce-ru", 2)
    with pytest.raises(InvalidInput, match="already asks this"):
        book_of_ana.ask("停战会持续到1月吗？", by="2027-02-28")


def test_a_title_is_asked_once_unless_it_has_a_slug_of_its_own(book):
    book.ask(TITLE, 0.3, by=BY, base="3 in 70 weeks")
    with pytest.raises(InvalidInput, match="already asks this"):
        book.ask(TITLE.upper(), 0.3, by=BY)
    assert book.ask(TITLE, 0.3, by=BY, slug="second")["id"] == "second"
    with pytest.raises(InvalidInput, match="another question has that name"):
        book.ask("Else?", by=BY, slug=SLUG)
    with pytest.raises(InvalidInput, match="a process has that name"):
        book.ask("Else?", by=BY, slug=f"{SLUG}-event")


def test_missing_criteria_are_named_until_they_are_written(book):
    book.ask(TITLE, 0.3, by=BY)
    days = ["2026-12-31", BY]
    book.ask("Will the pause hold?", dict.fromkeys(days, 0.6), ladder=days, slug="pause")
    assert book.without_criteria() == [SLUG, "pause"]
    assert len(book.due()) == 0, "they are no reason to look again"
    criteria = "Counts if OCHA reports that at least one truck of the convoy unloaded in the town."
    assert book.edit_question(SLUG, criteria=criteria) == [SLUG]
    assert book.without_criteria() == ["pause"]
    (question,) = [each for each in book.ledger.questions() if each.id == SLUG]
    assert question.criteria == criteria
    assert question.opens == NOW
    assert len(book.ledger.question_history(SLUG)) == 2


def test_what_is_shown_as_yaml_and_saved_as_it_is_changes_nothing(book):
    book.ask(TITLE, 0.3, by=BY, base="once in 8 mo", tags=["aid"])
    book.ask("How many?", by=BY, span="0..5000", unit="people", slug="many")
    book.ask("Who?", by=BY, options=["a b", "c"], slug="who")
    book.ask("When?", ladder=["2026-12-31", BY], slug="when")
    for name in (SLUG, "many", "who", "when"):
        assert edit(book.ledger, name, as_yaml(Catalog.of(book.ledger).find(name)), NOW) == []


def test_once_forecast_the_window_and_the_options_stay(book):
    book.ask(TITLE, 0.3, by=BY)
    with pytest.raises(InvalidInput, match="cannot change"):
        book.edit_question(SLUG, closes="2027-02-28")
    book.ask("Free?", by=BY, slug="free")
    assert book.edit_question("free", closes="2027-02-28") == ["free"]
    with pytest.raises(InvalidInput, match="slug"):
        book.edit_question("free", slug="other")


def test_a_dropped_question_is_gone_and_its_process_with_it(book):
    book.ask(TITLE, 0.3, by=BY, base="3 in 70 weeks")
    book.update(watched=True)
    assert book.drop_question(SLUG) == [SLUG]
    assert len(book.forecasts()) == 0
    assert len(book.questions()) == 0
    assert banks.bank_of(book.ledger).world.processes == {}
    assert book.verify()["ok"]
    with pytest.raises(ForecastingError):
        book.log(SLUG, 0.2)
    assert book.ask(TITLE, 0.2, by=BY)["id"] == SLUG
    assert len(book.forecasts()) == 1


def test_a_process_that_another_question_asks_about_outlives_the_one_it_came_with(book):
    book.ask(TITLE, 0.3, by=BY, base="3 in 70 weeks")
    for slug, answer in (("twice", "by close"), ("never", "by 2027-01-15")):
        book.ask(f"{slug}?", 0.3, by=BY, slug=slug, answer=f"{SLUG}-event {answer}")
    with pytest.warns(UserWarning, match="stays: never, twice asks"):
        book.drop_question(SLUG)
    rows = book.update(watched=True).to_dict("records")
    assert {row["question"] for row in rows if row["after"]} == {"twice", "never"}
    with pytest.warns(UserWarning, match="stays: never asks"):
        book.drop_question("twice")
    assert banks.bank_of(book.ledger).world.processes
    book.drop_question("never")
    assert banks.bank_of(book.ledger).world.processes == {}


def test_an_answer_that_cannot_be_read_keeps_nobody_from_dropping_another(book):
    book.ask(TITLE, 0.3, by=BY, base="3 in 70 weeks")
    book.ask("Else?", by=BY, slug="else")
    (other,) = [question for question in book.ledger.questions() if question.id == "else"]
    answer = f"{SLUG}-event by close and gone=on by close"
    book.ledger.append([replace(other, answer=answer)], recorded_at=NOW)
    with pytest.warns(UserWarning, match="event stays: else asks about it"):
        assert book.drop_question(SLUG) == [SLUG]
    assert [question.id for question in book.ledger.questions()] == ["else"]


@pytest.mark.parametrize("target", [f"{SLUG}-event", SLUG])
def test_news_on_what_was_dropped_does_not_come_back_with_its_name(book, target):
    first = book.ask(TITLE, 0.3, by=BY, base="3 in 70 weeks")["model"][SLUG]
    book.add_news("Trucks loaded", source="wire", known_at=iso(NOW), on={target: "x9"})
    with clock.at(NOW + dt.timedelta(minutes=5)):
        assert book.update(watched=True).iloc[0]["after"] > first + 0.05
        book.drop_question(SLUG)
        again = book.ask(TITLE, 0.3, by=BY, base="3 in 70 weeks")
        assert again["model"][SLUG] == pytest.approx(first, abs=0.005)
        assert book.update(watched=True).iloc[0]["after"] == pytest.approx(first, abs=0.012)
        later = NOW + dt.timedelta(minutes=9)
    with clock.at(later):
        book.add_news("Trucks left", source="wire", known_at=iso(later), on={target: "x9"})
        assert book.update(watched=True).iloc[0]["after"] > first + 0.05


def test_what_somebody_else_forecast_stays(book):
    book.ask(TITLE, 0.3, by=BY)
    book.log(SLUG, 0.2, forecaster="ben")
    with pytest.raises(InvalidInput, match="ben has forecast it"):
        book.drop_question(SLUG)
    assert len(book.questions()) == 1


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Will the Élysée open?", "the-elysee-open"),
        ("will", "will"),
        ("Will it rain?", "rain"),
        ("Will this be mine?", "mine"),
        ("Will there be a truce?", "a-truce"),
        ("It rains", "it-rains"),
        ("Will it?", "it"),
        ("A" * 200, "a" * 60),
        ("one " * 40, "-".join(["one"] * 15)),
    ],
)
def test_slugs(title, slug):
    assert slug_of(title) == slug


@pytest.fixture
def truce(tmp_path):
    """A world with a truce and a convoy, and a question of either kind about the truce."""
    world = tmp_path / "w" / "questions" / "worlds" / "world.yaml"
    with clock.at(NOW), fc.init(tmp_path / "w", forecaster="ana") as own:
        world.write_text(TRUCE, encoding="utf-8")
        own.reload()
        own.ask("Will a truce begin?", 0.3, by=BY, answer="truce=on by close", slug="truce-jan")
        own.ask("Who mediates?", by=BY, options=["egypt", "qatar"], slug="mediator")
        own.ask("How many?", by=BY, span="0..50", slug="many")
        yield own


TRUCE = """\
zone: UTC
watched: 2026-11-21
processes:
  truce: {moves: {none > on: once in 8 mo, on > none: "median 60 d (20..200)"},
    since 2026-01-01: none}
  convoy: {event: 3 in 70 weeks, since 2026-01-01: ""}
links:
  - while truce=on: convoy x4 (2..8)
    because: the road is open
"""


def test_a_question_counts_only_if_another_comes_out_so(truce):
    row = truce.ask("Will a convoy come, given a truce?", 0.6, by="2027-06-30", slug="convoy-if",
                    condition="truce-jan", answer="convoy by close")  # fmt: skip
    assert (row["condition"], row["answer"]) == (
        "truce-jan=yes",
        "convoy by close given truce=on by 2027-01-31",
    )
    other = truce.ask("Without one?", 0.2, by="2027-06-30", slug="convoy-else",
                      condition="truce-jan=No", answer="convoy by close")  # fmt: skip
    truce.ask("At all?", 0.3, by="2027-06-30", slug="convoy-june", answer="convoy by close")
    assert other["answer"] == "convoy by close given not (truce=on by 2027-01-31)"
    # The model sees the condition: under a truce the road is open. What follows from either case,
    # weighed by its chance, is what is so at all, also where the condition is that nothing happens.
    asked = ("truce-jan", "convoy-june")
    rows, _ = update(truce.ledger, asked, now=NOW, everything=True)
    p = {row["question"]: row["after"] for row in rows}
    p |= row["model"] | other["model"]
    assert p["convoy-if"] > p["convoy-else"] + 0.1
    by_cases = p["truce-jan"] * p["convoy-if"] + (1 - p["truce-jan"]) * p["convoy-else"]
    assert p["convoy-june"] == pytest.approx(by_cases, abs=0.01)
    truce.edit_question("convoy-if", {"criteria": "A convoy of ten lorries."})
    (kept,) = [q for q in truce.ledger.questions() if q.id == "convoy-if"]
    assert (kept.condition.question, kept.condition.outcome) == ("truce-jan", "yes")


def test_a_condition_can_be_put_right_until_somebody_has_forecast_it(truce):
    truce.ask("Will a convoy come?", by="2027-06-30", slug="convoy-if", condition="truce-jan")
    text = truce.question_yaml("convoy-if")
    assert "question: truce-jan" in text
    truce.edit_question("convoy-if", text.replace("question: truce-jan", "question: mediator")
                        .replace("outcome: yes", "outcome: Egypt"))  # fmt: skip
    (kept,) = [q for q in truce.ledger.questions() if q.id == "convoy-if"]
    assert (kept.condition.question, kept.condition.outcome) == ("mediator", "egypt")
    truce.log("convoy-if", 0.4)
    with pytest.raises(InvalidInput, match="its condition cannot change"):
        truce.edit_question("convoy-if", text)


@pytest.mark.parametrize(
    ("condition", "message", "hint"),
    [
        ("truce-jam", "no question named truce-jam", "truce-jan"),
        ("=yes", "names no question", "condition=QUESTION=OUTCOME"),
        ("truce-jan=perhaps", "is no outcome of truce-jan", "truce-jan=yes, truce-jan=no"),
        ("mediator=us", "is no outcome of mediator", "mediator=egypt, mediator=qatar"),
        ("many=5", "a number cannot be a condition", "yes or no"),
        ("steps", "steps is a ladder", "steps@2026-12-31, steps@2027-01-31"),
        ("over=yes", "over is no already", "without it"),
    ],
)
def test_a_condition_that_cannot_come_is_refused_at_every_door(truce, condition, message, hint):
    truce.ask("By when?", ladder=["2026-12-31", BY], slug="steps")
    truce.ask("Over?", by=BY, slug="over")
    with clock.at(NOW + dt.timedelta(hours=1)):
        truce.resolve("over", "no", source="https://example.org/a", sure=True)
        head = truce.ledger.head()
        with pytest.raises(ForecastingError, match=message) as refused:
            truce.ask("What then?", 0.3, by="2027-06-30", condition=condition)
    assert hint in refused.value.hint
    name, _, outcome = condition.partition("=")
    if name and "already" not in message:
        needs = {"condition": {"question": name, "outcome": outcome or "yes"}}
        with pytest.raises(ForecastingError, match=message):
            truce.add_question({"title": "What?", "closes": "2027-06-30", "slug": "what",
                                "links": needs})  # fmt: skip
    assert truce.ledger.head() == head


def test_an_answer_that_cannot_say_the_condition_is_refused_with_what_it_lacks(truce):
    """The model's number would be that without the condition."""
    with pytest.raises(InvalidInput, match=r"answer \(convoy by close\): does not say") as refused:
        truce.ask("What then?", by="2027-06-30", condition="mediator=egypt",
                  answer="convoy by close")  # fmt: skip
    assert "given" in refused.value.hint
    with pytest.raises(InvalidInput, match="truce-jan closes later than this") as refused:
        truce.ask("What by then?", by="2026-12-31", condition="Truce-Jan", answer="convoy by close")
    assert "by=2027-01-31" in refused.value.hint
    truce.ask("A base under it?", by="2027-03-31", base="3 in 70 weeks", slug="under",
              condition="truce-jan")  # fmt: skip
    with pytest.raises(InvalidInput, match="does not say"):
        truce.ask("What under both?", by="2027-06-30", condition="under", answer="convoy by close")
    with pytest.raises(InvalidInput, match="lies after the close") as refused:
        truce.ask("In time?", by="2026-12-31", answer="convoy by 2027-01-31")
    assert refused.value.hint == "close, or a day while it is open"
    own = "convoy by close given truce=on by 2026-12-31"
    row = truce.ask("What then?", by="2027-06-30", condition="mediator=egypt", answer=own)
    assert row["answer"] == own
