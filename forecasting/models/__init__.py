"""Model families for questions: from encoded evidence to a probability for every draw.

``families()`` and ``get(name)`` read the entry-point group ``forecasting.models``; a family is
imported when it is asked for, and PyMC when a model is built.
"""

from forecasting.models.registry import families, get

__all__ = ["families", "get"]
