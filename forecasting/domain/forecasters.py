"""The names of the forecasters that the tool itself runs, and what part each plays."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Literal, get_args

from forecasting.errors import InvalidInput

MODEL = "model"
WITHOUT_LINKS = "model without links"
WITHOUT_NEWS = "model without news"
PRIOR = "prior"
BASE_RATE = "base-rate"
POOL = "pool:worldviews"
UNIFORM = "uniform"
HALF = "always-0.5"
CLIMATOLOGY = "climatology"

Family = Literal[
    "person",
    "model",
    "without-links",
    "without-news",
    "prior",
    "base-rate",
    "worldview",
    "pool",
    "climatology",
    "uniform",
    "text",
    "crowd",
]
#: The order on every page and in every table. It is fixed beforehand, so no table is a ranking.
FAMILIES: tuple[Family, ...] = get_args(Family)
#: Forecasters that know nothing of the question, or repeat what others say.
REFERENCES: frozenset[Family] = frozenset({"base-rate", "climatology", "uniform", "text"})
#: What is said wherever the prior stands beside numbers that age.
PRIOR_STANDS = "prior is the number of the opening, from priors and links alone: it does not age"
#: The model with one part taken out: what each part adds is the difference to the model.
ABLATIONS = (WITHOUT_LINKS, WITHOUT_NEWS, PRIOR, BASE_RATE)
_FAMILY: dict[str, Family] = {
    MODEL: "model",
    WITHOUT_LINKS: "without-links",
    WITHOUT_NEWS: "without-news",
    PRIOR: "prior",
    "prior-only": "prior",
    BASE_RATE: "base-rate",
    CLIMATOLOGY: "climatology",
    UNIFORM: "uniform",
    HALF: "uniform",
}

#: Every name that is not a person's, in whatever case: what :func:`family` tells apart, by one
#: pattern, which costs a log no further step.
OURS = re.compile(
    rf"\s*(?:(?:{'|'.join(map(re.escape, _FAMILY))}|worldview|text|crowd|market)"
    r"|(?:[^:@]*-)?pool(?:-[^:@]*)?)\s*(?:[:@].*)?",
    re.IGNORECASE | re.DOTALL,
)


def not_a_person(name: str) -> InvalidInput:
    """Give the refusal of a name of :data:`OURS` where a person is to be named."""
    message = f"forecaster ({name.strip()}): is a model, crowd or market by its name, and no person"
    return InvalidInput(message, hint="forecaster=NAME, such as ana")


def person(name: str) -> str:
    """Give a name in which somebody may speak; refuse those of the tool's own forecasters."""
    if OURS.fullmatch(name):
        raise not_a_person(name)
    return name


def family(forecaster: str) -> Family:
    """Say which part a forecaster plays; a name that is none of the tool's own is a person's."""
    head = forecaster.partition(":")[0].partition("@")[0]
    if head in _FAMILY:
        return _FAMILY[head]
    if head == "worldview":
        return "worldview"
    if head == "text":
        return "text"
    if head in ("crowd", "market"):
        return "crowd"
    return "pool" if "pool" in head.split("-") else "person"


def ordered(forecasters: Iterable[str]) -> list[str]:
    """Give forecasters, each once, in the fixed order; never by score."""
    return sorted(set(forecasters), key=lambda name: (FAMILIES.index(family(name)), name))


#: Letters as another keyboard has them: two such names look alike, or sound so.
LATIN = str.maketrans("абвгдезиклмнопрстуфхіј", "abvgdeziklmnoprstufhij")


def plain_name(name: str) -> str:
    """Give a name without case, marks, spaces and dots, and Cyrillic letters as Latin ones.

    >>> plain_name("Ana B."), plain_name("ана б")
    ('anab', 'anab')
    """
    apart = unicodedata.normalize("NFKD", name).casefold().translate(LATIN)
    return "".join(filter(str.isalnum, apart)) or name


def one_letter(one: str, other: str) -> bool:
    """Say whether two names differ in one letter: another, one more, or two exchanged.

    A digit is no slip of the pen (``reader-1`` and ``reader-2``), and of two letters one is half.

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
