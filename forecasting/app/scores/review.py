"""What a review shows: its page, figures of one forecaster, and what reports were worth."""

import datetime as dt
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import exp, log
from typing import TYPE_CHECKING, Any

from forecasting.app.forecast.predict import REPLAY_DRAWS
from forecasting.app.ledger.ask import crowds
from forecasting.app.news.shown import folded, source_rows
from forecasting.app.scores.compare import compare, leaderboard
from forecasting.app.scores.frame import (
    Selection,
    kinds_present,
    latest_run,
    resolved,
    scoring_frame,
    select,
)
from forecasting.app.scores.score import calibration, left_out, scores, unread
from forecasting.app.upkeep import banks
from forecasting.app.upkeep.banks import bank_of
from forecasting.app.world.processes import prior_rows
from forecasting.app.world.scenario import live
from forecasting.bank import Bank
from forecasting.calibration.frame import from_frame as calibrated
from forecasting.comparison.against import shared
from forecasting.comparison.table import from_frame
from forecasting.domain.catalog import Catalog
from forecasting.domain.forecast import Forecast, kind_named
from forecasting.domain.forecasters import ABLATIONS, BASE_RATE, MODEL, POOL, family, ordered
from forecasting.domain.instants import parse_instant
from forecasting.domain.scores import CALIBRATED
from forecasting.domain.watch import watched
from forecasting.errors import ForecastingError, InvalidInput
from forecasting.evidence import without_retracted
from forecasting.evidence.reports import Weights
from forecasting.exchange.same_as import DIFFERS
from forecasting.review import data as page
from forecasting.review import pictures
from forecasting.review.paths import marks_of, moved_of, path_of, point_of
from forecasting.review.texts import cards, unscored
from forecasting.review.words import calibration_in_words
from forecasting.review.world_rows import world_page
from forecasting.scoring.checks import LEAST_CLUSTERS, LEAST_OF_LEVEL
from forecasting.store import Ledger

if TYPE_CHECKING:
    import pandas as pd


DIAGRAMS = (MODEL, BASE_RATE, POOL)
#: Stands for the reports of every source together.
ALL = "all reports"
#: As sure as a number is read before a move in log-odds is taken off it.
_CLIP = 1e-6


def gather(ledger: Ledger, *, kind: str, run: str, now: dt.datetime) -> page.ReviewData:
    """Read everything that the page shows, for one kind of forecast."""
    run = run or latest_run(ledger)
    kind = kind_named(kind) or ("replay" if run else "live")
    run = run if kind == "replay" else ""
    selection = Selection(kind=kind, run=run)
    catalog = Catalog.of(ledger)
    bank = bank_of(ledger)
    forecasts = select(ledger, catalog, selection)
    frame = resolved(ledger, selection)
    rows = scores(ledger, selection=selection)
    by_question = scores(ledger, selection=selection, by="question", resamples=99)
    matched = crowds(ledger, catalog, kind=kind)
    agreeing = [one for one in matched if not one.forecaster.endswith(DIFFERS)]
    crowd_frame = scoring_frame(ledger, catalog, agreeing, withdrawals=())
    if len(crowd_frame):
        rows = [*rows, *from_frame(crowd_frame, kind=kind)]
        by_question += from_frame(crowd_frame, kind=kind, by="question", resamples=99)
    texts = ledger.forecasts(kind="backdated") if kind == "replay" else []
    present = list(dict.fromkeys(frame["forecaster"]))
    binary = [row for row in rows if row["type"] == "binary"]
    # The gate of the latest forecast on each question.
    unfit = {f.question: f.gate for f in forecasts if f.forecaster == MODEL and f.gate}
    details = [row["detectable"] for row in binary if row["forecaster"] == MODEL]
    fits = ledger.model_runs(run=run)
    run_shown = _run(ledger, bank, kind, run, now)
    world, gain = _world(ledger, bank, run_shown, now)
    # Of questions that run on, only what ends one early has an outcome.
    past = replace(selection, closed_by=(kind == "replay" and run_shown.until) or now)
    return page.ReviewData(
        run=run_shown,
        scores=rows,
        log_scores=scores(ledger, rule="log", selection=selection),
        horizons=scores(ledger, by="horizon", selection=selection),
        calibrations={
            name: calibrated(frame[frame["forecaster"] == name])
            for name in [name for name in DIAGRAMS if name in present] or present
        },
        questions=_paths(ledger, catalog, now, [*forecasts, *texts, *matched], by_question, unfit),
        texts=cards(catalog, bank, forecasts) if kind == "replay" else (),
        due=[
            {"question": question.id, "title": question.title, "since": question.resolves_by}
            for question in sorted(catalog.questions.values(), key=lambda q: (q.resolves_by, q.id))
            if catalog.status(question, now) == "due"
        ],
        left_out=unscored(catalog, forecasts, kind, now),
        parts=_parts(ledger, selection, present),
        reports=[{"source": name, **row} for name, row in worth(ledger, past).items()],
        world=world,
        news_gain=gain,
        unfit=[
            {"question": question, "forecaster": MODEL, "verdict": verdict}
            for question, verdict in sorted(unfit.items())
        ],
        refused=[
            {
                "forecaster": f"worldview:{fit.worldview}" if fit.worldview else MODEL,
                "fit": fit.family,
                "verdict": fit.gate,
            }
            for fit in fits
            if not fit.passed
        ],
        priors=prior_rows(ledger) if bank.world.processes else (),
        events=page.Events(
            n=max((row["n_events"] for row in binary), default=0),
            detectable=next((d for d in details if d is not None and math.isfinite(d)), None),
        ),
    )


