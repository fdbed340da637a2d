"""Every version of an outcome, and the scores had each of them stood."""

from dataclasses import replace
from typing import Any

from forecasting.app.catalog import Catalog
from forecasting.app.frames import Selection, resolved
from forecasting.app.questions.load import resolution_row
from forecasting.app.scores.score import from_frame
from forecasting.domain.forecast import KINDS, kind_named
from forecasting.domain.resolution import Resolution
from forecasting.errors import InvalidInput
from forecasting.store import Ledger


def resolutions(ledger: Ledger, name: str = "") -> list[dict[str, Any]]:
    """Give every version of the outcome of a question, of a ladder's rungs, or of all.

    In the order of recording, with whether each ``stands``. An annulment that follows from a failed
    condition is no entry: version 0.
    """
    catalog = Catalog.of(ledger)
    rows = []
    for version in _versions(ledger, catalog, name):
        row = resolution_row(version)
        if name and version.seq is not None:
            row["id"] = None if version.derived else ledger.entry(version.seq).id
        rows.append({**row, "stands": catalog.outcomes.get(version.question) == version})
    return rows


def scored(
    ledger: Ledger, name: str, *, kind: str = "live", run: str = "", rule: str = ""
) -> list[dict[str, Any]]:
    """Score the forecasters of a question over its scheduled window, had each version stood.

    A version without an outcome, and one that nobody's forecast meets, has one row with `n` 0.
    """
    kind = kind_named(kind)
    if kind not in KINDS:
        msg = f"kind ({kind}): must be one of {', '.join(KINDS)}"
        raise InvalidInput(msg)
    catalog = Catalog.of(ledger)
    rows: list[dict[str, Any]] = []
    for version in _versions(ledger, catalog, name):
        about = {**resolution_row(version), "kind": kind}
        wanted = Selection(kind, run, question=version.question)
        rows += [
            {
                **about,
                "forecaster": row["forecaster"],
                "mean": row["mean"],
                "n": row["n_forecasts"],
                "rule": row["rule"],
                "coverage": row["coverage"],
                "skill": row["skill"],
            }
            for row in _under(ledger, catalog, version, wanted, rule)
        ] or [{**about, "forecaster": None, "mean": None, "n": 0, "rule": None}]
    return rows


def _versions(ledger: Ledger, catalog: Catalog, name: str) -> list[Resolution]:
    names = {question.id for question in catalog.find(name)} if name else set(catalog.questions)
    derived = [
        catalog.outcomes[question]
        for question in sorted(names)
        if question in catalog.outcomes and catalog.outcomes[question].derived
    ]
    return [version for version in ledger.resolutions() if version.question in names] + derived


def _under(
    ledger: Ledger, catalog: Catalog, version: Resolution, wanted: Selection, rule: str
) -> list[dict[str, Any]]:
    """Score as if one version stood."""
    if version.said not in ("resolved", "disputed"):
        return []
    supposed = replace(catalog, outcomes={version.question: version})
    frame = resolved(ledger, wanted, seals="worst", supposed=supposed)
    rows = from_frame(frame, kind=wanted.kind, by="question", rule=rule)
    # Who spoke only after this version's outcome could be known did not forecast it.
    return [row for row in rows if row["n_forecasts"]]
