"""Cultivate Forecasts (Good Judgment Open, INFER): questions and prediction sets of its API.

``/api/v1/questions`` and ``/api/v1/prediction_sets`` give pages, in one JSON text or a zip of
several. A prediction set is one forecast of one member. `forecasted_probability` is the member's
number; `final_probability` is the crowd's after it, kept as ``crowd:cultivate``. A question of yes
or no may hold nothing but Yes. Answers that need not sum to one are questions of yes or no each,
and those of one question are one event. What was forecast after the answer was known is refused.

Sites number their questions each from 1, and the API does not say which site it is: the name of a
question is part of its id. A set alone says enough of a question of yes or no; of others the
questions are needed. What was set back to when the answer became known counts from then on.

Scores, from 0 to 2, of the forecast in force at the end of each full day (24 hours from the start
of scoring), averaged over the days on which one was in force; ordinal: the mean over the cuts
between ordered answers; relative: less the median of the day, over all days of the question.
"""

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from forecasting.domain import Question
from forecasting.domain.reading import plainly, question_id
from forecasting.errors import InvalidInput
from forecasting.exchange.cells import Reading
from forecasting.exchange.format import Format, PlatformRule, QuestionHistory
from forecasting.exchange.record import (
    Facts,
    Note,
    Record,
    Refused,
    StatedForecast,
    StatedOutcome,
    Statements,
)
from forecasting.exchange.source import Head, Source
from forecasting.exchange.values import faulty, instant, number, probability, required, shares
from forecasting.scoring import brier as _brier
from forecasting.scoring.ranked import ordered_brier
from forecasting.scoring.relative import relative_brier

NAME = "cultivate"
CROWD = f"crowd:{NAME}"
_DAY = dt.timedelta(days=1)
#: A question by its number and name.
type _Key = tuple[str, str]


@dataclass(slots=True)
class _Unplaced(StatedForecast):
    """What a set says of its `answers`: the id as a question, the name and the number of each."""

    answers: tuple[tuple[str, str, Any], ...] = ()


def looks_like(head: Head) -> bool:
    """Recognise questions or prediction sets."""
    return any(
        "forecasted_probability" in one.keys
        or {"answers", "scoring_start_time"} <= one.keys
        or {"answers", "clarifications", "predictions_count"} <= one.keys
        for one in (head, *head.parts)
    )


def read(source: Source, reading: Reading) -> Iterator[Record]:
    """Give each question with its outcome, then each member's forecast and the crowd's after it."""
    asked: dict[_Key, Mapping[str, Any]] = {}
    named: dict[str, set[str]] = {}
    sets: dict[str, tuple[int, Mapping[str, Any]]] = {}
    twice = 0
    for line, (_, one) in enumerate(source.objects("questions", "prediction_sets"), start=1):
        with faulty() as fault:
            if "predictions" in one:
                twice += str(one.get("id")) in sets
                sets.setdefault(str(required(one, "id")), (line, one))
            elif "answers" in one:
                number_of, name = str(required(one, "id")), str(required(one, "name")).strip()
                twice += (number_of, name) in asked
                if (number_of, name) not in asked:
                    asked[number_of, name] = one
                    named.setdefault(number_of, set()).add(name)
                    yield from _question(line, one)
            else:
                raise InvalidInput("item: is neither a question nor a prediction set")
        yield from fault.refused(line)
    if twice:
        yield Note(f"{twice:,} item{'s' * (twice > 1)} of earlier pages not read again")
    bare: set[str] = set()
    crowd: dict[tuple[str, dt.datetime], tuple[int, StatedForecast]] = {}
    for line, prediction_set in sets.values():
        with faulty() as fault:
            number_of = str(required(prediction_set, "question_id"))
            name = str(prediction_set.get("question_name") or "").strip()
            if not name and len(named.get(number_of, ())) == 1:
                name = next(iter(named[number_of]))
            if not name:
                msg = f"question ({plainly(number_of)}): no question of the file has that number"
                raise InvalidInput(msg)
            question = asked.get((number_of, name), {})
            if not question and _of_yes_or_no(prediction_set["predictions"], "answer_name"):
                # The question is stated elsewhere; that much is certain of it.
                of = _id(number_of, name)
                if of not in bare:
                    bare.add(of)
                    yield Facts(of, {"title": name, "type": "binary", "tags": (NAME,)})
            for forecast in _forecasts_of(line, prediction_set, number_of, name, question):
                if forecast.forecaster != CROWD:
                    yield forecast
                    continue
                # Of sets at one instant the crowd's number after the last is the one that stood.
                place = (forecast.question, forecast.issued_at)
                crowd[place] = max(
                    crowd.get(place, (-1, forecast)),
                    (int(prediction_set["id"]), forecast),
                    key=lambda pair: pair[0],
                )
        yield from fault.refused(line)
    yield from (forecast for _, forecast in crowd.values())


def _id(number_of: str, name: str, answer: str = "") -> str:
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return question_id("-".join(filter(None, (NAME, number_of, digest, answer))))


