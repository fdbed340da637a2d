"""What of a file may be kept, given what a ledger holds: the same for every order of the lines."""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal

from forecasting.domain import Question, Resolution
from forecasting.domain.ladder import falls
from forecasting.domain.outcome import YES, OutcomeSpace
from forecasting.domain.reading import Ambiguous, Damaged, Manner, of_file, outcome
from forecasting.domain.resolution import outcomes
from forecasting.errors import InvalidInput
from forecasting.exchange import questions
from forecasting.exchange.case import About, Case, Existing, Plan
from forecasting.exchange.forecasts import keep
from forecasting.exchange.outcomes import known_at, new_outcomes, stated_beside
from forecasting.exchange.people import NOBODY
from forecasting.exchange.record import WITHDRAWN, Statements

#: What is said of forecasts that a platform took outside the window of their question.
_OUTSIDE = {
    "opens": "made before the opening; kept as said, and scored from the opening on",
    "closed": "made after the close; kept as said, and scored by no window",
    "ended": "outside the window of their question; kept as said",
    "resolved": "made after the outcome was known; kept as said, and scored by no window",
}


def plan(
    statements: Statements,
    existing: Existing,
    *,
    now: dt.datetime,
    name: str,
    manner: Manner | None = None,
    platform: bool = False,
    titled: bool = False,
) -> Plan:
    """Decide what becomes of each line.

    A question whose lines disagree among themselves or with the ledger is refused whole; so are
    forecasts of one person on one question at one instant that differ. Everything else is judged
    line by line, and nothing by the order of the lines.

    What another `platform` took is kept and said: forecasts outside the window, an outcome before
    the opening, a deadline that had passed. Where it says something else of a question than before,
    the file counts that knows of the latest forecast or outcome of it, and the outcome that became
    known later, whichever file comes first. `titled`: its ids are made of titles.

    Raises
    ------
    InvalidInput
        A number that is none, or a spelling with two meanings; nothing may be written.
    """
    planned = Plan(refused=list(statements.refused), notes=list(statements.notes))
    about: dict[str, About] = defaultdict(About)
    for facts in statements.facts:
        about[facts.question].facts.append(facts)
    for answer in statements.forecasts:
        about[answer.question].forecasts.append(answer)
    for version in statements.outcomes:
        about[version.question].outcomes.append(version)
    versions: dict[str, list[Resolution]] = defaultdict(list)
    for known in existing.resolutions:
        versions[known.question].append(known)
    counts: Counter[str] = Counter()
    moments: dict[str, list[dt.datetime]] = defaultdict(list)
    for question, _, at in existing.forecasts:
        moments[question].append(at)
    yes_rungs = _yes_rungs(statements, existing)
    outside: Counter[str] = Counter()
    # Side by side as the index holds them: in the order of time every row opens another page.
    for question in sorted(about):
        ladder, _, day = question.partition("@")
        yeses = yes_rungs[ladder] if day else []
        case = Case(
            about=about[question],
            existing=existing,
            plan=planned,
            notes=counts,
            now=now,
            name=name,
            manner=manner or Manner(),
            moments=moments[question],
            platform=platform,
            outside=outside,
        )
        _decide(case, question, versions[question], yeses)
    if manner is not None and manner.zone and existing.forecasts:
        in_another_zone(statements, planned, existing, refuse=platform)
    planned.notes += [
        f"{count:,} {'withdrawal' if what == 'ended' else 'forecast'}{'s' * (count > 1)} "
        f"{_OUTSIDE[what]}"
        for what, count in sorted(outside.items())
    ]
    if platform and (ended := len(planned.withdrawals)):
        planned.notes.append(
            f"{ended:,} forecast{'s' * (ended > 1)} ended with no next one known: withdrawn then, "
            "unless another part of the record brings it"
        )
    if titled:
        planned.notes += under_another_name(statements, planned, existing)
    if platform:
        planned.notes += of_another_name(planned, existing)
    planned.notes += flags(planned, existing)
    planned.withdrawals.sort(key=lambda one: (one.withdrawn_at, one.question, one.forecaster))
    planned.refused.sort(key=lambda one: (one.line, one.reason))
    planned.notes += [
        f"{count} question{'s' * (count > 1)}: {what}" for what, count in sorted(counts.items())
    ]
    return planned


