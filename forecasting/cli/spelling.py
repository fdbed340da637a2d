"""Arguments in the spelling of the command line: what the library calls `dates` is `--dates`.

Messages below the command line name an argument as Python does (``at=TIME``, ``sure=True``).
This is the one place that turns them into options, for every error, hint and note.
"""

import re

#: Arguments that messages name, and the option of each.
OPTIONS = {
    **{
        name: f"--{name.replace('_', '-')}"
        for name in (
            *("answer", "as_of", "at", "because", "by", "columns", "confirmed", "create"),
            *("dask", "dates", "decimal", "do", "event_at", "every", "example", "file"),
            *("force", "given", "half_life", "instead_of", "kind", "known_at", "ladder"),
            *("lasting", "map", "me", "method", "new", "on", "out", "past_close", "rule", "share"),
            *("slug", "sure", "too_soon", "unit", "until", "user", "window", "zone"),
        )
    },
    "condition": "--if",
    "database": "--db",
    "everything": "--all",
    "forecaster": "--as",
    "question_type": "--type",
    "span": "--range",
}
#: Fractions of a second, which nobody reads.
_FRACTION = re.compile(r"(?<=T\d\d:\d\d:\d\d)\.\d+(?=Z|[+-]\d\d:)")
_ARGUMENT = re.compile(rf"(?<![\w=|-])({'|'.join(OPTIONS)})=(True\b)?")


def as_options(text: str) -> str:
    """Write the arguments that a message names as the options of a command.

    >>> as_options("dates=dmy or dates=mdy"), as_options("sure=True")
    ('--dates dmy or --dates mdy', '--sure')
    >>> as_options("at (2026-11-29T04:53:58.100474Z): lies in the future")
    'at (2026-11-29T04:53:58Z): lies in the future'
    """
    text = _FRACTION.sub("", text)
    return _ARGUMENT.sub(lambda match: OPTIONS[match[1]] + ("" if match[2] else " "), text)
