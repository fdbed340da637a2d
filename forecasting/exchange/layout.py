"""The tidy layout as a JSON Schema, for whoever writes such tables by program."""

from typing import Any

from forecasting.domain.outcome import QUESTION_TYPES
from forecasting.exchange.cells import LIMITS
from forecasting.exchange.columns import COLUMNS, NUMBERS, NUMERIC, TIMES

_SAYS = {
    "question": "A short id, such as truce-2026.",
    "title": "The question in words.",
    "forecaster": "Who made the forecast; empty for a question that nobody has forecast.",
    "forecast": (
        "A probability (0.35, 35%, 1:3); a=0.2;b=0.8 for options; 5=1;50=2.5;95=4 for quantiles, "
        "levels in percent; a JSON object of either; "
        "withdrawn; empty for a question that nobody has forecast."
    ),
    "issued_at": "When the forecast was made; empty for a question that nobody has forecast.",
    "opens": "From when the question is open.",
    "closes": "Until when it is scheduled to be open.",
    "outcome": "yes, no, an option, a number, <lower or >upper, annulled; empty: not resolved.",
    "resolved_at": "When the outcome could be known.",
    "tags": "one;two",
    "type": "What kind of question it is.",
    "options": "low;mid;high in their order, or a JSON list.",
    "lower": "The lower bound of a number.",
    "upper": "The upper bound of a number.",
    "unit": "Of a number.",
    "zone": "Of days and of times without an offset.",
    "resolves_by": "When the outcome is due.",
    "topic": "What it is about.",
    "event": "Questions of one event stand or fall together, and are counted as one.",
    "criteria": "When it resolves to what.",
    "source": "Of the outcome.",
    "note": "On the outcome.",
    "because": "The reasons given for the forecast.",
    "kind": "live, backdated, imported or replay, as written by an export.",
    "background": "What is worth knowing.",
    "url": "Of the question, where it was asked.",
    "zero_point": "Of a logarithmic scale.",
    "open_bounds": "Which bounds a number may lie beyond.",
}


def schema() -> dict[str, Any]:
    """Give the JSON Schema of one row, every cell as the text that a table holds."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A forecast with what is known of its question",
        "type": "object",
        "properties": {name: _property(name) for name in COLUMNS},
        "required": ["question", "forecaster", "forecast", "issued_at"],
        "additionalProperties": False,
    }


def _property(name: str) -> dict[str, Any]:
    rule: dict[str, Any] = {"type": "string", "description": _SAYS[name]}
    if name in TIMES:
        return rule | {"format": "date-time"}
    if name in NUMBERS:
        return rule | {"pattern": r"^(-?[0-9]+([.][0-9]+)?)?$"}
    if name == "type":
        return rule | {"enum": ["", *QUESTION_TYPES]}
    if name == "open_bounds":
        return rule | {"enum": ["", "lower", "upper", "both"]}
    if name in LIMITS and name not in NUMERIC:
        rule["maxLength"] = LIMITS[name]
    return rule
