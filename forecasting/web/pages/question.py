"""A question: its number and how to say one's own, its path, its news, its record, its outcome."""

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from forecasting.domain.forecast import Forecast, Quantiles
from forecasting.domain.forecasters import MODEL, family
from forecasting.domain.reading import outcome as outcome_read
from forecasting.domain.reading import probability, unmistakable
from forecasting.domain.verbal import BANDS
from forecasting.errors import InvalidInput
from forecasting.review import words
from forecasting.review.data import Mark
from forecasting.review.path_chart import density, path_chart
from forecasting.review.plot import NARROW, WIDE
from forecasting.web.bodies import Sent
from forecasting.web.compute import Figures, address, figures
from forecasting.web.faults import Fault, fault_of, in_percent
from forecasting.web.routes import get, post
from forecasting.web.typed import LEVELS, drawn, percent, percent_typed, spread_around, typed_again
from forecasting.web.visit import Visit

if TYPE_CHECKING:
    from forecasting.app.page import QuestionPage


def question(
    visit: Visit, *, faults: tuple[Fault, ...] = (), filled: Sent | None = None
) -> Response:
    """Show a question, a rung, or a ladder by the rung that is next."""
    name = visit.path["name"]
    kind = "replay" if visit.query.get("path") == "replay" else "live"
    page: QuestionPage = visit.book.question_page(name, kind=kind)
    hidden = any(visit.hides(rung.id) for rung in page.rungs)
    charts = [
        path_chart(
            page.path,
            zone=page.question.zone,
            until=visit.now,
            me=visit.who,
            # The number of the opening does not age: beside live ones it would read as a view.
            hidden=lambda who: (
                (hidden and who != visit.who) or (kind == "live" and family(who) == "prior")
            ),
            size=size,
        )
        for size in (WIDE, NARROW)
        if any(page.path.paths.values())
    ]
    return visit.page(
        "question.html.j2",
        q=page,
        charts=charts,
        hidden=hidden,
        history=_history_rows(visit, page.history),
        scores=_scores(visit, page),
        again=address(visit, again="1"),
        bands=BANDS,
        levels=_levels(page, filled or visit.form),
        curve=_curve(page, filled or visit.form),
        typed=_form_texts(page, filled or visit.form),
        filled=filled,
        faults=faults,
        plain=plain,
        family=family,
        model_name=MODEL,
        ratio=words.ratio,
        left=lambda mark: _left(mark, visit.now),
    )


