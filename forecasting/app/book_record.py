"""The part of the book that keeps the record: outcomes, news, track records, and the chain."""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecasting import clock
from forecasting.app import tidy
from forecasting.app.tidy import Door, on
from forecasting.domain.catalog import Catalog
from forecasting.domain.reading.python import When, text, when

if TYPE_CHECKING:
    from forecasting.review.data import WorldPage
    from forecasting.store.anchor import Anchor


def _ignore(step: str) -> None:
    """Do nothing with a step."""


class Record[Table](Door[Table]):
    """Outcomes, whole track records, anchors; news, what it acts on, and the world as it stands."""

    def resolve(
        self,
        question: str,
        outcome: str | float,
        *,
        source: str,
        at: When = None,
        note: str = "",
        sure: bool = False,
        early_no: bool = False,
    ) -> list[dict[str, Any]]:
        """Record an outcome, or a corrected version of it; `early_no` says `sure` of a no."""
        from forecasting.app.ledger.resolve import resolve

        more = {"source": source, "note": note, "sure": sure or early_no}
        return self._record_outcome(resolve, question, text(outcome), at=at, **more)

    def annul(
        self, question: str, *, source: str, at: When = None, note: str = ""
    ) -> list[dict[str, Any]]:
        """Annul a question: it is not scored."""
        from forecasting.app.ledger.resolve import annul

        return self._record_outcome(annul, question, at=at, source=source, note=note)

    def dispute(
        self, question: str, outcome: str | float, *, source: str, at: When = None, note: str = ""
    ) -> list[dict[str, Any]]:
        """Record another reading of an outcome; the official resolution is unchanged."""
        from forecasting.app.ledger.resolve import dispute

        return self._record_outcome(
            dispute, question, text(outcome), at=at, source=source, note=note
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
        moment = on(self.ledger, question, at, days="ends", now=now)
        return record(self.ledger, question, *outcome, now=now, at=moment, **more)

    def reopen(self, question: str, *, source: str, note: str = "") -> list[dict[str, Any]]:
        """Withdraw the outcome of a question: from now on it is unresolved."""
        from forecasting.app.ledger.resolve import reopen

        return reopen(self.ledger, question, source=source, now=clock.now(), note=note)

    def resolutions(
        self, question: str = "", *, scores: bool = False, kind: str = "live", run: str = ""
    ) -> Table:
        """Give every version of an outcome (or of all); with `scores`, as if each had stood."""
        from forecasting.app.ledger.resolve import resolutions, scored

        if scores:
            rows = scored(self.ledger, question, kind=kind, run=run)
        else:
            rows = resolutions(self.ledger, question)
        return self._give(rows, ("resolved_at", "recorded_at"))

    def followers(self, rows: Sequence[Mapping[str, Any]]) -> list[str]:
        """Say what outcomes just recorded bring with them: other rungs, failed conditions."""
        from forecasting.app.ledger.resolve import followers

        return followers(self.ledger, rows, clock.now())

    def import_record(
        self,
        file: str | Path,
        format: str = "",
        *,
        me: str = "",
        zone: str = "",
        **options: Any,
    ) -> dict[str, Any]:
        """Import a track record, its forecasts as imported; see `forecast import`."""
        from forecasting.app.ledger.importing import import_record
        from forecasting.app.upkeep.workspace import usual_zone

        usual = "" if zone else usual_zone(self.ledger, self.database)
        options |= {"me": me, "zone": zone, "usual_zone": usual}
        return import_record(self.ledger, Path(file), format, now=clock.now(), **options)

    @staticmethod
    def import_formats() -> dict[str, str]:
        """Give the formats that a track record may come in: what a file of each is, by name."""
        from forecasting.exchange.format import formats

        return {name: one.what for name, one in formats().items()}

    def import_undo(self, run: int | str, *, drop: bool = False) -> dict[str, Any]:
        """Undo an import, by the number that it gave as its run; `drop` its questions too."""
        from forecasting.app.ledger.importing import import_undo

        return import_undo(self.ledger, run, now=clock.now(), drop=drop)

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
        from forecasting.app.ledger.export import export_record

        out = None if file is None else Path(file)
        who = forecaster or self.forecaster
        return export_record(self.ledger, format, out=out, force=force, forecaster=who)

    def matches(self) -> Table:
        """Give the questions that ask the same as one on another platform: ``question, url``."""
        from forecasting.exchange import same_as

        pairs = same_as.matches(self.ledger, Catalog.of(self.ledger))
        return self._give([asdict(one) for one in pairs])

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
        from forecasting.app.ledger.ask import same_as

        match = same_as(
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
        from forecasting.app.ledger.log import entries

        return entries(self.ledger, before=before, most=most)

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
        from forecasting.app.world.processes import watch
        from forecasting.domain.watch import no_list

        now, zone = clock.now(), ""
        if every and (note := no_list(self.without_list())):
            self._tell(note)
        if until is not None:
            zone = self.zone(*processes) or self.zone()
        return watch(
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
        from forecasting.app.upkeep.banks import bank_of
        from forecasting.domain.watch import without_list

        return without_list(bank_of(self.ledger).world, among)

    def watches(self) -> Table:
        """Give the time up to which each process is watched, and how many days ago that was."""
        from forecasting.app.world.processes import rows

        return self._give(
            rows(self.ledger, now=clock.now()), ("until", "recorded_at"), tidy.WATCHES
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
        from forecasting.app.news.code import inbox

        return inbox(self.ledger, now=clock.now())

    def news_item(self, name: str) -> dict[str, Any]:
        """Give an item whole, with what it may act on and what may tell the same story."""
        from forecasting.app.news import shown
        from forecasting.app.news.code import proposed

        now = clock.now()
        return shown.show(self.ledger, name, now=now) | proposed(self.ledger, name, now=now)

    def titles(self) -> dict[str, str]:
        """Give what each question, ladder and process is called, by its id."""
        from forecasting.app.upkeep.banks import bank_of

        processes = bank_of(self.ledger).world.processes
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
        from forecasting.app.news.code import code

        return code(self.ledger, name, on, now=clock.now(), **more)

    def uncode_news(self, name: str) -> dict[str, Any]:
        """Put a coded item back as it was before, to be coded again."""
        from forecasting.app.news.code import uncode

        return uncode(self.ledger, name, now=clock.now())

    def join_story(self, name: str, story: str) -> dict[str, Any]:
        """Put an item into the story of another; what it does stays as it is."""
        from forecasting.app.news.code import join

        return join(self.ledger, name, story, now=clock.now())

    def news_effect(
        self,
        name: str,
        target: str,
        *,
        half_life: str = "",
        codes: Sequence[str] | None = None,
        told: Callable[[str], None] = _ignore,
    ) -> dict[str, Any]:
        """Say what each code of an item would do to every question that it touches."""
        from forecasting.app.news.code import effect
        from forecasting.domain.evidence import CODES

        return effect(
            self.ledger,
            name,
            target,
            now=clock.now(),
            half_life=half_life,
            codes=CODES if codes is None else codes,
            told=told,
        )

    def news_stories(self) -> list[dict[str, Any]]:
        """Give the stories that have more than one item, the newest first, each with its items."""
        from forecasting.app.news import shown

        by_story: dict[str, list[dict[str, Any]]] = {}
        for row in shown.rows(self.ledger, now=clock.now()):
            by_story.setdefault((row["story"] or row["key"]).partition("/")[0], []).append(row)
        stories: list[dict[str, Any]] = [
            {"story": story, "items": sorted(items, key=lambda row: row["known_at"])}
            for story, items in by_story.items()
            if len(items) > 1
        ]
        return sorted(stories, key=_latest, reverse=True)

    def coded_news(self) -> list[dict[str, Any]]:
        """Give the news that stands and is coded, the latest first, with what it weighs now."""
        from forecasting.app.news import shown

        rows = [
            row
            for row in shown.rows(self.ledger, now=clock.now())
            if row["seq"] is not None and any(effect != "bears" for effect in row["on"].values())
        ]
        return sorted(rows, key=lambda row: (row["known_at"], row["seq"]), reverse=True)

    def world_page(self) -> "WorldPage":
        """Give the processes and links as they stand now; nothing is simulated."""
        from forecasting.app.upkeep.banks import bank_of
        from forecasting.domain.watch import watched
        from forecasting.evidence import without_retracted
        from forecasting.review.world_rows import world_page

        now = clock.now()
        return world_page(
            bank_of(self.ledger).world,
            without_retracted(self.ledger.evidence()),
            now,
            watched=watched(self.ledger.watches(), now, live=True),
        )

    def process_states(self) -> dict[str, tuple[str, ...]]:
        """Give the states that a process may come to, but for the one that it begins in.

        Of those alone that an open question rests on: no other is simulated.
        """
        from forecasting.evidence.predicates import NewsWorld
        from forecasting.evidence.relevant import asked, part_of

        catalog = Catalog.of(self.ledger)
        news = NewsWorld.of(self.ledger, catalog)
        names = [
            asked(news.predicates[question.id])
            for question in catalog.open_at(clock.now())
            if question.id in news.predicates
        ]
        world = part_of(news.world, frozenset().union(*names))
        return {
            name: process.states[1:]
            for name, process in world.processes.items()
            if len(process.states) > 1
        }

    def open_outcomes(self) -> list[dict[str, Any]]:
        """Give the open questions that the world answers, with what each may be answered with."""
        from forecasting.evidence.predicates import NewsWorld

        catalog = Catalog.of(self.ledger)
        answered = NewsWorld.of(self.ledger, catalog).predicates
        return [
            {
                "question": question.id,
                "title": question.title,
                "type": question.type,
                "outcomes": ("yes", "no") if question.type == "binary" else question.space.options,
            }
            for question in catalog.open_at(clock.now())
            if question.id in answered
        ]

    def beside(self, *, kind: str = "live", run: str = "") -> dict[str, Any]:
        """Give what each worldview said last of each question, beside the model."""
        from forecasting.app.forecast.worldviews import beside

        return beside(self.ledger, now=clock.now(), kind=kind, run=run)


def _latest(story: dict[str, Any]) -> dt.datetime:
    moment: dt.datetime = story["items"][-1]["known_at"]
    return moment
