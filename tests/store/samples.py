"""Drafts of every kind for the ledger's laws: one of each by hand, and strategies for any."""

import datetime as dt
import itertools
import unicodedata

from hypothesis import strategies as st

from forecasting.domain import (
    Basis,
    Condition,
    Effect,
    Evidence,
    Forecast,
    ModelChoice,
    OutcomeSpace,
    Question,
    Redaction,
    Resolution,
    Sealed,
    Spread,
    Value,
    Withdrawal,
    parse_effect,
)
from forecasting.domain.forecast import binary_value
from forecasting.domain.provenance import ModelRun, ReplayMark
from forecasting.domain.setup import Setup
from forecasting.domain.watch import Watch
from forecasting.store.seal import reveal, seal

NOW = dt.datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


def binary(probability="0.35", **more):
    fields = {"question": "truce@2026-12-31", "forecaster": "ana", "kind": "live"} | more
    # A bare 1 is certainty or one percent to who reads it; here it is what was entered.
    bare = Value("binary", ("yes",), (probability,))
    return Forecast(
        question_hash="ab" * 32,
        value=bare if probability == "1" else binary_value(probability),
        **{"issued_at": NOW, **fields},
    )


def numeric_question(**more):
    fields = {
        "id": "strikes",
        "title": "How many strikes?",
        "criteria": "Counted by the named tracker.",
        "background": "",
        "space": OutcomeSpace("numeric", (), 0.0, 250.5, "strikes"),
        "zone": "Europe/Kyiv",
        "opens": NOW,
        "closes": NOW + 30 * DAY,
        "resolves_by": NOW + 40 * DAY,
        "topic": "war",
        "event": "strikes-2026",
        "tags": ("air", "naïve"),
        "basis": Basis("text", ("t1",), {"t1": (3, 4)}),
        "model": ModelChoice(
            "count",
            "survival",
            "strikes",
            {"rate": 3.0, "soft": True, "which": ("a", "b"), "n": ""},
        ),
        "condition": Condition("truce", "no"),
        "source": "",
    } | more
    return Question(**fields)


def one_of_each():
    """Give a batch with every kind of entry and every shape of forecast."""
    return [
        numeric_question(),
        numeric_question(
            id="truce@2026-12-31",
            space=OutcomeSpace.binary(),
            ladder="truce",
            parent="peace",
            condition=None,
        ),
        ModelRun(
            family="staged",
            fitted="survival",
            priors_hash="0" * 64,
            evidence_hash="1" * 64,
            as_of=NOW,
            seed=2**90,
            method="nuts",
            gate="overridden: the tail is known to be heavy",
            diagnostics={"r_hat": 1.004, "ess": [400, 512], "k_hat": float("inf")},
            versions={"pymc": "6.4.0"},
        ),
        ReplayMark("a1b2", "started", 1, {"every": 7, "to": "2026-05-09"}),
        binary(
            "35%",
            because="Talks resumed; „zwei Wochen“.",
            spread=Spread(0.1, 0.2, 0.34, 0.5, 1e-7, "psis"),
            model_run=-3,
            run="a1b2",
            gate="passed",
            claim="t1/3",
            meta={"why": "drawn", "🦊": "beyond the basic plane, before", "～": "in it"},
        ),
        Forecast(
            "size",
            "cd" * 32,
            "ben",
            Value("options", ("none", "some", "all"), ("0.2", "0.3", "0.5"), "none=20%"),
            NOW - DAY,
            "backdated",
        ),
        Forecast(
            "strikes",
            "cd" * 32,
            "model:count",
            Value("quantiles", ("5", "50", "95"), ("1", "12.50", "200")),
            NOW - 2 * DAY,
            "replay",
        ),
        Evidence(
            key="n1",
            kind="report",
            title="A meeting is announced",
            source="agency",
            known_at=NOW,
            event_at=NOW - DAY,
            effects=(
                parse_effect("truce", "0.6/0.15"),
                Effect("truces/x", "datum", {"name": "delivered", "value": 205.0}, "delivered=205"),
                Effect("other", "bears", {}),
            ),
            grade="B",
            story="s",
        ),
        Evidence("n2", "datum", "Nothing known of it", "desk", NOW, ()),
        Resolution("truce@2026-12-31", "no", NOW, "https://example.org", "high", "as expected", 2),
        Withdrawal("truce@2026-12-31", "ana", NOW),
    ]


def fill(ledger):
    """Fill a ledger with eighteen entries: every kind, a seal that is opened, a text taken out.

    The last two are one act of writing, with its receipt.
    """
    recorded = ledger.append([*one_of_each(), binary()], recorded_at=NOW)
    sealed, opener = seal(binary("0.9", because="in confidence"))
    recorded += ledger.append([sealed], recorded_at=NOW)
    opening = reveal(opener, recorded[-1].value)
    recorded += ledger.append([opening, binary("0.8", because="names a source")], recorded_at=NOW)
    recorded += ledger.append([Redaction(recorded[-1].seq, "it named one")], recorded_at=NOW)
    looked = Watch("truce", NOW - DAY, because="the week's wires", watcher="ana")
    setup = Setup("bank", "questions", {"digest": "ab" * 32, "zone": "UTC"}, said_by="ana")
    recorded += ledger.once(f"{recorded[-1].seq:064d}").append([looked, setup], recorded_at=NOW)
    return recorded


