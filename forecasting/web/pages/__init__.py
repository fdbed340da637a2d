"""The pages: each module holds its routes in `ROUTES`, and is found by standing in this folder."""

import pkgutil
from importlib import import_module

from forecasting.web.routes import Route


def routes() -> list[Route]:
    """Give the routes of every page, modules in the order of their names."""
    result: list[Route] = []
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda each: each.name):
        result += import_module(f"{__name__}.{module.name}").ROUTES
    return result
