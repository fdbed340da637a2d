"""What of a file may be kept, given what a ledger holds: the same for every order of the lines."""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Sequence
from decimal import Decimal

from forecasting.domain import Question, Resolution
from forecasting.domain.ladder import falls
from forecasting.domain.outcome import YES, OutcomeSpace
from forecasting.domain.reading import Ambiguous, Damaged, Manner, of_file, outcome
from forecasting.domain.resolution import outcomes
from forecasting.errors import InvalidInput
from forecasting.exchange import questions
from forecasting.exchange.held import About, Case, Held, Plan
from forecasting.exchange.kept import keep
from forecasting.exchange.record import WITHDRAWN, Statements
from forecasting.exchange.settle import beside, known_at, settled
from forecasting.exchange.shifted import in_another_zone

#: What is said of forecasts that a platform took outside the window of their question.
_OUTSIDE = {
    "opens": "made before the opening; kept as said, and scored from the opening on",
    "closed": "made after the close; kept as said, and scored by no window",
    "ended": "outside the window of their question; kept as said",
    "resolved": "made after the outcome was known; kept as said, and scored by no window",
}


def plan(
    statements: Statements,
    held: Held,
    *,
    now: dt.datetime,
    name: str,
    manner: Manner | None = None,
    platform: bool = False,
) -> Plan:
    """Decide what becomes of each line.

    A question whose lines disagree among themselves or with the ledger is refused whole; so are
    forecasts of one person on one question at one instant that differ. Everything else is judged
    line by line, and nothing by the order of the lines.

    What another `platform` took is kept and said: forecasts outside the window, an outcome before
    the opening, a deadline that had passed. Where it says something else of a question than before,
    the file counts that knows of the latest forecast or outcome of it, and the outcome that became
    known later, whichever file comes first.

    Raises
    ------
    InvalidInput
        A number that is none, or a spelling with two meanings; nothing may be written.
    """
    made = Plan(refused=list(statements.refused), notes=list(statements.notes))
    about: dict[str, About] = defaultdict(About)
    for facts in statements.facts:
        about[facts.question].facts.append(facts)
    for said in statements.said:
        about[said.question].said.append(said)
    for version in statements.settled:
        about[version.question].settled.append(version)
    versions: dict[str, list[Resolution]] = defaultdict(list)
    for known in held.resolutions:
        versions[known.question].append(known)
    counts: Counter[str] = Counter()
    moments: dict[str, list[dt.datetime]] = defaultdict(list)
    for question, _, at in held.forecasts:
        moments[question].append(at)
    came = _ladders_that_came(statements, held)
    outside: Counter[str] = Counter()
    # Side by side as the index holds them: in the order of time every row opens another page.
    for question in sorted(about):
        ladder, _, day = question.partition("@")
        yeses = came[ladder] if day else []
        case = Case(
            about=about[question],
            held=held,
            made=made,
            notes=counts,
            now=now,
            name=name,
            manner=manner or Manner(),
            moments=moments[question],
            platform=platform,
            outside=outside,
        )
        _decide(case, question, versions[question], yeses)
    if manner is not None and manner.zone and held.forecasts:
        in_another_zone(statements, made, held, refuse=platform)
    made.notes += [
        f"{count:,} {'withdrawal' if what == 'ended' else 'forecast'}{'s' * (count > 1)} "
        f"{_OUTSIDE[what]}"
        for what, count in sorted(outside.items())
    ]
    if platform and (ended := len(made.withdrawals)):
        made.notes.append(
            f"{ended:,} forecast{'s' * (ended > 1)} ended with no next one known: withdrawn then, "
            "unless another part of the record brings it"
        )
    made.notes += flags(made, held)
    made.withdrawals.sort(key=lambda one: (one.withdrawn_at, one.question, one.forecaster))
    made.refused.sort(key=lambda one: (one.line, one.reason))
    made.notes += [
        f"{count} question{'s' * (count > 1)}: {what}" for what, count in sorted(counts.items())
    ]
    return made


