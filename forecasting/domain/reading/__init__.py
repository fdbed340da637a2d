"""One reading of each kind of value, for every door: command line, YAML, CSV, JSON lines, Python.

What has one meaning is understood however it is spelled; what has two is refused as
:class:`Ambiguous`, with the argument that settles it; what is no value at all is refused as such.
Nothing is guessed from the neighbours of a value.
"""

from forecasting.domain.reading.instants import day, day_word, local_clock, moment
from forecasting.domain.reading.manner import Ambiguous, Damaged, Manner, of_file, plainly
from forecasting.domain.reading.names import forecaster, option, question_id
from forecasting.domain.reading.numbers import number, tidied, unmistakable
from forecasting.domain.reading.outcomes import outcome
from forecasting.domain.reading.probabilities import probability
from forecasting.domain.reading.quantities import level, quantity

__all__ = [
    "Ambiguous",
    "Damaged",
    "Manner",
    "day",
    "day_word",
    "forecaster",
    "level",
    "local_clock",
    "moment",
    "number",
    "of_file",
    "option",
    "outcome",
    "plainly",
    "probability",
    "quantity",
    "question_id",
    "tidied",
    "unmistakable",
]
