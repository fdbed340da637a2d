"""A file that somebody else made, opened with care: its first bytes, its members, rows, items.

Nothing is read before its size is known, nothing is unpacked to disk, and nothing beyond a limit is
unpacked at all: a folder, a pipe, a sparse giant, an archive that grows a thousandfold and one
whose names climb out of it are refused in one line.
"""

import csv
import io
import json
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from forecasting.domain.reading import plainly
from forecasting.errors import InvalidInput
from forecasting.exchange.json_line import NotStrict, parse
from forecasting.exchange.rows import Line
from forecasting.exchange.text_file import MOST_BYTES, STARTS, csv_rows, stop, text_lines
from forecasting.files import read_plain, unreadable

#: How much of a file a format looks at to recognise it.
START = 65_536
MOST_MEMBERS = 1000
#: How many members of an archive a format looks into to recognise it.
MOST_LOOKED_AT = 20
#: What an archive may hold unpacked, and by how much a member may grow.
MOST_UNPACKED = 1_000_000_000
MOST_GROWTH = 400
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")


@dataclass(frozen=True, slots=True)
class Head:
    """What can be told of a file without reading it, each empty where it does not apply.

    `columns` are the cells of a table's first line, `keys` those in the first 64 KB of JSON (which
    `start` holds), `members` the names in an archive, and `parts` the heads of its first members.
    """

    columns: tuple[str, ...] = ()
    keys: frozenset[str] = frozenset()
    members: tuple[str, ...] = ()
    start: bytes = b""
    parts: tuple["Head", ...] = ()

    def has(self, *columns: str) -> bool:
        """Whether a table has all of these columns, in any case."""
        mine = {column.strip().casefold() for column in self.columns}
        return bool(mine) and {column.casefold() for column in columns} <= mine


class Row(dict[str, str]):
    """The cells of a row by the names of their columns, which are found in any case."""

    def __missing__(self, name: str) -> str:
        """Find a column whose name differs in case only."""
        for column, cell in self.items():
            if column.casefold() == name.casefold():
                return cell
        raise KeyError(name)

    def get(self, name: str, default: Any = None) -> Any:
        """Give the cell of a column, or the default."""
        try:
            return self[name]
        except KeyError:
            return default


