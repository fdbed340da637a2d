"""What stands behind the models, to look into: every prior, and a family with its latest fits."""

import datetime as dt
from typing import Any

from forecasting.app.catalog import Catalog
from forecasting.app.predict import prior_book
from forecasting.evidence import retracted
from forecasting.models.encoding.answers import Answers
from forecasting.store import Ledger


def prior_rows(ledger: Ledger, *, question: str = "") -> list[dict[str, Any]]:
    """List every prior of every question with its source and the day it was known by.

    The rungs of a ladder share their priors, so a ladder is one group of rows; a worldview's rows
    are those it sets differently.
    """
    from forecasting.app.questions import bundled_bank

    bank = bundled_bank()
    catalog = Catalog.of(ledger)
    chosen = catalog.find(question) if question else tuple(catalog.questions.values())
    answers = Answers(prior_book(bank), retracted(ledger.evidence()), seed=0)
    rows: list[dict[str, Any]] = []
    seen: set[tuple[str, str]] = set()
    for found in sorted(chosen, key=lambda q: (q.opens, q.id)):
        name = found.ladder or found.id
        for reference, parameter, spec, worldview in answers.prior_specs(found, bank.worldviews):
            key = (name, f"{reference} {parameter} {worldview}")
            if key in seen:
                continue
            seen.add(key)
            rows.append(
                {
                    "question": name,
                    "worldview": worldview,
                    "family": found.model.fitted,
                    "reference": reference,
                    "parameter": parameter,
                    "prior": spec.text,
                    "source": spec.source,
                    "known_by": spec.known_by.isoformat(),
                    "opens": found.opens,
                }
            )
    return rows


def family_report(ledger: Ledger, name: str, now: dt.datetime) -> dict[str, Any]:
    """Describe a family with its latest fits, and for survival the instant-failure comparison."""
    import inspect

    from forecasting import models
    from forecasting.app.questions import bundled_bank

    family = models.get(name)
    latest = [run for run in ledger.model_runs() if run.fitted == family.family][-10:]
    report: dict[str, Any] = {
        "family": family.family,
        "version": family.version,
        "outcome_types": sorted(family.outcome_types),
        "what": inspect.getdoc(inspect.getmodule(family)) or "",
        "latest_fits": [
            {
                "as_of": run.as_of,
                "for": run.family,
                "worldview": run.worldview,
                "method": run.method,
                "gate": run.gate,
                **run.diagnostics,
            }
            for run in latest
        ],
    }
    if family.family == "survival":
        from forecasting.models.encoding.truces import instant_failures

        book = prior_book(bundled_bank())
        report["instant_failures"] = instant_failures(book, retracted(ledger.evidence()), now)
    return report
