"""Metaculus: the zip of CSV files that its site mails, one's own data or a project's.

``question_data.csv`` and ``forecast_data.csv`` are needed, ``score_data.csv`` is compared with;
headers name the columns, for their names and number differ over the years: zips of 2024 have no
address and give a range as one cell (``Scaling``, of dates in seconds since 1970), those of before
2026 one list of options. Lists are Python reprs with ``None`` for an option that was not offered
yet. Rows without a forecaster's id are aggregates, their method in the place of the name; a
project's anonymised zip has one column for both. An ``End Time`` that no new forecast follows is a
withdrawal. Sub-questions of a group share a post, and are one event. Where the zip does not state
the zero point of a logarithmic scale the grid gives it, if it is further from a linear one than
dates cut to days explain. Bots are told apart: where a question leaves them out of its aggregates,
everybody is scored against people.

Continuous questions resolve to a number, a date, ``below_lower_bound`` or ``above_upper_bound``;
dates are counted in days since 1970 here.
"""

import ast
import datetime as dt
import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import partial
from math import nan
from typing import Any

import numpy as np

from forecasting.domain import Value
from forecasting.domain.continuous import bucket, cdf_value, pmf, zero_point_of
from forecasting.domain.forecast import decimal_text
from forecasting.domain.instants import DAYS, days_since
from forecasting.domain.outcome import OutcomeSpace
from forecasting.domain.reading import plainly
from forecasting.errors import InvalidInput
from forecasting.exchange import questions
from forecasting.exchange.cells import Reading
from forecasting.exchange.format import Format, PlatformRule, QuestionHistory
from forecasting.exchange.people import NOBODY
from forecasting.exchange.record import (
    WITHDRAWN,
    Bot,
    Facts,
    Note,
    Record,
    Refused,
    Scored,
    StatedForecast,
    StatedOutcome,
)
from forecasting.exchange.source import Head, Source
from forecasting.exchange.values import faulty, instant, number, probability
from forecasting.scoring import metaculus as scoring

NAME = "metaculus"
SITE = "https://www.metaculus.com/questions/"
QUESTIONS, FORECASTS, SCORES = "question_data.csv", "forecast_data.csv", "score_data.csv"
CONTINUOUS = ("numeric", "discrete", "date")
#: Options may sum to something else by no more than this, which the greatest of them takes.
_ROUNDING = Decimal("0.000001")
#: Bounds and middle of a range of dates, each cut to its day, shift the middle by less than this.
_CUT = 2.0
_HASH = re.compile(r"[0-9a-f]{64}")
_DAY = dt.timedelta(days=1)


def looks_like(head: Head) -> bool:
    """Recognise an archive with questions and forecasts."""
    names = {name.rpartition("/")[2] for name in head.members}
    return {QUESTIONS, FORECASTS} <= names


def lacks(head: Head) -> str:
    """Say what a table out of such an archive is a part of."""
    mine = any(head.has("Question ID", other) for other in ("Post ID", "Start Time", "Score Type"))
    return f"the zip as it came, with {QUESTIONS} and {FORECASTS}" if mine else ""


def read(source: Source, reading: Reading) -> Iterator[Record]:
    """Give questions with outcomes, then forecasts with withdrawals, then the scores it states."""
    spaces: dict[str, OutcomeSpace] = {}
    unread: dict[str, str] = {}
    for line, row in source.rows(QUESTIONS):
        with faulty() as fault:
            stated, settled = question(row)
            spaces[row["Question ID"]] = space_of(stated)
            yield Facts(f"{NAME}-{row['Question ID']}", stated, line)
            if settled is not None:
                yield outcome(row["Question ID"], settled, stated, line)
        if fault.reason:
            unread[row.get("Question ID", "")] = f"is refused in line {line} of {QUESTIONS}"
            unread[row.get("Question ID", "")] += f" ({fault.reason})"
            yield Refused(line, f"{QUESTIONS}: {fault.reason}")
    yield from _forecasts(source, spaces, unread)
    if source.has_member(SCORES):
        for line, row in source.rows(SCORES):
            who = _who(row, "User ID", "User Username", "User (Anonymized)")
            with faulty() as fault:
                yield Scored(
                    line,
                    f"{NAME}-{row['Question ID']}",
                    who,
                    row["Score Type"].strip().lower(),
                    float(number(row["Score"], name="Score")),
                )
            if fault.reason:
                yield Note(f"{SCORES}:{line}: {fault.reason}")
    if source.has_member("comment_data.csv"):
        count = sum(1 for _ in source.rows("comment_data.csv"))
        yield Note(f"{count:,} comment{'s' * (count != 1)} on questions not read")