def _history_rows(visit: Visit, history: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Give the rows of the history: of people and the model, or of everybody where it is asked."""
    everybody = visit.query.get("all") == "1"
    return [row for row in history if everybody or family(row["forecaster"]) in ("person", "model")]


def _scores(visit: Visit, page: "QuestionPage") -> Figures | None:
    """Give the scores of everybody, once there is an outcome."""
    if page.chosen.status != "resolved":
        return None
    again = visit.query.get("again") == "1"
    scores = figures(visit, "question", page.chosen.id, page.path_kind, patience=0.1, again=again)
    # Scores of an outcome that was replaced since are not shown.
    return replace(scores, result=None, behind=0) if scores.head < page.decided else scores


def _left(mark: Mark, now: dt.datetime) -> float:
    """Give the hazard ratio that is left of a report's by now."""
    days = max((now - mark.known_at) / dt.timedelta(days=1), 0.0)
    return math.exp((mark.weight or 0.0) * 0.5 ** (days / mark.half_life))


def plain(forecast: Forecast | None, unit: str = "") -> str:
    """Write what a forecast says in one line."""
    if forecast is None:
        return words.DASH
    return _plain(forecast.value.plain, unit)


def _plain(value: Any, unit: str = "") -> str:
    """Write an answer in one line."""
    if not isinstance(value, Mapping):
        return words.said(value)
    if isinstance(value, Quantiles):
        numbers = list(value.values())
        reach = f"{words.bare(numbers[0], unit)} to {words.bare(numbers[-1], unit)}"
        levels = list(value)
        return f"{words.amount(value.middle, unit)} ({levels[0]} to {levels[-1]} %: {reach})"
    return " · ".join(f"{name}: {words.said(share)}" for name, share in value.items())


def _form_texts(page: "QuestionPage", form: Sent) -> dict[str, str]:
    """Give what the fields of the form hold: what was typed, else what stands."""
    fields: dict[str, str] = {}
    for rung in page.rungs:
        if rung.mine is not None and page.question.type == "binary":
            fields[rung.day or rung.id] = in_percent(rung.mine.value.entered[0])
    mine = page.chosen.mine
    if mine is not None and mine.value.shape == "options":
        fields |= {
            name: in_percent(share)
            for name, share in zip(mine.value.labels, mine.value.entered, strict=True)
        }
    sent = form.under("q") or form.get("one")
    if mine is not None and mine.value.shape == "quantiles" and not sent:
        texts = (typed_again(text, page.question.space) for text in mine.value.entered)
        fields |= dict(zip(mine.value.labels, texts, strict=True))
    if "token" in form or form.under("p") or form.under("q"):
        fields |= form.under("p") | form.under("q")
        if "p" in form:
            fields[page.chosen.day or page.chosen.id] = form.get("p")
    return fields


def _levels(page: "QuestionPage", form: Sent) -> tuple[str, ...]:
    """Give the levels of a number's form: those that were sent, else those that stand."""
    sent = [name[2:-1] for name, _ in form.fields if name.startswith("q[") and name.endswith("]")]
    if sent:
        return tuple(dict.fromkeys(each for each in sent if _level(each)))
    mine = page.chosen.mine
    if mine is None or mine.value.shape != "quantiles":
        return LEVELS
    return tuple(mine.value.labels)


def _level(text: str) -> bool:
    """Say whether a name of a field is a level in percent."""
    try:
        return 0 < float(text) < 100
    except ValueError:
        return False


def _curve(page: "QuestionPage", form: Sent) -> Any:
    """Draw the curve of the quantiles that are typed, or that stand."""
    if page.question.type != "numeric":
        return None
    space = page.question.space
    quantiles = drawn(_form_texts(page, form), space)
    if len(quantiles) < 2 or space.lower is None or space.upper is None:
        return None
    return density(
        list(quantiles),
        list(quantiles.values()),
        low=space.lower,
        high=space.upper,
        unit=space.unit,
    )


def curve(visit: Visit) -> Response:
    """Draw the curve of what is typed, while it is typed; it is a part of its page, no page."""
    page: QuestionPage = visit.book.question_page(visit.path["name"])
    return visit.page(
        "curve.html.j2", part=True, curve=_curve(page, visit.form), unit=page.question.space.unit
    )


def log(visit: Visit) -> Response:
    """Log what the form of a question says; or help to fill it, where that was asked."""
    name = visit.path["name"]
    page: QuestionPage = visit.book.question_page(name)
    if visit.form.get("help"):
        try:
            return question(visit, filled=_filled_form(page, visit.form))
        except InvalidInput as refused:
            return question(visit, faults=(fault_of(refused, visit.zone),))
    seen = visit.form.get("seen")
    before = page.chosen.mine.seq if page.chosen.mine is not None else None

    def call(book: Any) -> Any:
        more = {
            "because": visit.form.get("because"),
            "at": visit.form.get("at") or None,
            "since": visit.lately,
        }
        shares = {key: percent_typed(text) for key, text in visit.form.under("p").items()}
        if page.is_ladder and shares:
            return book.log(page.name, ladder=shares, **more)
        answer: Any = shares
        if not shares and page.question.type == "numeric":
            answer = _quantiles(visit.form)
        elif not shares:
            answer = _one_answer(visit.form)
        return book.log(page.question.id, answer, **more)

    def note(rows: list[dict[str, Any]]) -> str:
        on = visit.quoted(page.name if page.is_ladder else page.question.id)
        text = logged(rows, on, unit=page.question.space.unit)
        if before is not None and seen and seen != str(before):
            there = plain(page.chosen.mine, page.question.space.unit)
            text += (
                f" Meanwhile {there} had been logged elsewhere, as entry {before}: it is kept, "
                "and yours stands after it."
            )
        return text

    return visit.write(
        call,
        then=f"/q/{name}",
        note=note,
        again=lambda faults: question(visit, faults=_of_the_moment(visit.form, faults)),
    )


def logged(rows: Sequence[Mapping[str, Any]], on: str, *, unit: str = "") -> str:
    """Say what was logged, as it was read, and what certainty costs where it was logged."""
    answers = [
        _plain(row["forecast"], unit)
        + (f" by {words.day_names(day)}" if (day := row["question"].partition("@")[2]) else "")
        for row in rows
    ]
    first, last = rows[0]["seq"], rows[-1]["seq"]
    entries = f"entries {first} to {last}" if len(rows) > 1 else f"entry {first}"
    kind = rows[-1].get("kind", "live")
    marked = "" if kind == "live" else f", marked {kind}"
    text = f"Logged {', '.join(answers)} on {on}, as {entries}{marked}."
    return f"{text} {CERTAIN}" if any(_certain(row["forecast"]) for row in rows) else text


#: What is said of a probability of 0 or 1 that was just logged.
CERTAIN = "That is certainty: if it comes out otherwise, the log score is infinite."


def _certain(answer: Any) -> bool:
    shares = answer.values() if isinstance(answer, Mapping) else [answer]
    return not isinstance(answer, Quantiles) and any(share in (0, 1) for share in shares)


def _of_the_moment(form: Sent, faults: tuple[Fault, ...]) -> tuple[Fault, ...]:
    """Put a fault about the question's window beside the moment that was typed."""
    if not form.get("at"):
        return faults
    return tuple(
        Fault("at", fault.words) if fault.field in ("question", "") else fault for fault in faults
    )


def _one_answer(form: Sent) -> str:
    """Give the word that was chosen or the number typed (other than `was`); two are none."""
    word, typed = form.get("word"), form.get("p")
    if not word:
        return percent_typed(typed)
    if typed not in ("", form.get("was")):
        try:
            same = probability(percent_typed(typed))[0] == probability(word)[0]
        except InvalidInput:
            same = False
        if not same:
            both = f"{typed} and “{word.replace('-', ' ')}”"
            raise InvalidInput(f"probability ({both}): are two answers; leave one of them empty")
    return word


def _quantiles(form: Sent) -> dict[str, str]:
    quantiles = form.under("q")
    if len(quantiles) < 2 and form.get("one"):
        msg = f"one ({form.get('one')}): press “Fill the others”, look at them, and log them then"
        raise InvalidInput(msg)
    if len(quantiles) < 2:
        filled = words.plural(len(quantiles), "number")
        msg = f"quantiles ({filled}): fill two or more, such as the lowest and the highest"
        raise InvalidInput(msg)
    return quantiles


def _filled_form(page: "QuestionPage", form: Sent) -> Sent:
    """Fill the form: options scaled to 100, rungs that do not fall, quantiles around one number."""
    help_, fields = form.get("help"), dict(form.fields)
    if help_ == "sum":
        shares = {name: percent(text) for name, text in form.under("p").items()}
        total = sum(shares.values())
        if total > 0:
            fields |= {f"p[{name}]": each for name, each in _to_hundred(shares, total).items()}
    elif help_ == "rise":
        highest = 0.0
        for rung in page.rungs:
            key = f"p[{rung.day}]"
            if rung.status == "open" and fields.get(key):
                highest = max(highest, percent(fields[key]))
                fields[key] = f"{highest:g}"
    elif help_ == "around":
        space = page.question.space
        quantiles = spread_around(form.get("one"), form.get("sure"), space)
        fields = {name: value for name, value in fields.items() if not name.startswith("q[")}
        fields |= {f"q[{level}]": value for level, value in quantiles.items()}
    return Sent(tuple(fields.items()), form.files)


def _to_hundred(shares: Mapping[str, float], total: float) -> dict[str, str]:
    """Scale shares to 100 at a tenth, the rest to the largest."""
    tenths = {name: round(1000 * share / total) for name, share in shares.items()}
    largest = max(tenths, key=lambda name: tenths[name])
    tenths[largest] += 1000 - sum(tenths.values())
    return {name: f"{each / 10:g}" for name, each in tenths.items()}


def say(visit: Visit) -> Response:
    """Record a comment: the same number is logged again, with the comment as its reason."""
    name = visit.path["name"]

    def call(book: Any) -> list[dict[str, Any]]:
        page: QuestionPage = book.question_page(name)
        mine, text = page.chosen.mine, visit.form.get("because")
        if mine is None:
            raise InvalidInput("because: goes with a number; log one, and say why beside it")
        if not text:
            raise InvalidInput("because: nothing is written")
        value = mine.value
        answer: Any = dict(zip(value.labels, map(unmistakable, value.entered), strict=True))
        if value.shape == "binary":
            answer = (
                value.entered[0] if value.entered[0] not in ("0", "1") else f"{value.entered[0]}.0"
            )
        rows: list[dict[str, Any]] = book.log(
            page.question.id, answer, because=text, since=visit.lately
        )
        return rows

    return visit.write(
        call,
        then=f"/q/{name}#comments",
        note=lambda rows: f"Written down on {visit.quoted(name)}, with your number as it stands.",
        again=lambda faults: question(visit, faults=faults),
    )


def withdraw(visit: Visit) -> Response:
    """Withdraw the visitor's number."""
    name = visit.path["name"]
    return visit.write(
        lambda book: book.withdraw(name),
        then=f"/q/{name}",
        note=lambda rows: (
            f"Your number on {visit.quoted(name)} is withdrawn. It stays in the history."
        ),
        again=lambda faults: question(visit, faults=faults),
    )


def settle(visit: Visit) -> Response:
    """Record an outcome, contest it, or take it back; each is a new entry."""
    form, name = visit.form, visit.path["name"]
    act, outcome = form.get("act", "resolve"), form.get("outcome")
    more = {"source": form.get("source"), "note": form.get("note")}
    at = form.get("at") or None

    def call(book: Any) -> Any:
        if act == "annul":
            return book.annul(name, at=at, **more)
        if act == "dispute":
            return book.dispute(name, outcome, at=at, **more)
        if act == "reopen":
            # Without a source, whoever takes an outcome back is recorded as the source.
            return book.reopen(name, **more | {"source": more["source"] or visit.who})
        return book.resolve(name, _meant(visit, more), at=at, sure=form.get("sure") == "1", **more)

    texts = {
        "annul": "Annulled: the question is not scored.",
        "dispute": "Recorded. The outcome that stands is unchanged.",
        "reopen": "Taken back: the question has no outcome again. Every version is kept.",
    }

    def note(rows: list[dict[str, Any]]) -> str:
        plainly = texts.get(act, f"Recorded: {rows[0]['outcome']}. It can be taken back below.")
        follows = [f"{visit.by_title(each)}." for each in visit.book.followers(rows)]
        return " ".join([f"{visit.quoted(name)}. {plainly}", *follows])

    return visit.write(
        call,
        then=f"/q/{name}#outcome",
        note=note,
        again=lambda faults: question(visit, faults=faults),
    )


def _meant(visit: Visit, more: dict[str, str]) -> str:
    """Give the outcome of the form; a number beyond the bounds is asked about once."""
    from forecasting.app.ledger.resolve import beyond_doubt

    stated = visit.form.get("outcome")
    page: QuestionPage = visit.book.question_page(visit.path["name"])
    doubt = beyond_doubt(page.question.space, stated) if stated else None
    if doubt is None:
        return stated
    if visit.form.get("meant") != stated:
        raise InvalidInput(f"{doubt.message} Then send it again as it stands")
    more["note"] = more["note"] or f"stated as {stated}"
    return outcome_read(page.question.space, stated)


def edit(visit: Visit) -> Response:
    """Record a new version of what the question says."""
    name = visit.path["name"]
    changed: dict[str, Any] = {
        field: visit.form.get(field)
        for field in ("title", "criteria", "background")
        if field in visit.form
    }
    if "tags" in visit.form:
        changed["tags"] = [tag.strip() for tag in visit.form.get("tags").split(",") if tag.strip()]
    return visit.write(
        lambda book: book.edit_question(name, **changed),
        then=f"/q/{name}",
        note=lambda ids: (
            f"Recorded as a new version of {visit.quoted(name)}; forecasts keep the wording that "
            "they saw."
        ),
        again=lambda faults: question(visit, faults=faults),
    )


ROUTES = [
    get("/q/{name}", question),
    post("/q/{name}/curve", curve, reader=True),
    post("/q/{name}/log", log),
    post("/q/{name}/say", say),
    post("/q/{name}/withdraw", withdraw),
    post("/q/{name}/settle", settle),
    post("/q/{name}/edit", edit),
]
