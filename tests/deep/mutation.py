"""Small faults put into the ledger one at a time, to see whether its tests notice.

A mutant is one change of one node of a module's syntax tree: a comparison turned round or moved by
one, a condition negated, ``and`` for ``or``, a constant changed, an element of a list left out, a
word of a guard's SQL turned round, a statement dropped, a result not given. Each is written into a
copy of the checkout, never into the checkout. The tests run on it in a process forked from one
that has imported what the package needs; a mutant is killed when they fail, or take too long.

As a script, ``python tests/deep/mutation.py [HOW MANY | all] [PATTERN]`` prints what survives.
"""

import ast
import copy
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
STORE = "forecasting/store"
MODULES = ("append", "canonical", "form", "verify", "drafts", "triggers", "values")
#: What runs on a server alone; tests/store/test_postgresql.py has its laws.
ON_A_SERVER = ("_postgresql", "_found_postgresql", "_COUNTS.postgresql", "_SUMS.postgresql")
#: The fastest first: a mutant is tried until one test fails.
TESTS = (
    "tests/store/test_chain.py",
    "tests/store/test_guards.py",
    "tests/store/test_append_only.py",
    "tests/store/test_round_trip.py",
    "tests/store/test_edges.py",
    "tests/store/test_verify_laws.py",
    "tests/store/test_tamper.py",
)
#: What a survivor of the first is tried on.
FURTHER = (
    "tests/app/test_seal.py::test_a_reveal_that_was_forged_past_the_tool_is_found_by_its_seal",
    "tests/app/test_seal.py::test_every_shape_of_forecast_is_sealed_and_revealed",
    "tests/app/test_redact.py::test_the_text_goes_and_the_forecast_its_hash_and_the_chain_stay",
)
#: How long a first run, on the code as it is, may take; a mutant may take twice what it took.
SECONDS = 600.0
_PROFILE = "mutation"
_OF_A_SERVER = ("connection.dialect.name == 'postgresql'", "by_name")
# What makes no difference to a result: how a class is made, printed, cached or typed.
_SKIPPED_CALLS = {"field", "cast", "TypeVar", "lru_cache"}
_MESSAGES = {"msg", "message", "hint"}

_COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
}
_SQL = re.compile(
    r" <> | = | < | > | AND | OR |NOT EXISTS|(?<!NOT )EXISTS|IS NOT NULL|IS NULL|\bmax\b|\bmin\b"
    r"|BEFORE|\bAFTER\b|(?<!SELECT )\b\d+(?:e-\d+)?\b| \+ | - "
)
_TURNED = {
    **{" <> ": " = ", " = ": " <> ", " < ": " <= ", " > ": " >= ", " AND ": " OR "},
    **{" OR ": " AND ", "NOT EXISTS": "EXISTS", "EXISTS": "NOT EXISTS", "max": "min"},
    **{"min": "max", "IS NOT NULL": "IS NULL", "IS NULL": "IS NOT NULL", "BEFORE": "AFTER"},
    **{"AFTER": "BEFORE", " + ": " - ", " - ": " + "},
}


class Mutant(NamedTuple):
    """A change of a module; the key names it by module, place and change, whatever its line is."""

    key: str
    path: str
    line: int
    number: int


class _Site(NamedTuple):
    node: ast.AST
    field: str
    index: int | None
    new: ast.AST | None
    what: str


def mutants(path: str, source: str) -> list[Mutant]:
    """Name every mutant of a module."""
    made: list[Mutant] = []
    seen: dict[str, int] = {}
    for number, (where, site) in enumerate(_sites(ast.parse(source), Path(path).stem)):
        held: Any = getattr(site.node, site.field)
        old = held if site.index is None else held[site.index]
        key = f"{where}: {site.what}"
        seen[key] = count = seen.get(key, 0) + 1
        key = key if count == 1 else f"{key} ({count})"
        made.append(Mutant(key, path, getattr(old, "lineno", 0), number))
    return made


def mutated(source: str, mutant: Mutant) -> str:
    """Write a module with one mutant in it."""
    tree = ast.parse(source)
    _, site = list(_sites(tree, Path(mutant.path).stem))[mutant.number]
    held: Any = getattr(site.node, site.field)
    if site.index is None:
        setattr(site.node, site.field, site.new)
    elif site.new is None:
        del held[site.index]
    else:
        held[site.index] = site.new
    return ast.unparse(ast.fix_missing_locations(tree))


