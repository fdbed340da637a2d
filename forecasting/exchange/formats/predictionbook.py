"""PredictionBook: the JSON of its API, ``/api/my_predictions``.

An object with `user` and `predictions`, each prediction with its `responses`; pages put together in
one list are read too. A response may be a comment without a number. Confidence is in whole percent.

PredictionBook scores each wager by itself, ``(p - outcome)^2`` from 0 to 1, whenever it was made,
and averages over wagers. It takes wagers after the deadline until somebody judges the prediction,
and the API does not say when that was: the last change of the prediction stands for it.
"""

from collections.abc import Iterator
from itertools import count
from typing import Any

from forecasting.exchange.cells import Reading
from forecasting.exchange.format import Format, PlatformRule, brier_once
from forecasting.exchange.record import Facts, Owner, Record, Refused, StatedForecast, StatedOutcome
from forecasting.exchange.source import Head, Source
from forecasting.exchange.values import faulty, instant, percent, required

NAME = "predictionbook"
_SITE = "https://predictionbook.com/predictions/"


def looks_like(head: Head) -> bool:
    """Recognise predictions with their responses."""
    return {"predictions", "responses", "description", "deadline"} <= head.keys or {
        "responses", "description", "deadline", "outcome", "visibility"
    } <= head.keys  # fmt: skip


def lacks(head: Head) -> str:
    """Say what holds the wagers that the site's own table leaves out."""
    mine = head.has("description_with_group", "mean_confidence", "deadline", "outcome")
    return "the JSON of /api/my_predictions: this table holds no wagers" if mine else ""


def read(source: Source, reading: Reading) -> Iterator[Record]:
    """Give each prediction as a question, each of its wagers and its outcome."""
    pages = source.json if isinstance(source.json, list) else [source.json]
    for page in pages:
        if isinstance(page, dict) and isinstance(user := page.get("user"), dict):
            yield Owner(str(user.get("name") or user.get("user_id") or ""))
            break
    lines = count(1)
    for prediction in _predictions(pages):
        line = next(lines)
        with faulty() as fault:
            yield from _prediction(line, prediction, lines)
        yield from fault.refused(line)


def _predictions(pages: list[Any]) -> Iterator[Any]:
    for page in pages:
        if isinstance(page, dict) and "predictions" in page:
            yield from page["predictions"] or ()
        else:
            yield page


def _prediction(line: int, prediction: Any, lines: Iterator[int]) -> Iterator[Record]:
    number = required(prediction, "id")
    question = f"{NAME}-{number}"
    opens = instant(required(prediction, "created_at"), name="created_at")
    closes = instant(required(prediction, "deadline"), name="deadline")
    stated: dict[str, Any] = {
        "title": required(prediction, "description"),
        "type": "binary",
        "opens": opens,
        "closes": closes,
        "resolves_by": closes,
        "tags": (NAME,),
        "url": f"{_SITE}{number}",
    }
    if group := prediction.get("prediction_group_id"):
        # Predictions under one stem stand or fall together.
        stated["event"] = f"{NAME}-group-{group}"
    yield Facts(question, stated, line)
    for response in prediction.get("responses") or ():
        own = next(lines)
        with faulty() as fault:
            if (confidence := response.get("confidence")) is not None:
                yield StatedForecast(
                    line=own,
                    question=question,
                    forecaster=str(response.get("user_label") or required(response, "user_id")),
                    answer=percent(confidence, name="confidence"),
                    issued_at=instant(required(response, "created_at"), name="created_at"),
                    because=response.get("comment") or "",
                    stated=f"{confidence}%",
                )
        if fault.reason:
            yield Refused(own, f"response {response.get('id', '')}: {fault.reason}")
    outcome = prediction.get("outcome")
    if outcome is not None or prediction.get("withdrawn"):
        yield StatedOutcome(
            line=line,
            question=question,
            outcome="annulled" if prediction.get("withdrawn") else ("yes" if outcome else "no"),
            resolved_at=instant(
                prediction.get("last_judgement_at") or required(prediction, "updated_at"),
                name="updated_at",
            ),
            source=f"{_SITE}{number}",
            note="withdrawn by its author" if prediction.get("withdrawn") else "",
        )


FORMAT = Format(
    name=NAME,
    what="a PredictionBook JSON (my_predictions of its API)",
    looks_like=looks_like,
    read=read,
    lacks=lacks,
    rules={
        "brier": PlatformRule(
            score=brier_once,
            convention="0 to 1, smaller is better, each wager once",
            why="`forecast score` weighs by time, here each wager counts once, whenever made",
        )
    },
)
