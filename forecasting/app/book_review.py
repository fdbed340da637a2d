"""The part of the book that looks back: scores, calibration, comparison, pools, the replay."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecasting import clock
from forecasting.app import columns
from forecasting.app.tidy import When, frame, when
from forecasting.errors import InvalidInput, nearest
from forecasting.store import Ledger

if TYPE_CHECKING:
    import pandas as pd

    from forecasting.app.frames import Selection


class Review:
    """How good the forecasts were, and of whom; each method as its command."""

    ledger: Ledger

    def scores(
        self,
        *,
        rule: str = "",
        by: str = "forecaster",
        kind: str = "live",
        convention: str = "half",
        window: str = "scheduled",
        **filters: Any,
    ) -> "pd.DataFrame":
        """Score forecasters over the lifetime of resolved questions."""
        from forecasting.app.score import scores

        return frame(
            scores(
                self.ledger,
                rule=rule,
                by=by,
                convention=convention,
                window=window,
                selection=_selection(kind, filters),
            ),
            (),
            (by, *columns.SCORES),
        )

    def calibration(
        self,
        *,
        forecaster: str = "",
        kind: str = "live",
        share: float = 0.5,
        score: str = "brier",
        past_close: bool = False,
        **filters: Any,
    ) -> "Calibration":
        """Review the calibration of a forecaster (or of all of a kind)."""
        from forecasting.app.calibrate import calibration

        now = clock.now()
        closed_by = (when(filters.get("as_of")) or now) if past_close else None
        wanted = _selection(kind, filters | {"forecaster": forecaster, "closed_by": closed_by})
        found = calibration(self.ledger, selection=wanted, share=share, score=score, now=now)
        return Calibration(found, forecaster or kind)

    def replay(self, **options: Any) -> dict[str, Any]:
        """Walk through time with only what was known then; see `forecast replay`."""
        from forecasting.app.banks import bank_of
        from forecasting.app.replay import replay

        def quietly(steps: Any, take: Any) -> None:
            for step in steps:
                take(step)

        return replay(
            self.ledger,
            bank_of(self.ledger),
            clock=clock.now,
            progress=options.pop("progress", quietly),
            **options,
        )

    def review(self, folder: str | Path, *, kind: str = "", run: str = "") -> Path:
        """Write the review page into a folder and give its path."""
        from forecasting.app.publish import review

        return review(self.ledger, Path(folder), kind=kind, run=run, now=clock.now())

    def compare(self, a: str, b: str, *, kind: str = "live", **options: Any) -> dict[str, Any]:
        """Compare two forecasters on the questions that they share; see `forecast compare`."""
        from forecasting.app.compare import compare
        from forecasting.app.frames import Selection

        wanted = Selection(kind=kind)
        return compare(self.ledger, a, b, now=clock.now(), selection=wanted, **options)

    def leaderboard(self, *, kind: str = "live", **options: Any) -> "pd.DataFrame":
        """Rank the forecasters with the questions' difficulty allowed for, or say why not."""
        import warnings as python_warnings

        from forecasting.app.frames import Selection
        from forecasting.app.leaderboard import leaderboard

        rows, notes = leaderboard(self.ledger, selection=Selection(kind=kind), **options)
        for note in notes:
            python_warnings.warn(note, stacklevel=3)
        return frame(rows, (), columns.LEADERBOARD)

    def pool(
        self,
        question: str,
        *,
        method: str = "geometric-odds",
        members: Sequence[str] = (),
        kind: str = "live",
        as_of: When = None,
        log: bool = False,
    ) -> "pd.DataFrame":
        """Combine the forecasts in force on a question or on each rung of a ladder."""
        from forecasting.app.frames import Selection
        from forecasting.app.pool import pool

        rows = pool(
            self.ledger,
            question,
            now=clock.now(),
            method=method,
            members=members,
            selection=Selection(kind=kind, as_of=when(as_of)),
            log=log,
        )
        return frame(rows)


def _selection(kind: str, filters: Mapping[str, Any]) -> "Selection":
    """Read which forecasts a table is about: its moments as everywhere, questions as any list."""
    from forecasting.app.frames import Selection

    read = dict(filters)
    if "as_of" in read:
        read["as_of"] = when(read["as_of"])
    if not isinstance(read.get("question", ""), str):
        read["question"] = tuple(read["question"])
    known = [field.name for field in fields(Selection)]
    for name in read:
        if name not in known:
            msg = f"{name}: is no filter"
            raise InvalidInput(msg, hint=nearest(name, known) or ", ".join(known))
    return Selection(kind=kind, **read)


class Calibration:
    """A calibration review: numbers, table, picture and reading."""

    def __init__(self, numbers: Mapping[str, Any], title: str) -> None:
        self.numbers = dict(numbers)
        self.title = title

    @property
    def table(self) -> "pd.DataFrame":
        """The curve: forecast, event_rate, n, lower, upper."""
        return frame(list(self.numbers["curve"]), (), columns.CURVE)

    @property
    def reading(self) -> str:
        """What it says in plain words."""
        return str(self.numbers["reading"])

    def plot(self) -> Any:
        """Draw the reliability diagram as a matplotlib figure."""
        from forecasting.review import draw

        return draw.reliability(self.numbers, title=self.title)