@dataclass
class Source:
    """A file that somebody else made; see :func:`opened`."""

    name: str
    content: bytes
    _members: dict[str, zipfile.ZipInfo] = field(default_factory=dict)
    _within: str = ""

    @cached_property
    def head(self) -> Head:
        """What can be told without reading on."""
        start = self.content[:START]
        if self._members:
            first = [name for name in self._members if name.endswith((".json", ".csv"))]
            return Head(
                members=tuple(self._members),
                start=start,
                parts=tuple(self._part(name, START).head for name in first[:MOST_LOOKED_AT]),
            )
        shown = start.decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
        if shown.startswith(("{", "[")):
            return Head(keys=_keys(shown), start=start)
        return Head(columns=_columns(shown), start=start)

    def member(self, name: str) -> bytes:
        """Unpack a member of an archive, by its name without folders."""
        first, *others = [
            info for key, info in self._members.items() if PurePosixPath(key).name == name
        ]
        if others:
            raise _twice(self.name, f"{first.filename} and {others[0].filename}")
        # What the directory says of a size is only what somebody wrote there.
        unpacked = self._unpacked(first, first.file_size + 1)
        if len(unpacked) > first.file_size:
            msg = f"file ({self.name}): its member {plainly(first.filename)} is larger than it says"
            raise InvalidInput(msg, hint="download it again")
        return unpacked

    def _unpacked(self, member: zipfile.ZipInfo, most: int) -> bytes:
        try:
            with (
                zipfile.ZipFile(io.BytesIO(self.content)) as archive,
                archive.open(member) as stream,
            ):
                return stream.read(most)
        except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, OSError) as broken:
            msg = f"file ({self.name}): its member {plainly(member.filename)} cannot be unpacked"
            raise InvalidInput(msg, hint="download it again") from broken

    def _part(self, member: str, most: int) -> "Source":
        content = self._unpacked(self._members[member], most)
        return Source(PurePosixPath(member).name, content, _within=member)

    def parts(self) -> "Iterator[Source]":
        """Give the JSON texts and tables of an archive in the order of names; else the file."""
        if not self._members:
            yield self
        for name in sorted(self._members):
            if name.endswith((".json", ".csv")):
                yield self._part(name, self._members[name].file_size)

    def has_member(self, name: str) -> bool:
        """Whether an archive holds a member of that name, in whatever folder."""
        return any(PurePosixPath(key).name == name for key in self._members)

    def rows(self, member: str = "") -> Iterator[tuple[int, dict[str, str]]]:
        """Give the rows of a table by the names of its columns, each with its line."""
        name = f"{self.name}:{member}" if member else self.name
        lines = text_lines(self.member(member) if member else self.content, name)
        # A CDF of two hundred steps is longer than what csv takes for a cell by itself.
        csv.field_size_limit(4_000_000)
        columns: list[str] = []
        within = member or self._within
        cut = "the whole file: it may be cut off"
        for line, cells in csv_rows(lines, name, first=1, cut=cut, damaged="mend the line"):
            if not columns:
                columns = [cell.strip() for cell in cells]
            elif len(cells) != len(columns):
                rule = f"row: {len(cells)} cells where the columns are {len(columns)}"
                raise stop(name, line, rule, cut)
            else:
                place = Line(line, within) if within else line
                yield place, Row(zip(columns, cells, strict=True))

    @property
    def breaks_off(self) -> bool:
        """Whether the file begins like a JSON text and ends before that does."""
        text = self.content.decode("utf-8-sig", "ignore").strip()
        if not text.startswith(("{", "[")):
            return False
        if not text.endswith(("}", "]")):
            return True
        try:
            json.loads(text)
        except json.JSONDecodeError as broken:
            return broken.pos >= len(text)
        except (ValueError, RecursionError):
            pass  # whole, but damaged otherwise
        return False

    @cached_property
    def json(self) -> Any:
        """Read the file as one strict JSON text; its numbers stay the text that stands there."""
        try:
            text = self.content.decode("utf-8-sig")
        except UnicodeDecodeError as broken:
            line = self.content.count(b"\n", 0, broken.start) + 1
            raise stop(self.name, line, "line: is not UTF-8", "the file itself") from broken
        try:
            return parse(text, lexical=True)
        except NotStrict as broken:
            cause = broken.__cause__ or broken.__context__
            line = cause.lineno if isinstance(cause, json.JSONDecodeError) else 1
            rule = f"JSON: {plainly(str(broken))}"
            raise stop(self.name, line, rule, "the whole file: it may be cut off") from broken

    def objects(self, *under: str) -> "Iterator[tuple[Source, dict[str, Any]]]":
        """Give every object of every JSON text with its file, through lists and pages."""
        for part in self.parts():
            begins = part.head.start.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
            left = [part.json] if begins in (b"{", b"[") else []
            while left:
                one = left.pop()
                if isinstance(one, list):
                    left.extend(reversed(one))
                elif isinstance(one, dict):
                    page = () if "id" in one else under
                    inner = [one[key] for key in page if isinstance(one.get(key), list | dict)]
                    if inner:
                        left.extend(reversed(inner))
                    else:
                        yield part, one


def opened(path: Path | str, *, most: int = MOST_BYTES, name: str = "") -> Source:
    """Open a file, or standard input for ``-``, of at most a size; `name` is what to call it."""
    if str(path) == "-":
        content = sys.stdin.buffer.read(most + 1)
        name = name or "standard input"
        if len(content) > most:
            raise InvalidInput(f"file ({name}): is larger than {most:,} bytes", hint="split it")
    else:
        called, name = name or str(path), name or Path(path).name
        try:
            content = read_plain(path, most=most)
        except OSError as fault:
            there = not isinstance(fault, FileNotFoundError)
            hint = f"a plain file of at most {most // 1_000_000} MB" if there else "its whole path"
            if isinstance(fault, IsADirectoryError):
                # A browser may have unpacked a zip into it.
                hint = f"one of its files, or all of them in one: zip -r {name}.zip {called}"
            raise unreadable("file", path, fault, hint=hint, called=called) from fault
    if not content.strip(b"\0 \t\r\n"):
        what = (
            "is empty" if not content.strip() else f"holds nothing but {len(content):,} zero bytes"
        )
        raise stop(name, 1, f"file: {what}", "download it again")
    members = _members(content, name) if content.startswith(_ZIP) else {}
    return Source(name, content, members)


