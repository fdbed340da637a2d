"""Arguments in the spelling of the command line: what the library calls `dates` is `--dates`."""

import re

_SETTLING = (
    "at",
    "columns",
    "dates",
    "decimal",
    "early_no",
    "map",
    "me",
    "share",
    "too_soon",
    "unit",
    "zone",
)
_ARGUMENT = re.compile(rf"(?<![\w-])({'|'.join(_SETTLING)})=(yes\b)?")


def as_options(text: str) -> str:
    """Write the arguments that a message names as the options of a command.

    Examples
    --------
    >>> as_options("dates=dmy or dates=mdy"), as_options("early_no=yes")
    ('--dates dmy or --dates mdy', '--early-no')
    """
    return _ARGUMENT.sub(
        lambda found: f"--{found[1].replace('_', '-')}{'' if found[2] else ' '}", text
    )
