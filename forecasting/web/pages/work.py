"""Long work: its progress, ending it, and what it found."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from forecasting.errors import NotFound
from forecasting.review import words
from forecasting.web.jobs import Job
from forecasting.web.routes import get, post
from forecasting.web.visit import Visit


def _job(visit: Visit) -> Job:
    job = visit.house.jobs.of(visit.path["key"])
    if job is not None and job.who != visit.who:
        msg = f"only {job.who}, who began this work, sees it; what it records is in the ledger"
        raise NotFound(msg)
    if job is None:
        raise NotFound("There is no such piece of work any more; what it recorded is in the ledger")
    return job


def work(visit: Visit) -> Response:
    """Show how far a piece of work is; once it is done, what it found."""
    job = _job(visit)
    # What was refused stands beside the form that began it.
    if job.then and (job.state == "done" or (job.state == "failed" and job.form)):
        return visit.to(job.then, work=job.id)
    once = job.options.get("once") if job.state == "ended" else ""
    entry = visit.house.book.speaking_as(visit.who, once=once).written() if once else 0
    return visit.page("work.html.j2", job=job, entry=entry)


def end(visit: Visit) -> Response:
    """End a piece of work."""
    job = _job(visit)
    visit.house.jobs.end(job)
    return visit.to(f"/jobs/{job.id}")


def update(visit: Visit) -> Response:
    """Bring the model up to date, for all open questions or for those that are named."""
    names = tuple(visit.form.all("question"))
    job = visit.house.jobs.start(
        f"Updating {'; '.join(map(visit.titled, names))}"
        if names
        else "Updating every open question",
        "update",
        who=visit.who,
        then="/updated",
        questions=names,
        watched=visit.form.get("watched") == "1",
    )
    return visit.to(f"/jobs/{job.id}")


def updated(visit: Visit) -> Response:
    """Show what an update changed."""
    job = visit.house.jobs.of(visit.query.get("work"))
    if job is None or job.who != visit.who or job.call != "update" or job.state != "done":
        return visit.to("/")
    return visit.page("updated.html.j2", **job.result)


def why(visit: Visit) -> Response:
    """Show a model's number taken apart, once it is."""
    name = visit.path["name"]
    job = visit.house.jobs.last("explain", question=name)
    return visit.page(
        "explained.html.j2",
        name=name,
        rows=[_stepwise(row) for row in job.result] if job else None,
        older=job is not None and visit.head > job.head,
    )


def _stepwise(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "steps": words.steps(row), "digits": words.step_digits(row)}


def take_apart(visit: Visit) -> Response:
    """Begin to take a model's number apart."""
    name = visit.path["name"]
    visit.book.question_page(name)
    job = visit.house.jobs.start(
        f"Taking apart: {visit.titled(name)}",
        "explain",
        who=visit.who,
        then=f"/q/{name}/why",
        head=visit.head,
        question=name,
    )
    return visit.to(f"/jobs/{job.id}")


ROUTES = [
    get("/jobs/{key}", work),
    post("/jobs/{key}/end", end),
    post("/update", update),
    get("/updated", updated),
    get("/q/{name}/why", why),
    post("/q/{name}/why", take_apart, reader=True),
]
