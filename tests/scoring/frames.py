"""Frames of forecasts as the scores over a lifetime read them."""

import pandas as pd

START = pd.Timestamp("2025-03-01", tz="UTC")
DAY = pd.Timedelta(days=1)


def day(number):
    return START + number * DAY


def frame(forecasts, issued, **more):
    """One question, yes, of one forecaster and ten days; a forecast is issued on each day given."""
    return pd.DataFrame(
        {
            "question": "q",
            "forecaster": "me",
            "forecast": pd.Series(forecasts, dtype=object).infer_objects(),
            "issued_at": [day(number) for number in issued],
            "withdrawn_at": pd.NaT,
            "opens": START,
            "closes": day(10),
            "closed_at": pd.NaT,
            "outcome": 1,
        }
        | more
    )