def question(row: Mapping[str, str]) -> tuple[dict[str, Any], tuple[str, dt.datetime] | None]:
    """Read what a row states of a question, and its outcome with its moment."""
    kind = row["Question Type"].strip().lower()
    title, label = row["Question Title"].strip(), row.get("Label", "").strip()
    opens = instant(row["Open Time"] or row["Post Published Time"], name="Open Time")
    stated: dict[str, Any] = {
        "title": f"{title} ({label})" if label and label not in title else title,
        "opens": opens,
        "closes": instant(row["Scheduled Close Time"], name="Scheduled Close Time"),
        "event": f"{NAME}-post-{row['Post ID']}",
        "tags": tuple(sorted({NAME, *map(str, listed(row.get("Categories", "")))})),
        "url": row.get("Question URL") or f"{SITE}{row['Post ID']}/",
        "bots_count": _flag(row.get("Include Bots in Aggregates", ""), "Include Bots") is not False,
    }
    if row.get("CP Reveal Time"):
        stated["spot_at"] = instant(row["CP Reveal Time"], name="CP Reveal Time")
    if row.get("Actual Close Time"):
        stated["closed_at"] = instant(row["Actual Close Time"], name="Actual Close Time")
    if kind == "multiple_choice":
        cells = map(row.get, ("MC Options (All)", "MC Options (Current)", "MC Options"))
        options = next(filter(None, (listed(cell or "") for cell in cells)), [])
        stated |= {"type": "categorical", "options": tuple(map(str, options))}
    elif kind in CONTINUOUS and row.get("Scaling"):
        stated |= _scaling(row["Scaling"], kind)
    elif kind in CONTINUOUS:
        grid = [place(cell, "Continuous Range") for cell in listed(row["Continuous Range"])]
        lower, upper = place(row["Lower Bound"], "Lower Bound"), place(row["Upper Bound"], "Upper")
        stated |= scale(
            lower, upper, kind=kind,
            zero_point=_zero_point(lower, grid, upper, kind),
            open_lower=row["Open Lower Bound"], open_upper=row["Open Upper Bound"],
        )  # fmt: skip
    elif kind == "binary":
        stated["type"] = "binary"
    else:
        raise InvalidInput(f"Question Type ({plainly(kind)}): is none that is known")
    if not row["Resolution"].strip():
        return stated, None
    known = instant(
        row["Resolution Known Time"] or row["Actual Close Time"], name="Resolution Known Time"
    )
    return stated, (row["Resolution"].strip(), known)


