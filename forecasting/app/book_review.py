"""The part of the book that looks back: scores, calibration, comparison, pools, the replay."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecasting import clock
from forecasting.app import tidy
from forecasting.app.catalog import Catalog
from forecasting.app.tidy import Door, When, frame, when
from forecasting.errors import InvalidInput, nearest
from forecasting.store import Ledger

if TYPE_CHECKING:
    import pandas as pd

    from forecasting.app.frames import Selection


class Review[Table](Door[Table]):
    """How good the forecasts were; each method does what its command does.

    The `filters` are those of a selection: ``kind, run, forecaster, question, tag, as_of, reading,
    too_soon``, see :class:`forecasting.app.frames.Selection`; ``past_close`` keeps only questions
    whose scheduled close has passed.
    """

    def scores(
        self,
        *,
        rule: str = "",
        by: str = "forecaster",
        convention: str = "half",
        window: str = "scheduled",
        against: str = "",
        missing: str = "leave-out",
        **filters: Any,
    ) -> Table:
        """Score forecasters over the lifetime of resolved questions."""
        from forecasting.app.scores.score import scores

        rows = scores(
            self.ledger,
            rule=rule,
            by=by,
            convention=convention,
            window=window,
            against=against,
            missing=missing,
            selection=_selection(self.ledger, filters),
        )
        # What resolved too soon is counted among what is left out, so no row shows it.
        rows = [row for row in rows if not row.pop("excluded", False)]
        return self._give(rows, (), (by, *tidy.SCORES))

    def left_out(
        self,
        *forecasters: str,
        counted: bool = True,
        share: float | None = None,
        types: Sequence[str] = (),
        **filters: Any,
    ) -> list[str]:
        """Say what a table leaves out of a selection, each with its count and its reason.

        With `types`, of a calibration of questions of those types, read at a `share` of their
        windows (None: no one moment is read).
        """
        from forecasting.app.scores.score import left_out

        wanted, more = _selection(self.ledger, filters), None
        if types:
            from forecasting.app.scores.calibrate import unread

            more = unread(self.ledger, wanted, types=types, share=share)
        return left_out(self.ledger, wanted, *forecasters, counted=counted, more=more)

    def why_empty(
        self,
        *,
        rule: str = "",
        types: Sequence[str] = (),
        whose: bool = False,
        share: float | None = None,
        **filters: Any,
    ) -> str:
        """Say why there is nothing to score (with `whose`, of the forecaster), and what is."""
        from forecasting.app.scores.score import empty_note

        wanted = _selection(self.ledger, filters)
        who = wanted.forecaster if whose else ""
        return empty_note(self.ledger, wanted, rule=rule, types=types, whose=who, share=share)

    def known(self, forecaster: str) -> None:
        """Refuse a forecaster that the ledger does not know; an empty name is anybody."""
        from forecasting.app.scores.against import known_forecaster

        known_forecaster(self.ledger, forecaster)

    @staticmethod
    def titled(picture: str) -> str:
        """Give the title of a picture."""
        from forecasting.app.review.pictures import PICTURES

        return PICTURES[picture]

    def calibration(
        self,
        *,
        share: float = 0.5,
        score: str = "brier",
        **filters: Any,
    ) -> "Calibration":
        """Review the calibration of a forecaster (or of all of a kind)."""
        from forecasting.app.scores.calibrate import calibration

        wanted = _selection(self.ledger, filters)
        numbers = calibration(
            self.ledger, selection=wanted, share=share, score=score, now=clock.now()
        )
        return Calibration(numbers, wanted.forecaster or wanted.kind, self.ledger)

    def calibration_by(
        self,
        by: str,
        *,
        share: float = 0.5,
        **filters: Any,
    ) -> Table:
        """Give a row of calibration for each forecaster, topic, horizon or month."""
        from forecasting.app.scores.calibrate import by_group

        wanted = _selection(self.ledger, filters)
        return self._give(by_group(self.ledger, by, selection=wanted, share=share, now=clock.now()))

    def picture(
        self,
        picture: str,
        *,
        share: float = 0.5,
        out: str | Path | None = None,
        title: str = "",
        **filters: Any,
    ) -> Table:
        """Give the rows that a picture of the scores draws; with `out`, draw it there."""
        from forecasting.app.review import pictures

        wanted = _selection(self.ledger, filters)
        rows = pictures.table(self.ledger, picture, selection=wanted, share=share)
        if out is not None:
            pictures.draw(picture, rows, Path(out), title=title, head=self.ledger.head())
        return self._give(rows)

    def replay(self, **options: Any) -> dict[str, Any]:
        """Replay the past with only the information available then; see `forecast replay`."""
        from forecasting.app.forecast.replay import replay
        from forecasting.app.upkeep.banks import bank_of

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
        from forecasting.app.review.publish import gather
        from forecasting.review import write

        self.page_folder(Path(folder))
        return write(gather(self.ledger, kind=kind, run=run, now=clock.now()), Path(folder))

    @staticmethod
    def page_folder(folder: Path) -> None:
        """Refuse what cannot be the folder of a review page."""
        if folder.suffix in (".html", ".htm"):
            msg = f"out ({folder}): must name a folder; the page is index.html in it"
            raise InvalidInput(msg, hint=f"out={folder.with_suffix('')}")

    def compare(
        self,
        a: str,
        b: str,
        *,
        rule: str = "",
        convention: str = "half",
        window: str = "scheduled",
        question_type: str = "",
        diebold_mariano: bool = False,
        **filters: Any,
    ) -> dict[str, Any]:
        """Compare two forecasters on the questions that they share; see `forecast compare`."""
        from forecasting.app.scores.compare import compare

        return compare(
            self.ledger,
            a,
            b,
            now=clock.now(),
            rule=rule,
            convention=convention,
            window=window,
            question_type=question_type,
            diebold_mariano=diebold_mariano,
            selection=_selection(self.ledger, filters),
        )

    def leaderboard(
        self,
        *,
        rule: str = "",
        convention: str = "half",
        window: str = "scheduled",
        question_type: str = "binary",
        sample: bool = True,
        seed: int = 0,
        **filters: Any,
    ) -> Table:
        """Rank the forecasters, adjusted for the difficulty of their questions, or say why not."""
        from forecasting.app.scores.compare import leaderboard

        wanted = _selection(self.ledger, filters)
        self.known(wanted.forecaster)
        rows, notes = leaderboard(
            self.ledger,
            rule=rule,
            convention=convention,
            window=window,
            question_type=question_type,
            sample=sample,
            seed=seed,
            selection=wanted,
        )
        return self._noted(rows, notes, (), tidy.LEADERBOARD)

    def pool(
        self,
        question: str,
        /,
        *,
        method: str = "geometric-odds",
        members: Sequence[str] = (),
        as_of: When = None,
        log: bool = False,
        **filters: Any,
    ) -> Table:
        """Combine the forecasts in force on a question or on each rung of a ladder."""
        from forecasting.app.forecast.pool import pool

        rows = pool(
            self.ledger,
            question,
            now=clock.now(),
            method=method,
            members=members,
            selection=_selection(self.ledger, {**filters, "as_of": when(as_of)}),
            log=log,
        )
        return self._give(rows)

    def pool_scores(
        self, *, methods: Sequence[str] = (), members: Sequence[str] = (), **filters: Any
    ) -> Table:
        """Score each pool as a forecaster, from what had resolved by then."""
        from forecasting.app.forecast.pool import pool_scores

        return self._give(
            pool_scores(
                self.ledger,
                methods=methods,
                members=members,
                selection=_selection(self.ledger, filters),
            )
        )

    def worldviews(self, *, as_of: When = None, kind: str = "", run: str = "") -> Table:
        """Give each worldview's weight, record, claims, and where it differs from the model."""
        from forecasting.app.forecast.worldviews import worldview_rows
        from forecasting.app.upkeep.banks import bank_of

        bank, moment = bank_of(self.ledger), when(as_of)
        rows, notes = worldview_rows(
            self.ledger, bank, now=clock.now(), kind=kind, run=run, at=moment
        )
        return self._noted(rows, notes, ("at", "as_of"), tidy.WORLDVIEWS)

    def worldview_weights(self, *, as_of: When = None, kind: str = "", run: str = "") -> Table:
        """Give the weights of the worldviews after each event that resolved."""
        from forecasting.app.forecast.worldviews import worldview_steps

        rows, notes = worldview_steps(
            self.ledger, now=clock.now(), kind=kind, run=run, at=when(as_of)
        )
        return self._noted(rows, notes, ("at", "as_of"), tidy.WEIGHTS)


