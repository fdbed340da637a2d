"""An explanation adds up, and neither order nor copies nor the future change it."""

import datetime as dt
import json
import random
from math import log

import numpy as np
import pytest

from forecasting import clock
from forecasting.app.book import Book
from forecasting.app.forecast import explain as use
from forecasting.app.forecast.explain import at_pace, explain
from forecasting.app.forecast.predict import OWN, Predictor
from forecasting.app.forecast.update import update
from forecasting.app.news import add as news
from forecasting.app.news import shown as listing
from forecasting.cli import run
from forecasting.domain.catalog import Catalog
from forecasting.domain.forecasters import PRIOR_STANDS
from forecasting.domain.instants import parse_instant
from forecasting.errors import InvalidInput
from forecasting.evidence import steps
from forecasting.models.world.simulate import simulate
from forecasting.review import words
from tests.app.conftest import OWN_DRAWS
from tests.app.quick import SMALL
from tests.workspace import NOW as LATER
from tests.workspace import workspace

NOW = parse_instant("2026-08-22T12:00:00Z")
PAGES = ("truce-comes", "gift-comes")


def logit(p):
    return log(p / (1 - p))


@pytest.fixture(autouse=True)
def fewer(monkeypatch):
    monkeypatch.setattr(use, "STEP_DRAWS", 2_048)


def add(book, title, effect, **more):
    known_at = parse_instant(more.pop("known_at", "2026-08-20T10:00:00Z"))
    fields = {"source": "a wire", "grade": "B"} | more
    return news.add(
        book.ledger, title, known_at=known_at, on=[effect], now=max(NOW, known_at), **fields
    )


def adds_up(explanation):
    prior, posterior = explanation["prior"], explanation["posterior"]
    options = prior if isinstance(prior, dict) else {"": prior}
    for option in options:
        pick = (lambda x, o=option: x[o]) if option else (lambda x: x)
        on_scale = logit if explanation["scale"] == "log-odds" else float
        change = on_scale(pick(posterior)) - on_scale(pick(prior))
        for rows in (explanation["items"], explanation["stories"], explanation["sources"]):
            total = sum(pick(row["delta_logit"]) for row in rows)
            assert total == pytest.approx(change, abs=1e-6), option
        assert pick(explanation["change"]) == pytest.approx(change, abs=1e-6)


def test_the_rows_add_up_to_the_whole_change(own_book):
    book = own_book()
    add(book, "A draft", "text=table=x3")
    add(book, "Doubts", "truce-comes=x0.5", source="another")
    add(book, "It came and went", "text=table", event_at=parse_instant("2026-03-01T00:00:00Z"))
    for name in ("truce-comes", "text-lies", "bridge-holds", "convoys"):
        (explanation,) = explain(book.ledger, name, now=NOW)
        adds_up(explanation)


@pytest.mark.usefixtures("quick_fits", "few_draws")
@pytest.mark.parametrize("name", ["guarantees-2026", "exchange-returned-2025"])
def test_of_options_and_of_a_number_too(bank_book, name):
    questions = [q for q in bank_book.ledger.questions() if q.id == name]
    if not questions:
        name = next(q.id for q in bank_book.ledger.questions() if q.type == "numeric")
    day = min(NOW, next(q.closes for q in bank_book.ledger.questions() if q.id == name))
    (explanation,) = explain(bank_book.ledger, name, now=NOW, as_of=day - dt.timedelta(days=1))
    adds_up(explanation)


def test_what_came_is_told_in_its_order_with_what_it_weighed_then_and_weighs_now(own_book):
    book = own_book()
    add(book, "A text", "text=table", known_at="2026-03-01T10:00:00Z")
    add(book, "A word", "truce-comes=x3", known_at="2026-07-23T12:00:00Z")
    (explanation,) = explain(book.ledger, "truce-comes", now=NOW)
    titles = [row["title"] for row in explanation["items"]]
    assert titles == [
        "History before the opening",
        "The passing of time",
        "Links between processes",
        "A text",
        "A word",
    ]
    word = explanation["items"][-1]
    assert word["kind"] == "report"
    # One half-life of thirty days has passed: the half of its logarithm is left.
    assert log(word["weight_now"]) == pytest.approx(log(word["weight_then"]) / 2)
    assert word["delta_logit"] > 0
    (text,) = explain(book.ledger, "text-lies", now=NOW)
    assert text["decided"] == "yes"
    assert any(row["kind"] == "fact" and row["title"] == "A text" for row in text["items"])
    assert text["undo"] is None