def _zero_point(lower: float, grid: Sequence[float], upper: float, kind: str) -> float | None:
    """Give the zero point that a grid shows; one of an even number loses its last value."""
    if len(grid) < 3:
        return None
    if len(grid) % 2 == 0:
        grid, upper = grid[:-1], grid[-2]
    slack = _CUT if kind == "date" else 0.0
    return zero_point_of(lower, grid[len(grid) // 2], upper, slack=slack)


def _scaling(cell: str, kind: str) -> dict[str, Any]:
    """Read the range of a zip of 2024, one object in Python's writing; of dates in seconds."""
    try:
        given = ast.literal_eval(cell.strip())
        low, high, zero = (given[key] for key in ("Range Min", "Range Max", "Zero Point"))
        ends = [str(given[f"Open {end} Bound"]) for end in ("Lower", "Upper")]
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError, KeyError) as broken:
        raise InvalidInput(f"Scaling ({plainly(cell[:40])}): is no range") from broken
    unit = _DAY.total_seconds() if kind == "date" else 1.0
    return scale(
        float(number(low, name="Range Min")) / unit, float(number(high, name="Range Max")) / unit,
        kind=kind, zero_point=None if zero is None else float(number(zero, name="Zero")) / unit,
        open_lower=ends[0], open_upper=ends[1],
    )  # fmt: skip


def scale(
    lower: float,
    upper: float,
    *,
    kind: str,
    zero_point: float | None,
    open_lower: str,
    open_upper: str,
) -> dict[str, Any]:
    """Give what is stated of a continuous question's range."""
    low, high = (_flag(cell, "open bound") for cell in (open_lower, open_upper))
    stated: dict[str, Any] = {"type": "numeric", "lower": lower, "upper": upper}
    if kind == "date":
        stated["unit"] = DAYS
    if zero_point is not None:
        stated["zero_point"] = zero_point
    if low or high:
        stated["open_bounds"] = "both" if low and high else "lower" if low else "upper"
    return stated


def _flag(cell: str, name: str) -> bool | None:
    """Read true or false, as Python, PostgreSQL or JSON writes it; None where neither stands."""
    word = cell.strip().lower()
    if word not in ("true", "t", "1", "false", "f", "0", "none", "null", ""):
        raise InvalidInput(f"{name} ({plainly(cell)}): must be true or false")
    return None if word in ("none", "null", "") else word in ("true", "t", "1")


def space_of(stated: Mapping[str, Any]) -> OutcomeSpace:
    """Give the outcome space that is stated."""
    return questions.space_of(stated, (), Counter())


def outcome(
    number_of: str, settled: tuple[str, dt.datetime], stated: Mapping[str, Any], line: int
) -> StatedOutcome:
    """Give an outcome as it is recorded: an ambiguous one is annulled, and says so."""
    word, at = settled
    closed = stated.get("closed_at", at)
    note, plain = "", word.lower()
    if plain in ("annulled", "ambiguous"):
        word, note = "annulled", plain
    elif plain in ("below_lower_bound", "above_upper_bound"):
        word, note = ("below" if plain.startswith("below") else "above"), plain
    elif stated["type"] == "numeric":
        word = decimal_text(place(word, "Resolution"))
    return StatedOutcome(
        line=line,
        question=f"{NAME}-{number_of}",
        outcome=word,
        resolved_at=closed if closed < stated["closes"] else at,
        source=stated["url"] or "Metaculus",
        note=note,
        stated_at=at,
    )


def place(cell: Any, name: str) -> float:
    """Read a number, or a date as days since 1970."""
    text = str(cell).strip()
    if re.match(r"\d{4}-\d{2}-\d{2}", text):
        if len(text) == 10:
            text += "T00:00:00+00:00"
        return days_since(instant(text, name=name))
    return float(number(text, name=name))


def listed(cell: str) -> list[Any]:
    """Read a list written as Python or JSON writes it; an empty cell holds none.

    Only literals are read: a call is refused, and runs nothing.

    >>> listed("['a', None]"), listed("[0.10, 1e-3]"), listed("")
    (['a', None], ['0.10', '1e-3'], [])
    """
    text = cell.strip()
    if not text or text == "None":
        return []
    try:
        items = json.loads(text, parse_float=str, parse_int=str)
    except (ValueError, RecursionError):
        try:
            items = ast.literal_eval(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError) as broken:
            msg = f"list ({plainly(text[:40])}): is no list of numbers or texts"
            raise InvalidInput(msg) from broken
    if isinstance(items, tuple):
        items = list(items)
    if not isinstance(items, list):
        raise InvalidInput(f"list ({plainly(text[:40])}): is no list")
    return items


def _who(row: Mapping[str, str], number_of: str, name: str, hidden: str) -> str:
    if hidden in row:
        who = row[hidden].strip()
        return who[:12] if _HASH.fullmatch(who) else f"crowd:{NAME}/{who}"
    who = row[name].strip()
    return who if row[number_of].strip() else f"crowd:{NAME}/{who}"


def _forecasts(
    source: Source, spaces: Mapping[str, OutcomeSpace], unread: Mapping[str, str]
) -> Iterator[Record]:
    early, bots = 0, set[str]()
    ends: dict[tuple[str, str], list[tuple[dt.datetime, dt.datetime | None, int]]]
    ends = defaultdict(list)
    for line, row in source.rows(FORECASTS):
        with faulty() as fault:
            who = _who(row, "Forecaster ID", "Forecaster Username", "Forecaster (Anonymized)")
            if row["Question ID"] not in spaces:
                why = unread.get(row["Question ID"], f"is not in {QUESTIONS}")
                raise InvalidInput(f"question {plainly(row['Question ID'])} {why}")
            value = value_of(
                spaces[row["Question ID"]],
                yes=row["Probability Yes"],
                options=row["Probability Yes Per Category"],
                cdf=row["Continuous CDF"],
                unnormalised=who.endswith("/geometric_mean"),
            )
            start = instant(row["Start Time"], name="Start Time")
            end = instant(row["End Time"], name="End Time") if row["End Time"].strip() else None
            ends[row["Question ID"], who].append((start, end, line))
            if who not in bots and _flag(row.get("Is Bot", ""), "Is Bot"):
                bots.add(who)
                yield Bot(who)
            early += value.shape == "options" and "0" in value.entered
            yield StatedForecast(line, f"{NAME}-{row['Question ID']}", who, value, start)
        if fault.reason:
            yield Refused(line, f"{FORECASTS}: {fault.reason}")
    if early:
        yield Note(
            f"{early:,} forecast{'s' * (early != 1)} made before an option was offered: it stands "
            "at 0 here, and Metaculus reads it from the last option"
        )
    for (of, who), spans in ends.items():
        begun = {start for start, _, _ in spans}
        for _, end, line in spans:
            if end is not None and end not in begun:
                yield StatedForecast(line, f"{NAME}-{of}", who, WITHDRAWN, end)


def value_of(
    space: OutcomeSpace, *, yes: str, options: str, cdf: str, unnormalised: bool = False
) -> Value:
    """Give the value of a forecast from the column that holds it."""
    if space.type == "binary":
        if yes.strip():
            return Value("binary", ("yes",), (probability(yes, name="Probability Yes"),))
        both = [float(one) for one in listed(options)]
        if len(both) != 2:
            raise InvalidInput("Probability Yes: is missing")
        return Value("binary", ("yes",), (decimal_text(both[1] / sum(both)),))
    if space.type == "categorical":
        return _options(space, listed(options), unnormalised=unnormalised)
    if not cdf.strip() and options.strip():
        masses = np.array([float(one) for one in listed(options)])
        heights = np.minimum(np.cumsum(masses / masses.sum())[:-1], 1.0)
        return cdf_value(space, [decimal_text(round(float(one), 12)) for one in heights])
    return cdf_value(space, [str(step) for step in listed(cdf)])


def _options(space: OutcomeSpace, cells: Sequence[Any], *, unnormalised: bool) -> Value:
    # 0 stands for an option that was not offered yet: nobody may give 0 to one that was.
    shares = [Decimal(0) if one is None else number(one, name="option") for one in cells]
    shares += [Decimal(0)] * (len(space.options) - len(shares))
    total = sum(shares, Decimal(0))
    if len(shares) != len(space.options) or total <= 0:
        msg = f"options ({len(cells)} probabilities): the question has {len(space.options)}"
        raise InvalidInput(msg)
    if unnormalised:
        shares = [Decimal(decimal_text(round(float(one / total), 15))) for one in shares]
        total = sum(shares, Decimal(0))
    if abs(total - 1) > _ROUNDING:
        raise InvalidInput(f"options (sum {float(total):.6g}): must sum to 1")
    shares[shares.index(max(shares))] += 1 - total
    return Value("options", space.options, tuple(probability(one) for one in shares))


def _rows(history: QuestionHistory) -> tuple[Any, int, str, int]:
    """Give forecasts, outcome, type and open bounds as the scores of Metaculus take them."""
    space = history.question.space
    if space.type == "binary":
        return (
            [one.value.numbers[0] for one in history.forecasts],
            int(history.outcome == "yes"),
            "binary",
            0,
        )
    if space.type == "categorical":
        rows = [[p or nan for p in one.value.numbers] for one in history.forecasts]
        return rows, space.options.index(history.outcome), "multiple_choice", 0
    quantiles = [
        dict(
            zip([float(level) / 100 for level in one.value.labels], one.value.numbers, strict=True)
        )
        for one in history.forecasts
    ]
    edges = {space.lower, space.upper}
    steps = max(len(edges | set(one.values())) - 1 for one in quantiles)
    rows = [pmf(one, space, steps) for one in quantiles]
    rows = [[max(mass, 0.0) for mass in row] for row in rows]
    return (
        rows,
        bucket(space, history.outcome, steps),
        "pmf",
        {"": 0, "both": 2}.get(space.open_bounds, 1),
    )


def _people(history: QuestionHistory) -> QuestionHistory:
    return history._replace(
        forecasts=[one for one in history.forecasts if not one.forecaster.startswith(NOBODY)]
    )


def _counts(history: QuestionHistory, forecaster: str) -> bool:
    """Whether somebody is of the crowd that others are scored against."""
    return bool(history.stated.get("bots_count", True)) or forecaster not in history.bots


def _summed(history: QuestionHistory, score: Any) -> dict[str, float]:
    totals: dict[str, float] = defaultdict(float)
    covered: dict[str, float] = defaultdict(float)
    for one, points, coverage in zip(history.forecasts, score.score, score.coverage, strict=True):
        totals[one.forecaster] += float(points)
        covered[one.forecaster] += float(coverage)
    return {name: points for name, points in totals.items() if covered[name] > 0}


def _times(history: QuestionHistory) -> dict[str, Any]:
    withdrawals: dict[str, list[float]] = defaultdict(list)
    for taken in history.withdrawals:
        withdrawals[taken.forecaster].append(taken.withdrawn_at.timestamp())
    return {
        "issued_at": [one.issued_at.timestamp() for one in history.forecasts],
        "withdrawn_at": [
            min((at for at in withdrawals[one.forecaster] if at >= one.issued_at.timestamp()),
                default=np.inf)
            for one in history.forecasts
        ],
        "forecaster": [one.forecaster for one in history.forecasts],
    }  # fmt: skip


def _window(history: QuestionHistory) -> dict[str, Any]:
    closed: dt.datetime = history.stated.get("closed_at") or history.closed_at
    return {
        "opens": history.question.opens.timestamp(),
        "closes": history.question.closes.timestamp(),
        "closed_at": closed.timestamp(),
    }


def _spot(history: QuestionHistory) -> float:
    closed: dt.datetime = history.stated.get("closed_at") or history.closed_at
    return float(min(history.stated.get("spot_at", closed), closed).timestamp())


def _scored(score: Callable[..., scoring.Points], history: QuestionHistory) -> dict[str, float]:
    """Score everybody by a rule of the platform: against chance, or people against each other."""
    spot, of_people = score in _SPOT, score in _OF_PEOPLE
    if of_people:
        history = _people(history)
        people = {one.forecaster for one in history.forecasts}
        if sum(_counts(history, one) for one in people) < 2:
            # Of one alone nothing can be said.
            return {}
    rows, resolved_to, kind, ends = _rows(history)
    when = {"at": _spot(history)} if spot else _window(history)
    more: dict[str, Any] = {"open_bounds": ends}
    if of_people:
        more = {"in_crowd": [_counts(history, one.forecaster) for one in history.forecasts]}
    return _summed(
        history, score(rows, resolved_to, question_type=kind, **more, **when, **_times(history))
    )


_SPOT = (scoring.spot_baseline, scoring.spot_peer)
_OF_PEOPLE = (scoring.peer, scoring.spot_peer)
_POINTS = "points, larger is better, 0 is chance"
_OTHERS = "points, larger is better, 0 is the others"
_CROWD = "needs everybody's forecasts, which a file of one's own does not hold"


def _of_others(history: QuestionHistory) -> str:
    """Say why a score against others may differ from the one that a file of several states."""
    if history.question.space.type == "categorical" and any(
        0 in one.value.numbers for one in _people(history).forecasts
    ):
        return (
            "some forecast before an option was offered: the crowd's number of it is then read "
            "from the last option for everybody, as in Metaculus' own tests, and not from each who "
            "lacked it"
        )
    return (
        "counts everybody in the file whom the question counts; it may leave people out, and of "
        "the bots of one owner Metaculus counts one"
    )


RULES = {
    "baseline": PlatformRule(
        partial(_scored, scoring.baseline), _POINTS, "silence counts as chance here too"
    ),
    "peer": PlatformRule(partial(_scored, scoring.peer), _OTHERS, _CROWD, _of_others),
    "spot_baseline": PlatformRule(
        partial(_scored, scoring.spot_baseline),
        _POINTS,
        "the moment is the reveal of the crowd, which the file may not state",
    ),
    "spot_peer": PlatformRule(partial(_scored, scoring.spot_peer), _OTHERS, _CROWD, _of_others),
}

FORMAT = Format(
    name=NAME,
    what="a Metaculus zip (question_data.csv and forecast_data.csv)",
    looks_like=looks_like,
    read=read,
    rules=RULES,
    lacks=lacks,
)
