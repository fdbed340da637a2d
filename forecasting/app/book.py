"""The book: one object with which a notebook or a script does everything."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from forecasting import clock, config, store
from forecasting.app import tidy
from forecasting.app.book_record import Record
from forecasting.app.book_review import Review
from forecasting.app.catalog import Catalog
from forecasting.app.tidy import (
    Details,
    When,
    by_name,
    day,
    frame,
    listed,
    named,
    on,
    stated,
    warned,
    when,
)
from forecasting.domain.forecasters import OURS, not_a_person
from forecasting.errors import DatabaseUnusable, ForecastingError, InvalidInput
from forecasting.store import Ledger

if TYPE_CHECKING:
    import pandas as pd

    from forecasting.app.questions.board import Board, Listed, Wanted
    from forecasting.app.questions.page import QuestionPage
    from forecasting.app.questions.today import Row
    from forecasting.app.world.scenario import Live
    from forecasting.app.world.view import WorldView
    from forecasting.bank import Bank
    from forecasting.domain import Question
    from forecasting.domain.forecast import Said
    from forecasting.errors import Problem


def open_book(
    database: str | None = None, *, forecaster: str | None = None, create: bool = False
) -> "Book[pd.DataFrame]":
    """Open a database: the workspace's, or the one named.

    Parameters
    ----------
    database : str, optional
        A path or a URL; default: the workspace's, found from the working folder upwards, else as
        on the command line.
    forecaster : str, optional
        The name under which `log` records.
    create : bool
        Make an absent or empty one, with the bank of the workspace, or outside of one the example
        that comes with the package, to try things on; `init` makes a workspace with a bank of one's
        own. A database in memory is always made.

    Raises
    ------
    DatabaseUnusable
        There is no such database.

    Examples
    --------
    >>> with open_book("sqlite:///:memory:", forecaster="ana") as book:
    ...     len(book.questions())
    48
    """
    from forecasting.app.upkeep.banks import bundled_bank
    from forecasting.app.upkeep.workspace import own_bank

    create = create or config.database(database).value == config.MEMORY
    try:
        book = Book.open(database, forecaster=forecaster, create=create)
    except DatabaseUnusable as absent:
        if not absent.message.startswith("no database at"):
            raise
        hint = "forecasting.init(FOLDER), or create=True"
        raise DatabaseUnusable(absent.message, hint=hint) from absent
    try:
        if create and not book.ledger.head().seq:
            book.init(own_bank(book.database) or bundled_bank())
    except BaseException:
        book.close()
        raise
    return book


def init_workspace(
    folder: str | Path = ".", *, example: str | None = None, forecaster: str | None = None
) -> "Book[pd.DataFrame]":
    """Make a workspace in a folder, or complete the one that is there, and open its database.

    Parameters
    ----------
    folder : path
        It need not exist; default: the working folder.
    example : str, optional
        Copy an example bank into its `questions` folder; default: an empty bank.
    forecaster : str, optional
        Who forecasts there; default: as elsewhere.
    """
    workspace = Book.make_workspace(folder, example=example, forecaster=forecaster or "")
    return Book.open(workspace["database"], forecaster=forecaster)


class Book[Table](Record[Table], Review[Table]):
    """A ledger with the use cases as methods; frames are tidy and their times aware UTC."""

    def __repr__(self) -> str:
        catalog, now = Catalog.of(self.ledger), clock.now()
        questions = catalog.questions.values()
        open_count = sum(catalog.status(question, now) == "open" for question in questions)
        summary = f"{len(questions)} questions, {open_count} open, in {self.ledger.where}"
        return f"<Book of {config.forecaster(self._forecaster).value}: {summary}>"

    def __init__(
        self,
        ledger: Ledger,
        *,
        forecaster: str | None = None,
        database: str = "",
        give: Callable[..., Table] = frame,  # type: ignore[assignment]
        tell: Callable[[str], None] = warned,
    ) -> None:
        self.ledger = ledger
        self.database = database
        self._forecaster = forecaster
        self._give = give
        self._tell = tell
        self._act = ""
        self._board: Board | None = None

    @property
    def board(self) -> "Board":
        """The outcome and the forecasts in force of every question, kept while the ledger grows."""
        if self._board is None:
            from forecasting.app.questions.board import Board

            self._board = Board(self.ledger)
        return self._board

    @staticmethod
    def open(
        database: str | None = None, *, forecaster: str | None = None, create: bool = False
    ) -> "Book[pd.DataFrame]":
        """Open a database as the settings choose it; with `create`, make an absent one.

        Tables come as frames, and notes as warnings of Python.
        """
        url = config.database(database).value
        return Book(Ledger.open(url, create=create), forecaster=forecaster, database=url)

    @staticmethod
    def plain(
        database: str | None = None,
        *,
        forecaster: str | None = None,
        create: bool = False,
        tell: Callable[[str], None] = warned,
    ) -> "Book[list[dict[str, Any]]]":
        """Open a database whose tables come as lists of rows, and whose notes are told."""
        url = config.database(database).value
        ledger = Ledger.open(url, create=create)
        return Book(ledger, forecaster=forecaster, database=url, give=listed, tell=tell)

    @staticmethod
    def make_workspace(
        folder: str | Path,
        *,
        example: str | None = None,
        forecaster: str = "",
        database: str | None = None,
    ) -> dict[str, Any]:
        """Make or complete a workspace, and say what was made; :func:`init_workspace` opens it."""
        from forecasting.app.upkeep.workspace import init

        return init(
            Path(folder),
            example=example,
            forecaster=forecaster,
            database=database,
            now=clock.now(),
        )

    @staticmethod
    def make_database(database: str, *, example: str | None = None) -> dict[str, Any]:
        """Make or complete a database that belongs to no workspace."""
        from forecasting.app.upkeep.workspace import init_database

        return init_database(database, example=example, now=clock.now())

    @staticmethod
    def check_files(path: str | Path) -> "list[Problem]":
        """List every fault of a bank folder or of a question file, without a database."""
        from forecasting.app.upkeep.banks import check_bank

        return check_bank(Path(path))

    @staticmethod
    def backup(database: str | None, file: str | Path, *, force: bool = False) -> dict[str, Any]:
        """Copy a database into a file while it is in use; the copy verifies or is not made."""
        url, target = config.database(database).value, Path(file)
        verification = store.backup(url, target.expanduser(), force=force)
        return {
            "file": str(target),
            "entries": verification.entries,
            "head": verification.head_hash,
        }

    @staticmethod
    def restore(
        file: str | Path, database: str | None = None, *, force: bool = False
    ) -> dict[str, Any]:
        """Put a backup that verifies in the place of a database, which is `kept` beside it."""
        url = config.database(database).value
        verification, displaced = store.restore(Path(file).expanduser(), url, force=force)
        return {
            "database": config.without_password(url),
            "entries": verification.entries,
            "head": verification.head_hash,
            "kept": None if displaced is None else str(displaced),
        }

    @staticmethod
    def doctor(database: str | None = None) -> list[dict[str, Any]]:
        """Look at the settings, the disk and a database, whatever state it is in."""
        from forecasting.app.upkeep.workspace import doctor

        return doctor(database)

    @staticmethod
    def status(database: str | None = None) -> dict[str, Any]:
        """Give the schema of a database, its entries and the head of its chain."""
        return asdict(store.status(config.database(database).value))

    @staticmethod
    def upgrade(database: str | None = None) -> dict[str, Any]:
        """Bring an older database to this version's schema; all of it or nothing."""
        return asdict(store.upgrade(config.database(database).value))

    def _tell_of_files(self) -> None:
        """Name the files of the ledger's bank that are left out, and what lies ahead in them."""
        from forecasting.app.upkeep.banks import bank_of, told_of_files

        for note in told_of_files(bank_of(self.ledger), ahead=True):
            self._tell(note)

    def close(self) -> None:
        """Close the database."""
        self.ledger.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.ledger.close()

    def speaker(self, forecaster: str | None = None) -> str:
        """Give the name of who speaks, by default this book's: never a forecaster of the tool."""
        name = config.forecaster(forecaster or self._forecaster).value
        if OURS.fullmatch(name):
            raise not_a_person(name)
        return name

    def speaking_as(
        self, forecaster: str, *, once: str = "", tell: Callable[[str], None] | None = None
    ) -> "Book[Table]":
        """Give this book in somebody's name, over the same connections.

        Parameters
        ----------
        once : str, optional
            64 letters that name one act of writing. Whoever does the same act again gets
            :class:`forecasting.errors.Repeated`, and nothing is written a second time.
        tell : callable, optional
            Told the notes of what it does, in place of this book's.
        """
        ledger = self.ledger.once(once) if once else self.ledger
        book = Book(
            ledger,
            forecaster=forecaster,
            database=self.database,
            give=self._give,
            tell=tell or self._tell,
        )
        book._act, book._board = once, self.board
        return book

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

    def init(self, bank: "Bank | str | Path") -> dict[str, Any]:
        """Load a bank, or that of a folder: new items are appended, changed ones reported."""
        from forecasting.app.upkeep.banks import load_bank
        from forecasting.app.upkeep.workspace import counted
        from forecasting.app.world.view import bank_of

        bank = bank_of(bank)
        new = not self.ledger.head().seq
        counts = load_bank(self.ledger, bank, clock.now())
        return counted(self.database, counts, questions=len(bank.questions), created=new)

    def reload(self) -> "Bank":
        """Load what is new in the ledger's bank, and return the bank.

        A new ledger gets the bank of its workspace; outside of one, the example that comes with
        the package.
        """
        from forecasting.app.upkeep.banks import bank_of, bundled_bank, remembered
        from forecasting.app.upkeep.workspace import own_bank

        own = own_bank(self.database)
        if own is None and remembered(self.ledger) is not None:
            own = bank_of(self.ledger)
            self.init(own)
            return own
        self.init(own or bundled_bank())
        return bank_of(self.ledger)

    def questions(self, **filters: str) -> Table:
        """Give the questions: one row each, a rung of a ladder too."""
        from forecasting.app.questions.board import list_rows

        now = clock.now()
        rows = list_rows(*self.board.read(self.forecaster, now), now, **filters)
        return self._give(rows, ("opens", "closes"), tidy.QUESTIONS)

    def today(self) -> Table:
        """Give what needs the forecaster today: a row an item, in sections; see `forecast`.

        An item of news has ``seq, known_at, source`` and no question.
        """
        from forecasting.app.questions.board import Board
        from forecasting.app.questions.today import NEWS_ROW, ROW, SECTIONS

        # A board that is kept would give rows of up to ten minutes ago.
        parts = Board(self.ledger).today(self.forecaster, clock.now())
        rows = [{"section": name, **row} for name in SECTIONS for row in parts[name]]
        return self._give(rows, ("deadline", "known_at"), ("section", *ROW, *NEWS_ROW))

    def needs(self, *once: str) -> "dict[str, Sequence[Row]]":
        """Give the rows of :meth:`today` by section; of `once`, a question in the first alone."""
        return self.board.today(self.forecaster, clock.now(), once=once)

    def standing(self, question: str) -> "Said | None":
        """Give the forecaster's own forecast in force on a question."""
        return self.board.state(self.forecaster, clock.now()).pair.mine.in_force(question)

    def unanswered(self) -> frozenset[str]:
        """Name the open questions of which the forecaster has said nothing yet.

        A forecast that was withdrawn counts as said.
        """
        state = self.board.state(self.forecaster, clock.now())
        questions = state.catalog.open_at(state.now)
        return frozenset(q.id for q in questions if q.id not in state.pair.mine.forecasts)

    def model_spoke(self) -> int:
        """Give the number of the last entry by which the model spoke of an open question, or 0."""
        state = self.board.state(self.forecaster, clock.now())
        forecasts = [state.pair.model.in_force(q.id) for q in state.catalog.open_at(state.now)]
        return max((one.seq or 0 for one in forecasts if one is not None), default=0)

    def asked(self, *questions: str) -> "list[Question]":
        """Give questions by their names, as the board has them."""
        catalog = self.board.state(self.forecaster, clock.now()).catalog
        return [catalog.one(name) for name in questions]

    def counts(self) -> dict[str, int]:
        """Count the questions, and those of them that a model answers."""
        questions = self.board.state(self.forecaster, clock.now()).catalog.questions.values()
        return {
            "questions": len(questions),
            "modelled": sum(bool(each.answer) for each in questions),
        }

    def question_page(self, question: str, *, kind: str = "live") -> "QuestionPage":
        """Gather all that a page shows of a question, of a rung, or of a ladder."""
        from forecasting.app.questions.page import question_page

        state = self.board.state(self.forecaster, clock.now())
        return question_page(
            self.ledger,
            state,
            question,
            forecaster=self.forecaster,
            weights=self.board.weights,
            kind=kind,
        )

    def question_list(self, wanted: "Wanted") -> "Listed":
        """Give one page of the questions that are wanted."""
        return self.board.listing(self.forecaster, clock.now(), wanted)

    def due(self, *, by: str = "value") -> Table:
        """Give what needs the forecaster, by what a fresh look is worth or by the deadline.

        `value` is the expected drop of the half Brier score, on average over the whole window, from
        replacing your number now: ``share of the window left x (distance² + staleness² + news_since
        x (0.3 p (1 - p))²)``. `distance` is how far your number is from the model's. `hazard` is
        the chance a day that what is less likely happens, had it a constant one up to the deadline.
        `staleness` is by how much quiet days since your forecast should have moved your number at
        that hazard. `news_since` counts the items since your forecast that bear on the question.
        `change` is how far the model moved. Without your number, one half stands for it.
        """
        from forecasting.app.questions.board import Board
        from forecasting.app.questions.today import ORDERS, ROW

        if by not in ORDERS:
            msg = f"by ({by}): must be one of {', '.join(ORDERS)}"
            raise InvalidInput(msg, hint="by=value")
        rows = Board(self.ledger).due(self.forecaster, clock.now())
        if by == "date":
            rows = sorted(rows, key=lambda row: (row["deadline"], row["question"]))
        return self._give(rows, ("deadline",), ROW)

    def without_criteria(self) -> list[str]:
        """Name the open questions, of a ladder its slug, that go by their title alone."""
        from forecasting.domain.question import lacks_criteria

        now = clock.now()
        catalog = self.board.state(self.forecaster, now).catalog
        bare = filter(lacks_criteria, catalog.questions.values())
        names = (q.ladder or q.id for q in bare if catalog.status(q, now) == "open")
        return list(dict.fromkeys(names))

    def question(self, name: str) -> list[dict[str, Any]]:
        """Give all there is to a question; of a ladder, a row a rung."""
        from forecasting.app.questions.page import show

        return [Details(row) for row in show(self.ledger, name, clock.now())]

    def check(self, path: str | Path | None = None) -> "list[Problem]":
        """List every fault of a bank folder or of a question file; else of the ledger's bank."""
        from forecasting.app.upkeep.banks import check_bank

        return check_bank(None if path is None else Path(path), self.ledger)

    def calendar(self, rows: Sequence[Mapping[str, Any]]) -> bytes:
        """Write rows of :meth:`due` as a calendar with an event at each deadline."""
        from forecasting.app.questions.today import calendar

        return calendar(rows, clock.now()).encode("utf-8", "replace")

    def mail(self, rows: Sequence[Mapping[str, Any]]) -> bytes:
        """Write rows of :meth:`due` as a mail to the forecaster."""
        from forecasting.app.questions.today import mail

        return mail(rows, forecaster=self.forecaster, now=clock.now())

    def add_question(self, question: "str | Path | Mapping[str, Any]") -> list[str]:
        """Add the question (or ladder) of a file, or of a dict with its fields; give its ids."""
        return [one.id for one in self.add_questions(question)]

    def add_questions(self, question: "str | Path | Mapping[str, Any]") -> "list[Question]":
        """Add a question or a ladder as `add_question` does, and give the questions."""
        from forecasting.app.upkeep.banks import add_fields, add_file

        now = clock.now()
        if isinstance(question, Mapping):
            from forecasting.app.questions.ask import dated

            zone = str(question.get("zone") or config.zone() or self.zone())
            return add_fields(self.ledger, dated(question, zone, now), now)
        return add_file(self.ledger, Path(question), now)

    def ask(
        self,
        title: str,
        forecast: float | str | Mapping[Any, float | str] | None = None,
        *,
        by: "str | dt.date" = "",
        ladder: "Sequence[str | dt.date]" = (),
        each: Mapping[str, str] | None = None,
        because: str = "",
        forecaster: str | None = None,
        **more: Any,
    ) -> dict[str, Any]:
        """Ask a question and log the number with it, in one transaction.

        Where the model can answer by stated rates alone, its number is logged as `update` would.

        Parameters
        ----------
        forecast : number, text or mapping, optional
            A probability; of options, quantiles or the days of a ladder, a mapping (also `each`).
        by : day, or `ladder` : days
            The deadline, or several.
        **more
            `options`, `ordered`, `span` (``"0..5000"``) with `unit`, `base` (``"3 in 70 weeks"``),
            `answer`, `tags`, `slug`, `zone`, `criteria`, `background`, `opens`, `resolves_by`.

        Returns
        -------
        dict
            ``id, title, questions, process, forecasts, model, ...``; `model` holds what was logged
            of the model for each question that it can answer at once.
        """
        from forecasting.app.questions.ask import Asked, ask, by_stated_rates

        now = clock.now()
        several = by_name(forecast)
        question = ask(
            self.ledger,
            Asked(title, by=day(by), ladder=[day(each) for each in ladder], **more),
            forecaster=self.speaker(forecaster),
            now=now,
            tell=self._tell,
            probability=None if several else stated(forecast),
            each=named(forecast if several else {} if each is None else each),
            because=because,
            zone=config.zone() or "",
        )
        model: dict[str, Any] = {}
        try:
            if question["answer"] and (able := by_stated_rates(self.ledger, question["id"])):
                from forecasting.app.forecast.update import BOTH_SHOWN, update

                rows, warnings = update(self.ledger, able, now=now)
                model = {row["question"]: row["after"] for row in rows if row["logged"]}
                for warning in warnings:
                    # Here no number of the model is shown that is not logged.
                    waits = "the model's number is not logged before somebody looks"
                    self._tell(warning.replace(f"{BOTH_SHOWN}, neither is logged", waits))
        except ForecastingError as fault:
            # The question and its number are recorded already, so this is a note and no error.
            self._tell(f"{question['id']} is asked, but the model's number is not logged: {fault}")
        return Details(question | {"model": model})

    def question_yaml(self, question: str) -> str:
        """Write a question as YAML, for an editor."""
        from forecasting.app.questions.ask import as_yaml

        return as_yaml(self.ledger, question)

    def edit_question(self, question: str, whole: str = "", **changed: Any) -> list[str]:
        """Record a new version of a question, from its YAML or by the fields that change.

        Gives the ids that changed.
        """
        from forecasting.app.questions.ask import edit

        return edit(self.ledger, question, whole or changed, clock.now())

    def drop_question(self, question: str) -> list[str]:
        """Drop a question that nobody else has forecast; its entries stay."""
        from forecasting.app.questions.ask import drop

        ids, notes = drop(self.ledger, question, forecaster=self.forecaster, now=clock.now())
        for note in notes:
            self._tell(note)
        return ids

    def forecasts(self, *, kind: str | None = None, forecaster: str | None = None) -> Table:
        """Give every forecast except those of undone imports: one row each."""
        from forecasting.app.ledger.undone import undone
        from forecasting.domain.forecast import kind_named

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
            if kind is None or f.kind == kind_named(kind)
        ]
        return self._give(rows, ("issued_at", "recorded_at"), tidy.FORECASTS)

    def evidence(self, *, everything: bool = False, question: str = "") -> Table:
        """Give the evidence: one row an item; reference tables only with `everything`."""
        from forecasting.app.news import shown

        rows = shown.rows(self.ledger, question=question, everything=everything)
        return self._give(rows, ("event_at", "known_at", "recorded_at"), tidy.EVIDENCE)

    def news(self, item: int | str = "") -> dict[str, Any]:
        """Give an item of evidence whole, by its number, the start of its hash, or its key."""
        from forecasting.app.news import shown

        if item == "":
            msg = "news: shows one item, and none is named"
            raise InvalidInput(msg, hint="book.evidence() for all, then book.news(ITS_NUMBER)")
        return shown.show(self.ledger, str(item))

    def retract_news(
        self, item: int | str, *, because: str, known_at: When = None
    ) -> dict[str, Any]:
        """Take an item of evidence back, by an entry of its own."""
        from forecasting.app.news import add

        now = clock.now()
        return add.retract(
            self.ledger,
            str(item),
            because=because,
            now=now,
            known_at=when(known_at, days="ends", now=now),
        )

    @staticmethod
    def fetched(address: str) -> bytes:
        """Fetch a file of news from a public address, for :meth:`import_news`."""
        from forecasting.app.news.add import fetched

        return fetched(address)

    def import_news(self, content: bytes, *, name: str, **more: Any) -> dict[str, Any]:
        """Add the items of a CSV, JSON-lines, RSS or Atom file; see `forecast news import`."""
        from forecasting.app.news.add import import_news

        self._tell_of_files()
        return import_news(self.ledger, content, name=name, now=clock.now(), **more)

    def sources(self, *, as_of: When = None, kind: str = "") -> Table:
        """Give how reliable each source is, by its grade and by its resolved claims.

        With `kind` also whether forecasts of that kind were better after its reports than before;
        the last row is that of all reports.
        """
        from forecasting.app.news import sources

        now, asked = clock.now(), when(as_of)
        rows = sources.rows(self.ledger, as_of=asked or now, now=now)
        if kind:
            from forecasting.app.frames import Selection
            from forecasting.app.news.sources import ALL, worth

            changes = worth(self.ledger, Selection(kind=kind, as_of=asked))
            nothing = {name: None for name in next(iter(changes.values()), {})}
            rows = [row | changes.get(row["source"], nothing) for row in rows]
            if ALL in changes:
                rows.append({"source": ALL, "items": 0, "data": None, **changes[ALL]})
        return self._give(rows)

    @staticmethod
    def folded(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Fold the sources of data sets among rows of :meth:`sources` into one each."""
        from forecasting.app.news.sources import folded

        return [dict(row) for row in folded(rows)]

    def grade_source(
        self, name: str, grade: str, *, because: str = "", new: bool = False
    ) -> dict[str, Any]:
        """Grade a source from now on; this overrides the grades of its items."""
        from forecasting.app.news import sources

        return sources.set_grade(
            self.ledger, name, grade, now=clock.now(), because=because, new=new
        )

    def log(
        self,
        question: str,
        forecast: float | str | Mapping[Any, float | str] | None = None,
        *,
        options: Mapping[Any, float | str] | None = None,
        quantiles: Mapping[Any, float | str] | None = None,
        ladder: Mapping[Any, float | str] | None = None,
        because: str = "",
        at: When = None,
        forecaster: str | None = None,
        sealed: bool = False,
        since: dt.datetime | None = None,
    ) -> list[dict[str, Any]]:
        """Log a probability, a mapping of options or of quantile levels, or a ladder.

        `options` and `quantiles` are a mapping that says which of the two it is. Numbers may be
        text, and a mapping may be a Series. A forecast in force that was logged in the same words
        `since` a moment is not logged again.
        """
        from forecasting.app.ledger.log import log

        now = clock.now()
        several = {"options": options, "quantiles": quantiles, "ladder": ladder}
        return log(
            self.ledger,
            question,
            forecaster=self.speaker(forecaster),
            now=now,
            tell=self._tell,
            # Text is passed on as it is.
            probability=forecast if isinstance(forecast, str) else stated(forecast),
            **{name: stated(each) for name, each in several.items() if each is not None},
            at=None if at is None else on(self.ledger, question, at, days="noon", now=now),
            because=because,
            sealed=sealed,
            since=since,
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
        from forecasting.app.ledger.seal import reveal

        return reveal(
            self.ledger,
            name,
            forecaster=self.speaker(forecaster),
            now=clock.now(),
            file=None if file is None else Path(file),
            everything=everything,
        )

    def redact(
        self, entry: int | str, *, because: str, forecaster: str | None = None
    ) -> dict[str, Any]:
        """Remove the text of a rationale from the database; backups and exports keep it."""
        from forecasting.app.ledger.seal import redact

        return redact(
            self.ledger,
            str(entry),
            forecaster=self.speaker(forecaster),
            reason=because,
            now=clock.now(),
        )

    def withdraw(self, question: str, *, at: When = None) -> list[dict[str, Any]]:
        """Withdraw the forecaster's forecast in force."""
        from forecasting.app.ledger.log import withdraw

        now = clock.now()
        return withdraw(
            self.ledger,
            question,
            forecaster=self.forecaster,
            now=now,
            at=on(self.ledger, question, at, days="noon", now=now),
        )

    def history(self, question: str, *, run: str | None = None, **filters: Any) -> Table:
        """Give every forecast on a question with the time it was in force.

        With `run`, of replays only that one; empty: the latest complete one.
        """
        from forecasting.app.frames import latest_run
        from forecasting.app.ledger.log import history

        rows = history(self.ledger, question, **filters)
        if run is not None:
            latest = run or latest_run(self.ledger)
            rows = [row for row in rows if row["kind"] != "replay" or row["run"] == latest]
        return self._give(rows, ("issued_at", "recorded_at", "from", "until"), tidy.HISTORY)

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
        from forecasting.app.news import add

        if isinstance(on, str):
            on = [on]
        effects = [f"{q}={effect}" for q, effect in on.items()] if isinstance(on, Mapping) else on
        now = clock.now()
        moment = when(known_at, days="ends", now=now)
        if moment is None:
            msg = "known_at: must be given"
            raise InvalidInput(msg)
        self._tell_of_files()
        return add.add(
            self.ledger,
            title,
            source=source,
            known_at=moment,
            event_at=when(event_at, days="ends", now=now),
            on=list(effects),
            now=now,
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
        accept_because: str = "",
    ) -> Table:
        """Update the model with new evidence and the passing of time; log what changed.

        Parameters
        ----------
        *questions : str
            By name; default: all open ones.
        watched : bool
            You looked and nothing more had happened to their processes: recorded as a watch.
        unwatched : bool
            Log although nobody has watched the processes for a week.
        everything : bool
            Log what did not change too.

        Returns
        -------
        DataFrame
            A row per question: ``question, before, after, lower, upper, quiet, logged, ...``.
        """
        from forecasting.app.forecast.update import update
        from forecasting.app.news.world import no_list

        if watched and not dry_run and self.without_list():
            behind = self.unwatched(*questions, as_of=as_of)
            if behind and (note := no_list(self.without_list(*behind))):
                self._tell(note)
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
            accept_because=accept_because,
            watcher=self.forecaster if watched else "",
        )
        return self._noted(rows, warnings, ("closes", "watched_until"), tidy.UPDATE)

    def unwatched(self, *questions: str, as_of: When = None) -> "dict[str, dt.datetime]":
        """Give what nobody has watched for a week of the processes behind questions, until when."""
        from forecasting.app.forecast.update import unwatched

        return unwatched(self.ledger, questions, now=clock.now(), as_of=when(as_of))

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
            Use only information available by then, of a day by its end; default: now.
        draws : int, optional
            Paths, a multiple of 16; default 32,768.
        seed : int
            The same seed gives the same paths.
        bank : Bank or folder, optional
            The bank of the world; default: that of the database. Load its questions first (`init`).

        Returns
        -------
        WorldView
            The paths as pandas, the answers, the fits as ArviZ takes them, and what-if.

        Raises
        ------
        InvalidInput
            No question is open that the world answers.
        """
        from forecasting.app.world.view import world

        if bank is None:
            self._tell_of_files()
        return world(
            self.ledger,
            now=clock.now(),
            as_of=when(as_of),
            draws=draws,
            seed=seed,
            bank=bank,
        )

    def explain(
        self, question: str, *, as_of: When = None, seed: int = 0
    ) -> "dict[str, Any] | list[dict[str, Any]]":
        """Say why the model's probability is what it is; for a ladder, one for each open rung."""
        explanations = self.explanations(question, as_of=as_of, seed=seed)
        return explanations[0] if len(explanations) == 1 else explanations

    def explanations(
        self, question: str, *, as_of: When = None, seed: int = 0
    ) -> list[dict[str, Any]]:
        """Say why the model's probability is what it is, always as a list."""
        from forecasting.app.forecast.explain import explain

        self._tell_of_files()
        return explain(self.ledger, question, now=clock.now(), as_of=when(as_of), seed=seed)

    def scenarios(self) -> Table:
        """Give the sets of named scenarios of the bank."""
        from forecasting.app.world.scenario import listed

        self._tell_of_files()
        return self._give(listed(self.ledger), ("closes",))

    def simulated(self, *, as_of: When = None, seed: int = 0) -> "Live":
        """Simulate the world, and give what answers of scenarios, what-if and stories."""
        from forecasting.app.world.scenario import live

        self._tell_of_files()
        return live(self.ledger, now=clock.now(), as_of=when(as_of), seed=seed)

    @staticmethod
    def graphs() -> list[dict[str, Any]]:
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

    def graph(self, name: str) -> dict[str, Any]:
        """Show a graph of the models: what it is, and its latest fits."""
        from forecasting.app.world.processes import graph_report

        return graph_report(self.ledger, name)

    def priors(self, *questions: str) -> Table:
        """Give every prior, or those that questions rest on, with its source."""
        from forecasting.app.world.processes import prior_rows

        self._tell_of_files()
        return self._give(prior_rows(self.ledger, questions=questions))


#: A book whose tables are lists of rows: the command line's and the web's.
type PlainBook = Book[list[dict[str, Any]]]
