"""A made-up crowd with known bias, noise and information, for the pools that learn."""

import numpy as np
import pandas as pd

START = pd.Timestamp("2020-01-01", tz="UTC")


def crowd(
    *,
    questions=500,
    people=150,
    per_question=8.0,
    seed=0,
    skill=0.0,
    growth=0.0,
    shared=1.0,
    own=0.0,
    bias=0.2,
    spread=0.8,
    years=4.0,
):
    """Draw resolved forecasts.

    Everyone knows the prior log-odds and, by the share u of the window gone, evidence of
    strength `growth` u^2; what is `shared` was known from the start, and each adds independent
    evidence of strength `own`. Evidence of strength k shifts log-odds by N(+-k/2, k), which is
    what calibrated evidence does. People add a bias, a slope and noise; `skill` is the spread
    (in logs) of noise between them. Most people forecast little and a few a great deal; forecasts
    are rounded to 5 %, down to 0 and 1.
    """
    rng = np.random.default_rng(seed)
    busy = np.minimum(rng.pareto(1.0, people), 30) + 0.1
    noise = 0.5 * np.exp(skill * rng.normal(size=people))
    slope = np.exp(0.15 * rng.normal(size=people))
    lean = bias * rng.normal(size=people)
    prior = rng.normal(-0.5, spread, questions)
    outcome = (rng.random(questions) < expit(prior)).astype(float)
    sign = 2 * outcome - 1

    count = np.minimum(np.ceil(rng.exponential(per_question, questions)), 60).astype(int)
    q = np.repeat(np.arange(questions), count)
    who = rng.choice(people, len(q), p=busy / busy.sum())
    u = rng.random(len(q)) ** 1.3
    order = np.lexsort((u, q))
    u = u[order]
    first = np.cumsum(count) - count
    precision = growth * u**2
    step = np.diff(precision, prepend=0.0)
    step[first] = precision[first]
    news = np.cumsum(step / 2 * sign[q] + np.sqrt(np.maximum(step, 0)) * rng.normal(size=len(q)))
    news -= (news[first] - precision[first] / 2 * sign)[q]
    common = shared / 2 * sign + np.sqrt(shared) * rng.normal(size=questions)
    private = own / 2 * sign[q] + np.sqrt(own) * rng.normal(size=len(q))
    log_odds = slope[who] * (prior[q] + common[q] + news + private) + lean[who]
    log_odds += noise[who] * rng.normal(size=len(q))
    opens = np.sort(rng.random(questions)) * 365 * years
    length = 5 + rng.exponential(60, questions)
    return pd.DataFrame(
        {
            "question": [f"q{i:05d}" for i in q],
            "forecaster": [f"f{i:04d}" for i in who],
            "forecast": np.round(expit(log_odds) * 20) / 20,
            "issued_at": START + pd.to_timedelta(opens[q] + u * length[q], unit="D"),
            "outcome": outcome[q],
            "resolved_at": START + pd.to_timedelta((opens + length)[q], unit="D"),
        }
    )


def expit(x):
    return 1 / (1 + np.exp(-x))


def split(table, share=0.6):
    """Cut at the date of the first `share` of forecasts; later ones of pools of three or more."""
    as_of = table["issued_at"].sort_values().iloc[int(share * len(table))]
    later = table[table["issued_at"] > as_of]
    members = later.groupby("question")["forecaster"].nunique()
    return as_of, later[later["question"].isin(members.index[members >= 3])]


def squared_error(pool, table, current):
    """Score a pool of the current forecasts by question."""
    outcome = table.groupby("question")["outcome"].first()
    pooled = pool(current)
    return (pooled - outcome.reindex(pooled.index)).to_numpy() ** 2


def each_question(rule, current):
    """Pool each question's forecasts in force by a fixed rule."""
    ordered = current.sort_values(["question", "issued_at"], kind="stable")
    in_force = ordered.drop_duplicates(["question", "forecaster"], keep="last")
    return in_force.groupby("question")["forecast"].apply(lambda p: float(rule(p.to_numpy())))


def interval(difference, seed=0, draws=2000):
    """Give the mean and its 95 % percentile interval over resampled questions."""
    rng = np.random.default_rng(seed)
    n = len(difference)
    means = difference[rng.integers(0, n, (draws, n))].mean(axis=1)
    return (float(difference.mean()), *np.percentile(means, [2.5, 97.5]).tolist())
