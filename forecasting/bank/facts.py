"""Turn the bank's tables into dated evidence: one item per fact, each with its own `known_at`.

Targets name what a fact belongs to: ``truces/<id>``, ``exchanges/<day>``, ``packages/<id>``,
``exchange-totals/<day>``, ``agreements/<id>``, ``<class>/<n>``; and each question that a row bears
on gets a ``bears`` effect, so that the item shows on its path.
"""

import csv
import datetime as dt
import io
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from forecasting.domain.evidence import Effect, Evidence, parse_effect
from forecasting.domain.instants import day_ends, iso, parse_day, parse_when
from forecasting.domain.prior import ClassPrior, PriorSpec, ReferenceClass
from forecasting.errors import InvalidInput, Problem
from forecasting.files import read_plain

MAX_BYTES = 10_000_000
# float() would also take 1_0, digits of other scripts, infinity and nan.
_NUMBER = re.compile(r"[+-]?([0-9]{1,15}(\.[0-9]{0,30})?|\.[0-9]{1,30})([eE][+-]?[0-9]{1,2})?")

CERTAINTIES = ("high", "medium", "low", "computed", "unconfirmed")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table: its cells by column, its place, and typed ways to read a cell."""

    cells: Mapping[str, str]
    source: str
    line: int
    zone: str = "UTC"

    def __getitem__(self, column: str) -> str:
        """Give a cell, stripped; a column that the table lacks is bad input."""
        if column not in self.cells:
            raise InvalidInput(f"column ({column}): missing", where=f"{self.source}:{self.line}")
        return (self.cells[column] or "").strip()

    def moment(self, column: str) -> dt.datetime | None:
        """Read a cell as a moment; a day is known at the midnight that ends it; empty is None."""
        text = self[column]
        return parse_when(text, zone_name=self.zone, day_means="ends") if text else None

    def beginning(self, column: str) -> dt.datetime | None:
        """Read a cell as a moment; a day means the midnight that begins it; empty is None."""
        text = self[column]
        return parse_when(text, zone_name=self.zone, day_means="begins") if text else None

    def ends(self, column: str = "date") -> dt.datetime:
        """Read a cell as a day, and give the midnight that ends it."""
        return day_ends(parse_day(self[column]), self.zone)

    def number(self, column: str) -> float | None:
        """Read a cell as a number, empty or ``>200`` style bounds as None."""
        text = self[column]
        if not text or text.startswith((">", "<", "~")):
            return None
        return decimal(column, text)

    def words(self, column: str) -> tuple[str, ...]:
        """Read a cell as words separated by spaces."""
        return tuple(self[column].split())


def decimal(name: str, text: str) -> float:
    """Read a decimal number as it is commonly written; anything else is bad input."""
    if not _NUMBER.fullmatch(text):
        raise InvalidInput(f"{name} ({text[:60]}): must be a number")
    return float(text)


@dataclass
class TableReader:
    """Reads tables of one folder, their days in its zone, and collects their faults."""

    root: Path
    zone: str = "UTC"
    problems: list[Problem] = field(default_factory=list)

    def rows(self, name: str) -> Iterator[Row]:
        """Give each row of a table that has a source and a certainty; an absent table is empty."""
        path = self.root / name
        if not path.parent.exists():
            return
        source = str(Path("questions") / name)
        try:
            text = read_plain(path, most=MAX_BYTES).decode("utf-8-sig")
            reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
            header = list(reader.fieldnames or ())
            if "source" not in header or len(set(header)) != len(header):
                message = "needs a column of sources, and each column once"
                self.problems.append(Problem(source, 1, "columns", message))
                return
            for cells in reader:
                row = Row(cells, source, reader.line_num, self.zone)
                if None in cells or None in cells.values():
                    self._report(row, "columns", "has more or fewer cells than the header")
                elif not row["source"] or cells.get("certainty", "high") not in CERTAINTIES:
                    self._report(row, "source", "needs a source and a known certainty")
                else:
                    yield row
        except OSError as unreadable:
            message = f"cannot be read ({unreadable.strerror})"
            self.problems.append(Problem(source, 0, "readable", message))
        except (UnicodeDecodeError, csv.Error) as unreadable:
            self.problems.append(Problem(source, 0, "readable", f"cannot be read: {unreadable}"))

    def each[Value](self, name: str, build: Callable[[Row], Value]) -> list[Value]:
        """Build a value from each row; a row that cannot be built is a fault, not an end."""
        built = []
        for row in self.rows(name):
            try:
                built.append(build(row))
            except InvalidInput as fault:
                self._report(row, "value", fault.message, fault.hint)
        return built

    def _report(self, row: Row, rule: str, message: str, hint: str = "") -> None:
        self.problems.append(Problem(row.source, row.line, rule, message, hint))


def read_evidence(reader: TableReader) -> list[Evidence]:
    """Read the reference tables and the event streams as evidence, oldest known first."""
    tables: tuple[tuple[str, Callable[[Row], list[Evidence]]], ...] = (
        ("reference/truces.csv", _truce),
        ("reference/packages.csv", _package),
        ("reference/exchange_totals.csv", _total),
        ("reference/agreements.csv", _agreement),
        ("reference/occurrences.csv", _occurrence),
        ("events/exchanges.csv", _exchange),
        ("events/negotiations.csv", _negotiation),
    )
    codes = dict(reader.each("events/codes.csv", _code))
    items = [item for name, build in tables for rows in reader.each(name, build) for item in rows]
    items = [_with_codes(item, codes) for item in items]
    return sorted(items, key=lambda item: (item.known_at, item.key))


def read_classes(reader: TableReader) -> dict[str, ReferenceClass]:
    """Read the reference classes by name."""
    return {reference.id: reference for reference in reader.each("reference/classes.csv", _class)}


def read_priors(reader: TableReader) -> list[ClassPrior]:
    """Read the priors as stated."""
    return reader.each("reference/priors.csv", _prior)


def _required(moment: dt.datetime | None, row: Row, column: str) -> dt.datetime:
    if moment is None:
        raise InvalidInput(f"{column}: must not be empty", where=f"{row.source}:{row.line}")
    return moment


def _known_at(row: Row) -> dt.datetime:
    return row.moment("known") or row.ends()


def _class(row: Row) -> ReferenceClass:
    return ReferenceClass(
        id=row["class"],
        family=row["family"],
        kind=row["kind"],
        title=row["title"],
        observed_from=_required(row.beginning("observed_from"), row, "observed_from"),
        observed_until=_required(row.moment("observed_until"), row, "observed_until"),
        source=row["source"],
        certainty=row["certainty"],
        note=row["note"],
    )


def _prior(row: Row) -> ClassPrior:
    values = tuple(decimal("arguments", part) for part in row.words("arguments"))
    known_by = parse_day(row["known_by"])
    spec = PriorSpec(row["parameter"], row["distribution"], values, row["source"], known_by)
    return ClassPrior(row["reference"], spec)


def _item(
    row: Row,
    key: str,
    stream: str,
    title: str,
    known_at: dt.datetime,
    effects: tuple[Effect, ...],
    event_at: dt.datetime | None = None,
) -> Evidence:
    is_datum = any(effect.form == "datum" for effect in effects)
    return Evidence(
        key=key,
        kind="datum" if is_datum else "report",
        title=title,
        source=outlet(row["source"].split(" | ")[0]),
        known_at=known_at,
        effects=effects,
        event_at=event_at,
        url=row["source"],
        certainty=row["certainty"],
        grade=row["grade"] if "grade" in row.cells else "B",
        story=row["story"] if "story" in row.cells else "",
        stream=stream,
    )


def _bearing(row: Row) -> tuple[Effect, ...]:
    return tuple(Effect(question, "bears", {}) for question in row.words("questions"))


def _datum(target: str, name: str, **detail: str | float) -> Effect:
    return Effect(target, "datum", {"name": name, **detail})


def _code(row: Row) -> tuple[tuple[str, str], str]:
    if row["effect"]:
        parse_effect(row["question"], row["effect"])
    return (row["item"], row["question"]), row["effect"]


def _with_codes(item: Evidence, codes: Mapping[tuple[str, str], str]) -> Evidence:
    """Put the effect that the coders agreed on in the place of "bears on"."""
    effects = tuple(
        parse_effect(effect.target, code)
        if effect.form == "bears" and (code := codes.get((item.key, effect.target)))
        else effect
        for effect in item.effects
    )
    return replace(item, effects=effects) if effects != item.effects else item


def outlet(address: str) -> str:
    """Name who says it: the site of an address, so that its items share one reliability."""
    host = urlsplit(address).hostname or address
    return host.removeprefix("www.")


def _truce(row: Row) -> list[Evidence]:
    if row["class"] == "never-started":
        return []
    truce, key = f"truces/{row['id']}", f"truce-{row['id']}"
    bears = _bearing(row)
    start = _required(row.beginning("start"), row, "start")
    term = row.moment("term")
    started: dict[str, str | float] = {
        "at": iso(start),
        "class": row["class"],
        "monitored": 1.0 if row["monitored"] in {"yes", "1"} else 0.0,
    }
    if term is not None:
        started["term"] = iso(term)
    facts = [
        (
            "start",
            _required(row.moment("start_known"), row, "start_known"),
            _datum(truce, "started", **started),
            f"{row['name']}: agreed or announced",
        )
    ]
    for column, name, title in (
        ("claim", "first_claim", "first claimed violation"),
        ("formal", "formal_end", f"formal end ({row['formal'] or 'unknown'})"),
        ("eroded", "eroded", "eroded"),
    ):
        by, after = row.moment(f"{column}_by"), row.beginning(f"{column}_after")
        if by is None and after is None:
            continue
        if (after or start) < start or (by is not None and by < (after or start)):
            msg = f"{column}: the interval (after, by] must rise and begin at or after the start"
            raise InvalidInput(msg)
        # An interval without an end is right-censored: known not to have happened by `after`.
        detail = {"after": iso(after or start)} | ({"by": iso(by)} if by else {})
        if by is None:
            title = f"no {title} yet"
        if column == "formal":
            detail["how"] = row["formal"]
        known_at = row.moment(f"{column}_known") or by or after or start
        facts.append((column, known_at, _datum(truce, name, **detail), f"{row['name']}: {title}"))
    if row["extended"]:
        extended = _datum(truce, "extended", value=row["extended"])
        title = "extended" if row["extended"] == "yes" else "not extended"
        known_at = _required(row.moment("extended_known"), row, "extended_known")
        facts.append(("extended", known_at, extended, f"{row['name']}: {title}"))
    return [
        _item(
            row,
            f"{key}-{fact}",
            "truces",
            title,
            known_at,
            (effect, *bears),
            min(start, known_at) if fact == "start" else None,
        )
        for fact, known_at, effect, title in facts
    ]


def _package(row: Row) -> list[Evidence]:
    agreed = _required(row.beginning("agreed"), row, "agreed")
    effect = _datum(
        f"packages/{row['id']}",
        "agreed",
        at=iso(agreed),
        size=row.number("size") or 0.0,
        usable=row["usable"],
    )
    known = _required(row.moment("agreed_known"), row, "agreed_known")
    title = f"{row['name']}: agreed"
    effects = (effect, *_bearing(row))
    return [_item(row, f"package-{row['id']}", "packages", title, known, effects, agreed)]


def _total(row: Row) -> list[Evidence]:
    detail = {
        name: number
        for name in ("exchanges", "returned")
        if (number := row.number(name)) is not None
    }
    day = parse_day(row["date"])
    effect = _datum(f"exchange-totals/{day}", "total", at=iso(row.ends()), **detail)
    title = f"Running count of exchanges on {day}"
    return [_item(row, f"exchange-total-{day}", "totals", title, _known_at(row), (effect,))]


def _agreement(row: Row) -> list[Evidence]:
    target, key = f"agreements/{row['id']}", f"agreement-{row['id']}"
    signed = row.ends("signed")
    start = _datum(
        target,
        "signed",
        at=iso(signed),
        type=row["type"],
        ceasefire=1.0 if row["ceasefire"] in {"yes", "1"} else 0.0,
    )
    items = [_item(row, f"{key}-signed", "agreements", row["name"], signed, (start,))]
    if row["ended"] in {"yes", "True"}:
        end = row.ends("end")
        ended = _datum(target, "ended", at=iso(end))
        items.append(
            _item(row, f"{key}-ended", "agreements", f"{row['name']}: ended", end, (ended,))
        )
    return items


def _occurrence(row: Row) -> list[Evidence]:
    day = parse_day(row["date"])
    detail: dict[str, str | float] = {"at": iso(row.ends())}
    if row["value"]:
        detail["value"] = row["value"]
    effect = _datum(f"{row['class']}/{day}", "occurred", **detail)
    key = f"{row['class']}-{day}"
    return [_item(row, key, "occurrences", row["title"], _known_at(row), (effect,), row.ends())]


def _exchange(row: Row) -> list[Evidence]:
    day = parse_day(row["date"])
    sides = [
        number for name in row.cells if name.startswith("to_") and (number := row.number(name))
    ]
    detail: dict[str, str | float] = {"at": iso(row.ends())}
    if sides:
        detail["moved"] = min(sides)
    effects = [_datum(f"exchanges/{day}", "swap", **detail)]
    if row["agreement"]:
        package, at = f"packages/{row['agreement']}", iso(row.ends())
        if sides:
            effects.append(_datum(package, "delivered", at=at, value=min(sides)))
        else:
            effects.append(_datum(package, "begun", at=at))
    effects.extend(_bearing(row))
    key = f"exchange-{day}"
    return [_item(row, key, "exchanges", row["title"], _known_at(row), tuple(effects), row.ends())]


def _negotiation(row: Row) -> list[Evidence]:
    day = parse_day(row["date"])
    effects = list(_bearing(row))
    for word in row.words("occurrences"):
        reference, _, value = word.partition("=")
        detail: dict[str, str | float] = {"at": iso(row.ends())}
        if value:
            detail["value"] = value
        effects.append(_datum(f"{reference}/{day}", "occurred", **detail))
    return [
        _item(
            row, row["id"], "negotiations", row["title"], _known_at(row), tuple(effects), row.ends()
        )
    ]
