"""Tables of a scoring frame: scores by forecaster and group with intervals, and the leaderboard."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from forecasting.comparison.against import NOTHING, difference, lifetime_scores, shared, window_of
from forecasting.domain.forecasters import BASE_RATE, ordered
from forecasting.domain.scores import NATURAL, SCORES, score_range
from forecasting.errors import InvalidInput
from forecasting.scoring.checks import LEAST_CLUSTERS, LEAST_OF_LEVEL
from forecasting.scoring.lifetime import where

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

GROUPS = ("forecaster", "question", "topic", "tag", "horizon", "month")
#: The column of a scoring frame that each of these groups by.
FACTS = {"topic": "topic", "tag": "tags", "month": "closes"}
HORIZONS = (1.0, 7.0, 30.0, 90.0, 180.0)
WINDOWS = ("scheduled", "until-resolution", "last")
#: What becomes of a question that a forecaster never spoke on while others did.
MISSING = ("leave-out", "uniform")
#: Draws over all rows of a table.
_WORK = 400_000_000
#: What two floats of one value may differ by.
SAME = 1e-12
#: Why scores in units that nobody stated are not averaged.
NO_UNIT = (
    "no mean over questions whose unit is not stated: by=question, or rule=baseline, which has none"
)


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
    rows: list[dict[str, Any]] = []
    types = frame["type"].unique()
    for kind_of_question in [kind for kind in NATURAL if kind in types]:
        used = rule or NATURAL[kind_of_question]
        if kind_of_question not in SCORES[used].types:
            continue
        part = where(frame, frame["type"] == kind_of_question)
        # A score in the unit of its question has no mean over barrels and days.
        for unit in dict.fromkeys(part["unit"]) if SCORES[used].in_units else [None]:
            table = _Table(
                part if unit is None else where(part, part["unit"] == unit),
                *(kind_of_question, unit, kind, used, convention, window, against, missing),
                resamples,
            )
            rows.extend(table.horizons() if by == "horizon" else table.rows(by))
    return rows


def check_table(rule: str, by: str, window: str, missing: str) -> None:
    """Refuse a table that nobody can make."""
    for name, value, allowed in (
        ("by", by, GROUPS),
        ("rule", rule or "brier", tuple(SCORES)),
        ("missing", missing, MISSING),
    ):
        if value not in allowed:
            raise InvalidInput(f"{name} ({value}): must be one of {', '.join(allowed)}")
    if window.partition("@")[0] not in (*WINDOWS, "spot"):
        msg = f"window ({window}): must be scheduled, spot@SHARE, until-resolution or last"
        raise InvalidInput(msg, hint="window=scheduled")
    window_of(window)
    if by == "horizon" and (window, missing) != ("scheduled", "leave-out"):
        msg = (
            f"by (horizon with window {window}, missing {missing}): reads forecasts at fixed times "
            "before the close"
        )
        raise InvalidInput(msg, hint="forecast score --by horizon")


@dataclass
class _Table:
    """The rows of one kind of forecast, one type of question and one unit of what is scored."""

    frame: "pd.DataFrame"
    type: str
    unit: str | None
    kind: str
    rule: str
    convention: str
    window: str
    against: str
    missing: str
    resamples: int

    def rows(self, by: str) -> list[dict[str, Any]]:
        scored = self._score(() if by in ("forecaster", "question") else (FACTS[by],))
        if by != "question":
            scored = where(scored, ~scored["too_soon"])
        if by == "tag":
            scored = scored.explode("tags").rename(columns={"tags": "tag"}).dropna(subset="tag")
        if by == "month":
            scored = scored.assign(month=scored["closes"].dt.strftime("%Y-%m"))
            scored = scored.sort_values("month", kind="stable")
        names = ["forecaster"] if by == "forecaster" else [by, "forecaster"]
        groups = _in_order(scored, names)
        # A table of a thousand people is to end too, so they share the draws.
        events = 1 if by == "question" else scored["event"].nunique()
        allowed = _WORK / max(len(groups) * events, 1)
        self.resamples = min(self.resamples, max(499, 500 * int(allowed / 500) - 1))
        rows = []
        for key, places in groups.items():
            group = scored.iloc[places]
            if by == "forecaster":
                rows.append(self._row(group, key[0]))
                continue
            row = self._row(group, key[1], by=by, value=key[0])
            if by == "question":
                row["excluded"] = bool(group["too_soon"].all())
            rows.append(row)
        return rows

    def horizons(self) -> list[dict[str, Any]]:
        from forecasting.scoring import lifetime

        rows = []
        counting = where(self.frame, ~self.frame["too_soon"])
        events = counting.drop_duplicates("question").set_index("question")["event"]
        for days in HORIZONS:
            if counting.empty:
                break
            scored = lifetime.at_horizon(counting, days, rule=self.rule, convention=self.convention)
            scored = scored.join(events, on="question").assign(
                coverage=1.0,
                possible_coverage=1.0,
                n_forecasts=1,
                proper=not SCORES[self.rule].crowd,
            )
            for (name,), places in _in_order(scored, ["forecaster"]).items():
                group = scored.iloc[places]
                label = f"{days:g} d before close, still open"
                row = self._row(group, name, by="horizon", value=label, others=scored)
                row["window"] = f"{days:g} d before close"
                row["event_rate"] = (
                    float((group["outcome"] == 1).mean()) if self.type == "binary" else None
                )
                rows.append(row)
        return rows

    def _score(self, more: Sequence[str] = ()) -> "pd.DataFrame":
        """Score the frame; a row has its event, whether it is too soon, and the facts named."""
        from forecasting.scoring import lifetime

        if self.window == "scheduled" and not SCORES[self.rule].crowd:
            # Beside it the number that most sites show: improper, for one answer can come early.
            scored = lifetime.score_while_open(
                self.frame, rule=self.rule, convention=self.convention
            )
        else:
            scored = lifetime_scores(
                self.frame, rule=self.rule, convention=self.convention, window=self.window
            )
        if self.missing == "uniform":
            scored = _filled(scored)
        facts = self.frame.loc[~self.frame.duplicated("question")].set_index("question")
        return scored.join(facts[["event", "too_soon", *more]], on="question")

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
        interval = level_interval(defined, group["event"], bounds=bounds, resamples=self.resamples)
        if group["score"].isna().any():
            note = "undefined: infinite scores of both signs"
            interval = replace(interval, mean=math.nan, lower=math.nan, upper=math.nan, note=note)
        n_questions = int(group["question"].nunique())
        if unknown := self.unit == "" and n_questions > 1:
            note = NO_UNIT
            interval = replace(interval, mean=math.nan, lower=math.nan, upper=math.nan, note=note)
        label = {by: str(value)} if by else {}
        row = {
            **label,
            "forecaster": str(name),
            "type": self.type,
            "unit": self.unit or "",
            "rule": self.rule,
            "convention": str(group["convention"].iloc[0]),
            "orientation": "larger" if bool(group["larger_is_better"].iloc[0]) else "smaller",
            "kind": self.kind,
            "window": self.window,
            "proper": bool(group["proper"].iloc[0]),
            "n_questions": n_questions,
            "n_forecasts": int(group["n_forecasts"].sum()),
            "n_events": int(group["event"].nunique()),
            "coverage": float(group["coverage"].mean()),
            "possible_coverage": float(group["possible_coverage"].mean()),
            "mean": interval.mean,
            "lower": interval.lower,
            "upper": interval.upper,
            "while_open": _mean(group["while_open"])
            if "while_open" in group and not unknown
            else None,
            "skill": None if unknown else _mean(group["skill"]),
            "reference": None if unknown else float(group["reference"].mean()),
            "missing": self.missing,
            "note": interval.note,
        }
        if self.against or not by:
            row |= (
                {"against": self.against or BASE_RATE, **NOTHING}
                if unknown
                else self._against(group, str(name), others)
            )
        return row

    def _against(
        self, group: "pd.DataFrame", name: str, others: "pd.DataFrame | None"
    ) -> dict[str, Any]:
        other = self.against or BASE_RATE
        if name == other or other not in self._present:
            return {"against": other, **NOTHING}
        if others is not None:
            theirs = others.loc[others["forecaster"] == other, ["question", "score"]]
            both = group[["question", "event", "score"]].merge(theirs, on="question")
            wide = both.rename(columns={"score_x": "a", "score_y": "b"})
        else:
            wide = self._shared[name]
            wide = wide[wide["question"].isin(group["question"])]
        low, high = score_range(self.rule, self.convention)
        # Against the same crowd two scores are no further apart than two Brier scores.
        largest = high if SCORES[self.rule].crowd else high - low
        return {"against": other, **difference(wide, self.resamples, largest=largest)}

    @cached_property
    def _present(self) -> frozenset[str]:
        return frozenset(self.frame["forecaster"].unique())

    @cached_property
    def _shared(self) -> "dict[str, pd.DataFrame]":
        """Everybody's scores beside those of whom they are measured against."""
        other = self.against or BASE_RATE
        return shared(
            self.frame,
            sorted(self._present - {other}),
            other,
            rule=self.rule,
            convention=self.convention,
            window=self.window,
        )


