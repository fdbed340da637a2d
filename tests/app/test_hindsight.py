"""No hindsight: nothing known later, and nothing recorded after the cut, reaches a forecast."""

import dataclasses
import datetime as dt
import random

import numpy as np
import pytest

from forecasting.app.forecast.predict import MOMENT, OWN, Predictor
from forecasting.bank.usable import bundled_bank
from forecasting.domain import Effect, Evidence
from forecasting.domain.catalog import Catalog
from forecasting.domain.process import WorldSpec
from forecasting.domain.watch import Watch
from tests.app.quick import inputs

DAY = dt.timedelta(days=1)
HEAD = 10_000
DRAWS = 1_024

pytestmark = pytest.mark.usefixtures("quick_fits")


@pytest.fixture(scope="module")
def bank():
    return bundled_bank()


def _numbered(items):
    return [dataclasses.replace(item, seq=i + 1) for i, item in enumerate(items)]


def _predictor(bank, evidence, outcomes=None, watches=()):
    # What a replay reads: the ledger up to the head of its first start, then the as-of filter.
    cut = [item for item in evidence if item.seq is not None and item.seq <= HEAD]
    catalog = Catalog({each.id: each for each in bank.questions}, outcomes or {})
    return Predictor(catalog, cut, bank, seed=0, draws=DRAWS, watches=watches)


def _without_later_facts(bank, moment):
    """Give the bank as its file would have been written before a moment."""
    processes = {
        name: dataclasses.replace(
            process, facts=tuple(fact for fact in process.facts if fact.known_at < moment)
        )
        for name, process in bank.world.processes.items()
    }
    return dataclasses.replace(bank, world=WorldSpec(processes, bank.world.links), resolutions=())


def _contents(answers):
    return {
        key: (a.numbers, a.spread, a.intervals, a.gate, a.decided, a.evidence_hash, a.fits)
        for key, a in answers.items()
    }


def _poisons(bank, question, after, rng):
    """Make items that would move every part of the world, known later or recorded after the cut."""
    name = rng.choice(sorted(bank.world.processes))
    state = rng.choice(bank.world.processes[name].states)
    past = (after - 2 * DAY).isoformat()
    effects = [
        Effect(name, "datum", {"name": "state", "state": state, "at": past}),
        Effect(name, "datum", {"name": "event", "at": past}),
        Effect("exchange-2025", "datum", {"name": "part", "value": 500.0, "at": past}),
        Effect(f"{name}={state}", "likelihood", {"a": 0.99, "b": 0.01, "u": 0.5}),
        Effect("truces/energy2025", "datum", {"name": "formal_end", "how": "revoked"}),
        Effect("truces/energy2025", "datum", {"name": "first_claim"}),
        Effect("packages/may-2025", "datum", {"name": "delivered", "value": 500.0}),
        Effect("agreements/9", "datum", {"name": "signed", "at": "2020-01-01T00:00:00Z"}),
        Effect(question.id, "likelihood", {"a": 0.99, "b": 0.01, "u": 0.5}),
        Effect("evidence/none", "datum", {"name": "retracts"}),
    ]
    chosen = rng.sample(effects, k=rng.randint(1, len(effects)))
    late = after + dt.timedelta(seconds=rng.choice([1, 3600, 86_400 * 300]))

    def item(key, effect, known_at, seq):
        return Evidence(key, "datum", "poison", "x", known_at=known_at, effects=(effect,), seq=seq)

    return [item(f"poison-{i}", effect, late, 50 + i) for i, effect in enumerate(chosen)] + [
        item(f"late-{i}", effect, after - DAY, HEAD + 1 + i) for i, effect in enumerate(chosen)
    ]


def _random_case(bank, rng):
    question = rng.choice(bank.questions)
    days = max(1, (min(question.closes, bank.observed_until) - question.opens).days)
    return question, question.opens + rng.randrange(days) * DAY


def test_poisoned_futures_change_nothing_that_goes_in(bank):
    # Rule 5: byte-equal in 1,000 random cases; what is made of the items, in every tenth.
    evidence = _numbered(bank.evidence)
    rng = random.Random(20_260_822)
    clean = _predictor(bank, evidence)
    for number in range(1000):
        question, as_of = _random_case(bank, rng)
        poisoned = [*evidence, *_poisons(bank, question, as_of, rng)]
        if number % 10 == 0:
            rng.shuffle(poisoned)
            assert inputs(_predictor(bank, poisoned), question, as_of) == inputs(
                clean, question, as_of
            )
            continue
        cut = [item for item in poisoned if item.seq is not None and item.seq <= HEAD]
        clean.evidence, original = tuple(cut), clean.evidence
        with_poison = clean.parts([question], as_of)
        clean.evidence = original
        assert with_poison == clean.parts([question], as_of), (question.id, as_of)


