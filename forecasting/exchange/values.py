"""Values of other places' files, read or refused with their name: numbers, per cents, instants."""

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from forecasting.domain.reading import Ambiguous, Damaged, moment, plainly
from forecasting.domain.reading.probabilities import decimal
from forecasting.errors import InvalidInput
from forecasting.exchange.record import Refused


@dataclass(slots=True)
class Fault:
    """What was wrong with one thing of a file; empty where nothing was."""

    reason: str = ""

    def refused(self, line: int) -> list[Refused]:
        """Give its line as refused, where something was wrong."""
        return [Refused(line, self.reason)] if self.reason else []


@contextmanager
def faulty() -> Iterator[Fault]:
    """Keep what is wrong with one thing of a file from stopping the rest."""
    fault = Fault()
    try:
        yield fault
    except (Ambiguous, Damaged):
        # Of every row alike: the file stops with the option that settles it.
        raise
    except InvalidInput as wrong:
        fault.reason = str(wrong)
    except KeyError as wrong:
        fault.reason = f"{plainly(str(wrong.args[0])[:80])}: is missing"
    except (TypeError, AttributeError, ValueError, IndexError) as wrong:
        fault.reason = f"is not of the shape of its format ({type(wrong).__name__}: {wrong})"


def required(item: Any, key: str) -> Any:
    """Give what stands under a key of an object; refuse its absence."""
    if not isinstance(item, dict):
        raise InvalidInput(f"item ({plainly(str(item)[:40])}): is no object")
    value = item.get(key)
    if value is None or value == "":
        raise InvalidInput(f"{key}: is missing")
    return value


def number(value: Any, *, name: str) -> Decimal:
    """Read a number as it stands in the file, to the last digit."""
    try:
        parsed = Decimal(str(value).strip())
    except InvalidOperation:
        parsed = Decimal("NaN")
    if not parsed.is_finite() or abs(parsed.adjusted()) > 300:
        raise InvalidInput(f"{name} ({plainly(str(value)[:40])}): must be a number")
    return parsed


def probability(value: Any, *, name: str = "probability") -> str:
    """Read a probability from 0 to 1, as it is recorded.

    Examples
    --------
    >>> probability("0.350"), probability("1e-3")
    ('0.35', '0.001')
    """
    share = number(value, name=name)
    if not 0 <= share <= 1:
        raise InvalidInput(f"{name} ({plainly(str(value))}): must lie from 0 to 1")
    return decimal(share)


def percent(value: Any, *, name: str = "percent") -> str:
    """Read a probability in percent, as it is recorded."""
    share = number(value, name=name) / 100
    if not 0 <= share <= 1:
        raise InvalidInput(f"{name} ({plainly(str(value))}): must lie from 0 to 100")
    return decimal(share)


def shares(options: Mapping[str, Any], *, slack: str = "0.02") -> tuple[tuple[str, str], ...]:
    """Read the probabilities of options; what rounding left of their sum is shared out."""
    read = {label: Decimal(probability(value, name=label)) for label, value in options.items()}
    total = sum(read.values(), Decimal(0))
    if not read or abs(total - 1) > Decimal(slack):
        raise InvalidInput(f"options (sum {float(total):.6g}): must sum to 1")
    if total != 1:
        read = {label: round(one / total, 9) for label, one in read.items()}
        most = max(read, key=lambda label: (read[label], label))
        read[most] += 1 - sum(read.values(), Decimal(0))
    return tuple((label, decimal(one)) for label, one in read.items())


def instant(value: Any, *, name: str, zone: str = "") -> dt.datetime:
    """Read a moment that carries its offset; without one it is of `zone`, else refused."""
    text = str(value).strip()
    try:
        at = dt.datetime.fromisoformat(text)
    except ValueError:
        return moment(text, name=name, days="begins", zone=zone or "UTC", local=bool(zone))
    if at.tzinfo is not None:
        return at.astimezone(dt.UTC)
    return moment(text, name=name, days="begins", zone=zone or "UTC", local=bool(zone))


def epoch(value: Any, *, name: str, unit: int = 1) -> dt.datetime:
    """Read a moment in seconds since 1970, or in `unit` parts of a second (1000: milliseconds)."""
    seconds = number(value, name=name) / unit
    if not 0 < seconds < 32_503_680_000:
        raise InvalidInput(f"{name} ({plainly(str(value))}): is no moment from 1970 to 3000")
    whole = int(seconds)
    micros = int((seconds - whole) * 1_000_000)
    return dt.datetime.fromtimestamp(whole, dt.UTC) + dt.timedelta(microseconds=micros)
