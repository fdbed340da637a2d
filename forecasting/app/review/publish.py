"""Gather from the ledger what the review page and the pictures show."""

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from typing import Any

from forecasting.app.catalog import Catalog, latest
from forecasting.app.forecast.predict import REPLAY_DRAWS
from forecasting.app.forecast.worldviews import claim_scores
from forecasting.app.frames import Selection, latest_run, resolved, scoring_frame, select
from forecasting.app.news.shown import Weights
from forecasting.app.news.sources import worth
from forecasting.app.questions.same_as import DIFFERS, beside
from forecasting.app.review.paths import marks_of, moved_of, path_of, point_of
from forecasting.app.scores.calibrate import from_frame
from forecasting.app.scores.score import from_frame as scored_frame
from forecasting.app.scores.score import scores
from forecasting.app.upkeep.banks import bank_of
from forecasting.app.world.processes import prior_rows, world_page
from forecasting.app.world.scenario import live
from forecasting.bank import Bank, text_speaks_at
from forecasting.domain.commentary import Claim
from forecasting.domain.forecast import Forecast, kind_named
from forecasting.domain.forecasters import (
    ABLATIONS,
    BASE_RATE,
    MODEL,
    POOL,
    PRIOR,
    WITHOUT_LINKS,
    WITHOUT_NEWS,
)
from forecasting.domain.instants import parse_instant
from forecasting.domain.question import Question
from forecasting.domain.resolution import Resolution
from forecasting.domain.verbal import FLAT_DENIAL_ALTERNATIVES
from forecasting.domain.watch import watched
from forecasting.errors import InvalidInput
from forecasting.evidence import without_retracted
from forecasting.review import data as page
from forecasting.store import Ledger

CHIEF = {MODEL, WITHOUT_LINKS, WITHOUT_NEWS, PRIOR, BASE_RATE, POOL}
DIAGRAMS = (MODEL, BASE_RATE, POOL)


def gather(ledger: Ledger, *, kind: str, run: str, now: dt.datetime) -> page.ReviewData:
    """Read everything that the page shows, for one kind of forecast."""
    run = run or latest_run(ledger)
    kind = kind_named(kind) or ("replay" if run else "live")
    run = run if kind == "replay" else ""
    selection = Selection(kind=kind, run=run)
    catalog = Catalog.of(ledger)
    bank = bank_of(ledger)
    forecasts = select(ledger, catalog, selection)
    frame = resolved(ledger, selection)
    rows = scores(ledger, selection=selection)
    by_question = scores(ledger, selection=selection, by="question", resamples=99)
    crowds = beside(ledger, catalog, kind=kind)
    agreeing = [one for one in crowds if not one.forecaster.endswith(DIFFERS)]
    crowd_frame = scoring_frame(ledger, catalog, agreeing, withdrawals=())
    if len(crowd_frame):
        rows = [*rows, *scored_frame(crowd_frame, kind=kind)]
        by_question += scored_frame(crowd_frame, kind=kind, by="question", resamples=99)
    texts = ledger.forecasts(kind="backdated") if kind == "replay" else []
    present = list(dict.fromkeys(frame["forecaster"]))
    binary = [row for row in rows if row["type"] == "binary"]
    # The gate of the latest forecast on each question.
    unfit = {f.question: f.gate for f in forecasts if f.forecaster == MODEL and f.gate}
    details = [row["detectable"] for row in binary if row["forecaster"] == MODEL]
    fits = ledger.model_runs(run=run)
    run_shown = _run(ledger, bank, kind, run, now)
    world, gain = _world(ledger, bank, run_shown, now)
    return page.ReviewData(
        run=run_shown,
        scores=rows,
        log_scores=scores(ledger, rule="log", selection=selection),
        horizons=scores(ledger, by="horizon", selection=selection),
        calibrations={
            name: from_frame(frame[frame["forecaster"] == name])
            for name in [name for name in DIAGRAMS if name in present] or present
        },
        questions=_paths(ledger, catalog, now, [*forecasts, *texts, *crowds], by_question, unfit),
        texts=cards(catalog, bank, forecasts) if kind == "replay" else (),
        due=[
            {
                "question": question.id,
                "title": question.title,
                "since": question.resolves_by,
            }
            for question in sorted(catalog.questions.values(), key=lambda q: (q.resolves_by, q.id))
            if catalog.status(question, now) == "due"
        ],
        left_out=unscored(catalog, forecasts, kind, now),
        parts=_parts(ledger, selection, present),
        reports=[{"source": name, **row} for name, row in worth(ledger, selection).items()],
        world=world,
        news_gain=gain,
        unfit=[
            {"question": question, "forecaster": MODEL, "verdict": verdict}
            for question, verdict in sorted(unfit.items())
        ],
        refused=[
            {
                "forecaster": f"worldview:{fit.worldview}" if fit.worldview else MODEL,
                "fit": fit.family,
                "verdict": fit.gate,
            }
            for fit in fits
            if not fit.passed
        ],
        priors=prior_rows(ledger) if bank.world.processes else (),
        events=page.Events(
            n=max((row["n_events"] for row in binary), default=0),
            detectable=next((d for d in details if d is not None and math.isfinite(d)), None),
        ),
    )


