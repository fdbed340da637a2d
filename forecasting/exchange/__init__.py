"""Whole track records in and out: tidy CSV, JSON lines, and what may be kept of them.

The files' layouts are in this package's README.md. Nothing here touches a database: a file becomes
statements, statements and what a ledger holds become a plan, and `app` records the plan.
"""

from forecasting.exchange.held import Held, Plan
from forecasting.exchange.plan import plan
from forecasting.exchange.record import Facts, Refused, Said, Settled, Statements

__all__ = ["Facts", "Held", "Plan", "Refused", "Said", "Settled", "Statements", "plan"]
