"""Scores freed from the choice of questions, with ranks only where there can be any."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from forecasting.app.frames import Selection, resolved
from forecasting.app.scores import paired
from forecasting.domain.forecasters import ordered
from forecasting.domain.scores import NATURAL, RANKED, SCORES
from forecasting.errors import InvalidInput
from forecasting.scoring.checks import LEAST_CLUSTERS
from forecasting.store import Ledger

if TYPE_CHECKING:
    import pandas as pd

WINDOWS = ("scheduled", "spot")


def leaderboard(
    ledger: Ledger,
    *,
    rule: str = "",
    convention: str = "half",
    window: str = "scheduled",
    question_type: str = "binary",
    selection: Selection | None = None,
    sample: bool = True,
    seed: int = 0,
) -> tuple[list[dict[str, Any]], list[str]]:
    """Give a row per forecaster, and what is to be said beside the table.

    Parameters
    ----------
    rule : str
        ``brier``, ``spherical``, ``rps``, ``crps``: finite scores, for the adjustment.
    window : str
        ``scheduled``, or ``spot@SHARE`` for those only who had a forecast in force there.
    question_type : str
        One type, for types are never averaged together.
    sample : bool
        Sample the hierarchical model for the probabilities of rank, or approximate it.

    Returns
    -------
    rows : list of dict
        ``forecaster, raw, adjusted, lower, upper, p_best, component`` and more. `adjusted` is the
        expected score on the average question of the largest connected component. ``rank`` and
        ``p_best`` are null where there is no ranking: for forecasters with fewer than 8 events or
        in another component, and for every replay, whose questions were written with hindsight.
    notes : list of str
        Why somebody is not ranked, and how the probabilities were computed.

    Raises
    ------
    InvalidInput
        For a rule or a window that cannot rank, or does not fit the type.
    """
    wanted = selection or Selection()
    used = rule or NATURAL.get(question_type, "")
    if question_type not in NATURAL:
        msg = f"type ({question_type}): must be one of {', '.join(NATURAL)}"
        raise InvalidInput(msg, hint="question_type=binary")
    if used not in RANKED or question_type not in SCORES[used].types:
        msg = (
            f"rule ({used}): must be one of {', '.join(RANKED)} and score {question_type} questions"
        )
        raise InvalidInput(msg, hint=f"rule={NATURAL[question_type]}")
    if paired.window_of(window)[0] not in WINDOWS:
        msg = f"window ({window}): is not a proper score, so no ranking is made"
        raise InvalidInput(msg, hint="window=scheduled or window=spot@0.5")
    asked = replace(wanted, forecaster="")
    frame = resolved(ledger, asked, seals="worst")
    frame = frame[(frame["type"] == question_type) & ~frame["too_soon"]]
    if frame.empty:
        return [], ["nothing to compare yet: none of these questions has resolved"]
    scored = paired.lifetime_scores(frame, rule=used, convention=convention, window=window)
    if window != "scheduled":
        scored = scored[scored["coverage"] == 1]
    events = frame.drop_duplicates("question").set_index("question")["event"]
    rows, notes = board(
        scored.join(events, on="question"),
        withheld="a replay was written with hindsight" if wanted.kind == "replay" else "",
        sample=sample,
        seed=seed,
    )
    about = {"rule": used, "convention": scored["convention"].iloc[0], "kind": wanted.kind}
    found = [{**row, **about, "window": window, "type": question_type} for row in rows]
    if wanted.forecaster:
        found = [row for row in found if row["forecaster"] == wanted.forecaster]
    return found, notes


def board(
    scored: "pd.DataFrame", *, withheld: str = "", sample: bool = True, seed: int = 0
) -> tuple[list[dict[str, Any]], list[str]]:
    """Give the rows of a leaderboard from scores: question, forecaster, score, event."""
    import numpy as np

    from forecasting.comparison import effects
    from forecasting.comparison.ranks import ranks

    who, what = scored["forecaster"].tolist(), scored["question"].tolist()
    event = scored["event"].tolist()
    found = effects(scored["score"], who, what, event)
    fitted = found.adjusted
    inside = np.flatnonzero(fitted.component == 0)
    rankable = inside[found.n_clusters[inside] >= LEAST_CLUSTERS]
    notes = []
    if fitted.n_components > 1:
        notes.append(
            f"{fitted.n_components} groups of forecasters share no question: "
            "no ranking across groups"
        )
    if len(few := inside[found.n_clusters[inside] < LEAST_CLUSTERS]):
        notes.append(f"{len(few)} with fewer than {LEAST_CLUSTERS} events: too few to rank")
    if withheld:
        notes.append(f"no ranking: {withheld}")
    elif len(rankable) < 2:
        notes.append("no ranking: it needs two forecasters with enough events")
    p_best: dict[str, float] = {}
    place: dict[str, tuple[int, int, int]] = {}
    if not withheld and len(rankable) >= 2:
        names = set(fitted.forecaster[rankable].tolist())
        kept = scored[scored["forecaster"].isin(names)]
        columns = [kept[name].tolist() for name in ("forecaster", "question", "event")]
        among = effects(kept["score"], *columns)
        chance = ranks(kept["score"], *columns, effects=among, sample=sample, seed=seed)
        first = np.flatnonzero(among.adjusted.component == 0)
        order = np.argsort(among.adjusted.adjusted[first], kind="stable")
        rank = np.empty(len(first), dtype=int)
        rank[order] = np.arange(1, len(first) + 1)
        for index, row in enumerate(first):
            name = str(among.adjusted.forecaster[row])
            p_best[name] = float(chance.p_best[index])
            place[name] = (
                int(rank[index]),
                int(chance.rank_lower[index]),
                int(chance.rank_upper[index]),
            )
        notes.append(f"probabilities of rank: {_how(chance.method)}")
        if chance.note:
            notes.append(chance.note)
    rows = [
        {
            "rank": place.get(str(name), (None,))[0],
            "forecaster": str(name),
            "raw": float(fitted.raw[index]),
            "adjusted": float(fitted.adjusted[index]),
            "lower": float(found.lower[index]),
            "upper": float(found.upper[index]),
            "p_best": p_best.get(str(name)),
            "rank_lower": place[str(name)][1] if str(name) in place else None,
            "rank_upper": place[str(name)][2] if str(name) in place else None,
            "component": int(fitted.component[index]),
            "n_questions": int(fitted.n[index]),
            "n_events": int(found.n_clusters[index]),
        }
        for index, name in enumerate(fitted.forecaster)
    ]
    fixed = {name: i for i, name in enumerate(ordered(str(row["forecaster"]) for row in rows))}

    def where(row: dict[str, Any]) -> tuple[Any, ...]:
        # Ranked ones by rank; all others in the fixed order, so that no table is a ranking.
        return (row["component"], row["rank"] is None, row["rank"] or 0, fixed[row["forecaster"]])

    return sorted(rows, key=where), notes


def _how(method: str) -> str:
    if method == "pymc":
        return "a hierarchical model of forecasters, questions and events, sampled"
    return "a Gaussian approximation of the hierarchical model"