def test_a_fact_known_at_the_moment_itself_does_count(bank):
    # The filter must be able to let something through, or the test above could not fail.
    evidence = _numbered(bank.evidence)
    question = next(q for q in bank.questions if q.id == "leaders-meet@2026-12-31")
    as_of = question.opens + 100 * DAY
    effect = Effect(
        "summit", "datum", {"name": "state", "state": "russia", "at": as_of.isoformat()}
    )
    news = Evidence("n", "datum", "they met", "x", known_at=as_of, effects=(effect,), seq=1)
    # The cheaper cases above set the evidence of one predictor, which must see it.
    one = _predictor(bank, evidence)
    without = one.parts([question], as_of)
    one.evidence = (*one.evidence, news)
    assert one.parts([question], as_of) != without
    before = inputs(_predictor(bank, evidence), question, as_of)
    after = inputs(_predictor(bank, [*evidence, news]), question, as_of)
    assert {name for name in before if before[name] != after[name]} == {"items", "records", "pasts"}
    answer = _predictor(bank, [*evidence, news]).one(OWN[0], [question], as_of)[question.id]
    assert (answer.decided, answer.numbers) == ("yes", (0.9999,))


def test_the_first_forecast_stands_without_any_fact_from_the_opening_on(bank):
    """Of every question, to the last byte, the bank's own file cut off there as well."""
    evidence = _numbered(bank.evidence)
    whole = _predictor(bank, evidence)
    by_opening = {}
    for question in bank.questions:
        by_opening.setdefault(question.opens, []).append(question)
    rng = random.Random(5)
    for opens, asked in sorted(by_opening.items()):
        earlier = [item for item in evidence if item.known_at < opens]
        poison = _poisons(bank, asked[0], opens - MOMENT, rng)
        at_opening = [dataclasses.replace(p, known_at=max(p.known_at, opens)) for p in poison]
        cut = _predictor(_without_later_facts(bank, opens), [*earlier, *at_opening])
        for one in (whole, cut):
            one.model._answers.clear()
        first = whole.one(OWN[0], asked, opens)
        assert len(first) == len(asked), whole.model.faults
        assert _contents(first) == _contents(cut.one(OWN[0], asked, opens)), opens


def test_what_the_model_says_without_history_knows_nothing_from_the_opening_on(bank):
    evidence = _numbered(bank.evidence)
    whole = _predictor(bank, evidence)
    for name in ("modular-path-2025", "exchange-1000-2026@2026-12-31", "energy-pause-2026-kept"):
        question = whole.catalog.questions[name]
        earlier = [item for item in evidence if item.known_at < question.opens]
        cut = _predictor(_without_later_facts(bank, question.opens), earlier)
        both = [one.prior(question) for one in (whole, cut)]
        assert both[0] is not None
        assert _contents({"prior": both[0]}) == _contents({"prior": both[1]})


def _changed(resolution, question):
    options = [option for option in question.space.options if option != resolution.outcome]
    return dataclasses.replace(resolution, outcome=options[0] if options else "1")


def test_other_outcomes_change_no_forecast_made_before_they_were_known(bank):
    questions = {question.id: question for question in bank.questions}
    truth = {r.question: r for r in bank.resolutions}
    false = {name: _changed(r, questions[name]) for name, r in truth.items()}
    evidence = _numbered(bank.evidence)
    for moment in (
        dt.datetime(2025, 4, 24, 22, tzinfo=dt.UTC),
        dt.datetime(2026, 2, 10, 22, tzinfo=dt.UTC),
    ):
        later = {n: false[n] if truth[n].resolved_at > moment else r for n, r in truth.items()}
        assert later != truth
        answers = []
        for outcomes in (truth, later):
            predictor = _predictor(bank, evidence, outcomes)
            open_then = [q for q in bank.questions if q.opens <= moment < q.closes]
            answers.append(
                [
                    (item.question.id, item.forecaster, item.value, item.spread)
                    for item in predictor.say(open_then, moment)
                ]
            )
        assert answers[0] == answers[1]


