"""The ledger: its entries, its proof, copies of it, track records in and out; and settings."""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

from starlette.background import BackgroundTask
from starlette.responses import FileResponse, PlainTextResponse, Response

from forecasting.domain.instants import iso
from forecasting.errors import ForecastingError, InvalidInput
from forecasting.web.bodies import Sent
from forecasting.web.faults import Fault, fault_of
from forecasting.web.gate import Refusal
from forecasting.web.jobs import Job
from forecasting.web.preferences import COOKIE, known_zone
from forecasting.web.routes import UPLOAD, get, post
from forecasting.web.uploads import Waiting
from forecasting.web.visit import Visit

PER_PAGE = 50
GONE = Fault("file", "That file waits no longer; choose it again.")
EXPORTS = {"csv": ("forecasts.csv", "text/csv"), "jsonl": ("ledger.jsonl", "application/jsonl")}
#: The options of a file, as `forecast import` takes them.
OPTIONS = ("format", "me", "user", "zone", "decimal", "unit", "dates", "columns")


def ledger(visit: Visit, *, faults: tuple[Fault, ...] = ()) -> Response:
    """Show the last entries, and what can be done with the whole."""
    text = visit.query.get("before")
    before = int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else None
    rows = visit.book.entries(before=before, most=PER_PAGE)
    job = visit.house.jobs.of(visit.query.get("work"))
    checked = job.result if job and job.call == "verify" and job.state == "done" else None
    return visit.page(
        "ledger.html.j2",
        rows=rows,
        before=before,
        head=visit.book.anchor(),
        checked=checked,
        file=_waiting(visit) if visit.form.get("key") else None,
        formats=visit.book.import_formats(),
        options=OPTIONS,
        faults=faults,
    )


def _waiting(visit: Visit) -> Waiting | None:
    return visit.house.uploads.of(visit.form.get("key"), visit.who)


def verify(visit: Visit) -> Response:
    """Walk the whole chain, in a process of its own."""
    job = visit.house.jobs.start("Verifying the ledger", "verify", who=visit.who, then="/ledger")
    return visit.to(f"/jobs/{job.id}")


