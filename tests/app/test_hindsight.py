"""No hindsight: nothing known later, and nothing recorded after the cut, reaches a forecast."""

import dataclasses
import datetime as dt
import random
from collections.abc import Sequence

import numpy as np
import pytest

from forecasting.app.catalog import Catalog
from forecasting.app.predict import Predictor, prior_book
from forecasting.app.questions import bundled_bank
from forecasting.bank import Bank
from forecasting.domain import Effect, Evidence, Question, Resolution
from forecasting.evidence import known
from forecasting.models.encoding.answers import Answers

DAY = dt.timedelta(days=1)
HEAD = 10_000


@pytest.fixture(scope="module")
def bank() -> Bank:
    return bundled_bank()


def _numbered(items: Sequence[Evidence]) -> list[Evidence]:
    return [dataclasses.replace(item, seq=i + 1) for i, item in enumerate(items)]


def _inputs(
    bank: Bank, evidence: Sequence[Evidence], question: Question, as_of: dt.datetime
) -> dict[str, bytes]:
    # What a replay reads: the ledger up to the head of its first start, then the as-of filter.
    cut = [item for item in evidence if item.seq is not None and item.seq <= HEAD]
    catalog = Catalog({each.id: each for each in bank.questions}, {})
    predictor = Predictor(catalog, cut, bank, seed=0)
    # The arrays of the linked questions of a scenario are among them, and so are coded reports.
    arrays, reports = predictor.inputs(question, predictor.facts(as_of), as_of)
    found = {name: np.ascontiguousarray(array).tobytes() for name, array in arrays.items()}
    return found | {"reports": repr(reports).encode()}


def _poisons(question: Question, after: dt.datetime, rng: random.Random) -> list[Evidence]:
    """Make items that would move every family, known later or recorded after the cut."""
    settings = question.model.settings
    truce, package = settings.get("truce", "energy2025"), settings.get("package", "may-2025")
    effects = [
        Effect(f"{question.model.reference}/x", "datum", {"name": "occurred", "value": "yes"}),
        Effect(f"truces/{truce}", "datum", {"name": "formal_end", "how": "revoked"}),
        Effect(f"truces/{truce}", "datum", {"name": "first_claim"}),
        Effect(f"truces/{truce}", "datum", {"name": "extended", "value": "yes"}),
        Effect(f"packages/{package}", "datum", {"name": "delivered", "value": 500.0}),
        Effect("exchanges/x", "datum", {"name": "swap", "moved": 900.0}),
        Effect("exchange-totals/x", "datum", {"name": "total", "exchanges": 9e3, "returned": 9e5}),
        Effect("agreements/9", "datum", {"name": "signed", "at": "2020-01-01T00:00:00Z"}),
        Effect(question.id, "likelihood", {"a": 0.99, "b": 0.01, "u": 0.1}),
    ]
    chosen = rng.sample(effects, k=rng.randint(1, len(effects)))
    late = after + dt.timedelta(seconds=rng.choice([1, 3600, 86_400 * 300]))
    return [
        Evidence(
            f"poison-{i}", "datum", "poison", "x", known_at=late, effects=(effect,), seq=50 + i
        )
        for i, effect in enumerate(chosen)
    ] + [
        Evidence(
            f"late-{i}",
            "datum",
            "poison",
            "x",
            known_at=after - DAY,
            effects=(effect,),
            seq=HEAD + 1 + i,
        )
        for i, effect in enumerate(chosen)
    ]


def test_poisoned_futures_change_no_encoded_input(bank: Bank) -> None:
    # Rule 5: byte-equal in 1,000 random cases.
    evidence = _numbered(bank.evidence)
    rng = random.Random(20_260_822)
    clean: dict[tuple[str, dt.datetime], dict[str, bytes]] = {}
    for _ in range(1000):
        question = rng.choice(bank.questions)
        days = rng.randrange(
            max(1, (min(question.closes, bank.observed_until) - question.opens).days)
        )
        as_of = question.opens + days * DAY
        key = (question.id, as_of)
        if key not in clean:
            clean[key] = _inputs(bank, evidence, question, as_of)
        poisoned = [*evidence, *_poisons(question, as_of, rng)]
        rng.shuffle(poisoned)
        assert _inputs(bank, poisoned, question, as_of) == clean[key], key


def test_poisoned_futures_change_no_real_fit(bank: Bank) -> None:
    # Rule 5: ten fits by the sampler, with the future clean and poisoned.
    evidence = _numbered(bank.evidence)
    rng = random.Random(5)
    questions = {question.id: question for question in bank.questions}
    cases = [
        (questions[name], questions[name].opens + days * DAY)
        for name, days in (
            ("energy-truce-2025-runs-term", 0),
            ("energy-truce-2025-runs-term", 9),
            ("energy-truce-2025-runs-term", 28),
            ("energy-truce-2025-observed", 0),
            ("energy-pause-2026-kept", 1),
            ("energy-pause-2026-kept", 2),
            ("three-day-truce-2026-observed", 0),
            ("three-day-truce-2026-observed", 1),
            ("exchange-1000-2025@2025-05-31", 3),
            ("exchange-1000-2026@2026-12-31", 40),
        )
    ]
    for question, as_of in cases:
        said = []
        for items in (evidence, [*evidence, *_poisons(question, as_of, rng)]):
            cut = [item for item in items if item.seq is not None and item.seq <= HEAD]
            answers = Answers(prior_book(bank), cut, seed=3)
            said.append(answers.model(question, known(cut, as_of), as_of))
        assert said[0].method == "nuts"
        assert said[0] == said[1], question.id


