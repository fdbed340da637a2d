"""A table as lines of text that fit a width; by hand, for a library takes 1 ms a row of 10,000.

Widths are measured by the library, in cells of the terminal: a Chinese character takes two.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from rich.cells import cell_len, chop_cells

from forecasting.cli.output import PAIRS

#: The narrowest that prose folds to, and the narrowest that the first column does.
LEAST_PROSE = 20
LEAST_SUBJECT = 12
#: The narrowest that the first column becomes to make room for one that may be left out.
LEAST_NAME = 16
#: The columns that no width drops.
KEPT = 2
#: A day is one piece.
_PIECES = re.compile(r"\d{4}-\d\d-\d\d|[^-@]*[-@]|[^-@]+")
#: A quantile's level and its value are one word.
_BETWEEN_WORDS = re.compile("(?<!%:) (?!%:)")
#: What stands between two columns, and at either edge.
BETWEEN = "   "
EDGE = " "
GAP = len(BETWEEN)
RULE = "─"


@dataclass
class Column:
    """A column of a table: its cells, and how narrow it may become."""

    name: str
    header: str
    cells: Sequence[str]
    numeric: bool
    folds: bool
    whole: int
    least: int

    @classmethod
    def of(
        cls,
        name: str,
        header: str,
        cells: Sequence[str],
        *,
        numeric: bool,
        folds: bool,
        pairs: bool = False,
    ) -> "Column":
        """Measure a column; one that does not fold stays whole, for its cells are typed back."""
        widest = max(_widest(text) for text in cells)
        if cell_len(header) > widest:
            header = header.replace(" ", "\n")
        whole = max(widest, _widest(header))
        least = min(whole, LEAST_PROSE) if folds else whole
        if pairs:
            # Where a cell has several options, a number stays beside its option.
            several = any(PAIRS in text for text in cells)
            parts = (
                part
                for text in cells
                for part in (text.split(PAIRS) if several else _BETWEEN_WORDS.split(text))
            )
            least = min(least, max([_widest(header), *map(cell_len, parts)]))
        return cls(name, header, cells, numeric, folds, whole, least)


def fitting(ranked: Sequence[Column], width: int, always: int) -> list[Column]:
    """Choose the columns that fit: the first ones always, the others by rank."""
    shown = [column for i, column in enumerate(ranked[:always]) if i < KEPT or not _empty(column)]
    least = [column.least + GAP for column in shown]
    if shown:
        pieces = (piece for text in shown[0].cells for piece in _pieces(text))
        narrow = max(LEAST_NAME, max(map(cell_len, pieces), default=0))
        least[0] = min(least[0], narrow + GAP)
    while len(shown) > KEPT and sum(least) > width:
        shown.pop()
        least.pop()
    left = width - sum(column.least + GAP for column in shown)
    for column in shown:
        if left < 0 and column.least > LEAST_SUBJECT:
            column.folds = True
            narrow = max(column.least + left, LEAST_SUBJECT)
            left += column.least - narrow
            column.least = narrow
    for column in sorted((each for each in ranked if each not in shown), key=_empty):
        both = [each for each in ranked if _ends(each) == _ends(column) and each not in shown]
        needed = sum(each.least + GAP for each in both)
        if both and needed <= left:
            shown += both
            left -= needed
    ends = [_ends(column) for column in shown]
    alone = {end for end in ends if ends.count(end) < sum(_ends(c) == end for c in ranked)}
    return [column for column in ranked if column in shown and _ends(column) not in alone]


def _ends(column: Column) -> str:
    """Name the interval that a column is one end of; else the column itself."""
    return re.sub("(lower|upper)$", "ends", column.name)


def _empty(column: Column) -> bool:
    return all(text.strip() in ("", "–") for text in column.cells)


def lines(columns: Sequence[Column], width: int, under: Sequence[str] = ()) -> Iterator[str]:
    """Give the lines of a table: its header at the bottom of as many lines as it takes, its rows.

    Below each row stands its text of `under`, on one line, cut with an ellipsis.

    >>> one = Column.of("p", "p", ["0.35", "0.5"], numeric=True, folds=False)
    >>> two = Column.of("title", "title", ["a", "b"], numeric=False, folds=True)
    >>> for line in lines([one, two], 80):
    ...     print(line.rstrip())
        p   title
     ────────────
     0.35   a
      0.5   b
    """
    widths = _widths(columns, width - 2 * len(EDGE) - GAP * (len(columns) - 1))
    heads = [_folded(c.header, w) for c, w in zip(columns, widths, strict=True)]
    tallest = max(map(len, heads))
    yield from _row(columns, widths, [[""] * (tallest - len(head)) + head for head in heads])
    yield EDGE + RULE * (sum(widths) + GAP * (len(columns) - 1))
    below = iter(under)
    for row in zip(*(column.cells for column in columns), strict=True):
        cells = [_folded(text, wide) for text, wide in zip(row, widths, strict=True)]
        yield from _row(columns, widths, cells)
        if (text := next(below, "")).strip("– "):
            yield BETWEEN + cut(text, width - GAP)


def cut(text: str, width: int) -> str:
    """Cut a text to one line of a width.

    >>> cut("A truce holds", 8), cut("A truce", 8)
    ('A truce…', 'A truce')
    """
    flat = " ".join(text.split())
    return flat if cell_len(flat) <= width else f"{chop_cells(flat, width - 1)[0].rstrip()}…"


def _row(
    columns: Sequence[Column], widths: Sequence[int], cells: Sequence[Sequence[str]]
) -> Iterator[str]:
    for parts in zip_longest(*cells, fillvalue=""):
        placed = []
        for column, wide, part in zip(columns, widths, parts, strict=True):
            space = " " * (wide - cell_len(part))
            placed.append(space + part if column.numeric else part + space)
        yield EDGE + BETWEEN.join(placed).rstrip()


def _widths(columns: Sequence[Column], room: int) -> list[int]:
    """Give each column what it needs; where the room is short the widest that fold give way."""
    widths = [column.whole for column in columns]
    while (over := sum(widths) - room) > 0:
        loose = [k for k, column in enumerate(columns) if column.folds and widths[k] > column.least]
        if not loose:
            break
        widest = max(widths[k] for k in loose)
        most = [k for k in loose if widths[k] == widest]
        floor = max(
            [widths[k] for k in loose if widths[k] < widest] + [columns[k].least for k in most]
        )
        cut = min(widest - floor, -(-over // len(most)))
        for k in most:
            widths[k] -= min(cut, over)
            over -= min(cut, over)
    return widths


def _widest(text: str) -> int:
    return cell_len(text) if "\n" not in text else max(map(cell_len, text.split("\n")))


def _folded(text: str, width: int) -> list[str]:
    """Break a cell at its line feeds, between pairs or words, in a long word after a hyphen."""
    if "\n" not in text and cell_len(text) <= width:
        return [text]
    pieces = []
    for part in text.split("\n"):
        apart = part.split(PAIRS) if PAIRS in part else _BETWEEN_WORDS.split(part)
        pieces += _filled(apart, PAIRS if PAIRS in part else " ", width)
    return pieces


def _filled(words: Sequence[str], between: str, width: int) -> list[str]:
    """Put words on as few lines as they take; a word that is too long is broken."""
    pieces, line = [], ""
    for word in words:
        if line and cell_len(line) + len(between) + cell_len(word) <= width:
            line += between + word
            continue
        if line:
            pieces.append(line)
        *whole, line = [word] if cell_len(word) <= width else _broken(word, width)
        pieces += whole
    return [*pieces, line]


def _broken(word: str, width: int) -> list[str]:
    """Break what is wider than a line: between words, after a hyphen, or else anywhere."""
    if " " in word:
        return _filled(word.split(" "), " ", width)
    pieces = _pieces(word)
    return _filled(pieces, "", width) if len(pieces) > 1 else chop_cells(word, width) or [""]


def _pieces(word: str) -> list[str]:
    return _PIECES.findall(word)