#: Opened when its processes began, so that nothing has a history.
BARE = """\
zone: UTC
watched: 2026-08-22
processes:
  truce: {moves: {none > on: once in 8 mo}, since 2026-08-01: none}
  convoy: {event: 3 in 70 weeks, since 2026-08-01: ""}
  gift: {moves: {none > given: once in 9 mo}, since 2026-08-01: none}
links:
  - while truce=on: convoy x3 (1..9)
    because: more of them start
    source: judgement
    known_by: 2025-12-31
questions:
  convoy-comes: {title: A convoy comes, opens: 2026-08-01, closes: 2026-12-31,
    answer: convoy by close}
  two-come: {title: Two convoys come, opens: 2026-08-01, closes: 2026-12-31,
    answer: convoy count >= 2 by close}
  gift-comes: {title: The gift comes, opens: 2026-08-01, closes: 2026-12-31,
    answer: gift=given by close}
"""


def kinds(explanation):
    return [row["kind"] for row in explanation["items"]]


def test_the_prior_holds_no_link_and_what_is_not_there_is_no_step(own_book):
    book = own_book(BARE)
    moment = parse_instant("2026-08-01T00:00:00Z")
    (explanation,) = explain(book.ledger, "convoy-comes", now=NOW, as_of=moment)
    # 3 in 70 weeks is Gamma(3.5, 70 weeks): by hand, for the whole window.
    weeks = 152 / 7
    assert explanation["prior"] == pytest.approx(1 - (70 / (70 + weeks)) ** 3.5, abs=0.02)
    assert kinds(explanation) == ["links"]
    (explanation,) = explain(book.ledger, "gift-comes", now=NOW, as_of=moment)
    assert (explanation["items"], explanation["undo"], explanation["links"]) == ([], None, [])
    assert explanation["prior"] == explanation["posterior"]
    (explanation,) = explain(book.ledger, "gift-comes", now=NOW)
    assert kinds(explanation) == ["time"]


def test_each_fact_is_a_step_on_every_question_that_it_moves(own_book):
    book = own_book(BARE)
    add(book, "The truce is signed", "truce=on", known_at="2026-08-10T10:00:00Z")
    add(book, "A convoy", "convoy=event", known_at="2026-08-10T10:00:00Z")
    at = parse_instant("2026-08-10T09:00:00Z")
    both = ["A convoy", "The truce is signed"]
    for name, titles in (("two-come", both), ("convoy-comes", both[:1]), ("gift-comes", [])):
        (explanation,) = explain(book.ledger, name, now=NOW)
        facts = [row for row in explanation["items"] if row["kind"] == "fact"]
        assert [row["title"] for row in facts] == titles, name
        adds_up(explanation)
        # A convoy decides the first question, so that the truce moves it no more: it is named.
        assert explanation["unmoved"] == (both[1:] if explanation["decided"] else [])
        (before,) = explain(book.ledger, name, now=NOW, as_of=at)
        assert not [row for row in before["items"] if row["kind"] == "fact"]
    book = own_book(BARE)
    add(book, "The truce is signed", "truce=on", known_at="2026-08-10T10:00:00Z")
    (explanation,) = explain(book.ledger, "convoy-comes", now=NOW)
    assert kinds(explanation) == ["time", "links", "fact"]
    # It moves by the link alone, which is x3 from then on.
    assert 0.3 < explanation["items"][-1]["delta_logit"] < log(9)
    assert explanation["items"][-1]["clear"]