def _run(ledger: Ledger, bank: Bank, kind: str, run: str, now: dt.datetime) -> page.Run:
    head = ledger.head()
    started = [m for m in ledger.replay_runs() if m.run == run and m.event == "started"]
    config: Mapping[str, Any] = started[0].config if started else {}

    def moment(key: str) -> dt.datetime | None:
        return parse_instant(str(config[key])) if key in config else None

    return page.Run(
        kind=kind,
        generated_at=now,
        run_id=run,
        seed=int(config["seed"]) if "seed" in config else None,
        started_from=moment("from"),
        until=moment("to"),
        steps=int(config["steps"]) if "steps" in config else None,
        evidence_head=started[0].evidence_head if started else None,
        bank_digest=bank.digest,
        observed_until=bank.observed_until,
        versions={str(k): str(v) for k, v in dict(config.get("versions", {})).items()},
        ledger_head_seq=head.seq,
        ledger_head_hash=head.hash,
        content_digest=ledger.content_digest(),
        zone=bank.zone,
    )


def _world(
    ledger: Ledger, bank: Bank, run: page.Run, now: dt.datetime
) -> tuple[page.WorldPage, Mapping[str, float | int]]:
    """Give the world as it stood at the page's "now", how it may go on, and the news gain."""
    moment = (run.until if run.kind == "replay" else None) or now
    looked = watched(ledger.watches(), moment, live=run.kind != "replay")
    items = without_retracted(ledger.evidence())
    try:
        simulation = live(ledger, now=now, as_of=moment, bank=bank, draws=REPLAY_DRAWS)
    except InvalidInput:
        # No open question is answered by the world: there is nothing to simulate.
        return world_page(bank.world, items, moment, watched=looked), {}
    world = world_page(
        bank.world,
        items,
        moment,
        watched=looked,
        learned=simulation.learned(),
        fans=simulation.fans(),
    )
    return world, simulation.run.learned.gain_summary


def _parts(ledger: Ledger, selection: Selection, present: Sequence[str]) -> list[Mapping[str, Any]]:
    """Score the model with each part taken out against the whole model."""
    if MODEL not in present or set(ABLATIONS).isdisjoint(present):
        return []
    rows = scores(ledger, selection=selection, against=MODEL)
    return [row for row in rows if row["forecaster"] in ABLATIONS]


def _paths(
    ledger: Ledger,
    catalog: Catalog,
    now: dt.datetime,
    forecasts: Sequence[Forecast],
    by_question: Sequence[Mapping[str, Any]],
    unfit: Mapping[str, str],
) -> list[page.QuestionPath]:
    items = ledger.evidence()
    weights = Weights.of(items, now, catalog, banks.news_world(ledger, catalog))
    marks = marks_of(without_retracted(items), catalog, forecasts, weights)
    moved = moved_of(items, catalog, forecasts)
    points: dict[str, dict[str, list[page.Point]]] = {}
    for forecast in forecasts:
        mine = points.setdefault(forecast.question, {})
        mine.setdefault(forecast.forecaster, []).append(point_of(forecast))
    scored: dict[str, dict[str, Mapping[str, Any]]] = {}
    for row in by_question:
        scored.setdefault(row["question"], {})[row["forecaster"]] = row
    with_points = [question for question in catalog.questions.values() if question.id in points]
    return [
        path_of(
            catalog,
            question,
            now,
            paths=points[question.id],
            evidence=marks.get(question.id, []),
            scores=scored.get(question.id, {}),
            gate_note=unfit.get(question.id, ""),
            moved=moved.get(question.id, ()),
        )
        for question in sorted(with_points, key=lambda q: (q.topic, q.event, q.opens, q.id))
    ]


