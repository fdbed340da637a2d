"""Update: bring the models up to the evidence now and log what they say."""

import datetime as dt
import time
from collections.abc import Sequence
from typing import Any

from forecasting.app.catalog import Catalog
from forecasting.app.log import check_moment, kind_of
from forecasting.app.predict import MODEL, Earlier, Predictor, Said, drafts, judgements_of
from forecasting.app.questions import bundled_bank
from forecasting.app.worldviews import Spoken
from forecasting.domain.forecast import Forecast
from forecasting.domain.instants import iso
from forecasting.domain.question import Question, normalised
from forecasting.errors import InvalidInput
from forecasting.evidence import known
from forecasting.models.encoding.fits import live_fits
from forecasting.store import Ledger


def update(
    ledger: Ledger,
    names: Sequence[str],
    *,
    now: dt.datetime,
    as_of: dt.datetime | None = None,
    dry_run: bool = False,
    seed: int = 0,
    accept_because: str = "",
) -> tuple[list[dict[str, Any]], list[str]]:
    """Forecast the named questions (or every open one) from what is known and recorded by now.

    Returns
    -------
    (rows, warnings)
        A row per question with the model's probability before and after; the other forecasters
        (prior, base rate, worldviews, pool) are logged beside it.
    """
    moment = as_of or now
    check_moment(moment, now)
    catalog = Catalog.of(ledger, recorded_by=moment)
    questions = _chosen(catalog, names, moment)
    bank = bundled_bank()
    live = kind_of(moment, now) == "live"
    held = ledger.evidence()
    if questions and not held:
        msg = "evidence (none): the models learn from reference cases, and this database has none"
        raise InvalidInput(msg, hint="forecast init")
    evidence = known(held, moment, recorded=live)
    predictor = Predictor(
        catalog,
        evidence,
        bank,
        seed=seed,
        accept_because=normalised(accept_because),
        fits=live_fits(seed),
        spoken=Spoken(ledger.forecasts(kind="live")),
        judged=judgements_of(ledger, catalog, recorded=live),
    )
    warnings = []
    if moment > bank.observed_until:
        warnings.append(
            f"the bank's streams are observed until {iso(bank.observed_until)}: later time is "
            "unobserved, not quiet, so the models answer as from then"
        )
    before = _standing(ledger, moment)
    began = time.perf_counter()
    said = predictor.say(
        questions,
        moment,
        {
            name: Earlier(f.issued_at, f.value.numbers, f.seq if live else None)
            for name, f in before.items()
        },
    )
    seconds = time.perf_counter() - began
    rows = [
        _row(item, before.get(item.question.id), seconds / max(len(questions), 1))
        for item in said
        if item.forecaster == MODEL
    ]
    if not dry_run and said:
        ledger.append(drafts(said, moment, kind=kind_of(moment, now)), recorded_at=now)
    return rows, warnings


def _chosen(catalog: Catalog, names: Sequence[str], moment: dt.datetime) -> list[Question]:
    if not names:
        # An imported question has no model until somebody gives it one.
        return [question for question in catalog.open_at(moment) if question.model.fitted]
    chosen: dict[str, Question] = {}
    for name in names:
        found = catalog.find(name)
        open_ones = catalog.open_at(moment, found)
        if not open_ones:
            states = ", ".join(f"{q.id} {catalog.status(q, moment)}" for q in found)
            msg = f"question ({name}): is not open at {iso(moment)} ({states})"
            raise InvalidInput(msg, hint="forecast questions list --status open")
        chosen.update({question.id: question for question in open_ones})
    return list(chosen.values())


def _standing(ledger: Ledger, moment: dt.datetime) -> dict[str, Forecast]:
    latest: dict[str, Forecast] = {}
    for forecast in ledger.forecasts(forecaster=MODEL):
        if forecast.kind in {"live", "elicited"} and forecast.issued_at <= moment:
            latest[forecast.question] = forecast
    return latest


def _row(item: Said, before: Forecast | None, seconds: float) -> dict[str, Any]:
    answer, spread = item.answer, item.spread
    return {
        "question": item.question.id,
        "model": item.question.model.label,
        "before": None if before is None else before.value.plain,
        "after": None if item.value is None else item.value.plain,
        "lower": None if spread is None else spread.p05,
        "upper": None if spread is None else spread.p95,
        "mcse": None if spread is None else spread.mcse,
        "method": None if answer is None else answer.method,
        "k_hat": None if answer is None else answer.diagnostics.get("k_hat"),
        "gate": None if answer is None else answer.gate,
        "fit": None if answer is None else answer.fit,
        "moved": [{"cause": cause, "change": _one(change)} for cause, change in item.moved],
        "seconds": seconds,
    }


def _one(change: Sequence[float]) -> float | list[float]:
    return change[0] if len(change) == 1 else list(change)
