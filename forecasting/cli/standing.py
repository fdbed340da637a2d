"""My number, the model's and the difference, short enough for a row of a list."""

from collections.abc import Mapping
from typing import Any

from forecasting.cli.output import settings

BY = "by: the end of that day, in the question's zone"
BRIEF = "; of options the likeliest, of numbers the median (--wide shows all)"


def brief(row: Mapping[str, Any], mine: str = "mine", model: str = "model") -> Mapping[str, Any]:
    """Shorten what was said of options and of numbers; a withdrawn forecast is the word.

    Of options each shows its own likeliest; the difference is that of mine, named where the model's
    is another. Scripts and ``--wide`` get the row as it is.
    """
    if settings().format != "table":
        return row
    if isinstance(age := row.get("age_days"), float):
        row = {**row, "age_days": round(age)}
    row = {**row, mine: "withdrawn"} if row.get("withdrawn") else row
    said = next((row[name] for name in (mine, model) if isinstance(row.get(name), Mapping)), None)
    if settings().wide or not said:
        return row
    from forecasting.domain.forecast import Quantiles

    if isinstance(said, Quantiles):
        chosen = {name: _median(row.get(name)) for name in (mine, model)}
    else:
        chosen = {name: _likeliest(row.get(name)) for name in (mine, model)}
        option = max(said, key=lambda each: said[each])
        apart = row.get("difference")
        if isinstance(apart, Mapping):
            alike = not isinstance(chosen[model], Mapping) or option in chosen[model]
            found = apart.get(option)
            chosen["difference"] = found if alike or found is None else {option: found}
    return {**row, **chosen}


def _likeliest(said: Any) -> Any:
    if not isinstance(said, Mapping) or not said:
        return said
    option = max(said, key=lambda each: said[each])
    return {option: said[option]}


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