def test_a_fact_told_with_a_report_stays_when_the_report_is_left_out(own_book):
    book = own_book(BARE)
    on = ["truce=on", "gift-comes=x3"]
    known_at = parse_instant("2026-08-22T10:00:00Z")
    news.add(book.ledger, "Both", source="w", grade="B", known_at=known_at, on=on, now=NOW)
    (explanation,) = explain(book.ledger, "convoy-comes", now=NOW)
    assert kinds(explanation) == ["time", "links", "fact"]
    (explanation,) = explain(book.ledger, "gift-comes", now=NOW)
    assert kinds(explanation) == ["time", "report"]
    adds_up(explanation)


def test_old_facts_are_one_step(own_book, monkeypatch):
    monkeypatch.setattr(steps, "MOST_FACTS", 2)
    book = own_book(BARE)
    for day in (3, 4, 5, 6):
        add(book, f"Convoy {day}", "convoy=event", known_at=f"2026-08-0{day}T10:00:00Z")
    (explanation,) = explain(book.ledger, "convoy-comes", now=NOW)
    facts = [row["title"] for row in explanation["items"] if row["kind"] in {"fact", "earlier"}]
    assert [*facts, *explanation["unmoved"]] == ["2 earlier facts", "Convoy 5", "Convoy 6"]
    assert explanation["decided"] == "yes"


def test_the_answer_lies_between_the_ends_of_each_link(own_book):
    book = own_book()
    add(book, "A text", "text=table", known_at="2026-03-01T10:00:00Z")
    for name in ("truce-comes", "convoys", "both"):
        (explanation,) = explain(book.ledger, name, now=NOW)
        links = {link["link"]: link for link in explanation["links"]}
        link = links["while text=table: truce=on"]
        assert (link["low"], link["ratio"], link["high"]) == (1.0, 3.0, 9.0)
        assert link["because"]
        if name == "truce-comes":
            assert link["at_low"] < explanation["posterior"] < link["at_high"]
            (linked,) = [row for row in explanation["items"] if row["kind"] == "links"]
            assert linked["delta_logit"] > 0
        for link in links.values():
            low, high = sorted(logit(link[end]) for end in ("at_low", "at_high"))
            room = 2 * link["mcse"]
            assert low - room <= logit(explanation["posterior"]) <= high + room, (
                name,
                link["link"],
            )
            if link["clear"]:
                assert low < logit(explanation["posterior"]) < high, (name, link["link"])
            else:
                assert high - low <= room


def test_the_error_of_a_step_is_what_another_seed_changes(own_book):
    book = own_book()
    add(book, "A text", "text=table", known_at="2026-03-01T10:00:00Z")
    explanations = [explain(book.ledger, "both", now=NOW, seed=seed)[0] for seed in range(8)]
    for kind in ("time", "links", "fact"):
        mine = [next(row for row in one["items"] if row["kind"] == kind) for one in explanations]
        spread = np.std([row["delta_logit"] for row in mine], ddof=1)
        mcse = np.mean([row["mcse"] for row in mine])
        # Draws are spread evenly, which the error leaves out: it may be too large, never too small.
        assert spread < 1.7 * mcse, (kind, spread, mcse)
        assert mcse < 0.2, (kind, mcse)


def test_the_order_in_which_items_were_entered_does_not_matter(own_book):
    items = [("one", "a", "x3"), ("two", "b", "0.2/0.6"), ("three", "a", "+1"), ("four", "c", "0")]
    seen = []
    for order in (items, random.Random(1).sample(items, len(items))):
        book = own_book()
        for title, source, effect in order:
            add(book, title, f"truce-comes={effect}", source=source)
        (explanation,) = explain(book.ledger, "truce-comes", now=NOW)
        rows = sorted((row["title"], round(row["delta_logit"], 9)) for row in explanation["items"])
        seen.append((explanation["posterior"], rows))
    assert seen[0] == seen[1]


