"""Words: plain sentences, one spelling of an argument at each door, a short glossary."""

import ast
import datetime as dt
import itertools
import re
from pathlib import Path

import click
import pytest

from forecasting.app.scores.frame import Selection
from forecasting.cli.spelling import OPTIONS, as_options
from forecasting.domain.forecast import Forecast, binary_value
from forecasting.store.entries import prepare
from tests.cli.test_help import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "forecasting"

#: Riddles, inversions and aphorisms that once stood in a message, a page or a document.
BANNED = (
    *("): there is none", "kinds never mix", "without a word", "what stands, stands"),
    *("what was known then", "nobody is ranked", "ranks nobody", "same stroke"),
    *("gained by strategy", "is improper", "is no number", "is no ladder"),
    *("none of that name", "said so, when", "counts for nobody", "from when until when"),
    *("stands twice", "a folder of yours", "drawn together", "speaks yet", "no evidence of skill"),
    *("whose word decides", "and what mends it", "told from 0", "everybody's word"),
)
#: What the glossary must explain: words that this project uses in a sense of its own.
SPECIAL = {
    *("ladder", "rung", "predicate", "worldview", "pool", "watch", "process", "move", "state"),
    *("half-life", "gate", "link", "report", "fact", "story", "seal", "anchor", "bank", "event"),
    *("replay", "backdated", "base rate", "reference class", "Admiralty grade", "proper score"),
}
MOST_WORDS = 25
#: Options that are pieces of a command that is put together to be pasted, or of a developer's tool.
PIECES = {PACKAGE / "app/news/add.py", PACKAGE / "bank/snapshot.py", PACKAGE / "store/snapshot.py"}


def _modules():
    return [p for p in sorted(PACKAGE.rglob("*.py")) if "_bundled" not in p.parts]


def _strings(path):
    """Give every literal that is no docstring; what is filled in reads as X."""
    tree = ast.parse(path.read_text())
    homes = (ast.Module, ast.FunctionDef, ast.ClassDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, homes) and node.body and isinstance(node.body[0], ast.Expr)
    }
    pieces = {
        id(piece)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for piece in node.values
    }
    for node in ast.walk(tree):
        if id(node) in docstrings | pieces:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value
        elif isinstance(node, ast.JoinedStr):
            yield (
                node.lineno,
                "".join(str(v.value) if isinstance(v, ast.Constant) else "X" for v in node.values),
            )


def _read(path):
    """Give what a person reads of a file: of a module its literals, docstrings among them."""
    text = path.read_text()
    if path.suffix == ".py":
        nodes = ast.walk(ast.parse(text))
        text = "\n".join(
            n.value for n in nodes if isinstance(n, ast.Constant) and type(n.value) is str
        )
    return " ".join(text.split()).lower()


NAMES = {
    name
    for command in COMMANDS.values()
    for option in command.params
    if isinstance(option, click.Option)
    for name in (*option.opts, *option.secondary_opts)
}


def test_no_riddle_is_left_in_what_a_person_reads():
    documents = [
        *(ROOT / name for name in ("README.md", "CHANGELOG.md", "db/README.md")),
        *(ROOT / "questions/README.md", PACKAGE / "exchange/README.md"),
        *(PACKAGE / "review/templates").glob("*.j2"),
        *_modules(),
    ]
    riddles = [
        f"{path.relative_to(ROOT)}: {phrase}"
        for path in documents
        for text in [_read(path)]
        for phrase in BANNED
        if phrase.lower() in text
    ]
    assert not riddles


def test_below_the_command_line_a_message_names_arguments_and_no_options():
    """An option stands there only in a command to be pasted."""
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {text}"
        for path in _modules()
        if PACKAGE / "cli" not in path.parents and path not in PIECES
        for line, text in _strings(path)
        if re.search(r"(?<![\w-])--[a-z]", text)
        and not re.search(r"\b(forecast [a-zX]|pip install|python -m )", text)
        and not text.startswith("--p X=")
    ]
    assert not wrong


def test_every_argument_that_a_message_names_has_its_option():
    assert set(OPTIONS.values()) - {"--columns"} <= NAMES
    options = {name.removeprefix("--").replace("-", "_") for name in NAMES}
    stated = re.compile(r"(?<![\w.\"'-])([a-z][a-z_]+)=(?![=.])")
    named = {
        name
        for path in _modules()
        if path.parent.name in {"app", "store", "exchange", "reading"}
        or PACKAGE / "app" in path.parents
        for _, text in _strings(path)
        if " or " in text or text.count("=") == 1
        for name in stated.findall(text)
        if name in options and "<" not in text
    }
    assert {"at", "dates", "known_at"} <= named
    assert named - set(OPTIONS) == set()


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("leave out at=TIME", "leave out --at TIME"),
        ("sure=True, or at=TIME", "--sure, or --at TIME"),
        ('on="truce=x2"', '--on "truce=x2"'),
        ("forecaster=ana", "--as ana"),
        ("database=forecasts.db", "--db forecasts.db"),
        ("truce=on=x2 and truce=none|on=x2", "truce=on=x2 and truce=none|on=x2"),
        ("stance=0.7 or that=x2", "stance=0.7 or that=x2"),
    ],
)
def test_the_command_line_spells_an_argument_as_its_option(message, shown):
    assert as_options(message) == shown


def _glossary():
    section = (ROOT / "README.md").read_text().partition("\n## Glossary\n")[2].partition("\n## ")[0]
    rows = [line.split("|")[1].strip() for line in section.splitlines() if line.startswith("| ")]
    return rows[1:]


def test_the_glossary_is_short_and_has_every_word_of_a_sense_of_its_own():
    words = _glossary()
    assert 0 < len(words) <= MOST_WORDS
    assert words == sorted(set(words), key=str.lower)
    assert set(words) >= SPECIAL
    text = " ".join(path.read_text() for path in itertools.chain(_modules(), [ROOT / "README.md"]))
    assert all(word.lower() in text.lower() for word in words)


def test_a_backdated_forecast_keeps_the_word_that_older_ledgers_hashed():
    moment = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
    forecast = Forecast("q", "0" * 64, "ana", binary_value("0.5"), moment, "backdated")
    prepared = prepare(forecast)
    assert prepared.row["kind"] == "elicited"
    back = prepared.value
    assert isinstance(back, Forecast)
    assert back.kind == "backdated"


@pytest.mark.parametrize("word", ["backdated", "elicited"])
def test_the_old_word_of_a_kind_is_still_read(word):
    assert Selection(word).kind == "backdated"
    (option,) = (p for p in COMMANDS["forecast score"].params if p.name == "kind")
    assert option.type.convert(word, option, None) == "backdated"
