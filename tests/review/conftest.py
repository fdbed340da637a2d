"""A made-up review with every type of question and every awkward case; no number in it is real."""

import datetime as dt
import math

import numpy as np
import pytest

from forecasting.domain.instants import day_begins, day_ends
from forecasting.review import (
    Cause,
    ClaimRow,
    Events,
    Fan,
    LinkRow,
    Mark,
    Moved,
    Point,
    ProcessRow,
    QuestionPath,
    ReviewData,
    Run,
    TextCard,
    WorldPage,
)

# Rows of numbers are set close, several to a line.
# fmt: off
NAN = float("nan")
HOSTILE = (
    '<script>alert("x")</script> $\\frac{a}{b}$ & <img src=x onerror=alert(1)> \u202e%s {{ 7*7 }}'
)
NAMES = (
    "model", "prior", "base-rate", "worldview:000", "worldview:001", "worldview:002",
    "worldview:003", "worldview:004", "pool", "model without links", "model without news",
    "climatology", "always-0.5", "text:003", "text:004",
)


def day(text, hour=0):
    return day_begins(dt.date.fromisoformat(text)) + dt.timedelta(hours=hour)


def score_row(name, kind, rule, seed, **changes):
    rng = np.random.default_rng(seed)
    mean = float(rng.uniform(0.05, 0.3))
    few = kind != "binary"
    row = {
        "forecaster": name, "type": kind, "rule": rule, "convention": "half", "kind": "replay",
        "window": "scheduled", "proper": True, "n_questions": 1 if few else 27,
        "n_forecasts": 40 if few else 611, "n_events": 1 if few else 12, "coverage": 0.83,
        "possible_coverage": 0.91, "mean": mean, "lower": NAN if few else mean - 0.06,
        "upper": NAN if few else mean + 0.09, "skill": 0.25 - mean, "reference": 0.25,
        "note": "too few: 1 event, an interval needs 8" if few else "",
        "difference": None if name == "base-rate" else float(rng.normal(0, 0.04)),
        "difference_lower": None, "difference_upper": None,
        "n_shared": None if name == "base-rate" else 27,
        "detectable": None if name == "base-rate" else 0.061,
    }
    if name != "base-rate" and not few:
        row["difference_lower"] = row["difference"] - 0.05
        row["difference_upper"] = row["difference"] + 0.06
    return {**row, **changes}


