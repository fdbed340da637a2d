"""The event loop, compiled: the modified next reaction method, one draw after the other.

Each move has a unit-exponential budget; its hazard uses it up. When a link or a fading report
changes the hazard from t on, what is left of the budget is spent faster or slower, in closed form:
``due = base + (a^k + ((due - base)^k - a^k) exp(-step))^(1/k)``, a the age at t.

This module imports numba; import it inside functions only.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, cast

import numba
import numpy as np

from forecasting import config

# What is kept of the compiled loop is known by this file alone: the layout of its arrays is here.

#: What happens at a fixed moment, in the order in which it happens within one.
KNOWN, FREE, FORCED, FADED = range(4)
#: What chance is drawn for.
USES = ("budget", "share", "size", "whole")
#: A tenth of a millisecond: what happens at once happens after what it follows.
MOMENT = 1e-9
#: Knots of a tabulated size; even in the arc sine of the root, so that both ends are fine.
KNOTS = 33


#: Of a parameter there is one value, one a draw, or one a parameter point.
ONE, DRAW, POINT = range(3)
#: Columns of ``Plan.move``; of a parameter where it begins, and of which kind it is.
OWNER, START, END, COUNTED, RENEWS, DATED, SHARED = range(7)
FIRST_BUDGET, FIRST_SHARE, FIRST_SIZE, SIZE, EVERY = range(7, 12)
ITEMS, ITEMS_END, CELL = range(12, 15)
RATE, SHAPE, AT_ONCE, FOR_GOOD, DATE, WHOLE = range(15, 27, 2)
#: Columns of ``Plan.process`` and ``Plan.stand``.
STATE, DONE_STATE, MOVES, MOVES_END, OUT, OUT_END = range(6)
SINCE, WATCH, GOAL, TOTAL = range(4)
#: Columns of ``Plan.link``.
ONCE, ON_EVENT, EVER, CHILDREN, CHILDREN_END, BETA = range(6)
#: Columns of ``Plan.tick``.
KIND, SUBJECT, INTO, EVENT = range(4)

#: More moves than this in one path: links drive each other.
MOST_MOVES = 5_000
#: How a call of `run` ends.
DONE, FULL, LOOP = range(3)
#: A move's state was entered before chance began, is entered now, or goes on after an event.
BEFORE, ENTERED, AGAIN = range(3)
_BUDGET, _SHARE, _SIZE, _WHOLE = range(4)
_FROM, _ENDED = range(2)


def _plain[F: Callable[..., Any]](function: F) -> F:
    """Compile a helper; it is kept with whatever calls it."""
    return cast(F, numba.njit(error_model="numpy", inline="always")(function))


def _kept[F: Callable[..., Any]](function: F) -> F:
    """Compile and keep the result beside the package, or in the cache folder, or not at all."""
    compiled: Any = numba.njit(error_model="numpy", nogil=True)(function)
    try:
        compiled.enable_caching()
    except RuntimeError:  # no folder of numba's own choice can be written
        with _cache_folder(), contextlib.suppress(RuntimeError, OSError):
            compiled.enable_caching()
    return cast(F, compiled)


@contextlib.contextmanager
def _cache_folder() -> Iterator[None]:
    settings: Any = numba.config
    before = settings.CACHE_DIR
    settings.CACHE_DIR = str(config.cache_folder() / "numba")
    try:
        yield
    finally:
        settings.CACHE_DIR = before


@_plain
def _mix(x: Any) -> Any:
    """Scramble 64 bits (splitmix64)."""
    x ^= x >> np.uint64(30)
    x *= np.uint64(0xBF58476D1CE4E5B9)
    x ^= x >> np.uint64(27)
    x *= np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@_plain
def _chance(salt: Any, d: int, visit: int) -> Any:
    """Give the uniform of a salt, draw and visit."""
    key = _mix(salt ^ (np.uint64(d) * np.uint64(0x9E3779B97F4A7C15)))
    bits = _mix(key + np.uint64(visit) * np.uint64(0xD1342543DE82EF95))
    return (np.float64(bits >> np.uint64(11)) + 0.5) * (1.0 / 9007199254740992.0)


@_plain
def _of(value: Any, about: Any, row: int, what: int, d: int, point: int) -> Any:
    """Give a parameter of a move or link in a draw."""
    each = about[row, what + 1]
    return value[about[row, what] + (point if each == POINT else d if each == DRAW else 0)]


@_plain
def _due(plan: Any, m: int, d: int, t: float, base: float, how: int, visit: int, log: float) -> Any:
    """Give the day on which a move fires that is enabled at t, its age counted from `base`."""
    value, move, salt, point = plan.value, plan.move, plan.salt, d // plan.repeats
    if move[m, DATED]:
        date = _of(value, move, m, DATE, d, point)
        return date if date > t else np.inf
    rate, shape = _of(value, move, m, RATE, d, point), _of(value, move, m, SHAPE, d, point)
    if move[m, SHARED] and how != AGAIN:
        u = value[move[m, FIRST_SHARE] + d] if visit == 0 else _chance(salt[m, _SHARE], d, visit)
        at_once = _of(value, move, m, AT_ONCE, d, point)
        good = _of(value, move, m, FOR_GOOD, d, point)
        if how == ENTERED:
            if u < at_once:
                return t + MOMENT
            if u < at_once + good:
                return np.inf
        else:  # a stay that has lasted is the likelier one for good
            rest = (1.0 - at_once - good) * np.exp(-rate * (t - base) ** shape)
            if u * (good + rest) < good:
                return np.inf
    if rate <= 0.0:
        return np.inf
    if visit == 0:
        budget = value[move[m, FIRST_BUDGET] + d]
    else:
        budget = -np.log1p(-_chance(salt[m, _BUDGET], d, visit))
    used = (budget if log == 0.0 else budget * np.exp(-log)) / rate
    if shape == 1.0:
        return t + used
    return max(t, base + ((t - base) ** shape + used) ** (1.0 / shape))


@_plain
def _barred(plan: Any, p: int, state: int, t: float) -> Any:
    """Say whether a state cannot be entered by chance at t."""
    bars = plan.bars
    return t < bars[0, p, state] or bars[1, p, state] <= t < bars[2, p, state]


@_plain
def _later(shape: float, t: float, base: float, due: float, step: float) -> Any:
    """Give the new day of a move whose log hazard rises by `step` at t."""
    if shape == 1.0:
        return t + (due - t) * np.exp(-step)
    age = (t - base) ** shape
    rest = max((due - base) ** shape - age, 0.0) * np.exp(-step)
    return max(t, base + (age + rest) ** (1.0 / shape))


@_plain
def _news(plan: Any, m: int, gain: float, cell: int, ended: float) -> Any:
    """Give the log multiplier of a move's reports that were not known before `ended`."""
    item, size = plan.item, plan.item_size
    found, end = 0.0, plan.move[m, ITEMS_END]
    i = plan.move[m, ITEMS] if cell >= 0 else end
    while i < end:
        source, total, bound = item[i, 0], 0.0, size[i, 1]
        while i < end and item[i, 0] == source:
            if size[i, 0] >= ended:
                total += plan.value[item[i, 1] + cell]
            i += 1
        found += min(max(gain * total, -bound), bound)
    return found