def figures(
    ledger: Ledger, who: str, whole: Selection, *, now: dt.datetime, told: Callable[[str], None]
) -> dict[str, Any]:
    """Give every figure of a review: of one forecaster, and of all where they stand side by side.

    `whole` is the selection of all: its kind, its tag (a tag, topic or event, empty for all), and
    whether questions that resolved within two days of opening count.

    Returns
    -------
    dict
        ``who, kind, kinds, forecasters, tags`` (what there is to choose from), ``n_forecasts``,
        ``n_resolved`` and how many of them came ``n_soon``, ``calibration`` of `who` with ``told``
        (its discrimination and its slope in words) and ``histogram``, ``months``, ``topics``,
        ``horizons`` (score rows of `who`, those of the model beside them), ``scores`` of all,
        ``versus`` (the comparison with the model)
        and ``override`` (question by question), ``board`` with ``board_notes``
        (and ``least_of_level`` events for an interval), ``sources``,
        ``left_out`` with ``unscored`` and of the calibration ``unread``, ``texts``.
    """
    told("reading the forecasts")
    catalog = Catalog.of(ledger)
    kind, tag = whole.kind, whole.tag
    mine = replace(whole, forecaster=who)
    forecasts = select(ledger, catalog, Selection(kind=kind))
    by_me = [forecast for forecast in forecasts if forecast.forecaster == who]
    frame = resolved(ledger, whole, seals="worst")
    resolved_here = frame[frame["forecaster"] == who].drop_duplicates("question")
    pair = frame[frame["forecaster"].isin([who, MODEL])]
    told("calibration")
    reliability = calibration(ledger, selection=mine, now=now)
    told("scores")
    result: dict[str, Any] = {
        "who": who,
        "kind": kind,
        "tag": tag,
        "kinds": kinds_present(ledger),
        "forecasters": ordered({forecast.forecaster for forecast in forecasts}),
        "tags": _tags(catalog, {forecast.question for forecast in forecasts}),
        "n_forecasts": len(by_me),
        "n_resolved": len(resolved_here),
        "n_soon": int(resolved_here["too_soon"].sum()),
        "calibration": reliability,
        "told": calibration_in_words(reliability),
        "scores": scores(ledger, selection=whole),
        **{
            f"{by}s": from_frame(pair, kind=kind, by=by) if len(pair) else []
            for by in ("month", "topic", "horizon")
        },
    }
    told("you and the model")
    result["versus"], result["override"] = _versus(ledger, catalog, frame, who, whole, now)
    told("the leaderboard")
    result["board"], result["board_notes"] = leaderboard(ledger, selection=whole, sample=False)
    result["least_of_level"] = LEAST_OF_LEVEL
    told("sources, texts, and what is left out")
    sources = source_rows(ledger, as_of=now, now=now)
    result["sources"] = [dict(row) for row in folded(sources) if row.get("claims")]
    result["n_sources"] = len(sources)
    result["left_out"] = left_out(ledger, mine, now=now)
    more = unread(ledger, mine, types=CALIBRATED, share=reliability["share"])
    result["unread"] = left_out(ledger, mine, counted=False, more=more)
    result["unscored"] = unscored(catalog, by_me, kind, now)
    result["histogram"] = pictures.table(resolved(ledger, mine), "histogram")
    every = cards(catalog, bank_of(ledger), forecasts)
    result["texts"] = [card for card in every if card.claims]
    return result