def settled(text):
    """Give text as the ledger keeps it: in NFC and without what no database holds."""
    return unicodedata.normalize("NFC", text)


texts = st.text(
    st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=12
).map(settled)
names = st.text("abcé-@:/漢", min_size=1, max_size=8).map(settled)
moments = st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2100, 1, 1), timezones=st.just(dt.UTC))
reals = st.floats(0, 1) | st.floats(-1e30, 1e30)
decimals = st.decimals(0, 1, places=4).map(lambda number: format(number, "f"))
values = st.one_of(
    decimals.map(lambda text: Value("binary", ("yes",), (text,), "")),
    st.integers(0, 1000).map(
        lambda part: Value(
            "options", ("a", "b"), (f"{part / 1000:.3f}", f"{1 - part / 1000:.3f}"), "as said"
        )
    ),
    st.lists(st.integers(-99, 99), min_size=2, max_size=2).map(
        lambda numbers: Value("quantiles", ("10", "90"), tuple(str(n) for n in sorted(numbers)))
    ),
)
spreads = st.none() | st.builds(
    Spread, reals, reals, reals, reals, reals, st.sampled_from(["conjugate", "psis", "fixed"])
)
forecasts = st.builds(
    Forecast,
    names,
    st.just("ab" * 32),
    names,
    values,
    moments,
    st.sampled_from(["live", "replay", "backdated", "imported"]),
    because=texts,
    spread=spreads,
    run=names,
    claim=texts,
    gate=texts,
    meta=st.dictionaries(texts, texts, max_size=2),
)
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | reals | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
effects = st.one_of(
    st.builds(
        Effect,
        names,
        st.just("likelihood"),
        st.fixed_dictionaries({name: st.floats(1e-9, 1) for name in "abu"}),
        texts,
    ),
    st.builds(
        Effect,
        names,
        st.just("datum"),
        st.fixed_dictionaries({"name": st.just("delivered"), "value": st.floats(0, 1e25)}),
    ),
    st.builds(
        Effect,
        names,
        st.just("stance"),
        st.fixed_dictionaries({"probability": st.floats(0.005, 0.995)})
        | st.fixed_dictionaries({"code": st.sampled_from(["+2", "0", "-1"])}),
        texts,
    ),
    st.builds(Effect, names, st.just("bears"), st.just({})),
)
evidence = st.builds(
    Evidence,
    names,
    st.sampled_from(["datum", "report"]),
    texts,
    texts,
    moments,
    st.lists(effects, max_size=3).map(tuple),
    grade=st.sampled_from("ABCDEF"),
    note=texts,
)
questions = st.builds(
    numeric_question,
    id=names,
    title=texts,
    criteria=texts,
    background=texts,
    space=st.just(OutcomeSpace.binary())
    | st.builds(OutcomeSpace, st.just("numeric"), st.just(()), st.floats(-9, 0), st.floats(1, 9)),
    opens=moments,
    tags=st.lists(texts, max_size=2).map(tuple),
    model=st.builds(
        ModelChoice,
        names,
        names,
        names,
        st.dictionaries(
            texts, st.booleans() | reals | texts | st.lists(texts).map(tuple), max_size=3
        ),
    ),
    ladder=st.none() | names,
    condition=st.none() | st.builds(Condition, names, names),
    answer=texts,
)
model_runs = st.builds(
    ModelRun,
    names,
    names,
    names,
    names,
    moments,
    st.integers(0, 2**128),
    names,
    st.sampled_from(["passed", "refused: r_hat 1.2", "overridden: known"]),
    diagnostics=st.dictionaries(texts, plain, max_size=3),
)
marks = st.builds(
    ReplayMark,
    names,
    st.sampled_from(["started", "finished"]),
    st.just(0),
    st.dictionaries(texts, plain, max_size=2),
)
resolutions = st.builds(
    Resolution,
    names,
    texts,
    moments,
    texts,
    texts,
    texts,
    st.integers(1, 9),
    status=st.sampled_from(["", "disputed", "reopened"]),
)
numbers = itertools.count()
# No two seals have one commitment.
seals = st.builds(
    lambda *parts: Sealed(*parts, f"{next(numbers):064x}"), names, texts, names, moments
)
withdrawals = st.builds(Withdrawal, names, names, moments)
# No watch goes backwards, and none is of the future.
watches = st.builds(
    lambda until, because, watcher: Watch(
        f"p{next(numbers)}", until, because=because, watcher=watcher
    ),
    st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2026, 1, 1), timezones=st.just(dt.UTC)),
    texts,
    names,
)
setups = st.builds(
    Setup,
    st.sampled_from(["bank", "process"]),
    names,
    st.dictionaries(st.sampled_from(["digest", "zone", "event"]), texts),
    names,
)
drafts = st.one_of(
    *(forecasts, evidence, questions, model_runs, marks, resolutions, withdrawals, seals, watches),
    setups,
)
