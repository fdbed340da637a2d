"""The one real crowd of yes-no questions beside the checkout, as a table of forecasts."""

import pandas as pd


def forecastbench(shared):
    """Give what a crowd said when each question was frozen; no outcome where none is known."""
    table = pd.read_csv(shared / "data" / "forecastbench_ukraine_iran.csv").dropna(subset="crowd")
    table = table.dropna(subset="freeze_datetime")
    known = table["resolved"].eq(True) & table["resolved_to"].isin([0, 1])
    return pd.DataFrame(
        {
            "question": table["source"] + table["id"].astype(str),
            "forecaster": "crowd",
            "forecast": table["crowd"],
            "issued_at": pd.to_datetime(table["freeze_datetime"], utc=True),
            "outcome": table["resolved_to"].where(known),
            "resolved_at": pd.to_datetime(table["resolution_date"], utc=True),
        }
    )
