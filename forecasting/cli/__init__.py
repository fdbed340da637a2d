"""The command line: options in, one app call, output out."""

import gc
import os
import re
import sys
from collections.abc import Sequence
from importlib import import_module

import click

from forecasting import __version__, clock
from forecasting.cli.commands import COMMANDS
from forecasting.cli.options import Group
from forecasting.cli.output import Format, Settings, fail, remember, settings
from forecasting.errors import DatabaseMissing, ForecastingError, InvalidInput

FORMATS: tuple[Format, ...] = ("json", "nl", "csv")
EPILOG = """\b
Examples:
  forecast init sudan --as ana
  forecast ask "Will a convoy reach El Fasher?" 35% --by 2027-01-31
  forecast
  forecast questions list --status open
  forecast log convoy 20% --because "the road is cut"
  forecast news add "Envoys meet" --source wire --known-at 2026-11-22T12:00Z --on convoy=x1.5
  forecast update
  forecast calibration
"""


class Root(Group):
    """The program: it knows its commands by name and imports the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Give the names in the order of help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"forecasting.cli.{COMMANDS[cmd_name][0]}")
        # `import` is a word of Python.
        command: click.Command = getattr(module, "import_" if cmd_name == "import" else cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table."""
        limit = formatter.width - 6 - max(map(len, COMMANDS))
        rows = [
            (name, click.Command(name, help=line).get_short_help_str(limit))
            for name, (_, line) in COMMANDS.items()
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


@click.group(
    cls=Root,
    epilog=EPILOG,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="forecast")
@click.pass_context
def root(context: click.Context) -> None:
    """Log probabilities, update models with news, review calibration.

    Without a command: what needs you today.
    """
    if context.invoked_subcommand is None:
        from forecasting.cli import today

        try:
            today.show()
        except DatabaseMissing:
            # Whoever has no database yet wants to know the commands.
            click.echo(context.get_help(), err=True)
            raise


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and end the process with the contract's exit code."""
    # A process that lives for a second has little garbage, and a ledger's values are many.
    gc.set_threshold(100_000, 50, 1000)
    code = run(sys.argv[1:] if arguments is None else list(arguments))
    # Or the end of the process looks through all that is left: a fifth of a table of scores.
    gc.freeze()
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run one command and give its exit code; a fault is one line on stderr, never a traceback."""
    formats = [name for name in FORMATS if f"--{name}" in arguments]
    remember(Settings(debug="--debug" in arguments, format=formats[0] if formats else "table"))
    try:
        if os.environ.get(clock.VARIABLE):
            from forecasting import config

            config.check_clock()
        result = root.main(args=list(arguments), prog_name="forecast", standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except ForecastingError as fault:
        return _report(fault)
    except click.exceptions.NoArgsIsHelpError as bare:
        click.echo(bare.format_message(), err=True)
        return InvalidInput.exit_code
    except click.UsageError as misuse:
        return _report(_usage(misuse))
    except SystemExit as ended:
        # Click ends a command whose reader went away, and leaves this wrapper: the reader has
        # what it wanted.
        if type(sys.stdout).__name__.endswith("PacifyFlushWrapper"):
            return 0
        return ended.code if isinstance(ended.code, int) else 1
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted; what was reported as saved is saved", err=True)
        return 130
    except BrokenPipeError:
        # The reader has what it wanted; a second failure while flushing would be noise.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as unexpected:
        message = f"unexpected {type(unexpected).__name__} ({unexpected})"
        return _report(ForecastingError(message, hint="the same command with --debug"))


def _report(fault: ForecastingError) -> int:
    if settings().debug:
        import traceback

        traceback.print_exc()
    return fail(fault)


_EXTRA = re.compile(r"unexpected extra argument \((\S+)\)")


def _usage(misuse: click.UsageError) -> InvalidInput:
    text = misuse.format_message().rstrip(".")
    message, _, hint = text.partition(" Try: ")
    path = misuse.ctx.command_path if misuse.ctx else "forecast"
    if isinstance(misuse, click.MissingParameter) and misuse.ctx:
        whole = re.sub(r"\\\n\s*", "", misuse.ctx.command.help or "")
        lines = [line.strip() for line in whole.splitlines()]
        examples = [line for line in lines if line.startswith("forecast ")]
        own = (line for line in examples if path.removeprefix("forecast") in line)
        hint = next(own, hint)
        hint += "; forecast questions new asks for each" if path == "forecast ask" else ""
    if isinstance(misuse, click.NoSuchOption) and misuse.ctx:
        # Reasons of a forecast or item are --because, remarks on an outcome --note.
        other = {"--because": "--note", "--note": "--because"}.get(misuse.option_name)
        if any(other in option.opts for option in misuse.ctx.command.params):
            message, hint = f"No such option '{misuse.option_name}'", f"{other} TEXT"
    if path.startswith("forecast export ") and (extra := _EXTRA.search(message)):
        hint = f"{path} --out {extra[1]}"
    return InvalidInput(message, hint=hint or f"{path} --help")
