"""My number, the model's and the difference, short enough for a row of a list."""

from collections.abc import Mapping
from typing import Any

from forecasting.cli.output import settings

BY = "by: the end of that day, in the question's zone"
SIDES = ("mine", "model")
BRIEF = "; of options the likeliest, of numbers the median (--wide shows all)"


def brief(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Shorten forecasts of options and of numbers; one that was withdrawn becomes that word."""
    if settings().format != "table":
        return row
    if isinstance(age := row.get("age_days"), float):
        row = {**row, "age_days": round(age)}
    row = {**row, "mine": "withdrawn"} if row.get("withdrawn") else row
    answer = next((row[name] for name in SIDES if isinstance(row.get(name), Mapping)), None)
    if settings().wide or not answer:
        return row
    from forecasting.domain.forecast import Quantiles

    if isinstance(answer, Quantiles):
        chosen = {name: _median(row.get(name)) for name in SIDES}
    else:
        chosen = {name: _likeliest(row.get(name)) for name in SIDES}
        option = max(answer, key=lambda each: answer[each])
        apart = row.get("difference")
        if isinstance(apart, Mapping):
            alike = not isinstance(chosen["model"], Mapping) or option in chosen["model"]
            difference = apart.get(option)
            chosen["difference"] = (
                difference if alike or difference is None else {option: difference}
            )
    return {**row, **chosen}


def _likeliest(answer: Any) -> Any:
    if not isinstance(answer, Mapping) or not answer:
        return answer
    option = max(answer, key=lambda each: answer[each])
    return {option: answer[option]}


def _median(answer: Any) -> Any:
    from forecasting.domain.forecast import Quantiles

    if not isinstance(answer, Quantiles):
        return answer
    return Quantiles({"50": answer.middle})
