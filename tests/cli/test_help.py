"""Help: one name and one text for one option, and examples that can be pasted."""

import re
import shlex
from collections import defaultdict
from pathlib import Path

import click
import pytest

from forecasting.cli import commands, root, run
from forecasting.cli.options import ORDER

#: Options that mean one thing in one command and another in the next; all others say the same.
DIFFERENT = {
    *("--all", "--at", "--because", "--by", "--file", "--force", "--from", "--grade", "--kind"),
    *("--known-at", "--ladder", "--on", "--out", "--p", "--score", "--source", "--tag", "--type"),
    *("--unit", "--window"),
}


def _walk(command, path):
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from _walk(inner, f"{path} {name}")


COMMANDS = dict(_walk(root, "forecast"))


def _help(command, path):
    return command.get_help(click.Context(command, info_name=path, terminal_width=100))


def _examples(text):
    block = re.search(r"Examples?:\n(.*?)(\n\n|$)", text, re.DOTALL)
    lines = block.group(1).replace("\\\n", " ").splitlines() if block else []
    assert all(line.strip().startswith("forecast") for line in lines)
    return [line.strip() for line in lines]


def _parse(line):
    """Parse a line down to its command, as click would, and run nothing."""
    words = shlex.split(line.partition(" > ")[0])
    assert words.pop(0) == "forecast"
    command = root
    context = command.make_context("forecast", words)
    while isinstance(command, click.Group):
        rest = [*context._protected_args, *context.args]
        if not rest:
            break
        name, subcommand, rest = command.resolve_command(context, rest)
        assert subcommand is not None
        command = subcommand
        context = command.make_context(name, rest, parent=context)
    return words


@pytest.mark.parametrize("path", COMMANDS)
def test_examples_can_be_pasted(path):
    assert COMMANDS[path].help
    text = _help(COMMANDS[path], path)
    assert "\\\\" not in text
    assert "\\b" not in text
    for line in _examples(text):
        _parse(line)


NEEDY = [
    path
    for path, command in COMMANDS.items()
    if not isinstance(command, click.Group) and any(p.required for p in command.params)
]


@pytest.mark.parametrize("path", NEEDY)
def test_a_hint_for_what_is_missing_can_be_pasted_whole(path, capsys):
    """With no argument, and with each argument but no option: both say a whole command."""
    assert {"forecast resolve", "forecast dispute", "forecast ask"} <= set(NEEDY)
    needed = [p for p in COMMANDS[path].params if p.required]
    arguments = ["x" for p in needed if isinstance(p, click.Argument)]
    missing = [[]] + [arguments] * (len(arguments) < len(needed))
    for partial in missing:
        assert run([*path.split()[1:], *partial]) == 2
        err = capsys.readouterr().err.strip()
        hint = err.partition(" Try: ")[2].partition(";")[0]
        assert path.removeprefix("forecast") in hint
        assert "\\" not in hint
        _parse(hint)


def test_commands_that_take_arguments_have_examples():
    without = [
        path
        for path, command in COMMANDS.items()
        if not isinstance(command, click.Group)
        and any(isinstance(p, click.Argument) and p.required for p in command.params)
        and not _examples(_help(command, path))
    ]
    assert not without


def test_an_option_has_one_help_and_one_place_everywhere():
    helps = defaultdict(set)
    for path, command in COMMANDS.items():
        options = [p for p in command.params if isinstance(p, click.Option)]
        for option in options:
            assert option.help, (path, option.opts)
            for name in set(option.opts) - DIFFERENT:
                helps[name].add((str(option.help), option.multiple))
        shared = [option.name for option in options if option.name in ORDER]
        assert shared == sorted(shared, key=lambda name: ORDER.index(str(name))), path
    assert {name: variants for name, variants in helps.items() if len(variants) != 1} == {}
    assert {"--question", "--as-of", "--rule", "--run"} <= set(helps)
    assert next(iter(helps["--question"]))[1]
    assert not any("--questions" in p.opts for c in COMMANDS.values() for p in c.params)


def test_each_module_holds_a_command_or_serves_one():
    """A module that nothing loads is a second text of something."""
    folder = Path(commands.__file__).parent
    called = {module for module, _ in commands.COMMANDS.values()}
    imported = {
        name
        for file in folder.glob("*.py")
        for name in re.findall(
            r"forecasting\.cli\.(\w+) import|forecasting\.cli import ([^\n(]+)", file.read_text()
        )
        for name in re.findall(r"\w+", " ".join(name))
    }
    assert {file.stem for file in folder.glob("*.py")} - {"__init__"} <= called | imported