def test_a_report_that_says_nothing_has_no_effect_and_copies_are_one_story(own_book):
    book = own_book()
    for title in ("copy one", "copy two"):
        add(book, title, "truce-comes=x4", source=title, story="wire")
    add(book, "empty", "truce-comes=0", source="d")
    (explanation,) = explain(book.ledger, "truce-comes", now=NOW)
    reports = [row for row in explanation["items"] if row["kind"] == "report"]
    assert [row["story"] for row in reports] == ["wire"]
    assert 0 < reports[0]["delta_logit"] < log(4)


def test_nothing_known_later_is_in_an_explanation(own_book):
    book = own_book()
    moment = parse_instant("2026-03-01T12:00:00Z")
    before = explain(book.ledger, "truce-comes", now=NOW, as_of=moment)
    add(book, "Later", "truce-comes=x9", known_at="2026-03-02T10:00:00Z")
    assert explain(book.ledger, "truce-comes", now=NOW, as_of=moment) == before
    assert all(row["known_at"] is None or row["known_at"] <= moment for row in before[0]["items"])


LEFT = (parse_instant("2027-01-01T00:00:00Z") - NOW) / dt.timedelta(days=1)
SEEN = (NOW - parse_instant("2026-01-01T00:00:00Z")) / dt.timedelta(days=1)


@pytest.mark.parametrize(
    ("name", "median", "sign"),
    [("gift-comes", "once in 9 mo", 1), ("bridge-holds", "once in 10 mo", -1)],
)
def test_what_would_undo_the_change_is_the_ratio_over_uncertain_rates(
    own_book, monkeypatch, name, median, sign
):
    # A rate ~ Gamma(1, b) is outlasted with b / (b + r T): 1 - P = exp(-H) is not so of a mean.
    monkeypatch.setattr(use, "STEP_DRAWS", 32_768)
    book = own_book()
    (explanation,) = explain(book.ledger, name, now=NOW)
    spent = int(median.split()[2]) * 365.25 / 12 + SEEN
    outlasts = 1 - explanation["prior"] if sign > 0 else explanation["prior"]
    by_hand = spent * (1 / outlasts - 1) / LEFT
    assert explanation["undo"]["ratio"] == pytest.approx(by_hand**sign, rel=0.03)
    naive = log(outlasts) / log(
        1 - explanation["posterior"] if sign > 0 else explanation["posterior"]
    )
    assert abs(log(naive / by_hand)) > 0.06
    # Above 1 is towards yes, as it is of news.
    assert (explanation["undo"]["ratio"] > 1) == (explanation["prior"] > explanation["posterior"])


STANDS = """\
zone: UTC
watched: 2026-08-22
processes:
  truce:
    moves: {none > on: once in 8 mo, on > none: once in 2 mo}
    since 2026-01-01: none
    2026-03-01: on
    2026-07-11: none
questions:
  stands: {title: The truce stands, opens: 2026-07-01, closes: 2026-10-31,
    answer: truce=on on close}
"""


def test_news_that_weighs_what_would_undo_a_change_takes_it_back(own_book):
    book = own_book(STANDS)
    (explanation,) = explain(book.ledger, "stands", now=NOW)
    ratio = explanation["undo"]["ratio"]
    assert explanation["prior"] > explanation["posterior"]
    assert ratio > 1.0
    signs = {("truce", "none > on"): 1, ("truce", "on > none"): -1}
    predictor = Predictor.of(book.ledger, Catalog.of(book.ledger), NOW, NOW, seed=0)
    question = predictor.catalog.questions["stands"]
    run = predictor.model.run(OWN[0], [question], predictor.at(NOW), draws=32_768)
    window = (question.opens, question.closes)
    shares = {}
    for each in (1.0, ratio, 1 / ratio):
        world = at_pace(run.world, signs, NOW, log(each))
        paths = simulate(world, (*run.paths.reach, max(run.paths.reach)))
        shares[each] = paths.truth(predictor.asks["stands"].event, *window).mean()
    assert (
        shares[1 / ratio]
        < shares[1.0]
        < shares[ratio]
        == pytest.approx(explanation["prior"], abs=0.02)
    )
    # A pace of 1 changes no path.
    assert shares[1.0] == run.paths.truth(predictor.asks["stands"].event, *window).mean()


