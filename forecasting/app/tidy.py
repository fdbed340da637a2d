"""What a book gives and takes: tidy frames, moments as text, numbers as decimals."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecasting.domain.catalog import Catalog
from forecasting.domain.reading.python import When, when
from forecasting.errors import NotFound

if TYPE_CHECKING:
    import pandas as pd

    from forecasting.domain.reading.instants import Days
    from forecasting.store import Ledger


#: The columns of each frame that a book gives, for those without rows; a test compares them.
QUESTIONS = (
    *("id", "title", "type", "ladder", "status", "opens", "closes", "by", "outcome", "model"),
    *("texts", "event", "topic", "tags", "latest", "withdrawn", "latest_model", "difference"),
)
FORECASTS = (
    *("seq", "question", "forecaster", "kind", "mark", "forecast", "issued_at", "recorded_at"),
    *("because", "run", "claim"),
)
HISTORY = (
    *("seq", "question", "forecaster", "kind", "forecast", "issued_at", "recorded_at", "mark"),
    *("from", "until", "lower", "upper", "method", "run", "sealed", "because"),
)
EVIDENCE = (
    *("seq", "recorded_at", "key", "kind", "title", "source", "grade", "certainty", "event_at"),
    *("known_at", "story", "stream", "url", "on", "then", "now", "half_life", "moves"),
    *("unusable", "state"),
)
RESOLUTIONS = (
    *("seq", "question", "status", "outcome", "resolved_at", "recorded_at", "source", "certainty"),
    *("note", "version", "stands"),
)
SCORED_RESOLUTIONS = (
    *RESOLUTIONS[:-1],
    *("kind", "forecaster", "mean", "n", "rule", "coverage", "skill"),
)
SCORES = (
    *("forecaster", "type", "unit", "rule", "convention", "orientation", "kind", "window"),
    *("proper", "n_questions", "n_forecasts", "n_events", "coverage", "possible_coverage", "mean"),
    *("lower", "upper", "while_open", "skill", "reference", "missing", "note"),
)
CURVE = ("forecast", "event_rate", "n", "events", "lower", "upper")
LEADERBOARD = (
    *("rank", "forecaster", "raw", "adjusted", "lower", "upper", "p_best", "rank_lower"),
    *("rank_upper", "component", "n_questions", "n_events", "rule", "convention", "kind"),
    *("window", "type"),
)
WATCHES = ("process", "title", "until", "recorded_at", "days", "watcher", "because", "seq")
UPDATE = (
    *("question", "model", "before", "after", "lower", "upper", "mcse", "method", "k_hat", "gate"),
    *("fit", "moved", "logged", "linked", "reason", "closes", "seconds", "watched_until"),
    *("quiet", "status"),
)
WORLDVIEWS = (
    *("worldview", "title", "weight", "n_resolved", "n_events", "brier", "n_scored", "n_claims"),
    *("claims_score", "claims_low", "claims_high", "n_claims_model", "claims_score_there"),
    *("claims_model", "claims", "differs", "as_of", "kind", "run"),
)
WEIGHTS = ("at", "event", "questions", "n_resolved", "n_events", "weights")
ANSWERS = ("question", "type", "outcome", "number", "lower", "upper", "mcse", "gate")
WHAT_IF = (
    *("question", "state", "before", "after", "lower", "upper", "change", "change_mcse", "mcse"),
    *("gate", "basis"),
)
VALUE = ("question", "target", "value_of_information", "days", "per_day", "rank_per_day")


class Details(dict[str, Any]):
    """A row with all there is to a thing; at a prompt it is written in one line."""

    def __repr__(self) -> str:
        parts = [f"{self.get('id', '')}: {self.get('title', '')}"]
        if self.get("status"):
            parts.append(str(self.get("outcome") or self["status"]))
        if names := self.get("questions"):
            parts.append("questions " + ", ".join(map(str, names)) if len(names) > 1 else "asked")
        if latest := (self.get("latest") or self.get("model")):
            numbers = [f"{who} {_short(value)}" for who, value in latest.items()]
            more = f" and {len(numbers) - 4} more" if len(numbers) > 4 else ""
            parts.append(", ".join(numbers[:4]) + more)
        return f"<{'; '.join(parts)}; keys: {', '.join(list(self)[:6])}, ...>"


def _short(value: Any) -> str:
    """Write a forecast in a word: a mapping by how many numbers it has."""
    if isinstance(value, Mapping):
        return f"{len(value)} numbers"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def frame(
    rows: Sequence[Mapping[str, Any]], times: Sequence[str] = (), columns: Sequence[str] = ()
) -> "pd.DataFrame":
    """Give rows as a frame, some of whose columns are aware UTC times.

    With `columns` a frame without rows has them too, and others have them first.
    """
    import pandas as pd

    table = pd.DataFrame(list(rows))
    table = table.reindex(columns=list(dict.fromkeys((*columns, *table.columns))))
    for column in times:
        if column in table:
            table[column] = pd.to_datetime(table[column], utc=True)
    return table


def listed(
    rows: Sequence[Mapping[str, Any]], times: Sequence[str] = (), columns: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Give rows as they are."""
    return [dict(row) for row in rows]


def warned(note: str) -> None:
    """Tell a note as a warning of Python, at the line outside this package that called."""
    import warnings

    warnings.warn(note, skip_file_prefixes=(str(Path(__file__).parents[1]),))


def on(
    ledger: "Ledger", question: str, moment: When, *, days: "Days", now: dt.datetime
) -> dt.datetime | None:
    """Read a moment in the zone of a question or ladder."""
    if moment is None or isinstance(moment, dt.datetime):
        return when(moment, now=now)
    zone = Catalog.about(ledger, question).find(question)[0].zone
    return when(moment, days=days, zone=zone, now=now)


class Door[Table]:
    """What each part of a book stands on: a ledger, who speaks, how tables and notes are given."""

    ledger: "Ledger"
    database: str
    #: How a table is given, rows to the command line and frames to notebooks; and a note told.
    _give: Callable[..., Table]
    _tell: Callable[[str], None]

    @property
    def forecaster(self) -> str:
        """The name under which this book logs."""
        return self.speaker()

    def speaker(self, forecaster: str | None = None) -> str:
        """Give the name of who speaks, by default this book's: never a forecaster of the tool."""
        raise NotImplementedError

    def zone(self, *names: str) -> str:
        """Give the zone of a question or ladder, or that processes share; empty for none.

        Without a name it is that of the ledger's bank.
        """
        from forecasting.app.upkeep.banks import zone_of

        if not names:
            return zone_of(self.ledger)
        from forecasting.evidence.predicates import world_of_the_bank

        try:
            return Catalog.about(self.ledger, names[0]).find(names[0])[0].zone
        except NotFound:
            known = world_of_the_bank(self.ledger).processes
        zones = {known[name].zone for name in names if name in known}
        return zones.pop() if len(zones) == 1 else ""

    def _noted(
        self,
        rows: Sequence[Mapping[str, Any]],
        notes: Sequence[str],
        times: Sequence[str] = (),
        names: Sequence[str] = (),
    ) -> Table:
        """Give a table, and tell what is to be said beside it."""
        for note in notes:
            self._tell(note)
        return self._give(rows, times, names)
