"""Which outcomes of a question are recorded, given those that the ledger holds."""

import datetime as dt
import re
from collections import Counter, defaultdict
from dataclasses import replace

from forecasting.domain import Question, Resolution
from forecasting.domain.instants import iso
from forecasting.domain.outcome import NO
from forecasting.domain.reading import Ambiguous, Damaged, of_file, outcome
from forecasting.domain.resolution import outcomes
from forecasting.errors import InvalidInput
from forecasting.exchange import questions
from forecasting.exchange.case import Case
from forecasting.exchange.record import StatedOutcome

#: The source of an outcome where the file does not name one.
SOURCE = "imported track record"
#: The source of the withdrawal of an outcome that a mistaken import brought.
UNDONE = "import undone"
#: What stands last in the note of an outcome that became known later than it is dated.
_AS_OF = re.compile(r"(?:^|; )as of (\d{4}-\d\d-\d\dT[\d:.]+Z)$")


def stated_beside(
    case: Case, question: Question, versions: list[Resolution], notes: Counter[str]
) -> Resolution | None:
    """Give the outcome that rows of a table state beside their forecasts, where it is new."""
    about, options = case.about, question.space.options
    facts = questions.merged(about.facts, about.forecasts, now=case.now, options=options)
    stated, at = facts.get("outcome"), facts.get("resolved_at")
    if stated is None:
        if at is not None:
            raise InvalidInput("resolved_at: is given without an outcome", hint="add the outcome")
        return None
    last = outcomes(versions).get(question.id)
    dated = at is not None
    if at is None:
        if last is not None and last.outcome == outcome(question.space, stated, manner=case.manner):
            return None
        notes["no resolved_at is stated: taken from when they close"] += 1
        at = question.closes
    resolution = Resolution(
        question=question.id,
        outcome=_read_outcome(case, question, stated, at, notes),
        resolved_at=at,
        source=facts.get("source") or SOURCE,
        note=facts.get("note", ""),
        version=1 + max((one.version for one in versions), default=0),
    )
    if resolution.outcome == NO and dated and "closes" in facts and at < question.closes:
        notes["resolved no before they closed; kept as stated"] += 1
    if _known(resolution, versions):
        return None
    recorded = case.existing.questions.get(question.id)
    if last is not None and not (
        # The first import had no day of the outcome, and took the closing for it.
        last.source == SOURCE
        and last.outcome == resolution.outcome
        and dated
        and recorded is not None
        and last.resolved_at == recorded.closes
    ):
        msg = (
            f"outcome ({resolution.outcome} at {iso(resolution.resolved_at)}): question "
            f"{question.id} is in the ledger as {last.outcome} at {iso(last.resolved_at)}"
        )
        raise InvalidInput(msg, hint=f"forecast resolve {question.id}, if that was corrected")
    return resolution


def _read_outcome(
    case: Case, question: Question, stated: str, at: dt.datetime, notes: Counter[str]
) -> str:
    if at > case.now:
        raise InvalidInput(f"resolved_at ({iso(at)}): lies in the future (now {iso(case.now)})")
    if at <= question.opens and not case.platform:
        msg = f"resolved_at ({iso(at)}): must come after opens ({iso(question.opens)})"
        raise InvalidInput(msg)
    text = outcome(question.space, stated, manner=case.manner)
    if question.type == "numeric" and text[:1] in ("<", ">") and stated[:1] not in "<>":
        notes[f"an outcome beyond the bounds is recorded as {text}"] += 1
    return text


def _known(resolution: Resolution, versions: list[Resolution]) -> bool:
    # What an undone import had said may be said again.
    undone = max((n for n, one in enumerate(versions) if one.source == UNDONE), default=-1)
    return any(_same(resolution, one) for one in versions[undone + 1 :])