def _yes_rungs(
    statements: Statements, existing: Existing
) -> dict[str, list[tuple[str, dt.datetime]]]:
    """Give the rungs of each ladder that resolved yes: the day in each name, and when it did."""
    by_ladder: dict[str, list[tuple[str, dt.datetime]]] = defaultdict(list)
    stated = [
        (one.question, one.outcome, one.resolved_at)
        for one in outcomes(existing.resolutions).values()
    ]
    stated += [
        (one.question, one.outcome, one.resolved_at)
        for one in statements.outcomes
        if not one.status
    ]
    stated += [
        (one.question, str(one.stated["outcome"]), one.stated["resolved_at"])
        for one in statements.facts
        if {"outcome", "resolved_at"} <= one.stated.keys()
    ]
    for question, word, at in stated:
        ladder, rung, day = question.partition("@")
        try:
            yes = bool(rung) and outcome(OutcomeSpace.binary(), word) == YES
        except InvalidInput:
            continue
        if yes:
            by_ladder[ladder].append((day, at))
    return by_ladder


def _decide(
    case: Case, name: str, versions: list[Resolution], yeses: Sequence[tuple[str, dt.datetime]]
) -> None:
    recorded, notes = case.existing.questions.get(name), Counter[str]()
    try:
        question = _question(case, name, recorded, versions, notes)
        unsaid = stated_beside(case, question, versions, notes)
    except (Ambiguous, Damaged) as damaged:
        line = min(case.about.lines())
        raise of_file(damaged, f"{case.name}:{line}") from damaged
    except InvalidInput as wrong:
        case.refuse(case.about.lines(), str(wrong))
        return
    resolutions = new_outcomes(case, question, versions)
    resolutions += [] if unsaid is None else [(unsaid, [])]
    standing = outcomes([*versions, *(one for one, _ in resolutions)]).get(name)
    # A yes on an earlier rung of its ladder settles a question too, and so does one on a later rung
    # that was known while this one was to come.
    day = name.partition("@")[2]
    others = [at for rung, at in yeses if rung < day or (rung > day and at <= question.closes)]
    ends = [*others, *([] if standing is None else [standing.resolved_at])]
    count = keep(case, question, min(ends, default=None))
    own = [one for one in case.about.facts if one.own_line]
    if recorded is None and not (count or own):
        # Nothing else of the question is kept, so its outcome is refused with it.
        for _, lines in resolutions:
            case.refuse(lines, f"question ({name}): every row of it was refused")
        return
    case.notes.update(notes)
    new = question is not recorded
    if new:
        case.plan.questions.append(question)
        case.plan.added += bool(own)
    case.plan.duplicates += len(own) - (new and bool(own))
    for resolution, lines in resolutions:
        case.plan.resolutions.append(resolution)
        case.plan.added += bool(lines)
        case.plan.duplicates += max(len(lines) - 1, 0)


def _question(
    case: Case,
    name: str,
    recorded: Question | None,
    versions: Sequence[Resolution],
    notes: Counter[str],
) -> Question:
    options = () if recorded is None else recorded.space.options
    facts = questions.merged(
        case.about.facts, case.about.forecasts, now=case.now, options=options, notes=notes
    )
    zone = case.manner.zone or "UTC"
    resolved_at = facts.get("resolved_at") or _first_settled(case)
    # After an import was taken back, a file of forecasts alone still finds its question.
    if recorded is not None and (name not in case.existing.vacant or (case.platform and not facts)):
        issued = [one.issued_at for one in case.about.forecasts if one.answer != WITHDRAWN]
        standing = outcomes(versions).get(name)
        known = (None if standing is None else standing.resolved_at, resolved_at)
        if case.platform:
            if not recorded.source and name in case.existing.imported:
                # A file of forecasts alone came first, which said nothing of the question.
                recorded = questions.completed(
                    recorded,
                    facts,
                    before=case.moments,
                    issued=issued,
                    resolved_at=known,
                    notes=notes,
                    outside=True,
                )
            if name in case.existing.imported:
                ends = [one.known_at for one in case.about.outcomes if not one.status]
                times = [at for at in (*issued, *ends) if at <= case.now]
                here = [*case.moments, *([] if standing is None else [known_at(standing)])]
                recorded = questions.renewed(
                    recorded, facts, notes,
                    in_file=max(times, default=None), in_ledger=max(here, default=None),
                    before=case.existing.before,
                )  # fmt: skip
            questions.check_same(recorded, facts, notes, wording_stays=True)
            return recorded
        if name not in case.existing.imported:
            questions.check_same(recorded, facts, notes)
            return recorded
        completed = questions.completed(
            recorded, facts, before=case.moments, issued=issued, resolved_at=known, notes=notes
        )
        questions.check_same(completed, facts, notes)
        return recorded if completed == recorded else completed
    if case.platform and not facts:
        msg = f"question ({name}): neither this file nor the ledger says what was asked"
        raise InvalidInput(msg, hint="the file of the questions first, or both in one zip")
    if (whole := next((one.whole for one in case.about.facts if one.whole), None)) is not None:
        return whole
    new = questions.new_question(
        name,
        facts,
        case.about.forecasts,
        notes,
        zone=zone,
        resolved_at=resolved_at,
        platform=case.platform,
    )
    return recorded if recorded is not None and new == recorded else new


