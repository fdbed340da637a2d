"""The book: one object with which a notebook or a script does everything."""

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from forecasting import clock, config
from forecasting.app import columns
from forecasting.app.book_record import Record
from forecasting.app.book_review import Review
from forecasting.app.spelling import in_python, speaking_python
from forecasting.app.tidy import When, day, frame, named, on, text, when
from forecasting.errors import InvalidInput
from forecasting.store import Ledger

if TYPE_CHECKING:
    import pandas as pd

    from forecasting.app.world_view import WorldView
    from forecasting.bank import Bank


@in_python
def open_book(database: str | None = None, *, forecaster: str | None = None) -> "Book":
    """Open a database: the workspace's, or one that is named; an absent one is made.

    A new database outside a workspace gets the example that travels with the package, to try things
    on; `init` makes a workspace with a bank of one's own.

    Parameters
    ----------
    database : str, optional
        A path or a URL; default: the workspace's, found from the working folder upwards, else as
        on the command line.
    forecaster : str, optional
        In whose name `log` speaks.

    Examples
    --------
    >>> with open_book("sqlite:///:memory:", forecaster="ana") as book:
    ...     len(book.questions())
    48
    """
    from forecasting.app.banks import bundled_bank
    from forecasting.app.workspace import own_bank

    book = Book.open(database, forecaster=forecaster, create=True)
    try:
        if not book.ledger.head().seq:
            book.init(own_bank(book.database) or bundled_bank())
    except BaseException:
        book.close()
        raise
    return book


@in_python
def init_workspace(
    folder: str | Path = ".", *, example: str | None = None, forecaster: str | None = None
) -> "Book":
    """Make a workspace in a folder, or complete the one that is there, and open its database.

    Parameters
    ----------
    folder : path
        It need not exist; default: the working folder.
    example : str, optional
        Copy an example bank into its `questions` folder; default: a bank with nothing in it.
    forecaster : str, optional
        Who forecasts there; default: as elsewhere.
    """
    from forecasting.app.workspace import init

    made = init(Path(folder), example=example, forecaster=forecaster or "", now=clock.now())
    return Book.open(made["database"], forecaster=forecaster)


