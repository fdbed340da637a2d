"""The reading edge: the bytes of a file somebody else made, and its lines.

What cannot be read as the text of a track record stops the import with one line that names the
file and the place; nothing here guesses an encoding.
"""

import csv
import io
from collections.abc import Iterable, Iterator

from forecasting.errors import InvalidInput

MOST_BYTES = 256_000_000
MOST_ROWS = 1_000_000
MOST_IN_A_LINE = 4_000_000

#: How other things begin, and the way from there to a text.
STARTS = (
    (b"\x1f\x8b", "is compressed by gzip", "gunzip -k {}"),
    (b"PK\x03\x04", "is a zip archive or a workbook", "unzip it, or save the sheet as CSV UTF-8"),
    (b"PK\x05\x06", "is an empty zip archive", "the file itself"),
    (b"BZh", "is compressed by bzip2", "bunzip2 -k {}"),
    (b"\xfd7zXZ\x00", "is compressed by xz", "unxz -k {}"),
    (b"\x28\xb5\x2f\xfd", "is compressed by zstd", "unzstd {}"),
    (b"\xd0\xcf\x11\xe0", "is an old workbook", "save the sheet as CSV UTF-8"),
    (b"SQLite format 3\x00", "is a database", "forecast restore {}"),
    (b"PAR1", "is a Parquet file", "forecast import parquet {}"),
    (b"\xff\xfe", "is UTF-16 text", "save it as CSV UTF-8, or iconv -f UTF-16 -t UTF-8 {}"),
    (b"\xfe\xff", "is UTF-16 text", "save it as CSV UTF-8, or iconv -f UTF-16 -t UTF-8 {}"),
)


def check_text(content: bytes, name: str) -> None:
    """Refuse what begins like something other than text, with the way from there to a text."""
    for start, what, way_out in STARTS:
        if content.startswith(start):
            msg = f"file ({name}): {what}; a track record is UTF-8 text"
            raise InvalidInput(msg, hint=way_out.format(name))


def text_lines(content: bytes, name: str) -> Iterator[str]:
    """Give the lines of a text with their ends (line feeds alone), without a byte order mark."""
    if content.count(b"\n") > 2 * MOST_ROWS:
        raise stop(name, 1, f"file: more than {2 * MOST_ROWS:,} lines", "split it")
    if _sound(content):
        plain = content.removeprefix(b"\xef\xbb\xbf")
        return io.TextIOWrapper(io.BytesIO(plain), "utf-8", newline="\n")
    return _until_damaged(content, name)


def _sound(content: bytes) -> bool:
    """Whether no line can be refused: a file is read a line at a time only to say which is."""
    begins = 0
    while begins + MOST_IN_A_LINE < len(content):
        begins = content.rfind(b"\n", begins, begins + MOST_IN_A_LINE) + 1
        if not begins:
            return False
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return b"\0" not in content


def _until_damaged(content: bytes, name: str) -> Iterator[str]:
    begins, number = (3 if content.startswith(b"\xef\xbb\xbf") else 0), 0
    while begins < len(content):
        number += 1
        ends = content.find(b"\n", begins) + 1 or len(content)
        if ends - begins > MOST_IN_A_LINE:
            raise stop(name, number, f"line: more than {MOST_IN_A_LINE:,} bytes", "split it")
        raw = content[begins:ends]
        if b"\0" in raw:
            raise stop(name, number, "line: holds a NUL", "save it as UTF-8 text")
        try:
            yield raw.decode()
        except UnicodeDecodeError as broken:
            message = f"line: is not UTF-8 (byte {broken.start + 1}: 0x{raw[broken.start]:02x})"
            raise stop(name, number, message, "save it as UTF-8") from broken
        begins = ends


def csv_rows(
    lines: Iterable[str], name: str, *, first: int, delimiter: str = ",", cut: str, damaged: str
) -> Iterator[tuple[int, list[str]]]:
    """Give each row that is not blank with its line, from `first` on; the rest are hints."""
    reader, line = csv.reader(lines, strict=True, delimiter=delimiter), first
    try:
        for cells in reader:
            # Most rows are not blank in their first cell.
            if cells and (cells[0].strip() or any(map(str.strip, cells))):
                yield line, cells
            line = reader.line_num + first
    except csv.Error as broken:
        ended = str(broken) == "unexpected end of data"
        rule = "a quotation mark opens here and never closes" if ended else str(broken)
        raise stop(name, line, f"row: {rule}", cut if ended else damaged) from broken


def stop(name: str, line: int, message: str, hint: str = "") -> InvalidInput:
    """Give the error that ends an import before anything is written, with its place."""
    return InvalidInput(message, hint=hint, where=f"{name}:{line}")
