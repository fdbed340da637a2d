"""The event loop, compiled: the modified next reaction method, one draw after the other.

Each move has a unit-exponential budget; its hazard uses it up. When a link or a fading report
changes the hazard from t on, what is left of the budget is spent faster or slower, in closed form:
``due = base + (a^k + ((due - base)^k - a^k) exp(-step))^(1/k)``, a the age at t.

This module imports numba; import it inside functions only.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, TypeVar, cast

import numba  # type: ignore[import-untyped]
import numpy as np

from forecasting import config
from forecasting.models.world.plan import FADED, FORCED, FREE, KNOWN

F = TypeVar("F", bound=Callable[..., Any])

#: More moves than this in one path: links drive each other.
MOST_MOVES = 5_000
#: How a call of `run` ends.
DONE, FULL, LOOP = range(3)
#: Whether a move's state is entered now, was entered before chance began, or goes on after an event.
BEFORE, ENTERED, AGAIN = range(3)
_BUDGET, _SHARE, _SIZE, _WHOLE = range(4)
_RATE, _SHAPE, _AT_ONCE, _FOR_GOOD, _DATE, _ALL = range(6)
_KNOTS_ON = 64


def _plain(function: F) -> F:
    """Compile a helper; it is kept with whatever calls it."""
    return cast(F, numba.njit(error_model="numpy")(function))


def _kept(function: F) -> F:
    """Compile and keep the result beside the package, or in the cache folder, or not at all."""
    options = {"error_model": "numpy", "nogil": True}
    try:
        return cast(F, numba.njit(cache=True, **options)(function))
    except RuntimeError:  # no folder of numba's own choice can be written
        with _cache_folder(), contextlib.suppress(RuntimeError, OSError):
            return cast(F, numba.njit(cache=True, **options)(function))
    return cast(F, numba.njit(**options)(function))


@contextlib.contextmanager
def _cache_folder() -> Iterator[None]:
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(config.cache_folder() / "numba")
    try:
        yield
    finally:
        numba.config.CACHE_DIR = before


@_plain
def _mix(x: Any) -> Any:
    """Scramble 64 bits (splitmix64)."""
    x ^= x >> np.uint64(30)
    x *= np.uint64(0xBF58476D1CE4E5B9)
    x ^= x >> np.uint64(27)
    x *= np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@_plain
def _chance(plan: Any, use: int, m: int, d: int, visit: int) -> float:
    """Give the uniform of a move, draw and visit."""
    key = _mix(plan.salt[m, use] ^ (np.uint64(d) * np.uint64(0x9E3779B97F4A7C15)))
    bits = _mix(key + np.uint64(visit) * np.uint64(0xD1342543DE82EF95))
    return (np.float64(bits >> np.uint64(11)) + 0.5) * (1.0 / 9007199254740992.0)


@_plain
def _value(plan: Any, what: int, m: int, d: int) -> float:
    return plan.values[plan.at[what, m] + plan.step[what, m] * d]  # type: ignore[no-any-return]


@_plain
def _beta(plan: Any, j: int, d: int) -> float:
    return plan.values[plan.beta_at[j] + plan.beta_step[j] * d]  # type: ignore[no-any-return]


@_plain
def _due(
    plan: Any, d: int, m: int, t: float, base: float, how: int, visit: int, log_hazard: float
) -> float:
    """Give the day on which a move fires that is enabled at t, its age counted from `base`."""
    if plan.dated[m]:
        date = _value(plan, _DATE, m, d)
        return date if date > t else np.inf
    rate = _value(plan, _RATE, m, d)
    shape = _value(plan, _SHAPE, m, d)
    if plan.shared[m] and how != AGAIN:
        if visit == 0:
            u = plan.first[plan.first_at[_SHARE, m] + d]
        else:
            u = _chance(plan, _SHARE, m, d, visit)
        at_once = _value(plan, _AT_ONCE, m, d)
        good = _value(plan, _FOR_GOOD, m, d)
        if how == ENTERED:
            if u < at_once:
                return t
            if u < at_once + good:
                return np.inf
        else:  # a stay that has lasted is the likelier one for good
            rest = (1.0 - at_once - good) * np.exp(-rate * (t - base) ** shape)
            if u * (good + rest) < good:
                return np.inf
    if rate <= 0.0:
        return np.inf
    if visit == 0:
        budget = plan.first[plan.first_at[_BUDGET, m] + d]
    else:
        budget = -np.log1p(-_chance(plan, _BUDGET, m, d, visit))
    used = budget * np.exp(-log_hazard) / rate
    if shape == 1.0:
        return t + used  # type: ignore[no-any-return]
    return max(t, base + ((t - base) ** shape + used) ** (1.0 / shape))  # type: ignore[no-any-return]


@_plain
def _later(plan: Any, d: int, m: int, t: float, base: float, due: float, step: float) -> float:
    """Give the new day of a move whose log hazard rises by `step` at t."""
    shape = _value(plan, _SHAPE, m, d)
    if shape == 1.0:
        return t + (due - t) * np.exp(-step)  # type: ignore[no-any-return]
    age = (t - base) ** shape
    rest = max((due - base) ** shape - age, 0.0) * np.exp(-step)
    return max(t, base + (age + rest) ** (1.0 / shape))  # type: ignore[no-any-return]


@_plain
def _news(plan: Any, d: int, m: int, cell: int, ended: float) -> float:
    """Give the log multiplier of the reports on a move that became known after `ended`."""
    if cell < 0:
        return 0.0
    items = plan.fading
    found = 0.0
    i = items.ptr[m]
    while i < items.ptr[m + 1]:
        source, total, bound = items.source[i], 0.0, items.bound[i]
        while i < items.ptr[m + 1] and items.source[i] == source:
            if items.known[i] > ended:
                total += items.value[items.at[i] + cell]
            i += 1
        found += min(max(plan.gain[d] * total, -bound), bound)
    return found


@_plain
def _part(plan: Any, d: int, m: int, visit: int, left: float, goal: float) -> float:
    """Give how much a delivery brings when so much is left."""
    whole = _value(plan, _ALL, m, d)
    if whole > 0.0 and _chance(plan, _WHOLE, m, d, visit) < whole:
        return left
    if visit == 0:
        u = plan.first[plan.first_at[_SIZE, m] + d]
    else:
        u = _chance(plan, _SIZE, m, d, visit)
    every = plan.size_every[m]
    row = plan.size_at[m] + (0 if every == 0 else (d // every) * (_KNOTS_ON + 1))
    place = np.arcsin(np.sqrt(u)) * (2.0 * _KNOTS_ON / np.pi)
    k = min(int(place), _KNOTS_ON - 1)
    share = plan.table[row + k] + (place - k) * (plan.table[row + k + 1] - plan.table[row + k])
    return min(goal * share, left)


@_kept
def run(
    plan: Any,
    horizon: float,
    begin: int,
    draw: Any,
    process: Any,
    time: Any,
    before: Any,
    after: Any,
    amount: Any,
) -> Any:
    """Simulate draws from `begin` on until the rows are full; give (next draw, rows, end, move)."""
    moves, processes, links = len(plan.owner), len(plan.state), len(plan.once)
    capacity, ticks = len(time), len(plan.clock)
    state, since, total = np.empty(processes, np.int64), np.empty(processes), np.empty(processes)
    free = np.empty(processes, np.bool_)
    due, base, ended = np.empty(moves), np.empty(moves), np.empty(moves)
    linked, news = np.empty(moves), np.empty(moves)
    visits, cell = np.empty(moves, np.int64), np.empty(moves, np.int64)
    ever = np.empty(links, np.bool_)
    soonest, nearest = np.empty(processes), np.empty(processes, np.int64)
    n = 0
    for d in range(begin, plan.draws):
        first_row = n
        state[:] = plan.state
        since[:] = plan.since
        total[:] = plan.total
        base[:] = plan.base
        ended[:] = plan.ended
        cell[:] = plan.fading.cell
        ever[:] = plan.ever
        due[:] = np.inf
        linked[:] = 0.0
        news[:] = 0.0
        visits[:] = 0
        for j in range(links):
            ever[j] = plan.ever[j] if plan.once[j] else False
        for p in range(processes):
            free[p] = plan.free[p] <= 0.0
            for a in range(plan.out_ptr[p], plan.out_ptr[p + 1]):
                j = plan.out[a]
                if ever[j] or (not plan.once[j] and plan.acts[j, state[p]]):
                    for c in range(plan.child_ptr[j], plan.child_ptr[j + 1]):
                        linked[plan.child[c]] += _beta(plan, j, d)
        for p in range(processes):
            soonest[p] = np.inf
            nearest[p] = -1
            if free[p]:
                for a in range(plan.own_ptr[p], plan.own_ptr[p + 1]):
                    m = plan.own[a]
                    if plan.start[m] == state[p]:
                        how = ENTERED if since[p] >= 0.0 else BEFORE
                        if base[m] > since[p]:
                            how = AGAIN
                        news[m] = _news(plan, d, m, cell[m], ended[m])
                        due[m] = _due(plan, d, m, 0.0, base[m], how, 0, linked[m] + news[m])
                        visits[m] = 1
                        if due[m] < soonest[p]:
                            soonest[p] = due[m]
                            nearest[p] = m
        tick = 0
        while True:
            p = 0
            for q in range(1, processes):
                if soonest[q] < soonest[p]:
                    p = q
            t = soonest[p]
            fired, silent = nearest[p], False
            part = 0.0
            if tick < ticks and plan.clock[tick] <= t:
                t = plan.clock[tick]
                kind, p, new = plan.kind[tick], plan.subject[tick], plan.into[tick]
                part, counted = plan.part[tick], plan.event[tick]
                tick += 1
                fired = -1
                if kind == FADED:
                    m = p
                    cell[m] = new
                    if due[m] < np.inf and not plan.dated[m]:
                        size = _news(plan, d, m, new, ended[m])
                        if size != news[m]:
                            due[m] = _later(plan, d, m, t, base[m], due[m], size - news[m])
                            news[m] = size
                            p = plan.owner[m]
                            soonest[p] = np.inf
                            for a in range(plan.own_ptr[p], plan.own_ptr[p + 1]):
                                if due[plan.own[a]] < soonest[p]:
                                    soonest[p] = due[plan.own[a]]
                                    nearest[p] = plan.own[a]
                    continue
                if kind == FREE:
                    free[p] = True
                    soonest[p] = np.inf
                    for a in range(plan.own_ptr[p], plan.own_ptr[p + 1]):
                        m = plan.own[a]
                        if plan.start[m] == state[p]:
                            how = ENTERED if since[p] >= t else BEFORE
                            if base[m] > since[p]:
                                how = AGAIN
                            news[m] = _news(plan, d, m, cell[m], ended[m])
                            due[m] = _due(
                                plan, d, m, t, base[m], how, visits[m], linked[m] + news[m]
                            )
                            visits[m] += 1
                            if due[m] < soonest[p]:
                                soonest[p] = due[m]
                                nearest[p] = m
                    continue
                if kind == KNOWN:
                    silent = True
                    total[p] += part
                    if new == state[p] and not counted:
                        continue
                if kind == FORCED:
                    if new == state[p]:
                        loop = False
                        for a in range(plan.own_ptr[p], plan.own_ptr[p + 1]):
                            m = plan.own[a]
                            loop = loop or (plan.counted[m] and plan.start[m] == new)
                        if not loop:
                            continue
                    if new == plan.done[p]:
                        part = max(plan.goal[p] - total[p], 0.0)
                        total[p] = plan.goal[p]
            else:
                if not t <= horizon:
                    break
                new = plan.end[fired]
                cut = t < plan.barred_until[p, new] or t >= plan.barred_from[p, new]
                if not cut and plan.size_at[fired] >= 0:
                    left = max(plan.goal[p] - total[p], 0.0)
                    part = _part(plan, d, fired, visits[fired] - 1, left, plan.goal[p])
                    if plan.done[p] >= 0 and total[p] + part >= plan.goal[p] * (1.0 - 1e-12):
                        new = plan.done[p]
                        if t < plan.barred_until[p, new] or t >= plan.barred_from[p, new]:
                            # The last part is barred: it does not come, smaller ones may.
                            due[fired] = _due(
                                plan, d, fired, t, base[fired], AGAIN, visits[fired],
                                linked[fired] + news[fired],
                            )  # fmt: skip
                            visits[fired] += 1
                            soonest[p] = np.inf
                            for a in range(plan.own_ptr[p], plan.own_ptr[p + 1]):
                                if due[plan.own[a]] < soonest[p]:
                                    soonest[p] = due[plan.own[a]]
                                    nearest[p] = plan.own[a]
                            continue
                    total[p] += part
                if cut:
                    due[fired] = np.inf
                    soonest[p] = np.inf
                    for a in range(plan.own_ptr[p], plan.own_ptr[p + 1]):
                        if due[plan.own[a]] < soonest[p]:
                            soonest[p] = due[plan.own[a]]
                            nearest[p] = plan.own[a]
                    continue
            old = state[p]
            if not silent:
                if n - first_row >= MOST_MOVES:
                    return d, n, LOOP, np.argmax(visits)
                if n == capacity:
                    return d, first_row, FULL, -1
                draw[n] = d
                process[n] = p
                time[n] = t
                before[n] = old
                after[n] = new
                amount[n] = part
                n += 1
            if old == new:  # an event or a part: the state goes on
                for a in range(plan.own_ptr[p], plan.own_ptr[p + 1]):
                    m = plan.own[a]
                    mine = m == fired or (fired < 0 and plan.counted[m] and plan.start[m] == old)
                    if not mine:
                        continue
                    ended[m] = t
                    if plan.renews[m]:
                        base[m] = t
                    if free[p]:
                        news[m] = _news(plan, d, m, cell[m], t)
                        due[m] = _due(
                            plan, d, m, t, base[m], AGAIN, visits[m], linked[m] + news[m]
                        )
                        visits[m] += 1
            else:
                state[p] = new
                since[p] = t
                for a in range(plan.own_ptr[p], plan.own_ptr[p + 1]):
                    m = plan.own[a]
                    due[m] = np.inf
                    if plan.start[m] == old:
                        ended[m] = t
                    if plan.start[m] == new:
                        base[m] = t
            for a in range(plan.out_ptr[p], plan.out_ptr[p + 1]):
                j = plan.out[a]
                if plan.once[j]:
                    if ever[j]:
                        continue
                    turn = plan.on_event[j] if old == new else plan.acts[j, new]
                    step = _beta(plan, j, d) if turn else 0.0
                    ever[j] = turn
                else:
                    turn = plan.acts[j, new] != plan.acts[j, old]
                    step = _beta(plan, j, d) if plan.acts[j, new] else -_beta(plan, j, d)
                if not turn:
                    continue
                for c in range(plan.child_ptr[j], plan.child_ptr[j + 1]):
                    m = plan.child[c]
                    linked[m] += step
                    if due[m] < np.inf and not plan.dated[m]:
                        due[m] = _later(plan, d, m, t, base[m], due[m], step)
                        q = plan.owner[m]
                        if q != p:
                            soonest[q] = np.inf
                            for b in range(plan.own_ptr[q], plan.own_ptr[q + 1]):
                                if due[plan.own[b]] < soonest[q]:
                                    soonest[q] = due[plan.own[b]]
                                    nearest[q] = plan.own[b]
            soonest[p] = np.inf
            for a in range(plan.own_ptr[p], plan.own_ptr[p + 1]):
                m = plan.own[a]
                if old != new and free[p] and plan.start[m] == new:
                    news[m] = _news(plan, d, m, cell[m], ended[m])
                    due[m] = _due(plan, d, m, t, t, ENTERED, visits[m], linked[m] + news[m])
                    visits[m] += 1
                if due[m] < soonest[p]:
                    soonest[p] = due[m]
                    nearest[p] = m
    return plan.draws, n, DONE, -1
