"""One line of strict JSON: what the standard reader lets pass, this one refuses."""

import json
from collections.abc import Iterator
from typing import Any, NoReturn

MOST_DEPTH = 32
_SAFE_INTEGER = 2**53


class Number(str):
    """A number of a line as it is written there: no digit of it is lost."""

    __slots__ = ()


class NotStrict(ValueError):
    """A line that is no strict JSON, with what is wrong in a few words."""


def parse(line: str, *, lexical: bool = True) -> Any:
    """Read one JSON text; with `lexical`, numbers are the text that stands there."""
    try:
        value = (_LEXICAL if lexical else _NUMERIC).decode(line)
    except NotStrict:
        raise
    except RecursionError:
        raise NotStrict(f"more than {MOST_DEPTH} levels") from None
    except ValueError as broken:
        msg = f"not JSON ({broken})" if isinstance(broken, json.JSONDecodeError) else str(broken)
        raise NotStrict(msg) from None
    # The line itself is sound UTF-8, so only an escape can bring in half a pair or a NUL.
    if "\\u" in line or line.count("[") + line.count("{") > MOST_DEPTH:
        _check(value)
    return value


def _check(value: Any) -> None:
    for depth, item in _each(value):
        if depth > MOST_DEPTH:
            raise NotStrict(f"more than {MOST_DEPTH} levels")
        if isinstance(item, str):
            if "\0" in item:
                raise NotStrict("a NUL character")
            try:
                item.encode()
            except UnicodeEncodeError:
                raise NotStrict("half of a surrogate pair") from None


def _each(value: Any) -> Iterator[tuple[int, Any]]:
    waiting = [(0, value)]
    while waiting:
        depth, item = waiting.pop()
        yield depth, item
        if isinstance(item, dict):
            waiting += [(depth + 1, part) for pair in item.items() for part in pair]
        elif isinstance(item, list):
            waiting += [(depth + 1, part) for part in item]


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise NotStrict(f"the key {twice[:40]!s} appears twice")
    return members


def _not_finite(word: str) -> NoReturn:
    raise NotStrict(f"{word} is not a JSON number")


def _finite(digits: str) -> float:
    number = float(digits)
    if number - number != 0.0:
        raise NotStrict(f"{digits[:40]} is too large to compute with")
    return number


def _integer(digits: str) -> int | float:
    if len(digits) > 400:
        raise NotStrict(f"an integer of {len(digits):,} digits")
    number = int(digits)
    return number if abs(number) < _SAFE_INTEGER else _finite(digits)


_LEXICAL = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_constant=_not_finite, parse_float=Number, parse_int=Number
)
_NUMERIC = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_constant=_not_finite, parse_float=_finite, parse_int=_integer
)