def test_who_may_say_less_can_undo_less_and_what_nothing_undoes_is_said(
    own_book, monkeypatch, tmp_path, capsys
):
    book = own_book()
    add(book, "A word", "gift-comes=x6", grade="A", known_at="2026-08-22T11:00:00Z")
    (explanation,) = explain(book.ledger, "gift-comes", now=NOW)
    reach = [explanation["undo"]["by_grade"][grade] is not None for grade in "ABCDE"]
    # Once a grade is too weak, all below it are.
    assert reach == sorted(reach, reverse=True)
    monkeypatch.setattr(use, "undoing", lambda *arguments, **options: None)
    with clock.at(NOW):
        assert run(["--db", str(tmp_path / "own0.db"), "explain", "gift-comes"]) == 0
    assert "no news on the question could" in " ".join(capsys.readouterr().err.split())


def test_a_closed_question_is_explained_as_of_a_moment_when_it_was_open(own_book):
    book = own_book()
    later = parse_instant("2026-11-22T12:00:00Z")
    with pytest.raises(InvalidInput, match="not open") as refused:
        explain(book.ledger, "gift-soon", now=later)
    day = refused.value.hint.rsplit(" ", 1)[1]
    moment = dt.datetime.fromisoformat(f"{day}T00:00:00+00:00")
    (explanation,) = explain(book.ledger, "gift-soon", now=later, as_of=moment)
    assert 0 < explanation["posterior"] < 1


def test_an_update_records_what_moved_each_probability(own_book):
    book = own_book()
    update(book.ledger, [], now=NOW)
    later = NOW + dt.timedelta(hours=1)
    add(book, "A step", "truce-comes=x0.5", known_at="2026-08-22T12:30:00Z")
    update(book.ledger, [], now=later)
    first, last = book.ledger.forecasts(question="truce-comes", forecaster="model")
    moves = json.loads(last.meta["moved"])
    change = logit(last.value.numbers[0]) - logit(first.value.numbers[0])
    assert sum(delta for _, (delta,) in moves) == pytest.approx(change, abs=1e-9)
    assert moves[0][0].startswith("news-")
    assert moves[0][1][0] < 0
    assert moves[-1][0] == "time"


def moves_of(book, name):
    (row,) = [
        row for row in update(book.ledger, [], now=NOW, dry_run=True)[0] if row["question"] == name
    ]
    return {move["cause"]: move["change"] for move in row["moved"]}, row


def test_what_moved_a_number_is_told_as_an_explanation_tells_it(own_book):
    book = own_book()
    earlier = NOW - dt.timedelta(days=10)
    update(book.ledger, [], now=earlier, watched=True, everything=True)
    rumour = add(book, "A rumour", "convoy=x9", source="talk", known_at="2026-08-19T10:00:00Z")
    strike = add(book, "A strike", "convoy=event", known_at="2026-08-21T10:00:00Z", confirmed=True)
    moves, row = moves_of(book, "convoys")
    # The strike ended the rumour, so the rumour has moved next to nothing, and a strike brings two
    # strikes nearer.
    assert abs(moves[rumour["key"]]) < 0.1 < moves[strike["key"]]
    assert list(moves) == [rumour["key"], strike["key"], "time"]
    assert sum(moves.values()) == pytest.approx(logit(row["after"]) - logit(row["before"]))
    (explanation,) = explain(book.ledger, "convoys", now=NOW)
    steps = {item["key"]: item for item in explanation["items"]}
    assert rumour["key"] not in steps
    assert steps[strike["key"]]["delta_logit"] > 0.1
    over = listing.show(book.ledger, rumour["key"], now=NOW)
    assert (over["then"] > 1.5, over["now"]) == (True, 1.0)