def _mean(values: "pd.Series[float]") -> float:
    import numpy as np

    # Infinities of both signs, or none that is defined, have no mean.
    with np.errstate(invalid="ignore"):
        return float(values.mean(skipna=False))


def _in_order(
    scored: "pd.DataFrame", names: Sequence[str]
) -> "dict[tuple[object, ...], NDArray[np.intp]]":
    """Give the rows of each group, forecasters in one fixed order: no table is a ranking."""
    import numpy as np

    place = {name: i for i, name in enumerate(ordered(scored["forecaster"].unique()))}
    indices = scored.groupby(list(names), sort=False).indices.items()
    groups = {key if isinstance(key, tuple) else (key,): np.asarray(rows) for key, rows in indices}
    order = sorted(groups, key=lambda key: (place[str(key[-1])], groups[key][0]))
    return {key: groups[key] for key in order}


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
    scored_pairs = scored.set_index(["question", "forecaster"]).index
    absent = every[~pd.MultiIndex.from_frame(every[["question", "forecaster"]]).isin(scored_pairs)]
    added = absent.assign(score=absent["reference"], skill=0.0, coverage=0.0, n_forecasts=0)
    if "while_open" in scored:
        added["while_open"] = added["score"]
    return pd.concat([scored, added[scored.columns]], ignore_index=True)


