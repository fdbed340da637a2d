"""The review: numbers for every table and picture, drawings of them, and the HTML page."""

from forecasting.review.data import (
    ClaimRow,
    Events,
    Mark,
    Point,
    QuestionPath,
    ReviewData,
    Run,
    TextCard,
)
from forecasting.review.page import render, write

__all__ = [
    "ClaimRow",
    "Events",
    "Mark",
    "Point",
    "QuestionPath",
    "ReviewData",
    "Run",
    "TextCard",
    "render",
    "write",
]
