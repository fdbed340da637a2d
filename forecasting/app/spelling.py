"""The command line's way out of an error, in the spelling of a book: `--at` is `at=`."""

import functools
import re
import shlex
from collections.abc import Callable

from forecasting.errors import ForecastingError

#: What a book calls a command; where it has no such method, the command stands as it is.
METHODS = {
    "questions list": "questions",
    "questions add": "add_question",
    "questions edit": "edit_question",
    "questions drop": "drop_question",
    "news add": "add_news",
    "news list": "evidence",
    "news retract": "retract_news",
    "import undo": "import_undo",
    **{
        name: name
        for name in (
            *("ask", "log", "withdraw", "history", "resolve", "annul", "dispute", "reopen"),
            *("resolutions", "watch", "update", "explain", "due", "compare", "leaderboard"),
            *("pool", "reveal", "redact", "worldviews", "verify", "anchor", "calibration"),
        )
    },
    "score": "scores",
}
#: Options whose argument has another name, for it is a word of the language or says more.
NAMES = {"as": "forecaster", "db": "database", "all": "everything"}
OF_METHODS = {("watch", "all"): "every", ("anchor", "out"): "file"}
#: Options that take no value.
FLAGS = {
    *("all", "force", "log", "confirmed", "lasting", "new", "past-close", "watched", "unwatched"),
    *("too-soon", "early-no", "over-time", "dry-run"),
}
_SPELLED = re.compile(
    r"\bforecast (?P<command>(?:[a-z-]+ )?[a-z-]+(?![^\s,;]))"
    r"(?P<rest>(?: (?!(?:or|and|to)\b)[^,; ]+)*)"
    r"|\bpip install [^,;]+"
    r"|(?<![\w-])--(?P<option>[a-z][a-z-]+)(?:[ =](?!--|(?:or|and|out|to)\b)(?P<value>[^\s,;)]+))?"
)


def as_arguments(text: str) -> str:
    """Write the commands and options that a text names as the methods and arguments of a book.

    Examples
    --------
    >>> as_arguments("--known-at 2026-11-22T12:00Z")
    "known_at='2026-11-22T12:00Z'"
    >>> as_arguments("forecast questions list --status open")
    "book.questions(status='open')"
    >>> as_arguments("forecast log truce 0.35"), as_arguments("another name, or --force")
    ("book.log('truce', 0.35)", 'another name, or force=True')
    >>> as_arguments("forecast db upgrade")
    'forecast db upgrade'
    """
    return _SPELLED.sub(_spelled, text)


def _spelled(found: re.Match[str]) -> str:
    if found["command"]:
        return _call(found)
    if not found["option"]:
        return found[0]
    option, value = found["option"], found["value"]
    name = _name("", option)
    if option in FLAGS:
        return f"{name}=True" + (f" {value}" if value else "")
    return f"{name}={_value(value)}" if value else name


def _name(method: str, option: str) -> str:
    known = OF_METHODS.get((method, option)) or NAMES.get(option)
    return known or option.replace("-", "_")


def _value(word: str) -> str:
    """Write a number or a name in capitals as it stands, all else as text."""
    try:
        float(word)
    except ValueError:
        return word if word.isupper() and word.isidentifier() else repr(word)
    return word


def _call(found: re.Match[str]) -> str:
    words = found["command"].split(" ")
    for count in (2, 1):
        if method := METHODS.get(" ".join(words[:count])):
            try:
                given = shlex.split(f"{' '.join(words[count:])}{found['rest']}")
            except ValueError:
                break
            return f"book.{method}({', '.join(_given(method, given))})"
    return found[0]


def _given(method: str, words: list[str]) -> list[str]:
    found = []
    waiting = iter(words)
    for word in waiting:
        if not word.startswith("--"):
            found.append(_value(word))
            continue
        value = "True" if word[2:] in FLAGS else _value(next(waiting, "True"))
        found.append(f"{_name(method, word[2:])}={value}")
    return found


def speaking_python[Class: type](book: Class) -> Class:
    """Let the errors that leave a class's public methods name its methods and arguments."""
    for name in dir(book):
        if not name.startswith("_") and callable(method := getattr(book, name)):
            if isinstance(vars(book).get(name), classmethod | staticmethod):
                continue
            setattr(book, name, in_python(method))
    return book


def in_python[**P, T](method: Callable[P, T]) -> Callable[P, T]:
    """Let the errors that leave a function name methods and arguments of a book."""

    @functools.wraps(method)
    def spoken(*given: P.args, **named: P.kwargs) -> T:
        try:
            return method(*given, **named)
        except ForecastingError as fault:
            fault.spoken_hint = as_arguments(fault.hint)
            raise

    return spoken
