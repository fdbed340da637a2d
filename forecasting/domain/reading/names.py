"""Names: options of a question, questions, forecasters."""

import hashlib
import re
import unicodedata
from collections.abc import Sequence

from forecasting.domain.reading.manner import plainly, refused
from forecasting.domain.reading.numbers import tidied
from forecasting.errors import InvalidInput

LONGEST_ID = 80
LONGEST_NAME = 200
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*(@\d{4}-\d{2}-\d{2})?", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def option(options: Sequence[str], text: str, *, name: str = "option") -> str:
    """Give the option that is named, in whatever case and spacing.

    Raises
    ------
    InvalidInput
        No option has that name, or two differ in case alone and the text matches neither exactly.

    Examples
    --------
    >>> option(("none", "Soft deal"), " soft  DEAL ")
    'Soft deal'
    """
    if text in options:
        return text
    wanted = tidied(unicodedata.normalize("NFC", text))
    if wanted in options:
        return wanted
    alike = [one for one in options if tidied(one).casefold() == wanted.casefold()]
    if len(alike) != 1:
        msg = f"{name} ({plainly(wanted)}): must be one of {plainly(', '.join(options))}"
        raise InvalidInput(msg, hint=alike[0] if alike else "")
    return alike[0]


def is_id(text: str) -> bool:
    """Tell whether a text is the id of a question as it stands."""
    return len(text) <= LONGEST_ID and _ID.fullmatch(text) is not None


def question_id(text: str) -> str:
    """Give the id of a question: the text where it is one, else one made from it for good.

    Examples
    --------
    >>> question_id("truce-2026"), question_id("truce@2026-12-31")
    ('truce-2026', 'truce@2026-12-31')
    >>> question_id("Will the truce hold?")
    'will-the-truce-hold-d86398d0'
    """
    if is_id(text):
        return text
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    words = "-".join(re.findall(r"[a-z0-9]+", plain))[:40].strip("-")
    unique = hashlib.sha256(text.encode()).hexdigest()[:8]
    return f"{words}-{unique}" if words else unique


def forecaster(text: str) -> str:
    """Give the name of a forecaster: one line of at most 200 letters, in NFC.

    Raises
    ------
    InvalidInput
        Empty, too long, or with control characters.
    """
    if len(text) > LONGEST_NAME:
        raise InvalidInput(f"forecaster ({len(text):,} characters): at most {LONGEST_NAME:,}")
    if _CONTROL.search(text):
        raise refused("forecaster", text, "must be one line without control characters")
    name = unicodedata.normalize("NFC", text).strip()
    if not name:
        raise InvalidInput("forecaster: is empty", hint="a name, such as ana")
    return name
