"""What stands behind the numbers, to look into: every prior with its source, and the graphs."""

from collections.abc import Sequence
from typing import Any

from forecasting.app.catalog import Catalog
from forecasting.app.forecast.predict import predicates
from forecasting.app.upkeep.banks import bank_of
from forecasting.bank import Bank
from forecasting.domain.process import LinkSpec, MoveSpec, ProcessSpec
from forecasting.evidence.relevant import asked, part_of
from forecasting.models.news_gain import LOG_MEAN, LOG_SD
from forecasting.models.world.links import implied_ratio
from forecasting.store import Ledger


def prior_rows(ledger: Ledger, *, questions: Sequence[str] = ()) -> list[dict[str, Any]]:
    """List every prior with its source and the day it was known by: graphs, moves, links, gain.

    With a question, those that it rests on; a worldview's rows are what it sets differently.
    """
    bank = bank_of(ledger)
    world = bank.world
    if questions:
        catalog = Catalog.of(ledger)
        asks, _ = predicates([q for name in questions for q in catalog.find(name)], bank)
        world = part_of(world, frozenset().union(*(asked(p) for p in asks.values())))
    rows = _graphs()
    for process in world.processes.values():
        rows += [_move(process, move) for move in process.moves]
    rows += [_link(link) for link in world.links]
    rows += [row for row in _views(bank) if not questions or row["process"] in world.processes]
    return rows


def _row(family: str, parameter: str, prior: str, source: str, known_by: str) -> dict[str, Any]:
    return {
        "family": family,
        "process": "",
        "parameter": parameter,
        "prior": prior,
        "known_by": known_by,
        "source": source,
        "because": "",
        "worldview": "",
    }


def _graphs() -> list[dict[str, Any]]:
    from forecasting import models

    rows = [
        _row(name, prior.name, prior.text, prior.source, prior.known_by.isoformat())
        for name, graph in models.graphs().items()
        for prior in graph().default_priors().values()
    ]
    gain = f"LogNormal({LOG_MEAN:g}, {LOG_SD:g}), mean 1"
    source = "judgement: reports are worth what was coded, give or take a factor of two"
    return [*rows, _row("news", "gain", gain, source, "2025-03-01")]


def _move(process: ProcessSpec, move: MoveSpec) -> dict[str, Any]:
    known_by = move.known_by or process.known_by
    return _row(
        "move",
        f"{process.name}: {move.name}",
        move.phrase.text or "its own history, pooled with the others",
        move.source or process.source,
        known_by.isoformat() if known_by else "",
    ) | {"process": process.name, "because": move.because or process.because}


def _link(link: LinkSpec) -> dict[str, Any]:
    return _row(
        "link",
        link.name,
        f"x{link.median:g} ({link.low:g}..{link.high:g}); x{implied_ratio(link):.3g} if rare",
        link.source,
        link.known_by.isoformat() if link.known_by else "",
    ) | {"process": link.child, "because": link.because}


def _views(bank: Bank) -> list[dict[str, Any]]:
    rows = []
    for view in bank.worldviews:
        for change in view.changes:
            parameter = change.link or (
                f"{change.process}: {change.move}" if change.process else "gain"
            )
            rows.append(
                _row(
                    "worldview",
                    parameter,
                    f"times {change.times:g}",
                    f"text {view.text} {list(change.sentences)}",
                    view.speaks_from.date().isoformat(),
                )
                | {"process": change.process, "because": change.reason, "worldview": view.id}
            )
    return rows


def graph_report(ledger: Ledger, name: str) -> dict[str, Any]:
    """Describe a graph or a kind of process, with the gates of its latest fits."""
    import inspect

    from forecasting import models
    from forecasting.domain.provenance import fits_of

    found = models.get(name)
    latest = [run for run in ledger.model_runs() if name in fits_of(run)][-10:]
    return {
        "name": name,
        "version": str(getattr(found, "version", "")),
        "what": inspect.getdoc(inspect.getmodule(found) or found) or "",
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
