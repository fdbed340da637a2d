"""Columns of a table: the tidy names, the names that spreadsheets give them, and the user's own."""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from forecasting.domain.outcome import QUESTION_TYPES
from forecasting.domain.reading import Ambiguous, plainly, tidied
from forecasting.errors import InvalidInput

#: The order of an exported table; the first ten are the tidy layout.
COLUMNS = (
    *("question", "title", "forecaster", "forecast", "issued_at", "opens", "closes"),
    *("outcome", "resolved_at", "tags"),
    *("type", "options", "lower", "upper", "unit", "zone", "resolves_by"),
    *("topic", "event", "criteria", "source", "note", "because", "kind"),
    *("background", "url", "zero_point", "open_bounds"),
)
#: Those of moments and of bounds; beside these, cells that a spreadsheet runs nothing of.
TIMES = ("issued_at", "opens", "closes", "resolved_at", "resolves_by")
NUMBERS = ("lower", "upper", "zero_point")
NUMERIC = ("forecast", *TIMES, *NUMBERS, "type", "zone", "kind", "open_bounds")
#: How many characters a text may have.
LIMITS = {
    "question": 200,
    "title": 2000,
    "forecaster": 200,
    "because": 20_000,
    "source": 2000,
    "note": 20_000,
    "criteria": 20_000,
    "background": 50_000,
    "options": 20_000,
    "tags": 2000,
}
#: What spreadsheets and other platforms call them; without marks, in small letters.
USUAL: Mapping[str, str] = {
    usual: column
    for column, names in {
        "question": ("question id", "id", "slug", "questions", "question name"),
        "title": ("question title", "question text", "question in words"),
        "forecaster": ("user", "username", "who", "person", "analyst", "author", "predictor",
                       "forecaster name", "user name", "made by"),
        "forecast": ("probability", "prob", "p", "prediction", "estimate", "credence", "chance",
                     "confidence", "my probability", "my forecast", "p yes", "likelihood",
                     "predicted probability", "forecast value"),
        "issued_at": ("date", "when", "timestamp", "made", "made on", "made at", "forecast date",
                      "date of forecast", "forecast at", "date forecast", "forecast made",
                      "date made", "created", "created at", "predicted at", "prediction date",
                      "forecast time", "logged at", "submitted at", "issued", "issued on"),
        "opens": ("opened", "open date", "opened at", "start", "start date", "asked", "asked on",
                  "open time", "opens at", "opens on", "date asked", "open"),
        "closes": ("closed", "close", "close date", "closed at", "close time", "deadline", "end",
                   "end date", "closing date", "closes at", "closes on", "due", "due date"),
        "outcome": ("result", "resolution", "answer", "actual", "outcomes", "resolved to",
                    "resolved as", "what happened", "actual outcome"),
        "resolved_at": ("resolved on", "resolution date", "date resolved", "resolved date",
                        "resolve date", "resolution time", "resolve time", "outcome date",
                        "date of resolution", "resolved at", "known", "known at", "known on",
                        "date known", "outcome known", "outcome known at"),
        "tags": ("tag", "category", "categories", "labels", "label"),
        "type": ("question type", "kind of question"),
        "options": ("choices", "possible outcomes"),
        "lower": ("lower bound", "minimum", "min", "range min", "low"),
        "upper": ("upper bound", "maximum", "max", "range max", "high"),
        "unit": ("units",),
        "zone": ("time zone", "timezone", "tz"),
        "resolves_by": ("resolve by", "resolves by", "to be resolved by", "resolves", "resolves on",
                        "resolves at"),
        "topic": ("theme", "subject"),
        "url": ("question url", "question link"),
        "criteria": ("resolution criteria", "rules", "fine print"),
        "source": ("resolution source", "link"),
        "note": ("resolution note",),
        "because": ("reason", "reasons", "reasoning", "rationale", "comment", "comments", "why",
                    "explanation", "justification", "notes"),
    }.items()
    for usual in names
}  # fmt: skip
#: A heading that means the outcome in one file and its day in another: the cells tell.
EITHER = "resolved"
#: What a user calls a column that is not to be read.
IGNORE = "ignore"
_PERCENT = re.compile(r"\s*[(\[]?\s*(%|percent|per cent|pct)\s*[)\]]?$", re.IGNORECASE)
_DIGITS = re.compile("[0-9]")
#: Of a day: 1/2/26.
_FEWEST_DIGITS = 4
_MARKS = re.compile(r"[\s_./:?-]+")


