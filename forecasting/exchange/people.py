"""Whose a forecast of another platform's file is: mine, somebody's there, a crowd's, a market's."""

from dataclasses import replace

from forecasting.domain.reading import forecaster as person
from forecasting.domain.reading import plainly
from forecasting.errors import InvalidInput
from forecasting.exchange.record import Statements

#: Forecasters that are no person; a reader names them in full, such as ``market:polymarket``.
NOBODY = ("crowd:", "market:")
_SHOWN = 6


def named(
    statements: Statements, platform: str, *, me: str = "", user: str = "", forecaster: str = ""
) -> None:
    """Name a file's forecasters: `me` whose file it is, everybody else ``<platform>:<name>``."""
    # One name on two platforms may be two people. Whose file it is, is `user`, else what the file
    # says, else `me` where somebody is called so, else the only person in it.
    people = {
        one.forecaster for one in statements.forecasts if not one.forecaster.startswith(NOBODY)
    }
    clear = user or statements.owner or len(people - {""}) == 1 or forecaster in people
    me = me or (forecaster if clear else "")
    mine = _whose(people - {""}, statements, me=me, user=user) if me or user else ""
    names = {mine: me} if me and mine else {}
    if "" in people or any(not one.forecaster for one in statements.scored):
        # What names nobody is the owner's.
        alone = next(iter(people - {""})) if len(people - {""}) == 1 else ""
        whose = statements.owner or alone
        owner = me or forecaster or (f"{platform}:{whose}" if whose else "")
        if not owner and "" in people:
            raise InvalidInput("forecaster: the file names nobody", hint="me=NAME")
        names[""] = owner
    for name in people - names.keys():
        names[name] = person(f"{platform}:{name}")
    for answer in statements.forecasts:
        answer.forecaster = names.get(answer.forecaster, answer.forecaster)
    statements.bots = {names.get(one, one) for one in statements.bots}
    statements.scored = [
        replace(one, forecaster=names.get(one.forecaster, one.forecaster))
        for one in statements.scored
    ]


def _whose(people: set[str], statements: Statements, *, me: str, user: str) -> str:
    if user:
        if people and user not in people:
            msg = f"user ({plainly(user)}): nobody in the file is called so"
            if statements.refused:
                first = min(statements.refused, key=lambda one: one.line)
                count = len(statements.refused)
                msg += (
                    f"; {count:,} row{'s' * (count > 1)} could not be read, the first in line "
                    f"{first.line} ({first.reason.partition('. Try:')[0]})"
                )
            raise InvalidInput(msg, hint=_some(people))
        # A file of questions alone names nobody, and one that is refused whole says why.
        return user
    if statements.owner:
        return statements.owner
    if me in people:
        return me
    if len(people) == 1:
        return next(iter(people))
    if people:
        msg = f"me ({plainly(me)}): the file holds {len(people):,} people; which of them is that"
        raise InvalidInput(msg, hint=f"user=NAME, one of {_some(people)}")
    return ""


def _some(people: set[str]) -> str:
    shown = sorted(people)[:_SHOWN]
    return plainly(", ".join(shown)) + (", ..." if len(people) > len(shown) else "")
