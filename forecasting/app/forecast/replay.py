"""Replay: forecast each date with only the information available by then, and log it.

Several processes may work ahead of its walk, first its fits, then its simulations, and the walk
finds their answers; what a worker cannot know (what moved a probability) is simulated in the walk.
Compiling a graph takes more memory than all else, so each of the three is compiled and sampled by
a process of its own, which ends when it is done; its fits are read back from the cache folder. All
chance is keyed by the seed, so where and in which order something was made changes no digit.
"""

import contextlib
import copyreg
import datetime as dt
import hashlib
import json
import os
import pickle
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from types import MappingProxyType
from typing import Any

from forecasting.app.forecast.predict import REPLAY_DRAWS, Earlier, Predictor, drafts
from forecasting.app.scores.frame import Selection
from forecasting.app.scores.score import scores
from forecasting.bank import Bank, text_speaks_at
from forecasting.domain.catalog import Catalog
from forecasting.domain.commentary import Claim, Text
from forecasting.domain.evidence import Evidence
from forecasting.domain.forecast import Forecast, Value, decimal_text
from forecasting.domain.forecasters import MODEL
from forecasting.domain.instants import DEFAULT_ZONE, day_begins, iso, local_day
from forecasting.domain.predicate import Predicate
from forecasting.domain.provenance import Plain, ReplayMark
from forecasting.domain.question import ANNULLED, Question
from forecasting.domain.watch import Watch
from forecasting.errors import GateRefused, InvalidInput, NotFound
from forecasting.evidence.predicates import predicates
from forecasting.inference.fits import Wanted, stored_fits
from forecasting.models.world.reading import Answer
from forecasting.pooling.worldview_weights import Spoken
from forecasting.store import Ledger

