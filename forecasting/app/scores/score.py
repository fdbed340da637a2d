"""Scores by forecaster and by group, with intervals over events."""

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from forecasting.app.frames import Selection, kinds_present, resolved
from forecasting.app.scores import paired
from forecasting.app.scores.references import CLIMATOLOGY, UNIFORM, known_forecaster, with_reference
from forecasting.domain.forecast import KINDS
from forecasting.domain.forecasters import ordered
from forecasting.domain.scores import NATURAL, SCORES, score_range
from forecasting.errors import InvalidInput
from forecasting.store import Ledger

if TYPE_CHECKING:
    import pandas as pd

GROUPS = ("forecaster", "question", "topic", "tag", "horizon", "month")
HORIZONS = (1.0, 7.0, 30.0, 90.0, 180.0)
WINDOWS = ("scheduled", "until-resolution", "last")
#: What becomes of a question that a forecaster never spoke on while others did.
MISSING = ("leave-out", "uniform")
BASE_RATE = "base-rate"
#: Draws over all rows of a table, so that a table of a thousand people still ends.
_WORK = 400_000_000


def scores(
    ledger: Ledger,
    *,
    rule: str = "",
    convention: str = "half",
    by: str = "forecaster",
    window: str = "scheduled",
    selection: Selection | None = None,
    against: str = "",
    missing: str = "leave-out",
    resamples: int = 4999,
) -> list[dict[str, Any]]:
    """Score forecasters over the lifetime of questions, question types apart.

    Parameters
    ----------
    rule : str
        ``brier``, ``log``, ``spherical``, ``rps``, ``crps``, ``baseline``, ``peer``,
        ``relative``; empty: each question type by its natural rule. The last two compare with
        everybody of that kind in force on the question, and are not proper scores.
    by : str
        ``forecaster``, or that within ``question``, ``topic``, ``tag``, ``horizon``, ``month``
        (of the scheduled close).
    window : str
        ``scheduled`` (proper), ``spot@SHARE_OR_TIME`` (proper), ``until-resolution`` and ``last``
        (marked as not proper).
    against : str
        A forecaster, ``uniform`` or ``climatology`` to take the difference from, on shared
        questions and the same part of each window; empty: the base rate, by forecaster alone.
    missing : str
        ``leave-out``: a question that a forecaster skipped is not in their mean.
        ``uniform``: it counts as the uniform forecast, coverage 0.

    Returns
    -------
    list of dict
        A row per forecaster, group and question type; see the contract for the keys. `mean` is
        smaller when better unless `orientation` says ``larger``; ``skill`` is larger when better.
        ``while_open`` is the mean until each resolution, beside the scheduled one (not proper).
    """
    wanted = selection or Selection()
    _check(rule, by, window, missing)
    known_forecaster(ledger, wanted.forecaster)
    kinds = (
        [k for k in KINDS if k in kinds_present(ledger)] if wanted.kind == "all" else [wanted.kind]
    )
    rows: list[dict[str, Any]] = []
    for kind in kinds:
        frame = resolved(ledger, replace(wanted, kind=kind, forecaster=""), seals="worst")
        if against and len(frame) and not (wanted.kind == "all" and _lacks(frame, against)):
            frame = with_reference(frame, against)
        rows += from_frame(
            frame,
            kind=kind,
            rule=rule,
            convention=convention,
            by=by,
            window=window,
            against=against,
            missing=missing,
            resamples=resamples,
        )
    return [
        {**row, "reading": wanted.reading}
        for row in rows
        if not wanted.forecaster or row["forecaster"] == wanted.forecaster
    ]


def from_frame(
    frame: "pd.DataFrame",
    *,
    kind: str,
    rule: str = "",
    convention: str = "half",
    by: str = "forecaster",
    window: str = "scheduled",
    against: str = "",
    missing: str = "leave-out",
    resamples: int = 4999,
) -> list[dict[str, Any]]:
    """Give the rows of :func:`scores` for one scoring frame."""
    # One fixed order, of types and of forecasters, so that no table is a ranking.
    place = {name: i for i, name in enumerate(ordered(set(frame["forecaster"])))}
    frame = frame.iloc[frame["forecaster"].map(place).argsort(kind="stable")]
    rows: list[dict[str, Any]] = []
    for kind_of_question in [kind for kind in NATURAL if kind in set(frame["type"])]:
        used = rule or NATURAL[kind_of_question]
        if kind_of_question not in SCORES[used].types:
            continue
        table = _Table(
            frame[frame["type"] == kind_of_question],
            rule=used,
            convention=convention,
            window=window,
            kind=kind,
            question_type=kind_of_question,
            against=against,
            missing=missing,
            resamples=resamples,
        )
        rows.extend(table.horizons() if by == "horizon" else table.rows(by))
    return rows


