"""Read one YAML 1.2 file into a checked model, every fault with its line."""

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from io import StringIO
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent
from ruamel.yaml.parser import Parser
from ruamel.yaml.scanner import Scanner

from forecasting.errors import InvalidInput, Problem, nearest
from forecasting.files import read_plain

#: Ten times the bank's longest file; reading takes about 0.1 ms a node.
MAX_BYTES = 200_000
MAX_NODES = 4_000
MAX_DEPTH = 30


class _Bounded(Composer):
    """Composes a tree no larger than its text: ten aliases nine times over are a billion items."""

    nodes = 0
    levels = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.parser.peek_event()
        if isinstance(event, AliasEvent) or event.anchor:
            raise MarkedYAMLError(
                problem="anchors and aliases are not allowed", problem_mark=event.start_mark
            )
        self.nodes += 1
        self.levels += 1
        if self.nodes > MAX_NODES or self.levels > MAX_DEPTH:
            most = (
                f"{MAX_NODES:,} fields and items"
                if self.nodes > MAX_NODES
                else f"{MAX_DEPTH} levels"
            )
            raise MarkedYAMLError(problem=f"more than {most}", problem_mark=event.start_mark)
        try:
            return super().compose_node(parent, index)
        finally:
            self.levels -= 1


def read_yaml[Model: BaseModel](
    path: Path, model: type[Model], source: str
) -> tuple[Model | None, Any, list[Problem]]:
    """Read a file: the model or None, the raw tree with line numbers, and every fault found."""
    tree, problems = read_tree(path, source)
    if tree is None:
        return None, None, problems
    if not tree:
        hint = f"its fields are {', '.join(_fields(model, ()))}"
        return None, tree, [Problem(source, 1, "missing", "file: is empty", hint)]
    document, problems = validated(model, tree, tree, source)
    return document, tree, problems


def read_folder[Model: BaseModel](
    root: Path, folder: str, model: type[Model], problems: list[Problem]
) -> Iterator[tuple[str, Any, Model]]:
    """Read the files of a folder of a bank: source, tree and model of each that has no fault."""
    for path in sorted((root / folder).glob("*.yaml")):
        source = str(Path("questions") / path.relative_to(root))
        file, tree, faults = read_yaml(path, model, source)
        problems.extend(faults)
        if file is not None:
            yield source, tree, file


def validated[Model: BaseModel](
    model: type[Model], value: Any, tree: Any, source: str, path: Sequence[Any] = ()
) -> tuple[Model | None, list[Problem]]:
    """Validate what stands at a place of a tree; every fault with its line."""
    try:
        return model.model_validate(value), []
    except ValidationError as invalid:
        return None, [
            Problem(
                source,
                line_of(tree, (*path, *error["loc"])),
                "field" if error["type"] != "missing" else "missing",
                f"{'.'.join(str(part) for part in (*path, *error['loc'])) or 'file'}: "
                f"{_plain(error)}",
                _way_out(error, model),
            )
            # A field that is misspelled is missing too: the first of the two says how to mend it.
            for error in sorted(invalid.errors(), key=lambda e: e["type"] != "extra_forbidden")
        ]


def read_tree(path: Path, source: str) -> tuple[Any, list[Problem]]:
    """Read a file as a mapping with line numbers; None where it is none."""
    try:
        text = read_plain(path, most=MAX_BYTES).decode("utf-8-sig")
    except OSError as unreadable:
        message = f"cannot be read ({unreadable.strerror})"
        return None, [Problem(source, 0, "readable", message)]
    except UnicodeDecodeError as broken:
        line = broken.object[: broken.start].count(b"\n") + 1
        message = f"cannot be read as UTF-8 (byte {broken.object[broken.start]:#04x})"
        return None, [Problem(source, line, "readable", message, "save it as UTF-8")]
    if "\t" in text:
        line = text[: text.index("\t")].count("\n") + 1
        message = "contains a tab"
        return None, [Problem(source, line, "yaml", message, "indent with spaces")]
    loader = YAML(typ="rt", pure=True)
    loader.version = None
    loader.allow_duplicate_keys = False
    loader.Composer = _Bounded
    # Comments are not kept, so they are not gathered either, which takes a tenth of the time.
    loader.Scanner = Scanner
    loader.Parser = Parser
    try:
        tree = loader.load(StringIO(text))
    except MarkedYAMLError as broken:
        mark = broken.problem_mark or broken.context_mark
        line = mark.line + 1 if mark else 0
        return None, [Problem(source, line, "yaml", *_slip(broken))]
    # The others include what ruamel's constructors raise at a bad number, day or tag.
    except (
        YAMLError,
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
        RecursionError,
    ) as broken:
        first = str(broken).split("\n")[0]
        line, day = _no_day(text)
        if day:
            hint = f'a day of the calendar, or "{day}" in quotes where it is text'
            return None, [Problem(source, line, "yaml", f"{day}: is no day", hint)]
        return None, [Problem(source, 0, "yaml", f"not YAML 1.2: {first}")]
    if tree is None:
        # Comments alone: a file that says nothing yet.
        tree = {}
    if not isinstance(tree, dict):
        return None, [Problem(source, 1, "yaml", "must hold a mapping of fields")]
    return tree, []


