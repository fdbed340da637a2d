"""Where a question stands."""

from dataclasses import dataclass
from typing import Any

from forecasting.bank.schema import QuestionFile
from forecasting.bank.yaml_file import line_of


@dataclass(frozen=True, slots=True)
class Place:
    """Where a question stands: its file, the raw tree with line numbers, the checked shape.

    `zone` is that of the days in a file which states none.
    """

    source: str
    tree: Any
    file: QuestionFile
    zone: str = ""

    def line(self, *field: str | int) -> int:
        """Find the line of a field."""
        return line_of(self.tree, field)
