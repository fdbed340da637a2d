"""Forecast questions, models and scores for geopolitical analysts, kept in a ledger."""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from forecasting.app.book import Book
    from forecasting.app.book import open_book as open

__all__ = ["Book", "__version__", "open"]


def __getattr__(name: str) -> Any:
    """Load the public names on first use, so that `import forecasting` stays light."""
    if name in {"open", "Book"}:
        from forecasting.app import book

        return book.open_book if name == "open" else book.Book
    if name == "models":
        import importlib

        return importlib.import_module("forecasting.models")
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
