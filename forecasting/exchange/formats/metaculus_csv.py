"""Metaculus in one table: the dump of its benchmark, a row a forecast (aib-analysis).

Times are as PostgreSQL writes them (``2025-06-15 12:00:00+00``), lists as JSON, booleans ``true``
and ``false``; a question is stated again in every row of its own. The file tells no opening but the
moment of publication. Forecasts carry no end.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from forecasting.domain.outcome import OutcomeSpace
from forecasting.domain.reading import plainly
from forecasting.errors import InvalidInput
from forecasting.exchange.cells import Reading
from forecasting.exchange.format import Format
from forecasting.exchange.formats import metaculus
from forecasting.exchange.record import Facts, Record, Refused, StatedForecast
from forecasting.exchange.source import Head, Source
from forecasting.exchange.values import faulty, instant, number


def looks_like(head: Head) -> bool:
    """Recognise its columns."""
    return head.has(
        *("question_id", "probability_yes", "probability_yes_per_category", "continuous_cdf"),
        *("forecaster", "type", "range_min", "range_max"),
    )


def read(source: Source, reading: Reading) -> Iterator[Record]:
    """Give each forecast, and of each question what its first row states."""
    known: dict[str, OutcomeSpace | str] = {}
    for line, row in source.rows():
        of = row["question_id"]
        if of not in known:
            with faulty() as fault:
                stated, settled = _question(row)
                known[of] = metaculus.space_of(stated)
                yield Facts(f"{metaculus.NAME}-{of}", stated)
                if settled:
                    yield metaculus.outcome(of, settled, stated, line)
            if fault.reason:
                known[of] = fault.reason
        space = known[of]
        if isinstance(space, str):
            yield Refused(line, f"question {plainly(of)}: {space}")
            continue
        with faulty() as fault:
            value = metaculus.value_of(
                space,
                yes=row["probability_yes"],
                options=row["probability_yes_per_category"],
                cdf=row["continuous_cdf"],
            )
            at = instant(row.get("forecast_timestamp") or row["created_at"], name="timestamp")
            yield StatedForecast(line, f"{metaculus.NAME}-{of}", row["forecaster"], value, at)
        yield from fault.refused(line)


def _question(row: Mapping[str, str]) -> tuple[dict[str, Any], Any]:
    kind = row["type"].strip().lower()
    post = row.get("post_id") or row["question_id"]
    stated: dict[str, Any] = {
        "title": row["question_title"].strip(),
        "opens": instant(row.get("open_time") or row["published_at"], name="published_at"),
        "closes": instant(row["scheduled_close_time"], name="scheduled_close_time"),
        "event": f"{metaculus.NAME}-post-{post}",
        "tags": (metaculus.NAME,),
        "url": f"{metaculus.SITE}{post}/",
    }
    for name, column in (("closed_at", "actual_close_time"), ("spot_at", "cp_reveal_time")):
        if row.get(column):
            stated[name] = instant(row[column], name=column)
    if row.get("spot_scoring_time"):
        stated["spot_at"] = instant(row["spot_scoring_time"], name="spot_scoring_time")
    if kind == "binary":
        stated["type"] = "binary"
    elif kind == "multiple_choice":
        options = tuple(map(str, metaculus.listed(row["options"])))
        stated |= {"type": "categorical", "options": options}
    elif kind in metaculus.CONTINUOUS:
        zero = row.get("zero_point", "").strip()
        stated |= metaculus.scale(
            _bound(row["range_min"], kind, "range_min"),
            _bound(row["range_max"], kind, "range_max"),
            kind=kind,
            zero_point=float(number(zero, name="zero_point")) if zero else None,
            open_lower=row["open_lower_bound"],
            open_upper=row["open_upper_bound"],
        )
    else:
        raise InvalidInput(f"type ({plainly(kind)}): is none that is known")
    resolution = row["resolution"].strip()
    if not resolution or resolution.lower() == "none":
        return stated, None
    known = instant(row.get("actual_resolve_time") or row["actual_close_time"], name="resolved")
    return stated, (resolution, known)


def _bound(cell: str, kind: str, name: str) -> float:
    bound = metaculus.place(cell, name)
    # Of a date question the bounds are seconds since 1970.
    return bound / 86400 if kind == "date" and abs(bound) > 1e6 else bound


FORMAT = Format(
    name="metaculus-csv",
    what="a Metaculus benchmark table (a row a forecast)",
    looks_like=looks_like,
    read=read,
    rules=metaculus.RULES,
    platform=metaculus.NAME,
)