def _short(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 60 else f"{text[:44]} … {text[-12:]}"


def _sites(tree: ast.AST, where: str) -> Iterator[tuple[str, _Site]]:
    for name, value in ast.iter_fields(tree):
        if name in {"decorator_list", "annotation", "returns", "type_params", "keywords"} and (
            not isinstance(tree, ast.Call)
        ):
            continue
        items = value if isinstance(value, list) else [value]
        if isinstance(tree, ast.If) and name == "body" and ast.unparse(tree.test) in _OF_A_SERVER:
            continue
        if where == "triggers._wanted" and isinstance(tree, ast.FunctionDef) and name == "body":
            items = items[:1]
        for index, node in enumerate(items):
            if not isinstance(node, ast.AST) or _left_alone(tree, node):
                continue
            place = where
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                place = f"{where}.{node.name}"
            elif where.count(".") == 0 and isinstance(node, ast.Assign | ast.AnnAssign):
                target = node.targets[0] if isinstance(node, ast.Assign) else node.target
                place = f"{where}.{ast.unparse(target)}"
            elif isinstance(tree, ast.Dict) and name == "values" and where.count(".") == 1:
                key = tree.keys[index]
                if isinstance(key, ast.Constant):
                    place = f"{where}.{key.value}"
            if any(place == f"triggers.{each}" for each in ON_A_SERVER):
                continue
            at = index if isinstance(value, list) else None
            for new, what in _changes(tree, name, node):
                yield place, _Site(tree, name, at, new, what)
            if isinstance(tree, ast.List | ast.Set | ast.Tuple) and name == "elts":
                # A pair or a row is one thing; only a longer list of names loses one of them.
                names = all(isinstance(item, ast.Constant | ast.Starred) for item in items)
                if not isinstance(tree, ast.Tuple) or (names and len(items) > 2):
                    yield place, _Site(tree, name, at, None, f"without `{_short(node)}`")
            yield from _sites(node, place)


def _left_alone(parent: ast.AST, node: ast.AST) -> bool:
    """Tell documentation, types, messages and names of things from what computes."""
    if isinstance(node, ast.expr_context | ast.Import | ast.ImportFrom | ast.TypeAlias):
        return True
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    if isinstance(node, ast.Assign):
        return any(isinstance(t, ast.Name) and t.id in _MESSAGES for t in node.targets)
    if isinstance(node, ast.keyword):
        return node.arg in _MESSAGES or node.arg == "name"
    if isinstance(parent, ast.Raise):
        return True
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id in _SKIPPED_CALLS
    return isinstance(parent, ast.ClassDef) and isinstance(node, ast.Name)


def _changes(parent: ast.AST, field: str, node: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    def turned(new: ast.AST) -> tuple[ast.AST, str]:
        return new, f"`{_short(node)}` → `{_short(new)}`"

    if isinstance(node, ast.Compare):
        for at, op in enumerate(node.ops):
            for other in _COMPARED[type(op)]:
                new = copy.deepcopy(node)
                new.ops[at] = other()
                yield turned(new)
    if isinstance(node, ast.BoolOp):
        new = copy.deepcopy(node)
        new.op = ast.And() if isinstance(node.op, ast.Or) else ast.Or()
        yield turned(new)
    if isinstance(node, ast.BinOp) and type(node.op) in _COMPUTED:
        new = copy.deepcopy(node)
        new.op = _COMPUTED[type(node.op)]()
        yield turned(new)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield turned(node.operand)
    elif field in {"test", "ifs"} and not isinstance(node, ast.Compare):
        yield turned(ast.UnaryOp(ast.Not(), node))
    if isinstance(node, ast.Constant):
        yield from _constants(parent, node)
    if field in {"body", "orelse", "finalbody"} and isinstance(node, ast.stmt):
        if isinstance(node, ast.Raise | ast.AugAssign) or (
            isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant | ast.Yield)
        ):
            yield ast.Pass(), f"without `{_short(node)}`"
        if isinstance(node, ast.Return) and not (
            node.value is None or (isinstance(node.value, ast.Constant) and not node.value.value)
        ):
            yield ast.Return(ast.Constant(None)), f"`{_short(node)}` → `return None`"


def _constants(parent: ast.AST, node: ast.Constant) -> Iterator[tuple[ast.AST, str]]:
    value = node.value
    new: Any = None
    if isinstance(value, bool):
        new = not value
    elif isinstance(value, int | float):
        new = value + 1
    elif isinstance(value, bytes):
        new = value + b"\x01"
    elif isinstance(value, str):
        words = list(_SQL.finditer(value)) if re.search(r"[A-Z]{2}|NEW\.", value) else []
        for word in words:
            start, end = word.span()
            turned = _TURNED.get(word[0]) or str(int(float(word[0]) * 2) or 1)
            around = value[max(0, start - 24) : start], value[end : end + 24]
            seen = " ".join(word[0].join(around).split())
            changed = ast.Constant(value[:start] + turned + value[end:])
            yield changed, f"`{seen}`: `{word[0].strip()}` → `{turned.strip()}`"
        # A guard's message is a sentence; a column's name is known by any test.
        named = value.isidentifier() and not isinstance(parent, ast.Compare)
        if not words and not named and not re.search(r"[a-z] [a-z]", value):
            new = value + ("." if isinstance(parent, ast.JoinedStr) else "X")
    if new is not None:
        yield ast.Constant(new), f"`{_short(node)}` → `{new!r}`"


def chosen(every: Sequence[Mutant], how_many: int | None) -> list[Mutant]:
    """Give a sample that a change elsewhere in the code leaves as it is."""
    drawn = sorted(every, key=lambda mutant: hashlib.sha256(mutant.key.encode()).digest())
    return drawn[:how_many]


class Fate(NamedTuple):
    """What became of a mutant: what failed first, or nothing."""

    key: str
    line: int
    killed: bool
    seconds: float
    by: str


def try_all(sample: Sequence[Mutant], folder: Path) -> Iterator[Fate]:
    """Try mutants in a copy of the checkout; the first line of work is the code as it is."""
    began = time.monotonic()
    code, said = _run(folder, (*TESTS, *FURTHER), SECONDS)
    within = 10.0 + 2.0 * (time.monotonic() - began)
    if code:
        msg = f"the tests fail on the code as it is:\n{said[-2000:]}"
        raise RuntimeError(msg)
    for mutant in sample:
        file = folder / mutant.path
        kept = file.read_text(encoding="utf-8")
        _write(file, mutated(kept, mutant))
        began = time.monotonic()
        code, said = _run(folder, (mutant.path, *TESTS), within)
        if not code:
            code, said = _run(folder, FURTHER, within)
        _write(file, kept)
        failed = re.findall(r"^(?:FAILED|ERROR) (\S+)", said, re.MULTILINE)
        by = failed[0] if failed else "time" if code == -signal.SIGKILL else str(code)
        seconds = time.monotonic() - began
        yield Fate(mutant.key, mutant.line, code != 0, seconds, by if code else "")


def _write(file: Path, source: str) -> None:
    file.write_text(source, encoding="utf-8")
    for compiled in (file.parent / "__pycache__").glob(f"{file.stem}.*"):
        compiled.unlink()


def _run(folder: Path, tests: Sequence[str], within: float) -> tuple[int, str]:
    """Run tests up to a failure, in a fork of this process, which has not imported the package."""
    said = folder / "said.txt"
    scratch = folder / "scratch"
    child = os.fork()
    if child == 0:
        code = 70
        try:
            os.setsid()
            out = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            for stream in (1, 2):
                os.dup2(out, stream)
            import pytest

            where = [str(folder / test) for test in tests]
            options = (
                "-x",
                "-q",
                "-p",
                "no:cacheprovider",
                "--tb=no",
                "--assert=plain",
                f"--hypothesis-profile={_PROFILE}",
            )
            code = int(pytest.main([*options, f"--basetemp={scratch}", "-rfE", *where]))
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    until = time.monotonic() + within
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
            break
        if time.monotonic() > until:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            code = -signal.SIGKILL
            break
        time.sleep(0.02)
    shutil.rmtree(scratch, ignore_errors=True)
    return code, said.read_text(encoding="utf-8", errors="replace") if said.exists() else ""


def copied(folder: Path) -> Path:
    """Copy what the tests of the ledger need of the checkout."""
    for name in ("forecasting", "db", "questions", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def every_mutant(root: Path = ROOT) -> list[Mutant]:
    """Give every mutant of the ledger's modules."""
    paths = [f"{STORE}/{module}.py" for module in MODULES]
    return [m for path in paths for m in mutants(path, (root / path).read_text("utf-8"))]


def mutate(how_many: int | None, part: str = "") -> Iterator[Fate]:
    """Try a sample of the mutants, in a process of its own; see :func:`try_all`."""
    with tempfile.TemporaryDirectory(prefix="mutation-") as temporary:
        folder = copied(Path(temporary))
        command = [sys.executable, str(folder / "tests/deep/mutation.py"), "--here"]
        given = [*command, "all" if how_many is None else str(how_many), part]
        fixed = {"PYTHONPATH": str(folder), "OPENBLAS_NUM_THREADS": "1"}
        with subprocess.Popen(
            given, cwd=folder, env=os.environ | fixed, stdout=subprocess.PIPE, text=True
        ) as worker:
            for line in worker.stdout or ():
                yield Fate(*json.loads(line))
        if worker.returncode:
            msg = f"the process that tries mutants ended with {worker.returncode}"
            raise RuntimeError(msg)


def _here(how_many: int | None, part: str) -> None:
    import hypothesis.strategies
    import pytest  # noqa: F401
    import rfc8785  # noqa: F401
    import sqlalchemy.dialects.postgresql
    import sqlalchemy.dialects.sqlite  # noqa: F401

    # A failure is all that is asked for, not the smallest example of it.
    hypothesis.settings.register_profile(
        _PROFILE,
        max_examples=40,
        deadline=None,
        derandomize=True,
        database=None,
        phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate),
    )
    sample = chosen([m for m in every_mutant() if re.search(part, m.key)], how_many)
    for fate in try_all(sample, ROOT):
        print(json.dumps(fate), flush=True)


def main(arguments: Sequence[str]) -> None:
    """Read the command line."""
    here = "--here" in arguments
    given = [argument for argument in arguments if argument != "--here"]
    how_many = int(given[0]) if given and given[0] != "all" else None
    part = given[1] if len(given) > 1 else ""
    if here:
        _here(how_many, part)
        return
    fates = []
    for fate in mutate(how_many, part):
        fates.append(fate)
        if not fate.killed:
            print(f"{len(fates)}: line {fate.line}: {fate.key}", flush=True)
    print(f"{sum(fate.killed for fate in fates)} of {len(fates)} killed")


if __name__ == "__main__":
    main(sys.argv[1:])
