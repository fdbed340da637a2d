"""Scores by forecaster and by group, with intervals over events."""

import datetime as dt
import math
from typing import TYPE_CHECKING, Any

from forecasting.app.catalog import Catalog
from forecasting.app.frames import (
    Selection,
    kinds_present,
    same_window,
    scoring_frame,
    select,
)
from forecasting.domain.forecast import KINDS
from forecasting.domain.instants import parse_when
from forecasting.errors import InvalidInput
from forecasting.review.cast import ordered
from forecasting.store import Ledger

if TYPE_CHECKING:
    import pandas as pd

#: The rule that each type of question is scored by unless one is asked for.
NATURAL = {"binary": "brier", "categorical": "brier", "ordered": "rps", "numeric": "crps"}
FITTING = {
    "brier": ("binary", "categorical"),
    "log": ("binary", "categorical"),
    "rps": ("ordered",),
    "crps": ("numeric",),
}
GROUPS = ("forecaster", "question", "topic", "tag", "horizon", "month")
HORIZONS = (1.0, 7.0, 30.0, 90.0, 180.0)
WINDOWS = ("scheduled", "until-resolution", "last")
BASE_RATE = "base-rate"


def scores(
    ledger: Ledger,
    *,
    rule: str = "",
    convention: str = "half",
    by: str = "forecaster",
    window: str = "scheduled",
    selection: Selection | None = None,
    resamples: int = 4999,
) -> list[dict[str, Any]]:
    """Score forecasters over the lifetime of questions, question types apart.

    Parameters
    ----------
    rule : str
        ``brier``, ``log``, ``rps``, ``crps``; empty: each question type by its natural rule.
    by : str
        ``forecaster``, or that within ``question``, ``topic``, ``tag``, ``horizon``, ``month``.
    window : str
        ``scheduled`` (proper), ``spot@SHARE_OR_TIME`` (proper), ``until-resolution`` and ``last``
        (improper, so marked).

    Returns
    -------
    list of dict
        A row per forecaster, group and question type; see the contract for the keys. ``mean`` is
        smaller when better; ``skill`` is the uniform forecast's score less the mean.
    """
    wanted = selection or Selection()
    if by not in GROUPS:
        msg = f"by ({by}): must be one of {', '.join(GROUPS)}"
        raise InvalidInput(msg)
    if rule and rule not in FITTING:
        msg = f"rule ({rule}): must be one of {', '.join(FITTING)}"
        raise InvalidInput(msg)
    if window.partition("@")[0] not in (*WINDOWS, "spot"):
        msg = f"window ({window}): must be scheduled, spot@SHARE, until-resolution or last"
        raise InvalidInput(msg)
    catalog = Catalog.of(ledger)
    kinds = (
        [k for k in KINDS if k in kinds_present(ledger)] if wanted.kind == "all" else [wanted.kind]
    )
    rows: list[dict[str, Any]] = []
    for kind in kinds:
        chosen = Selection(kind, wanted.run, "", wanted.question, wanted.tag, wanted.as_of)
        frame = scoring_frame(ledger, catalog, select(ledger, catalog, chosen), as_of=wanted.as_of)
        # One fixed order, of types and of forecasters, so that no table is a ranking.
        place = {name: i for i, name in enumerate(ordered(set(frame["forecaster"])))}
        frame = frame.iloc[frame["forecaster"].map(place).argsort(kind="stable")]
        for kind_of_question in [kind for kind in NATURAL if kind in set(frame["type"])]:
            used = rule or NATURAL[kind_of_question]
            if kind_of_question not in FITTING[used]:
                continue
            part = frame[frame["type"] == kind_of_question]
            table = _Table(part, used, convention, window, kind, kind_of_question, resamples)
            rows.extend(table.horizons() if by == "horizon" else table.rows(by))
    return [row for row in rows if not wanted.forecaster or row["forecaster"] == wanted.forecaster]


