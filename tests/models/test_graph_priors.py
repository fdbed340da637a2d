"""Every default prior says where it comes from and could be known before the first question."""

import datetime as dt

from forecasting.models.graph_priors import graph_priors, prior_rows


def test_every_prior_has_a_source_known_before_march_2025():
    for name, priors in graph_priors().items():
        for prior in priors.values():
            assert prior.known_by < dt.date(2025, 3, 1), (name, prior.name)
            assert len(prior.source) > 20, (name, prior.name)
            assert "judgement" in prior.source or "doi:" in prior.source, (name, prior.name)


def test_the_table_has_one_row_a_prior():
    rows = prior_rows()
    assert len({(row["family"], row["parameter"]) for row in rows}) == len(rows)
    assert {"rates", "deliveries", "spells (formal-end)"} <= {row["family"] for row in rows}
