"""Read one YAML 1.2 file into a checked model, every fault with its line."""

from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from forecasting.errors import Problem

MAX_BYTES = 1_000_000


def read_yaml[Model: BaseModel](
    path: Path, model: type[Model], source: str
) -> tuple[Model | None, Any, list[Problem]]:
    """Read and validate a file.

    Returns
    -------
    (model, tree, problems)
        The validated model or None; the raw tree with line numbers; every fault found.
    """
    try:
        raw = path.read_bytes()
        if len(raw) > MAX_BYTES:
            return None, None, [Problem(source, 0, "size", f"larger than {MAX_BYTES} bytes")]
        text = raw.decode("utf-8")
    except (OSError, UnicodeDecodeError) as unreadable:
        return (
            None,
            None,
            [Problem(source, 0, "readable", f"cannot be read as UTF-8: {unreadable}")],
        )
    if "\t" in text:
        line = text[: text.index("\t")].count("\n") + 1
        message = "contains a tab"
        return None, None, [Problem(source, line, "yaml", message, "indent with spaces")]
    loader = YAML(typ="rt", pure=True)
    loader.version = None
    loader.allow_duplicate_keys = False
    try:
        tree = loader.load(StringIO(text))
    except MarkedYAMLError as broken:
        mark = broken.problem_mark or broken.context_mark
        line = mark.line + 1 if mark else 0
        reason = (broken.problem or "not YAML").split("\n")[0]
        return None, None, [Problem(source, line, "yaml", f"not YAML 1.2: {reason}")]
    except (YAMLError, ValueError, RecursionError) as broken:
        first = str(broken).split("\n")[0]
        return None, None, [Problem(source, 0, "yaml", f"not YAML 1.2: {first}")]
    if not isinstance(tree, dict):
        return None, None, [Problem(source, 1, "yaml", "must hold a mapping of fields")]
    try:
        return model.model_validate(tree), tree, []
    except ValidationError as invalid:
        problems = [
            Problem(
                source,
                line_of(tree, error["loc"]),
                "field" if error["type"] != "missing" else "missing",
                f"{'.'.join(str(part) for part in error['loc']) or 'file'}: {_plain(error)}",
                "questions/README.md says what each field takes",
            )
            for error in invalid.errors()
        ]
        return None, tree, problems


def _plain(error: Any) -> str:
    message = str(error["msg"]).removeprefix("Value error, ")
    value = error.get("input")
    shown = f" (got {value!r:.60})" if isinstance(value, str | int | float | bool) else ""
    return f"{message[0].lower()}{message[1:]}{shown}"


def line_of(tree: Any, location: Sequence[str | int]) -> int:
    """Find the line of a field in a tree, or of the nearest part of it that exists."""
    line = 1
    node: Any = tree
    for part in location:
        try:
            position = node.lc.key(part) if hasattr(node, "keys") else node.lc.item(part)
            line = int(position[0]) + 1
            node = node[part]
        except (AttributeError, KeyError, IndexError, TypeError):
            break
    return line
