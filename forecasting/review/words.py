"""Numbers, days and rules in words: no number is ever printed as "nan"."""

import datetime as dt
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from forecasting.calibration.frame import LEAST_EVENTS
from forecasting.calibration.slope import SURE
from forecasting.domain.instants import DAYS, dated
from forecasting.domain.instants import zone as zone_of
from forecasting.domain.scores import score_title

DASH = "–"
_NARROW = "\N{NARROW NO-BREAK SPACE}"
#: Control characters but line ends and tabs, what turns writing around, and halves of a letter.
_UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_MINUS = "\N{MINUS SIGN}"

TYPES = {
    "binary": "Yes-or-no questions",
    "categorical": "Questions with several options",
    "ordered": "Questions with ordered options",
    "numeric": "Questions with a number as the answer",
}


def number(value: Any) -> float | None:
    """Give a number as a float; None for what is none, NaN among it.

    Examples
    --------
    >>> number("0.5"), number(float("nan")), number(None), number("soft")
    (0.5, None, None, None)
    """
    if value is None or isinstance(value, bool):
        return None
    try:
        result = float(value)
    except (TypeError, ValueError):
        return None
    return None if math.isnan(result) else result


def score(value: Any, digits: int | None = None) -> str:
    """Write a score: three decimals, one from 10 up, or as told; a dash for a missing score."""
    figure = number(value)
    if figure is None:
        return DASH
    if math.isinf(figure):
        return "∞" if figure > 0 else f"{_MINUS}∞"
    places = digits if digits is not None else 3 if abs(figure) < 10 else 1
    text = f"{figure:,.{places}f}"
    if not text.strip("-0.,"):
        text = text.lstrip("-")
    return text.replace("-", _MINUS)


def signed(value: Any, digits: int | None = None) -> str:
    """Write a difference with its sign."""
    text = score(value, digits)
    figure = number(value)
    return f"+{text}" if figure is not None and figure > 0 and text.strip("0.,") else text


def span(low: Any, high: Any, digits: int | None = None, *, sign: bool = False) -> str:
    """Write an interval; both ends with so many more decimals that none but 0 is written as 0.

    >>> span(-0.0004, 0.006, sign=True), span(0.0003, 0.065, sign=True)
    ('−0.0004 to +0.0060', '+0.0003 to +0.0650')
    """
    write = signed if sign else score
    if (near := [e for e in (number(low), number(high)) if e and abs(e) < 1]) and digits != 0:
        places = 3 if digits is None else digits
        while places < 6 and any(not round(end, places) for end in near):
            places += 1
        if places > (3 if digits is None else digits):
            digits = places
    return f"{write(low, digits)} to {write(high, digits)}"


def adding_up(parts: Sequence[float], total: float, digits: int = 2) -> list[float]:
    """Round parts so that they add up to their rounded total: the least well rounded give way.

    A part that is exactly 0 stays so.

    >>> adding_up([0.014, 0.014, 0.014], 0.042)
    [0.02, 0.01, 0.01]
    """
    unit = 10.0**-digits
    rounded = [round(part / unit) for part in parts]
    gap = round(total / unit) - sum(rounded)
    step = 1 if gap > 0 else -1
    able = [k for k, part in enumerate(parts) if part]
    able.sort(key=lambda k: step * (rounded[k] - parts[k] / unit))
    for n in range(abs(gap) if able else 0):
        rounded[able[n % len(able)]] += step
    return [round(each * unit, digits) for each in rounded]


def step_digits(explanation: Mapping[str, Any]) -> int:
    """Give the decimals of the steps of an explanation: none where an amount moves by hundreds."""
    sizes = [explanation["change"], *(row["delta_logit"] for row in explanation["items"])]
    if explanation["scale"] == "log-odds" or all(abs(size) < 100 for size in sizes):
        return 2
    return 0


def steps(explanation: Mapping[str, Any]) -> list[tuple[Mapping[str, Any], dict[str, float]]]:
    """Give the items of an explanation with their effects, by option, as they are shown.

    They are rounded so that they add up to the rounded change; what is left over of steps told as
    0 is shown where a figure of it is left.
    """
    items = explanation["items"]
    effects: list[dict[str, float]] = [{} for _ in items]
    digits = step_digits(explanation)
    change = explanation["change"]
    for option, total in (change if isinstance(change, Mapping) else {"": change}).items():
        sizes = [row["delta_logit"] for row in items]
        parts = [size[option] if isinstance(size, Mapping) else size for size in sizes]
        for row, part in zip(effects, adding_up(parts, total, digits), strict=True):
            row[option] = part
    return [
        (item, row)
        for item, row in zip(items, effects, strict=True)
        if item.get("kind") != "chance" or any(row.values())
    ]