def test_a_fact_known_at_the_moment_itself_does_count(bank: Bank) -> None:
    # The filter must be able to let something through, or the test above could not fail.
    evidence = _numbered(bank.evidence)
    question = next(q for q in bank.questions if q.id == "leaders-meet@2026-12-31")
    as_of = question.opens + 100 * DAY
    effect = Effect(
        "leaders-meeting/x", "datum", {"name": "occurred", "at": "2025-06-01T00:00:00Z"}
    )
    news = Evidence("n", "datum", "they met", "x", known_at=as_of, effects=(effect,), seq=1)
    before = _inputs(bank, evidence, question, as_of)
    assert _inputs(bank, [*evidence, news], question, as_of) != before


def test_the_first_forecast_stands_without_any_fact_from_the_opening_on(bank: Bank) -> None:
    evidence = _numbered(bank.evidence)
    for question in bank.questions:
        effect = Effect(
            f"{question.model.reference}/x", "datum", {"name": "occurred", "value": "yes"}
        )
        poison = Evidence("p", "datum", "p", "x", known_at=question.opens, effects=(effect,), seq=1)
        earlier = [item for item in evidence if item.known_at < question.opens]
        at = question.opens
        assert _inputs(bank, earlier, question, at) == _inputs(
            bank, [*evidence, poison], question, at
        )


def _changed(resolution: Resolution, question: Question) -> Resolution:
    options = [option for option in question.space.options if option != resolution.outcome]
    return dataclasses.replace(resolution, outcome=options[0] if options else "1")


def test_other_outcomes_change_no_forecast_made_before_they_were_known(bank: Bank) -> None:
    questions = {question.id: question for question in bank.questions}
    truth = {r.question: r for r in bank.resolutions}
    false = {name: _changed(r, questions[name]) for name, r in truth.items()}
    chosen = [
        questions[name]
        for name in ("general-ceasefire-2025@2025-12-31", "modular-path-2025", "us-guarantee-2025")
    ]
    evidence = _numbered(bank.evidence)
    for moment in (
        dt.datetime(2025, 3, 24, 22, tzinfo=dt.UTC),
        dt.datetime(2025, 11, 27, 22, tzinfo=dt.UTC),
    ):
        later = {n: false[n] if truth[n].resolved_at > moment else r for n, r in truth.items()}
        said = [
            [
                (item.question.id, item.forecaster, item.value)
                for item in Predictor(Catalog(questions, outcomes), evidence, bank, seed=1).say(
                    [q for q in chosen if q.opens <= moment], moment
                )
            ]
            for outcomes in (truth, later)
        ]
        assert said[0] == said[1]


def test_a_truce_is_never_its_own_reference_row(bank: Bank) -> None:
    evidence = _numbered(bank.evidence)
    for question in bank.questions:
        own = question.model.settings.get("truce")
        if own is None:
            continue
        ends = {"first_claim", "formal_end", "eroded", "extended"}
        without = [
            item
            for item in evidence
            if not any(e.target == f"truces/{own}" and e.name in ends for e in item.effects)
        ]
        for as_of in (question.opens, question.opens + DAY, question.closes):
            assert _inputs(bank, without, question, as_of) == _inputs(
                bank, evidence, question, as_of
            )


def test_a_worldview_speaks_only_after_its_text(bank: Bank) -> None:
    questions = {question.id: question for question in bank.questions}
    predictor = Predictor(Catalog(questions, {}), _numbered(bank.evidence), bank, seed=1)
    ladder = [q for q in bank.questions if q.ladder == "general-ceasefire-2025"]
    for worldview in bank.worldviews:
        for moment in (worldview.speaks_from - DAY, worldview.speaks_from + DAY):
            names = {item.forecaster for item in predictor.say(ladder, moment)}
            assert (worldview.forecaster in names) == (moment >= worldview.speaks_from)


def test_time_after_the_streams_is_unobserved_and_not_quiet(bank: Bank) -> None:
    evidence = _numbered(bank.evidence)
    answers = Answers(prior_book(bank), evidence, seed=0)
    end = bank.observed_until
    for question in bank.questions:
        if not question.opens < end < question.closes:
            continue
        at_end = answers.inputs(question, known(evidence, end), end)
        later = answers.inputs(question, known(evidence, end + 60 * DAY), end + 60 * DAY)
        for name, array in at_end.items():
            assert np.array_equal(array, later[name]), (question.id, name)


def test_a_retraction_counts_from_its_own_time(bank: Bank) -> None:
    question = next(q for q in bank.questions if q.id == "leaders-meet@2026-12-31")
    then = question.opens + 100 * DAY
    effect = Effect(question.id, "likelihood", {"a": 0.8, "b": 0.2, "u": 0.4})
    report = Evidence("n", "report", "a date", "x", known_at=then, effects=(effect,), seq=1)
    back = Effect("evidence/n", "datum", {"name": "retracts"})
    undone = Evidence("r", "report", "n", "x", known_at=then + 9 * DAY, effects=(back,), seq=2)
    evidence = _numbered(bank.evidence)
    both = [*evidence, report, undone]
    for days, counts in ((1, True), (9, False)):
        moment = then + days * DAY
        with_it = _inputs(bank, [*evidence, report], question, moment)
        assert (_inputs(bank, both, question, moment) == with_it) is counts