#: Slips that are common, by what the reader says of them, and the way out of each.
_SLIPS = {
    "mapping values are not allowed": 'quotes around text that holds a colon (title: "Goma: what '
    'next?"), and a space after the colon of a field, here and in the line above',
    "expected ',' or '}'": "within {...}, quotes around text that holds a colon, a comma or a "
    "bracket, and a comma between two fields",
    "could not find expected ':'": "a colon and a space after the name of the field",
    "expected <block end>": "the same indent for the fields of one thing",
    "found character '@'": "quotes around the text",
    "found character '%'": "quotes around the text",
    "found character '`'": "quotes around the text",
}
_DATE = re.compile(r"(?<![\w\"'-])([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?![\w-])")


def _slip(broken: MarkedYAMLError) -> tuple[str, str]:
    """Say what is wrong with a text that is no YAML, and the way out where the slip is common."""
    reason = (broken.problem or "not YAML").split("\n")[0]
    if twice := re.match(r'found duplicate key "(.*?)" with value', reason):
        return f"{twice[1]}: is there twice", "one of the two, or another name"
    hint = next((hint for phrase, hint in _SLIPS.items() if phrase in reason), "")
    return f"not YAML 1.2: {reason}", hint


def _no_day(text: str) -> tuple[int, str]:
    """Find the first day that the calendar does not have, with its line; 0 and '' for none."""
    for number, line in enumerate(text.splitlines(), start=1):
        for match in _DATE.finditer(line.partition(" #")[0]):
            try:
                dt.date(*map(int, match.groups()))
            except ValueError:
                return number, match[0]
    return 0, ""


def _plain(error: Any) -> str:
    if error["type"] == "extra_forbidden":
        return "there is no such field"
    cause = error.get("ctx", {}).get("error")
    if isinstance(cause, InvalidInput):
        return cause.message
    if error["type"] == "string_too_short":
        least = error["ctx"]["min_length"]
        return f"must have {least} letters or more (got {error['input']!r:.60})"
    if error["type"] == "model_type":
        return "must hold fields"
    message = str(error["msg"]).removeprefix("Value error, ")
    value = error.get("input")
    shown = f" (got {value!r:.60})" if isinstance(value, str | int | float | bool) else ""
    return f"{message[0].lower()}{message[1:]}{shown}"


def _way_out(error: Any, model: type[BaseModel]) -> str:
    cause = error.get("ctx", {}).get("error")
    if isinstance(cause, InvalidInput) and cause.hint:
        return cause.hint
    if error["type"] in ("value_error", "string_too_short"):
        return ""  # it was the right field: the names of the others mend nothing
    *path, last = error["loc"] or ("",)
    names = _fields(model, path)
    if error["type"] not in ("extra_forbidden", "missing"):
        # The field is there; what it may hold is said already.
        return ""
    near = nearest(str(last), names) if error["type"] == "extra_forbidden" else ""
    return near or f"its fields are {', '.join(names)}"


def _fields(model: type[BaseModel], path: Sequence[str | int]) -> list[str]:
    """Name the fields of the model that stands at a place, or of the last one on the way there."""
    for part in path:
        info = next((f for n, f in model.model_fields.items() if part in (n, f.alias)), None)
        inner = [] if info is None else list(_models(info.annotation))
        model = inner[0] if inner else model
    return [field.alias or name for name, field in model.model_fields.items()]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Find the models within a type such as ``dict[str, Move | str] | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)


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
