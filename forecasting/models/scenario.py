"""Scenario: a joint model over several questions, as a graph with a table for each node.

Nodes are resolved categories with a few states; P(node | parents) is one row for each combination
of the parents' states, row ~ Dirichlet(kappa x elicited row): kappa says how many cases the row is
worth. Complete cases update the rows they fall into, in closed form. Every joint number is exact
for each draw of the rows: see `forecasting.models.scenario_joint`.

Data arrays: ``counts_<node>_<row>`` (K,), how often each state came with that combination of the
parents' states; combinations in the order of the states, the last parent fastest. Prior arrays:
``row_<node>_<row>_a`` (K,). Draws: ``row_<node>_<row>`` (S, K).
"""

import time
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import date
from math import prod
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecasting.errors import InvalidInput
from forecasting.inference.fit import Fit, exact_fit
from forecasting.inference.fit import fit as sample
from forecasting.inference.inputs import Layout, inputs
from forecasting.models.protocol import PriorSpec, prior_arrays
from forecasting.models.scenario_joint import Joint, in_order, joint
from forecasting.models.scenario_rows import spaced_dirichlet

__all__ = ["Scenario"]

FloatArray = NDArray[np.float64]

#: Rows of the example graph: guarantee, signature given it, ceasefire holds given both.
EXAMPLE = (
    ((0.3, 0.7),),
    ((0.2, 0.8), (0.6, 0.4)),
    ((0.8, 0.2), (0.1, 0.9), (0.5, 0.5), (0.1, 0.9)),
)
KAPPA = 10.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """A graph of nodes with states, a table of Dirichlet rows for each.

    Attributes
    ----------
    states
        Number of states of each node.
    parents
        Positions of each node's parents.
    """

    family: ClassVar[str] = "scenario"
    version: ClassVar[str] = "1"
    outcome_types: ClassVar[frozenset[str]] = frozenset({"binary", "categorical", "ordered"})

    states: tuple[int, ...] = (2, 2, 2)
    parents: tuple[tuple[int, ...], ...] = ((), (0,), (0, 1))

    def __post_init__(self) -> None:
        """Check that the graph is one."""
        if len(self.states) != len(self.parents) or any(not 2 <= k <= 4 for k in self.states):
            message = f"states ({self.states}): 2 to 4 for each of {len(self.parents)} nodes."
            raise InvalidInput(message)
        for node, above in enumerate(self.parents):
            if any(not 0 <= p < len(self.states) for p in above) or len(set(above)) < len(above):
                message = f"parents[{node}] ({above}): other nodes, each once."
                raise InvalidInput(message)
        if len(in_order(self.parents)) < len(self.parents):
            message = f"parents ({self.parents}): the links must not go round in a cycle."
            raise InvalidInput(message)

    @property
    def structure(self) -> tuple[Hashable, ...]:
        """The graph itself."""
        return (self.states, self.parents)

    @property
    def rows(self) -> tuple[tuple[str, int, int], ...]:
        """Each row's name, its node, and its number of states."""
        return tuple(
            (f"{node}_{row}", node, k)
            for node, (k, above) in enumerate(zip(self.states, self.parents, strict=True))
            for row in range(prod(self.states[p] for p in above))
        )

    @property
    def layout(self) -> Layout:
        """Priors and data by name."""
        return {
            **{f"row_{name}_a": k for name, _, k in self.rows},
            **{f"counts_{name}": k for name, _, k in self.rows},
        }

    def default_priors(self) -> dict[str, PriorSpec]:
        """Return the priors by parameter: the example's rows, flat ones for any other graph.

        Returns
        -------
        dict of str to PriorSpec
            ``row_<node>_<row>``.

        Examples
        --------
        >>> Scenario().default_priors()["row_2_0"].text
        'Dirichlet(8, 2)'
        """
        example = self == Scenario()
        source = "an example graph of three nodes" if example else "flat: one case for each state"
        stated = [row for table in EXAMPLE for row in table]
        return {
            f"row_{name}": PriorSpec.of(
                f"row_{name}",
                "dirichlet",
                tuple(KAPPA * share for share in stated[position]) if example else (1.0,) * k,
                source=source,
                known_by=date(2025, 2, 28),
            )
            for position, (name, _, k) in enumerate(self.rows)
        }

    def build_model(self) -> Any:
        """Build the graph of rows; every number in it is data.

        Returns
        -------
        pymc.Model
            A free variable ``row_<node>_<row>`` for each row.
        """
        import pymc as pm
        import pytensor.tensor as pt

        defaults = prior_arrays(self.default_priors(), self.default_priors())
        with pm.Model() as model:
            given = inputs(self.layout, defaults)
            for name, _, k in self.rows:
                a = pt.specify_shape(given[f"row_{name}_a"], (k,))
                row = pm.Dirichlet(f"row_{name}", a=a)
                pm.Potential(f"seen_{name}", pt.sum(given[f"counts_{name}"] * pt.log(row)))
        return model

    def fit(
        self,
        data: Mapping[str, ArrayLike],
        priors: Mapping[str, PriorSpec],
        seed: int,
        *,
        method: Literal["conjugate", "nuts"] = "conjugate",
        draws: int = 250,
        tune: int = 500,
        chains: int = 4,
        cores: int | None = None,
    ) -> Fit:
        """Return posterior draws of every row.

        Parameters
        ----------
        data : mapping
            ``counts_<node>_<row>`` (K,); `counts` makes them from cases.
        priors : mapping of str to PriorSpec
            As `default_priors` returns, with the numbers of the case at hand.
        seed : int
            Seed of the draws.
        method : {"conjugate", "nuts"}
            The closed form: row ~ Dirichlet(a + counts), evenly spaced draws.
        draws, tune, chains, cores
            As in `forecasting.inference.fit`; the closed form uses draws times chains.

        Returns
        -------
        Fit
        """
        arrays = prior_arrays(priors, self.default_priors())
        if method == "nuts":
            return sample(
                self, data, arrays, seed=seed, draws=draws, tune=tune, chains=chains, cores=cores
            )
        started = time.perf_counter()
        rng = np.random.default_rng(seed)
        seen = self._checked(data)
        found: dict[str, FloatArray] = {}
        for k in sorted(set(self.states)):
            names = [name for name, _, size in self.rows if size == k]
            a = np.stack([arrays[f"row_{name}_a"] + seen[name] for name in names])
            rows = spaced_dirichlet(rng, a, draws * chains)
            found |= {f"row_{name}": rows[:, i] for i, name in enumerate(names)}
        ordered = {f"row_{name}": found[f"row_{name}"] for name, _, _ in self.rows}
        seconds = time.perf_counter() - started
        return exact_fit(ordered, data, arrays, seed=seed, seconds=seconds, chains=chains)

    def tables(self, draws: Mapping[str, ArrayLike]) -> list[FloatArray]:
        """Return the rows of a fit as one table for each node, (S, parents' states..., states)."""
        found = []
        for node, (k, above) in enumerate(zip(self.states, self.parents, strict=True)):
            rows = [draws[f"row_{name}"] for name, owner, _ in self.rows if owner == node]
            table = np.stack([np.asarray(row, dtype=np.float64) for row in rows], axis=1)
            found.append(table.reshape(-1, *(self.states[p] for p in above), k))
        return found

    def predict(self, draws: Mapping[str, ArrayLike]) -> Joint:
        """Return the joint distribution for every draw.

        Parameters
        ----------
        draws : mapping
            From `fit`.

        Returns
        -------
        Joint
            Ask it for marginals, conditionals and interventions.

        Examples
        --------
        >>> net = Scenario()
        >>> fitted = net.fit(net.counts([]), net.default_priors(), 0)
        >>> round(float(net.predict(fitted.draws).probability({2: 0}).mean()), 2)
        0.31
        """
        return joint(self.parents, self.tables(draws))

    def counts(self, cases: ArrayLike) -> dict[str, FloatArray]:
        """Return complete cases as the data of `fit`.

        Parameters
        ----------
        cases : array_like of int, shape (n, nodes)
            The state of each node in each case.

        Returns
        -------
        dict of str to ndarray
            ``counts_<node>_<row>`` (K,).
        """
        seen = np.asarray(cases, dtype=np.int64).reshape(-1, len(self.states))
        if np.any(seen < 0) or np.any(seen >= np.array(self.states)):
            message = f"cases: states from 0 to below {self.states}."
            raise InvalidInput(message)
        found: dict[str, FloatArray] = {}
        for node, (k, above) in enumerate(zip(self.states, self.parents, strict=True)):
            sizes = [self.states[p] for p in above]
            row = np.ravel_multi_index(tuple(seen[:, list(above)].T), sizes) if above else None
            place = np.zeros(len(seen), dtype=np.int64) if row is None else row
            table = np.zeros((prod(sizes), k))
            np.add.at(table, (place, seen[:, node]), 1.0)
            found |= {f"counts_{node}_{i}": each for i, each in enumerate(table)}
        return found

    def simulate(
        self,
        rng: np.random.Generator,
        n: int,
        *,
        priors: Mapping[str, PriorSpec] | None = None,
        cases: int = 20,
    ) -> tuple[dict[str, FloatArray], tuple[dict[str, FloatArray], ...]]:
        """Draw rows from the prior, and for each draw some cases.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of chance.
        n : int
            Number of draws.
        priors : mapping of str to PriorSpec, optional
            Default `default_priors`.
        cases : int, default 20
            How many cases are seen under each draw.

        Returns
        -------
        draws : dict of str to ndarray
            The true rows, (n, K) each.
        data : tuple of dict
            What was seen under each, as `fit` takes it.
        """
        given = prior_arrays(priors or self.default_priors(), self.default_priors())
        truth = {
            f"row_{name}": rng.dirichlet(given[f"row_{name}_a"], n) for name, _, _ in self.rows
        }
        tables = self.tables(truth)
        data = []
        for draw in range(n):
            seen = np.zeros((cases, len(self.states)), dtype=np.int64)
            for node in in_order(self.parents):
                rows = tables[node][draw][tuple(seen[:, p] for p in self.parents[node])]
                rows = np.broadcast_to(rows, (cases, self.states[node]))
                steps = rows.cumsum(axis=1)
                seen[:, node] = (rng.random((cases, 1)) > steps[:, :-1]).sum(axis=1)
            data.append(self.counts(seen))
        return truth, tuple(data)

    def log_likelihood(
        self, draws: Mapping[str, ArrayLike], data: Mapping[str, ArrayLike]
    ) -> FloatArray:
        """Return the log-likelihood of the counts of each row.

        Parameters
        ----------
        draws, data : mapping
            As in `fit`.

        Returns
        -------
        ndarray, shape (S, rows)
            sum_k counts_k log(row_k); a state never seen says nothing.
        """
        seen = self._checked(data)
        columns = []
        for name, _, _ in self.rows:
            row, count = np.asarray(draws[f"row_{name}"], dtype=np.float64), seen[name]
            columns.append(np.log(row[:, count > 0]) @ count[count > 0])
        return np.column_stack(columns)

    def _checked(self, data: Mapping[str, ArrayLike]) -> dict[str, FloatArray]:
        seen: dict[str, FloatArray] = {}
        for name, _, k in self.rows:
            if f"counts_{name}" not in data:
                message = f"counts_{name}: missing; one array for each row of the graph."
                raise InvalidInput(message)
            count = np.asarray(data[f"counts_{name}"], dtype=np.float64)
            if count.shape != (k,) or not np.all(np.isfinite(count) & (count >= 0)):
                message = f"counts_{name} ({count}): {k} counts of at least 0."
                raise InvalidInput(message)
            seen[name] = count
        return seen
