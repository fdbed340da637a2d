"""The review: numbers for every table and picture, drawings of them, and the HTML page."""

from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
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


def __getattr__(name: str) -> Any:
    """Load the page when it is wanted: the app takes its words and filters alone."""
    if name in ("render", "write"):
        from forecasting.review import page

        return getattr(page, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
