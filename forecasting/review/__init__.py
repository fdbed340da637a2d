"""The review: numbers for every table and picture, drawings of them, and the HTML page."""

from forecasting.review.data import (
    Cause,
    ClaimRow,
    Events,
    Fan,
    LinkRow,
    Mark,
    Moved,
    Point,
    ProcessRow,
    QuestionPath,
    ReviewData,
    Run,
    TextCard,
    WorldPage,
)
from forecasting.review.page import render, write

__all__ = [
    "Cause",
    "ClaimRow",
    "Events",
    "Fan",
    "LinkRow",
    "Mark",
    "Moved",
    "Point",
    "ProcessRow",
    "QuestionPath",
    "ReviewData",
    "Run",
    "TextCard",
    "WorldPage",
    "render",
    "write",
]
