"""Forecast questions, models and scores for geopolitical analysts, kept in a ledger."""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from forecasting.app.book import Book
    from forecasting.app.book import init_workspace as init
    from forecasting.app.book import open_book as open

__all__ = ["Book", "__version__", "init", "open"]


def __getattr__(name: str) -> Any:
    """Load the public names on first use, so that `import forecasting` stays light."""
    if name in {"open", "init", "Book"}:
        from forecasting.app import book

        return {"open": book.open_book, "init": book.init_workspace, "Book": book.Book}[name]
    if name == "models":
        import importlib

        return importlib.import_module("forecasting.models")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