def test_one_report_has_one_number_wherever_it_is_told(own_book):
    """Both simulate the same steps on the same paths, with more of them than a coalition takes."""
    book = own_book()
    update(book.ledger, [], now=NOW - dt.timedelta(hours=1), unwatched=True)
    item = add(book, "A word", "gift-comes=x2", known_at="2026-08-22T11:30:00Z")
    moves, _ = moves_of(book, "gift-comes")
    (explanation,) = explain(book.ledger, "gift-comes", now=NOW)
    (step,) = (row for row in explanation["items"] if row["kind"] == "report")
    assert step["clear"]
    assert step["delta_logit"] == pytest.approx(moves[item["key"]], abs=1e-9)


def test_several_reports_have_the_numbers_that_an_explanation_gives_them(own_book, monkeypatch):
    """Each is the mean over their orders, and the silence that one of them ends is time's."""
    book = own_book(SMALL.replace("watched: 2026-08-22", "watched: 2026-07-01"))
    monkeypatch.setattr(use, "STEP_DRAWS", OWN_DRAWS)
    update(book.ledger, [], now=NOW - dt.timedelta(hours=1), unwatched=True)
    both = [
        add(book, title, effect, known_at="2026-08-22T11:30:00Z", story=story)["key"]
        for title, effect, story in (
            ("A word", "gift=given=x4", "envoys"),
            ("Another word", "gift-comes=x0.3", ""),
        )
    ]
    moves, row = moves_of(book, "gift-comes")
    (explanation,) = explain(book.ledger, "gift-comes", now=NOW)
    part = {item["title"]: item["delta_logit"] for item in explanation["items"]}
    parts = [part["A word"], part["Another word"]]
    assert [moves[key] for key in both] == pytest.approx(parts, abs=1e-9)
    assert moves[both[1]] < -0.1 < 0.1 < moves[both[0]]
    assert sum(moves.values()) == pytest.approx(logit(row["after"]) - logit(row["before"]))


def test_silence_up_to_a_report_moves_by_the_passing_of_time(own_book):
    """A report on a process says that somebody looked: what that changes is none of its own."""
    book = own_book(SMALL.replace("watched: 2026-08-22", "watched: 2026-07-01"))
    update(book.ledger, [], now=NOW - dt.timedelta(hours=1), unwatched=True)
    word = add(book, "A word", "gift=given=x1.0001", known_at="2026-08-22T11:30:00Z")
    moves, row = moves_of(book, "gift-comes")
    assert abs(moves[word["key"]]) < 0.002
    assert moves["time"] == pytest.approx(logit(row["after"]) - logit(row["before"]), abs=0.002)


def test_only_news_with_a_way_to_a_question_has_moved_it(own_book):
    book = own_book()
    update(book.ledger, [], now=NOW - dt.timedelta(days=10), watched=True, everything=True)
    # A truce acts on convoys and not the other way; both rest on the truce.
    item = add(book, "A word", "convoys=x3")
    other = add(book, "Another", "truce-comes=x0.5")
    assert set(moves_of(book, "convoys")[0]) == {item["key"], other["key"], "time"}
    for name in ("truce-comes", "both"):
        assert set(moves_of(book, name)[0]) == {other["key"], "time"}
    assert moves_of(book, "gift-comes")[0] == {}


def test_what_was_taken_back_is_told_apart_from_time(own_book):
    """The whole of what it had moved once came back as the passing of time."""
    book = own_book()
    times = [NOW + dt.timedelta(hours=hours) for hours in range(1, 5)]
    update(book.ledger, [], now=NOW)
    item = add(book, "A word", "truce-comes=x4")
    update(book.ledger, [], now=times[0])
    entry = news.retract(book.ledger, item["key"], because="denied", now=times[1])
    rows = {row["question"]: row for row in update(book.ledger, [], now=times[2])[0]}
    row = rows["truce-comes"]
    assert row["reason"] == "evidence was taken back"
    moves = {move["title"]: move["change"] for move in row["moved"]}
    assert list(moves) == ["Retracted: A word", "time"]
    assert moves["Retracted: A word"] < -0.2 < moves["time"] <= 0.0
    assert sum(moves.values()) == pytest.approx(logit(row["after"]) - logit(row["before"]))
    assert [move["cause"] for move in row["moved"]] == [entry["key"], "time"]
    assert rows["gift-comes"]["moved"] == []
    with clock.at(times[3]):
        *_, last = book.question_page("truce-comes").path.moved
    titles = {cause.title for cause in last.causes}
    assert titles == {"Retracted: A word", "time, and what was learned of the past"}