@_plain
def _part(plan: Any, m: int, d: int, visit: int, left: float, goal: float) -> Any:
    """Give how much a delivery brings when so much is left."""
    value, move, salt, point = plan.value, plan.move, plan.salt, d // plan.repeats
    whole = _of(value, move, m, WHOLE, d, point)
    if whole > 0.0 and _chance(salt[m, _WHOLE], d, visit) < whole:
        return left
    u = value[move[m, FIRST_SIZE] + d] if visit == 0 else _chance(salt[m, _SIZE], d, visit)
    row = move[m, SIZE] + (0 if move[m, EVERY] == 0 else (d // move[m, EVERY]) * KNOTS)
    place = np.arcsin(np.sqrt(u)) * (2.0 * (KNOTS - 1) / np.pi)
    k = min(int(place), KNOTS - 2)
    share = value[row + k] + (place - k) * (value[row + k + 1] - value[row + k])
    return min(goal * share, left)


@_plain
def _first(due: Any, begin: int, end: int) -> Any:
    """Give when the next move of a process is due, and which."""
    found, which = np.inf, -1
    for m in range(begin, end):
        if due[m] < found:
            found, which = due[m], m
    return found, which


@_plain
def _busiest(visits: Any, part: Any, own: Any, own_end: Any) -> Any:
    """Give the move of a part that was enabled most often."""
    found = own[part[0]]
    for p in part:
        for m in range(own[p], own_end[p]):
            if visits[m] > visits[found]:
                found = m
    return found


@_kept
def run(
    plan: Any,
    these: Any,
    horizon: float,
    wanted: Any,
    begin: int,
    stop: int,
    draw: Any,
    process: Any,
    time: Any,
    before: Any,
    after: Any,
    amount: Any,
) -> Any:
    """Simulate draws until the rows are full; give (next draw, rows, end, move)."""
    value, move, link, lists = plan.value, plan.move, plan.link, plan.lists
    tick, clock, acts = plan.tick, plan.clock, plan.acts
    moves, processes, links = len(move), len(plan.process), len(link)
    own, own_end = plan.process[:, MOVES], plan.process[:, MOVES_END]
    capacity, ticks = len(time), len(clock)
    state, since, total = np.empty(processes, np.int64), np.empty(processes), np.empty(processes)
    free = np.empty(processes, np.bool_)
    due, base, ended = np.empty(moves), np.empty(moves), np.empty(moves)
    linked, news = np.empty(moves), np.empty(moves)
    visits, cell = np.empty(moves, np.int64), np.empty(moves, np.int64)
    ever = np.empty(links, np.bool_)
    soonest, nearest = np.empty(processes), np.empty(processes, np.int64)
    # Draws of one gain and one past hear the same at a tick.
    heard = np.full((ticks + 1, 3), np.nan)
    n = 0
    for d in range(begin, stop):
        if not wanted[d]:
            continue
        first_row, gain, point = n, plan.gain[d], d // plan.repeats
        for p in these:
            state[p], since[p] = plan.process[p, STATE], plan.stand[p, SINCE]
            total[p], free[p] = plan.stand[p, TOTAL], False
            soonest[p], nearest[p] = np.inf, -1
            for m in range(own[p], own_end[p]):
                base[m], ended[m], cell[m] = plan.age[m, _FROM], plan.age[m, _ENDED], move[m, CELL]
                due[m], linked[m], news[m], visits[m] = np.inf, 0.0, 0.0, 0
        for p in these:
            for a in range(plan.process[p, OUT], plan.process[p, OUT_END]):
                j = lists[a]
                ever[j] = link[j, EVER]
                if ever[j] or (not link[j, ONCE] and acts[j, state[p]]):
                    for c in range(link[j, CHILDREN], link[j, CHILDREN_END]):
                        linked[lists[c]] += _of(value, link, j, BETA, d, point)
        opening, i = 0, 0  # processes that are free at the origin begin first
        next_one, changed = these[0], True
        while True:
            fired, kind, part, t, p, new = -1, -1, 0.0, 0.0, 0, 0
            counted = False
            if opening < len(these):
                p, kind = these[opening], FREE
                opening += 1
                if plan.stand[p, WATCH] > 0.0:
                    continue
            else:
                if changed:
                    next_one = these[0]
                    for q in these[1:]:
                        if soonest[q] < soonest[next_one]:
                            next_one = q
                p, changed = next_one, True
                t, fired = soonest[p], nearest[p]
                if i < ticks and clock[i, 0] <= t:
                    t, part, fired = clock[i, 0], clock[i, 1], -1
                    kind, p, new = tick[i, KIND], tick[i, SUBJECT], tick[i, INTO]
                    counted = tick[i, EVENT] != 0
                    i += 1
                elif not t <= horizon:
                    break
            if kind == FADED:
                m = p
                cell[m] = new
                p = move[m, OWNER]
                changed = False
                if due[m] < np.inf and not move[m, DATED]:
                    if heard[i, 0] != gain or heard[i, 1] != ended[m]:
                        heard[i, 0], heard[i, 1] = gain, ended[m]
                        heard[i, 2] = _news(plan, m, gain, new, ended[m])
                    size = heard[i, 2]
                    shape = _of(value, move, m, SHAPE, d, point)
                    due[m] = _later(shape, t, base[m], due[m], size - news[m])
                    news[m] = size
                    if nearest[p] == m or due[m] <= soonest[p]:
                        changed = True
                        soonest[p], nearest[p] = _first(due, own[p], own_end[p])
                continue
            old = state[p]
            recorded = True
            if kind == FREE:
                free[p], recorded, new = True, False, old
            elif kind == KNOWN:
                total[p] += part
                recorded = False
                if new == old and not counted:
                    continue
            elif kind == FORCED:
                counted = False
                for m in range(own[p], own_end[p]):
                    same = move[m, START] == new == old and move[m, SIZE] < 0
                    counted = counted or (move[m, COUNTED] and same)
                if new == old and not counted:
                    continue
                if new == plan.process[p, DONE_STATE]:
                    part = max(plan.stand[p, GOAL] - total[p], 0.0)
                    total[p] = plan.stand[p, GOAL]
            else:
                new = move[fired, END]
                cut = _barred(plan, p, new, t)
                again = False
                if move[fired, SIZE] >= 0 and not cut:
                    goal, done = plan.stand[p, GOAL], plan.process[p, DONE_STATE]
                    left = max(goal - total[p], 0.0)
                    part = _part(plan, fired, d, visits[fired] - 1, left, goal)
                    if done >= 0 and total[p] + part >= goal * (1.0 - 1e-12):
                        new = done
                        # A last part that is barred does not come; smaller ones may.
                        again = _barred(plan, p, new, t)
                        cut = again
                if cut:
                    due[fired] = np.inf
                    if again:
                        log, visit = linked[fired] + news[fired], visits[fired]
                        due[fired] = _due(plan, fired, d, t, base[fired], AGAIN, visit, log)
                        visits[fired] += 1
                    soonest[p], nearest[p] = _first(due, own[p], own_end[p])
                    continue
                total[p] += part
            if recorded:
                if n - first_row >= MOST_MOVES:
                    return d, n, LOOP, _busiest(visits, these, own, own_end)
                if n == capacity:
                    return d, first_row, FULL, -1
                draw[n], process[n], time[n], amount[n] = d, p, t, part
                before[n], after[n] = old, new
                n += 1
            if kind != FREE:
                for m in range(own[p], own_end[p]):
                    if old != new:
                        due[m] = np.inf
                        ended[m] = t if move[m, START] == old else ended[m]
                        base[m] = t if move[m, START] == new else base[m]
                    elif m == fired or (fired < 0 and move[m, COUNTED] and move[m, START] == old):
                        due[m] = np.inf
                        ended[m] = t
                        base[m] = t if move[m, RENEWS] else base[m]
                if old != new:
                    state[p], since[p] = new, t
                for a in range(plan.process[p, OUT], plan.process[p, OUT_END]):
                    j = lists[a]
                    sign = 1.0
                    if link[j, ONCE]:
                        turns = not ever[j] and (
                            link[j, ON_EVENT] != 0 if old == new else acts[j, new]
                        )
                        ever[j] = ever[j] or turns
                    else:
                        turns = acts[j, new] != acts[j, old]
                        sign = 1.0 if acts[j, new] else -1.0
                    if not turns:
                        continue
                    step = sign * _of(value, link, j, BETA, d, point)
                    if step == 0.0:
                        continue
                    for c in range(link[j, CHILDREN], link[j, CHILDREN_END]):
                        m = lists[c]
                        linked[m] += step
                        if due[m] < np.inf and not move[m, DATED]:
                            shape = _of(value, move, m, SHAPE, d, point)
                            due[m] = _later(shape, t, base[m], due[m], step)
                            q = move[m, OWNER]
                            soonest[q], nearest[q] = _first(due, own[q], own_end[q])
            if free[p]:  # moves that are possible now, and had no budget
                for m in range(own[p], own_end[p]):
                    if move[m, START] != new:
                        continue
                    how = ENTERED if since[p] >= t else BEFORE
                    if kind != FREE and old == new:
                        if not (m == fired or (fired < 0 and move[m, COUNTED])):
                            continue
                        # What renews is a new stay: whether it is for good is drawn anew.
                        how = BEFORE if move[m, RENEWS] else AGAIN
                    elif base[m] > since[p]:
                        how = BEFORE if move[m, RENEWS] else AGAIN
                    news[m] = _news(plan, m, gain, cell[m], ended[m])
                    due[m] = _due(plan, m, d, t, base[m], how, visits[m], linked[m] + news[m])
                    visits[m] += 1
            soonest[p], nearest[p] = _first(due, own[p], own_end[p])
    return stop, n, DONE, -1
