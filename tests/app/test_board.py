"""The board says what a fresh look at the ledger says, whatever is recorded while it is kept."""

import datetime as dt
import random

import pytest

from forecasting.app.board import Board
from forecasting.bank.usable import bundled_bank
from forecasting.domain import Resolution, Withdrawal
from forecasting.domain.evidence import Effect
from forecasting.domain.process import WorldSpec
from forecasting.domain.setup import Setup
from forecasting.evidence.predicates import NewsWorld
from forecasting.evidence.reports import Weights
from forecasting.review.due import SECTIONS
from forecasting.review.listing import SORTS, STATUSES, Wanted
from tests.season import between, item, word

NOW = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
#: Sections of questions, of which a page shows each question once.
ONCE = tuple(name for name in SECTIONS if name != "news not coded")


def question_closing(name, closes, **more):
    ends = NOW + closes * DAY
    return between(name, NOW - 40 * DAY, ends, resolves_by=ends + 5 * DAY, **more)


LISTS = (
    *(Wanted(sort=sort) for sort in SORTS),
    *(Wanted(answered=answered, sort="difference") for answered in ("yes", "no")),
    *(Wanted(status=status) for status in STATUSES),
    *(Wanted(text="q1"), Wanted(process="p1")),
)


def same(board, ledger, now):
    for who in ("ana", "ben"):
        fresh = Board(ledger)
        assert all(
            board.listing(who, now, wanted) == fresh.listing(who, now, wanted) for wanted in LISTS
        )
        once = board.today(who, now, once=ONCE)
        assert once == fresh.today(who, now, once=ONCE)
        shown = [row["question"] for name in ONCE for row in once[name]]
        assert len(shown) == len(set(shown))
        assert board.due(who, now) == fresh.due(who, now)
        assert board.today(who, now) == fresh.today(who, now)
        (catalog, pair), (_, anew) = board.read(who, now), fresh.read(who, now)
        assert all(pair.row(q) == anew.row(q) for q in catalog.questions.values())


@pytest.mark.parametrize("seed", range(4))
def test_the_board_says_what_a_fresh_look_says(ledger, seed):
    drawn = random.Random(seed)
    questions = [
        question_closing(f"q{n}", drawn.uniform(-3, 30), answer=f"p{n % 3} = on" if n % 2 else "")
        for n in range(12)
    ]
    ledger.append(questions, recorded_at=NOW - 40 * DAY)
    board, now = Board(ledger), NOW
    same(board, ledger, now)
    for step in range(25):
        # Within ten minutes a kept row is as good as a fresh one; beyond, it is made anew.
        now += drawn.choice([dt.timedelta(0), dt.timedelta(hours=9), 2 * DAY])
        question = drawn.choice(questions)
        at = now - drawn.choice([dt.timedelta(0), DAY, 8 * DAY])
        kind = drawn.randrange(9)
        if kind <= 3:
            draft = word(
                question, drawn.choice(["ana", "ben", "model"]), f"0.{drawn.randrange(10, 99)}", at
            )
        elif kind == 4:
            draft = Withdrawal(question.id, "ana", now)
        elif kind == 5:
            target = drawn.choice([question.id, "p1=on", "p2"])
            draft = item(f"n{step}", Effect(target, "bears", {}, ""), at)
        elif kind == 6:
            draft = Resolution(question.id, "yes", now, "wire", "high", version=1)
        elif kind == 7:
            draft = question_closing(f"new{step}", 20)
            questions.append(draft)
        else:
            draft = Setup("dropped", question.id, {}, said_by="ana")
            questions.remove(question)
        ledger.append([draft], recorded_at=now)
        same(board, ledger, now)


def test_a_code_on_a_question_that_was_dropped_and_asked_again_is_gone_at_once(ledger):
    question = question_closing("q", 10)
    coded = item("n", Effect("q", "likelihood", {"a": 1.0, "b": 0.5}), NOW - DAY)
    ledger.append([question, coded], recorded_at=NOW - DAY)
    board = Board(ledger)
    same(board, ledger, NOW)
    ledger.append([Setup("dropped", "q", {})], recorded_at=NOW)
    ledger.append([question], recorded_at=NOW)
    same(board, ledger, NOW)
    assert [row["title"] for row in board.today("ana", NOW)["news not coded"]] == [coded.title]


def test_the_rungs_of_a_ladder_stand_together(ledger):
    rungs = [
        question_closing(f"l@{day}", closes, ladder="l")
        for day, closes in (("2026-11-05", 4), ("2026-12-01", 30))
    ]
    ledger.append([rungs[1], question_closing("between", 10), rungs[0]], recorded_at=NOW - DAY)
    board = Board(ledger)
    listed = board.listing("ana", NOW, Wanted())
    assert [row["id"] for row in listed.rows] == ["l@2026-11-05", "l@2026-12-01", "between"]
    assert listed.statuses["open"] == 3


def test_weights_follow_the_news_the_questions_the_bank_and_the_clock(ledger):
    question = question_closing("q", 10)
    ledger.append([question], recorded_at=NOW - DAY)
    board = Board(ledger)

    def seen(now=NOW, bank=None):
        state = board.state("ana", now)
        weights = board.weights(state, bank)
        assert board.weights(state, bank) is weights
        world = bank.world if bank else WorldSpec({})
        fresh = Weights.of(
            ledger.evidence(), now, state.catalog, NewsWorld.of(world, state.catalog)
        )
        assert (weights.coded, weights.over, weights.unusable) == (
            *(fresh.coded, fresh.over, fresh.unusable),
        )
        assert (weights.processes, weights.rests) == (fresh.processes, fresh.rests)
        return weights

    assert not seen().unusable
    report = item("n", Effect("nobody", "likelihood", {"a": 1.0, "b": 0.5}), NOW - DAY)
    ledger.append([report], recorded_at=NOW)
    assert seen().unusable.keys() == {report.key}
    ledger.append([question_closing("nobody", 20)], recorded_at=NOW)
    before = seen()
    assert seen(NOW + 2 * DAY) is not before
    assert seen(NOW + 2 * DAY, bundled_bank()).processes
    assert not seen(NOW + 2 * DAY).processes
