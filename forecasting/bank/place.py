"""Where a question stands."""

from dataclasses import dataclass
from typing import Any

from forecasting.bank.schema import QuestionFile
from forecasting.bank.yaml_file import line_of


@dataclass(frozen=True, slots=True)
class Place:
    """Where a question stands: file, raw tree with lines, checked shape, zone of its days."""

    source: str
    tree: Any
    file: QuestionFile
    zone: str = ""

    def line(self, *field: str | int) -> int:
        """Find the line of a field."""
        return line_of(self.tree, field)