def _of_yes_or_no(answers: Sequence[Mapping[str, Any]], key: str) -> bool:
    names = {str(one.get(key) or "").strip().lower() for one in answers}
    return "yes" in names and names <= {"yes", "no"}


def _apart(question: Mapping[str, Any]) -> bool:
    return question.get("predictions_must_sum_to_100?") is False


def _ordered(question: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    answers = list(question["answers"])
    if all(one.get("sort_order") is not None for one in answers):
        answers.sort(key=lambda one: number(one["sort_order"], name="sort_order"))
    return answers


def _question(line: int, one: Mapping[str, Any]) -> Iterator[Facts | StatedOutcome]:
    number_of, name = str(one["id"]), str(one["name"]).strip()
    kind = str(one.get("type") or "")
    if any(word in kind for word in ("Continuous", "Numeric", "Quantity")):
        raise InvalidInput(f"type ({plainly(kind)}): is not read")
    stated: dict[str, Any] = {"title": name, "tags": (NAME,), "event": _id(number_of, name)}
    opens = one.get("starts_at") or one.get("published_at") or one.get("created_at")
    for key, time in (
        ("opens", opens),
        ("closes", one.get("ends_at")),
        ("scored_from", one.get("scoring_start_time")),
        ("scored_to", one.get("scoring_end_time")),
    ):
        if time:
            stated[key] = instant(time, name=key)
    if one.get("description"):
        stated["criteria"] = str(one["description"])
    notes = [
        str(clarification.get("content") or "").strip()
        for clarification in one.get("clarifications") or ()
    ]
    if any(notes):
        stated["background"] = "\n\n".join(filter(None, notes))
    answers = _ordered(one)
    if _of_yes_or_no(answers, "name"):
        yes = next(one for one in answers if str(one["name"]).strip().lower() == "yes")
        yield Facts(_id(number_of, name), stated | {"type": "binary"}, line)
        yield from _settled(line, _id(number_of, name), one, [yes])
    elif _apart(one):
        for answer in answers:
            own = {"title": f"{name}: {required(answer, 'name')}", "type": "binary"}
            question = _id(number_of, name, str(answer["id"]))
            yield Facts(question, stated | own, line)
            yield from _settled(line, question, one, [answer])
    else:
        options = tuple(str(required(answer, "name")).strip() for answer in answers)
        space = "ordered" if one.get("use_ordinal_scoring") is True else "categorical"
        yield Facts(_id(number_of, name), stated | {"type": space, "options": options}, line)
        yield from _settled(line, _id(number_of, name), one, answers)


def _settled(
    line: int, question: str, one: Mapping[str, Any], answers: Sequence[Mapping[str, Any]]
) -> Iterator[StatedOutcome]:
    voided, note = one.get("voided_at"), ""
    if not voided and not (one.get("resolved?") is True or one.get("state") == "resolved"):
        return
    known = [
        answer["correctness_known_at"] for answer in answers if answer.get("correctness_known_at")
    ]
    at = voided or min(known, default=None) or one.get("resolved_at") or one.get("ends_at")
    # A correction keeps the day on which the answer was known.
    stated_at = None if voided else one.get("resolved_at")
    probabilities: list[Any] = []
    for answer in answers:
        share = answer.get("resolved_probability")
        probabilities.append(
            number(answer["probability"] if share is None else share, name="probability")
        )
    if voided:
        outcome, note = "annulled", str(one.get("void_reason") or "voided")
    elif len(answers) == 1 and probabilities[0] in (0, 1):
        outcome = "yes" if probabilities[0] else "no"
    elif probabilities.count(1) == 1 and sum(probabilities) == 1:
        outcome = str(answers[probabilities.index(1)]["name"]).strip()
    else:
        shown = ", ".join(f"{a['name']} {p}" for a, p in zip(answers, probabilities, strict=True))
        outcome, note = "annulled", f"resolved in parts: {shown}"
    yield StatedOutcome(
        line=line,
        question=question,
        outcome=outcome,
        resolved_at=instant(at, name="resolved_at"),
        source="Cultivate Forecasts",
        note=note,
        stated_at=instant(stated_at, name="resolved_at") if stated_at else None,
    )


def _forecasts_of(
    line: int, one: Mapping[str, Any], number_of: str, name: str, question: Mapping[str, Any]
) -> Iterator[StatedForecast]:
    who = next((str(one[key]) for key in ("membership_guid", "membership_id") if one.get(key)), "")
    if not who:
        raise InvalidInput("membership_guid: is missing")
    at = instant(required(one, "created_at"), name="created_at")
    predictions = one["predictions"]
    if any(prediction.get("made_after_correctness_known") is True for prediction in predictions):
        raise InvalidInput("prediction: made after the answer was known")
    for forecaster, key in ((who, "forecasted_probability"), (CROWD, "final_probability")):
        by_answer = {
            str(required(prediction, "answer_name")).strip(): prediction.get(key)
            for prediction in predictions
            if prediction.get(key) is not None
        }
        because = str(one.get("rationale") or one.get("comment") or "") if key[:2] == "fo" else ""
        if not by_answer:
            continue
        if _of_yes_or_no(predictions, "answer_name"):
            yes = next(
                (value for label, value in by_answer.items() if label.lower() == "yes"), None
            )
            by_id = {"": probability(yes, name=key)}
        elif _apart(question):
            ids = _answer_ids(predictions)
            by_id = {ids[label]: probability(value, name=key) for label, value in by_answer.items()}
        elif not question:
            ids = _answer_ids(predictions)
            answers = tuple(
                (_id(number_of, name, ids[label]), label, value)
                for label, value in by_answer.items()
            )
            yield _Unplaced(
                line, _id(number_of, name), forecaster, (), at, because, answers=answers
            )
            continue
        else:
            yield StatedForecast(
                line, _id(number_of, name), forecaster, shares(by_answer), at, because
            )
            continue
        for answer, share in by_id.items():
            yield StatedForecast(line, _id(number_of, name, answer), forecaster, share, at, because)


def _answer_ids(predictions: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    return {
        str(prediction["answer_name"]).strip(): str(prediction["answer_id"])
        for prediction in predictions
    }


def place(statements: Statements, recorded: Mapping[str, Question]) -> None:
    """Take sets for what the ledger says of their question: one forecast, or one of each answer."""
    placed: list[StatedForecast] = []
    for one in statements.forecasts:
        if not isinstance(one, _Unplaced):
            placed.append(one)
            continue
        parts: list[tuple[str, Any]] = [(one.question, None)]
        with faulty() as fault:
            if any(answer in recorded for answer, _, _ in one.answers):
                parts = [
                    (answer, probability(value, name=name)) for answer, name, value in one.answers
                ]
            else:
                parts = [(one.question, shares({name: value for _, name, value in one.answers}))]
        if fault.reason:
            statements.refused.append(Refused(one.line, fault.reason))
            continue
        placed += [
            StatedForecast(one.line, question, one.forecaster, forecast, one.issued_at, one.because)
            for question, forecast in parts
        ]
        statements.rows += len(parts) - 1
    statements.forecasts = placed


def _days(history: QuestionHistory) -> tuple[list[str], np.ndarray[Any, Any], int]:
    """Give the forecasters, what each had in force at the end of each day, and what came out."""
    space = history.question.space
    options = space.options if space.type != "binary" else ("no", "yes")
    begins = history.stated.get("scored_from") or history.question.opens
    ends = min(history.closed_at, history.stated.get("scored_to") or history.closed_at)
    count = max((ends - begins) // _DAY, 0)
    names = sorted({one.forecaster for one in history.forecasts})
    in_force = np.full((len(names), count, len(options)), np.nan)
    for one in history.forecasts:
        numbers = one.value.numbers
        vector = (1 - numbers[0], numbers[0]) if space.type == "binary" else numbers
        # In the order of time, so that a later one takes over from its day on.
        first = max((one.issued_at - begins) // _DAY, 0)
        in_force[names.index(one.forecaster), first:] = vector
    return names, in_force, options.index(history.outcome)


def _daily(history: QuestionHistory, rule: Any) -> dict[str, float]:
    names, in_force, outcome = _days(history)
    scores = {}
    for name, days in zip(names, in_force, strict=True):
        active = days[~np.isnan(days).any(axis=1)]
        if len(active):
            scores[name] = float(np.mean(rule(active, np.full(len(active), outcome))))
    return scores


def daily(history: QuestionHistory) -> dict[str, float]:
    """Score each day by Brier over all answers (0 to 2), averaged over a forecaster's days."""
    return _daily(history, lambda vectors, outcome: _brier(vectors, outcome, convention="full"))


def ordinal(history: QuestionHistory) -> dict[str, float]:
    """Score each day by the mean Brier of the cuts between ordered answers; of no others."""
    return _daily(history, ordered_brier) if history.question.space.type == "ordered" else {}


def relative(history: QuestionHistory) -> dict[str, float]:
    """Score each day of a member against the median member; the crowd is no member."""
    names, in_force, outcome = _days(history)
    members = [name != CROWD for name in names]
    if sum(members) < 2 or not in_force.shape[1]:
        return {}
    scores = relative_brier(in_force[members], outcome)
    mine = [name for name in names if name != CROWD]
    return dict(zip(mine, map(float, scores), strict=True))


_WHY = "both count full days, `forecast score` time; which moment counts there is not published"
FORMAT = Format(
    name=NAME,
    what="Cultivate JSON (questions or prediction sets of Good Judgment Open or INFER)",
    looks_like=looks_like,
    read=read,
    titled=True,
    place=place,
    rules={
        "brier": PlatformRule(daily, "0 to 2, smaller is better, mean over full days", _WHY),
        "ordinal": PlatformRule(
            ordinal, "0 to 2, smaller is better, mean over cuts and full days", _WHY
        ),
        "relative": PlatformRule(
            relative,
            "-2 to 2, smaller is better, 0 is the day's median",
            "needs everybody's forecasts, which a file of one's own does not hold",
        ),
    },
)