def new_outcomes(
    case: Case, question: Question, versions: list[Resolution]
) -> list[tuple[Resolution, list[int]]]:
    """Give the outcomes to add, of records that state one version each, with their lines."""
    if case.platform:
        return _latest(case, question, versions)
    by_version: dict[int, list[tuple[int, Resolution]]] = defaultdict(list)
    for one in case.about.outcomes:
        try:
            resolution = _version(case, question, one)
        except (Ambiguous, Damaged) as damaged:
            raise of_file(damaged, f"{case.name}:{one.line}") from damaged
        except InvalidInput as wrong:
            case.refuse([one.line], str(wrong))
        else:
            by_version[one.version].append((one.line, resolution))
    taken = max((one.version for one in versions), default=0)
    added: list[tuple[Resolution, list[int]]] = []
    for version, group in sorted(by_version.items()):
        lines = [line for line, _ in group]
        first = min((one for _, one in group), key=lambda one: (one.source, one.note))
        if any(not _same(first, one) for _, one in group):
            reason = f"version ({version}): lines disagree on question {question.id}"
            case.refuse(lines, reason)
        elif _known(first, versions):
            case.plan.duplicates += len(lines)
        elif version <= taken:
            reason = (
                f"version ({version}): question {question.id} has another outcome in the "
                "ledger under that number"
            )
            case.refuse(lines, reason)
        else:
            added.append((first, lines))
    return added


def _latest(
    case: Case, question: Question, versions: list[Resolution]
) -> list[tuple[Resolution, list[int]]]:
    """Give the outcome that a platform made known last, where the ledger lacks it."""
    stated: list[tuple[int, Resolution]] = []
    for one in case.about.outcomes:
        try:
            stated.append((one.line, _version(case, question, one)))
        except InvalidInput as wrong:
            case.refuse([one.line], str(wrong))
    if not stated:
        return []
    _, last = max(stated, key=lambda pair: _later(pair[1]))
    standing = outcomes(versions).get(question.id)
    candidates = [one for _, one in stated] + ([] if standing is None else [standing])
    winner = max(candidates, key=_later)
    rivals = sorted({one.outcome for one in candidates if known_at(one) == known_at(winner)})
    if len(rivals) > 1:
        case.notes[
            f"{question.id} came out as {' and as '.join(rivals)} at one moment, and nothing shows "
            f"which was said later; {winner.outcome} stands, and forecast resolve corrects it"
        ] += 1
    elif standing is not None and standing.outcome != last.outcome:
        case.notes[
            "an earlier file said another outcome; the later one stands"
            if winner is last
            else "another outcome than the ledger's, which became known later and stands"
        ] += 1
    if winner is not last or _known(last, versions):
        case.plan.duplicates += len(stated)
        return []
    number = 1 + max((one.version for one in versions), default=0)
    return [(replace(last, version=number), [line for line, _ in stated])]


def known_at(one: Resolution) -> dt.datetime:
    """Give when a version of an outcome became known, which its note says where it is later."""
    match = _AS_OF.search(one.note)
    try:
        return max(one.resolved_at, dt.datetime.fromisoformat(match[1] if match else ""))
    except ValueError:
        return one.resolved_at


def _later(one: Resolution) -> tuple[dt.datetime, str, str]:
    """Give what decides between outcomes; of two that were known at one moment the words do."""
    return known_at(one), one.outcome, one.note


def _version(case: Case, question: Question, one: StatedOutcome) -> Resolution:
    note = one.note
    if one.known_at > case.now:
        msg = f"outcome (known at {iso(one.known_at)}): lies in the future (now {iso(case.now)})"
        raise InvalidInput(msg)
    if one.known_at > one.resolved_at:
        note = f"{note}{'; ' * bool(note)}as of {iso(one.known_at)}"
    return Resolution(
        question=question.id,
        outcome=_read_outcome(case, question, one.outcome, one.resolved_at, case.notes),
        resolved_at=one.resolved_at,
        source=one.source or SOURCE,
        certainty=one.certainty,
        note=note,
        version=one.version,
        status=one.status,
    )


def _same(one: Resolution, other: Resolution) -> bool:
    what = (one.outcome, one.resolved_at, one.status, known_at(one))
    return what == (other.outcome, other.resolved_at, other.status, known_at(other))
