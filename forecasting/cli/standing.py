"""My number, the model's and the difference, short enough for a row of a list."""

from collections.abc import Mapping
from typing import Any

from forecasting.cli.output import settings_or_default

BY = "by: the end of that day, in the question's zone"
BRIEF = "; of options the likeliest, of numbers the median (--wide shows all)"


def brief(row: Mapping[str, Any], mine: str = "mine", model: str = "model") -> Mapping[str, Any]:
    """Shorten what was said of options and of numbers; a withdrawn forecast is the word.

    The option shown is the one that is likeliest in my forecast, else in the model's. Scripts and
    ``--wide`` get the row as it is.
    """
    if settings_or_default().format != "table":
        return row
    if isinstance(age := row.get("age_days"), float):
        row = {**row, "age_days": round(age)}
    row = {**row, mine: "withdrawn"} if row.get("withdrawn") else row
    said = next((row[name] for name in (mine, model) if isinstance(row.get(name), Mapping)), None)
    if settings_or_default().wide or not said:
        return row
    from forecasting.domain.forecast import Quantiles

    if isinstance(said, Quantiles):
        chosen = {name: _median(row.get(name)) for name in (mine, model)}
    else:
        likeliest = max(said, key=lambda option: said[option])
        chosen = {name: _of(row.get(name), likeliest) for name in (mine, model)}
        apart = row.get("difference")
        if isinstance(apart, Mapping):
            chosen["difference"] = apart.get(likeliest)
    return {**row, **chosen}


def _of(said: Any, option: str) -> Any:
    return {option: said[option]} if isinstance(said, Mapping) and option in said else said


def _median(said: Any) -> Any:
    from forecasting.domain.forecast import Quantiles

    if not isinstance(said, Quantiles):
        return said
    level = min(said, key=lambda each: abs(float(each) - 50))
    return Quantiles({level: said[level]})


def ruled(row: Mapping[str, Any]) -> str:
    """Name the rule of a row with its convention: brier (half), crps."""
    convention = row.get("convention")
    return f"{row['rule']} ({convention})" if convention else str(row["rule"])
