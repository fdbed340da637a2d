"""The book: one object with which a notebook or a script does everything."""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from forecasting import app, clock, config, store
from forecasting.domain.catalog import Catalog
from forecasting.domain.forecasters import OURS, not_a_person
from forecasting.domain.reading.python import When, by_name, day, named, stated, text, when
from forecasting.errors import DatabaseUnusable, ForecastingError, InvalidInput, NotFound, nearest
from forecasting.store import Ledger

if TYPE_CHECKING:
    import pandas as pd

    from forecasting.app.board import Board
    from forecasting.app.page import QuestionPage
    from forecasting.app.scores.frame import Selection
    from forecasting.app.world.scenario import Live
    from forecasting.app.world.view import WorldView
    from forecasting.bank import Bank
    from forecasting.domain import Question
    from forecasting.domain.forecast import BriefForecast
    from forecasting.domain.reading.instants import Days
    from forecasting.errors import Problem
    from forecasting.review.data import WorldPage
    from forecasting.review.due import Row
    from forecasting.review.listing import Listed, Wanted
    from forecasting.store.anchor import Anchor


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
    """Give rows as a frame, some of whose columns are aware UTC times."""
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
    from forecasting.bank.usable import bundled_bank

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
            book.init(app.workspace.own_bank(book.database) or bundled_bank())
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