def test_a_correction_is_one_change_and_no_item_beside_its_retraction(own_book):
    """Each stood there with the whole of what it moves, once up and once down."""
    book = own_book()
    times = [NOW + dt.timedelta(hours=hours) for hours in range(1, 4)]
    item = add(book, "A word", "truce-comes=x4")
    update(book.ledger, [], now=NOW)
    for when, ratio in zip(times, ("x5", "x3"), strict=False):
        item = news.add(
            book.ledger, f"A word, {ratio}", source="a wire", grade="B", now=when,
            known_at=parse_instant("2026-08-20T10:00:00Z"), on=[f"truce-comes={ratio}"],
            instead_of=item["key"],
        )  # fmt: skip
    rows, _ = update(book.ledger, ["truce-comes"], now=times[2])
    (row,) = rows
    moves = {move["title"]: move["change"] for move in row["moved"]}
    assert list(moves) == ["A word, x3", "time"]
    assert -0.4 < moves["A word, x3"] < -0.02
    assert sum(moves.values()) == pytest.approx(logit(row["after"]) - logit(row["before"]))
    assert row["reason"] == "new evidence"


def test_options_and_numbers_are_logged_where_they_moved_by_more_than_their_error(own_book):
    """Any change of an option was logged, and with it everything that is linked to it."""
    level = """\
  level: {title: The truce at the end, type: ordered, options: [none, "on"], opens: 2026-01-10,
    closes: 2026-12-31, answer: truce on close}
  how-many: {title: How many convoys, type: numeric, lower: 0, upper: 40, opens: 2026-01-10,
    closes: 2026-12-31, answer: convoy count}
"""
    book = own_book(SMALL + level)
    first, _ = update(book.ledger, [], now=NOW)
    assert {row["reason"] for row in first} == {"its first number"}
    later, _ = update(book.ledger, [], now=NOW + dt.timedelta(hours=4))
    assert {row["reason"] for row in later} == {"unchanged within its error"}
    (row,) = [row for row in later if row["question"] == "level"]
    assert row["after"] != row["before"]
    low, high = row["intervals"]["on"]
    assert low < row["after"]["on"] < high
    autumn = parse_instant("2026-11-20T12:00:00Z")
    rows, _ = update(book.ledger, ["level", "how-many"], now=autumn, watched=True)
    assert {row["reason"] for row in rows} == {"moved by more than its error"}


def test_a_question_shows_the_weights_of_its_news_that_every_list_shows(own_book):
    book = own_book()
    add(book, "A word", "truce-comes=x3", grade="D", known_at="2026-08-10T10:00:00Z", story="s")
    add(book, "Again", "truce-comes=x1.3", grade="D", source="other", story="s/2")
    add(book, "A gift", "gift-comes=x3")
    update(book.ledger, [], now=NOW, watched=True)
    weights = {row["title"]: row["then"] for row in listing.rows(book.ledger, now=NOW)}
    assert 1.0 < weights["A word"] < 2.5  # a source graded D is not worth what it says
    with clock.at(NOW):
        marks = {name: book.question_page(name).path.evidence for name in PAGES}
    assert {mark.title: mark.ratio for mark in marks["truce-comes"]} == pytest.approx(
        {title: weights[title] for title in ("A word", "Again")}
    )
    assert [mark.title for mark in marks["gift-comes"]] == ["A gift"]


def test_the_prior_is_the_number_of_the_opening_and_every_list_says_so(own_book, tmp_path, capsys):
    book = own_book()
    for moment in (NOW, NOW + dt.timedelta(days=60)):
        update(book.ledger, [], now=moment, watched=True, everything=True)
    first, last = book.ledger.forecasts(question="truce-comes", forecaster="prior")
    assert first.value == last.value
    model = book.ledger.forecasts(question="truce-comes", forecaster="model")
    assert model[-1].value != first.value
    for command in (["history", "truce-comes"], ["questions", "show", "truce-comes"]):
        assert run(["--db", str(tmp_path / "own0.db"), *command]) == 0
        assert PRIOR_STANDS in capsys.readouterr().err