def _first_settled(case: Case) -> dt.datetime | None:
    moments = [one.resolved_at for one in case.about.outcomes if not one.status]
    return min(moments, default=None)


def flags(planned: Plan, existing: Existing) -> list[str]:
    """Note forecasts and withdrawals that are kept as stated, though no other door takes them."""
    notes = []
    questions = {**existing.questions, **{question.id: question for question in planned.questions}}
    steps: dict[tuple[str, str], dict[str, list[tuple[dt.datetime, Decimal | None]]]] = {}
    new: dict[tuple[str, str], list[dt.datetime]] = defaultdict(list)

    ladders = {name: one.ladder for name, one in questions.items() if one.ladder}

    def step(question: str, who: str, at: dt.datetime, p: Decimal | None) -> None:
        rungs = steps.setdefault((ladders[question], who), {})
        rungs.setdefault(question, []).append((at, p))

    for one in planned.forecasts if ladders else ():
        if one.question in ladders:
            step(one.question, one.forecaster, one.issued_at, Decimal(one.value.entered[0]))
            new[ladders[one.question], one.forecaster].append(one.issued_at)
    for (question, who, at), (labels, entered) in existing.forecasts.items() if new else ():
        if (ladders.get(question), who) in new and labels == ("yes",):
            step(question, who, at, Decimal(entered[0]))
    for taken in planned.withdrawals:
        if taken.question in ladders:
            step(taken.question, taken.forecaster, taken.withdrawn_at, None)
    count = 0
    for about, rungs in steps.items():
        # The day of a rung's name sorts as its deadline does.
        ordered = {rung: rungs[rung] for rung in sorted(rungs)}
        count += sum(fall.at in new[about] for fall in falls(ordered))
    if count:
        notes.append(
            f"{count} forecast{'s' * (count > 1)} of a ladder fall from an earlier deadline to a "
            "later one; kept as stated"
        )
    nothing = _take_nothing_back(planned, existing)
    if nothing:
        notes.append(
            f"{nothing} withdrawal{'s' * (nothing > 1)} of a forecast that was not in force; kept "
            "as stated"
        )
    return notes


def _take_nothing_back(planned: Plan, existing: Existing) -> int:
    concerned = {(one.question, one.forecaster) for one in planned.withdrawals}
    if not concerned:
        return 0
    events: dict[tuple[str, str], list[tuple[dt.datetime, bool, bool]]] = defaultdict(list)
    for f in planned.forecasts:
        events[f.question, f.forecaster].append((f.issued_at, True, True))
    for w in planned.withdrawals:
        events[w.question, w.forecaster].append((w.withdrawn_at, False, True))
    for keys, speaks in ((existing.forecasts, True), (existing.withdrawals, False)):
        for question, who, at in keys:
            if (question, who) in concerned:
                events[question, who].append((at, speaks, False))
    count = 0
    for about in concerned:
        in_force = False
        for _, speaks, new in sorted(events[about]):
            count += new and not speaks and not in_force
            in_force = speaks
    return count


def of_another_name(planned: Plan, existing: Existing) -> list[str]:
    """Name people whose forecasts the ledger has already, number for number, from somebody else.

    An export that comes again without the name that it had here would count its person twice.
    """
    new: dict[tuple[object, ...], list[str]] = defaultdict(list)
    if existing.forecasts:
        for one in planned.forecasts:
            if not one.forecaster.startswith(NOBODY):
                value = (one.value.labels, one.value.entered)
                new[one.question, one.issued_at, value].append(one.forecaster)
    alike: Counter[tuple[str, str]] = Counter()
    for (question, who, at), spoken in existing.forecasts.items() if new else ():
        if not who.startswith(NOBODY):
            names = new.get((question, at, spoken), ())
            alike.update((name, who) for name in names if name != who)
    said = Counter(one.forecaster for one in planned.forecasts)
    return [
        f"{count:,} of {said[name]:,} forecasts of {name} are here as those of {who}, number for "
        f"number; if that is one person, give the file me={who}"
        for (name, who), count in sorted(alike.items())
        if 1 < count >= said[name] / 2
    ]


