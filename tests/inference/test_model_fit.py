"""Fits are repeatable, compiled once, and say what they were made from (known answers 19, 20)."""

import os
import signal
import threading
from importlib import import_module

import numpy as np
import pytest

from forecasting.errors import GateRefused
from forecasting.inference import (
    COLUMN,
    SCALAR,
    array_hash,
    compile_count,
    compiled,
    fit,
    inputs,
    judge_sampler,
    pack,
)

PRIORS = {"shape": 2.0, "rate": 3.0}


class Exponential:
    """Waiting times at a Gamma rate: posterior Gamma(shape + n, rate + sum t)."""

    family = "test-exponential"
    version = "1"
    structure = ()
    layout = {"shape": SCALAR, "rate": SCALAR, "t": COLUMN}  # noqa: RUF012

    def build_model(self):
        import pymc as pm
        import pytensor.tensor as pt

        with pm.Model() as model:
            data = inputs(self.layout)
            lam = pm.Gamma("lam", alpha=data["shape"], beta=data["rate"])
            pm.Potential("rows", pt.sum(pt.log(lam) - lam * data["t"]))
        return model


@pytest.fixture(scope="module")
def first():
    return fit(Exponential(), {"t": np.array([1.0, 4.0])}, PRIORS, seed=1)


def test_longer_data_and_other_priors_need_no_compilation(first):
    before = compile_count()
    for n in (0, 1, 40):
        again = fit(Exponential(), {"t": np.full(n, 2.0)}, PRIORS, seed=1)
        exact = (2 + n) / (3 + 2 * n)
        assert again.draws["lam"].mean() == pytest.approx(exact, abs=0.03)
    other = fit(Exponential(), {"t": np.empty(0)}, {"shape": 40.0, "rate": 10.0}, seed=1)
    assert other.draws["lam"].mean() == pytest.approx(4.0, abs=0.1)
    assert compile_count() == before


def test_the_same_seed_gives_the_same_bits_on_any_number_of_cores(first):
    one, two = (
        fit(Exponential(), {"t": np.array([1.0, 4.0])}, PRIORS, seed=1, cores=cores)
        for cores in (1, 2)
    )
    np.testing.assert_array_equal(one.draws["lam"], two.draws["lam"])
    np.testing.assert_array_equal(one.draws["lam"], first.draws["lam"])
    other = fit(Exponential(), {"t": np.array([1.0, 4.0])}, PRIORS, seed=2)
    assert not np.array_equal(one.draws["lam"], other.draws["lam"])


def test_a_fit_says_what_it_was_made_from(first):
    assert first.method == "nuts"
    assert first.seed == 1
    assert first.chains == 4
    assert first.draws["lam"].shape == (8000,)
    assert first.data_hash == array_hash({"t": [1.0, 4.0]})
    assert first.priors_hash == array_hash(PRIORS)
    assert first.report.passed
    with pytest.raises(ValueError, match="read-only"):
        first.draws["lam"][0] = 0
    with pytest.raises(TypeError):
        first.draws["lam"] = np.zeros(4)


def test_draws_and_energies_are_those_of_the_labelled_tree(first):
    import nutpie

    program = compiled(Exponential())
    flat = pack(Exponential.layout, {"t": [1.0, 4.0], **PRIORS})
    tree = nutpie.sample(
        program.program.with_data(inputs=flat),
        draws=2000,
        tune=500,
        chains=4,
        seed=1,
        target_accept=0.9,
        progress_bar=False,
        save_warmup=False,
    )
    np.testing.assert_array_equal(first.draws["lam"], tree.posterior["lam"].values.ravel())
    again = judge_sampler(
        first.draws,
        4,
        energy=tree.sample_stats["energy"].values,
        divergences=int(tree.sample_stats["diverging"].values.sum()),
    )
    assert again == first.report