def calibration_of(seed, n=12):
    rng = np.random.default_rng(seed)
    forecasts = np.sort(np.round(rng.beta(1, 3, n), 3))
    rate = np.repeat([0.0, 0.25, 0.6], [n // 3, n // 3, n - 2 * (n // 3)])
    curve = [
        {
            "forecast": float(f), "event_rate": float(r), "n": 1, "events": int(r > 0.5),
            "lower": float(max(0, f - 0.3)),
            "upper": float(min(1, f + 0.35)),
        }
        for f, r in zip(forecasts, rate, strict=True)
    ]
    many = np.sort(rng.beta(1, 4, 300))
    pooled = [
        {
            "forecast": float(f),
            "event_rate": float(round(f * 4) / 4),
            "n": 2,
            "lower": float(max(0, f - 0.2)),
            "upper": float(min(1, f + 0.25)),
        }
        for f in many
    ]
    return {
        "n": n, "n_questions": 27, "n_updates": 611, "n_events": n, "share": 0.5, "level": 0.9,
        "mean_score": 0.131, "miscalibration": 0.041, "discrimination": 0.097,
        "uncertainty": 0.187, "null_miscalibration": 0.052, "p_value": 0.47, "slope": 0.93,
        "intercept": 0.21, "curve": curve, "pooled": pooled, "pooled_note": "approximate",
        "reading": "No miscalibration beyond chance in 12 forecasts (0.041; calibrated ones show "
        "0.052; p = 0.47).\nYou say 5 to 20 %, 11 % on average, and it happens 20 % of the time, "
        "n = 5; chance alone gives 0 to 40 %, so this may be chance.",
    }


def walk(
    opens, ends, seed, width=1, step=7
):
    rng = np.random.default_rng(seed)
    moments = [
        opens + dt.timedelta(days=i * step) for i in range(max(1, (ends - opens).days // step))
    ]
    logits = np.cumsum(rng.normal(0, 0.25, (len(moments), width)), axis=0) - 1.2
    if width > 1:
        shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        return [
            Point(at, tuple(float(x) for x in share))
            for at, share in zip(moments, shares, strict=True)
        ]
    p = 1 / (1 + np.exp(-logits[:, 0]))
    return [
        Point(at, (float(x),), float(x * 0.6), float(1 - (1 - x) * 0.75))
        for at, x in zip(moments, p, strict=True)
    ]


def marks(opens, ends, n):
    gap = (ends - opens) / (n + 1)
    return [
        Mark(
            opens + gap * (i + 1),
            f"Report {i + 1} on the talks, told in a sentence of usual length",
            "high" if i % 2 else "medium",
            "https://example.org/report" if i % 3 else "javascript:alert(1)",
            "report" if i % 2 else "datum",
            weight=(0.9, -0.5, 0.3)[i % 3] if i % 2 else None,
            half_life=(30.0, 10.0, math.inf)[i // 2 % 3],
        )
        for i in range(n)
    ]


def binary(
    slug,
    title,
    opens,
    closes,
    *,
    outcome=None,
    resolved=None,
    seed=0,
    step=7,
    evidence=5,
    until="2026-08-22",
    **more
):
    start, close = day(opens), day_ends(dt.date.fromisoformat(closes))
    known = day_ends(dt.date.fromisoformat(resolved)) if resolved else None
    ends = min(close, known) if known else close
    last = min(ends, day(until))
    paths = {name: walk(start, last, seed * 50 + i, step=step) for i, name in enumerate(NAMES[:9])}
    paths["base-rate"] = [Point(p.at, (0.2,)) for p in paths["base-rate"]][::4]
    paths["text:003"] = [Point(start + (last - start) / 5, (0.325,))]
    rows = {}
    if outcome and known:
        for i, name in enumerate(NAMES[:9]):
            rows[name] = {
                "mean": 0.04 + 0.03 * ((seed + i) % 7),
                "skill": 0.21 - 0.03 * ((seed + i) % 7),
                "coverage": 0.9, "rule": "brier", "convention": "half",
            }
    status = more.pop("status", "resolved" if outcome else "open")
    known_points = paths["model"]
    if not outcome:
        causes = [
            Cause(f"Report 1 on the talks: {slug}", {"": 0.31}, start),
            Cause("time, and what was learned of the past", {"": -0.04}),
        ]
        more.setdefault("moved", [Moved(known_points[-1].at, causes)])
    return QuestionPath(
        id=slug, title=title, type="binary", options=("no", "yes"), opens=start, closes=close,
        ends=ends, status=status, outcome=outcome, resolved_at=known,
        resolution_source="https://example.org/word" if outcome else "",
        certainty="high" if outcome else "",
        model_label=more.pop("model_label", "base-rate (for staged)"),
        paths=paths, evidence=marks(start, last, evidence), scores=rows,
        **more,
    )


def questions():
    """Give all types, a ladder, one too soon, one due, one with hostile words, one bare."""
    paths = [
        binary(
            f"general-ceasefire-2025@{closes}",
            f"Will a general ceasefire between Russia and Ukraine begin by {closes}?",
            "2025-03-21", closes, outcome="no", resolved=closes, seed=i,
            evidence=(3, 9, 14, 22)[i],
            topic="ceasefires", event="general-ceasefire", ladder="general-ceasefire-2025",
        )
        for i, closes in enumerate(("2025-04-30", "2025-06-30", "2025-09-30", "2025-12-31"))
    ]
    paths += [
        binary(
            "energy-truce-2025-observed",
            "Does the energy truce of March 2025 pass without a claimed violation?", "2025-03-18",
            "2025-04-17", outcome="no", resolved="2025-03-20", step=1, evidence=2, too_soon=True,
            gate_note="does not fit its own class", model_label="survival", topic="ceasefires",
            event="energy-truce-2025",
        ),
        binary(
            "exchange-1000-2025@2025-05-25",
            "Is the exchange of 1,000 for 1,000 complete by 25 May 2025?", "2025-05-16",
            "2025-05-25", outcome="yes", resolved="2025-05-25", step=1, evidence=6, seed=5,
            topic="exchanges", event="exchange-2025",
        ),
        binary(
            "relapse-after-deal", "Does a large-scale attack resume within five years of a deal?",
            "2025-11-26", "2031-12-31", seed=6, topic="guarantees", event="relapse",
        ),
        binary(
            "truce-monitoring-2025", HOSTILE, "2025-03-21", "2025-12-31", seed=7, status="due",
            topic="ceasefires", event="monitoring", note=HOSTILE,
        ),
    ]
    start, close = day("2025-11-26"), day("2027-01-01")
    paths.append(
        QuestionPath(
            "guarantees-2026",
            "What will be the strongest state of guarantees for Ukraine at the end of 2026?",
            "ordered", start, close, close, "open", options=("none", "soft", "firm"),
            topic="guarantees", event="guarantees", model_label="competing-risks (for staged)",
            paths={
                name: walk(start, day("2026-08-22"), 90 + i, width=3)
                for i, name in enumerate(NAMES[:9])
            },
            evidence=marks(start, day("2026-08-22"), 4),
        )
    )
    start, close = day("2026-05-31"), day("2027-01-01")
    paths.append(
        QuestionPath(
            "summit-venue", "Where do the presidents meet, if they meet in 2026?", "categorical",
            start, close, close, "open", options=("Russia", "Ukraine", "<b>a third country</b>"),
            topic="talks", event="leaders-meet",
            paths={"model": walk(start, day("2026-08-22"), 33, width=3)},
        )
    )
    start, close = day("2025-05-16"), day("2025-05-25")
    fan = [
        Point(
            start + dt.timedelta(days=i),
            (20.0 + 70 * i, 90 + 75.0 * i, 200 + 70.0 * i, 400 + 60.0 * i, 700 + 38.0 * i),
        )
        for i in range(8)
    ]
    paths.append(
        QuestionPath(
            "exchange-1000-2025-delivered",
            "How many will each side have received by 24 May 2025?", "numeric", start, close,
            close, "resolved", lower=0, upper=1000, unit="persons", outcome="697",
            resolved_at=close, topic="exchanges", event="exchange-2025",
            paths={"model": fan, "prior": fan[:1], "base-rate": fan[:1]},
            evidence=marks(start, close, 2),
            scores={
                "model": {"mean": 61.2, "skill": 80.0, "coverage": 0.9, "rule": "crps"},
                "base-rate": {"mean": 75.2, "skill": 70.0, "coverage": 0.9, "rule": "crps"},
            },
        )
    )
    start, close = day("2026-08-21"), day("2026-12-31")
    paths.append(
        QuestionPath(
            "bare", "Nobody has spoken of this yet", "binary", start, close, close, "upcoming",
            topic="talks",
        )
    )
    return paths


def texts():
    def claim(i, **more):
        base = {
            "claim": f"003-{i}", "question": "general-ceasefire-2025@2025-04-30",
            "title": "Will a general ceasefire begin?", "sentences": (5, 35, 37),
            "paraphrase": "Aims cannot be reconciled and what hope there is stays faint.",
            "first_band": "unlikely", "second_band": "unlikely", "scored_band": "unlikely",
            "p": 0.325, "low": 0.2, "high": 0.45, "outcome": "no", "score": 0.1056,
            "score_low": 0.04, "score_high": 0.2025,
            "models": {
                "model": (0.12, 0.0144), "base-rate": (0.2, 0.04), "prior": (0.3, 0.09),
                "pool": (0.15, 0.0225),
            },
            "staleness": 0.1056,
        }
        return ClaimRow(**{**base, **more})

    return [
        TextCard(
            "003", "analytic",
            day("2025-03-21", 12),
            "The design is modular: energy first, then the sea, then everything.",
            "f2ac" * 16,
            (4, 5),
            [
                claim(
                    1, shown_only="The first claimed violation was known before the text’s date.",
                    score=None,
                ),
                claim(2),
                claim(
                    3, first_band="very-unlikely", flat_denial=True,
                    alternatives={0.01: 0.0001, 0.1: 0.01, 0.2: 0.04},
                ),
                claim(
                    4, outcome=None, score=None, score_low=None, score_high=None, staleness=None,
                    models={"model": (0.2, None)},
                ),
                claim(5, question="nowhere", models={}, score=NAN),
            ],
        ),
        TextCard("001", "hawkish American", dt.date(2025, 11, 26), HOSTILE, "ab" * 32),
    ]


def world():
    """Give a world with a loop, two links between one pair, a lone process and hostile words."""
    at, until = day("2026-02-03"), day("2026-08-22")

    def process(name, title, state, rate="once in 8 mo"):
        return ProcessRow(name, title, state, at, until, rate, "https://example.org/rates")

    def link(text, median, **more):
        parent = text.split()[1].partition("=")[0]
        child = text.partition(": ")[2].partition("=")[0]
        return LinkRow(
            text, parent, child, median, median / 3, median * 3,
            reason="texts are made in truces", source="judgement", **more,
        )

    moments = [day("2026-08-22") + dt.timedelta(days=14 * i) for i in range(27)]
    on = np.linspace(0.1, 0.6, 27)
    return WorldPage(
        [
            process("truce", "Truce for energy sites", "none", "none > on: 3 in 70 weeks"),
            process("text", "One text of both sides", "none"),
            process("deal", "A settlement, from a final text to its signature", "none"),
            process("guarantees", HOSTILE, "soft"),
            process("election", "Election", "ahead", "planned for 27 Oct 2026"),
            process("convoy", "Convoys", "3 events"),
        ],
        [
            link(
                "while truce=on: text=agreed", 3.0,
                learned=2.7, learned_low=1.1, learned_high=7.0,
            ),
            link("while text=agreed: deal=signed", 4.0),
            link("once deal=signed: truce=on", 30.0),
            link("while guarantees=firm: deal=signed", 2.0),
            link("while guarantees=soft: deal=signed", 0.4),
            link("once election=held: deal=signed", 1.5),
        ],
        [
            Fan("truce", "Truce for energy sites", moments, ("none", "on"), np.c_[1 - on, on]),
            Fan(
                "detainees", HOSTILE, moments, unit="persons",
                quantiles=np.outer(on, [200, 400, 600, 800, 1000]),
            ),
        ],
    )


def full():
    run = Run(
        "replay",
        dt.datetime(2026, 8, 22, 12, tzinfo=dt.UTC),
        run_id="5f1c" * 8, seed=20250321, started_from=day("2025-03-18"), until=day("2026-08-22"),
        steps=156, evidence_head=132, bank_digest="9a" * 32, observed_until=day("2026-08-22"),
        versions={"forecasting": "0.1.0", "pymc": "6.4.0", "python": "3.13.5"},
        ledger_head_seq=12345, ledger_head_hash="77" * 32, content_digest="cd" * 32,
    )
    rows = [score_row(name, "binary", "brier", i) for i, name in enumerate(NAMES)]
    rows += [score_row(name, "ordered", "rps", 40 + i) for i, name in enumerate(NAMES[:4])]
    rows += [
        score_row(
            "model", "numeric", "crps", 60, mean=61.25, reference=166.0, skill=104.8, difference=NAN
        )
    ]
    horizons = [
        {
            **score_row(name, "binary", "brier", 100 + i + 20 * h),
            "horizon": f"{d} d before close, still open", "event_rate": rate, "n_questions": n,
            "n_events": max(1, n // 2),
        }
        for h, (d, rate, n) in enumerate(
            ((1, 0.09, 22), (7, 0.12, 19), (30, 0.2, 14), (90, 0.11, 9), (180, 0.0, 3))
        )
        for i, name in enumerate(NAMES[:10])
        if not (name.startswith("worldview") and d == 180)
    ]
    return ReviewData(
        run, scores=rows,
        log_scores=[
            score_row(n, "binary", "log", i, convention="", mean=math.inf if i == 3 else 0.4)
            for i, n in enumerate(NAMES)
        ],
        horizons=horizons,
        calibrations={
            **{name: calibration_of(i) for i, name in enumerate(NAMES[:9])},
            "text:003": {
                "n": 3, "n_questions": 3, "n_updates": 3, "n_events": 3, "share": 0.5,
                "level": 0.9, "mean_score": 0.1, "miscalibration": 0.1, "discrimination": 0.0,
                "uncertainty": 0.0, "null_miscalibration": NAN, "p_value": NAN, "slope": NAN,
                "intercept": NAN,
                "curve": calibration_of(3, 3)["curve"],
                "pooled": [
                    {"forecast": 0.325, "event_rate": 0.0, "n": 3, "lower": NAN, "upper": NAN}
                ],
                "pooled_note": "too few: 3 events, a band needs 8",
                "reading": "3 resolved forecasts: too few to say.",
            },
            "text:004": {
                "n": 0, "curve": [], "pooled": [],
                "reading": "Nothing to read: too few to say.",
            },
        },
        questions=questions(), texts=texts(),
        due=[
            {
                "question": "truce-monitoring-2025", "title": HOSTILE, "since": day("2026-01-01"),
            }
        ],
        unfit=[
            {
                "question": "energy-truce-2025-observed", "forecaster": "model",
                "verdict": "does not fit its own class: 8 of 10 within a day",
            }
        ],
        refused=[
            {
                "forecaster": "worldview:004", "fit": "rates", "verdict": "R-hat 1.03",
            }
        ],
        priors=[
            {
                "question": "relapse-after-deal", "reference": "peace-agreements",
                "parameter": "k", "prior": "LogNormal(log 0.8, 0.25)",
                "source": "https://ucdp.uu.se/downloads/", "known_by": dt.date(2022, 6, 1),
            },
            {
                "question": "", "reference": "general-ceasefire", "parameter": "rate",
                "prior": "Gamma(0.5, 2.1)", "source": "events known by the opening",
                "known_by": None,
            },
        ],
        events=Events(12, 0.061),
        reports=[
            {
                "source": name, "reports": 9, "moves": 12, "moved_questions": 9,
                "moved_events": events, "change": change, "change_lower": low,
                "change_upper": high, "verdict": verdict,
            }
            for name, events, change, low, high, verdict in (
                (HOSTILE, 3, None, None, None, "too few: 3 of 8 events"),
                ("all reports", 9, -0.02, -0.05, 0.01, "may be chance"),
            )
        ],
        news_gain={"mean": 0.9, "lower": 0.4, "upper": 1.8, "moves": 2, "fired": 5},
        parts=[
            score_row(
                name, "binary", "brier", 70 + i, difference=d, difference_lower=d - 0.01,
                difference_upper=d + 0.012,
            )
            for i, (name, d) in enumerate(
                (("model without links", 0.004), ("model without news", 0.03), ("base-rate", -0.02))
            )
        ],
        world=world(),
        left_out=[{"question": "bare", "title": HOSTILE, "reason": "It has no forecast yet."}],
    )


@pytest.fixture(scope="session")
def review_data():
    return full()


@pytest.fixture(scope="session")
def make_binary():
    return binary


@pytest.fixture
def empty_data():
    return ReviewData(Run("live", dt.datetime(2026, 8, 22, tzinfo=dt.UTC)))