def _selection(ledger: Ledger, filters: Mapping[str, Any]) -> "Selection":
    """Make the selection of a table from its filters, with moments and names read."""
    from forecasting.app.frames import Selection

    read = {"kind": "live", **filters}
    past_close = read.pop("past_close", False)
    if "as_of" in read:
        read["as_of"] = when(read["as_of"])
    if past_close:
        read["closed_by"] = read.get("as_of") or clock.now()
    known = [field.name for field in fields(Selection)]
    for name in read:
        if name not in known:
            msg = f"{name}: is no filter"
            raise InvalidInput(msg, hint=nearest(name, [*known, "past_close"]) or ", ".join(known))
    question = read.get("question") or ()
    if names := [name for name in ((question,) if isinstance(question, str) else question) if name]:
        # Among all questions, also those published later than a table looks.
        catalog = Catalog.of(ledger)
        read["question"] = tuple(catalog.called(name) for name in names)
    if tag := read.get("tag"):
        Catalog.of(ledger).tag(tag)
    return Selection(**read)


class Calibration:
    """A calibration review: numbers, table, picture and reading."""

    def __init__(self, numbers: Mapping[str, Any], title: str, ledger: Ledger) -> None:
        self.numbers = dict(numbers)
        self.title = title
        self._ledger = ledger

    def __repr__(self) -> str:
        return f"<Calibration of {self.title}, {self.numbers['n']} events: {self.reading}>"

    @property
    def table(self) -> "pd.DataFrame":
        """The curve: forecast, event_rate, n, lower, upper."""
        return frame(list(self.numbers["curve"]), (), tidy.CURVE)

    @property
    def reading(self) -> str:
        """What it says in plain words."""
        return str(self.numbers["reading"])

    @property
    def few(self) -> bool:
        """Whether there are too few events to say more than the mean."""
        from forecasting.app.scores.calibrate import LEAST_EVENTS

        return bool(self.numbers["n"] < LEAST_EVENTS)

    def plot(self) -> Any:
        """Draw the reliability diagram as a matplotlib figure."""
        from forecasting.review import draw

        return draw.reliability(self.numbers, title=self.title)

    def save(self, file: str | Path, *, title: str = "") -> None:
        """Write it as .svg, .png, .csv or .html."""
        from forecasting.app.review.pictures import save_calibration

        head = self._ledger.head()
        save_calibration(self.numbers, Path(file), title=title or self.title, head=head)