def test_an_interrupted_fit_is_no_fit(first):
    # Left to itself the library answers an interruption with the draws made so far.
    ended = threading.Event()

    def press():
        # Again where one was lost: what is raised in a finaliser is not passed on.
        for seconds in (0.5, *[2.0] * 10):
            if not ended.wait(seconds):
                os.kill(os.getpid(), signal.SIGINT)

    # A process that was begun in the background ignores interruptions.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    key = threading.Thread(target=press)
    key.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            fit(Exponential(), {"t": np.ones(400)}, PRIORS, seed=1, draws=3_000_000, cores=1)
    finally:
        ended.set()
        key.join()
        signal.signal(signal.SIGINT, before)
    assert fit(Exponential(), {"t": np.array([1.0, 4.0])}, PRIORS, seed=1).report == first.report


def test_a_sampler_that_breaks_down_refuses_in_one_line(first, monkeypatch):
    import nutpie

    class Broken:
        def wait(self):
            raise RuntimeError("All initialization points failed\nand more")

        def cancel(self):
            pass

    monkeypatch.setattr(nutpie, "sample", lambda *_, **__: Broken())
    with pytest.raises(GateRefused, match=r"^sampler \(All initialization points failed\)"):
        fit(Exponential(), {"t": [1.0]}, PRIORS, seed=1)


@pytest.mark.parametrize("still", [0, 2])
def test_chains_that_diverge_are_sampled_once_more_with_smaller_steps(first, monkeypatch, still):
    module, targets = import_module("forecasting.inference.fit"), []
    sampled = module._sampled

    def diverging(*args, **options):
        targets.append(options["target_accept"])
        draws, energy, _ = sampled(*args, **options)
        return draws, energy, 3 if len(targets) == 1 else still

    monkeypatch.setattr(module, "_sampled", diverging)
    posterior = fit(Exponential(), {"t": [1.0, 4.0]}, PRIORS, seed=1)
    # None is allowed at the end either way; the first run's three are on record.
    assert targets == [0.9, 0.99]
    assert posterior.report.rerun == 3
    assert posterior.report.passed == (still == 0)
    assert posterior.report.divergences == still
    assert first.report.rerun == 0


@pytest.mark.parametrize(
    ("data", "priors", "match"),
    [
        ({}, PRIORS, "missing: t"),
        ({"t": [1.0]}, {"shape": 2.0}, "missing: rate"),
        ({"t": [1.0], "u": [1.0]}, PRIORS, "unknown: u"),
        ({"t": 1.0}, PRIORS, "must have shape"),
        ({"t": [np.inf]}, PRIORS, "finite"),
        ({"t": [1.0], "rate": 3.0}, PRIORS, "given as data and as prior"),
    ],
)
def test_an_array_that_does_not_belong_is_refused_by_name(data, priors, match):
    with pytest.raises(ValueError, match=match):
        fit(Exponential(), data, priors, seed=1)


def test_seed_and_chains_have_rules():
    with pytest.raises(ValueError, match="seed"):
        fit(Exponential(), {"t": [1.0]}, PRIORS, seed=-1)
    with pytest.raises(ValueError, match="chains"):
        fit(Exponential(), {"t": [1.0]}, PRIORS, seed=1, chains=1)


def test_named_arrays_survive_the_flat_form():
    layout = {"a": SCALAR, "v": 3, "x": COLUMN, "y": COLUMN}
    arrays = {"y": [7.0], "x": [5.0, 6.0], "a": 1.0, "v": [2.0, 3.0, 4.0]}
    # Scalars and vectors, lengths of the columns, columns.
    assert pack(layout, arrays).tolist() == [1, 2, 3, 4, 2, 1, 5, 6, 7]
    with pytest.raises(ValueError, match="v must have shape"):
        pack(layout, arrays | {"v": [1.0]})


def test_the_hash_sees_names_shapes_and_values_but_not_their_order():
    base = array_hash({"a": [1.0, 2.0], "b": 0.0})
    assert base == array_hash({"b": -0.0, "a": [1, 2]})
    assert base != array_hash({"a": [1.0, 2.0], "c": 0.0})
    assert base != array_hash({"a": [2.0, 1.0], "b": 0.0})
    assert base != array_hash({"a": [[1.0, 2.0]], "b": 0.0})
    assert array_hash({"a": []}) != array_hash({"a": 0.0})
