"""What a format is: a name, how it is recognised, how it is read, how its platform scores.

A reader is pure: it yields records (:mod:`.record`) and knows neither ledger nor clock. Its
questions carry ids of their own (``predictionbook-1234``), made of the platform's name and the
platform's own number and nothing else, so that the same thing has the same id in every file. Its
forecasters carry the names that stand in the file; the importer puts the platform before them.
"""

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from types import MappingProxyType
from typing import Any, NamedTuple

from forecasting.domain import Forecast, Question, Resolution, Withdrawal
from forecasting.domain.reading import plainly
from forecasting.errors import InvalidInput
from forecasting.exchange.cells import Reading
from forecasting.exchange.record import Record, Statements
from forecasting.exchange.source import Head, Source, appearance, way_out
from forecasting.exchange.text_file import check_text


class QuestionHistory(NamedTuple):
    """All that a ledger holds of one resolved question of a platform, as scores of it need it.

    `forecasts` and `withdrawals` are in the order of their moments. `stated` is what the file says
    of the question beyond what a ledger keeps (when a spot score is taken, say); `bots` are the
    forecasters whom it calls programs.
    """

    question: Question
    resolution: Resolution
    forecasts: Sequence[Forecast]
    withdrawals: Sequence[Withdrawal] = ()
    stated: Mapping[str, Any] = MappingProxyType({})
    bots: Collection[str] = ()

    @property
    def outcome(self) -> str:
        """What came out, as it is recorded."""
        return self.resolution.outcome

    @property
    def closed_at(self) -> dt.datetime:
        """When the question really ended: its close, or its outcome where that came before."""
        return min(self.question.closes, self.resolution.resolved_at)


@dataclass(frozen=True, slots=True)
class PlatformRule:
    """A rule that the platform itself scores by.

    `score` goes from what the ledger holds of one question to each forecaster's score, or to the
    score of each of their forecasts where the platform counts each once; `convention` is its scale
    and which way is better; `why` explains that it differs from the tool's own score of the same
    forecasts, and `because` that it differs from what the file states of one question.
    """

    score: Callable[[QuestionHistory], Mapping[str, Any]]
    convention: str
    why: str
    because: Callable[[QuestionHistory], str] | None = None


def brier_once(history: QuestionHistory) -> dict[str, list[float]]:
    """Score each forecast, also after the close, by :math:`(p - y)^2`, however long it stood."""
    y = float(history.outcome == "yes")
    scores: dict[str, list[float]] = {}
    for one in history.forecasts:
        scores.setdefault(one.forecaster, []).append((one.value.numbers[0] - y) ** 2)
    return scores


@dataclass(frozen=True, slots=True)
class Format:
    """One format of a file.

    `name` is the word on the command line, which also stands before ids; `what` names such a file
    with its article. `looks_like` goes by the content, and is never true of another format's file.
    `platform` stands before the names of its people, by default `name`. `own`: it is this tool's
    own layout, and names and ids stay as they stand. `titled`: ids are made of titles, so that a
    question which is renamed there has another. `place` gives what a file says of questions
    of an earlier one, by another name than their id, to those that the ledger holds. `lacks` says
    what a file lacks that is nearly one of this format; empty: it is nothing like it.
    """

    name: str
    what: str
    looks_like: Callable[[Head], bool]
    read: Callable[[Source, Reading], Iterator[Record]]
    rules: Mapping[str, PlatformRule] = field(default_factory=dict)
    platform: str = ""
    own: bool = False
    titled: bool = False
    place: Callable[[Statements, Mapping[str, Question]], None] | None = None
    lacks: Callable[[Head], str] = lambda _: ""


#: The module of each format, in the order in which a file is held against them.
_MODULES = (
    *("metaculus", "metaculus_csv", "fatebook", "predictionbook", "manifold", "cultivate"),
    *("polymarket", "kalshi", "forecastbench", "gjp", "iqisa", "parquet", "jsonl", "csv"),
)


def formats() -> dict[str, Format]:
    """Give every format by name."""
    by_name: dict[str, Format] = {}
    for module in _MODULES:
        one: Format = import_module(f"forecasting.exchange.formats.{module}").FORMAT
        by_name[one.name] = one
    return by_name


def detected(source: Source, name: str = "") -> Format:
    """Give the format that is named, if the file is one, or the one that the file is of."""
    known = formats()
    if name and name not in known:
        raise InvalidInput(f"format ({plainly(name)}): must be one of {', '.join(known)}")
    here = next((one for one in known.values() if one.looks_like(source.head)), None)
    # What another platform wrote is not read as a table of our own, though its columns may do.
    foreign = here is not None and not here.own
    if name and known[name].looks_like(source.head) and not (known[name].own and foreign):
        return known[name]
    if name and known[name].own and (here is None or here.own):
        # Our own layouts say for themselves what is wrong with a file, line by line.
        if name != "parquet":
            check_text(source.content, source.name)
        return known[name]
    if here is None and source.breaks_off:
        msg = f"file ({source.name}): is JSON that breaks off after {len(source.content):,} bytes"
        raise InvalidInput(msg, hint="the whole file: download it again")
    if here is None:
        wanted = f"is not {known[name].what}" if name else "no format is known for it"
        msg = f"file ({source.name}): {appearance(source)}; {wanted}"
        ways = [way_out(source), *(one.lacks(source.head) for one in known.values())]
        raise InvalidInput(msg, hint=next(filter(None, ways), f"one of {', '.join(known)}"))
    if name:
        msg = f"file ({source.name}): is not {known[name].what}; it looks like {here.what}"
        raise InvalidInput(msg, hint=f"forecast import {here.name} {source.name}")
    return here
