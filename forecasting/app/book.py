"""The book: one object with which a notebook or a script does everything."""

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from forecasting import clock, config
from forecasting.app.book_record import Record
from forecasting.app.book_review import Review
from forecasting.app.book_world import World
from forecasting.app.tidy import When, frame, on, text, when
from forecasting.errors import InvalidInput
from forecasting.store import Ledger

if TYPE_CHECKING:
    import pandas as pd

    from forecasting.app.board import Board
    from forecasting.app.question_list import Listed, Wanted
    from forecasting.app.question_page import QuestionPage
    from forecasting.app.today import Row
    from forecasting.app.world_view import WorldView
    from forecasting.bank import Bank
    from forecasting.domain.forecast import Forecast
    from forecasting.domain.question import Question


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


class Book(Record, Review, World):
    """A ledger with the use cases as methods; frames are tidy and their times aware UTC."""

    def __repr__(self) -> str:
        held = self.ledger.questions()
        now = clock.now()
        waiting = sum(question.opens <= now < question.closes for question in held)
        said = f"{len(held)} questions, {waiting} open, in {self.ledger.where}"
        return f"<Book of {self.forecaster}: {said}>"

    def __init__(
        self, ledger: Ledger, *, forecaster: str | None = None, database: str = ""
    ) -> None:
        self.ledger = ledger
        self.database = database
        self._forecaster = forecaster
        self._act = ""
        self._board: Board | None = None

    @property
    def board(self) -> "Board":
        """What stands on every question, kept while the ledger grows."""
        if self._board is None:
            from forecasting.app.board import Board

            self._board = Board(self.ledger)
        return self._board

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

    def speaking_as(self, forecaster: str, *, once: str = "") -> "Book":
        """Give this book in somebody's name, over the same connections.

        Parameters
        ----------
        once : str, optional
            64 letters that name one act of writing. Whoever does the same act again gets
            :class:`forecasting.errors.Repeated`, and nothing is written a second time.
        """
        ledger = self.ledger.once(once) if once else self.ledger
        spoken = Book(ledger, forecaster=forecaster, database=self.database)
        spoken._act, spoken._board = once, self.board
        return spoken

    def written(self) -> int:
        """Give the last entry that this book's act of writing came to; 0 before it is done."""
        return self.ledger.written(self._act) if self._act else 0

    def head(self) -> int:
        """Give the number of the last entry."""
        return self.ledger.head().seq

    @property
    def where(self) -> str:
        """The database as messages name it, without a password."""
        return self.ledger.where

    def zone(self) -> str:
        """Give the zone of the days of the ledger's bank."""
        from forecasting.app.banks import zone_of

        return zone_of(self.ledger)

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
        return frame(rows, ("opens", "closes"))

    def today(self) -> "pd.DataFrame":
        """Give what needs the forecaster today: a row an item, in sections; see `forecast`."""
        from forecasting.app.today import NEWS_ROW, ROW, today

        rows = today(self.ledger, forecaster=self.forecaster, now=clock.now())
        return frame(rows, ("deadline", "known_at"), ("section", *ROW, *NEWS_ROW))

    def needs(self) -> "dict[str, Sequence[Row]]":
        """Give the rows of :meth:`today` by section, each as it is."""
        return self.board.today(self.forecaster, clock.now())

    def standing(self, question: str) -> "Forecast | None":
        """Give the forecaster's own forecast in force on a question."""
        return self.board.state(self.forecaster, clock.now()).pair.mine.in_force(question)

    def asked(self, question: str) -> "Question":
        """Give a question by its name, as the board has it."""
        return self.board.state(self.forecaster, clock.now()).catalog.one(question)

    def question_page(self, question: str, *, kind: str = "live") -> "QuestionPage":
        """Gather all that a page shows of a question, of a rung, or of a ladder."""
        from forecasting.app.question_page import question_page

        now = clock.now()
        state = self.board.state(self.forecaster, now)
        return question_page(self.ledger, state, question, forecaster=self.forecaster, kind=kind)

    def question_list(self, wanted: "Wanted") -> "Listed":
        """Give one page of the questions that are wanted."""
        from forecasting.app.question_list import question_list

        state = self.board.state(self.forecaster, clock.now())
        statuses, ordered = self.board.statuses(state), self.board.by_deadline(state)
        return question_list(state, wanted, statuses=statuses, ordered=ordered)

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
        each = (
            {str(k): text(v) for k, v in forecast.items()} if isinstance(forecast, Mapping) else {}
        )
        made = ask(
            self.ledger,
            Asked(title, by=_day(by), ladder=[_day(day) for day in ladder], **more),
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
        from forecasting.app.catalog import Catalog
        from forecasting.app.log import log

        given: dict[str, Any] = {}
        if ladder is not None:
            given["ladder"] = {str(day): text(p) for day, p in ladder.items()}
        elif isinstance(forecast, Mapping):
            numeric = Catalog.of(self.ledger).find(question)[0].type == "numeric"
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

    def history(self, question: str, **filters: Any) -> "pd.DataFrame":
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

    def explain(
        self, question: str, *, as_of: When = None, seed: int = 0
    ) -> "dict[str, Any] | list[dict[str, Any]]":
        """Say why the model's probability is what it is; for a ladder, one for each open rung."""
        from forecasting.app import explain

        found = explain.explain(
            self.ledger, question, now=clock.now(), as_of=when(as_of), seed=seed
        )
        return found[0] if len(found) == 1 else found


def _day(day: str | dt.date) -> str:
    return day if isinstance(day, str) else day.isoformat()[:10]
