"""Review: how good the forecasts were, of whom, and what was left out."""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from forecasting.domain.forecasters import MODEL
from forecasting.review import charts, tables
from forecasting.review.plot import NARROW
from forecasting.web.compute import address, figures
from forecasting.web.routes import get
from forecasting.web.visit import Visit

#: With fewer events a mean of a part says little, and the page says so.
LEAST = 8
#: Questions shown of where one's own number helped most, and hurt most.
MOST = 5


def review(visit: Visit) -> Response:
    """Show the review of the visitor, or of whom they ask for."""
    who = visit.query.get("who") or visit.who
    kind = visit.query.get("kind") or "live"
    tag = visit.query.get("tag")
    again = visit.query.get("again") == "1"
    soon = visit.query.get("too_soon") == "1"
    numbers = figures(visit, "review", who, kind, tag, soon, again=again)
    drawn = _charts(numbers.result) if numbers.result else {}
    return visit.page(
        "review.html.j2",
        who=who,
        kind=kind,
        tag=tag,
        soon=soon,
        figures=numbers,
        here=address(visit),
        again=address(visit, again="1"),
        with_soon=address(visit, too_soon="1"),
        least=LEAST,
        most=MOST,
        **{
            "reliability": None,
            "months": None,
            "narrow_months": None,
            "boards": (),
            "parts": (),
            "helped": (),
        }
        | drawn,
    )


def _charts(r: Mapping[str, Any]) -> dict[str, Any]:
    """Lay out what the templates draw."""
    months = [row for row in r["months"] if row["type"] == "binary"]
    return {
        "reliability": charts.reliability(r["calibration"]["curve"], r["histogram"]),
        "months": charts.over_months(months),
        "narrow_months": charts.over_months(months, width=NARROW.width),
        "boards": tables.boards(r["scores"]),
        "parts": [
            ("By topic", "topic", _beside(r["topics"], "topic", r["who"])),
            ("By horizon", "horizon", _beside(r["horizons"], "horizon", r["who"])),
            ("By month of the close", "month", _beside(r["months"], "month", r["who"])),
        ],
        "helped": _override_counts(r["override"]),
    }


def _beside(rows: Sequence[Mapping[str, Any]], by: str, who: str) -> list[dict[str, Any]]:
    """Put the model's row beside one's own, by group and type of question."""
    by_group: dict[tuple[str, str, str], dict[str, Any]] = {}
    for row in rows:
        key = (str(row[by]), row["type"], row["unit"])
        place = by_group.setdefault(
            key, {"group": key[0], "type": key[1], "own": None, "model": None}
        )
        place["model" if row["forecaster"] == MODEL and who != MODEL else "own"] = row
    return [row for row in by_group.values() if row["own"] is not None]


def _override_counts(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Count on how many questions one's own number did better than the model's."""
    better = [row for row in rows if row["difference"] < -tables.SAME]
    worse = [row for row in rows if row["difference"] > tables.SAME]
    return {
        "better": len(better),
        "worse": len(worse),
        "same": len(rows) - len(better) - len(worse),
        "most": better[:MOST],
        "least": worse[::-1][:MOST],
    }


ROUTES = [get("/review", review)]
