"""One world per bank: what moves it, how it is learned, and how it is asked.

``graphs()`` gives the three PyMC graphs, ``kinds()`` the kinds of process, those of installed
plug-ins included; ``get(name)`` gives one of either. PyMC is imported when a graph is built.
"""

from forecasting.models.registry import WORLD_VERSION, get, graphs, kinds

__all__ = ["WORLD_VERSION", "get", "graphs", "kinds"]