def _ladders_that_came(
    statements: Statements, held: Held
) -> dict[str, list[tuple[str, dt.datetime]]]:
    """Give of each ladder the rungs that came out yes, by the day in their name, and when."""
    found: dict[str, list[tuple[str, dt.datetime]]] = defaultdict(list)
    said = [
        (one.question, one.outcome, one.resolved_at) for one in outcomes(held.resolutions).values()
    ]
    said += [
        (one.question, one.outcome, one.resolved_at) for one in statements.settled if not one.status
    ]
    said += [
        (one.question, str(one.stated["outcome"]), one.stated["resolved_at"])
        for one in statements.facts
        if {"outcome", "resolved_at"} <= one.stated.keys()
    ]
    for question, came, at in said:
        ladder, rung, day = question.partition("@")
        try:
            yes = bool(rung) and outcome(OutcomeSpace.binary(), came) == YES
        except InvalidInput:
            continue
        if yes:
            found[ladder].append((day, at))
    return found


def _decide(
    case: Case,
    name: str,
    versions: list[Resolution],
    yeses: Sequence[tuple[str, dt.datetime]],
) -> None:
    held, notes = case.held.questions.get(name), Counter[str]()
    try:
        question = _question(case, name, held, versions, notes)
        unsaid = beside(case, question, versions, notes)
    except (Ambiguous, Damaged) as damaged:
        line = min(case.about.lines())
        raise of_file(damaged, f"{case.name}:{line}") from damaged
    except InvalidInput as wrong:
        case.refuse(case.about.lines(), str(wrong))
        return
    found = settled(case, question, versions)
    found += [] if unsaid is None else [(unsaid, [])]
    standing = outcomes([*versions, *(one for one, _ in found)]).get(name)
    # A yes on an earlier rung of its ladder settles a question too, and so does one on a later rung
    # that was known while this one was to come.
    day = name.partition("@")[2]
    others = [at for rung, at in yeses if rung < day or (rung > day and at <= question.closes)]
    ends = [*others, *([] if standing is None else [standing.resolved_at])]
    kept = keep(case, question, min(ends, default=None))
    own = [one for one in case.about.facts if one.own_line]
    if held is None and not (kept or own):
        # The outcome of a question that nothing else is kept of would stand in the air.
        for _, lines in found:
            case.refuse(lines, f"question ({name}): every row of it was refused")
        return
    case.notes.update(notes)
    new = question is not held
    if new:
        case.made.questions.append(question)
        case.made.added += bool(own)
    case.made.duplicates += len(own) - (new and bool(own))
    for resolution, lines in found:
        case.made.resolutions.append(resolution)
        case.made.added += bool(lines)
        case.made.duplicates += max(len(lines) - 1, 0)


def _question(
    case: Case,
    name: str,
    held: Question | None,
    versions: Sequence[Resolution],
    notes: Counter[str],
) -> Question:
    facts = questions.merged(case.about.facts)
    zone = case.manner.zone or "UTC"
    resolved_at = facts.get("resolved_at") or _first_settled(case)
    # After an import was taken back, a file of forecasts alone still finds its question.
    if held is not None and (name not in case.held.vacant or (case.platform and not facts)):
        said = [one.issued_at for one in case.about.said if one.said != WITHDRAWN]
        standing = outcomes(versions).get(name)
        known = (None if standing is None else standing.resolved_at, resolved_at)
        if case.platform:
            if not held.source and name in case.held.imported:
                # A file of forecasts alone came first, which said nothing of the question.
                held = questions.completed(
                    held, facts, before=case.moments, said=said, resolved_at=known, notes=notes,
                    outside=True,
                )  # fmt: skip
            if name in case.held.imported:
                ends = [one.known_at for one in case.about.settled if not one.status]
                told = [at for at in (*said, *ends) if at <= case.now]
                here = [*case.moments, *([] if standing is None else [known_at(standing)])]
                held = questions.renewed(
                    held, facts, notes,
                    told=max(told, default=None), here=max(here, default=None),
                    before=case.held.before,
                )  # fmt: skip
            questions.check_same(held, facts, notes, wording_stays=True)
            return held
        if name not in case.held.imported:
            questions.check_same(held, facts, notes)
            return held
        completed = questions.completed(
            held, facts, before=case.moments, said=said, resolved_at=known, notes=notes
        )
        questions.check_same(completed, facts, notes)
        return held if completed == held else completed
    if case.platform and not facts:
        msg = f"question ({name}): neither this file nor the ledger says what was asked"
        raise InvalidInput(msg, hint="the file of the questions first, or both in one zip")
    if (whole := next((one.whole for one in case.about.facts if one.whole), None)) is not None:
        return whole
    made = questions.made(
        name,
        facts,
        case.about.said,
        notes,
        zone=zone,
        resolved_at=resolved_at,
        platform=case.platform,
    )
    return held if held is not None and made == held else made