def board(
    scored: "pd.DataFrame",
    *,
    bounds: tuple[float, float] = (-math.inf, math.inf),
    withheld: str = "",
    sample: bool = True,
    seed: int = 0,
) -> tuple[list[dict[str, Any]], list[str]]:
    """Give the rows of a leaderboard from scores: question, forecaster, score, event.

    An adjusted score beyond the `bounds` of the score is none, and a note says so.
    """
    import numpy as np

    from forecasting.comparison import effects
    from forecasting.comparison.ranks import ranks

    who, what = scored["forecaster"].tolist(), scored["question"].tolist()
    event = scored["event"].tolist()
    table = effects(scored["score"], who, what, event)
    fitted = table.adjusted
    inside = np.flatnonzero(fitted.component == 0)
    rankable = inside[table.n_clusters[inside] >= LEAST_CLUSTERS]
    notes = []
    if fitted.n_components > 1:
        notes.append(
            f"{fitted.n_components} groups of forecasters share no question: "
            "no ranking across groups"
        )
    if len(few := inside[table.n_clusters[inside] < LEAST_CLUSTERS]):
        notes.append(f"{len(few)} with fewer than {LEAST_CLUSTERS} events: too few to rank")
    if withheld:
        notes.append(f"no ranking: {withheld}")
    elif len(rankable) < 2:
        notes.append("no ranking: it needs two forecasters with enough events")
    ranked: dict[str, dict[str, float]] = {}
    if not withheld and len(rankable) >= 2:
        names = set(fitted.forecaster[rankable].tolist())
        rankable_scores = scored[scored["forecaster"].isin(names)]
        columns = [rankable_scores[name].tolist() for name in ("forecaster", "question", "event")]
        among = effects(rankable_scores["score"], *columns)
        if np.isnan(among.lower).all():
            withheld = "no spread: the forecasters' scores differ by the same on every event"
            notes.append(f"no ranking: {withheld}")
    if not withheld and len(rankable) >= 2:
        chance = ranks(rankable_scores["score"], *columns, effects=among, sample=sample, seed=seed)
        first = np.flatnonzero(among.adjusted.component == 0)
        order = np.argsort(among.adjusted.adjusted[first], kind="stable")
        rank = np.empty(len(first), dtype=int)
        rank[order] = np.arange(1, len(first) + 1)
        for index, row in enumerate(first):
            ranked[str(among.adjusted.forecaster[row])] = {
                "rank": int(rank[index]),
                "p_best": float(chance.p_best[index]),
                "rank_lower": int(chance.rank_lower[index]),
                "rank_upper": int(chance.rank_upper[index]),
            }
        how = "a Gaussian approximation of the hierarchical model"
        if chance.method == "pymc":
            how = "a hierarchical model of forecasters, questions and events, sampled"
        notes.append(f"probabilities of rank: {how}")
        if chance.note:
            notes.append(chance.note)
    outside = (fitted.adjusted < bounds[0] - SAME) | (fitted.adjusted > bounds[1] + SAME)
    if n := int(outside.sum()):
        notes.append(
            f"{n} adjusted score{'s' * (n > 1)} beyond what the score can be, not shown: too few "
            "shared questions tell how hard theirs were"
        )
    rows = []
    for index, name in enumerate(map(str, fitted.forecaster)):
        place = ranked.get(name, {})
        # The interval of a forecaster who shares no question with others has no width.
        apart = table.upper[index] - table.lower[index] > SAME
        bounded = apart and table.n_clusters[index] >= LEAST_OF_LEVEL and not outside[index]
        rows.append(
            {
                "rank": place.get("rank"),
                "forecaster": name,
                "raw": float(fitted.raw[index]),
                "adjusted": math.nan if outside[index] else float(fitted.adjusted[index]),
                "lower": float(table.lower[index]) if bounded else math.nan,
                "upper": float(table.upper[index]) if bounded else math.nan,
                "p_best": place.get("p_best"),
                "rank_lower": place.get("rank_lower"),
                "rank_upper": place.get("rank_upper"),
                "component": int(fitted.component[index]),
                "n_questions": int(fitted.n[index]),
                "n_events": int(table.n_clusters[index]),
            }
        )
    fixed = {name: i for i, name in enumerate(ordered(str(row["forecaster"]) for row in rows))}

    def where(row: dict[str, Any]) -> tuple[Any, ...]:
        # Ranked ones by rank; all others in the fixed order, so that no table is a ranking.
        return (row["component"], row["rank"] is None, row["rank"] or 0, fixed[row["forecaster"]])

    return sorted(rows, key=where), notes