def _members(content: bytes, name: str) -> dict[str, zipfile.ZipInfo]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir()]
    except (zipfile.BadZipFile, ValueError, EOFError, OSError) as broken:
        msg = f"file ({name}): is a zip archive that is damaged or cut off"
        raise InvalidInput(msg, hint="download it again") from broken
    if len(infos) > MOST_MEMBERS:
        msg = f"file ({name}): is a zip archive of {len(infos):,} files"
        raise InvalidInput(msg, hint=f"an archive of at most {MOST_MEMBERS:,}")
    names = [info.filename for info in infos]
    if repeated := next((one for one in names if names.count(one) > 1), ""):
        raise _twice(name, repeated)
    for info in infos:
        path = PurePosixPath(info.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or (path.parts and ":" in path.parts[0]):
            msg = f"file ({name}): its member {plainly(info.filename)} lies outside the archive"
            raise InvalidInput(msg, hint="an archive whose names stay within it")
        if info.file_size > MOST_GROWTH * max(info.compress_size, 1024):
            times = info.file_size // max(info.compress_size, 1)
            msg = (
                f"file ({name}): its member {plainly(info.filename)} would unpack to {times:,} "
                "times its size"
            )
            raise InvalidInput(msg, hint="an archive of plain tables")
    if (total := sum(info.file_size for info in infos)) > MOST_UNPACKED:
        msg = f"file ({name}): would unpack to {total:,} bytes"
        raise InvalidInput(msg, hint=f"at most {MOST_UNPACKED:,}")
    return {info.filename: info for info in infos}


def _twice(name: str, members: str) -> InvalidInput:
    msg = f"file ({name}): holds one file twice ({plainly(members)}), and which counts is unknown"
    return InvalidInput(msg, hint="an archive with each file once: download it again")


def _columns(shown: str) -> tuple[str, ...]:
    first = shown.partition("\n")[0].rstrip("\r")
    if not first or "\0" in first:
        return ()
    best: list[str] = []
    for separator in (",", ";", "\t"):
        try:
            cells = next(csv.reader([first], delimiter=separator), [])
        except csv.Error:
            continue
        best = max(best, cells, key=len)
    return tuple(cell.strip() for cell in best)


def _keys(shown: str) -> frozenset[str]:
    """Give the keys of the beginning of a JSON text, cut off wherever it may be."""
    keys, place = set(), 0
    while (place := shown.find('"', place)) >= 0:
        end = place + 1
        while (end := shown.find('"', end)) >= 0 and _escaped(shown, end):
            end += 1
        if end < 0:
            break
        if shown[end + 1 : end + 20].lstrip().startswith(":"):
            keys.add(shown[place + 1 : end])
        place = end + 1
    return frozenset(keys)


def _escaped(text: str, place: int) -> bool:
    slashes = 0
    while text[place - 1 - slashes] == "\\":
        slashes += 1
    return slashes % 2 == 1


def way_out(source: Source) -> str:
    """Say what makes a file readable that is compressed or no text; empty if nothing is known."""
    start = source.head.start
    known = (way for begins, _, way in STARTS if start.startswith(begins) and begins[:2] != b"PK")
    return next(known, "").format(source.name)


def appearance(source: Source) -> str:
    """Say in a few words what a file looks like that no format recognises."""
    head = source.head
    for start, what, _ in STARTS:
        if head.start.startswith(start) and not head.members:
            return what
    for start, what in _BINARY:
        if head.start.startswith(start):
            return what
    if head.members:
        return f"is a zip archive of {plainly(', '.join(head.members[:4]))}"
    if b"\0" in head.start or sum(byte < 9 for byte in head.start) > len(head.start) // 100:
        return "is no text"
    if head.keys:
        return f"is JSON with the keys {plainly(', '.join(sorted(head.keys)[:6]))}"
    if head.start.lstrip()[:1] in (b"{", b"["):
        return "is JSON without keys"
    if head.start.lstrip()[:1] == b"<":
        return "is a web page or other markup"
    if len(head.columns) > 1:
        return f"is a table with the columns {plainly(', '.join(head.columns[:6]))}"
    return "is text, and no table"


_BINARY = (
    (b"\x89PNG", "is a picture (PNG)"),
    (b"\xff\xd8\xff", "is a picture (JPEG)"),
    (b"GIF8", "is a picture (GIF)"),
    (b"%PDF", "is a PDF"),
    (b"\x7fELF", "is a program"),
    (b"MZ", "is a program"),
)
