"""Options that stand before the command and work after it too; numbers that look like options."""

import re
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import click

from forecasting.cli.output import Settings, remember

#: Options that several commands take: one name, one help, one place in the order of options.
KINDS = ("live", "replay", "backdated", "imported")


class _Kind(click.Choice[str]):
    """A kind of forecast; ``elicited``, the word of older files and databases, is read too."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from forecasting.domain.forecast import kind_named

        return super().convert(kind_named(str(value)), param, ctx)


def kind(*more: str, default: str = "live") -> Callable[..., Any]:
    """Give the option ``--kind``, with further choices such as ``all``."""
    return click.option(
        "--kind",
        type=_Kind((*KINDS, *more)),
        default=default,
        help="Which track record to use; kinds are never averaged together.",
    )


#: Options of text, which are empty where they are not given, and switches.
text, flag = partial(click.option, default=""), partial(click.option, is_flag=True)


def out(help: str, *, metavar: str = "FILE", required: bool = False) -> Callable[..., Any]:
    """Give the option ``--out``: a file to write, or a folder."""
    path = click.Path(path_type=Path)
    return click.option("--out", type=path, metavar=metavar, required=required, help=help)


def choice(
    name: str, choices: Iterable[str], *, help: str, default: str | None = None
) -> Callable[..., Any]:
    """Give an option that takes one of a few words; without a default it may be empty."""
    return click.option(
        name,
        type=click.Choice(tuple(choices)),
        default=default,
        callback=lambda context, parameter, value: value or "",
        help=help,
    )


def grade(**more: Any) -> Callable[..., Any]:
    """Give the option ``--grade`` of a source."""
    what = "Admiralty grade of the source: A reliable ... E unreliable, F unknown."
    return click.option("--grade", metavar="A..F", help=what, **more)


def rule(choices: Iterable[str]) -> Callable[..., Any]:
    """Give the option ``--rule``, with the rules that a table may have."""
    what = "Scoring rule; default: the usual one of each question type."
    return choice("--rule", choices, help=what)


CONVENTION = choice(
    "--convention",
    ("half", "full"),
    default="half",
    help="Brier score from 0 to 1 (half) or from 0 to 2 (full).",
)
WINDOW = click.option(
    "--window",
    default="scheduled",
    metavar="WINDOW",
    help="Time that is scored: scheduled or spot@SHARE.",
)
DATES = choice("--dates", ("dmy", "mdy"), help="Order of numeric dates: day or month first.")
ZONE = text("--zone", metavar="ZONE", help="Time zone of days and of times without an offset.")
EACH = click.option(
    "--p",
    "each",
    multiple=True,
    metavar="WHAT=P",
    help="Forecast of an option, a rung or a quantile.",
)
FORECASTER = text("--forecaster", metavar="NAME", help="Only this forecaster.")
QUESTION = click.option(
    "--question",
    multiple=True,
    metavar="QUESTION",
    help="Only this question or ladder; repeatable.",
)
TAG = text("--tag", help="Only with this tag, topic or event.")
RUN = text("--run", help="Replay run; default: the latest complete one.")
AS_OF = text(
    "--as-of",
    metavar="TIME",
    help="Use only information available by this time. A day means the midnight that begins it.",
)
DRY_RUN = flag("--dry-run", help="Show the result and write nothing.")
SEED = click.option("--seed", type=click.IntRange(min=0), default=0, help="Random seed.")
#: Their order in every command's help, after the command's own options.
ORDER = (
    *("kind", "forecaster", "question", "tag", "run", "as_of", "dry_run", "seed"),
    *("because", "out"),
)


_NEGATIVE = re.compile(r"-[.,]?\d[\d.,]*(?:[eE][-+]?\d+)?\s?%?")


def _keep(attribute: str, value_when_set: Any = None) -> Callable[..., Any]:
    def callback(context: click.Context, parameter: click.Parameter, value: Any) -> Any:
        settings = context.find_root().ensure_object(Settings)
        if value:
            setattr(settings, attribute, value_when_set or value)
        remember(settings)
        return value

    return callback


def _anywhere() -> list[click.Option]:
    def option(*names: str, **more: Any) -> click.Option:
        return click.Option(names, expose_value=False, is_eager=True, **more)

    return [
        option("--db", metavar="URL_OR_PATH", callback=_keep("db"), help="Database to use."),
        option(
            "--as",
            "forecaster_",
            metavar="NAME",
            callback=_keep("forecaster"),
            help="Forecaster to act as.",
        ),
        option("--json", is_flag=True, callback=_keep("format", "json"), help="Print JSON."),
        option("--csv", is_flag=True, callback=_keep("format", "csv"), help="Print CSV."),
        option(
            "--nl",
            is_flag=True,
            callback=_keep("format", "nl"),
            help="Print one JSON object a line.",
        ),
        option(
            "--wide", is_flag=True, callback=_keep("wide"), help="Print every column of a table."
        ),
        option(
            "--debug", is_flag=True, callback=_keep("debug"), help="Show the traceback of an error."
        ),
    ]


def _with_breaks(text: str | None) -> str | None:
    """Give click its mark of a paragraph that is not to be folded: raw docstrings spell it out."""
    return None if text is None else text.replace("\\b\n", "\b\n")


class Command(click.Command):
    """A command that knows the options of all commands and takes negative numbers as arguments."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        shared = [p for p in self.params if p.name in ORDER and isinstance(p, click.Option)]
        own = [p for p in self.params if p not in shared]
        shared.sort(key=lambda option: ORDER.index(str(option.name)))
        self.params = [*own, *shared, *_anywhere()]
        self.help = _with_breaks(self.help)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse, with ``-0.1`` meant as a number: it then meets the rule that it breaks."""
        takes = {
            name
            for option in self.params
            if isinstance(option, click.Option) and not option.is_flag and not option.count
            for name in option.opts
        }
        # The word after such an option is its value, whatever it looks like.
        alone = [
            bool(_NEGATIVE.fullmatch(word)) and before not in takes
            for before, word in zip(["", *args], args, strict=False)
        ]
        if any(alone) and "--" not in args:
            words = list(zip(args, alone, strict=True))
            negative = [word for word, moved in words if moved]
            args = [*(word for word, moved in words if not moved), "--", *negative]
        return super().parse_args(ctx, args)


class Group(click.Group):
    """A group of such commands; an unknown command names the nearest."""

    command_class = Command

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.extend(_anywhere())
        self.help = _with_breaks(self.help)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Resolve a command by name, or say which one is like it."""
        import difflib

        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as unknown:
            near = difflib.get_close_matches(args[0], self.list_commands(ctx), n=1)
            command = f"{ctx.command_path} {near[0]}" if near else f"{ctx.command_path} --help"
            message = f"command ({args[0]}): unknown. Try: {command}"
            raise click.UsageError(message, ctx) from unknown


Group.group_class = Group
