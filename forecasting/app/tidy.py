"""What a book gives and takes: tidy frames, moments as text, numbers as decimals."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecasting.domain.catalog import Catalog
from forecasting.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from forecasting.domain.reading.instants import Days
    from forecasting.store import Ledger

type When = str | dt.date | dt.datetime | None

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


def when(
    moment: Any, *, days: "Days" = "begins", zone: str = "", now: dt.datetime | None = None
) -> dt.datetime | None:
    """Read a moment or a day, as text or as Python, pandas or NumPy has it; None stays None.

    A midnight without a zone is a day, as pandas writes days; any other time without one is
    refused. A text without an offset is read in `zone`, where one is given. `now` is what ``now``
    and ``today`` mean: a caller that refuses the future passes its own. Today is read as now where
    its noon or end, as `days` asks for, is still to come.
    """
    from forecasting import clock
    from forecasting.domain.instants import utc
    from forecasting.domain.reading import Manner
    from forecasting.domain.reading import moment as read

    if moment is None:
        return None
    plain = _python(moment)
    if isinstance(plain, dt.datetime) and not _is_midnight(plain):
        return utc(plain)
    now = now or clock.now()
    manner = Manner(now=now)
    instant = read(_words(plain), days=days, zone=zone, local=bool(zone), manner=manner)
    if days != "begins" and instant > now:
        today = read("today", days=days, zone=zone, local=bool(zone), manner=manner)
        instant = now if instant == today else instant
    return instant


def day(value: Any) -> str:
    """Write a day as text, whatever holds it; text stays as it is.

    Examples
    --------
    >>> day(dt.date(2027, 1, 31)), day("31 Jan 2027")
    ('2027-01-31', '31 Jan 2027')
    """
    plain = _python(value)
    # The day is that of the datetime's own zone, because deadlines are days.
    return plain.date().isoformat() if isinstance(plain, dt.datetime) else str(_words(plain))


def stated(forecast: Any) -> Any:
    """Write what is forecast as a door reads it: one number as text, several by their names."""
    if forecast is None or isinstance(forecast, str):
        return forecast
    return named(forecast) if by_name(forecast) else text(forecast)


def by_name(forecast: Any) -> bool:
    """Whether a forecast has several numbers by their names: a mapping, or a Series of pandas."""
    return isinstance(forecast, Mapping) or (
        hasattr(forecast, "items") and hasattr(forecast, "index")
    )


def named(values: Any) -> dict[str, str]:
    """Write numbers by their names: options, levels of quantiles, or the days of a ladder.

    Examples
    --------
    >>> named({"egypt": 0.2, 95: 3, dt.date(2027, 1, 31): "4%"})
    {'egypt': '0.2', '95': '3', '2027-01-31': '4%'}
    """
    numbers: dict[str, str] = {}
    for key, value in values.items():
        name = key if isinstance(key, str) else day(key) if _is_day(key) else str(key)
        if name in numbers:
            msg = f"forecast ({name}): is given twice"
            raise InvalidInput(msg)
        numbers[name] = text(value)
    return numbers


def plainly(value: Any) -> Any:
    """Give the fields of a mapping as a file has them: days as text, plain numbers."""
    if isinstance(value, Mapping):
        return {key: plainly(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plainly(item) for item in value]
    if _is_day(value):
        return _words(_python(value))
    return value.item() if hasattr(value, "item") else value


def _is_day(value: Any) -> bool:
    return isinstance(value, dt.date) or type(value).__name__ == "datetime64"


def _python(value: Any) -> Any:
    """Give what NumPy has as a date as Python's; refuse what stands for no moment."""
    plain = value.item() if type(value).__name__ == "datetime64" else value
    if isinstance(plain, str | dt.date) and plain == plain:
        return plain
    if plain is not value and isinstance(plain, int):
        # NumPy gives nanoseconds as a number, which Python's datetimes do not hold.
        return dt.datetime.fromisoformat(str(value.astype("datetime64[us]")))
    msg = f"time ({value}): is no moment"
    raise InvalidInput(msg, hint="2026-11-22, 2026-11-22T12:00Z, a date or a datetime")


def _is_midnight(plain: dt.datetime) -> bool:
    return plain.tzinfo is None and plain.time() == dt.time()


def _words(plain: str | dt.date) -> str | dt.date:
    if isinstance(plain, dt.datetime):
        return plain.date().isoformat() if _is_midnight(plain) else plain.isoformat()
    return plain.isoformat() if isinstance(plain, dt.date) else plain


def on(
    ledger: "Ledger", question: str, moment: When, *, days: "Days", now: dt.datetime
) -> dt.datetime | None:
    """Read a moment in the zone of a question or ladder."""
    if moment is None or isinstance(moment, dt.datetime):
        return when(moment, now=now)
    zone = Catalog.about(ledger, question).find(question)[0].zone
    return when(moment, days=days, zone=zone, now=now)


def text(value: "float | str | np.generic") -> str:
    """Write a number as a door reads it: 1.0 is certainty, True is yes; text stays as it is."""
    from forecasting.domain.forecast import decimal_text
    from forecasting.domain.reading import unmistakable

    if isinstance(value, str):
        return value
    plain: Any = value
    if getattr(value, "ndim", 1) == 0:
        plain = plain.item()
    if not isinstance(plain, bool | int | float):
        msg = f"value ({value}): is neither a number nor text"
        raise InvalidInput(msg, hint="0.35, '35%', 'yes' or True")
    if isinstance(plain, bool | int):
        return str(plain)
    number = float(plain)
    if number - number != 0:
        # A number that is not finite has no decimal; as text it meets the rule that it breaks.
        return str(number)
    # A number is no text, so its point can only be a decimal point.
    written = unmistakable(decimal_text(number))
    return f"{written}.0" if written == "1" else written


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
        from forecasting.evidence.news_world import world_of_the_bank

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