def _run(ledger: Ledger, bank: Bank, kind: str, run: str, now: dt.datetime) -> page.Run:
    head = ledger.head()
    started = [m for m in ledger.replay_runs() if m.run == run and m.event == "started"]
    config: Mapping[str, Any] = started[0].config if started else {}

    def moment(key: str) -> dt.datetime | None:
        return parse_instant(str(config[key])) if key in config else None

    return page.Run(
        kind=kind,
        generated_at=now,
        run_id=run,
        seed=int(config["seed"]) if "seed" in config else None,
        started_from=moment("from"),
        until=moment("to"),
        steps=int(config["steps"]) if "steps" in config else None,
        evidence_head=started[0].evidence_head if started else None,
        bank_digest=bank.digest,
        observed_until=bank.observed_until,
        versions={str(k): str(v) for k, v in dict(config.get("versions", {})).items()},
        ledger_head_seq=head.seq,
        ledger_head_hash=head.hash,
        content_digest=ledger.content_digest(),
        zone=bank.zone,
    )


def _world(
    ledger: Ledger, bank: Bank, run: page.Run, now: dt.datetime
) -> tuple[page.WorldPage, Mapping[str, float | int]]:
    """Give the world as it stood at the page's "now", how it may go on, and the news gain."""
    moment = (run.until if run.kind == "replay" else None) or now
    looked = watched(ledger.watches(), moment, live=run.kind != "replay")
    items = without_retracted(ledger.evidence())
    try:
        simulation = live(ledger, now=now, as_of=moment, bank=bank, draws=REPLAY_DRAWS)
    except InvalidInput:
        # No open question is answered by the world: there is nothing to simulate.
        return world_page(bank.world, items, moment, watched=looked), {}
    world = world_page(
        bank.world,
        items,
        moment,
        watched=looked,
        learned=simulation.learned(),
        fans=simulation.fans(),
    )
    return world, simulation.run.learned.gain_summary


def _parts(ledger: Ledger, selection: Selection, present: Sequence[str]) -> list[Mapping[str, Any]]:
    """Score the model with each part taken out against the whole model."""
    if MODEL not in present or set(ABLATIONS).isdisjoint(present):
        return []
    rows = scores(ledger, selection=selection, against=MODEL)
    return [row for row in rows if row["forecaster"] in ABLATIONS]


def unscored(
    catalog: Catalog, forecasts: Sequence[Forecast], kind: str, now: dt.datetime
) -> list[dict[str, Any]]:
    """List the questions without a forecast of this kind, and those without an outcome to score."""
    with_forecast = {forecast.question for forecast in forecasts}
    rows = []
    for question in sorted(catalog.questions.values(), key=lambda q: (q.topic, q.closes, q.id)):
        status = catalog.status(question, now)
        if question.id not in with_forecast:
            reason = f"It has no {kind} forecast" + (" yet." if status == "upcoming" else ".")
        elif status == "due":
            reason = "It is past its deadline without an outcome on record."
        else:
            continue
        rows.append(
            {
                "question": question.id,
                "title": question.title,
                "reason": reason,
                "status": status,
            }
        )
    return rows