@speaking_python
class Book(Record, Review):
    """A ledger with the use cases as methods; frames are tidy and their times aware UTC."""

    def __repr__(self) -> str:
        from forecasting.app.catalog import Catalog

        catalog, now = Catalog.of(self.ledger), clock.now()
        held = catalog.questions.values()
        waiting = sum(catalog.status(question, now) == "open" for question in held)
        said = f"{len(held)} questions, {waiting} open, in {self.ledger.where}"
        return f"<Book of {self.forecaster}: {said}>"

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

    def reload(self) -> "Bank":
        """Load what is new in the ledger's bank, and give it.

        A new ledger gets the bank of its workspace; outside of one, the example that travels with
        the package.
        """
        from forecasting.app.banks import bank_of, bundled_bank, remembered
        from forecasting.app.workspace import own_bank

        own = own_bank(self.database)
        if own is None and remembered(self.ledger) is not None:
            own = bank_of(self.ledger)
            self.init(own)
            return own
        self.init(own or bundled_bank())
        return bank_of(self.ledger)

    def questions(self, **filters: str) -> "pd.DataFrame":
        """Give the questions: one row each, a rung of a ladder too."""
        from forecasting.app.questions import list_rows

        rows = list_rows(self.ledger, clock.now(), forecaster=self.forecaster, **filters)
        return frame(rows, ("opens", "closes"), columns.QUESTIONS)

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

    def add_question(self, question: "str | Path | Mapping[str, Any]") -> list[str]:
        """Add the question (or ladder) of a file, or of a dict with its fields; give its ids."""
        from forecasting.app.questions import add_fields, add_file

        now = clock.now()
        if isinstance(question, Mapping):
            return [made.id for made in add_fields(self.ledger, question, now)]
        return [made.id for made in add_file(self.ledger, Path(question), now)]

    def ask(
        self,
        title: str,
        forecast: float | str | Mapping[Any, float | str] | None = None,
        *,
        by: "str | dt.date" = "",
        ladder: "Sequence[str | dt.date]" = (),
        because: str = "",
        forecaster: str | None = None,
        **more: Any,
    ) -> dict[str, Any]:
        """Ask a question and log the number with it, in one transaction.

        Parameters
        ----------
        forecast : number, text or mapping, optional
            A probability; of options, quantiles or the days of a ladder, a mapping.
        by : day, or `ladder` : days
            The deadline, or several.
        **more
            `options`, `ordered`, `span` (``"0..5000"``) with `unit`, `base` (``"3 in 70 weeks"``),
            `answer`, `tags`, `slug`, `zone`, `criteria`, `background`, `resolves_by`.

        Returns
        -------
        dict
            ``id, title, questions, process, forecasts, model, ...``; `model` holds what the model
            says of each yes-no question at once.
        """
        from forecasting.app.ask import Asked, ask, beside

        now = clock.now()
        each = named(forecast) if isinstance(forecast, Mapping) else {}
        made = ask(
            self.ledger,
            Asked(title, by=day(by), ladder=[day(each) for each in ladder], **more),
            forecaster=forecaster or self.forecaster,
            now=now,
            probability=None if forecast is None or each else text(forecast),  # type: ignore[arg-type]
            each=each,
            because=because,
            zone=config.zone() or "",
        )
        return made | {
            "model": beside(self.ledger, made["questions"], now) if made["answer"] else {}
        }

    def edit_question(self, question: str, **changed: Any) -> list[str]:
        """Record a new version of a question; give the ids that changed."""
        from forecasting.app.edit import edit

        return edit(self.ledger, question, changed, clock.now())

    def drop_question(self, question: str) -> list[str]:
        """Drop a question that nobody else has forecast; its entries stay."""
        from forecasting.app.edit import drop

        return drop(self.ledger, question, forecaster=self.forecaster, now=clock.now())

    def forecasts(
        self, *, kind: str | None = None, forecaster: str | None = None
    ) -> "pd.DataFrame":
        """Give every forecast but those of imports taken back: one row each."""
        from forecasting.app.catalog import Catalog
        from forecasting.app.undone import undone

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
            for f in undone(self.ledger).left(self.ledger.forecasts(forecaster=forecaster))
            if kind is None or f.kind == kind
        ]
        return frame(rows, ("issued_at", "recorded_at"), columns.FORECASTS)

    def evidence(self, *, everything: bool = False, question: str = "") -> "pd.DataFrame":
        """Give the evidence: one row an item; reference tables only with `everything`."""
        from forecasting.app import news

        rows = news.rows(self.ledger, question=question, everything=everything)
        return frame(rows, ("event_at", "known_at", "recorded_at"), columns.EVIDENCE)

    def resolutions(
        self, question: str = "", *, scores: bool = False, kind: str = "live", run: str = ""
    ) -> "pd.DataFrame":
        """Give every version of an outcome (or of all); with `scores`, as if each had stood."""
        from forecasting.app import resolutions

        if scores:
            rows = resolutions.scored(self.ledger, question, kind=kind, run=run)
        else:
            rows = resolutions.resolutions(self.ledger, question)
        named = columns.SCORED_RESOLUTIONS if scores else columns.RESOLUTIONS
        return frame(rows, ("resolved_at", "recorded_at"), named)

    def log(
        self,
        question: str,
        forecast: float | str | Mapping[Any, float | str] | None = None,
        *,
        ladder: Mapping[Any, float | str] | None = None,
        because: str = "",
        at: When = None,
        forecaster: str | None = None,
        sealed: bool = False,
    ) -> list[dict[str, Any]]:
        """Log a probability, a mapping of options or of quantile levels, or a ladder."""
        from forecasting.app.catalog import Catalog
        from forecasting.app.log import log

        given: dict[str, Any] = {}
        if ladder is not None:
            given["ladder"] = named(ladder)
        elif isinstance(forecast, Mapping):
            asked = Catalog.of(self.ledger).find(question)
            numeric = asked[0].type == "numeric"
            form = "ladder" if asked[0].ladder == question.strip().casefold() else "options"
            given["quantiles" if numeric else form] = named(forecast)
        elif forecast is not None:
            given["probability"] = text(forecast)
        return log(
            self.ledger,
            question,
            forecaster=forecaster or self.forecaster,
            now=clock.now(),
            at=on(self.ledger, question, at, days="noon"),
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
            self.ledger,
            question,
            forecaster=self.forecaster,
            now=clock.now(),
            at=on(self.ledger, question, at, days="noon"),
        )

    def history(self, question: str, **filters: str) -> "pd.DataFrame":
        """Give every forecast of a question with the time it stood."""
        from forecasting.app.log import history

        times = ("issued_at", "recorded_at", "from", "until")
        return frame(history(self.ledger, question, **filters), times, columns.HISTORY)

    def add_news(
        self,
        title: str,
        *,
        source: str,
        known_at: str | dt.date,
        event_at: When = None,
        on: Mapping[str, str] | Sequence[str] | str = (),
        **more: Any,
    ) -> dict[str, Any]:
        """Record an item of evidence; `on` maps targets to effects such as ``x3``.

        A target is a question, a process or ``process=state``; ``{"truce": "on"}`` is a fact. More
        words: `url`, `grade`, `story`, `because`, `half_life`, `lasting`, `confirmed`.
        """
        from forecasting.app import news

        if isinstance(on, str):
            on = [on]
        effects = [f"{q}={effect}" for q, effect in on.items()] if isinstance(on, Mapping) else on
        moment = when(known_at, days="ends")
        if moment is None:
            msg = "known_at: must be given"
            raise InvalidInput(msg)
        return news.add(
            self.ledger,
            title,
            source=source,
            known_at=moment,
            event_at=when(event_at, days="ends"),
            on=list(effects),
            now=clock.now(),
            **more,
        )

    def retract_news(
        self, entry: int | str, *, because: str, known_at: When = None
    ) -> dict[str, Any]:
        """Take an item back by an entry of its own; forecasts as of a moment before keep it."""
        from forecasting.app import news

        return news.retract(
            self.ledger,
            str(entry),
            because=because,
            now=clock.now(),
            known_at=when(known_at, days="ends"),
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
            python_warnings.warn(warning, stacklevel=3)
        return frame(rows, ("closes", "watched_until"), columns.UPDATE)

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
            Whose world; default that of the database. Load its questions first (`init`).

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

    def worldviews(
        self, *, as_of: When = None, over_time: bool = False, kind: str = "", run: str = ""
    ) -> "pd.DataFrame":
        """Give each worldview's weight and record, or how the weights moved over time."""
        import warnings as python_warnings

        from forecasting.app.banks import bank_of
        from forecasting.app.worldview_table import worldview_rows, worldview_steps

        now, at = clock.now(), when(as_of)
        if over_time:
            rows, notes = worldview_steps(self.ledger, now=now, kind=kind, run=run, at=at)
        else:
            bank = bank_of(self.ledger)
            rows, notes = worldview_rows(self.ledger, bank, now=now, kind=kind, run=run, at=at)
        for note in notes:
            python_warnings.warn(note, stacklevel=3)
        return frame(rows, ("at", "as_of"), columns.WEIGHTS if over_time else columns.WORLDVIEWS)

    def explain(
        self, question: str, *, as_of: When = None, seed: int = 0
    ) -> "dict[str, Any] | list[dict[str, Any]]":
        """Say why the model's probability is what it is; for a ladder, one for each open rung."""
        from forecasting.app import explain

        found = explain.explain(
            self.ledger, question, now=clock.now(), as_of=when(as_of), seed=seed
        )
        return found[0] if len(found) == 1 else found
