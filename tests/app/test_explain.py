"""An explanation adds up, and neither order nor copies nor the future change it."""

import datetime as dt
import json
import random
from collections.abc import Callable
from contextlib import AbstractContextManager
from math import log

import numpy as np
import pytest

from forecasting.app.book import Book
from forecasting.app.catalog import Catalog
from forecasting.app.effects import EDGE
from forecasting.app.explain import explain, undo
from forecasting.app.predict import Predictor
from forecasting.app.questions import bundled_bank
from forecasting.domain.instants import parse_instant
from forecasting.errors import InvalidInput
from forecasting.evidence.shapley import EXACT, shapley

NOW = parse_instant("2026-11-22T12:00:00Z")
CEASEFIRE = "general-ceasefire-2026@2026-12-31"


def logit(p: float) -> float:
    inside = min(max(p, EDGE), 1 - EDGE)
    return log(inside / (1 - inside))


@pytest.fixture
def book(bank_book: Book, monkeypatch: pytest.MonkeyPatch) -> Book:
    monkeypatch.setenv("FORECASTING_NOW", "2026-11-22T12:00:00Z")
    return bank_book


@pytest.mark.parametrize(
    "name", [CEASEFIRE, "leaders-meet@2026-12-31", "guarantees-2026", "armenia-eu-referendum-2027"]
)
def test_the_rows_add_up_to_the_whole_change(book: Book, name: str) -> None:
    (found,) = explain(book.ledger, name, now=NOW)
    prior, posterior = found["prior"], found["posterior"]
    options = prior if isinstance(prior, dict) else {"": prior}
    for option in options:
        pick = (lambda x, o=option: x[o]) if option else (lambda x: x)
        change = logit(pick(posterior)) - logit(pick(prior))
        total = sum(pick(row["delta_logit"]) for row in found["items"])
        assert total == pytest.approx(change, abs=1e-9)
        for group in ("stories", "sources"):
            assert sum(pick(row["delta_logit"]) for row in found[group]) == pytest.approx(
                change, abs=1e-9
            )


def test_without_a_row_is_what_the_model_says_without_it(book: Book) -> None:
    said = explain(book.ledger, CEASEFIRE, now=NOW)[0]["posterior"]
    new = book.add_news(
        "A step", source="a wire", known_at="2026-11-20T10:00Z", on=[f"{CEASEFIRE}=x3"]
    )
    (row,) = [
        row
        for row in explain(book.ledger, CEASEFIRE, now=NOW)[0]["items"]
        if row["news"] == new["seq"]
    ]
    assert row["delta_logit"] > 0
    assert row["without"] == pytest.approx(said, abs=1e-12)


