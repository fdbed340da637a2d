"""The processes as they stand, the links between them, and every prior behind their numbers."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from forecasting.app.catalog import Catalog
from forecasting.app.upkeep.banks import bank_of
from forecasting.bank import Bank
from forecasting.domain.evidence import Evidence
from forecasting.domain.instants import day_begins, local_day
from forecasting.domain.prior import PriorSpec, stated_over
from forecasting.domain.process import MoveSpec, ProcessSpec, WorldSpec, stated_moves, unlisted
from forecasting.evidence.history import Record, records
from forecasting.evidence.relevant import asked, part_of
from forecasting.review import data as page
from forecasting.review import words
from forecasting.store import Ledger


def world_page(
    world: WorldSpec,
    items: Iterable[Evidence],
    as_of: dt.datetime,
    *,
    watched: Mapping[str, dt.datetime] | None = None,
    learned: Mapping[str, tuple[float, float, float]] | None = None,
    fans: Sequence[page.Fan] = (),
) -> page.WorldPage:
    """Give the processes and links of a world as of a moment, as plain rows.

    `watched` says until when somebody looked, by process; `learned` holds each link's hazard ratio
    after the past was taken into account, as median and 90 % range.
    """
    known = [item for item in items if item.known_at <= as_of]
    record_of = records(world, known, as_of, watched=watched or {}, made={})
    links = []
    for link in world.links:
        middle, low, high = (learned or {}).get(link.name, (None, None, None))
        stated = (link.name, link.parent, link.child, link.median, link.low, link.high)
        because = " ".join(link.because.split())
        links.append(page.LinkRow(*stated, middle, low, high, because, link.source))
    processes = [_process(process, record_of[name]) for name, process in world.processes.items()]
    return page.WorldPage(processes, links, fans)


def _process(process: ProcessSpec, record: Record) -> page.ProcessRow:
    steps, state = record.steps, record.state
    entered = record.entered
    since: dt.datetime | dt.date | None = entered
    day = local_day(entered, process.zone)
    if entered == process.since and day_begins(day, process.zone) == entered:
        # A fact ends its day; the day from which a process was watched is begun.
        since = day
    # Silence is "no event" only where somebody looked.
    stated = process.watched is not None and not unlisted(process)
    looked = bool(steps) or stated or record.free > record.since
    if process.kind == "event":
        none = "no event so far" if looked else "not watched"
        state = words.plural(len(steps), "event") if steps else none
        since = steps[-1].at if steps else None
    elif process.delivery is not None:
        agreed = words.amount(process.delivery.agreed, process.delivery.unit)
        state = f"{record.state}: {words.amount(record.total)} of {agreed}"
    return page.ProcessRow(
        process.name,
        process.title or process.name,
        state,
        since,
        record.free if looked or process.kind != "event" else None,
        _base_rate(process),
        process.source or next((m.source for m in process.moves if m.source), ""),
    )


def _base_rate(process: ProcessSpec) -> str:
    if process.at is not None:
        first, last = (words.Days(process.zone).known(moment) for moment in process.at)
        return f"planned for {last}" + (f", {first} at the earliest" if first != last else "")
    phrases = [(move.name, words.phrase(_prior_of(process, move))) for move in process.moves]
    if process.kind == "event":
        return "; ".join(phrase for _, phrase in phrases)
    return "; ".join(f"{words.move(name)}: {phrase}" for name, phrase in phrases)


GRAPHS = ("rates", "spells", "deliveries")
#: What the parameters of each graph are, in words.
WORDS = {
    ("rates", "mu"): "usual log rate a day",
    ("rates", "sigma"): "spread of log rates between kinds of event",
    ("spells", "theta"): "log hazard by the reference age",
    ("spells", "k"): "how the hazard changes with age",
    ("spells", "beta"): "effect of monitoring",
    ("spells", "lasting"): "share that never ends",
    ("deliveries", "w"): "share of packages carried out at all",
    ("deliveries", "theta"): "log hazard of the first part by the reference age",
    ("deliveries", "first"): "how the hazard of the first part changes with age",
    ("deliveries", "delta"): "parts a day once it has begun",
    ("deliveries", "later"): "how the hazard of a further part changes with the pause",
    ("deliveries", "stall"): "chance that no further part comes",
    ("deliveries", "whole"): "chance that one part brings all",
    ("deliveries", "mean"): "mean share of a part",
    ("deliveries", "precision"): "evenness of the shares",
    ("deliveries", "resume"): "how soon a stalled one goes on, parts a day",
    ("news", "gain"): "weight of all reports",
}


def prior_rows(ledger: Ledger, *, questions: Sequence[str] = ()) -> list[dict[str, Any]]:
    """List every prior with its source and the day it was known by: graphs, moves, links, gain.

    With a question, those that it rests on; a worldview's rows are what it sets differently.
    """
    from forecasting import models
    from forecasting.app.forecast.predict import predicates
    from forecasting.models.news_gain import LOG_MEAN, LOG_SD
    from forecasting.models.world.stated import implied_ratio

    bank = bank_of(ledger)
    world = bank.world
    if questions:
        catalog = Catalog.of(ledger)
        asks, _ = predicates([q for name in questions for q in catalog.find(name)], bank)
        world = part_of(world, frozenset().union(*(asked(p) for p in asks.values())))
    fed = _feeding(world)
    if not questions:
        fed += [(name, "") for name in models.graphs() if name not in {each for each, _ in fed}]
    rows = [
        _row(family, prior.name, prior.text, prior.known_by, prior.source, reference)
        for family, reference in fed
        for prior in _priors_of(bank, family, reference)
    ]
    gain = f"LogNormal({LOG_MEAN:g}, {LOG_SD:g}), mean 1"
    judged = "judgement: reports are worth what was coded, give or take a factor of two"
    rows.append(_row("news", "gain", gain, dt.date(2025, 3, 1), judged))
    for process in world.processes.values():
        rows += [_move(process, move) for move in process.moves]
    for link in world.links:
        rare = f"x{implied_ratio(link):.3g} for a rare event"
        stated = f"x{link.median:g} ({link.low:g}..{link.high:g}); {rare}"
        row = _row("link", link.name, stated, link.known_by, link.source)
        rows.append(row | {"process": link.child, "because": link.because})
    for view in bank.worldviews:
        for change in view.changes:
            if questions and change.process not in world.processes:
                continue
            move = f"{change.process}: {change.move}" if change.process else "gain"
            text = f"text {view.text} {list(change.sentences)}"
            since = view.speaks_from.date()
            row = _row("worldview", change.link or move, f"times {change.times:g}", since, text)
            about = {"process": change.process, "because": change.reason, "worldview": view.id}
            rows.append(row | about)
    return rows


def _feeding(world: WorldSpec) -> list[tuple[str, str]]:
    """Name the graphs that moves of a world draw from, each with its class, empty for none."""
    sources = set()
    for process in world.processes.values():
        if process.delivery is not None:
            sources.add(("deliveries", process.delivery.reference))
        for move in process.moves if process.delivery is None else ():
            if move.phrase.reference:
                sources.add(("spells", move.phrase.reference))
            elif not move.phrase.text:
                sources.add(("rates", ""))
    return sorted(sources, key=lambda each: (GRAPHS.index(each[0]), each[1]))


def _priors_of(bank: Bank, family: str, reference: str) -> list[PriorSpec]:
    """Give the priors of a graph, for a class as the bank states them."""
    from forecasting import models
    from forecasting.models.priors import RESUME
    from forecasting.models.spells import KINDS

    graph = models.graphs()[family]
    if family == "spells" and reference in bank.classes:
        usual = graph(KINDS[bank.classes[reference].kind]).default_priors()
    else:
        usual = graph().default_priors()
    priors = list(stated_over(usual, bank.priors, reference).values())
    return [*priors, RESUME] if family == "deliveries" else priors


def _row(
    family: str,
    parameter: str,
    prior: str,
    known_by: dt.date | None,
    source: str,
    reference: str = "",
) -> dict[str, Any]:
    means = WORDS.get((family, parameter), "")
    return {
        "family": family,
        "process": "",
        "parameter": parameter,
        "is": f"{means}, class {reference}" if reference else means,
        "prior": prior,
        "known_by": known_by.isoformat() if known_by else "",
        "source": source,
        "because": "",
        "worldview": "",
    }


def _move(process: ProcessSpec, move: MoveSpec) -> dict[str, Any]:
    return _row(
        "move",
        f"{process.name}: {move.name}",
        _prior_of(process, move),
        move.known_by or process.known_by,
        move.source or process.source,
    ) | {"process": process.name, "because": move.because or process.because}


def _prior_of(process: ProcessSpec, move: MoveSpec) -> str:
    """Say what the pace of a move is drawn from before its own past is read."""
    if process.delivery is None or move in stated_moves(process):
        return move.phrase.text or "its own history, pooled with the others"
    if move.name == "stalled > begun":
        return "the delivery prior (resume)"
    if move.name not in {"agreed > begun", "begun > begun"}:
        return "never by chance: facts alone"
    if process.delivery.reference:
        return f"the priors of class {process.delivery.reference}, with its cases and own parts"
    return "wide priors of any delivery, with its own parts alone"


def graph_report(ledger: Ledger, name: str) -> dict[str, Any]:
    """Describe a graph or a kind of process, with the gates of its latest fits."""
    import inspect

    from forecasting import models
    from forecasting.domain.provenance import fits_of

    graph = models.get(name)
    latest = [run for run in ledger.model_runs() if name in fits_of(run)][-10:]
    return {
        "name": name,
        "version": str(getattr(graph, "version", "")),
        "what": inspect.getdoc(inspect.getmodule(graph) or graph) or "",
        "latest_fits": [
            {
                "as_of": run.as_of,
                "worldview": run.worldview,
                "gate": fits_of(run)[name].gate,
                "draws": run.diagnostics.get("draws"),
            }
            for run in latest
        ],
    }
