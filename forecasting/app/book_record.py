"""The part of the book that keeps the record: outcomes, track records in and out, the chain."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecasting import clock
from forecasting.app import columns
from forecasting.app.tidy import Door, When, on, text, when

if TYPE_CHECKING:
    from forecasting.app.ledger.anchor import Anchor


class Record[Table](Door[Table]):
    """Outcomes and their versions, whole track records, anchors and verification."""

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

        now = clock.now()
        return resolve(
            self.ledger,
            question,
            text(outcome),
            source=source,
            now=now,
            at=on(self.ledger, question, at, days="ends", now=now),
            note=note,
            sure=sure or early_no,
        )

    def annul(
        self, question: str, *, source: str, at: When = None, note: str = ""
    ) -> list[dict[str, Any]]:
        """Annul a question: it is not scored."""
        from forecasting.app.ledger.resolve import annul

        now = clock.now()
        return annul(
            self.ledger,
            question,
            source=source,
            now=now,
            at=on(self.ledger, question, at, days="ends", now=now),
            note=note,
        )

    def dispute(
        self, question: str, outcome: str | float, *, source: str, at: When = None, note: str = ""
    ) -> list[dict[str, Any]]:
        """Record another reading of an outcome; the official resolution is unchanged."""
        from forecasting.app.ledger.resolve import dispute

        now = clock.now()
        return dispute(
            self.ledger,
            question,
            text(outcome),
            source=source,
            now=now,
            at=on(self.ledger, question, at, days="ends", now=now),
            note=note,
        )

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
        from forecasting.app.ledger.undone import import_undo

        return import_undo(self.ledger, run, now=clock.now(), drop=drop)

    def import_runs(self) -> Table:
        """Give every import, with the run that `import_undo` takes."""
        from forecasting.app.ledger.undone import import_runs

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
        """Give the lines of it (none where a file took them), and what is to be said of them.

        A sheet for Fatebook is of one person: of `forecaster`, by default of this book's.
        """
        from forecasting.app.ledger.export import export_record

        out = None if file is None else Path(file)
        who = forecaster or self.forecaster
        return export_record(self.ledger, format, out=out, force=force, forecaster=who)

    def matches(self) -> Table:
        """Give the questions that ask the same as one on another platform: ``question, url``."""
        from dataclasses import asdict

        from forecasting.app.catalog import Catalog
        from forecasting.app.questions import same_as

        found = same_as.matches(self.ledger, Catalog.of(self.ledger))
        return self._give([asdict(one) for one in found])

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
        from dataclasses import asdict

        from forecasting.app.questions.same_as import same_as

        made = same_as(
            self.ledger,
            question,
            url,
            differs=differs,
            complement=complement,
            undo=undo,
            forecaster=self.forecaster,
            now=clock.now(),
        )
        return asdict(made) | {"undone": undo}

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
        from forecasting.app.news.world import no_list, watch

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
        from forecasting.app.news.world import without_list
        from forecasting.app.upkeep.banks import bank_of

        return without_list(bank_of(self.ledger).world, among)

    def watches(self) -> Table:
        """Give the time up to which each process is watched, and how many days ago that was."""
        from forecasting.app.news.world import rows

        return self._give(
            rows(self.ledger, now=clock.now()), ("until", "recorded_at"), columns.WATCHES
        )

    def verify(
        self, anchor: str | Path | None = None, *, certificate: str | Path | None = None
    ) -> dict[str, Any]:
        """Check the hash chain and say what it proves; `certificate` is the stamp's authority."""
        from forecasting.app.ledger.anchor import verify

        kept, trusted = (None if one is None else Path(one) for one in (anchor, certificate))
        return verify(self.ledger, kept, certificate=trusted)

    def anchor(self, file: str | Path | None = None) -> "Anchor":
        """Give the head in the form to keep elsewhere; with `file`, write it there."""
        from forecasting.app.ledger.anchor import anchor, write_anchor

        made = anchor(self.ledger, clock.now())
        if file is not None:
            write_anchor(made, Path(file))
        return made

    def stamped_anchor(
        self, authority: str, file: str | Path | None = None
    ) -> "tuple[Anchor, str]":
        """Write the head into a file (named by the day), and an authority's token beside it.

        Gives the anchor, and what the token says.
        """
        from forecasting.app.ledger.anchor import stamped

        made = self.anchor()
        kept = Path(file or f"{made.at.date().isoformat()}.anchor")
        return made, f"{kept}.tsr: {stamped(made, kept, authority).says}"