def _first_settled(case: Case) -> dt.datetime | None:
    moments = [one.resolved_at for one in case.about.settled if not one.status]
    return min(moments, default=None)


def flags(made: Plan, held: Held) -> list[str]:
    """Say what was really said and is kept, though no other door would take it."""
    said = []
    questions = {**held.questions, **{question.id: question for question in made.questions}}
    steps: dict[tuple[str, str], dict[str, list[tuple[dt.datetime, Decimal | None]]]] = {}
    new: dict[tuple[str, str], list[dt.datetime]] = defaultdict(list)

    ladders = {name: one.ladder for name, one in questions.items() if one.ladder}

    def step(question: str, who: str, at: dt.datetime, p: Decimal | None) -> None:
        rungs = steps.setdefault((ladders[question], who), {})
        rungs.setdefault(question, []).append((at, p))

    for one in made.forecasts if ladders else ():
        if one.question in ladders:
            step(one.question, one.forecaster, one.issued_at, Decimal(one.value.entered[0]))
            new[ladders[one.question], one.forecaster].append(one.issued_at)
    for (question, who, at), (labels, entered) in held.forecasts.items() if new else ():
        if (ladders.get(question), who) in new and labels == ("yes",):
            step(question, who, at, Decimal(entered[0]))
    for taken in made.withdrawals:
        if taken.question in ladders:
            step(taken.question, taken.forecaster, taken.withdrawn_at, None)
    found = 0
    for about, rungs in steps.items():
        # The day of a rung's name sorts as its deadline does.
        ordered = {rung: rungs[rung] for rung in sorted(rungs)}
        found += sum(fall.at in new[about] for fall in falls(ordered))
    if found:
        said.append(
            f"{found} forecast{'s' * (found > 1)} of a ladder fall from an earlier deadline to a "
            "later one; kept as stated"
        )
    nothing = _take_nothing_back(made, held)
    if nothing:
        said.append(
            f"{nothing} withdrawal{'s' * (nothing > 1)} of a forecast that was not in force; kept "
            "as stated"
        )
    return said


def _take_nothing_back(made: Plan, held: Held) -> int:
    concerned = {(one.question, one.forecaster) for one in made.withdrawals}
    if not concerned:
        return 0
    events: dict[tuple[str, str], list[tuple[dt.datetime, bool, bool]]] = defaultdict(list)
    for f in made.forecasts:
        events[f.question, f.forecaster].append((f.issued_at, True, True))
    for w in made.withdrawals:
        events[w.question, w.forecaster].append((w.withdrawn_at, False, True))
    for keys, speaks in ((held.forecasts, True), (held.withdrawals, False)):
        for question, who, at in keys:
            if (question, who) in concerned:
                events[question, who].append((at, speaks, False))
    count = 0
    for about in concerned:
        stands = False
        for _, speaks, new in sorted(events[about]):
            count += new and not speaks and not stands
            stands = speaks
    return count
