"""Read a file of news: CSV, JSON lines, RSS or Atom, recognised by content.

Nothing is fetched and no XML entity is expanded. A row that cannot be read is a fault with its
line, beside the rows that can.
"""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import unescape
from itertools import islice
from typing import Any
from xml.etree.ElementTree import Element  # the type alone; defusedxml does the reading

from forecasting.domain.reading import Manner, moment
from forecasting.errors import InvalidInput

MOST_BYTES = 10_000_000
MOST_ROWS = 100_000
#: Lines of a table or tags of a feed, blank and empty ones too.
MOST_PIECES = 500_000
MOST_IN_A_LINE = 1_000_000
MOST_LEVELS = 100
MOST_OF_A_SUMMARY = 20_000
COLUMNS = (
    *("title", "source", "known_at", "event_at", "url", "on", "grade", "story", "because"),
    "half_life",
)
#: What tables of news call them.
USUAL = {
    **dict.fromkeys(("date", "published", "published at", "published_at", "time"), "known_at"),
    **dict.fromkeys(("link", "address", "href"), "url"),
    **dict.fromkeys(("headline", "news"), "title"),
    **dict.fromkeys(("publisher", "outlet"), "source"),
    **dict.fromkeys(("reason", "note", "summary"), "because"),
}
_NEEDED = ("title", "source", "known_at")
# Not up to the next >, which takes the square of the length for a text of opening brackets.
_TAG = re.compile(r"<[^<>]*>")
_ABOUT = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")


@dataclass(frozen=True, slots=True)
class Row:
    """One row as read: its line and fields, or why it cannot be read."""

    line: int
    fields: Mapping[str, str] = field(default_factory=dict)
    fault: str = ""
    feed: bool = False
    guid: str = ""


def is_address(name: str) -> bool:
    """Say whether what was given for a file is an address of something elsewhere."""
    return "://" in name


def read(content: bytes, *, name: str, source: str = "", manner: Manner | None = None) -> list[Row]:
    """Read the rows of a file; `source` says so, where neither a row nor the feed's title does."""
    if len(content) > MOST_BYTES:
        msg = f"file ({name}): {len(content):,} bytes; at most {MOST_BYTES:,}"
        raise InvalidInput(msg, hint="split the file")
    if max(content.count(each) for each in (b"\n", b"\r", b"<")) > MOST_PIECES:
        msg = f"file ({name}): more than {MOST_PIECES:,} lines or tags"
        raise InvalidInput(msg, hint="split the file")
    if _looks_like_xml(content):
        rows = list(_feed(content, name, source, manner or Manner()))
    else:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as broken:
            msg = f"file ({name}): is not UTF-8 text (byte {broken.start})"
            raise InvalidInput(msg, hint="save it as UTF-8") from broken
        if not text.strip():
            msg = f"file ({name}): is empty"
            raise InvalidInput(msg, hint=f"a first line of columns: {','.join(_NEEDED)}")
        opening = "".join(text[:2000].split())[:2]
        if opening in {"[{", "[]"}:
            msg = f"file ({name}): is a JSON list; must be one object a line"
            raise InvalidInput(msg, hint=f"jq -c '.[]' {name}")
        as_json = opening[:1] == "{"
        stream = _json_lines(text, source) if as_json else _csv(text, name, source)
        rows = list(islice(stream, MOST_ROWS + 1))
    if len(rows) > MOST_ROWS:
        raise InvalidInput(f"file ({name}): more than {MOST_ROWS:,} rows", hint="split the file")
    return rows


