"""Fits that take no time, for laws that do not depend on the sampler; and banks of one's own.

A quick fit draws from the prior with a seed that follows from the data: other data give other
draws, so that whatever must not reach a fit is found at least as surely as with the sampler.
"""

import hashlib
from pathlib import Path

import numpy as np

from forecasting.app.forecast.predict import Predictor
from forecasting.domain.catalog import Catalog
from forecasting.evidence.cases import packages
from forecasting.evidence.history import pasts, records
from forecasting.evidence.reports import reports
from forecasting.inference.fit import array_hash, exact_fit
from forecasting.inference.fits import FitCache
from forecasting.inference.prior import prior_arrays
from forecasting.models.spells import KINDS
from forecasting.models.world.classes import agreement_rows, truce_rows
from tests.models.oracles import prior_draw

#: What `quick_fit` stands for.
REAL = FitCache.fit
ROOT = Path(__file__).parents[2] / "questions"
DRAWS = 400
_fits = {}


def quick_fit(cache, model, data, priors, **options):
    """Stands for `FitCache.fit`."""
    arrays = prior_arrays(priors, model.default_priors())
    content = f"{model!r} {model.structure!r} {array_hash(data)} {array_hash(arrays)} {options!r}"
    key = hashlib.sha256(f"{content} {cache.seed}".encode()).hexdigest()
    if key not in _fits:
        rng = np.random.default_rng(int(key[:12], 16))
        rows = [prior_draw(rng, priors) for _ in range(DRAWS)]
        draws = {name: np.array([row[name] for row in rows]) for name in priors}
        _fits[key] = exact_fit(draws, data, arrays, seed=int(key[:8], 16))
    return _fits[key]


#: Five processes, two links, nothing that needs a sampler; watched until 22 August.
SMALL = """\
zone: UTC
watched: 2026-08-22
processes:
  text:
    moves: {none > table: once in 8 mo, table > none: once in 10 mo}
    since 2026-01-01: none
  truce:
    moves: {none > on: once in 14 mo, on > none: median 60 d (15..240) shape 0.8}
    since 2026-01-01: none
  convoy: {event: 3 in 70 weeks, since 2026-01-01: ""}
  gift:
    moves: {none > given: once in 9 mo}
    since 2026-01-01: none
  bridge:
    moves: {up > down: once in 10 mo}
    since 2026-01-01: up
links:
  - while text=table: truce=on x3 (1..9)
    because: a text on the table hastens a truce
    source: judgement
    known_by: 2025-12-31
  - while truce=on: convoy x0.5 (0.2..1.2)
    because: fewer go under fire
    source: judgement
    known_by: 2025-12-31
questions:
  truce-comes: {title: The truce comes, opens: 2026-01-10, closes: 2026-12-31,
    answer: truce=on by close}
  truce-comes-too: {title: The truce comes too, opens: 2026-08-01, closes: 2026-12-31,
    answer: truce=on by close}
  text-lies: {title: A text lies there, opens: 2026-01-10, closes: 2026-12-31,
    answer: text=table by close}
  both: {title: Truce and text, opens: 2026-01-10, closes: 2026-12-31,
    answer: truce=on by close and text=table by close}
  then: {title: Truce if text, opens: 2026-01-10, closes: 2026-12-31,
    answer: truce=on by close given text=table by close}
  convoys: {title: Two convoys hit, opens: 2026-01-10, closes: 2026-12-31,
    answer: convoy count >= 2 by close}
  gift-comes: {title: The gift comes, opens: 2026-01-10, closes: 2026-12-31,
    answer: gift=given by close}
  gift-soon: {title: The gift comes soon, opens: 2026-01-10, closes: 2026-10-15,
    answer: gift=given by close}
  bridge-holds: {title: The bridge holds, opens: 2026-01-10, closes: 2026-12-31,
    answer: bridge=up through close}
"""


def write_bank(folder, text=SMALL):
    """Write a bank whose world is this text, with the reference tables of the bundled one."""
    (folder / "worlds").mkdir(parents=True, exist_ok=True)
    (folder / "worlds" / "own.yaml").write_text(text, encoding="utf-8")
    for name in ("reference", "events"):
        if not (folder / name).exists():
            (folder / name).symlink_to(ROOT / name)
    return folder


def predictor(bank, *more, draws=1_024, seed=0):
    """Give the predictor of a bank as its files stand, with items more."""
    catalog = Catalog({q.id: q for q in bank.questions}, {})
    return Predictor(catalog, [*bank.evidence, *more], bank, seed=seed, draws=draws)


def inputs(predictor, question, as_of):
    """Everything that a fit or a simulation is made of, as of a moment."""
    (_, items), *_ = predictor.parts([question], as_of)
    model, world = predictor.model, predictor.bank.world
    histories = records(world, items, as_of, watched=predictor.watched(as_of), made=model.openings)
    coded = reports(
        items,
        world,
        model.questions,
        model.predicates,
        reliability=predictor.reliability(as_of),
        as_of=as_of,
    )
    classes = {}
    for name, reference in predictor.bank.classes.items():
        if reference.kind == "agreement":
            classes[name] = array_hash(agreement_rows(items, reference, as_of))
        elif reference.kind in KINDS:
            classes[name] = array_hash(truce_rows(items, reference, as_of))
    return {
        "items": items,
        "records": {name: (r.since, r.start, r.steps, r.free) for name, r in histories.items()},
        "pasts": pasts(world, histories),
        "reports": coded,
        "classes": classes,
        "packages": packages(items, as_of),
    }