def percent(share: Any) -> str:
    """Write a computed share in percent; what was stated is written by `exact` or `said`.

    >>> percent(0.344), percent(0.95), percent(0.9312), percent(0.0004)
    ('34\u202f%', '95.0\u202f%', '93.1\u202f%', '0.04\u202f%')
    """
    bare = percent_figure(share)
    return bare if bare == DASH else f"{bare}{_NARROW}%"


def percent_figure(share: Any) -> str:
    """Write the bare figure of a percentage."""
    figure = number(share)
    if figure is None:
        return DASH
    digits = _decimals(figure)
    return f"{100 * figure:g}" if digits is None else f"{100 * figure:.{digits}f}"


def _decimals(share: float) -> int | None:
    """Give the decimals that a percentage is written with; None where six are too few."""
    if share in (0, 1):
        return 0
    # 3.4 % and 3 % are different forecasts; 34.4 % and 34 % are not.
    fitting = range(0 if 0.1 <= share <= 0.9 else 1, 7)
    return next((n for n in fitting if 0 < round(100 * share, n) < 100), None)


def interval(low: Any, high: Any) -> str:
    """Write the bare figures of an interval of a share in percent, with as many decimals each.

    Of two ends the one that needs fewer sets the decimals; the other is told by what it is below
    or above, since nobody knows the end of an interval to a thousandth of a point.

    >>> interval(0.49, 0.908), interval(0.31, 0.62), interval(0.00004, 0.066)
    ('49.0 to 90.8', '31 to 62', '<0.1 to 6.6')
    """
    ends = [end for end in (number(low), number(high)) if end is not None]
    if len(ends) < 2:
        return DASH
    shares = [end for end in ends if end not in (0, 1)]
    needed = [n for end in shares if (n := _decimals(end)) is not None]
    inner = all(0.1 <= end <= 0.9 for end in shares)
    digits = max(min(needed, default=6), 0 if inner else 1)
    return " to ".join(_end(end, digits) for end in ends)


def _end(share: float, digits: int) -> str:
    """Write one end of an interval; what would be rounded to certainty, by what it is beyond."""
    if share in (0, 1):
        return f"{100 * share:.0f}"
    rounded = round(100 * share, digits)
    if rounded <= 0:
        return f"<{10.0**-digits:.{digits}f}"
    if rounded >= 100:
        return f">{100 - 10.0**-digits:.{digits}f}"
    return f"{rounded:.{digits}f}"


def between(low: Any, high: Any) -> str:
    """Write an interval of a share in percent."""
    text = interval(low, high)
    return text if text == DASH else f"{text}{_NARROW}%"


def exact(share: Any) -> str:
    """Write a share that was stated, not computed, with all the figures it was stated with."""
    figure = number(share)
    return DASH if figure is None else f"{100 * figure:.6g}{_NARROW}%"


def said(share: Any) -> str:
    """Write a share as it was stated; one that was computed, with the figures that matter."""
    figure = number(share)
    return percent(share) if figure is not None and round(figure, 4) != figure else exact(share)


def whole(share: Any) -> str:
    """Write a share in whole percents."""
    figure = number(share)
    return DASH if figure is None else f"{100 * figure:.0f}{_NARROW}%"


def count(value: Any) -> str:
    """Write a count, or a mean of counts with one decimal."""
    figure = number(value)
    return DASH if figure is None else f"{figure:,.{0 if figure == int(figure) else 1}f}"


def amount(value: Any, unit: str = "") -> str:
    """Write a quantity with its unit, or the date that it counts days to."""
    figure = number(value)
    if figure is not None and unit == DAYS:
        return dated(figure)
    if figure is None:
        return str(value) if isinstance(value, str) else DASH
    text = f"{figure:,.0f}" if abs(figure) >= 100 else f"{figure:,.4g}"
    return f"{text} {unit}".strip()


def bare(value: Any, unit: str = "") -> str:
    """Write a quantity without its unit, where that stands beside it; a day is a date anywhere."""
    return amount(value, unit if unit == DAYS else "")


def beside(unit: str) -> str:
    """Give the unit that stands beside bare quantities: none beside dates."""
    return "" if unit == DAYS else unit