@dataclass(slots=True)
class Columns:
    """The columns of one table in their order: the tidy name of each, empty for one not read.

    `own` gives, for a column that is called otherwise in the file, its name there; `percent` says
    that the heading of the forecasts is in percent.
    """

    names: list[str]
    own: dict[str, str] = field(default_factory=dict)
    percent: bool = False
    passed: list[str] = field(default_factory=list)


def recognised(
    heads: Sequence[str], mapping: Mapping[str, str], rows: Sequence[Sequence[str]] = ()
) -> Columns:
    """Tell which column is which, by its heading, else its cells; `mapping` is the user's own."""
    wanted = {_plain(head): target for head, target in mapping.items()}
    for head, target in mapping.items():
        if target not in (*COLUMNS, IGNORE):
            near = difflib.get_close_matches(target, COLUMNS, n=1)
            msg = f"map ({plainly(head)}={plainly(target)}): no such column"
            raise InvalidInput(msg, hint=near[0] if near else ", ".join(COLUMNS[:10]))
        if _plain(head) not in map(_plain, heads):
            msg = f"map ({plainly(head)}): no column of the file has this heading"
            raise InvalidInput(msg, hint=plainly(", ".join(filter(None, heads))))
    columns = Columns([""] * len(heads))
    exact = {tidied(head).casefold() for head in heads} - set(wanted)
    for place, head in enumerate(heads):
        plain = tidied(head).casefold()
        bare = _PERCENT.sub("", plain)
        target = wanted.get(_plain(head), "") or (plain if plain in COLUMNS else "")
        if target == IGNORE:
            columns.passed.append(tidied(head))
            continue
        if not target:
            guess = _MARKS.sub(" ", bare).strip()
            named = guess.replace(" ", "_")
            target = named if named in COLUMNS else USUAL.get(guess, "")
            if guess == EITHER:
                cells = [row[place] for row in rows if place < len(row)]
                target = _either(head, cells, settled="outcome" in _targets(heads, mapping))
            if target in exact or target in wanted.values():
                target = ""
        if not target:
            if plain and (near := difflib.get_close_matches(plain, COLUMNS, n=1, cutoff=0.85)):
                msg = f"column ({plainly(plain)}): is not a known column"
                raise InvalidInput(msg, hint=near[0])
            columns.passed += [tidied(head)] if plain else []
            continue
        if target in columns.names:
            other = tidied(heads[columns.names.index(target)])
            if plain == other.casefold():
                raise InvalidInput(f"column ({plainly(plain)}): appears twice", hint="one of them")
            msg = f"columns ({plainly(other)} and {plainly(tidied(head))}): may both be {target}"
            which = [f'map="{plainly(one)}={target}"' for one in (other, tidied(head))]
            hint = f'{" or ".join(which)}, or map="{plainly(tidied(head))}={IGNORE}"'
            raise Ambiguous(msg, hint=hint)
        columns.names[place] = target
        columns.percent |= target == "forecast" and bare != plain
        if plain != target:
            columns.own[target] = tidied(head)
    if "closes" not in columns.names and (head := columns.own.pop("resolves_by", "")):
        columns.names[columns.names.index("resolves_by")] = "closes"
        columns.own["closes"] = head
    return columns


def _targets(heads: Sequence[str], mapping: Mapping[str, str]) -> set[str]:
    """Give the tidy names of the headings that have one meaning."""
    plain = {_MARKS.sub(" ", tidied(head).casefold()).strip() for head in heads}
    return {USUAL.get(each, each.replace(" ", "_")) for each in plain} | set(mapping.values())


def _either(head: str, cells: Sequence[str], *, settled: bool) -> str:
    """Tell whether a column holds days or outcomes; beside outcomes, days or nothing."""
    filled = [cell for cell in cells if cell.strip()]
    days = sum(len(_DIGITS.findall(cell)) >= _FEWEST_DIGITS for cell in filled)
    if settled:
        return "resolved_at" if days == len(filled) else ""
    if not filled:
        return ""
    shown = plainly(tidied(head))
    msg = f"column ({shown}): may be the outcome, or the day on which it was known"
    wanted = "resolved_at" if days == len(filled) else "outcome"
    raise Ambiguous(msg, hint=f'map="{shown}={wanted}" or map="{shown}={IGNORE}"')


def _plain(head: str) -> str:
    return tidied(head).casefold()


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
