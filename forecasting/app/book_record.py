"""The part of the book that keeps the record: outcomes, track records in and out, the chain."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecasting import clock
from forecasting.app.tidy import When, frame, on, text, when
from forecasting.store import Ledger

if TYPE_CHECKING:
    import pandas as pd

    from forecasting.app.anchor import Anchor


class Record:
    """Outcomes and their versions, whole track records, anchors and verification."""

    ledger: Ledger

    @property
    def forecaster(self) -> str:
        """In whose name this book speaks."""
        raise NotImplementedError

    def resolve(
        self,
        question: str,
        outcome: str | float,
        *,
        source: str,
        at: When = None,
        note: str = "",
        early_no: bool = False,
    ) -> list[dict[str, Any]]:
        """Record an outcome, or a corrected version of it."""
        from forecasting.app.resolve import resolve

        return resolve(
            self.ledger,
            question,
            text(outcome),
            source=source,
            now=clock.now(),
            at=on(self.ledger, question, at, days="ends"),
            note=note,
            early_no=early_no,
        )

    def annul(
        self, question: str, *, source: str, at: When = None, note: str = ""
    ) -> list[dict[str, Any]]:
        """Record that a question counts for nobody."""
        from forecasting.app.resolve import annul

        return annul(
            self.ledger,
            question,
            source=source,
            now=clock.now(),
            at=on(self.ledger, question, at, days="ends"),
            note=note,
        )

    def dispute(
        self, question: str, outcome: str | float, *, source: str, at: When = None, note: str = ""
    ) -> list[dict[str, Any]]:
        """Record another reading of an outcome; the official resolution is unchanged."""
        from forecasting.app.resolve import dispute

        return dispute(
            self.ledger,
            question,
            text(outcome),
            source=source,
            now=clock.now(),
            at=on(self.ledger, question, at, days="ends"),
            note=note,
        )

    def reopen(self, question: str, *, source: str, note: str = "") -> list[dict[str, Any]]:
        """Take the standing outcome of a question back: from now on it has none."""
        from forecasting.app.resolve import reopen

        return reopen(self.ledger, question, source=source, now=clock.now(), note=note)

    def import_record(
        self,
        file: str | Path,
        format: str = "",
        *,
        me: str = "",
        zone: str = "",
        **options: Any,
    ) -> dict[str, Any]:
        """Bring a track record in, its forecasts as imported; see `forecast import`."""
        from forecasting.app.exchange import import_record

        return import_record(
            self.ledger, Path(file), format, now=clock.now(), me=me, zone=zone, **options
        )

    def import_undo(self, run: int | str) -> dict[str, Any]:
        """Take a mistaken import back, by the number that it gave as its run."""
        from forecasting.app.undone import import_undo

        return import_undo(self.ledger, run, now=clock.now())

    def export_record(
        self, file: str | Path, format: str = "csv", *, force: bool = False
    ) -> dict[str, Any]:
        """Write the track record as a table, or the whole ledger as JSON lines."""
        from forecasting.app.export import export_record

        return export_record(self.ledger, format, out=Path(file), force=force)[1]

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
        from forecasting.app.watch import watch

        now = clock.now()
        return watch(
            self.ledger,
            processes,
            until=when(until) or now,
            now=now,
            every=every,
            who=forecaster or self.forecaster,
            because=because,
        )

    def watches(self) -> "pd.DataFrame":
        """Give until when each process is watched, and how many days ago that is."""
        from forecasting.app.watch import rows

        return frame(rows(self.ledger, now=clock.now()), ("until", "recorded_at"))

    def verify(self, anchor: str | Path | None = None) -> dict[str, Any]:
        """Walk the hash chain and say what holds."""
        from forecasting.app.stamp import verify

        return verify(self.ledger, Path(anchor) if anchor else None)

    def anchor(self, file: str | Path | None = None) -> "Anchor":
        """Give the head in the form to keep elsewhere; with `file`, write it there."""
        from forecasting.app.anchor import anchor, write_anchor

        made = anchor(self.ledger, clock.now())
        if file is not None:
            write_anchor(made, Path(file))
        return made
