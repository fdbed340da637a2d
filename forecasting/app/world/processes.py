"""The processes: as they stand, who looked when, and every prior behind their numbers."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from forecasting.app.upkeep import banks
from forecasting.app.upkeep.banks import bank_of
from forecasting.bank import Bank
from forecasting.domain.catalog import Catalog
from forecasting.domain.instants import iso
from forecasting.domain.prior import PriorSpec, stated_over
from forecasting.domain.process import MoveSpec, ProcessSpec, WorldSpec, unlisted
from forecasting.domain.question import normalised
from forecasting.domain.watch import Watch, watched
from forecasting.errors import InvalidInput, NotFound, nearest
from forecasting.evidence import without_retracted
from forecasting.evidence.effects import check_reason
from forecasting.evidence.relevant import asked, part_of
from forecasting.review import data as page
from forecasting.review.world_rows import prior_of, world_page
from forecasting.store import Ledger

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
#: The columns of the table, also of one without rows.
WATCH_COLUMNS = ("process", "title", "until", "recorded_at", "days", "watcher", "because", "seq")


def prior_rows(ledger: Ledger, *, questions: Sequence[str] = ()) -> list[dict[str, Any]]:
    """List every prior, or those that questions rest on, with its source and its day."""
    from forecasting import models
    from forecasting.evidence.predicates import predicates
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
        prior_of(process, move),
        move.known_by or process.known_by,
        move.source or process.source,
    ) | {"process": process.name, "because": move.because or process.because}


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


def watch(
    ledger: Ledger,
    processes: Sequence[str],
    *,
    until: dt.datetime,
    now: dt.datetime,
    every: bool = False,
    who: str,
    because: str = "",
    world: WorldSpec | None = None,
) -> list[dict[str, Any]]:
    """Record that somebody looked at processes, and nothing more had happened up to a moment."""
    spec = banks.world_of(ledger) if world is None else world
    names = _names_to_watch(spec, processes, every=every)
    if until > now:
        msg = f"until ({iso(until)}): lies in the future (now {iso(now)})"
        raise InvalidInput(msg, hint="leave out until=TIME")
    check_reason(because)
    latest = _latest(ledger)
    for name in names:
        last, from_bank = latest.get(name), spec.processes[name].watched
        # Where the clock is set by hand, what lies ahead of it is not yet known.
        ends = [one.until for one in [last] if one] + [min(one, now) for one in [from_bank] if one]
        if any(until < end for end in ends):
            msg = (
                f"until ({iso(until)}): {name} is watched until {iso(max(ends))}, "
                "and a watch does not go backwards"
            )
            raise InvalidInput(msg, hint="forecast watch")
    drafts = [Watch(name, until, because=normalised(because), watcher=who) for name in names]
    recorded = ledger.append(drafts, recorded_at=now)
    return [
        {
            "seq": entry.seq,
            "id": entry.id,
            "process": draft.process,
            "until": draft.until,
            "recorded_at": entry.recorded_at,
            "watcher": draft.watcher,
            "because": draft.because,
        }
        for draft, entry in zip(drafts, recorded, strict=True)
    ]


def _names_to_watch(world: WorldSpec, processes: Sequence[str], *, every: bool) -> list[str]:
    if every and processes:
        msg = f"watch ({', '.join(processes)}): name processes or watch all of them, not both"
        raise InvalidInput(msg, hint="forecast watch --all")
    if not world.processes:
        msg = "watch: the bank has no process to watch"
        raise InvalidInput(msg, hint="forecast questions check")
    if every:
        return list(world.processes)
    if not processes:
        msg = "watch: name the processes that you looked at"
        raise InvalidInput(msg, hint="forecast watch --all")
    for name in processes:
        if name not in world.processes:
            msg = f"no process named {name}"
            raise NotFound(msg, hint=nearest(name, world.processes) or "forecast watch")
    return list(dict.fromkeys(processes))


def _latest(ledger: Ledger) -> dict[str, Watch]:
    """Give the watch of each process that reaches furthest; of two alike the later one."""
    latest: dict[str, Watch] = {}
    for one in ledger.watches():
        if one.process not in latest or one.until >= latest[one.process].until:
            latest[one.process] = one
    return latest


def rows(
    ledger: Ledger, *, now: dt.datetime, world: WorldSpec | None = None
) -> list[dict[str, Any]]:
    """Give one row a process: until when it is watched, by whom, and how long ago that was."""
    spec = banks.world_of(ledger) if world is None else world
    latest = _latest(ledger)
    result = []
    for name in [*spec.processes, *(other for other in latest if other not in spec.processes)]:
        process, last = spec.processes.get(name), latest.get(name)
        # A watch that ended before the record begins has watched nothing.
        if process is not None and process.since is not None and process.kind == "event":
            last = None if last is not None and last.until <= process.since else last
            process = replace(process, watched=None) if unlisted(process) else process
        stream = None if process is None or not process.watched else min(process.watched, now)
        if stream is not None and (last is None or stream > last.until):
            last = Watch(name, stream, watcher="bank")
        result.append(
            {
                "process": name,
                "title": process.title if process else "",
                "until": last and last.until,
                "recorded_at": last and last.recorded_at,
                "days": last and (now - last.until).days,
                "watcher": last.watcher if last else "",
                "because": last.because if last else "",
                "seq": last and last.seq,
            }
        )
    never = dt.datetime.min.replace(tzinfo=dt.UTC)
    return sorted(result, key=lambda row: row["until"] or never)


def graph_rows() -> list[dict[str, Any]]:
    """List the graphs that learn, and the kinds of process that a world may have."""
    from forecasting import models

    rows = [
        {"name": name, "what": (graph.__doc__ or "").strip().split("\n")[0], "is": "graph"}
        for name, graph in models.graphs().items()
    ]
    return rows + [
        {"name": name, "what": what, "is": "kind of process"}
        for name, what in models.kinds().items()
    ]


def world_now(ledger: Ledger, now: dt.datetime) -> page.WorldPage:
    """Give the processes and links of a ledger's bank as they stand; nothing is simulated."""
    items = without_retracted(ledger.evidence())
    looked = watched(ledger.watches(), now, live=True)
    return world_page(banks.world_of(ledger), items, now, watched=looked)


def process_states(ledger: Ledger, now: dt.datetime) -> dict[str, tuple[str, ...]]:
    """Give the states but the first of each process that an open question rests on."""
    catalog = Catalog.of(ledger)
    news = banks.news_world(ledger, catalog)
    names = [
        asked(news.predicates[question.id])
        for question in catalog.open_at(now)
        if question.id in news.predicates
    ]
    world = part_of(news.world, frozenset().union(*names))
    return {
        name: process.states[1:]
        for name, process in world.processes.items()
        if len(process.states) > 1
    }


def open_outcomes(ledger: Ledger, now: dt.datetime) -> list[dict[str, Any]]:
    """Give the open questions that the world answers, with what each may be answered with."""
    catalog = Catalog.of(ledger)
    answered = banks.news_world(ledger, catalog).predicates
    return [
        {
            "question": question.id,
            "title": question.title,
            "type": question.type,
            "outcomes": ("yes", "no") if question.type == "binary" else question.space.options,
        }
        for question in catalog.open_at(now)
        if question.id in answered
    ]