def _looks_like_xml(content: bytes) -> bool:
    if content[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        # UTF-16, which XML may be written in: one of two bytes is the sign.
        return b"<" in content[2:4]
    return content.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<"


def _csv(text: str, name: str, source: str) -> Iterator[Row]:
    lines = io.StringIO(text, newline="")
    long: list[int] = []

    def short() -> Iterator[str]:
        for number, line in enumerate(lines, start=1):
            if len(line) > MOST_IN_A_LINE:
                long.append(number)
                yield "\n"
            else:
                yield line

    reader = csv.reader(short(), strict=True)
    try:
        header = [_column(cell) for cell in next(reader, [])]
    except csv.Error as broken:
        msg = f"file ({name}): its first line does not name the columns ({broken})"
        raise InvalidInput(msg, hint=",".join(COLUMNS)) from broken
    if not set(header) & set(COLUMNS):
        msg = f"file ({name}): is no feed, no JSON lines and no table of these columns and commas"
        raise InvalidInput(msg, hint=",".join(COLUMNS[:5]))
    unknown = [cell for cell in header if cell not in COLUMNS]
    absent = [cell for cell in _NEEDED if cell not in header and not (cell == "source" and source)]
    if unknown or absent or len(set(header)) != len(header):
        wrong = f"unknown {', '.join(unknown)}" if unknown else f"no {', '.join(absent)}"
        if not unknown and not absent:
            wrong = "one twice"
        msg = f"file ({name}): columns: {_CONTROL.sub(' ', wrong)[:200]}"
        raise InvalidInput(msg, hint=",".join(COLUMNS))
    while True:
        first = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as broken:
            ended = str(broken) == "unexpected end of data"
            fault = (
                "a quotation mark opens here and never closes" if ended else f"not CSV: {broken}"
            )
            yield Row(first, fault=fault)
            continue
        while long and long[0] <= reader.line_num:
            yield Row(long.pop(0), fault=f"line: more than {MOST_IN_A_LINE:,} characters")
        if cells is None:
            return
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            yield Row(first, fault=f"{len(cells)} cells where the columns are {len(header)}")
            continue
        yield Row(first, _with_source(dict(zip(header, cells, strict=True)), source))


def _json_lines(text: str, source: str) -> Iterator[Row]:
    # Only the line feed ends a line: JSON text may hold the other separators of Unicode as is.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        if len(line) > MOST_IN_A_LINE:
            yield Row(number, fault=f"line: more than {MOST_IN_A_LINE:,} characters")
            continue
        try:
            yield Row(number, _with_source(_json_fields(line), source))
        except InvalidInput as wrong:
            yield Row(number, fault=str(wrong))


def _json_fields(line: str) -> dict[str, str]:
    try:
        entry = json.loads(line, object_pairs_hook=_once_each)
    except InvalidInput:
        raise
    except (ValueError, RecursionError):
        entry = None
    if not isinstance(entry, dict):
        raise InvalidInput("line: is not a JSON object; write one object a line")
    named = [_column(str(key)) for key in entry]
    if len(set(named)) == len(named):
        entry = dict(zip(named, entry.values(), strict=True))
    if unknown := [str(key) for key in entry if key not in COLUMNS]:
        shown = _CONTROL.sub(" ", unknown[0])[:60]
        raise InvalidInput(f"key ({shown}): must be one of {', '.join(COLUMNS)}")
    return {key: _json_text(key, value) for key, value in entry.items()}


def _column(cell: str) -> str:
    plain = cell.strip().casefold()
    return plain if plain in COLUMNS else USUAL.get(plain, plain)


def without_tags(text: str) -> str:
    """Give what a person reads of a text of a web page: without its tags, in one line."""
    return " ".join(_unescaped(_TAG.sub(" ", text)).split())


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        # Python keeps the last; other readers keep the first.
        names = [name for name, _ in pairs]
        doubled = next(name for name in names if names.count(name) > 1)
        raise InvalidInput(f"key ({_CONTROL.sub(' ', doubled)[:60]}): appears twice")
    return fields


def _json_text(key: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if key == "on" and isinstance(value, list) and all(isinstance(part, str) for part in value):
        return ";".join(value)
    msg = f"{key}: must be text"
    raise InvalidInput(msg, hint='"on": "QUESTION=x2; OTHER=+1"' if key == "on" else "")


def _feed(content: bytes, name: str, source: str, manner: Manner) -> Iterator[Row]:
    from xml.etree.ElementTree import ParseError

    from defusedxml import DefusedXmlException  # type: ignore[import-untyped]

    try:
        root = _tree(content, name)
    except DefusedXmlException as forbidden:
        msg = f"file ({name}): declares entities or refers to other files, which is refused"
        raise InvalidInput(msg, hint="a plain RSS or Atom file") from forbidden
    except InvalidInput:
        raise
    except (ParseError, ValueError, LookupError, RecursionError) as broken:
        msg = f"file ({name}): is not well-formed XML ({broken})"
        raise InvalidInput(msg, hint="an RSS or Atom file, CSV or JSON lines") from broken
    entries = [node for node in root.iter() if _local(node) in {"item", "entry"}][: MOST_ROWS + 1]
    if not entries and _local(root) not in {"rss", "feed", "rdf"}:
        msg = f"file ({name}): is XML, but not an RSS or Atom feed"
        raise InvalidInput(msg, hint="an RSS or Atom file, CSV or JSON lines")
    channel = next((node for node in root.iter() if _local(node) in {"channel", "feed"}), root)
    publisher = source or _text(channel, "title")
    for number, node in enumerate(entries, start=1):
        when = _text(node, "pubdate") or _text(node, "published")
        when = when or _text(node, "date") or _text(node, "updated")
        try:
            known = moment(when, name="known_at", days="ends", mail=True, manner=manner)
        except InvalidInput as wrong:
            # An item without any time at all is refused by who needs one.
            if when:
                yield Row(number, fault=str(wrong), feed=True)
                continue
            known = None
        fields = {
            "title": _text(node, "title"),
            "source": publisher,
            "known_at": known.isoformat() if known else "",
            "url": _link(node),
        }
        if summary := _markup(node):
            fields["because"] = summary
        guid = _text(node, "guid") or _text(node, "id") or node.get(_ABOUT, "")
        yield Row(number, fields, feed=True, guid=guid)


def _tree(content: bytes, name: str) -> Element:
    from defusedxml.ElementTree import iterparse  # type: ignore[import-untyped]

    depth = 0
    parsed = iterparse(io.BytesIO(content), events=("start", "end"))
    for event, _ in parsed:
        depth += 1 if event == "start" else -1
        if depth > MOST_LEVELS:
            msg = f"file ({name}): elements are nested more than {MOST_LEVELS} deep"
            raise InvalidInput(msg, hint="an RSS or Atom file")
    root: Element = parsed.root
    return root


def _local(node: Element) -> str:
    return str(node.tag).rpartition("}")[2].casefold()


def _text(node: Element, name: str) -> str:
    for child in node:
        if _local(child) == name:
            plain = _unescaped(_TAG.sub(" ", _unescaped("".join(child.itertext()))))
            return " ".join(_CONTROL.sub(" ", plain).split())
    return ""


def _unescaped(text: str) -> str:
    try:
        return unescape(text)
    except ValueError:
        # A character reference of more digits than Python reads as a number stays as it is.
        return text


def _markup(node: Element) -> str:
    """Give the summary of an entry as it was sent, tags and all, cut to what a note may hold."""
    for name in ("description", "summary"):
        for child in node:
            if _local(child) == name and (summary := "".join(child.itertext()).strip()):
                return summary[:MOST_OF_A_SUMMARY]
    return ""


def _link(node: Element) -> str:
    links = [child for child in node if _local(child) == "link"]
    for child in sorted(links, key=lambda link: link.get("rel", "alternate") != "alternate"):
        if place := (child.get("href") or "".join(child.itertext())).strip():
            return place
    return ""


def _with_source(fields: dict[str, str], source: str) -> dict[str, str]:
    if source and not fields.get("source", "").strip():
        return {**fields, "source": source}
    return fields
