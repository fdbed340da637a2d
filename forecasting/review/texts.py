"""Texts with their claims, how they came out, and what others said; and what has no score."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from forecasting.bank import Bank, text_speaks_at
from forecasting.domain.catalog import Catalog, latest
from forecasting.domain.commentary import Claim, claim_scores
from forecasting.domain.forecast import Forecast
from forecasting.domain.forecasters import (
    BASE_RATE,
    MODEL,
    POOL,
    PRIOR,
    WITHOUT_LINKS,
    WITHOUT_NEWS,
)
from forecasting.domain.question import Question
from forecasting.domain.resolution import Resolution
from forecasting.domain.verbal import FLAT_DENIAL_ALTERNATIVES
from forecasting.review import data as page

CHIEF = {MODEL, WITHOUT_LINKS, WITHOUT_NEWS, PRIOR, BASE_RATE, POOL}


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
            {"question": question.id, "title": question.title, "reason": reason, "status": status}
        )
    return rows


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
    catalog: Catalog, claim: Claim, moment: dt.datetime, forecasts: Sequence[Forecast]
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