def anchor(visit: Visit) -> Response:
    """Give the head in a few lines, to be kept elsewhere."""
    record = visit.book.anchor()
    name = f"anchor-{record.entries}.txt"
    return PlainTextResponse(
        record.text, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def backup(visit: Visit) -> Response:
    """Send a verified copy of the whole database."""
    path = visit.house.uploads.place("backup.db")
    try:
        visit.book.backup(visit.book.database, path)
    except ForecastingError as refused:
        path.unlink(missing_ok=True)
        return ledger(visit, faults=(fault_of(refused, visit.zone),))
    name = f"forecasts-{iso(visit.now)[:10]}.db"
    return _sent(path, name, "application/octet-stream")


def _sent(path: Path, name: str, kind: str) -> Response:
    """Send a file and remove it."""
    removal = BackgroundTask(path.unlink, missing_ok=True)
    return FileResponse(path, filename=name, media_type=kind, background=removal)


def export(visit: Visit) -> Response:
    """Send the track record as a table, or the whole ledger as lines."""
    if visit.path["format"] not in EXPORTS:
        raise Refusal(404, "There is no such export.")
    name, kind = EXPORTS[visit.path["format"]]
    path = visit.house.uploads.place(name)
    visit.book.export_record(path, visit.path["format"])
    return _sent(path, name, kind)


def preview(visit: Visit) -> Response:
    """Read a file, in a process of its own, to show what it would bring; nothing is written."""
    upload, key = visit.form.files.get("file"), visit.form.get("key")
    if upload is not None:
        key = visit.house.uploads.keep(visit.who, upload)
        # After a fault the file and its options are kept.
        visit = replace(visit, form=Sent((*visit.form.fields, ("key", key))))
    elif not key:
        return ledger(visit, faults=(Fault("file", "Choose a file."),))
    return _begin(visit, "Reading", then="/ledger/preview")


def _begin(visit: Visit, doing: str, *, then: str, once: str = "") -> Response:
    """Begin the work on a file that waits, and give it a moment."""
    waiting = _waiting(visit)
    if waiting is None:
        return ledger(visit, faults=(GONE,))
    try:
        options = _options(visit)
    except InvalidInput as refused:
        return ledger(visit, faults=(fault_of(refused, visit.zone),))
    job = visit.house.jobs.start(
        f"{doing} {waiting.name}",
        "import",
        who=visit.who,
        then=then,
        form=visit.form,
        once=once,
        file=str(waiting.path),
        **{"forecaster": visit.who, "name": waiting.name, **options},
    )
    visit.house.jobs.wait(job)
    return visit.to(f"/jobs/{job.id}")


def _read(visit: Visit, once: bool) -> Job | None:
    """Give the work on a file that a page is of, once it is over."""
    job = visit.house.jobs.of(visit.query.get("work"))
    if job is None or job.who != visit.who or job.form is None or job.call != "import":
        return None
    return job if job.state in ("done", "failed") and bool(job.options["once"]) is once else None


def previewed(visit: Visit) -> Response:
    """Show what a file would bring, as it was understood."""
    job = _read(visit, once=False)
    return visit.to("/ledger") if job is None else _file(visit, job)


def brought(visit: Visit) -> Response:
    """Show what a file brought."""
    job = _read(visit, once=True)
    if job is None:
        return visit.to("/ledger/imports")
    seq = visit.house.book.speaking_as(visit.who, once=job.options["once"]).written()
    if job.state == "failed" and seq:
        # The same form, sent twice, was written by the other request.
        return visit.repeated(seq, "/ledger/imports")
    return _file(visit, job)


def _file(visit: Visit, job: Job) -> Response:
    """Show what is known of a file; or the form that was sent, with the fault beside its field."""
    visit = replace(visit, form=job.form or Sent())
    if job.state == "failed":
        # A fault stands beside the option that it speaks of, else beside the file.
        named = job.fault if job.fault is not None and job.fault.field in OPTIONS else None
        return ledger(visit, faults=(named or Fault("file", job.words),))
    return visit.page(
        "import.html.j2",
        found=job.result,
        key=visit.form.get("key"),
        name=job.options["name"],
        what=visit.book.import_formats().get(job.result.get("format", "")),
        options={name: visit.form.get(name) for name in OPTIONS},
    )


def _options(visit: Visit) -> Mapping[str, Any]:
    """Read the options of a file from the form."""
    options: dict[str, Any] = {
        name: visit.form.get(name) for name in OPTIONS if visit.form.get(name)
    }
    if "columns" in options:
        options["columns"] = _columns(options["columns"])
    return options


def _columns(text: str) -> dict[str, str]:
    columns = {}
    for pair in text.splitlines():
        heading, _, column = pair.rpartition("=")
        if not heading.strip() or not column.strip():
            raise InvalidInput(f"columns ({pair}): write each as “Its heading = forecast”")
        columns[heading.strip()] = column.strip()
    return columns


def bring_in(visit: Visit) -> Response:
    """Record what was previewed, in one transaction of a process of its own."""
    once = visit.act()
    if seq := visit.house.book.speaking_as(visit.who, once=once).written():
        return visit.repeated(seq, "/ledger/imports")
    return _begin(visit, "Bringing in", then="/ledger/brought", once=once)


def undo(visit: Visit) -> Response:
    """Take an import back."""
    run = visit.form.get("run")
    return visit.write(
        lambda book: book.import_undo(run),
        then="/ledger/imports",
        note=lambda result: f"Taken back: {run}. Its entries stay, and count for nothing.",
        again=lambda faults: imports(visit, faults=faults),
    )


def imports(visit: Visit, *, faults: tuple[Fault, ...] = ()) -> Response:
    """List the track records that were brought in."""
    rows = visit.kept("imports", visit.book.import_runs)
    return visit.page("imports.html.j2", imports=rows[::-1], faults=faults)


@lru_cache(maxsize=1)
def _zones() -> list[str]:
    return sorted(available_timezones())


def settings(visit: Visit, *, faults: tuple[Fault, ...] = ()) -> Response:
    """Show how this browser likes its pages."""
    return visit.page("settings.html.j2", zones=_zones(), faults=faults)


def set_(visit: Visit) -> Response:
    """Keep how this browser likes its pages."""
    zone, name = visit.form.get("zone"), visit.form.get("forecaster")
    if zone and not known_zone(zone):
        return settings(visit, faults=(Fault("zone", f"{zone}: there is no such zone."),))
    if len(name) > 80 or not name.isprintable():
        return settings(
            visit, faults=(Fault("forecaster", "A name is one line, at most 80 long."),)
        )
    likes = replace(visit.preferences, zone=zone, hide=visit.form.get("hide") == "1")
    if not visit.house.team:
        likes = replace(likes, forecaster="" if name == visit.session.who else name)
    visit.note("Kept, for this browser.")
    response = visit.to("/settings")
    visit.keep(response, COOKIE, likes.cookie())
    return response


ROUTES = [
    get("/ledger", ledger),
    get("/ledger/imports", imports),
    get("/ledger/anchor", anchor),
    get("/ledger/export/{format}", export),
    post("/ledger/verify", verify, reader=True),
    post("/ledger/backup", backup),
    get("/ledger/preview", previewed),
    get("/ledger/brought", brought),
    post("/ledger/preview", preview, most=UPLOAD),
    post("/ledger/import", bring_in),
    post("/ledger/undo", undo),
    get("/settings", settings),
    post("/settings", set_, reader=True),
]