def points(share: Any) -> str:
    """Write a change of a probability in percentage points, with one decimal."""
    figure = number(share)
    if figure is None:
        return DASH
    rounded = round(100 * figure, 1)
    text = f"{rounded:+.1f}".replace("-", _MINUS)
    return text if rounded else "0"


def signed_amount(value: Any) -> str:
    """Write a change of a quantity with its sign."""
    figure = number(value)
    if figure is None:
        return DASH
    text = amount(abs(figure))
    return text if not figure else f"{'+' if figure > 0 else _MINUS}{text}"


def ratio(value: Any) -> str:
    """Write a hazard ratio."""
    figure = number(value)
    return DASH if figure is None else f"×{figure:.3g}"


def times(stated: str) -> str:
    """Write an effect as it was stated, with the signs of a page.

    >>> times("-2"), times("x0.5")
    ('−2', '×0.5')
    """
    return re.sub(r"\bx(?=[0-9.])", "×", re.sub(r"^-(?=[0-9])", _MINUS, stated or ""))


def rule(name: Any, convention: Any = "half", unit: Any = "") -> str:
    """Name a scoring rule, its convention, and the unit of a score that has one."""
    return score_title(str(name), str(convention)) + (f", in {unit}" if unit else "")


def plural(n: Any, one: str, many: str = "") -> str:
    """Write a count with its noun."""
    figure = number(n)
    if not figure:
        return f"no {many or one + 's'}"
    return f"{figure:,.0f} {one if figure == 1 else many or one + 's'}"