def under_another_name(
    statements: Statements, planned: Plan, existing: Existing, *, shown: int = 3
) -> list[str]:
    """Name new questions that look like one renamed elsewhere, where ids are made of titles."""
    asked = {one.id: one for one in planned.questions if one.id not in existing.questions}
    if not asked or not existing.forecasts:
        return []
    new: dict[tuple[object, ...], list[str]] = defaultdict(list)
    for one in planned.forecasts:
        if one.question in asked:
            value = (one.value.labels, one.value.entered)
            new[one.forecaster, one.issued_at, value].append(one.question)
    people = {one.forecaster for one in statements.forecasts}
    still = {one.question for one in statements.facts}
    still |= {one.question for one in statements.forecasts}
    total: Counter[str] = Counter()
    shared: Counter[tuple[str, str]] = Counter()
    for (question, who, at), spoken in existing.forecasts.items():
        if question not in still and who in people:
            total[question] += 1
            shared.update((name, question) for name in new.get((who, at, spoken), ()))
    twins = [
        f"{name} ({old})"
        for (name, old), count in sorted(shared.items())
        if count == total[old] and asked[name].opens == existing.questions[old].opens
    ]
    if not twins:
        return []
    names = ", ".join(twins[:shown]) + f" and {len(twins) - shown} more" * (len(twins) > shown)
    return [
        f"the forecasts of a question on record, under another id: {names}; if it was renamed "
        "there, take back the import that brought it, or its forecasts count twice"
    ]


#: Zones lie quarters of an hour apart, and at most 26 hours.
_STEP, _MOST, _DAY = dt.timedelta(minutes=15), dt.timedelta(hours=26), dt.timedelta(days=1)

type Spoken = list[tuple[dt.datetime, str, tuple[str, ...]]]


def in_another_zone(
    statements: Statements, plan: Plan, existing: Existing, *, refuse: bool
) -> None:
    """Note, or `refuse`, forecasts that the ledger holds in the same words at shifted times."""
    titles = {
        (question.title, name.partition("-")[0]): name
        for name, question in existing.questions.items()
        if name in existing.imported
    }
    new = {question.id: question.title for question in plan.questions}
    twins = {
        one.question: titles.get((new.get(one.question, ""), one.question.partition("-")[0]))
        or one.question
        for one in plan.forecasts
    }
    if not twins.keys() - new.keys() and all(name == twin for name, twin in twins.items()):
        return
    in_ledger = _by_question(
        (key[0], key[2], key[1], entered) for key, (_, entered) in existing.forecasts.items()
    )
    in_file = _by_question(
        (one.question, one.issued_at, one.forecaster, one.value.entered) for one in plan.forecasts
    )
    again = {
        one.question
        for one in statements.forecasts
        if (one.question, one.forecaster, one.issued_at) in existing.forecasts
    }
    count = sum(
        len(forecasts)
        for name, forecasts in in_file.items()
        if name not in again and _shifted(forecasts, in_ledger.get(twins[name], []))
    )
    if not count:
        return
    words = (
        f"{count:,} forecast{'s' * (count > 1)} of this file stand in the ledger at times a few "
        "hours apart"
    )
    if refuse and count == len(plan.forecasts):
        msg = f"zone: {words}; it was imported with another zone"
        raise InvalidInput(msg, hint="that zone again, or forecast import undo RUN first")
    plan.notes.append(f"{words}: was another zone meant before")


def _by_question(
    rows: Iterable[tuple[str, dt.datetime, str, tuple[str, ...]]],
) -> dict[str, Spoken]:
    by_question: dict[str, Spoken] = defaultdict(list)
    for question, at, who, entered in rows:
        by_question[question].append((at, who, entered))
    return {question: sorted(forecasts) for question, forecasts in by_question.items()}


def _shifted(one: Spoken, other: Spoken) -> bool:
    if len(one) != len(other):
        return False
    for (at, *content), (before, *other_content) in zip(one, other, strict=True):
        apart = abs(at - before)
        if content != other_content or not apart or apart > _MOST or apart % _STEP or apart == _DAY:
            return False
    return True