def _versus(
    ledger: Ledger,
    catalog: Catalog,
    frame: "pd.DataFrame",
    who: str,
    whole: Selection,
    now: dt.datetime,
) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    """Compare somebody with the model, and say question by question whose number was the better."""
    names = set(frame["forecaster"])
    if who == MODEL or family(who) != "person" or not {who, MODEL} <= names:
        return None, []
    try:
        comparison = compare(ledger, who, MODEL, now=now, selection=whole)
    except ForecastingError:
        return None, []
    part = frame[frame["type"] == comparison["type"]]
    convention = comparison["convention"] or "half"
    wide = shared(part, [who], MODEL, rule=comparison["rule"], convention=convention)[who]
    rows = [
        {
            "question": row["question"],
            "title": catalog.questions[row["question"]].title,
            "mine": float(row["a"]),
            "model": float(row["b"]),
            "difference": float(row["a"]) - float(row["b"]),
        }
        for row in wide.to_dict("records")
        if math.isfinite(row["a"]) and math.isfinite(row["b"])
    ]
    return comparison, sorted(rows, key=lambda row: (row["difference"], row["question"]))


def _tags(catalog: Catalog, questions: set[str]) -> list[str]:
    tags = {
        tag
        for name in questions
        for tag in (*catalog.questions[name].tags, catalog.questions[name].topic)
        if tag
    }
    return sorted(tags)


def worth(ledger: Ledger, wanted: Selection) -> dict[str, dict[str, Any]]:
    """Compare the model's numbers after reports with those before, by source and for all.

    With each of its forecasts the model records how far each new item moved it, in log-odds. So a
    forecast after a source's reports is compared with itself less what those reports moved: of one
    moment, with what else came and the time gone by in both. `change` is the mean half Brier score
    after less before (below 0: better after) over all such numbers of resolved yes-no questions,
    with a 95 % interval over events; null below 8 events. Each number counts once: of a question
    that ends early there are few, and a mean a question would weigh them more because of how it
    ended, so that reports of nothing but noise would look better the more they pointed there.
    """
    import pandas as pd

    frame = resolved(ledger, replace(wanted, forecaster=MODEL))
    frame = frame[(frame["type"] == "binary") & ~frame["too_soon"]]
    if frame.empty:
        return {}
    facts = frame.drop_duplicates("question").set_index("question")
    outcome, event = facts["outcome"].astype(float).to_dict(), facts["event"].to_dict()
    scored = set(zip(frame["question"], frame["issued_at"], strict=True))
    source = {item.key: item.source for item in ledger.evidence() if item.kind == "report"}
    rows = []
    for forecast in select(ledger, Catalog.of(ledger), replace(wanted, forecaster=MODEL)):
        if "moved" not in forecast.meta or (forecast.question, forecast.issued_at) not in scored:
            continue
        moved = [
            (source[key], key, change[0])
            for key, change in json.loads(forecast.meta["moved"])
            if key in source
        ]
        p, y = forecast.value.probability or 0.0, outcome[forecast.question]
        for name in dict.fromkeys([*(who for who, _, _ in moved), *([ALL] if moved else [])]):
            its = [(key, change) for who, key, change in moved if name in (who, ALL)]
            sure = min(max(p, _CLIP), 1 - _CLIP)
            moved_by = sum(change for _, change in its)
            before = 1 / (1 + exp(moved_by - log(sure / (1 - sure))))
            rows.append(
                {
                    "source": name,
                    "question": forecast.question,
                    "event": event[forecast.question],
                    "gain": (p - y) ** 2 - (before - y) ** 2,
                    "reports": frozenset(key for key, _ in its),
                }
            )
    table = pd.DataFrame(rows)
    if table.empty:
        return {}
    by_source = {str(name): _row(part) for name, part in table.groupby("source")}
    whole = by_source.pop(ALL)
    return {**by_source, ALL: whole}


def _row(part: "pd.DataFrame") -> dict[str, Any]:
    from forecasting.comparison import difference_interval

    n = int(part["event"].nunique())
    row: dict[str, Any] = {
        "reports": len(frozenset().union(*part["reports"])),
        "moves": len(part),
        "moved_questions": int(part["question"].nunique()),
        "moved_events": n,
        **dict.fromkeys(("change", "change_lower", "change_upper")),
    }
    if n < LEAST_CLUSTERS:
        return {**row, "verdict": f"too few: {n} of {LEAST_CLUSTERS} events"}
    interval = difference_interval(part["gain"], part["event"].tolist())
    row["change"] = interval.mean
    if interval.note:
        return {**row, "verdict": interval.note}
    row.update(change_lower=interval.lower, change_upper=interval.upper)
    if interval.lower <= 0 <= interval.upper:
        return {**row, "verdict": "may be chance"}
    return {**row, "verdict": "better after" if interval.upper < 0 else "worse after"}
