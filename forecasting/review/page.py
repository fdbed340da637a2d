"""The review page: one HTML file that asks the network for nothing and needs no script."""

import datetime as dt
from functools import lru_cache
from pathlib import Path
from typing import Any

from forecasting.domain.forecasters import Family, family, ordered
from forecasting.files import drafted, written
from forecasting.review import cast, charts, now, tables, words
from forecasting.review.data import HALF_LIFE, QuestionPath, ReviewData, Run
from forecasting.review.fans import fan_chart
from forecasting.review.filters import environment
from forecasting.review.graph import world_graph
from forecasting.review.path_chart import path_chart
from forecasting.review.plot import NARROW, WIDE

FILE = "index.html"
#: The forecasters that are compared with the base rate, question by question.
MODELS: frozenset[Family] = frozenset(
    {"model", "without-links", "without-news", "prior", "worldview", "pool"}
)
_environment = lru_cache(maxsize=1)(environment)


def render(data: ReviewData) -> str:
    """Write the review page as one self-contained HTML document, without scripts.

    The same data give the same text, byte for byte; where a part is empty, the page says in words
    what is missing.

    Examples
    --------
    >>> import datetime as dt
    >>> from forecasting.review.data import ReviewData, Run
    >>> page = render(ReviewData(Run("live", dt.datetime(2026, 8, 22, tzinfo=dt.UTC))))
    >>> "<script" in page, "Nothing that counts has resolved yet" in page
    (False, True)
    """
    days = words.Days(data.run.zone)
    labels = data.labels
    boards = tables.boards(data.scores)
    rows = [row for board in boards for row in board.rows]
    by_id = {question.id: question for question in data.questions}
    return (
        _environment("forecasting.review")
        .get_template("page.html.j2")
        .render(
            data=data,
            run=data.run,
            boards=boards,
            log_boards=tables.boards(data.log_scores),
            horizon_tables=tables.horizon_tables(data.horizons),
            beside=tables.beside_base_rate(data.questions, "model"),
            modelled=any(_of_model(row, "difference") is not None for row in rows),
            behind=[row for row in rows if (_of_model(row, "difference") or 0) > tables.SAME],
            likely=now.likely(data.questions, data.moment),
            changes=now.changes(data.questions, data.moment),
            most_moves=now.MOST_MOVES,
            others=now.others(data.questions, data.moment),
            last_said=lambda name: now.standing(by_id[name]) if name in by_id else words.DASH,
            parts=tables.parts(data.parts),
            left_out=tables.left_out(data),
            refused=tables.refused(data.refused),
            # Questions without a forecast of the page's kind.
            elsewhere=[
                {"status": "", **row} for row in data.left_out if row["question"] not in by_id
            ],
            fan_rows=tables.fan_rows(data.world.fans),
            graph=world_graph(data.world),
            half_life=f"{HALF_LIFE:g}",
            idle=[
                (board, worse)
                for board in boards
                if (worse := [r for r in board.rows if (_of_model(r, "skill") or 0) < -tables.SAME])
            ],
            counts=tables.counts(data.questions),
            calibrated=ordered(data.calibrations),
            groups=tables.groups(data.questions),
            resolved=[q for q in data.questions if q.status == "resolved"],
            known=by_id.keys() | tables.ladders(data.questions),
            reliability=charts.reliability,
            path_charts=lambda question: [
                path_chart(
                    question, zone=data.run.zone, until=data.moment, labels=labels, size=size
                )
                for size in (WIDE, NARROW)
            ],
            path_table=lambda question: tables.path_table(question, labels),
            label=lambda name: cast.label(name, labels),
            ordered=ordered,
            role=family,
            day=days.day,
            end=days.end,
            moment=days.moment,
            since=days.known,
            outcome=_outcome,
            plain=lambda value: _plain(value, days),
            pooled=tables.pooled,
            differences=lambda board: charts.differences(board, labels),
            fan_chart=lambda fan: fan_chart(fan, data.run.zone),
            provenance=_provenance(data.run, days),
            words=words,
            same=tables.SAME,
        )
    )


def write(data: ReviewData, folder: Path | str) -> Path:
    """Write the review page into a folder; a reader sees the old page or the new one, never half.

    A folder that does not exist is made; gives the path of its ``index.html``.
    """
    text = render(data)
    target = Path(folder)
    with written(target / FILE):
        target.mkdir(parents=True, exist_ok=True)
        with drafted(target / FILE) as draft:
            draft.write_text(text, encoding="utf-8", newline="\n")
    return target / FILE


def _of_model(row: dict[str, Any], name: str) -> float | None:
    """Give a number of a model's score row; people are no models."""
    return words.number(row[name]) if family(row["forecaster"]) in MODELS else None


def _outcome(question: QuestionPath) -> str:
    if question.outcome is None:
        return "no outcome yet"
    if question.type == "numeric":
        return words.amount(question.outcome, question.unit)
    return question.outcome


def _plain(value: Any, days: words.Days) -> str:
    """Print a cell of a table whose columns are not known beforehand."""
    if isinstance(value, dt.date):
        return days.moment(value)
    if isinstance(value, float):
        return words.amount(words.number(value))
    return words.DASH if value is None or value == "" else str(value)


def _provenance(run: Run, days: words.Days) -> list[tuple[str, str]]:
    rows: list[tuple[str, object]] = [
        ("Run", run.run_id),
        ("Seed", run.seed),
        ("From", run.started_from and days.moment(run.started_from)),
        ("Until", run.until and days.moment(run.until)),
        ("Evidence streams observed until", run.observed_until and days.moment(run.observed_until)),
        ("Steps", run.steps),
        ("Evidence cut at ledger entry", run.evidence_head),
        ("Question bank, digest", run.bank_digest),
        ("Ledger head, entry", run.ledger_head_seq),
        ("Ledger head, hash", run.ledger_head_hash),
        ("Ledger content, digest", run.content_digest),
        ("Page written", days.moment(run.generated_at)),
        ("Time zone of days", run.zone),
    ]
    return [(name, str(value)) for name, value in rows if value is not None and value != ""]
