"""Our own stream of records, one JSON object a line: question, forecast, resolution, news."""

from collections.abc import Iterator, Mapping
from typing import Any

from forecasting.domain.reading import (
    Ambiguous,
    Damaged,
    of_file,
    plainly,
    probability,
    question_id,
)
from forecasting.errors import InvalidInput
from forecasting.exchange.cells import OF_QUESTION, Cell, Reading, facts, pairs, text
from forecasting.exchange.format import Format
from forecasting.exchange.formats.csv import person
from forecasting.exchange.json_line import NotStrict, Number, parse
from forecasting.exchange.record import (
    WITHDRAWN,
    News,
    Record,
    Refused,
    StatedForecast,
    StatedOutcome,
)
from forecasting.exchange.source import Head, Source
from forecasting.exchange.text_file import MOST_ROWS, stop, text_lines

#: Which keys each kind of record may have, the needed ones first.
KEYS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "question": (("question",), OF_QUESTION),
    "forecast": (("question", "forecast", "issued_at"), ("forecaster", "because")),
    "withdrawal": (("question", "withdrawn_at"), ("forecaster",)),
    "resolution": (
        ("question", "outcome", "resolved_at"),
        ("source", "note", "certainty", "version", "status"),
    ),
    "news": (
        ("title", "source", "known_at"),
        ("event_at", "url", "on", "grade", "story", "because"),
    ),
}
STATUSES = ("", "disputed", "reopened")
CERTAINTIES = ("", "high", "medium", "low", "computed", "unconfirmed")


def records(content: bytes, *, name: str, lexical: bool = True) -> Iterator[tuple[int, Any]]:
    """Give each line that is not blank, read strictly, with its number."""
    number = 0
    for number, line in enumerate(text_lines(content, name), start=1):
        if not line.strip():
            continue
        try:
            record = parse(line, lexical=lexical)
        except NotStrict as broken:
            hint = f"forecast import csv {name}" if number == 1 and "," in line else ""
            raise stop(name, number, f"line: {plainly(str(broken))}", hint) from broken
        if isinstance(record, list) and number == 1:
            raise stop(name, 1, "line: is a list; write one object a line", f"jq -c '.[]' {name}")
        if not isinstance(record, dict):
            raise stop(name, number, "line: is not an object; write one object a line")
        yield number, record
    if not number:
        raise stop(name, 1, "file: is empty", "one JSON object a line")


def looks_like(head: Head) -> bool:
    """Recognise records that say their kind, an object a line."""
    first = head.start.removeprefix(b"\xef\xbb\xbf").lstrip().partition(b"\n")[0]
    return first.startswith(b"{") and "kind" in head.keys and bool(
        {"question", "ledger", "entries", "title"} & head.keys
    )  # fmt: skip


def read(source: Source, reading: Reading) -> Iterator[Record]:
    """Give what each record states."""
    commas = reading.manner.decimal == "comma"
    for count, (line, record) in enumerate(records(source.content, name=source.name)):
        if count >= MOST_ROWS:
            raise stop(source.name, line, f"file: more than {MOST_ROWS:,} records", "split it")
        try:
            yield _record_of(_with_commas(record) if commas else record, line, reading)
        except (Ambiguous, Damaged) as damaged:
            raise of_file(damaged, f"{source.name}:{line}") from damaged
        except InvalidInput as wrong:
            yield Refused(line, str(wrong))


def _record_of(record: dict[str, Any], line: int, reading: Reading) -> Record:
    kind = record.pop("kind", None)
    if not isinstance(kind, str) or kind not in KEYS:
        raise InvalidInput(f"kind ({plainly(str(kind))}): must be one of {', '.join(KEYS)}")
    needed, more = KEYS[kind]
    filled = {key: value for key, value in record.items() if value is not None}
    if unknown := [key for key in filled if key not in needed and key not in more]:
        msg = f"key ({plainly(unknown[0])}): must be one of {', '.join((*needed, *more))}"
        raise InvalidInput(msg)
    if absent := [key for key in needed if filled.get(key, "") == ""]:
        raise InvalidInput(f"{absent[0]}: must be given")
    if kind == "question":
        cells = {key: _cell(key, value) for key, value in filled.items()}
        return facts(cells, reading, own_line=line)
    if kind == "resolution":
        return _settled(filled, line, reading)
    if kind == "news":
        return News(line, {key: _news(key, value) for key, value in filled.items()})
    return _answer(filled, line, reading)


def _with_commas(value: Any) -> Any:
    """Write the numbers of JSON, whose mark is the point, in the mark of the file's texts."""
    if isinstance(value, Number):
        return value.replace(".", ",")
    if isinstance(value, dict):
        return {key: _with_commas(item) for key, item in value.items()}
    return [_with_commas(item) for item in value] if isinstance(value, list) else value


def _cell(key: str, value: Any) -> Cell:
    if isinstance(value, list) and all(type(part) is str for part in value):
        return tuple(value)
    return _text(value, key)


def _text(value: Any, key: str) -> str:
    if not isinstance(value, str):
        msg = f"{key}: must be a text" if key != "options" else "options: must be a list of texts"
        raise InvalidInput(msg)
    return str(value).strip()


def _news(key: str, value: Any) -> str:
    if key == "on" and isinstance(value, list) and all(type(part) is str for part in value):
        return ";".join(value)
    return _text(value, key)


def _settled(filled: Mapping[str, Any], line: int, reading: Reading) -> StatedOutcome:
    plain = {key: _text(value, key) for key, value in filled.items()}
    version, status = plain.get("version", "1"), plain.get("status", "")
    if not (version.isascii() and version.isdigit() and len(version) < 5 and int(version)):
        raise InvalidInput(f"version ({plainly(version)}): must be a whole number from 1")
    for name, value, allowed in (
        ("status", status, STATUSES),
        ("certainty", plain.get("certainty", ""), CERTAINTIES),
    ):
        if value not in allowed:
            msg = f"{name} ({plainly(value)}): must be one of {', '.join(allowed[1:])}"
            raise InvalidInput(msg)
    return StatedOutcome(
        line=line,
        question=question_id(text(plain["question"], name="question")),
        outcome=text(plain["outcome"], name="outcome"),
        resolved_at=reading.time(plain["resolved_at"], name="resolved_at", days="ends"),
        source=text(plain.get("source", ""), name="source"),
        note=text(plain.get("note", ""), name="note", one_line=False),
        certainty=plain.get("certainty", ""),
        version=int(version),
        status=status,
    )


def _answer(filled: Mapping[str, Any], line: int, reading: Reading) -> StatedForecast:
    when = "withdrawn_at" if "withdrawn_at" in filled else "issued_at"
    forecast = filled.get("forecast", WITHDRAWN)
    answer = pairs(forecast) if isinstance(forecast, dict) else _text(forecast, "forecast")
    typed = ""
    if isinstance(answer, str) and when == "issued_at":
        answer, typed = probability(answer, manner=reading.manner)
    because = filled.get("because", "")
    return StatedForecast(
        line=line,
        question=question_id(text(_text(filled["question"], "question"), name="question")),
        forecaster=person(_text(filled.get("forecaster", ""), "forecaster"), reading),
        answer=answer,
        issued_at=reading.time(_text(filled[when], when), name=when, days="noon"),
        because=text(str(because), name="because", one_line=False),
        stated=typed,
    )


FORMAT = Format(
    name="jsonl", what="JSON lines of this tool", looks_like=looks_like, read=read, own=True
)