def _paths(
    ledger: Ledger,
    catalog: Catalog,
    now: dt.datetime,
    forecasts: Sequence[Forecast],
    by_question: Sequence[Mapping[str, Any]],
    unfit: Mapping[str, str],
) -> list[page.QuestionPath]:
    items = without_retracted(ledger.evidence())
    marks = marks_of(items, catalog, forecasts, Weights.of(ledger, ledger.evidence(), now))
    moved = moved_of(items, catalog, forecasts)
    points: dict[str, dict[str, list[page.Point]]] = {}
    for forecast in forecasts:
        mine = points.setdefault(forecast.question, {})
        mine.setdefault(forecast.forecaster, []).append(point_of(forecast))
    scored: dict[str, dict[str, Mapping[str, Any]]] = {}
    for row in by_question:
        scored.setdefault(row["question"], {})[row["forecaster"]] = row
    with_points = [question for question in catalog.questions.values() if question.id in points]
    return [
        path_of(
            catalog,
            question,
            now,
            paths=points[question.id],
            evidence=marks.get(question.id, []),
            scores=scored.get(question.id, {}),
            gate_note=unfit.get(question.id, ""),
            moved=moved.get(question.id, ()),
        )
        for question in sorted(with_points, key=lambda q: (q.topic, q.event, q.opens, q.id))
    ]


def cards(catalog: Catalog, bank: Bank, forecasts: Sequence[Forecast]) -> list[page.TextCard]:
    """Give each text with its claims, how they came out, and what others said at that moment."""
    result = []
    for text in sorted(bank.texts, key=text_speaks_at):
        moment = text_speaks_at(text)
        result.append(
            page.TextCard(
                id=text.id,
                slant=text.slant,
                date=moment,
                thesis=text.thesis,
                sha256=text.sha256,
                agreement=(
                    sum(claim.first == claim.second for claim in text.claims),
                    len(text.claims),
                ),
                claims=[
                    _claim_row(catalog, claim, moment, forecasts)
                    for claim in text.claims
                    if claim.question in catalog.questions
                ],
            )
        )
    return result


def _claim_row(
    catalog: Catalog,
    claim: Claim,
    moment: dt.datetime,
    forecasts: Sequence[Forecast],
) -> page.ClaimRow:
    question = catalog.questions[claim.question]
    standing = catalog.outcomes.get(question.id)
    outcome = None if standing is None else standing.outcome
    of_it = (f for f in forecasts if f.question == question.id and f.forecaster in CHIEF)
    probabilities = {name: f.value.numbers[0] for (_, name), f in latest(of_it, at=moment).items()}
    score: float | None = None
    low: float | None = None
    high: float | None = None
    others: Mapping[float, float | None] = (
        dict.fromkeys(FLAT_DENIAL_ALTERNATIVES) if claim.flat_denial else {}
    )
    models: dict[str, tuple[float, float | None]] = {
        name: (p, None) for name, p in probabilities.items()
    }
    staleness = None
    if standing is not None and outcome in {"yes", "no"} and not claim.shown_only:
        happened = 1.0 if outcome == "yes" else 0.0
        score, low, high, others = claim_scores(claim, happened)
        models = {name: (p, (p - happened) ** 2) for name, p in probabilities.items()}
        staleness = _staleness(question, standing, claim, moment)
    return page.ClaimRow(
        claim=claim.id,
        question=question.id,
        title=question.title,
        sentences=claim.sentences,
        paraphrase=claim.paraphrase,
        first_band=claim.first.name,
        second_band=claim.second.name,
        scored_band=claim.scored.name,
        p=claim.scored.middle,
        low=claim.scored.low,
        high=claim.scored.high,
        flat_denial=claim.flat_denial,
        shown_only=claim.shown_only,
        outcome=outcome,
        score=score,
        score_low=low,
        score_high=high,
        alternatives=others,
        models=models,
        staleness=staleness,
    )


def _staleness(
    question: Question, standing: Resolution, claim: Claim, moment: dt.datetime
) -> float:
    """Score the claim as if it had stood, unchanged, through the scheduled window."""
    import pandas as pd

    from forecasting.scoring import lifetime

    frame = pd.DataFrame(
        {
            "question": [question.id],
            "forecaster": ["text"],
            "forecast": [claim.scored.middle],
            "issued_at": [moment],
            "withdrawn_at": [None],
            "opens": [question.opens],
            "closes": [question.closes],
            "closed_at": [standing.resolved_at if standing.resolved_at < question.closes else None],
            "outcome": [1 if standing.outcome == "yes" else 0],
        }
    )
    for column in ("issued_at", "withdrawn_at", "opens", "closes", "closed_at"):
        frame[column] = pd.to_datetime(frame[column], utc=True)
    return float(lifetime.score(frame)["score"].iloc[0])
