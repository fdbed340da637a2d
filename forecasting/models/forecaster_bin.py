r"""Bias, information and noise of forecasters: the likelihood of what they said and what came.

An outcome is :math:`Y = 1[Z^* > 0]` with :math:`Z^* \sim N(\mu^*, 1)`. Forecaster j sees

.. math:: Z_j \sim N(\mu^* + \mu_j, \gamma_j + \delta_j), \qquad
          \operatorname{cov}(Z^*, Z_j) = \gamma_j, \qquad
          p_j = \Phi\bigl(Z_j / \sqrt{1 - \gamma_j}\bigr):

:math:`\mu_j` is bias, :math:`\gamma_j \in (0, 1)` information, :math:`\delta_j > 0` noise.
Satopaa, Salikhov, Tetlock and Mellers (2021), Bias, information, noise: the BIN model of
forecasting, Management Science 67, 7599-7618, doi:10.1287/mnsc.2020.3882.

Forecasters of one question share more than its outcome. Given :math:`Z^*`, which Z_j follows with
slope :math:`\gamma_j`, the rest :math:`s_j = \sqrt{\gamma_j + \delta_j - \gamma_j^2}` of any two
has correlation :math:`\kappa`, so :math:`\operatorname{cov}(Z_i, Z_j) = \gamma_i \gamma_j + \kappa
s_i s_j`. For forecasters alike that is the one covariance rho of the paper; for others it is
always a covariance, which a common rho is not.

Arrays of parameters: ``base`` (S,), ``bias``, ``information``, ``noise`` (S, J), ``shared`` (S,).
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecasting.errors import InvalidInput

__all__ = [
    "CLIP",
    "expected_brier",
    "log_likelihood",
    "outcome_probability",
    "probit",
    "simulate_record",
]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

#: Probabilities are clipped to [CLIP, 1 - CLIP] before their probits are taken.
CLIP = 0.005


def probit(forecast: ArrayLike) -> FloatArray:
    """Return the normal quantile of probabilities clipped to [.005, .995].

    Parameters
    ----------
    forecast : array_like
        In [0, 1].

    Returns
    -------
    ndarray
        Same shape.

    Raises
    ------
    InvalidInput
        If one lies outside, or is not a number.

    Examples
    --------
    >>> probit([0.0, 0.5]).round(3).tolist()
    [-2.576, 0.0]
    """
    from scipy.special import ndtri

    p = np.asarray(forecast, dtype=np.float64)
    # Written so that a NaN refuses.
    if not np.all((p >= 0) & (p <= 1)):
        message = f"forecast ({p}): must lie in [0, 1]."
        raise InvalidInput(message)
    return np.asarray(ndtri(np.clip(p, CLIP, 1 - CLIP)), dtype=np.float64)


def expected_brier(
    base: float, bias: float, information: float, noise: float
) -> tuple[float, float]:
    """Return the expected half Brier score of one forecaster, as he speaks and recalibrated.

    Parameters
    ----------
    base, bias : float
        mu* and mu_j.
    information : float
        gamma_j, in (0, 1).
    noise : float
        delta_j, at least 0.

    Returns
    -------
    raw, recalibrated : float
        Integrated over what he may see.

    Examples
    --------
    >>> [round(score, 4) for score in expected_brier(-0.4, 0.5, 0.4, 0.3)]
    [0.2482, 0.1941]
    """
    from scipy.special import ndtr

    nodes, weights = np.polynomial.hermite_e.hermegauss(201)
    weights = weights / weights.sum()
    spread = np.sqrt(information + noise)
    said = ndtr((base + bias + spread * nodes) / np.sqrt(1 - information))
    share = information / (information + noise)
    meant = ndtr((base + share * spread * nodes) / np.sqrt(1 - share * information))
    variance = meant * (1 - meant)
    return float(weights @ ((said - meant) ** 2 + variance)), float(weights @ variance)


def log_likelihood(draws: Mapping[str, ArrayLike], data: Mapping[str, ArrayLike]) -> FloatArray:
    """Return weight * log p(what was said of a question, and its outcome | draw).

    Parameters
    ----------
    draws : mapping
        Parameters, see the module.
    data : mapping
        ``probit, question, who`` (n,) of the forecasts; ``outcome, weight`` (Q,) of the questions.

    Returns
    -------
    ndarray, shape (S, Q)
        Per question, because its forecasts are not independent.
    """
    from scipy.special import log_ndtr

    who, question = (np.asarray(data[name]).astype(np.int64) for name in ("who", "question"))
    outcome = np.asarray(data["outcome"], dtype=np.float64)
    x = np.asarray(data["probit"], dtype=np.float64)
    slope, a, quadratic, log_det, jacobian = _sums(draws, x, who, question, len(outcome))
    said = -0.5 * (log_det + np.log1p(a) + quadratic - slope**2 / (1 + a)) + jacobian
    mean = np.asarray(draws["base"], dtype=np.float64)[:, None] + slope / (1 + a)
    happened = log_ndtr((2 * outcome - 1) * mean * np.sqrt(1 + a))
    weight = np.asarray(data["weight"], dtype=np.float64)
    found: FloatArray = weight * (said + happened)
    return found


def outcome_probability(
    draws: Mapping[str, ArrayLike], said: ArrayLike, who: ArrayLike
) -> FloatArray:
    """Return P(yes | what some forecasters say of one question) for every draw.

    Parameters
    ----------
    draws : mapping
        Parameters, see the module.
    said : array_like, shape (n,)
        Their probits; none at all gives the base rate, Phi(mu*).
    who : array_like, shape (n,)
        Who they are, as columns of the parameters.

    Returns
    -------
    ndarray, shape (S,)

    Examples
    --------
    One who is unbiased and without noise is taken at his word:

    >>> one = {"base": [0.0], "bias": [[0.0]], "information": [[0.5]], "noise": [[1e-12]],
    ...        "shared": [0.0]}
    >>> outcome_probability(one, probit([0.8]), [0]).round(6).tolist()
    [0.8]
    """
    from scipy.special import ndtr

    x = np.asarray(said, dtype=np.float64)
    base = np.asarray(draws["base"], dtype=np.float64)
    if not x.size:
        return np.asarray(ndtr(base), dtype=np.float64)
    index = np.asarray(who).astype(np.int64)
    slope, a, *_ = _sums(draws, x, index, np.zeros(len(x), dtype=np.int64), 1)
    mean = base + (slope / (1 + a))[:, 0]
    return np.asarray(ndtr(mean * np.sqrt(1 + a[:, 0])), dtype=np.float64)


def _sums(
    draws: Mapping[str, ArrayLike], x: FloatArray, who: IntArray, question: IntArray, size: int
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return, per draw and question, the pieces of the multivariate normal.

    With u = residual / s and g = gamma / s, the correlation (1 - k) I + k 1 1' has an inverse and
    a determinant in closed form; Z* adds g g'.
    """
    bias, gamma, delta = (
        np.asarray(draws[name], dtype=np.float64)[:, who]
        for name in ("bias", "information", "noise")
    )
    base = np.asarray(draws["base"], dtype=np.float64)[:, None]
    kappa = np.asarray(draws["shared"], dtype=np.float64)[:, None]
    variance = gamma * (1 - gamma) + delta
    s = np.sqrt(variance)
    u, g = (x * np.sqrt(1 - gamma) - base - bias) / s, gamma / s
    member = np.zeros((len(x), size))
    member[np.arange(len(x)), question] = 1.0
    m = member.sum(axis=0)
    total_u, total_g = u @ member, g @ member
    pull = kappa / (1 - kappa + kappa * m)
    a = ((g**2) @ member - pull * total_g**2) / (1 - kappa)
    slope = ((g * u) @ member - pull * total_g * total_u) / (1 - kappa)
    quadratic = ((u**2) @ member - pull * total_u**2) / (1 - kappa)
    correlation = (m - 1) * np.log1p(-kappa) + np.log1p(-kappa + kappa * m)
    log_det = m * np.log(2 * np.pi) + np.log(variance) @ member + correlation
    jacobian = 0.5 * np.log1p(-gamma) @ member
    return slope, a, quadratic, log_det, jacobian


