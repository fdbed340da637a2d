"""One name for a day: the file's, the list's, the review's, the web's, and that of --as-of."""

from functools import partial

import pytest

from forecasting import clock
from forecasting.app.book import Book
from forecasting.app.news import shown
from forecasting.app.upkeep.banks import bank_of
from forecasting.cli import run as cli
from forecasting.domain.instants import parse_instant
from forecasting.review import words
from forecasting.review.world_rows import world_page
from forecasting.web import view

NOW = parse_instant("2026-11-29T07:45Z")
WORLD = """\
zone: {zone}
watched: 2026-11-25
processes:
  talks:
    moves: {{none > stalled: once in 8 mo, stalled > none: once in 8 mo}}
    since 2025-11-15: none
    2026-10-10: stalled
  calm:
    moves: {{on > off: once in 8 mo}}
    since 2025-11-15: on
  strike: {{event: 3 in 70 weeks, since 2025-11-15: "", 2026-11-25: event}}
  prisoners:
    delivery: {{announced: 2026-09-20, known: 2026-09-20, agreed: 700, unit: people}}
"""
SINCE = {
    "talks": "10 Oct 2026",
    "calm": "15 Nov 2025",
    "strike": "25 Nov 2026",
    "prisoners": "20 Sep 2026",
}
ZONES = ["UTC", "Africa/Kigali", "America/Bogota", "Asia/Kathmandu"]


@pytest.fixture
def book(tmp_path, request):
    with clock.at(NOW):
        workspace = Book.make_workspace(tmp_path, forecaster="ana")
        file = tmp_path / "questions" / "worlds" / "world.yaml"
        file.write_text(WORLD.format(zone=getattr(request, "param", "Africa/Kigali")))
        Book.make_workspace(tmp_path, forecaster="ana")
        with Book.plain(workspace["database"], forecaster="ana") as opened:
            yield opened


@pytest.mark.parametrize("book", ZONES, indirect=True)
def test_a_process_stands_since_the_day_that_its_file_names(book):
    bank = bank_of(book.ledger)
    rows = world_page(bank.world, book.ledger.evidence(), NOW).processes
    for row in rows:
        zone = bank.zone
        known = view.environment().filters["known"]
        for name in (words.Days(zone).known, partial(known, zone=zone)):
            assert name(row.since) == SINCE[row.name], (row.name, zone)
            if row.watched < NOW:
                assert name(row.watched) == "25 Nov 2026", (row.name, zone)


def test_as_of_a_day_is_as_of_the_midnight_that_begins_it(book, capsys):
    """As a step of a replay is; a watch is until the midnight that ends its day."""
    with clock.at(NOW):
        (looked,) = book.watch("strike", until="2026-11-28")
        assert looked["until"] == parse_instant("2026-11-28T22:00Z")
    database = book.database
    for text, moment in (
        ("2026-11-25", "2026-11-24T22:00Z"),
        ("2026-11-25T12:00Z", "2026-11-25T12:00Z"),
    ):
        with clock.at(NOW):
            seen = []

            def asked(*_, as_of, seen=seen, **__):
                seen.append(as_of)
                return []

            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(shown, "source_rows", asked)
                cli(["--db", database, "sources", "list", "--as-of", text])
                book.sources(as_of=text)
        at = parse_instant(moment)
        # The library reads a day without a zone in UTC.
        assert seen == [at, at if "T" in text else parse_instant("2026-11-25T00:00Z")]
    capsys.readouterr()
