"""Which commands there are: each is imported when it is called, and no other with it."""

from importlib import import_module

import click

from forecasting.cli.options import Group

#: By name: the module in this package, the command in it, and the first line of its help. The list
#: of commands is printed without importing any of them, so that line stands here too.
COMMANDS: dict[str, tuple[str, str, str]] = {
    "init": (
        "database",
        "init",
        "Make a workspace: forecast.toml, questions/ and forecasts.db; again, load what is new.",
    ),
    "ask": ("ask", "ask", "Ask a question and log your number, in one step."),
    "questions": ("questions", "questions", "List, show, check, add, change and drop questions."),
    "log": (
        "forecasts",
        "log",
        "Log a probability: 0.35, 35%, 1:3 (odds) or a verbal band such as likely.",
    ),
    "withdraw": ("forecasts", "withdraw", "Take your standing forecast of a question back."),
    "reveal": (
        "seal",
        "reveal",
        "Reveal what you sealed: the forecast counts from when it was sealed.",
    ),
    "redact": (
        "seal",
        "redact",
        "Take the text of your rationale out of the database; the forecast and the chain stay.",
    ),
    "history": (
        "forecasts",
        "history",
        "Show every forecast of a question, and from when until when each stood.",
    ),
    "news": ("news", "news", "News: dated items of evidence and what each bears on."),
    "watch": (
        "watch",
        "watch",
        "Record that you looked, and nothing more had happened up to a moment.",
    ),
    "sources": (
        "sources",
        "sources",
        "Show how reliable each source is, by its grade and by its resolved claims.",
    ),
    "models": (
        "models",
        "models",
        "Show the graphs, the kinds of process, and every prior with its source.",
    ),
    "update": (
        "work",
        "update",
        "Bring the model up to the evidence and the clock, and log what changed.",
    ),
    "explain": (
        "explain",
        "explain",
        "Say why the model's probability is what it is, step by step.",
    ),
    "scenario": (
        "scenario",
        "scenario",
        "Several questions at once: named scenarios, conditions, typical stories.",
    ),
    "resolve": (
        "resolve",
        "resolve",
        "Resolve a question; resolving it again appends a corrected version.",
    ),
    "annul": (
        "resolve",
        "annul",
        "Annul a question: it counts for nobody.",
    ),
    "dispute": (
        "resolve",
        "dispute",
        "Record another reading of an outcome; the official resolution is unchanged.",
    ),
    "reopen": (
        "resolve",
        "reopen",
        "Take the standing outcome of a question back: from now on it has none.",
    ),
    "resolutions": (
        "resolve",
        "resolutions",
        "Show every version of a question's outcome: who said so, when, and which one stands.",
    ),
    "due": (
        "today",
        "due",
        "List what needs you: outcomes to record, forecasts worth a fresh look.",
    ),
    "score": (
        "scores",
        "score",
        "Score forecasters over the lifetime of resolved questions; smaller is better.",
    ),
    "calibration": (
        "scores",
        "calibration",
        "Review calibration: the curve, its band, the parts of the Brier score, in plain words.",
    ),
    "compare": (
        "compare",
        "compare",
        "Compare two forecasters: same questions, same window, intervals over events.",
    ),
    "leaderboard": (
        "leaderboard",
        "leaderboard",
        "Show scores adjusted for the difficulty of the questions that each forecaster chose.",
    ),
    "pool": (
        "pool",
        "pool",
        "Combine the forecasts in force on a question, or on each rung of a ladder.",
    ),
    "worldviews": (
        "worldviews",
        "worldviews",
        "Show each worldview's weight, its record, its text's claims, and where it differs now.",
    ),
    "replay": (
        "work",
        "replay",
        "Walk through time with only what was known at each date, score, and review.",
    ),
    "review": ("work", "review", "Write the review page: one self-contained HTML file."),
    "serve": (
        "serve",
        "serve",
        "Show everything in the browser: today, questions, news, the world, the review.",
    ),
    "import": (
        "exchange",
        "import_",
        "Bring a track record in: questions, forecasts, outcomes, news.",
    ),
    "export": ("exchange", "export", "Write the track record to a file or to standard output."),
    "verify": (
        "database",
        "verify",
        "Walk the hash chain and say what is proved, up to which entry.",
    ),
    "anchor": (
        "database",
        "anchor",
        "Write the head of the ledger in a few lines, to be kept where the database is not.",
    ),
    "backup": (
        "database",
        "backup",
        "Copy the database into a file while it is in use; the copy is verified.",
    ),
    "restore": (
        "database",
        "restore",
        "Put a backup in the place of the database, if it verifies.",
    ),
    "doctor": (
        "database",
        "doctor",
        "Look at the settings, the disk and the database, and say what is wrong and what mends it.",
    ),
    "db": ("database", "db", "Where the database is, its version, upgrades."),
}


class Root(Group):
    """The program: it knows its commands by name and imports the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Give the names in the order of help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        found: click.Command = getattr(import_module(f"forecasting.cli.{module}"), attribute)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table."""
        limit = formatter.width - 6 - max(map(len, COMMANDS))
        rows = [
            (name, click.Command(name, help=line).get_short_help_str(limit))
            for name, (_, _, line) in COMMANDS.items()
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def load(root: click.Group) -> None:
    """Import every command, for whoever walks over all of them."""
    context = click.Context(root)
    for name in root.list_commands(context):
        command = root.get_command(context, name)
        if command is not None:
            root.add_command(command, name)
