"""The book: one object with which a notebook or a script does everything."""

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from forecasting import clock, config
from forecasting.app.book_record import Record
from forecasting.app.book_review import Review
from forecasting.app.tidy import When, frame, is_number, text, when
from forecasting.errors import InvalidInput
from forecasting.store import Ledger

if TYPE_CHECKING:
    import pandas as pd

    from forecasting.app.world_view import WorldView
    from forecasting.bank import Bank


def open_book(database: str | None = None, *, forecaster: str | None = None) -> "Book":
    """Open (or create) a database and load the bundled bank into a new one.

    Parameters
    ----------
    database : str, optional
        A path or a URL; default as on the command line.
    forecaster : str, optional
        In whose name `log` speaks.

    Examples
    --------
    >>> with open_book("sqlite:///:memory:", forecaster="ana") as book:
    ...     len(book.questions())
    48
    """
    from forecasting.app.questions import bundled_bank

    bank = bundled_bank()
    book = Book.open(database, forecaster=forecaster, create=True)
    if not book.ledger.head().seq:
        book.init(bank)
    return book


class Book(Record, Review):
    """A ledger with the use cases as methods; frames are tidy and their times aware UTC."""

    def __init__(
        self, ledger: Ledger, *, forecaster: str | None = None, database: str = ""
    ) -> None:
        self.ledger = ledger
        self.database = database
        self._forecaster = forecaster

    @classmethod
    def open(
        cls, database: str | None = None, *, forecaster: str | None = None, create: bool = False
    ) -> "Book":
        """Open a database as the settings choose it; with `create`, make an absent one."""
        url = config.database(database).value
        return cls(Ledger.open(url, create=create), forecaster=forecaster, database=url)

    def close(self) -> None:
        """Close the database."""
        self.ledger.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def forecaster(self) -> str:
        """In whose name this book logs."""
        return config.forecaster(self._forecaster).value

    def init(self, bank: "Bank | str | Path") -> dict[str, Any]:
        """Load a bank, or that of a folder: what is new is appended, what changed is said."""
        from forecasting.app.questions import load_bank
        from forecasting.app.world_view import bank_of

        bank = bank_of(bank)
        new = not self.ledger.head().seq
        counts = load_bank(self.ledger, bank, clock.now())
        return {
            "database": config.without_password(self.database),
            "questions": len(bank.questions),
            "created": new,
            "added": counts["new"],
            "changed": counts["changed"],
            "evidence": counts["evidence"],
            "resolutions": counts["resolutions"],
        }

    def questions(self, **filters: str) -> "pd.DataFrame":
        """Give the questions: one row each, a rung of a ladder too."""
        from forecasting.app.questions import list_rows

        rows = list_rows(self.ledger, clock.now(), forecaster=self.forecaster, **filters)
        return frame(rows, ("opens", "closes"))

    def today(self) -> "pd.DataFrame":
        """Give what needs the forecaster today: a row an item, in sections; see `forecast`."""
        from forecasting.app.today import NEWS_ROW, ROW, today

        rows = today(self.ledger, forecaster=self.forecaster, now=clock.now())
        return frame(rows, ("deadline", "known_at"), ("section", *ROW, *NEWS_ROW))

    def due(self, *, by: str = "value") -> "pd.DataFrame":
        """Give what needs the forecaster, by what a fresh look is worth or by the deadline."""
        from forecasting.app.today import ROW, due

        rows = due(self.ledger, forecaster=self.forecaster, now=clock.now(), by=by)
        return frame(rows, ("deadline",), ROW)

    def add_question(self, path: str | Path) -> list[str]:
        """Add the question (or ladder) of a file; give its ids."""
        from forecasting.app.questions import add_file

        return [question.id for question in add_file(self.ledger, Path(path), clock.now())]

    def forecasts(
        self, *, kind: str | None = None, forecaster: str | None = None
    ) -> "pd.DataFrame":
        """Give every forecast: one row each."""
        from forecasting.app.catalog import Catalog

        catalog = Catalog.of(self.ledger)
        rows = [
            {
                "seq": f.seq,
                "question": f.question,
                "forecaster": f.forecaster,
                "kind": f.kind,
                "mark": catalog.mark(f),
                "forecast": f.value.plain,
                "issued_at": f.issued_at,
                "recorded_at": f.recorded_at,
                "because": f.because,
                "run": f.run,
                "claim": f.claim,
            }
            for f in self.ledger.forecasts(forecaster=forecaster)
            if kind is None or f.kind == kind
        ]
        return frame(rows, ("issued_at", "recorded_at"))

    def evidence(self, *, everything: bool = False, question: str = "") -> "pd.DataFrame":
        """Give the evidence: one row an item; reference tables only with `everything`."""
        from forecasting.app import news

        rows = news.rows(self.ledger, question=question, everything=everything)
        return frame(rows, ("event_at", "known_at", "recorded_at"))

    def resolutions(
        self, question: str = "", *, scores: bool = False, kind: str = "live", run: str = ""
    ) -> "pd.DataFrame":
        """Give every version of an outcome (or of all); with `scores`, as if each had stood."""
        from forecasting.app import resolutions

        if scores:
            rows = resolutions.scored(self.ledger, question, kind=kind, run=run)
        else:
            rows = resolutions.resolutions(self.ledger, question)
        return frame(rows, ("resolved_at", "recorded_at"))

    def log(
        self,
        question: str,
        forecast: float | str | Mapping[str, float | str] | None = None,
        *,
        ladder: Mapping[str, float | str] | None = None,
        because: str = "",
        at: When = None,
        forecaster: str | None = None,
        sealed: bool = False,
    ) -> list[dict[str, Any]]:
        """Log a probability, a mapping of options or of quantile levels, or a ladder."""
        from forecasting.app.log import log

        given: dict[str, Any] = {}
        if ladder is not None:
            given["ladder"] = {str(day): text(p) for day, p in ladder.items()}
        elif isinstance(forecast, Mapping):
            numeric = all(is_number(key) for key in forecast)
            given["quantiles" if numeric else "options"] = {
                str(key): text(value) for key, value in forecast.items()
            }
        elif forecast is not None:
            given["probability"] = text(forecast)
        return log(
            self.ledger,
            question,
            forecaster=forecaster or self.forecaster,
            now=clock.now(),
            at=when(at),
            because=because,
            sealed=sealed,
            **given,
        )

    def reveal(
        self,
        name: str = "",
        *,
        file: str | Path | None = None,
        everything: bool = False,
        forecaster: str | None = None,
    ) -> list[dict[str, Any]]:
        """Reveal sealed forecasts: of an entry, a question, a file, or all."""
        from forecasting.app.seal import reveal

        return reveal(
            self.ledger,
            name,
            forecaster=forecaster or self.forecaster,
            now=clock.now(),
            file=None if file is None else Path(file),
            everything=everything,
        )

    def redact(
        self, entry: int | str, *, because: str, forecaster: str | None = None
    ) -> dict[str, Any]:
        """Take the text of a rationale out of the database; backups and exports keep it."""
        from forecasting.app.redact import redact

        return redact(
            self.ledger,
            str(entry),
            forecaster=forecaster or self.forecaster,
            reason=because,
            now=clock.now(),
        )

    def withdraw(self, question: str, *, at: When = None) -> list[dict[str, Any]]:
        """Take the forecaster's standing forecast back."""
        from forecasting.app.log import withdraw

        return withdraw(
            self.ledger, question, forecaster=self.forecaster, now=clock.now(), at=when(at)
        )

    def history(self, question: str, **filters: str) -> "pd.DataFrame":
        """Give every forecast of a question with the time it stood."""
        from forecasting.app.log import history

        times = ("issued_at", "recorded_at", "from", "until")
        return frame(history(self.ledger, question, **filters), times)

    def add_news(
        self,
        title: str,
        *,
        source: str,
        known_at: str | dt.datetime,
        event_at: When = None,
        on: Mapping[str, str] | Sequence[str] = (),
        **more: Any,
    ) -> dict[str, Any]:
        """Record an item of evidence; `on` maps targets to effects such as ``x3``.

        A target is a question, a process or ``process=state``; ``{"truce": "on"}`` is a fact. More
        words: `url`, `grade`, `story`, `because`, `half_life`, `lasting`, `confirmed`.
        """
        from forecasting.app import news

        effects = [f"{q}={effect}" for q, effect in on.items()] if isinstance(on, Mapping) else on
        moment = when(known_at)
        if moment is None:
            msg = "known_at: must be given"
            raise InvalidInput(msg)
        return news.add(
            self.ledger,
            title,
            source=source,
            known_at=moment,
            event_at=when(event_at),
            on=list(effects),
            now=clock.now(),
            **more,
        )

    def update(
        self,
        *questions: str,
        as_of: When = None,
        dry_run: bool = False,
        seed: int = 0,
        watched: bool = False,
        unwatched: bool = False,
        everything: bool = False,
    ) -> "pd.DataFrame":
        """Bring the model up to the evidence and the clock, and log what changed.

        Parameters
        ----------
        *questions : str
            By name; default: all open ones.
        watched : bool
            You looked and nothing more had happened to their processes: recorded as a watch.
        unwatched : bool
            Log numbers that rest on processes nobody has watched for a week.
        everything : bool
            Log what did not change too.

        Returns
        -------
        DataFrame
            A row per question: ``question, before, after, lower, upper, quiet, logged, ...``.
        """
        import warnings as python_warnings

        from forecasting.app.update import update

        rows, warnings = update(
            self.ledger,
            questions,
            now=clock.now(),
            as_of=when(as_of),
            dry_run=dry_run,
            seed=seed,
            watched=watched,
            unwatched=unwatched,
            everything=everything,
            watcher=self.forecaster if watched else "",
        )
        for warning in warnings:
            python_warnings.warn(warning, stacklevel=2)
        return frame(rows, ())

    def world(
        self,
        as_of: When = None,
        *,
        draws: int | None = None,
        seed: int = 0,
        bank: "Bank | str | Path | None" = None,
    ) -> "WorldView":
        """Simulate the whole world as of a moment, far enough for every open question.

        Parameters
        ----------
        as_of : str or datetime, optional
            Only what was known then counts; default: now.
        draws : int, optional
            Paths, a multiple of 16; default 32,768.
        seed : int
            The same seed gives the same paths.
        bank : Bank or folder, optional
            Whose world; default the bundled one. Load its questions first (`init`).

        Returns
        -------
        WorldView
            The paths as pandas, the answers, the fits as ArviZ takes them, and what-if.

        Raises
        ------
        InvalidInput
            No question is open that the world answers.
        """
        from forecasting.app.world_view import world

        return world(
            self.ledger, now=clock.now(), as_of=when(as_of), draws=draws, seed=seed, bank=bank
        )

    def explain(
        self, question: str, *, as_of: When = None, seed: int = 0
    ) -> "dict[str, Any] | list[dict[str, Any]]":
        """Say why the model's probability is what it is; for a ladder, one for each open rung."""
        from forecasting.app import explain

        found = explain.explain(
            self.ledger, question, now=clock.now(), as_of=when(as_of), seed=seed
        )
        return found[0] if len(found) == 1 else found
