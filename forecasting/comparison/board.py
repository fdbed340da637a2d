"""A leaderboard from scores; ranks stand only where there can be any."""

import math
from typing import TYPE_CHECKING, Any

from forecasting.domain.forecasters import ordered
from forecasting.scoring.checks import LEAST_CLUSTERS, LEAST_OF_LEVEL

if TYPE_CHECKING:
    import pandas as pd

#: What two floats of one value may differ by.
SAME = 1e-12


def board(
    scored: "pd.DataFrame", *, withheld: str = "", sample: bool = True, seed: int = 0
) -> tuple[list[dict[str, Any]], list[str]]:
    """Give the rows of a leaderboard from scores: question, forecaster, score, event."""
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
    rows = []
    for index, name in enumerate(map(str, fitted.forecaster)):
        place = ranked.get(name, {})
        # The interval of a forecaster who shares no question with others has no width.
        apart = table.upper[index] - table.lower[index] > SAME
        bounded = apart and table.n_clusters[index] >= LEAST_OF_LEVEL
        rows.append(
            {
                "rank": place.get("rank"),
                "forecaster": name,
                "raw": float(fitted.raw[index]),
                "adjusted": float(fitted.adjusted[index]),
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
