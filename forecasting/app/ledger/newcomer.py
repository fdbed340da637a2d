"""A forecaster who speaks for the first time under a name much like one that is known."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable

from forecasting.domain.forecasters import OURS
from forecasting.store import Ledger

#: Of more new names than these, only those that differ in case, marks or spaces are looked for.
MOST_LETTER_BY_LETTER = 50


def beside(ledger: Ledger, names: Iterable[str], *, of_file: bool = False) -> list[str]:
    """Say of each name that is new to a ledger which name there, or of these, is much like it."""
    new = [name for name in sorted(set(names)) if not OURS.fullmatch(name)]
    if not new or (len(new) == 1 and ledger.spoke(new[0])):
        return []
    known = {name for name in ledger.forecasters() if not OURS.fullmatch(name)}
    new = [name for name in new if name not in known]
    folds: dict[str, list[str]] = defaultdict(list)
    for name in (*sorted(known), *new):
        folds[_plain(name)].append(name)
    notes = []
    for name in new:
        like = [other for other in folds[_plain(name)] if other != name and other in known]
        like = like or [other for other in folds[_plain(name)] if other < name]
        if not like and len(new) <= MOST_LETTER_BY_LETTER:
            like = [other for other in sorted(known) if one_letter(_plain(name), _plain(other))]
        if like:
            back = f"`forecast withdraw` with forecaster={name}, then say it with "
            way = (
                "import undo it and correct the file" if of_file else f"{back}forecaster={like[0]}"
            )
            notes.append(
                f"{name} is a new forecaster beside {' and '.join(like[:2])}; if that is one "
                f"person: {way}"
            )
    return notes


def _plain(name: str) -> str:
    """Give a name without case, marks, spaces and dots."""
    apart = unicodedata.normalize("NFKD", name).casefold()
    return "".join(letter for letter in apart if letter.isalnum()) or name


def one_letter(one: str, other: str) -> bool:
    """Say whether two names differ in one letter: another, one more, or two exchanged.

    A digit is no slip of the pen (``reader-1`` and ``reader-2``), and of two letters one is half.

    Examples
    --------
    >>> one_letter("ana", "anna"), one_letter("bob", "rob"), one_letter("p1", "p2")
    (True, True, False)
    """
    if one == other or min(len(one), len(other)) < 3 or abs(len(one) - len(other)) > 1:
        return False
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    end = 0
    while end < min(len(one), len(other)) - start and one[-1 - end] == other[-1 - end]:
        end += 1
    left, right = one[start : len(one) - end], other[start : len(other) - end]
    if any(letter.isdigit() for letter in left + right):
        return False
    swapped = len(left) == len(right) == 2 and left == right[::-1]
    return swapped or max(len(left), len(right)) == 1