def test_the_order_in_which_items_were_entered_does_not_matter(
    fresh_book: Callable[[], AbstractContextManager[Book]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORECASTING_NOW", "2026-11-22T12:00:00Z")
    items = [("one", "a", "x3"), ("two", "b", "0.2/0.6"), ("three", "a", "+1"), ("four", "c", "0")]
    seen = []
    for order in (items, random.Random(1).sample(items, len(items))):
        with fresh_book() as book:
            for title, source, effect in order:
                book.add_news(
                    title, source=source, known_at="2026-11-20T10:00Z", on=[f"{CEASEFIRE}={effect}"]
                )
            (found,) = explain(book.ledger, CEASEFIRE, now=NOW)
            seen.append(
                (
                    found["posterior"],
                    sorted((row["title"], round(row["delta_logit"], 10)) for row in found["items"]),
                )
            )
    assert seen[0] == seen[1]


def test_a_report_that_says_nothing_has_no_effect_and_copies_share_theirs(book: Book) -> None:
    for title in ("copy one", "copy two"):
        book.add_news(
            title,
            source=title,
            known_at="2026-11-20T10:00Z",
            story="wire",
            grade="B",
            on=[f"{CEASEFIRE}=x4"],
        )
    book.add_news("empty", source="d", known_at="2026-11-20T11:00Z", on=[f"{CEASEFIRE}=0"])
    (found,) = explain(book.ledger, CEASEFIRE, now=NOW)
    effects = {row["title"]: row["delta_logit"] for row in found["items"]}
    assert abs(effects.get("empty", 0.0)) < 1e-12
    assert effects["copy one"] == pytest.approx(effects["copy two"], abs=1e-9)
    assert sum(effects[name] for name in ("copy one", "copy two")) < log(4)


def test_nothing_known_later_is_in_an_explanation(book: Book) -> None:
    moment = parse_instant("2026-03-01T12:00:00Z")
    before = explain(book.ledger, CEASEFIRE, now=NOW, as_of=moment)
    book.add_news("Later", source="w", known_at="2026-03-02T10:00Z", on=[f"{CEASEFIRE}=x9"])
    assert explain(book.ledger, CEASEFIRE, now=NOW, as_of=moment) == before
    assert all(row["known_at"] is None or row["known_at"] <= moment for row in before[0]["items"])


def test_undoing_takes_the_change_back(book: Book) -> None:
    (found,) = explain(book.ledger, CEASEFIRE, now=NOW)
    stated = found["undo"]["by_grade"]["A"]
    book.add_news(
        "Counter",
        source="new",
        known_at="2026-11-21T10:00Z",
        grade="A",
        on=[f"{CEASEFIRE}=x{stated}"],
    )
    (after,) = explain(book.ledger, CEASEFIRE, now=NOW)
    assert after["posterior"] == pytest.approx(found["prior"], rel=1e-6)
    assert undo(0.0)["ratio"] == 1.0
    assert undo(-9.0)["by_grade"]["E"] is None


def test_a_closed_question_is_explained_as_of_a_moment_when_it_was_open(book: Book) -> None:
    with pytest.raises(InvalidInput, match="not open") as refused:
        explain(book.ledger, "us-framework-2026", now=NOW)
    day = refused.value.hint.rsplit(" ", 1)[1]
    moment = dt.datetime.fromisoformat(f"{day}T00:00:00+00:00")
    (found,) = explain(book.ledger, "us-framework-2026", now=NOW, as_of=moment)
    assert 0 < found["posterior"] < 1


@pytest.mark.filterwarnings("ignore:the bank's streams:UserWarning")
def test_an_update_records_what_moved_each_probability(book: Book) -> None:
    book.update(CEASEFIRE)
    book.add_news("A step", source="w", known_at="2026-11-22T11:00Z", on=[f"{CEASEFIRE}=x0.5"])
    (first,) = [f for f in book.ledger.forecasts(forecaster="model") if f.question == CEASEFIRE]
    book.update(CEASEFIRE)
    *_, last = [f for f in book.ledger.forecasts(forecaster="model") if f.question == CEASEFIRE]
    moves = json.loads(last.meta["moved"])
    change = logit(last.value.numbers[0]) - logit(first.value.numbers[0])
    assert sum(delta for _, (delta,) in moves) == pytest.approx(change, abs=1e-9)
    assert moves[0][0].startswith("news-")
    assert moves[0][1][0] < 0
    assert moves[-1][0] == "time"


def test_sampled_shares_add_up_and_agree_with_exact_ones() -> None:
    rng = np.random.default_rng(3)
    weights = rng.normal(size=EXACT + 3)

    def worth(coalition: frozenset[int]) -> np.ndarray:
        return np.array([np.tanh(sum(weights[i] for i in coalition)), len(coalition) ** 0.5])

    everyone = frozenset(range(EXACT + 3))
    drawn = shapley(EXACT + 3, worth, seed=1)
    assert np.allclose(drawn.sum(axis=0), worth(everyone) - worth(frozenset()), atol=1e-12)
    exact = shapley(EXACT, worth)
    # The second game is the same for every player: each gets an equal share.
    assert np.allclose(exact[:, 1], EXACT**0.5 / EXACT)
    assert np.allclose(drawn[:, 1], (EXACT + 3) ** 0.5 / (EXACT + 3), atol=1e-9)


def test_a_report_moves_the_draws_of_a_whole_ladder_with_its_numbers(book: Book) -> None:
    """Weighted draws keep the mean that is scored, and a ladder rises in every one of them."""
    slug, moment = "exchange-1000-2026", parse_instant("2026-06-01T00:00:00Z")
    book.add_news("A step", source="w", known_at="2026-05-30T10:00Z", grade="B", on=[f"{slug}=x3"])
    predictor = Predictor(Catalog.of(book.ledger), book.ledger.evidence(), bundled_bank(), seed=0)
    rungs = sorted(Catalog.of(book.ledger).ladder(slug), key=lambda rung: rung.closes)
    answers = [predictor.answer(rung, predictor.facts(moment), moment) for rung in rungs]
    before = np.zeros(1)
    for answer in answers:
        assert answer.draw is not None
        p = answer.draw()[:, 0]
        assert np.average(p, weights=answer.weights) == pytest.approx(answer.numbers[0], abs=1e-9)
        assert np.all(p >= before - 1e-12)
        assert answer.spread is not None
        assert answer.spread.p05 <= answer.numbers[0] <= answer.spread.p95
        before = p