def test_an_explanation_rests_on_the_paths_of_the_answer_it_explains(own_book):
    """A variant with the same content gives the same digits, whatever number of paths came first.

    What is left of steps told as 0 is a row of its own, so that nothing is missing in the sum.
    """
    book = own_book()
    add(book, "A draft", "text=table=x3")
    logged = {
        row["question"]: row["after"] for row in update(book.ledger, (), now=NOW, unwatched=True)[0]
    }
    for name in ("truce-comes", "convoys", "then"):
        (explanation,) = explain(book.ledger, name, now=NOW)
        adds_up(explanation)
        assert explanation["posterior"] == pytest.approx(logged[name], rel=1e-12)
        for row in explanation["items"]:
            if not row["clear"] and row["kind"] != "chance":
                assert row["delta_logit"] == 0.0
        printed = [changes[""] for _, changes in words.steps(explanation)]
        assert round(sum(printed), 9) == round(explanation["change"], 2)


MOVABLE = """\
watched: 2026-11-28
processes:
  truce: {moves: {none > on: once in 8 mo}, since 2026-01-01: none}
  vote: {at: 2027-01-15..2027-03-31}
links:
  - {once vote=held: truce=on x3 (1.5..6), because: a mandate}
questions:
  comes: {title: Will it come?, opens: 2026-06-01, closes: 2027-06-30, answer: truce=on by close}
"""


def test_what_follows_a_day_that_may_move_is_explained(tmp_path):
    """Each path has a day of its own, and what would undo a change is looked for on fewer paths."""
    with clock.at(LATER), Book.plain(workspace(tmp_path, MOVABLE), forecaster="ana") as book:
        book.add_news("Draft", source="wire", grade="B", known_at="2026-11-27T09:00Z",
                      on=["comes=x3"])  # fmt: skip
        explanation = book.explain("comes")
        assert explanation["undo"]["ratio"] > 0.0
        world = book.simulated().run.world
    fewer = world.thinned(4)
    assert (fewer.draws, fewer.repeats) == (8_192, 4)
    (date,), (thin,) = (w.processes[w.index["vote"]].moves for w in (world, fewer))
    assert thin.at.tolist() == date.at.reshape(-1, 16)[:, :4].ravel().tolist()


RARE = """\
watched: 2026-11-28
processes:
  strike: {event: 3 in 70 weeks, since 2026-01-01: "", 2026-11-25: event}
  ends: {moves: {a > b: once in 3 y, a > gone: once in 3 y}, since 2026-01-01: a, 2026-11-20: gone}
  slow: {moves: {a > b: 0.01% a year, b > a: once in 1 y}, since 2026-01-01: b, 2026-11-20: a}
questions:
  many: {title: Nine more?, opens: 2026-11-20, closes: 2026-12-02,
    answer: strike count >= 9 by close}
  over: {title: Does b come?, opens: 2026-11-10, closes: 2026-12-31, answer: ends=b by close}
  rare: {title: Does b come?, opens: 2026-11-10, closes: 2026-12-31, answer: slow=b by close}
  first: {title: Which first?, type: categorical, options: [strike, b, neither],
    opens: 2026-11-20, closes: 2026-12-31,
    answer: "first of strike: strike, b: slow=b, else neither"}
"""


def test_what_no_path_reaches_is_decided_only_where_nothing_leads_there(tmp_path):
    """One fact since the opening made what is merely rare "what is known decides"."""
    with clock.at(LATER), Book.plain(workspace(tmp_path, RARE), forecaster="ana") as book:
        names = ["many", "over", "rare", "first"]
        decided = {name: book.explain(name)["decided"] for name in names}
    assert decided == {"many": None, "over": "no", "rare": None, "first": "strike"}