def simulate_record(
    rng: np.random.Generator, parameters: Mapping[str, ArrayLike], *, questions: int
) -> dict[str, FloatArray]:
    """Draw what every forecaster says of some questions, and how they come out.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    parameters : mapping
        One set: ``base, shared`` (), ``bias, information, noise`` (J,).
    questions : int
        How many, each answered by all J.

    Returns
    -------
    dict of str to ndarray
        Data arrays, as `log_likelihood` takes them.
    """
    bias, gamma, delta = (
        np.asarray(parameters[name], dtype=np.float64) for name in ("bias", "information", "noise")
    )
    base, kappa = float(np.asarray(parameters["base"])), float(np.asarray(parameters["shared"]))
    world, crowd = rng.normal(size=(2, questions, 1))
    own = rng.normal(size=(questions, len(bias)))
    rest = np.sqrt(gamma * (1 - gamma) + delta)
    seen = base + bias + gamma * world
    seen = seen + rest * (np.sqrt(kappa) * crowd + np.sqrt(1 - kappa) * own)
    return {
        "probit": (seen / np.sqrt(1 - gamma)).ravel(),
        "question": np.repeat(np.arange(questions, dtype=np.float64), len(bias)),
        "who": np.tile(np.arange(len(bias), dtype=np.float64), questions),
        "outcome": (base + world[:, 0] > 0).astype(np.float64),
        "weight": np.ones(questions),
    }