def test_a_truce_is_never_a_case_of_its_own_class(bank):
    """What is known of it enters by its own past; the row of the table about it is left out."""
    evidence = _numbered(bank.evidence)
    without = [
        item
        for item in evidence
        if not any(effect.target == "truces/energy2025" for effect in item.effects)
    ]
    assert len(without) < len(evidence)
    for name, process in (
        ("energy-truce-2025-runs-term", "truces-formal/energy-2025"),
        ("energy-truce-2025-observed", "truces-claim/energy-2025-claim"),
    ):
        question = next(q for q in bank.questions if q.id == name)
        for as_of in (question.opens, question.opens + DAY, question.closes - DAY):
            one, other = (
                _predictor(bank, items).one(OWN[0], [question], as_of)[name]
                for items in (evidence, without)
            )
            assert one.numbers == other.numbers
            assert one.fits[f"spells {process}"] == other.fits[f"spells {process}"]


def test_a_worldview_speaks_only_after_its_text(bank):
    predictor = _predictor(bank, _numbered(bank.evidence))
    for worldview in bank.worldviews:
        for moment in (worldview.speaks_from - DAY, worldview.speaks_from + DAY):
            names = {variant.name for variant in predictor.variants(moment)}
            assert (worldview.forecaster in names) == (moment >= worldview.speaks_from)


def test_time_after_the_streams_is_unobserved_and_not_quiet(bank):
    predictor = _predictor(bank, _numbered(bank.evidence))
    end = bank.observed_until
    for question in bank.questions:
        if not question.opens < end < question.closes:
            continue
        at_end, later = (inputs(predictor, question, end + days * DAY) for days in (0, 60))
        assert at_end["pasts"] == later["pasts"], question.id


def test_a_watch_counts_up_to_the_moment_and_no_further(bank):
    """A watch recorded later over a span of the past says nothing of what came after the moment."""
    question = next(q for q in bank.questions if q.id == "general-ceasefire-2026@2026-12-31")
    moment = bank.observed_until + 30 * DAY
    watches = [Watch("ceasefire", moment + days * DAY) for days in (0, 40)]
    near, far = (
        inputs(_predictor(bank, _numbered(bank.evidence), watches=[one]), question, moment)
        for one in watches
    )
    assert near == far
    assert near["records"]["ceasefire"][-1] == moment


def test_a_delivery_is_answered_from_the_day_on_which_its_agreement_was_known(bank):
    """A question about it shows that it was known when that question opened."""
    question = next(q for q in bank.questions if q.id == "exchange-1000-2026-first-stage")
    predictor = _predictor(bank, _numbered(bank.evidence))
    before = question.opens - DAY
    assert predictor.one(OWN[0], [question], before) == {}
    assert "was not known yet" in predictor.model.faults[question.id, before]
    assert predictor.one(OWN[0], [question], question.opens)[question.id].numbers


def test_a_retraction_counts_from_its_own_time(bank):
    question = next(q for q in bank.questions if q.id == "leaders-meet@2026-12-31")
    then = question.opens + 100 * DAY
    effect = Effect(question.id, "likelihood", {"a": 0.8, "b": 0.2, "u": 0.5})
    report = Evidence("n", "report", "a date", "x", known_at=then, effects=(effect,), seq=1)
    back = Effect("evidence/n", "datum", {"name": "retracts"})
    undone = Evidence("r", "report", "n", "x", known_at=then + 9 * DAY, effects=(back,), seq=2)
    evidence = _numbered(bank.evidence)
    for days, counts in ((1, True), (9, False)):
        moment = then + days * DAY
        with_it = inputs(_predictor(bank, [*evidence, report]), question, moment)["reports"]
        both = inputs(_predictor(bank, [*evidence, report, undone]), question, moment)["reports"]
        assert (both == with_it) is counts
        assert any(one.key == "n" for one in both) is counts


@pytest.mark.deep
def test_poisoned_futures_change_no_real_fit(bank, monkeypatch):
    # Rule 5: ten forecasts by the sampler, with the future clean and poisoned.
    from forecasting.inference.fits import FitCache
    from tests.app import quick

    monkeypatch.setattr(FitCache, "fit", quick.REAL)
    evidence = _numbered(bank.evidence)
    rng = random.Random(5)
    for _ in range(10):
        question, as_of = _random_case(bank, rng)
        both = [
            _predictor(bank, items).one(OWN[0], [question], as_of)[question.id]
            for items in (evidence, [*evidence, *_poisons(bank, question, as_of, rng)])
        ]
        assert np.array_equal(both[0].numbers, both[1].numbers), question.id
        assert both[0].fits == both[1].fits
