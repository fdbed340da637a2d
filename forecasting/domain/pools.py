"""The pools by name, in the order of their tables; `forecasting.pooling` has the formulas."""

METHODS = (
    *("linear", "geometric-odds", "extremized", "neyman-roughgarden", "recency-median"),
    *("beta-linear", "skill-recency", "learned"),
)
#: Names that methods had before, which still work.
RENAMED = {"hierarchical": "learned"}