class _Table:
    """The rows of one kind of forecast and one type of question."""

    def __init__(
        self,
        frame: "pd.DataFrame",
        rule: str,
        convention: str,
        window: str,
        kind: str,
        question_type: str,
        resamples: int,
    ) -> None:
        self.frame = frame
        self.rule, self.convention, self.window = rule, convention, window
        self.kind, self.type = kind, question_type
        self.resamples = resamples

    def _score(self, frame: "pd.DataFrame") -> "pd.DataFrame":
        from forecasting.scoring import lifetime

        name, _, moment = self.window.partition("@")
        at = _spot(moment) if name == "spot" else None
        scored = lifetime.score(
            frame, rule=self.rule, convention=self.convention, window=name, at=at
        )
        facts = frame.drop_duplicates("question").set_index("question")
        return scored.join(facts[["event", "topic", "tags", "closes", "too_soon"]], on="question")

    def rows(self, by: str) -> list[dict[str, Any]]:
        scored = self._score(self.frame)
        if by == "question":
            return [
                {
                    **self._row(group, name, by=by, value=question),
                    "excluded": bool(group["too_soon"].all()),
                }
                for (question, name), group in scored.groupby(
                    ["question", "forecaster"], sort=False
                )
            ]
        scored = scored[~scored["too_soon"]]
        if by == "forecaster":
            return [
                self._row(group, name) for name, group in scored.groupby("forecaster", sort=False)
            ]
        if by == "tag":
            scored = scored.explode("tags").rename(columns={"tags": "tag"})
        if by == "month":
            scored = scored.assign(month=scored["closes"].dt.strftime("%Y-%m"))
        return [
            self._row(group, name, by=by, value=value)
            for (value, name), group in scored.groupby([by, "forecaster"], sort=False)
        ]

    def horizons(self) -> list[dict[str, Any]]:
        from forecasting.scoring import lifetime

        rows = []
        kept = self.frame[~self.frame["too_soon"]]
        events = kept.drop_duplicates("question").set_index("question")["event"]
        for days in HORIZONS:
            if kept.empty:
                break
            scored = lifetime.at_horizon(kept, days, rule=self.rule, convention=self.convention)
            scored = scored.join(events, on="question")
            for name, group in scored.groupby("forecaster", sort=False):
                whole = group.assign(
                    coverage=1.0, possible_coverage=1.0, n_forecasts=1, proper=True
                )
                row = self._row(
                    whole, name, by="horizon", value=f"{days:g} d before close, still open"
                )
                row["event_rate"] = (
                    float((group["outcome"] == 1).mean()) if self.type == "binary" else None
                )
                rows.append(row)
        return rows

    def _row(
        self, group: "pd.DataFrame", name: object, *, by: str = "", value: object = ""
    ) -> dict[str, Any]:
        from forecasting.comparison import studentised_interval

        found = studentised_interval(group["score"], group["event"], resamples=self.resamples)
        label = {by: str(value)} if by else {}
        row = {
            **label,
            "forecaster": str(name),
            "type": self.type,
            "rule": self.rule,
            "convention": str(group["convention"].iloc[0]),
            "kind": self.kind,
            "window": self.window,
            "proper": bool(group["proper"].iloc[0]),
            "n_questions": int(group["question"].nunique()),
            "n_forecasts": int(group["n_forecasts"].sum()),
            "n_events": int(group["event"].nunique()),
            "coverage": float(group["coverage"].mean()),
            "possible_coverage": float(group["possible_coverage"].mean()),
            "mean": found.mean,
            # No mean score lies outside its rule's range, so neither does its interval.
            "lower": max(found.lower, 0.0) if found.lower == found.lower else found.lower,
            "upper": min(found.upper, _largest(self.rule, self.convention)),
            "skill": float(group["skill"].mean()),
            "reference": float(group["reference"].mean()),
            "note": found.note,
        }
        if not by:
            row.update(self._against_base_rate(str(name)))
        return row

    def _against_base_rate(self, name: str) -> dict[str, Any]:
        keys = ("difference", "difference_lower", "difference_upper", "n_shared", "detectable")
        if name == BASE_RATE or BASE_RATE not in set(self.frame["forecaster"]):
            return dict.fromkeys(keys)
        return difference(
            self.frame,
            name,
            BASE_RATE,
            rule=self.rule,
            convention=self.convention,
            resamples=self.resamples,
        )


def difference(
    frame: "pd.DataFrame",
    a: str,
    b: str,
    *,
    rule: str,
    convention: str = "half",
    resamples: int = 4999,
) -> dict[str, Any]:
    """Compare two forecasters on shared questions over the same part of each scheduled window.

    Below 0, `a` is the better. Questions that resolved too soon are left out.
    """
    from forecasting.comparison import paired_bootstrap
    from forecasting.scoring import lifetime

    shared = same_window(frame[~frame["too_soon"]], [a, b])
    if shared.empty:
        return {
            "difference": None,
            "difference_lower": None,
            "difference_upper": None,
            "n_shared": 0,
            "detectable": None,
        }
    scored = lifetime.score(shared, rule=rule, convention=convention)
    wide = scored.pivot(index="question", columns="forecaster", values="score")
    events = shared.drop_duplicates("question").set_index("question")["event"]
    found = paired_bootstrap(
        wide[a], wide[b], cluster=events.loc[wide.index].tolist(), resamples=resamples
    )
    return {
        "difference": found.difference,
        "difference_lower": found.lower,
        "difference_upper": found.upper,
        "n_shared": found.n_shared,
        "n_shared_events": found.n_clusters,
        "difference_note": found.note,
        "detectable": found.detectable,
    }


def _largest(rule: str, convention: str) -> float:
    """Give the largest score of a rule; only the Brier score has one for all questions."""
    return {"half": 1.0, "full": 2.0}[convention] if rule == "brier" else math.inf


def _spot(text: str) -> "float | dt.datetime":
    try:
        share = float(text)
    except ValueError:
        return parse_when(text)
    if not 0 <= share < 1:
        msg = f"spot ({text}): a share of the window lies in [0, 1)"
        raise InvalidInput(msg, hint="--window spot@0.5")
    return share


def empty_note(ledger: Ledger, kind: str) -> str:
    """Say that a kind has nothing to score and name the kinds that have."""
    others = [other for other in kinds_present(ledger) if other != kind]
    if not others:
        return f"no {kind} forecast of a resolved question yet"
    named = " or ".join(f"--kind {other}" for other in others)
    return f"no {kind} forecast of a resolved question yet; there are others: {named}"