type Clock = Callable[[], dt.datetime]
#: Goes through steps of work, takes each with a function, and shows the text that this returns.
type Progress = Callable[[Sequence[Any], Callable[[Any], str]], None]
#: Answers by forecaster, moment and question.
type Ahead = Mapping[tuple[str, dt.datetime, str], Answer]
SHORT_WINDOW_DAYS = 14
ONE_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Step:
    """One moment of a replay: the forecasters speak, or one text does."""

    moment: dt.datetime
    text: Text | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A replay run before it begins: its identity and its steps."""

    run: str
    questions: tuple[Question, ...]
    steps: tuple[Step, ...]
    start: dt.datetime
    until: dt.datetime
    seed: int
    every: int
    zone: str

    def asked(
        self, catalog: Catalog, asks: Mapping[str, Predicate], moment: dt.datetime
    ) -> list[Question]:
        """Give the questions to ask at a step.

        A conditional question needs many paths, so it is asked when it opens and every so many
        days, whatever else arrives in between.
        """
        days = (local_day(moment, self.zone) - local_day(self.start, self.zone)).days
        return [
            question
            for question in catalog.open_at(moment, self.questions)
            if question.id not in asks
            or asks[question.id].given is None
            or days % self.every == 0
            or moment - question.opens < ONE_DAY
        ]


def plan(
    catalog: Catalog,
    bank: Bank,
    evidence: Sequence[Any],
    *,
    start: dt.datetime | None = None,
    until: dt.datetime | None = None,
    every: int = 7,
    names: Sequence[str] = (),
    seed: int = 0,
) -> Plan:
    """Lay a replay out; the id is a hash of dates, questions, seed, bank and model versions."""
    if every < 1:
        raise InvalidInput(f"every ({every}): must be one day or more", hint="every=7")
    of_bank = {question.id for question in bank.questions}
    named = [q for name in names for q in catalog.find(name)]
    chosen = named or [q for q in catalog.questions.values() if q.id in of_bank]
    questions = sorted({q.id: q for q in chosen}.values(), key=lambda q: (q.opens, q.id))
    if not questions:
        msg = "replay: the bank has no question to replay"
        raise InvalidInput(msg, hint="forecast questions list")
    first = start or min(question.opens for question in questions)
    if bank.observed_until is None:
        msg = "bank: neither a reference class nor a process says until when it is observed"
        raise InvalidInput(msg, hint="watched: 2026-08-22, in a world file")
    last = min(until or bank.observed_until, bank.observed_until)
    if first >= last:
        msg = f"from ({iso(first)}): must come before to ({iso(last)})"
        raise InvalidInput(msg, hint="an earlier first day or a later last one")
    ends = [catalog.ends(question) for question in questions]
    known = [item.known_at for item in evidence if first <= item.known_at <= last]
    days = steps(questions, ends, known, start=first, until=last, every=every, zone=bank.zone)
    asked = {question.id for question in questions}
    text_steps = [
        Step(text_speaks_at(text), text)
        for text in bank.texts
        if first <= text_speaks_at(text) <= last
        and any(not claim.shown_only and claim.question in asked for claim in text.claims)
    ]
    ordered = sorted(
        [*(Step(moment) for moment in days), *text_steps],
        key=lambda step: (step.moment, step.text.id if step.text else ""),
    )
    identity = {
        "steps": [iso(step.moment) for step in ordered],
        "questions": {question.id: question.wording_hash for question in questions},
        "seed": seed,
        "bank": bank.digest,
        "models": _model_versions(),
    }
    run = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]
    return Plan(run, tuple(questions), tuple(ordered), first, last, seed, every, bank.zone)


def _model_versions() -> dict[str, str]:
    from forecasting import models
    from forecasting.inference.compile import library_versions

    versions = {name: str(graph.version) for name, graph in models.graphs().items()}
    return versions | {"world": models.WORLD_VERSION} | dict(library_versions())


def replay(
    ledger: Ledger,
    bank: Bank,
    *,
    clock: Clock,
    progress: Progress,
    start: dt.datetime | None = None,
    until: dt.datetime | None = None,
    every: int = 7,
    names: Sequence[str] = (),
    seed: int = 0,
    workers: int = 1,
    dask: str = "",
) -> dict[str, Any]:
    """Run a replay to its end, or resume the same one where it was interrupted."""
    began = time.perf_counter()
    marks, cut = ledger.replay_runs(), ledger.head().seq

    def plan_at(head: int) -> Plan:
        catalog, evidence = Catalog.of(ledger, head=head), ledger.evidence(head=head)
        return plan(
            catalog, bank, evidence, start=start, until=until, every=every, names=names, seed=seed
        )

    run_plan = _interrupted(marks, plan_at) or plan_at(cut)
    mine = [mark for mark in marks if mark.run == run_plan.run]
    if mine:
        cut = mine[0].evidence_head
    else:
        config: dict[str, Plain] = {
            "from": iso(run_plan.start),
            "to": iso(run_plan.until),
            "every": run_plan.every,
            "seed": seed,
            "steps": len(run_plan.steps),
            "questions": [question.id for question in run_plan.questions],
            "bank": bank.digest,
            "versions": _model_versions(),
        }
        ledger.append([ReplayMark(run_plan.run, "started", cut, config)], recorded_at=clock())
    if not any(mark.event == "finished" for mark in mine):
        _walk(ledger, bank, run_plan, cut, clock, progress, workers=workers, dask=dask)
        ledger.append([ReplayMark(run_plan.run, "finished", cut, {})], recorded_at=clock())
    return summary(ledger, run_plan, seconds=time.perf_counter() - began)


def _interrupted(marks: Sequence[ReplayMark], plan_at: Callable[[int], Plan]) -> Plan | None:
    """Give the plan, as of its own head, of the run that was begun and not finished."""
    finished = {mark.run for mark in marks if mark.event == "finished"}
    for mark in reversed(marks):
        if mark.run not in finished:
            with contextlib.suppress(InvalidInput, NotFound):  # questions that were not there then
                run_plan = plan_at(mark.evidence_head)
                if run_plan.run == mark.run:
                    return run_plan
    return None


def _walk(
    ledger: Ledger,
    bank: Bank,
    run_plan: Plan,
    cut: int,
    clock: Clock,
    progress: Progress,
    *,
    workers: int,
    dask: str,
) -> None:
    catalog = Catalog.of(ledger, head=cut)
    so_far = ledger.forecasts(kind="replay", run=run_plan.run)
    refused_only = {run.as_of for run in ledger.model_runs(run=run_plan.run)}
    done = {forecast.issued_at for forecast in so_far} | refused_only
    asks, _ = predicates(catalog.questions.values(), bank)
    questions = {
        step.moment: run_plan.asked(catalog, asks, step.moment)
        for step in run_plan.steps
        if step.text is None and step.moment not in done
    }
    evidence, watches = tuple(ledger.evidence(head=cut)), tuple(ledger.watches(head=cut))
    job = Job(catalog, evidence, watches, bank, run_plan.seed, questions, run_plan.until)
    ahead: Ahead = {}
    if workers > 1 or dask:
        ahead = answers_ahead(job, progress, workers=workers, dask=dask)
    predictor = job.predictor(spoken=Spoken(so_far), ahead=ahead)
    # The model's latest forecast on each question: what moved it since is recorded with the next.
    latest = {
        forecast.question: Earlier(forecast.issued_at, forecast.value.numbers)
        for forecast in so_far
        if forecast.forecaster == MODEL
    }
    backdated = {(one.forecaster, one.claim) for one in ledger.forecasts(kind="backdated")}
    asked = {question.id for question in run_plan.questions}

    def take(step: Step) -> str:
        if step.text is not None:
            text_forecasts = [
                claim_forecast(catalog.questions[claim.question], step.text, claim, step.moment)
                for claim in step.text.claims
                if not claim.shown_only
                and claim.question in asked
                and (step.text.forecaster, claim.id) not in backdated
            ]
            ledger.append(text_forecasts, recorded_at=clock())
        elif step.moment not in done:
            answers = predictor.say(questions[step.moment], step.moment, latest)
            latest.update(
                (item.question.id, Earlier(step.moment, item.value.numbers))
                for item in answers
                if item.forecaster == MODEL and item.value is not None
            )
            entries = drafts(answers, step.moment, kind="replay", run=run_plan.run)
            ledger.append(entries, recorded_at=clock())
            predictor.spoken.add(entries)
        return iso(step.moment)[:10]

    progress(run_plan.steps, take)


def claim_forecast(question: Question, text: Text, claim: Claim, moment: dt.datetime) -> Forecast:
    """Give a text's claim as the forecast that it amounts to: the milder reading's midpoint."""
    value = Value("binary", ("yes",), (decimal_text(claim.scored.middle),), claim.scored.name)
    return Forecast(
        question=question.id,
        question_hash=question.wording_hash,
        forecaster=text.forecaster,
        value=value,
        issued_at=moment,
        kind="backdated",
        because=claim.paraphrase,
        claim=claim.id,
        meta={
            "low": decimal_text(claim.scored.low),
            "high": decimal_text(claim.scored.high),
            "sentences": " ".join(str(number) for number in claim.sentences),
            "text_sha256": text.sha256,
        },
    )


def summary(ledger: Ledger, run_plan: Plan, *, seconds: float) -> dict[str, Any]:
    """Give what a finished replay holds, with its scores."""
    catalog = Catalog.of(ledger)
    forecasts = ledger.forecasts(kind="replay", run=run_plan.run)
    runs = ledger.model_runs(run=run_plan.run)
    resolved = [q for q in run_plan.questions if catalog.outcome(q) not in (None, ANNULLED)]
    texts = {f.forecaster for f in ledger.forecasts(kind="backdated") if f.claim}
    return {
        "run": run_plan.run,
        "questions": len(run_plan.questions),
        "resolved": len(resolved),
        "steps": len(run_plan.steps),
        "forecasts": len(forecasts),
        "forecasters": len({f.forecaster for f in forecasts} | texts),
        "simulations": len(runs),
        "refused": sum(not run.passed for run in runs),
        "seconds": seconds,
        "head": ledger.head().hash,
        "digest": ledger.content_digest(),
        "scores": scores(ledger, selection=Selection(kind="replay", run=run_plan.run)),
    }


def midnight_from(moment: dt.datetime, zone: str = DEFAULT_ZONE) -> dt.datetime:
    """Give the first local midnight at or after a moment.

    >>> midnight_from(dt.datetime(2025, 3, 18, 22, tzinfo=dt.UTC)).isoformat()
    '2025-03-19T00:00:00+00:00'
    """
    begins = day_begins(local_day(moment, zone), zone)
    return begins if begins == moment else day_begins(local_day(moment, zone) + ONE_DAY, zone)


def steps(
    questions: Sequence[Question],
    ends: Sequence[dt.datetime],
    known: Iterable[dt.datetime],
    *,
    start: dt.datetime,
    until: dt.datetime,
    every: int = 7,
    zone: str = DEFAULT_ZONE,
) -> list[dt.datetime]:
    """Give the moments of a replay: local midnights at which some question is open.

    Each question's opening; each day of windows up to 14 days; every `every` days beyond; and each
    day on which evidence arrived (the midnight by which it was `known`). A question `ends` at its
    close, or at its resolution if that came earlier.
    """
    first, last = local_day(start, zone), local_day(until, zone)
    days = {first + ONE_DAY * offset for offset in range(0, (last - first).days + 1, every)}
    for question, end in zip(questions, ends, strict=True):
        opening = local_day(question.opens, zone)
        days.add(opening)
        closing = local_day(question.closes, zone)
        if (closing - opening).days <= SHORT_WINDOW_DAYS:
            days.update(
                opening + ONE_DAY * i for i in range((local_day(end, zone) - opening).days + 1)
            )
    days.update(local_day(midnight_from(moment, zone), zone) for moment in known)
    return [
        moment
        for moment in sorted(day_begins(day, zone) for day in days if first <= day <= last)
        if start <= moment <= until
        and any(q.opens <= moment < end for q, end in zip(questions, ends, strict=True))
    ]


#: Neighbouring steps share fits, so they stay together; several parts a worker even out their work.
PARTS = 4


@dataclass(frozen=True, slots=True)
class Job:
    """What a process must know: the record, and what is asked at each moment `until` the end."""

    catalog: Catalog
    evidence: tuple[Evidence, ...]
    watches: tuple[Watch, ...]
    bank: Bank
    seed: int
    asked: Mapping[dt.datetime, Sequence[Question]]
    until: dt.datetime

    def predictor(self, **options: Any) -> Predictor:
        """Give the predictor; with `wanted`, it only collects the fits that it would need."""
        return Predictor(
            self.catalog,
            self.evidence,
            self.bank,
            seed=self.seed,
            watches=self.watches,
            draws=REPLAY_DRAWS,
            **options,
        )


def answers_ahead(job: Job, progress: Progress, *, workers: int, dask: str = "") -> Ahead:
    """Simulate every moment of a job in some processes; a cluster samples where it simulates."""
    if not dask:
        _fits_ahead(job, progress, workers)
    packed = pickle.dumps(job)
    answers: dict[tuple[str, dt.datetime, str], Answer] = {}
    with _executor(workers, dask) as (pool, count):
        moments = list(job.asked)
        size = max(1, -(-len(moments) // (PARTS * count)))
        parts = [tuple(moments[start : start + size]) for start in range(0, len(moments), size)]
        futures = {part: pool.submit(answers_of, packed, part) for part in parts}

        def take(part: tuple[dt.datetime, ...]) -> str:
            answers.update(futures[part].result())
            return f"simulated to {iso(part[-1])[:10]}"

        progress(parts, take)
    return answers


def _fits_ahead(job: Job, progress: Progress, workers: int) -> None:
    """Make the fits that are not stored yet, each graph in a process that ends with it."""
    wanted: dict[str, Wanted] = {}
    predictor = job.predictor(wanted=wanted)
    latest: dict[str, Earlier] = {}

    def learn(moment: dt.datetime) -> str:
        predictor.learn(job.asked[moment], moment, latest)
        latest.update((question.id, Earlier(moment, ())) for question in job.asked[moment])
        return f"read to {iso(moment)[:10]}"

    progress(list(job.asked), learn)
    # The page shows the world at the end of the run.
    predictor.learn(list(job.asked.values())[-1] if job.asked else (), job.until, latest)
    graphs: dict[str, list[Wanted]] = {}
    for each in wanted.values():
        graphs.setdefault(each.model.family, []).append(each)
    if not graphs:
        return
    longest = sorted(graphs, key=lambda name: len(graphs[name]), reverse=True)
    # A process that ends gives its memory back.
    with _processes(min(workers, len(graphs)), max_tasks_per_child=1) as pool:
        futures = {name: pool.submit(fits_of, job.seed, graphs[name]) for name in longest}
        progress(longest, lambda name: f"fitted {futures[name].result()} {name}")


def fits_of(seed: int, wanted: Sequence[Wanted]) -> int:
    """Make some fits and store them, in whatever process this is; give how many."""
    fits = stored_fits(seed)
    for model, data, priors, options in wanted:
        with contextlib.suppress(GateRefused):  # the walk meets the refusal again
            fits.fit(model, data, priors, **options)
    return len(wanted)


def answers_of(packed: bytes, moments: Sequence[dt.datetime]) -> Ahead:
    """Simulate some moments of a job, in whatever process this is."""
    job: Job = pickle.loads(packed)
    predictor = job.predictor()
    return {
        (name, moment, question): answer
        for moment in moments
        for (name, question), answer in predictor.answers(job.asked[moment], moment).items()
    }


def _processes(workers: int, **options: Any) -> ProcessPoolExecutor:
    # Each thread that samples would keep a heap of its own (glibc).
    os.environ.setdefault("MALLOC_ARENA_MAX", "2")
    # A process that was forked would share locks with the threads of this one.
    return ProcessPoolExecutor(workers, mp_context=get_context("spawn"), **options)


@contextlib.contextmanager
def _executor(workers: int, dask: str = "") -> Iterator[tuple[Executor, int]]:
    """Give an executor of some local processes, or of a Dask cluster, and how many work in it."""
    if not dask:
        with _processes(workers) as pool:
            yield pool, workers
        return
    try:
        from distributed import Client
    except ImportError as missing:
        msg = f"dask ({dask}): the package distributed is not installed"
        raise InvalidInput(msg, hint="pip install 'scenario-forecasting[dask]'") from missing
    try:
        client = Client(dask, timeout=10)
    except (OSError, ValueError) as error:
        msg = f"dask ({dask}): no scheduler answers at this address"
        raise InvalidInput(msg, hint="dask=tcp://127.0.0.1:8786") from error
    with client:
        yield client.get_executor(), max(1, len(client.nthreads()))


def _frozen(mapping: dict[Any, Any]) -> MappingProxyType[Any, Any]:
    return MappingProxyType(mapping)


# Frozen values hold frozen mappings, which pickle does not know.
copyreg.pickle(MappingProxyType, lambda mapping: (_frozen, (dict(mapping),)))
