"""Which commands there are: each is imported when it is called, and no other with it."""

import click

#: By name: the module in this package, and the first line of the command's help. The list of
#: commands is printed without importing any of them, so that line stands here too.
COMMANDS: dict[str, tuple[str, str]] = {
    "init": (
        "database",
        "Make a workspace (forecast.toml, questions/, forecasts.db), or load what is new in it.",
    ),
    "ask": ("forecasts", "Ask a question and log your number, in one step."),
    "questions": ("questions", "List, show, check, add, change and drop questions."),
    "log": (
        "forecasts",
        "Log a probability: 0.35, 35%, 1 in 4, 1:3 (odds) or a verbal band such as likely.",
    ),
    "withdraw": ("forecasts", "Withdraw your forecast on a question."),
    "reveal": ("forecasts", "Reveal what you sealed: the forecast counts from when it was sealed."),
    "redact": (
        "forecasts",
        "Remove the text of your rationale from the database; the forecast and the chain stay.",
    ),
    "history": ("forecasts", "Show every forecast on a question, and when each was in force."),
    "news": ("news", "News: dated items of evidence and the questions each concerns."),
    "watch": ("news", "Record that you looked and that nothing more had happened by a given time."),
    "sources": (
        "news",
        "Show how reliable each source is, by its Admiralty grade and its track record.",
    ),
    "models": (
        "models",
        "Show the fitted models, the kinds of process, and every prior with its source.",
    ),
    "update": (
        "work",
        "Update the model with new evidence and the passing of time; log what changed.",
    ),
    "explain": ("models", "Say why the model's probability is what it is, step by step."),
    "scenario": ("scenario", "Joint forecasts: named scenarios, conditions, typical stories."),
    "resolve": (
        "resolve",
        "Resolve a question; another outcome, time, source or note appends a corrected version.",
    ),
    "annul": ("resolve", "Annul a question: it is not scored."),
    "dispute": (
        "resolve",
        "Record another reading of an outcome; the official resolution is unchanged.",
    ),
    "reopen": ("resolve", "Withdraw the outcome of a question: from now on it is unresolved."),
    "resolutions": (
        "resolve",
        "Show every version of a question's outcome: its source, its time, and which one counts.",
    ),
    "due": ("today", "List what needs you: outcomes to record, forecasts worth a fresh look."),
    "score": (
        "scores",
        "Score forecasters over the lifetime of resolved questions; smaller is better.",
    ),
    "calibration": (
        "scores",
        "Review calibration: the curve, its band, the parts of the Brier score, in plain words.",
    ),
    "compare": (
        "scores",
        "Compare two forecasters: same questions, same window, intervals over events.",
    ),
    "leaderboard": (
        "scores",
        "Show scores adjusted for the difficulty of the questions that each forecaster chose.",
    ),
    "pool": ("pool", "Combine the forecasts in force on a question, or on each rung of a ladder."),
    "worldviews": (
        "worldviews",
        "Show each worldview's weight, track record and claims, and where it differs now.",
    ),
    "replay": (
        "work",
        "Replay the past with only the information available by each date; score and review.",
    ),
    "review": ("work", "Write the review page: one self-contained HTML file."),
    "serve": (
        "serve",
        "Show everything in the browser: today, questions, news, the world, the review.",
    ),
    "import": ("exchange", "Import a track record: questions, forecasts, outcomes, news."),
    "export": ("exchange", "Export the track record to a file or to standard output."),
    "verify": (
        "database",
        "Check the hash chain and say up to which entry it proves the ledger unaltered.",
    ),
    "anchor": (
        "database",
        "Write the head of the ledger in a few lines, to keep away from the database.",
    ),
    "backup": (
        "database",
        "Copy the database into a file while it is in use; the copy is verified.",
    ),
    "restore": ("database", "Replace the database with a backup, if the backup verifies."),
    "doctor": (
        "database",
        "Check the settings, the disk and the database; say what is wrong and how to fix it.",
    ),
    "db": ("database", "Show where the database is and its version; upgrade it."),
}


def load(root: click.Group) -> None:
    """Import every command, for whoever walks over all of them."""
    context = click.Context(root)
    for name in root.list_commands(context):
        command = root.get_command(context, name)
        if command is not None:
            root.add_command(command, name)