def _lacks(frame: "pd.DataFrame", name: str) -> bool:
    return name not in (UNIFORM, CLIMATOLOGY) and name not in set(frame["forecaster"])


def _check(rule: str, by: str, window: str, missing: str) -> None:
    for name, value, allowed in (
        ("by", by, GROUPS),
        ("rule", rule or "brier", tuple(SCORES)),
        ("missing", missing, MISSING),
    ):
        if value not in allowed:
            msg = f"{name} ({value}): must be one of {', '.join(allowed)}"
            raise InvalidInput(msg)
    if window.partition("@")[0] not in (*WINDOWS, "spot"):
        msg = f"window ({window}): must be scheduled, spot@SHARE, until-resolution or last"
        raise InvalidInput(msg, hint="window=scheduled")
    paired.window_of(window)
    if by == "horizon" and (window, missing) != ("scheduled", "leave-out"):
        msg = (
            f"by (horizon with window {window}, missing {missing}): reads forecasts at fixed times "
            "before the close"
        )
        raise InvalidInput(msg, hint="forecast score --by horizon")


class _Table:
    """The rows of one kind of forecast and one type of question."""

    def __init__(
        self,
        frame: "pd.DataFrame",
        *,
        rule: str,
        convention: str,
        window: str,
        kind: str,
        question_type: str,
        against: str,
        missing: str,
        resamples: int,
    ) -> None:
        self.frame = frame
        self.rule, self.convention, self.window = rule, convention, window
        self.kind, self.type = kind, question_type
        self.against, self.missing = against, missing
        self.resamples = resamples
        self._shared: dict[str, pd.DataFrame] = {}
        self._present = frozenset(frame["forecaster"])

    def rows(self, by: str) -> list[dict[str, Any]]:
        scored = self._score()
        if by == "question":
            groups = scored.groupby(["question", "forecaster"], sort=False)
            self._budget(groups.ngroups, 1)
            return [
                {
                    **self._row(group, name, by=by, value=question),
                    "excluded": bool(group["too_soon"].all()),
                }
                for (question, name), group in groups
            ]
        scored = scored[~scored["too_soon"]]
        if by == "forecaster":
            by_name = scored.groupby("forecaster", sort=False)
            self._budget(by_name.ngroups, scored["event"].nunique())
            return [self._row(group, name) for name, group in by_name]
        if by == "tag":
            scored = scored.explode("tags").rename(columns={"tags": "tag"}).dropna(subset="tag")
        if by == "month":
            scored = scored.assign(month=scored["closes"].dt.strftime("%Y-%m"))
        groups = scored.groupby([by, "forecaster"], sort=False)
        self._budget(groups.ngroups, scored["event"].nunique())
        return [self._row(group, name, by=by, value=value) for (value, name), group in groups]

    def horizons(self) -> list[dict[str, Any]]:
        from forecasting.scoring import lifetime

        rows = []
        kept = self.frame[~self.frame["too_soon"]]
        events = kept.drop_duplicates("question").set_index("question")["event"]
        for days in HORIZONS:
            if kept.empty:
                break
            scored = lifetime.at_horizon(kept, days, rule=self.rule, convention=self.convention)
            scored = scored.join(events, on="question").assign(
                coverage=1.0,
                possible_coverage=1.0,
                n_forecasts=1,
                proper=not SCORES[self.rule].crowd,
            )
            for name, group in scored.groupby("forecaster", sort=False):
                label = f"{days:g} d before close, still open"
                row = self._row(group, name, by="horizon", value=label, others=scored)
                row["window"] = f"{days:g} d before close"
                row["event_rate"] = (
                    float((group["outcome"] == 1).mean()) if self.type == "binary" else None
                )
                rows.append(row)
        return rows

    def _score(self) -> "pd.DataFrame":
        scored = paired.lifetime_scores(
            self.frame, rule=self.rule, convention=self.convention, window=self.window
        )
        if self.window == "scheduled" and not SCORES[self.rule].crowd:
            # The number that most sites show: improper, for one answer alone can come early.
            until = paired.lifetime_scores(
                self.frame, rule=self.rule, convention=self.convention, window="until-resolution"
            )
            keys = ["question", "forecaster"]
            scored = scored.merge(
                until[[*keys, "score"]].rename(columns={"score": "while_open"}), on=keys, how="left"
            )
        if self.missing == "uniform":
            scored = _filled(scored)
        facts = self.frame.drop_duplicates("question").set_index("question")
        return scored.join(facts[["event", "topic", "tags", "closes", "too_soon"]], on="question")

    def _budget(self, rows: int, events: int) -> None:
        allowed = _WORK / max(rows * events, 1)
        self.resamples = min(self.resamples, max(499, 500 * int(allowed / 500) - 1))

    def _row(
        self,
        group: "pd.DataFrame",
        name: object,
        *,
        by: str = "",
        value: object = "",
        others: "pd.DataFrame | None" = None,
    ) -> dict[str, Any]:
        from forecasting.comparison import level_interval

        bounds = score_range(self.rule, self.convention)
        # Gains and losses without end within one window have no mean: a peer score may have both.
        defined = group["score"].fillna(0.0)
        found = level_interval(defined, group["event"], bounds=bounds, resamples=self.resamples)
        if group["score"].isna().any():
            note = "undefined: infinite scores of both signs"
            found = replace(found, mean=math.nan, lower=math.nan, upper=math.nan, note=note)
        label = {by: str(value)} if by else {}
        row = {
            **label,
            "forecaster": str(name),
            "type": self.type,
            "rule": self.rule,
            "convention": str(group["convention"].iloc[0]),
            "orientation": "larger" if bool(group["larger_is_better"].iloc[0]) else "smaller",
            "kind": self.kind,
            "window": self.window,
            "proper": bool(group["proper"].iloc[0]),
            "n_questions": int(group["question"].nunique()),
            "n_forecasts": int(group["n_forecasts"].sum()),
            "n_events": int(group["event"].nunique()),
            "coverage": float(group["coverage"].mean()),
            "possible_coverage": float(group["possible_coverage"].mean()),
            "mean": found.mean,
            "lower": found.lower,
            "upper": found.upper,
            "while_open": _mean(group["while_open"]) if "while_open" in group else None,
            "skill": _mean(group["skill"]),
            "reference": float(group["reference"].mean()),
            "missing": self.missing,
            "note": found.note,
        }
        against = self.against or ("" if by else BASE_RATE)
        if against:
            row.update(self._against(group, str(name), against, others))
        return row

    def _against(
        self, group: "pd.DataFrame", name: str, other: str, others: "pd.DataFrame | None"
    ) -> dict[str, Any]:
        if name == other or other not in self._present:
            return {"against": other, **paired.NOTHING}
        questions = group["question"]
        if others is not None:
            theirs = others[(others["forecaster"] == other) & others["question"].isin(questions)]
            found = paired.matched(group, theirs, resamples=self.resamples)
        else:
            if not self._shared:
                self._shared = paired.all_shared(
                    self.frame,
                    sorted(self._present - {other}),
                    other,
                    rule=self.rule,
                    convention=self.convention,
                    window=self.window,
                )
            wide = self._shared[name]
            found = paired.found(wide[wide["question"].isin(questions)], self.resamples)
        return {"against": other, **found}


def _mean(values: "pd.Series[float]") -> float:
    import numpy as np

    # Infinities of both signs, or none that is defined, have no mean.
    with np.errstate(invalid="ignore"):
        return float(values.mean(skipna=False))


def _filled(scored: "pd.DataFrame") -> "pd.DataFrame":
    """Add the questions that a forecaster never spoke on, as uniform forecasts."""
    import pandas as pd

    about = [
        "question", "reference", "possible_coverage", "question_type", "rule", "convention",
        "window", "proper", "larger_is_better",
    ]  # fmt: skip
    questions = scored[about].drop_duplicates("question")
    names = scored[["forecaster"]].drop_duplicates()
    every = names.merge(questions, how="cross")
    kept = scored.set_index(["question", "forecaster"]).index
    absent = every[~pd.MultiIndex.from_frame(every[["question", "forecaster"]]).isin(kept)]
    added = absent.assign(score=absent["reference"], skill=0.0, coverage=0.0, n_forecasts=0)
    if "while_open" in scored:
        added["while_open"] = added["score"]
    return pd.concat([scored, added[scored.columns]], ignore_index=True)
