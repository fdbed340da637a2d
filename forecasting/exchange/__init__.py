"""Whole track records in and out: tidy CSV, JSON lines, and what may be kept of them.

The files' layouts are in this package's README.md. Nothing here touches a database: a file becomes
statements, statements and what a ledger holds become a plan, and `app` records the plan.
"""

from forecasting.exchange.case import Existing, Plan
from forecasting.exchange.plan import plan
from forecasting.exchange.record import Facts, Refused, StatedForecast, StatedOutcome, Statements

__all__ = [
    "Existing",
    "Facts",
    "Plan",
    "Refused",
    "StatedForecast",
    "StatedOutcome",
    "Statements",
    "plan",
]
