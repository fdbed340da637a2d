"""The joint distribution of a graph, for every draw of its tables, by exact elimination.

A joint is a product of factors: one table P(node | parents) for each node, and tilts, which come
from reconciling the graph with what the models of single questions say. Marginals and conditionals
are sums of that product. Summing out one node after another gives the same numbers as adding up
all combinations of states, without ever holding them.

Seeing is not doing. `Joint.marginal` with `given` conditions: it says what to believe once a state
is seen. `Joint.do` intervenes: it sets a node from outside, so that its parents learn nothing from
it. What an intervention gives rests on the graph (Pearl, Causality, 2nd ed. 2009, ch. 3).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecasting.errors import InvalidInput

__all__ = ["Factor", "Joint", "descendants", "in_order", "joint"]

FloatArray = NDArray[np.float64]
Factor = tuple[tuple[int, ...], FloatArray]


@dataclass(frozen=True, slots=True)
class Joint:
    """A product of factors over nodes with states, for S draws.

    Attributes
    ----------
    states
        Number of states of each node.
    parents
        Positions of each node's parents; after an intervention, none for the node that was set.
    tables
        P(node | parents) for each node, shape (S, parents' states..., states).
    tilts
        Further factors, each with the nodes it is about and an array (S, their states...).
    """

    states: tuple[int, ...]
    parents: tuple[tuple[int, ...], ...]
    tables: tuple[FloatArray, ...]
    tilts: tuple[Factor, ...] = ()

    @property
    def draws(self) -> int:
        """Number of draws S."""
        return int(self.tables[0].shape[0])

    def marginal(self, nodes: Sequence[int], given: Mapping[int, int] | None = None) -> FloatArray:
        """Return P(nodes | given) for every draw.

        Parameters
        ----------
        nodes : sequence of int
            Positions, in the order of the answer's axes.
        given : mapping of int to int, optional
            Node to state.

        Returns
        -------
        ndarray, shape (S, states of each node in `nodes`)
            Sums to one in each draw.

        Raises
        ------
        InvalidInput
            If what is given has probability 0 in some draw.
        """
        weight = self.weight(nodes, given)
        total = weight.sum(axis=tuple(range(1, weight.ndim)), keepdims=True)
        if np.any(total <= 0.0):
            message = f"given ({dict(given or {})}): has probability 0."
            raise InvalidInput(message, hint="conditions that can be true together")
        return np.asarray(weight / total)

    def weight(self, nodes: Sequence[int], given: Mapping[int, int] | None = None) -> FloatArray:
        """Return P(nodes, given) for every draw, not divided by P(given).

        Parameters
        ----------
        nodes, given
            As in `marginal`.

        Returns
        -------
        ndarray, shape (S, states of each node in `nodes`)
        """
        fixed = dict(given or {})
        factors = [_slice(factor, fixed) for factor in self._relevant({*nodes, *fixed})]
        kept = [node for node in nodes if node not in fixed]
        found = _eliminate(factors, set(kept))
        table = _product(found, kept, self.draws)
        for axis, node in enumerate(nodes):
            if node in fixed:
                # What is given is certain: an axis of its own with everything in one place.
                at = np.arange(self.states[node]) == fixed[node]
                table = np.expand_dims(table, axis + 1) * at.reshape(
                    -1, *[1] * (table.ndim - 1 - axis)
                )
        return table

    def probability(
        self, event: Mapping[int, int], given: Mapping[int, int] | None = None
    ) -> FloatArray:
        """Return P(all of `event` | given) for every draw, shape (S,).

        Examples
        --------
        >>> net = joint([(), (0,)], [[[0.3, 0.7]], [[[0.2, 0.8], [0.6, 0.4]]]])
        >>> net.probability({1: 0}).round(4).tolist()
        [0.48]
        >>> net.probability({0: 0}, {1: 0}).round(4).tolist()
        [0.125]
        """
        fixed = dict(given or {})
        if any(fixed.get(node, state) != state for node, state in event.items()):
            self.marginal([], fixed)
            return np.zeros(self.draws)
        base = self.weight([], fixed)
        if np.any(base <= 0.0):
            message = f"given ({fixed}): has probability 0."
            raise InvalidInput(message, hint="conditions that can be true together")
        return np.asarray(self.weight([], {**fixed, **event}) / base)

    def do(self, settings: Mapping[int, int]) -> "Joint":
        """Return the joint after nodes are set from outside: their incoming links are cut.

        Without tilts this is the truncated product: the node's table is replaced by certainty.
        With them, what the node's non-descendants were before stays exactly as it was, and the
        node's descendants follow as they did given their non-descendants and the node's state:
        P(rest | do x) = P(non-descendants) P(descendants | non-descendants, x).

        Parameters
        ----------
        settings : mapping of int to int
            Node to state.

        Returns
        -------
        Joint

        Raises
        ------
        InvalidInput
            If a tilted joint never has the state where it would be set.

        Examples
        --------
        >>> net = joint([(), (0,)], [[[0.3, 0.7]], [[[0.2, 0.8], [0.6, 0.4]]]])
        >>> net.do({1: 0}).probability({0: 0}).round(4).tolist()
        [0.3]
        """
        found = self
        for node in in_order(self.parents):
            if node in settings:
                found = found._set(node, settings[node])
        return found

    def _set(self, node: int, state: int) -> "Joint":
        below = descendants(self.parents, node)
        certain = np.zeros((self.draws, self.states[node]))
        certain[:, state] = 1.0
        parents = tuple(() if i == node else p for i, p in enumerate(self.parents))
        tables = tuple(certain if i == node else table for i, table in enumerate(self.tables))
        touched = [tilt for tilt in self.tilts if {*tilt[0]} & {node, *below}]
        if not touched:
            return replace(self, parents=parents, tables=tables)
        # P(state | non-descendants) depends only on those that share a factor with the node or
        # with one of its descendants.
        edge = {i for axes, _ in self._factors() if {*axes} & {node, *below} for i in axes} - {
            node,
            *below,
        }
        rim = sorted(edge)
        weight = self.weight([*rim, node])
        around = weight.sum(axis=-1)
        chance = np.divide(weight[..., state], around, out=np.zeros_like(around), where=around > 0)
        if np.any((chance <= 0.0) & (around > 0.0)):
            message = f"do ({node}={state}): the state has probability 0 where it would be set."
            raise InvalidInput(message, hint="a state that the models leave possible")
        undone = np.divide(1.0, chance, out=np.zeros_like(chance), where=chance > 0)
        # Parents share the node's own table with it, so all of them are in the rim.
        order = [1 + self.parents[node].index(i) for i in rim if i in self.parents[node]]
        shape = [self.states[i] if i in self.parents[node] else 1 for i in rim]
        table = np.transpose(self.tables[node][..., state], (0, *order))
        kept: Factor = (tuple(rim), table.reshape(self.draws, *shape) * undone)
        return replace(self, parents=parents, tables=tables, tilts=(*self.tilts, kept))

    def _factors(self) -> list[Factor]:
        own = [
            ((*parents, node), table)
            for node, (parents, table) in enumerate(zip(self.parents, self.tables, strict=True))
        ]
        return [*own, *self.tilts]

    def _relevant(self, asked: set[int]) -> list[Factor]:
        """Give the factors that matter: a node with nothing asked or tilted below it sums to 1."""
        needed = asked | {node for axes, _ in self.tilts for node in axes}
        for node in reversed(in_order(self.parents)):
            if node in needed:
                needed |= set(self.parents[node])
        own = self._factors()[: len(self.states)]
        return [factor for node, factor in enumerate(own) if node in needed] + list(self.tilts)


def joint(parents: Sequence[Sequence[int]], tables: Sequence[ArrayLike]) -> Joint:
    """Build a joint from its tables.

    Parameters
    ----------
    parents : sequence of sequence of int
        For each node, the positions of its parents.
    tables : sequence of array_like
        For each node P(node | parents), shape (S, parents' states..., states) with one S for all,
        or 1 for a table that is the same in every draw.

    Returns
    -------
    Joint

    Raises
    ------
    InvalidInput
        If the links go round in a cycle, shapes do not fit, or a row does not sum to one.

    Examples
    --------
    >>> net = joint([(), (0,)], [[[0.3, 0.7]], [[[0.2, 0.8], [0.6, 0.4]]]])
    >>> net.marginal([1], {0: 1}).tolist()
    [[0.6, 0.4]]
    """
    arrays = [np.asarray(table, dtype=np.float64) for table in tables]
    states = tuple(array.shape[-1] for array in arrays)
    links = tuple(tuple(int(p) for p in each) for each in parents)
    if len(in_order(links)) < len(links):
        message = f"parents ({links}): the links must not go round in a cycle."
        raise InvalidInput(message)
    draws = max(array.shape[0] for array in arrays)
    for node, array in enumerate(arrays):
        wanted = tuple(states[p] for p in links[node])
        if array.shape[1:-1] != wanted or array.shape[0] not in (1, draws):
            message = f"tables[{node}]: shape {array.shape}, must be (S, {wanted}, states)."
            raise InvalidInput(message)
        if np.any(array < 0) or not np.allclose(array.sum(axis=-1), 1.0, atol=1e-9):
            message = f"tables[{node}]: each row must be probabilities that sum to 1."
            raise InvalidInput(message)
    whole = tuple(np.broadcast_to(array, (draws, *array.shape[1:])) for array in arrays)
    return Joint(states, links, whole)


def descendants(parents: Sequence[Sequence[int]], node: int) -> set[int]:
    """Return every node that a node leads to, itself left out.

    Examples
    --------
    >>> sorted(descendants([(), (0,), (1,), ()], 0))
    [1, 2]
    """
    found: set[int] = set()
    for each in in_order(parents):
        if {node, *found} & set(parents[each]):
            found.add(each)
    return found


def in_order(parents: Sequence[Sequence[int]]) -> list[int]:
    """Return the nodes with parents before children; what lies on or below a cycle is left out.

    Examples
    --------
    >>> in_order([(1,), ()])
    [1, 0]
    """
    order: list[int] = []
    while True:
        ready = [
            node
            for node, above in enumerate(parents)
            if node not in order and all(p in order for p in above)
        ]
        if not ready:
            return order
        order += ready


def _slice(factor: Factor, fixed: Mapping[int, int]) -> Factor:
    axes, table = factor
    index = (slice(None), *(fixed.get(axis, slice(None)) for axis in axes))
    return tuple(axis for axis in axes if axis not in fixed), table[index]


def _eliminate(factors: Iterable[Factor], kept: set[int]) -> list[Factor]:
    """Sum out every node that is not kept, the cheapest first."""
    left = list(factors)
    while True:
        around: dict[int, set[int]] = {}
        sizes: dict[int, int] = {}
        for axes, table in left:
            sizes |= dict(zip(axes, table.shape[1:], strict=True))
            for axis in axes:
                around.setdefault(axis, set()).update(axes)
        cost = {i: prod(sizes[j] for j in near) for i, near in around.items() if i not in kept}
        if not cost:
            return left
        _, node = min((size, i) for i, size in cost.items())
        mine = [factor for factor in left if node in factor[0]]
        left = [factor for factor in left if node not in factor[0]]
        rest = sorted(around[node] - {node})
        left.append((tuple(rest), _product(mine, rest, mine[0][1].shape[0])))


def _product(factors: Sequence[Factor], kept: Sequence[int], draws: int) -> FloatArray:
    """Multiply factors and sum out what is not kept; two at a time, the smallest first."""
    if not factors:
        return np.ones(draws)
    left = sorted(factors, key=lambda factor: factor[1].size)
    # Position 0 is the draw, node i is i + 1.
    while len(left) > 1:
        (a, first), (b, second) = left[0], left[1]
        rest = {axis for axes, _ in left[2:] for axis in axes} | set(kept)
        out = [axis for axis in dict.fromkeys((*a, *b)) if axis in rest]
        table = np.einsum(
            first,
            [0, *(i + 1 for i in a)],
            second,
            [0, *(i + 1 for i in b)],
            [0, *(i + 1 for i in out)],
        )
        left = sorted([(tuple(out), table), *left[2:]], key=lambda factor: factor[1].size)
    axes, table = left[0]
    final = np.einsum(table, [0, *(i + 1 for i in axes)], [0, *(i + 1 for i in kept)])
    return np.asarray(final)