def listed(parts: Sequence[str]) -> str:
    """Write names one after another.

    >>> listed(["a"]), listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    return " and ".join(part for part in (", ".join(parts[:-1]), *parts[-1:]) if part)


def clean(text: str) -> str:
    """Leave out control characters and what turns the direction of writing around."""
    return text if text.isprintable() else _UNFIT.sub("", text)


def short(text: str, most: int) -> str:
    """Cut a text to a number of letters."""
    text = clean(text)
    return text if len(text) <= most else f"{text[: most - 1]}…"


class Days:
    """Days as they are called in one zone; a midnight that ends a day is called by that day."""

    def __init__(self, zone_name: str) -> None:
        self.zone: ZoneInfo = zone_of(zone_name)

    def local(self, moment: dt.datetime) -> dt.datetime:
        """Give a moment in the zone."""
        return moment.astimezone(self.zone)

    def day(self, moment: dt.datetime | dt.date | None) -> str:
        """Name the day of a moment."""
        if moment is None:
            return DASH
        if isinstance(moment, dt.datetime):
            moment = self.local(moment)
        return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"

    def end(self, moment: dt.datetime | None) -> str:
        """Name the day that a deadline ends, or the moment where it ends none."""
        if moment is None:
            return DASH
        local = self.local(moment)
        if local.time() == dt.time(0):
            return f"end of {self.day(local.date() - dt.timedelta(days=1))}"
        return self.moment(moment)

    def known(self, moment: dt.datetime | dt.date | None) -> str:
        """Name when a thing became known; one known to the day, at the midnight after it."""
        if isinstance(moment, dt.datetime):
            return self.end(moment).removeprefix("end of ")
        return self.day(moment)

    def moment(self, moment: dt.datetime | dt.date | None) -> str:
        """Name a moment to the minute; a midnight by its day alone."""
        if not isinstance(moment, dt.datetime):
            return self.day(moment)
        local = self.local(moment)
        if local.time() == dt.time(0):
            return self.day(moment)
        return f"{self.day(moment)}, {local:%H:%M}"


def move(name: str) -> str:
    """Write a move of a process; an event has none but that it happens.

    >>> move("none > on"), move("waiting > waiting")
    ('none → on', 'it happens')
    """
    start, _, end = name.partition(" > ")
    return "it happens" if start == end else f"{start} → {end}"


#: Units of a phrase as a file has them, and as a page writes one and several.
_UNITS = {"h": "hour", "d": "day", "w": "week", "mo": "month", "y": "year"}
_SPAN = re.compile(r"\b([0-9.]+) (h|d|w|mo|y)\b")


def phrase(text: str) -> str:
    """Write how fast a move comes as pages do: a phrase of a world file without its marks.

    >>> phrase("median 90 d (20..500) shape 0.7 (0.5..1)")
    'median 90 days (20 to 500), shape 0.7 (0.5 to 1)'
    >>> phrase("class truces x0.5 (0.2..1.2)"), phrase("once in 8 y"), phrase("at 2025-04-17")
    ('as in class truces, ×0.5 (×0.2 to ×1.2)', 'once in 8 years', 'on 17 Apr 2025')
    """
    text = re.sub(r"\s+[x×]([0-9.]+) \(([0-9.]+)\.\.([0-9.]+)\)", r", ×\1 (×\2 to ×\3)", text)
    text = re.sub(r"\(([0-9.]+?)\.\.([0-9.]+)\)", r"(\1 to \2)", text)
    text = re.sub(r",?\s+(?=(?:shape|at once|for good)\b)", ", ", text)
    text = re.sub(r"(?<=[0-9])\s*%", f"{_NARROW}%", text)
    text = _SPAN.sub(
        lambda match: f"{match[1]} {_UNITS[match[2]]}{'' if match[1] == '1' else 's'}", text
    )
    return day_names(re.sub(r"^class ", "as in class ", re.sub(r"^at (?=[0-9])", "on ", text)))


def link(name: str) -> str:
    """Write a link as pages do: what is so of the cause, and the moves that it hastens or slows.

    >>> link("while talks=under-way: ceasefire=accepted|in-force"), link("once a=b|c: zone")
    ('while talks is under-way: ceasefire → accepted or in-force', 'once a is b or c: zone')
    """
    cause, _, effect = name.partition(": ")
    cause, effect = cause.replace("=", " is "), effect.replace("=", " → ")
    return f"{cause}: {effect}".replace("|", " or ")


def day_names(text: str) -> str:
    """Write the days of a text as pages do.

    >>> day_names("Will it hold? (by 2026-12-31)"), day_names("2026-13-01")
    ('Will it hold? (by 31 Dec 2026)', '2026-13-01')
    """
    return _ISO_DAY.sub(
        lambda match: f"{int(match[3])} {_MONTHS[int(match[2]) - 1]} {match[1]}", text
    )


_ISO_DAY = re.compile(r"(?<![\w./@-])(\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])(?![\w/-])")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def unmoved(rows: Sequence[Mapping[str, Any]]) -> str:
    """Say which rows of a what-if the paths cannot tell to move; nothing where all do."""
    still = sum(row["change"] == 0.0 for row in rows)
    if not still:
        return ""
    what = f"{still} of {len(rows)} {'does' if still == 1 else 'do'} not move"
    if still == len(rows):
        what = "nothing moves"
    return (
        f"{what}: differences so small come by chance among so many rows (Monte Carlo error), "
        "so these paths can tell no change"
    )


def refusals(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Say of each row of a what-if without a number why it has none, and of all what else to do."""
    sentences = [
        f"{row['question']} {row['state']}".strip()
        + f" has no number: {row['gate'].removeprefix('refused: ')}"
        for row in rows
        if row["gate"] != "passed"
    ]
    if sentences:
        sentences.append(
            "more paths were drawn for it; a condition that is likelier, or fewer of them, leaves "
            "more paths to count"
        )
    return sentences


def calibration_in_words(calibration: dict[str, Any]) -> dict[str, str]:
    """Say in words what discrimination and slope mean; nothing below the least number of events."""
    if calibration["n"] < LEAST_EVENTS:
        return {"discrimination": "", "slope": ""}
    dsc, unc = calibration["discrimination"], calibration["uncertainty"]
    chance, p = calibration["null_discrimination"], calibration["discrimination_p"]
    if not unc:
        sentence = "All of these questions ended alike, so nothing could be told apart."
    else:
        verdict = (
            "The numbers do not show yet that they tell what happens from what does not"
            if p > 0.05
            else "The numbers told what happened from what did not"
        )
        sentence = (
            f"{verdict}: discrimination {dsc:.3f} of at most {unc:.3f}; numbers that tell nothing "
            f"show {chance:.3f} by chance (p = {p:.2g})."
        )
    slope, reach = calibration["slope"], SURE * calibration["slope_sd"]
    if abs(slope - 1) <= reach:
        word = "no sign that they are too bold or too timid"
    elif slope < 1:
        word = "a sign that they are too bold: closer to 50 % would have been better"
    else:
        word = "a sign that they are too timid: further from 50 % would have been better"
    ends = span(slope - reach, slope + reach, 2)
    line = f"Their slope is {slope:.2f} (90 % interval {ends}, 1 is calibrated): {word}."
    return {"discrimination": sentence, "slope": line}
