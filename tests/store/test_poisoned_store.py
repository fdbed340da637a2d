"""No look-ahead through the store: what is written after a moment changes nothing as of it.

A random history is written into a ledger and read as of a moment. Then a future is written that
would move everything: forecasts, withdrawals, outcomes, news, retractions and watches, with the
answer in them. What could only be known later changes no reading; what merely was recorded later,
and claims to be older, changes none that is as the ledger stood. An outcome that is corrected later
stays what it was for whoever asks as of the moment before.
"""

import random

import pytest

from forecasting.app.forecast.pool import pool
from forecasting.app.forecast.predict import outcomes_known
from forecasting.app.forecast.worldviews import weights_at
from forecasting.app.news.shown import source_rows
from forecasting.app.scores.frame import Selection, resolved
from forecasting.app.scores.score import scores
from forecasting.domain import Effect, Evidence
from forecasting.domain.catalog import Catalog
from forecasting.domain.watch import Watch, watched
from forecasting.errors import ForecastingError
from forecasting.evidence import known
from forecasting.pooling.worldview_weights import Spoken
from forecasting.store import Ledger
from tests import databases
from tests.season import DAY, START, question, said, withdrawn
from tests.season import resolved as outcome

PEOPLE = ("ana", "ben", "worldview:000", "worldview:001")
ASKED = [question(f"q{n}", opens=n, days=20 + 4 * n, event=f"e{n // 2}") for n in range(6)]
PROCESSES = ("truce", "convoy")
LAST = 70


def news(rng, name, day, *, asked=ASKED):
    """Make an item on one question: a report with a likelihood, now and then a retraction."""
    chosen = rng.choice(asked)
    effect = Effect(chosen.id, "likelihood", {"a": rng.choice([0.9, 0.2]), "b": 0.4, "u": 0.2})
    if rng.random() < 0.2:
        effect = Effect(f"evidence/{rng.choice(['n3', 'n9', name])}", "datum", {"name": "retracts"})
    return Evidence(
        name, "report", name, rng.choice(["wire", "desk"]), START + day * DAY, (effect,), grade="B"
    )


def report(name, day):
    """Make a report that nothing takes back."""
    effect = Effect(ASKED[0].id, "likelihood", {"a": 0.9, "b": 0.4, "u": 0.2})
    return Evidence(name, "report", name, "wire", START + day * DAY, (effect,), grade="B")


def entry(rng, name, day, *, spoken=None):
    """Make one entry of a day; `spoken` is the day it claims to be of."""
    at = day if spoken is None else spoken
    asked, who = rng.choice(ASKED), rng.choice(PEOPLE)
    return rng.choice(
        [
            lambda: said(asked, who, round(rng.uniform(0.01, 0.99), 3), at),
            lambda: said(asked, who, rng.choice([0.01, 0.99]), at, kind="backdated"),
            lambda: withdrawn(asked, who, at),
            lambda: outcome(asked, rng.choice(["no", "yes"]), at),
            lambda: news(rng, name, at),
        ]
    )()


def written(ledger, rng, days, *, tag, claims=None):
    """Write entries on the days given, in order."""
    for number, day in enumerate(sorted(days)):
        spoken = None if claims is None else min(day, claims(number))
        ledger.append(
            [entry(rng, f"{tag}{number}", day, spoken=spoken)], recorded_at=START + day * DAY
        )
        if rng.random() < 0.3:
            looked(ledger, rng, day, spoken=spoken)


def looked(ledger, rng, day, *, spoken=None):
    """Record a watch of a day, or of an earlier one that it claims; none goes backwards."""
    name = rng.choice(PROCESSES)
    ends = [one.until for one in ledger.watches() if one.process == name]
    until = max([START + (day if spoken is None else spoken) * DAY, *ends])
    ledger.append([Watch(name, until, watcher="ana")], recorded_at=START + day * DAY)


def as_known(ledger, moment):
    """Read what rests on what could be known by a moment, whenever it was recorded."""
    now = START + LAST * 2 * DAY
    catalog = Catalog.of(ledger, recorded_by=moment)
    spoken = Spoken(ledger.forecasts(kind="live"))
    weights = weights_at(catalog, spoken, moment, PEOPLE[2:])
    return {
        "evidence": [item.key for item in known(ledger.evidence(), moment)],
        "sources": source_rows(ledger, as_of=moment, now=now),
        "climatology": outcomes_known(catalog, moment),
        "spoken": [spoken.at(who, asked.id, moment) for who in PEOPLE[2:] for asked in ASKED],
        "weights": repr(weights),
        "backdated": resolved(ledger, Selection("backdated", as_of=moment)).to_csv(),
    }


def as_it_stood(ledger, moment):
    """Read what rests on what the ledger had recorded by a moment."""
    now = START + LAST * 2 * DAY
    head = ledger.head_at(moment)
    catalog = Catalog.of(ledger, head=head)
    chosen = Selection("live", as_of=moment)
    pooled = {}
    for asked in ASKED[::3]:
        try:
            pooled[asked.id] = pool(ledger, asked.id, now=now, method="linear", selection=chosen)
        except ForecastingError as none:
            pooled[asked.id] = f"{type(none).__name__}: {none}"
    return {
        "evidence": [item.key for item in known(ledger.evidence(), moment, recorded=True)],
        "outcomes": {name: item.outcome for name, item in catalog.outcomes.items()},
        "frame": resolved(ledger, chosen).to_csv(),
        "scores": scores(ledger, selection=chosen),
        "pool": pooled,
        # A replay counts a watch that was recorded later, so it is cut at the head it started at.
        "watched": [
            watched(ledger.watches(), moment, live=True),
            watched(ledger.watches(head), moment, live=False),
        ],
    }


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return databases.Files(tmp_path_factory.mktemp("histories"))


@pytest.mark.parametrize("cases", [12, pytest.param(1000, marks=pytest.mark.deep)])
def test_a_poisoned_future_changes_no_reading_as_of_an_earlier_moment(files, cases):
    moved = 0
    for case in range(cases):
        rng = random.Random(case)
        url = files.fresh()
        day = rng.uniform(10, 40)
        moment = START + day * DAY
        with Ledger.open(url) as ledger:
            ledger.append(ASKED, recorded_at=START)
            written(ledger, rng, [rng.uniform(6, day) for _ in range(rng.randint(3, 25))], tag="n")
            before = as_known(ledger, moment), as_it_stood(ledger, moment)
            later = [rng.uniform(day + 1e-6, LAST) for _ in range(rng.randint(1, 12))]
            written(ledger, rng, later, tag="future")
            # One item at least that moves a reading, whatever was drawn before it.
            ledger.append([report("last", LAST)], recorded_at=START + LAST * DAY)
            assert as_known(ledger, moment) == before[0], case
            assert as_it_stood(ledger, moment) == before[1], case
            claimed = [rng.uniform(6, day) for _ in range(8)]
            written(
                ledger, rng, [LAST + n / 9 for n in range(8)], tag="late",
                claims=lambda number, claimed=claimed: claimed[number],
            )  # fmt: skip
            assert as_it_stood(ledger, moment) == before[1], case
            # The readings could move: as of the end they differ from those as of the moment.
            end = START + 2 * LAST * DAY
            moved += as_known(ledger, end) != before[0]
        files.drop(url)
    assert moved == cases