class Book[Table]:
    """A ledger with the use cases as methods; frames are tidy and their times aware UTC.

    Methods that review take the `filters` of a selection: ``kind, run, forecaster, question, tag,
    as_of, reading, too_soon``, see :class:`forecasting.app.scores.frame.Selection`; ``past_close``
    keeps only questions whose scheduled close has passed.
    """

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
            from forecasting.app.board import Board

            self._board = Board(self.ledger)
        return self._board

    def _look(self) -> "Board":
        """Give a board whose rows are of now; the first one serves what is asked after it too."""
        from forecasting.app.board import Board

        # A board that was there would give rows of up to ten minutes ago.
        board = Board(self.ledger)
        self._board = self._board or board
        return board

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
        return app.workspace.init(
            Path(folder), example=example, forecaster=forecaster, database=database, now=clock.now()
        )

    @staticmethod
    def make_database(database: str, *, example: str | None = None) -> dict[str, Any]:
        """Make or complete a database that belongs to no workspace."""
        return app.workspace.init_database(database, example=example, now=clock.now())

    @staticmethod
    def check_files(path: str | Path) -> "list[Problem]":
        """List every fault of a bank folder or of a question file, without a database."""
        return app.banks.check_bank(Path(path))

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
        from forecasting.store.condition import doctor

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
        from forecasting.bank.usable import told_of_files

        for note in told_of_files(app.banks.bank_of(self.ledger), ahead=True):
            self._tell(note)

    def close(self) -> None:
        """Close the database."""
        self.ledger.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.ledger.close()

    @property
    def forecaster(self) -> str:
        """The name under which this book logs."""
        return self.speaker()

    def speaker(self, forecaster: str | None = None) -> str:
        """Give the name of who speaks, by default this book's: never a forecaster of the tool."""
        name = config.forecaster(forecaster or self._forecaster).value
        if OURS.fullmatch(name):
            raise not_a_person(name)
        return name

    def zone(self, *names: str) -> str:
        """Give the zone of a question or ladder, or that processes share; empty for none.

        Without a name it is that of the ledger's bank.
        """
        if not names:
            return app.banks.zone_of(self.ledger)
        try:
            return Catalog.about(self.ledger, names[0]).find(names[0])[0].zone
        except NotFound:
            known = app.banks.world_of(self.ledger).processes
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

    def _on(
        self, question: str, moment: When, *, days: "Days", now: dt.datetime
    ) -> dt.datetime | None:
        """Read a moment in the zone of a question or ladder."""
        if moment is None or isinstance(moment, dt.datetime):
            return when(moment, now=now)
        return when(moment, days=days, zone=self.zone(question), now=now)

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
        from forecasting.bank.usable import loaded

        bank = loaded(bank)
        new = not self.ledger.head().seq
        counts = app.banks.load_bank(self.ledger, bank, clock.now())
        return app.workspace.counted(
            self.database, counts, questions=len(bank.questions), created=new
        )

    def reload(self) -> "Bank":
        """Load what is new in the ledger's bank, and return the bank.

        A new ledger gets the bank of its workspace; outside of one, the example that comes with
        the package.
        """
        from forecasting.bank.usable import bundled_bank

        own = app.workspace.own_bank(self.database)
        if own is None and app.banks.remembered(self.ledger) is not None:
            own = app.banks.bank_of(self.ledger)
            self.init(own)
            return own
        self.init(own or bundled_bank())
        return app.banks.bank_of(self.ledger)

    def questions(self, **filters: str) -> Table:
        """Give the questions: one row each, a rung of a ladder too."""
        from forecasting.review.listing import QUESTION_COLUMNS, list_rows

        now = clock.now()
        rows = list_rows(*self.board.read(self.forecaster, now), now, **filters)
        return self._give(rows, ("opens", "closes"), QUESTION_COLUMNS)

    def today(self) -> Table:
        """Give what needs the forecaster today: a row an item, in sections; see `forecast`.

        An item of news has ``seq, known_at, source`` and no question.
        """
        from forecasting.review.due import NEWS_ROW, ROW, SECTIONS

        parts = self._look().today(self.forecaster, clock.now())
        rows = [{"section": name, **row} for name in SECTIONS for row in parts[name]]
        return self._give(rows, ("deadline", "known_at"), ("section", *ROW, *NEWS_ROW))

    def needs(self, *once: str) -> "dict[str, Sequence[Row]]":
        """Give the rows of :meth:`today` by section; of `once`, a question in the first alone."""
        return self.board.today(self.forecaster, clock.now(), once=once)

    def standing(self, question: str) -> "BriefForecast | None":
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
        from forecasting.app.page import question_page

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
        from forecasting.review.due import ORDERS, ROW

        if by not in ORDERS:
            raise InvalidInput(f"by ({by}): must be one of {', '.join(ORDERS)}", hint="by=value")
        rows = self._look().due(self.forecaster, clock.now())
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
        from forecasting.app.page import show

        return [Details(row) for row in show(self.ledger, name, clock.now())]

    def check(self, path: str | Path | None = None) -> "list[Problem]":
        """List every fault of a bank folder or of a question file; else of the ledger's bank."""
        return app.banks.check_bank(None if path is None else Path(path), self.ledger)

    def calendar(self, rows: Sequence[Mapping[str, Any]]) -> bytes:
        """Write rows of :meth:`due` as a calendar with an event at each deadline."""
        from forecasting.review.reminders import calendar

        return calendar(rows, clock.now()).encode("utf-8", "replace")

    def mail(self, rows: Sequence[Mapping[str, Any]]) -> bytes:
        """Write rows of :meth:`due` as a mail to the forecaster."""
        from forecasting.review.reminders import mail

        return mail(rows, forecaster=self.forecaster, now=clock.now())

    def add_question(self, question: "str | Path | Mapping[str, Any]") -> list[str]:
        """Add the question (or ladder) of a file, or of a dict with its fields; give its ids."""
        return [one.id for one in self.add_questions(question)]

    def add_questions(self, question: "str | Path | Mapping[str, Any]") -> "list[Question]":
        """Add a question or a ladder as `add_question` does, and give the questions."""
        now = clock.now()
        if isinstance(question, Mapping):
            from forecasting.bank.asked import dated

            zone = str(question.get("zone") or config.zone() or self.zone())
            return app.banks.add_fields(self.ledger, dated(question, zone, now), now)
        return app.banks.add_file(self.ledger, Path(question), now)

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
            `answer`, `tags`, `slug`, `zone`, `criteria`, `background`, `opens`, `resolves_by`,
            `condition` (``"truce=yes"``: it counts only if that question comes out so).

        Returns
        -------
        dict
            ``id, title, questions, process, forecasts, model, ...``; `model` holds what was logged
            of the model for each question that it can answer at once.
        """
        from forecasting.bank.asked import Asked

        now = clock.now()
        several = by_name(forecast)
        question = app.ask.ask(
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
            if question["answer"] and (
                able := app.ask.by_stated_rates(self.ledger, question["id"])
            ):
                rows, warnings = app.update.update(self.ledger, able, now=now)
                model = {row["question"]: row["after"] for row in rows if row["logged"]}
                for warning in warnings:
                    # Here no number of the model is shown that is not logged.
                    waits = "the model's number is not logged before somebody looks"
                    self._tell(
                        warning.replace(f"{app.update.BOTH_SHOWN}, neither is logged", waits)
                    )
        except ForecastingError as fault:
            # The question and its number are recorded already, so this is a note and no error.
            self._tell(f"{question['id']} is asked, but the model's number is not logged: {fault}")
        return Details(question | {"model": model})

    def question_yaml(self, question: str) -> str:
        """Write a question as YAML, for an editor."""
        from forecasting.bank.asked import as_yaml

        return as_yaml(Catalog.of(self.ledger).find(question))

    def edit_question(self, question: str, whole: str = "", **changed: Any) -> list[str]:
        """Record a new version of a question, from its YAML or by the fields that change.

        Gives the ids that changed.
        """
        return app.ask.edit(self.ledger, question, whole or changed, clock.now())

    def drop_question(self, question: str) -> list[str]:
        """Drop a question that nobody else has forecast; its entries stay."""
        ids, notes = app.ask.drop(
            self.ledger, question, forecaster=self.forecaster, now=clock.now()
        )
        for note in notes:
            self._tell(note)
        return ids

    def forecasts(self, *, kind: str | None = None, forecaster: str | None = None) -> Table:
        """Give every forecast except those of undone imports: one row each."""
        rows = app.log.forecasts(self.ledger, kind=kind, forecaster=forecaster)
        return self._give(rows, ("issued_at", "recorded_at"), app.log.FORECAST_COLUMNS)

    def evidence(self, *, everything: bool = False, question: str = "") -> Table:
        """Give the evidence: one row an item; reference tables only with `everything`."""
        now = clock.now()
        rows = app.shown.rows(self.ledger, now=now, question=question, everything=everything)
        return self._give(rows, ("event_at", "known_at", "recorded_at"), app.shown.EVIDENCE_COLUMNS)

    def news(self, item: int | str = "") -> dict[str, Any]:
        """Give an item of evidence whole, by its number, the start of its hash, or its key."""
        if item == "":
            msg = "news: shows one item, and none is named"
            raise InvalidInput(msg, hint="book.evidence() for all, then book.news(ITS_NUMBER)")
        return app.shown.show(self.ledger, str(item), now=clock.now())

    def retract_news(
        self, item: int | str, *, because: str, known_at: When = None
    ) -> dict[str, Any]:
        """Take an item of evidence back, by an entry of its own."""
        now = clock.now()
        return app.add.retract(
            self.ledger,
            str(item),
            because=because,
            now=now,
            known_at=when(known_at, days="ends", zone=self.zone(), now=now),
        )

    @staticmethod
    def fetched(address: str) -> bytes:
        """Fetch a file of news from a public address, for :meth:`import_news`."""
        return app.add.fetched(address)

    def import_news(self, content: bytes, *, name: str, **more: Any) -> dict[str, Any]:
        """Add the items of a CSV, JSON-lines, RSS or Atom file; see `forecast news import`."""
        self._tell_of_files()
        return app.add.import_news(self.ledger, content, name=name, now=clock.now(), **more)

    def sources(self, *, as_of: When = None, kind: str = "") -> Table:
        """Give how reliable each source is, by its grade and by its resolved claims.

        With `kind` also whether forecasts of that kind were better after its reports than before;
        the last row is that of all reports.
        """
        now, asked = clock.now(), when(as_of)
        rows = app.shown.source_rows(self.ledger, as_of=asked or now, now=now)
        if kind:
            # Of questions that run on, only what ends one early has an outcome.
            past = app.frame.Selection(kind=kind, as_of=asked, closed_by=asked or now)
            changes = app.review.worth(self.ledger, past)
            nothing = {name: None for name in next(iter(changes.values()), {})}
            rows = [row | changes.get(row["source"], nothing) for row in rows]
            if app.review.ALL in changes:
                rows.append(
                    {"source": app.review.ALL, "items": 0, "data": None, **changes[app.review.ALL]}
                )
        return self._give(rows)

    @staticmethod
    def folded(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Fold the sources of data sets among rows of :meth:`sources` into one each."""
        return [dict(row) for row in app.shown.folded(rows)]

    def grade_source(
        self, name: str, grade: str, *, because: str = "", new: bool = False
    ) -> dict[str, Any]:
        """Grade a source from now on; this overrides the grades of its items."""
        return app.add.set_grade(
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
        now = clock.now()
        several = {"options": options, "quantiles": quantiles, "ladder": ladder}
        return app.log.log(
            self.ledger,
            question,
            forecaster=self.speaker(forecaster),
            now=now,
            tell=self._tell,
            # Text is passed on as it is.
            probability=forecast if isinstance(forecast, str) else stated(forecast),
            **{name: stated(each) for name, each in several.items() if each is not None},
            at=None if at is None else self._on(question, at, days="noon", now=now),
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
        return app.seal.reveal(
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
        return app.seal.redact(
            self.ledger,
            str(entry),
            forecaster=self.speaker(forecaster),
            reason=because,
            now=clock.now(),
        )

    def withdraw(self, question: str, *, at: When = None) -> list[dict[str, Any]]:
        """Withdraw the forecaster's forecast in force."""
        now = clock.now()
        return app.log.withdraw(
            self.ledger,
            question,
            forecaster=self.forecaster,
            now=now,
            at=self._on(question, at, days="noon", now=now),
        )

    def history(self, question: str, *, run: str | None = None, **filters: Any) -> Table:
        """Give every forecast on a question with the time it was in force.

        With `run`, of replays only that one; empty: the latest complete one.
        """
        rows = app.log.history(self.ledger, question, **filters)
        if run is not None:
            latest = run or app.frame.latest_run(self.ledger)
            rows = [row for row in rows if row["kind"] != "replay" or row["run"] == latest]
        return self._give(
            rows, ("issued_at", "recorded_at", "from", "until"), app.log.HISTORY_COLUMNS
        )

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

        Days are those of the bank's zone. A target is a question, a process or ``process=state``;
        ``{"truce": "on"}`` is a fact. More
        words: `url`, `grade`, `story`, `because`, `half_life`, `lasting`, `confirmed`.
        """
        if isinstance(on, str):
            on = [on]
        effects = [f"{q}={effect}" for q, effect in on.items()] if isinstance(on, Mapping) else on
        now, zone = clock.now(), self.zone()
        moment = when(known_at, days="ends", zone=zone, now=now)
        if moment is None:
            raise InvalidInput("known_at: must be given")
        self._tell_of_files()
        return app.add.add(
            self.ledger,
            title,
            source=source,
            known_at=moment,
            event_at=when(event_at, days="ends", zone=zone, now=now),
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
        from forecasting.domain.watch import no_list

        if watched and not dry_run and self.without_list():
            behind = self.unwatched(*questions, as_of=as_of)
            if behind and (note := no_list(self.without_list(*behind), self.zone())):
                self._tell(note)
        rows, warnings = app.update.update(
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
        return self._noted(rows, warnings, ("closes", "watched_until"), app.update.UPDATE_COLUMNS)

    def unwatched(self, *questions: str, as_of: When = None) -> "dict[str, dt.datetime]":
        """Give what nobody has watched for a week of the processes behind questions, until when."""
        return app.update.unwatched(self.ledger, questions, now=clock.now(), as_of=when(as_of))

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
        if bank is None:
            self._tell_of_files()
        return app.view.world(
            self.ledger, now=clock.now(), as_of=when(as_of), draws=draws, seed=seed, bank=bank
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
        self._tell_of_files()
        return app.explain.explain(
            self.ledger, question, now=clock.now(), as_of=when(as_of), seed=seed
        )

    def scenarios(self) -> Table:
        """Give the sets of named scenarios of the bank."""
        self._tell_of_files()
        return self._give(app.scenario.listed(self.ledger), ("closes",))

    def simulated(self, *, as_of: When = None, seed: int = 0) -> "Live":
        """Simulate the world, and give what answers of scenarios, what-if and stories."""
        self._tell_of_files()
        return app.scenario.live(self.ledger, now=clock.now(), as_of=when(as_of), seed=seed)

    @staticmethod
    def graphs() -> list[dict[str, Any]]:
        """List the graphs that learn, and the kinds of process that a world may have."""
        return app.processes.graph_rows()

    def graph(self, name: str) -> dict[str, Any]:
        """Show a graph of the models: what it is, and its latest fits."""
        return app.processes.graph_report(self.ledger, name)

    def priors(self, *questions: str) -> Table:
        """Give every prior, or those that questions rest on, with its source."""
        self._tell_of_files()
        return self._give(app.processes.prior_rows(self.ledger, questions=questions))

    def resolve(
        self,
        question: str,
        outcome: str | float,
        *,
        source: str,
        at: When = None,
        note: str = "",
        sure: bool = False,
    ) -> list[dict[str, Any]]:
        """Record an outcome, or a corrected version of it."""
        more = {"source": source, "note": note, "sure": sure}
        return self._record_outcome(app.resolve.resolve, question, text(outcome), at=at, **more)

    def annul(
        self, question: str, *, source: str, at: When = None, note: str = ""
    ) -> list[dict[str, Any]]:
        """Annul a question: it is not scored."""
        return self._record_outcome(app.resolve.annul, question, at=at, source=source, note=note)

    def dispute(
        self, question: str, outcome: str | float, *, source: str, at: When = None, note: str = ""
    ) -> list[dict[str, Any]]:
        """Record another reading of an outcome; the official resolution is unchanged."""
        return self._record_outcome(
            app.resolve.dispute, question, text(outcome), at=at, source=source, note=note
        )

    def _record_outcome(
        self,
        record: Callable[..., list[dict[str, Any]]],
        question: str,
        *outcome: str,
        at: When,
        **more: Any,
    ) -> list[dict[str, Any]]:
        """Call a function that records an outcome now, with `at` read in the question's zone."""
        now = clock.now()
        moment = self._on(question, at, days="ends", now=now)
        return record(self.ledger, question, *outcome, now=now, at=moment, **more)

    def reopen(self, question: str, *, source: str, note: str = "") -> list[dict[str, Any]]:
        """Withdraw the outcome of a question: from now on it is unresolved."""
        return app.resolve.reopen(self.ledger, question, source=source, now=clock.now(), note=note)

    def resolutions(
        self, question: str = "", *, scores: bool = False, kind: str = "live", run: str = ""
    ) -> Table:
        """Give every version of an outcome (or of all); with `scores`, as if each had stood."""
        times = ("resolved_at", "recorded_at")
        if scores:
            rows = app.resolve.scored(self.ledger, question, kind=kind, run=run)
            return self._give(rows, times, app.resolve.SCORED_COLUMNS)
        return self._give(
            app.resolve.resolutions(self.ledger, question), times, app.resolve.RESOLUTION_COLUMNS
        )

    def followers(self, rows: Sequence[Mapping[str, Any]]) -> list[str]:
        """Say what outcomes just recorded bring with them: other rungs, failed conditions."""
        return app.resolve.followers(self.ledger, rows, clock.now())

    def import_record(
        self, file: str | Path, format: str = "", *, me: str = "", zone: str = "", **options: Any
    ) -> dict[str, Any]:
        """Import a track record, its forecasts as imported; see `forecast import`."""
        usual = "" if zone else app.workspace.usual_zone(self.ledger, self.database)
        options |= {"me": me, "zone": zone, "usual_zone": usual}
        return app.importing.import_record(
            self.ledger, Path(file), format, now=clock.now(), **options
        )

    @staticmethod
    def import_formats() -> dict[str, str]:
        """Give the formats that a track record may come in: what a file of each is, by name."""
        from forecasting.exchange.format import formats

        return {name: one.what for name, one in formats().items()}

    def import_undo(self, run: int | str, *, drop: bool = False) -> dict[str, Any]:
        """Undo an import, by the number that it gave as its run; `drop` its questions too."""
        return app.importing.import_undo(self.ledger, run, now=clock.now(), drop=drop)

    def import_runs(self) -> Table:
        """Give every import, with the run that `import_undo` takes."""
        from forecasting.store.undone import import_runs

        return self._give(import_runs(self.ledger), ("recorded_at",))

    def export_record(
        self, file: str | Path, format: str = "csv", *, force: bool = False
    ) -> dict[str, Any]:
        """Write the track record as a table, or the whole ledger as JSON lines; see `export`."""
        return self.export(format, file=file, force=force)[1]

    def export(
        self,
        format: str = "csv",
        *,
        file: str | Path | None = None,
        force: bool = False,
        forecaster: str = "",
    ) -> tuple[Iterator[str], dict[str, Any]]:
        """Give the lines of the record (none where a file took them), and what was written.

        A sheet for Fatebook is of one person: of `forecaster`, by default of this book's.
        """
        out = None if file is None else Path(file)
        who = forecaster or self.forecaster
        return app.export.export_record(self.ledger, format, out=out, force=force, forecaster=who)

    def matches(self) -> Table:
        """Give the questions that ask the same as one on another platform: ``question, url``."""
        return self._give(
            [asdict(one) for one in app.ask.matches(self.ledger, Catalog.of(self.ledger))]
        )

    def same_as(
        self,
        question: str,
        url: str,
        *,
        differs: str = "",
        complement: bool = False,
        undo: bool = False,
    ) -> dict[str, Any]:
        """Match a question with one elsewhere, whose crowd then stands beside it in the review.

        `differs` says where the criteria differ, `complement` that it asks the opposite.
        """
        match = app.ask.same_as(
            self.ledger,
            question,
            url,
            differs=differs,
            complement=complement,
            undo=undo,
            forecaster=self.forecaster,
            now=clock.now(),
        )
        return asdict(match) | {"undone": undo}

    def entries(self, *, before: int | None = None, most: int = 50) -> list[dict[str, Any]]:
        """Give the last entries, or the last before a number: ``seq, kind, who, about, said``."""
        return app.log.entries(self.ledger, before=before, most=most)

    def record_digest(self) -> str:
        """Digest what the entries say, whatever their order and the times of recording."""
        from forecasting.store.transfer import record_digest

        return record_digest(self.ledger)

    def watch(
        self,
        *processes: str,
        until: When = None,
        every: bool = False,
        because: str = "",
        forecaster: str | None = None,
    ) -> list[dict[str, Any]]:
        """Record that you looked at processes (`every`: all), and nothing more had happened."""
        from forecasting.domain.watch import no_list

        now, zone = clock.now(), ""
        if every and (note := no_list(self.without_list(), self.zone())):
            self._tell(note)
        if until is not None:
            zone = self.zone(*processes) or self.zone()
        return app.processes.watch(
            self.ledger,
            processes,
            until=when(until, days="ends", zone=zone, now=now) or now,
            now=now,
            every=every,
            who=self.speaker(forecaster),
            because=because,
        )

    def without_list(self, *among: str) -> dict[str, dt.datetime]:
        """Give the processes of which nobody keeps a list, and since when: silence tells nothing.

        `among` these alone; default: all of the bank.
        """
        from forecasting.domain.watch import without_list

        return without_list(app.banks.bank_of(self.ledger).world, among)

    def watches(self) -> Table:
        """Give the time up to which each process is watched, and how many days ago that was."""
        return self._give(
            app.processes.rows(self.ledger, now=clock.now()),
            ("until", "recorded_at"),
            app.processes.WATCH_COLUMNS,
        )

    def verify(
        self, anchor: str | Path | None = None, *, certificate: str | Path | None = None
    ) -> dict[str, Any]:
        """Check the hash chain and say what it proves; `certificate` is the stamp's authority."""
        from forecasting.store.anchor import verify

        anchor_file, certificate_file = (
            None if one is None else Path(one) for one in (anchor, certificate)
        )
        return verify(self.ledger, anchor_file, certificate=certificate_file)

    def anchor(self, file: str | Path | None = None) -> "Anchor":
        """Give the head in the form to keep elsewhere; with `file`, write it there."""
        from forecasting.store.anchor import anchor, write_anchor

        head = anchor(self.ledger, clock.now())
        if file is not None:
            write_anchor(head, Path(file))
        return head

    def stamped_anchor(
        self, authority: str, file: str | Path | None = None
    ) -> "tuple[Anchor, str]":
        """Write the head into a file (named by the day), and an authority's token beside it.

        Gives the anchor, and what the token says.
        """
        from forecasting.store.anchor import stamped

        anchor = self.anchor()
        path = Path(file or f"{anchor.at.date().isoformat()}.anchor")
        return anchor, f"{path}.tsr: {stamped(anchor, path, authority).says}"

    def inbox(self) -> list[dict[str, Any]]:
        """Give the news that nobody has coded, what is most like the open questions first."""
        return app.code.inbox(self.ledger, now=clock.now())

    def news_item(self, name: str) -> dict[str, Any]:
        """Give an item whole, with what it may act on and what may tell the same story."""
        now = clock.now()
        return app.shown.show(self.ledger, name, now=now) | app.code.proposed(
            self.ledger, name, now=now
        )

    def titles(self) -> dict[str, str]:
        """Give what each question, ladder and process is called, by its id."""
        processes = app.banks.bank_of(self.ledger).world.processes
        questions = Catalog.of(self.ledger).questions.values()
        return (
            {name: process.title or name for name, process in processes.items()}
            | {one.ladder: one.whole_title for one in questions if one.ladder}
            | {one.id: one.title for one in questions}
        )

    def code_news(self, name: str, on: Sequence[str], **more: Any) -> dict[str, Any]:
        """Say what an item on record does; a new entry takes its place in one transaction.

        `more`: `half_life`, `grade`, `story`, `because`, `confirmed`, `event_at`.
        """
        return app.code.code(self.ledger, name, on, now=clock.now(), **more)

    def uncode_news(self, name: str) -> dict[str, Any]:
        """Put a coded item back as it was before, to be coded again."""
        return app.code.uncode(self.ledger, name, now=clock.now())

    def join_story(self, name: str, story: str) -> dict[str, Any]:
        """Put an item into the story of another; what it does stays as it is."""
        return app.code.join(self.ledger, name, story, now=clock.now())

    def news_effect(self, name: str, target: str, **more: Any) -> dict[str, Any]:
        """Say what each code of an item would do to every question that it touches.

        `more`: `half_life`, `codes`, and `told`, which hears each step.
        """
        return app.code.effect(self.ledger, name, target, now=clock.now(), **more)

    def news_stories(self) -> list[dict[str, Any]]:
        """Give the stories that have more than one item, the newest first, each with its items."""
        return app.shown.stories(self.ledger, now=clock.now())

    def coded_news(self) -> list[dict[str, Any]]:
        """Give the news that stands and is coded, the latest first, with what it weighs now."""
        return app.shown.coded_rows(self.ledger, now=clock.now())

    def world_page(self) -> "WorldPage":
        """Give the processes and links as they stand now; nothing is simulated."""
        return app.processes.world_now(self.ledger, clock.now())

    def process_states(self) -> dict[str, tuple[str, ...]]:
        """Give the states that a process may come to, but for the one that it begins in.

        Of those alone that an open question rests on: no other is simulated.
        """
        return app.processes.process_states(self.ledger, clock.now())

    def open_outcomes(self) -> list[dict[str, Any]]:
        """Give the open questions that the world answers, with what each may be answered with."""
        return app.processes.open_outcomes(self.ledger, clock.now())

    def beside(self, *, kind: str = "live", run: str = "") -> dict[str, Any]:
        """Give what each worldview said last of each question, beside the model."""
        return app.worldviews.beside(self.ledger, now=clock.now(), kind=kind, run=run)

    def scores(
        self,
        *,
        rule: str = "",
        by: str = "forecaster",
        convention: str = "half",
        window: str = "scheduled",
        against: str = "",
        missing: str = "leave-out",
        resamples: int = 4999,
        **filters: Any,
    ) -> Table:
        """Score forecasters over the lifetime of resolved questions.

        Parameters
        ----------
        rule : str
            Default: each question type by its natural rule. ``peer`` and ``relative`` compare with
            everybody of that kind in force on the question, and are not proper scores.
        by : str
            ``forecaster``, ``question``, ``topic``, ``tag``, ``horizon`` or ``month`` of the close.
        window : str
            ``scheduled`` and ``spot@SHARE_OR_TIME`` (proper), ``until-resolution``, ``last``.
        against : str
            A forecaster, ``uniform`` or ``climatology`` to take the difference from, on shared
            questions and the same part of each window; default: the base rate, by forecaster.
        missing : str
            ``leave-out``, or ``uniform``: a question skipped counts as the uniform forecast.
        """
        rows = app.score.scores(
            self.ledger,
            rule=rule,
            by=by,
            convention=convention,
            window=window,
            against=against,
            missing=missing,
            resamples=resamples,
            selection=_selection(self.ledger, filters),
        )
        # What resolved too soon is counted among what is left out, so no row shows it.
        rows = [row for row in rows if not row.pop("excluded", False)]
        return self._give(rows, (), (by, *app.score.SCORE_COLUMNS))

    def left_out(
        self,
        *forecasters: str,
        counted: bool = True,
        early: bool = True,
        share: float | None = None,
        types: Sequence[str] = (),
        **filters: Any,
    ) -> list[str]:
        """Say what a table leaves out of a selection, each with its count and its reason.

        With `early`, also how many answers came before a close that is still to come.

        With `types`, of a calibration of questions of those types, read at a `share` of their
        windows (None: no one moment is read).
        """
        wanted, more = _selection(self.ledger, filters), None
        if types:
            more = app.score.unread(self.ledger, wanted, types=types, share=share)
        now = clock.now() if early else None
        return app.score.left_out(
            self.ledger, wanted, *forecasters, counted=counted, more=more, now=now
        )

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
        wanted = _selection(self.ledger, filters)
        who = wanted.forecaster if whose else ""
        return app.score.empty_note(
            self.ledger, wanted, rule=rule, types=types, whose=who, share=share
        )

    def known(self, forecaster: str) -> None:
        """Refuse a forecaster that the ledger does not know; an empty name is anybody."""
        app.score.known_forecaster(self.ledger, forecaster)

    @staticmethod
    def titled(picture: str) -> str:
        """Give the title of a picture."""
        from forecasting.review.pictures import PICTURES

        return PICTURES[picture]

    def calibration(
        self, *, share: float = 0.5, score: str = "brier", **filters: Any
    ) -> "Calibration":
        """Review the calibration of a forecaster (or of all of a kind)."""
        wanted = _selection(self.ledger, filters)
        numbers = app.score.calibration(
            self.ledger, selection=wanted, share=share, score=score, now=clock.now()
        )
        return Calibration(numbers, wanted.forecaster or wanted.kind, self.ledger)

    def calibration_by(self, by: str, *, share: float = 0.5, **filters: Any) -> Table:
        """Give a row of calibration for each forecaster, topic, horizon or month."""
        wanted = _selection(self.ledger, filters)
        return self._give(
            app.score.by_group(self.ledger, by, selection=wanted, share=share, now=clock.now())
        )

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
        from forecasting.app.scores.frame import resolved
        from forecasting.review import pictures

        wanted = _selection(self.ledger, filters)
        frame = resolved(self.ledger, wanted, seals=pictures.seals_of(picture))
        rows = pictures.table(frame, picture, share=share)
        if out is not None:
            pictures.draw(picture, rows, Path(out), title=title, head=self.ledger.head())
        return self._give(rows)

    def replay(self, **options: Any) -> dict[str, Any]:
        """Replay the past with only the information available then; see `forecast replay`."""

        def quietly(steps: Any, take: Any) -> None:
            for step in steps:
                take(step)

        return app.replay.replay(
            self.ledger,
            app.banks.bank_of(self.ledger),
            clock=clock.now,
            progress=options.pop("progress", quietly),
            **options,
        )

    def review(self, folder: str | Path, *, kind: str = "", run: str = "") -> Path:
        """Write the review page into a folder and give its path."""
        from forecasting.review import write

        self.page_folder(Path(folder))
        return write(
            app.review.gather(self.ledger, kind=kind, run=run, now=clock.now()), Path(folder)
        )

    def review_figures(
        self,
        who: str,
        kind: str = "live",
        tag: str = "",
        too_soon: bool = False,
        *,
        told: Callable[[str], None],
    ) -> dict[str, Any]:
        """Give every figure of a review of one forecaster; `told` hears each step before it."""
        wanted = app.frame.Selection(kind=kind, tag=tag, too_soon=too_soon)
        return app.review.figures(self.ledger, who, wanted, now=clock.now(), told=told)

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
        **filters: Any,
    ) -> dict[str, Any]:
        """Compare two forecasters on the questions that they share; see `forecast compare`."""
        return app.compare.compare(
            self.ledger,
            a,
            b,
            now=clock.now(),
            rule=rule,
            convention=convention,
            window=window,
            question_type=question_type,
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
        wanted = _selection(self.ledger, filters)
        self.known(wanted.forecaster)
        rows, notes = app.compare.leaderboard(
            self.ledger,
            rule=rule,
            convention=convention,
            window=window,
            question_type=question_type,
            sample=sample,
            seed=seed,
            selection=wanted,
        )
        return self._noted(rows, notes, (), app.compare.LEADERBOARD_COLUMNS)

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
        rows = app.pool.pool(
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
        """Score each pool as a forecaster, from what had been answered and closed by then."""
        return self._give(
            app.pool.pool_scores(
                self.ledger,
                methods=methods,
                members=members,
                selection=_selection(self.ledger, filters),
            )
        )

    def worldviews(self, *, as_of: When = None, kind: str = "", run: str = "") -> Table:
        """Give each worldview's weight, record, claims, and where it differs from the model."""
        bank, moment = app.banks.bank_of(self.ledger), when(as_of)
        rows, notes = app.worldviews.worldview_rows(
            self.ledger, bank, now=clock.now(), kind=kind, run=run, at=moment
        )
        return self._noted(rows, notes, ("at", "as_of"), app.worldviews.WORLDVIEW_COLUMNS)


def _selection(ledger: Ledger, filters: Mapping[str, Any]) -> "Selection":
    """Make the selection of a table from its filters, with moments and names read."""
    read = {"kind": "live", **filters}
    past_close = read.pop("past_close", False)
    if "as_of" in read:
        read["as_of"] = when(read["as_of"])
    if past_close:
        read["closed_by"] = read.get("as_of") or clock.now()
    known = [field.name for field in fields(app.frame.Selection)]
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
    return app.frame.Selection(**read)


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
        from forecasting.calibration.frame import CURVE_COLUMNS

        return frame(list(self.numbers["curve"]), (), CURVE_COLUMNS)

    @property
    def reading(self) -> str:
        """What it says in plain words."""
        return str(self.numbers["reading"])

    @property
    def few(self) -> bool:
        """Whether there are too few events to say more than the mean."""
        from forecasting.calibration.frame import LEAST_EVENTS

        return bool(self.numbers["n"] < LEAST_EVENTS)

    def plot(self) -> Any:
        """Draw the reliability diagram as a matplotlib figure."""
        from forecasting.review import draw

        return draw.reliability(self.numbers, title=self.title)

    def save(self, file: str | Path, *, title: str = "") -> None:
        """Write it as .svg, .png, .csv or .html."""
        from forecasting.review.pictures import save_calibration

        head = self._ledger.head()
        save_calibration(self.numbers, Path(file), title=title or self.title, head=head)


#: A book whose tables are lists of rows: the command line's and the web's.
type PlainBook = Book[list[dict[str, Any]]]
