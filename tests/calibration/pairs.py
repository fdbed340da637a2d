"""Few forecasts with their outcomes, as hypothesis draws them."""

import numpy as np
from hypothesis import strategies as st

PAIRS = st.lists(
    st.tuples(st.sampled_from([0.0, 0.05, 0.1, 0.3, 0.5, 0.8, 0.95, 1.0]), st.integers(0, 1)),
    min_size=1,
    max_size=40,
)


def split(pairs):
    return np.array([p for p, _ in pairs]), np.array([y for _, y in pairs])
