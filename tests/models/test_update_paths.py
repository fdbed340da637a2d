"""The path from new data to a new fit: chosen by itself, recorded, never built on a bad fit."""

import os
from dataclasses import dataclass, replace
from datetime import date
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting import config
from forecasting.inference import FitStore, exact_report, judge_probability, summary
from forecasting.inference.compile import library_versions
from forecasting.inference.fit import Fit, array_hash
from forecasting.models.encoding.answer import Answer
from forecasting.models.encoding.answers import FitCache
from forecasting.models.encoding.fits import live_fits
from forecasting.models.encoding.truces import answer_of_draws
from forecasting.models.protocol import PriorSpec, prior_arrays

PRIOR = {
    "p": PriorSpec.of("p", "beta", 8.0, 7.0, source="known answer 10", known_by=date(2025, 1, 1))
}


@dataclass(frozen=True)
class Share:
    """A Beta-Binomial family that samples its posterior exactly and counts how often."""

    family: ClassVar[str] = "share"
    version: ClassVar[str] = "1"
    structure: ClassVar[tuple[()]] = ()
    outcome_types: ClassVar[frozenset[str]] = frozenset({"binary"})
    made: ClassVar[list[tuple[float, float]]] = []

    setting: str = "a"

    def default_priors(self):
        return PRIOR

    def fit(self, data, priors, seed, *, draws=4000, passes=True, method="nuts"):
        yes, no = float(data["yes"]), float(data["no"])
        self.made.append((yes, no))
        a, b = (float(value) for _, value in priors["p"].parameters)
        p = np.random.default_rng(seed).beta(a + yes, b + no, draws)
        report = exact_report() if passes else replace(exact_report(), passed=False, reasons=("x",))
        hashes = array_hash(data), array_hash(prior_arrays(priors, PRIOR))
        return Fit({"p": p}, 4, report, method, seed, 0.0, library_versions(), *hashes)

    def log_likelihood(self, draws, data):
        p = np.asarray(draws["p"])
        return np.column_stack([data["yes"] * np.log(p), data["no"] * np.log1p(-p)])


def of(yes, no):
    return {"yes": np.array(float(yes)), "no": np.array(float(no))}


@pytest.fixture(autouse=True)
def made():
    Share.made.clear()
    return Share.made


@pytest.fixture
def store(home):
    return FitStore(home / "cache" / "fits")


def auto(store=None, seed=0):
    return FitCache(seed, policy="auto", store=store)


def mean(fit):
    return summary(fit.draws["p"], fit.chains, weights=fit.weights)


def same(one, two):
    assert one.method == two.method
    assert one.seed == two.seed
    np.testing.assert_array_equal(one.draws["p"], two.draws["p"])


def test_a_little_news_reweights_and_much_news_samples(made):
    fits = auto()
    paths = [
        fits.fit(Share(), of(*new), PRIOR) for new in ((0, 0), (0, 1), (1, 2), (0, 60), (0, 61))
    ]
    assert [found.method for found in paths] == ["nuts", "psis", "psis", "nuts", "psis"]
    assert made == [(0, 0), (0, 60)]
    for found, (yes, no) in zip(paths, ((0, 0), (0, 1), (1, 2), (0, 60), (0, 61)), strict=True):
        assert found.data_hash == array_hash(of(yes, no))
        assert abs(mean(found).mean - (8 + yes) / (15 + yes + no)) < 4.5 * mean(found).mcse


def test_weights_are_always_against_the_last_full_fit():
    # One no at a time: weights by the step before would each look harmless and drift together.
    fits, k_hat = auto(), []
    full = fits.fit(Share(), of(0, 0), PRIOR)
    for no in range(1, 40):
        found = fits.fit(Share(), of(0, no), PRIOR)
        if found.method == "nuts":
            break
        assert found.draws["p"] is full.draws["p"]
        k_hat.append(found.k_hat)
    assert 4 < no < 20
    assert abs(mean(found).mean - 8 / (15 + no)) < 4.5 * mean(found).mcse


def test_other_priors_settings_and_options_are_sampled(made):
    fits = auto()
    fits.fit(Share(), of(0, 0), PRIOR)
    sceptic = {"p": PRIOR["p"].with_values(7.9, 7.0)}
    assert fits.fit(Share(), of(0, 1), sceptic).method == "nuts"
    assert fits.fit(Share("b"), of(0, 1), PRIOR).method == "nuts"
    assert fits.fit(Share(), of(0, 1), PRIOR, draws=8000).method == "nuts"
    assert len(made) == 4


def test_a_family_may_say_that_its_likelihood_is_not_whole():
    @dataclass(frozen=True)
    class Partial(Share):
        reweights: ClassVar[bool] = False

    fits = auto()
    methods = [fits.fit(Partial(), of(0, no), PRIOR).method for no in (0, 1)]
    assert methods == ["nuts", "nuts"]


def test_closed_forms_are_not_reweighted():
    fits = auto()
    for no in (0, 1):
        assert fits.fit(Share(), of(0, no), PRIOR, method="conjugate").method == "conjugate"


def test_a_replay_does_not_depend_on_what_was_fitted_before(made):
    whole = FitCache(0)
    for no in (0, 1, 2):
        assert whole.fit(Share(), of(0, no), PRIOR).method == "nuts"
    same(FitCache(0).fit(Share(), of(0, 2), PRIOR), whole.fit(Share(), of(0, 2), PRIOR))
    # And what is sampled in a live update is the very same.
    same(auto().fit(Share(), of(0, 2), PRIOR), whole.fit(Share(), of(0, 2), PRIOR))
    assert (
        FitCache(1).fit(Share(), of(0, 2), PRIOR).seed != whole.fit(Share(), of(0, 2), PRIOR).seed
    )


def test_a_replay_neither_reads_nor_writes_the_store(store, made):
    auto(store).fit(Share(), of(0, 0), PRIOR)
    before = sorted(path.stat().st_mtime_ns for path in store.folder.iterdir())
    replay = FitCache(0, store=store)
    same(replay.fit(Share(), of(0, 1), PRIOR), FitCache(0).fit(Share(), of(0, 1), PRIOR))
    same(replay.fit(Share(), of(0, 0), PRIOR), FitCache(0).fit(Share(), of(0, 0), PRIOR))
    assert before == sorted(path.stat().st_mtime_ns for path in store.folder.iterdir())


def test_adding_and_retracting_restores_the_probability_exactly():
    for fits in (FitCache(0), auto()):
        before = mean(fits.fit(Share(), of(3, 4), PRIOR))
        fits.fit(Share(), of(3, 5), PRIOR)
        assert mean(fits.fit(Share(), of(3, 4), PRIOR)) == before


@settings(max_examples=10)
@given(st.lists(st.booleans(), min_size=1, max_size=5), st.randoms())
def test_the_order_of_evidence_does_not_matter(news, random):
    # Only the sum of what was learned since the full fit enters, whatever came in between.
    answers = []
    for order in (news, random.sample(news, len(news))):
        fits = auto()
        fits.fit(Share(), of(0, 0), PRIOR)
        for count in range(1, len(order) + 1):
            yes = sum(order[:count])
            found = fits.fit(Share(), of(yes, count - yes), PRIOR)
        answers.append(mean(found).mean)
    assert answers[0] == answers[1]


def test_no_evidence_moves_the_probability_on_average():
    # Conservation of expected evidence: over news drawn from the prior, the reweighted means
    # average to the prior's mean, 8/15.
    fits, rng = auto(), np.random.default_rng(1)
    full = fits.fit(Share(), of(0, 0), PRIOR)
    yes = rng.binomial(5, rng.beta(8, 7, 20000))
    means = np.array([mean(fits.fit(Share(), of(k, 5 - k), PRIOR)).mean for k in range(6)])
    found = means[yes]
    error = np.hypot(found.std() / np.sqrt(20000), mean(full).mcse)
    assert abs(found.mean() - 8 / 15) < 4.5 * error


class Killed(Exception):
    pass


def test_a_killed_fit_leaves_what_stood(store):
    @dataclass(frozen=True)
    class Fragile(Share):
        def fit(self, data, priors, seed, **options):
            if float(data["no"]) == 60:
                raise Killed
            return super().fit(data, priors, seed, **options)

    for fits in (FitCache(0), auto(store)):
        before = fits.fit(Fragile(), of(0, 0), PRIOR)
        files = list(store.folder.glob("*")) if store.folder.exists() else []
        for _ in range(2):
            with pytest.raises(Killed):
                fits.fit(Fragile(), of(0, 60), PRIOR)
        same(fits.fit(Fragile(), of(0, 0), PRIOR), before)
        assert (list(store.folder.glob("*")) if store.folder.exists() else []) == files


def test_a_refused_fit_is_answered_with_and_never_built_on(store, made):
    fits = auto(store)
    assert not fits.fit(Share(), of(0, 0), PRIOR, passes=False).report.passed
    assert not fits.fit(Share(), of(0, 1), PRIOR, passes=False).report.passed
    assert made == [(0, 0), (0, 1)]
    assert not store.folder.exists()


def answered(fits, data, made_of=lambda p: p):
    def to_answer(fit) -> Answer:
        return answer_of_draws(made_of(fit.draws["p"]), fit, "share")

    return fits.answer(Share(), data, PRIOR, to_answer)


def test_an_answer_carries_its_path_its_weights_and_k_hat():
    fits = auto()
    full, light = answered(fits, of(0, 0)), answered(fits, of(0, 1))
    assert (full.method, full.weights) == ("nuts", None)
    assert "k_hat" not in full.diagnostics
    assert light.method == light.spread.method == "psis"
    assert light.gate == "passed"
    assert light.diagnostics["k_hat"] < 0.7
    assert light.diagnostics["importance_ess"] > 400
    assert light.draw().T @ light.weights == pytest.approx(light.numbers[0])
    assert light.numbers[0] == pytest.approx(8 / 16, abs=0.01)
    assert light.evidence_hash == array_hash(of(0, 1))


def test_a_reweighted_answer_that_the_gate_refuses_is_sampled(made):
    # A probability of sd .45: the weights pass, its Monte Carlo error does not.
    fits = auto()
    answered(fits, of(0, 0))
    found = answered(fits, of(0, 4), lambda p: (p > 0.5).astype(float))
    assert found.method == "nuts"
    assert made == [(0, 0), (0, 4)]
    # The next question on the same data rests on the same fit: a ladder is of one kind.
    assert answered(fits, of(0, 4)).method == "nuts"


def test_the_last_full_fit_outlives_the_process(store, made):
    first = auto(store).fit(Share(), of(0, 0), PRIOR)
    again = auto(store)
    light = again.fit(Share(), of(0, 1), PRIOR)
    assert light.method == "psis"
    assert made == [(0, 0)]
    np.testing.assert_array_equal(light.draws["p"], first.draws["p"])
    same(auto(store).fit(Share(), of(0, 0), PRIOR), first)
    assert made == [(0, 0)]
    # Without the store, or with it, the same numbers for the same path.
    alone = auto()
    alone.fit(Share(), of(0, 0), PRIOR)
    assert mean(alone.fit(Share(), of(0, 1), PRIOR)) == mean(light)
    # Another seed is another fit.
    assert auto(store, seed=1).fit(Share(), of(0, 1), PRIOR).method == "nuts"


def test_live_fits_lie_in_the_cache_folder(home):
    live_fits(0).fit(Share(), of(0, 0), PRIOR)
    assert config.cache_folder() == home / "cache"
    assert len(list((home / "cache" / "fits").glob("*.npz"))) == 1


def damage_cut(path):
    path.write_bytes(path.read_bytes()[:-200])


def damage_flip(path):
    # One bit of one draw: the numbers still read, and are not what was sampled.
    with np.load(path) as file:
        found = dict(file)
    found["draws/p"][5] = np.nextafter(found["draws/p"][5], 1)
    with path.open("wb") as file:
        np.savez(file, **found)


def damage_empty(path):
    path.write_bytes(b"")


def damage_text(path):
    path.write_text("not a fit")


def damage_pickle(path):
    with path.open("wb") as file:
        np.savez(file, said=np.array([object()], dtype=object))


def damage_folder(path):
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    "damage",
    [damage_cut, damage_flip, damage_empty, damage_text, damage_pickle, damage_folder],
    ids=lambda damage: damage.__name__,
)
def test_a_damaged_or_foreign_file_counts_as_absent(store, made, damage):
    auto(store).fit(Share(), of(0, 0), PRIOR)
    (path,) = store.folder.glob("*.npz")
    damage(path)
    found = auto(store).fit(Share(), of(0, 1), PRIOR)
    assert found.method == "nuts"
    assert made == [(0, 0), (0, 1)]
    same(found, FitCache(0).fit(Share(), of(0, 1), PRIOR))


def test_a_file_under_another_name_counts_as_absent(store):
    auto(store).fit(Share(), of(0, 0), PRIOR)
    auto(store).fit(Share("b"), of(0, 0), PRIOR)
    one, two = sorted(store.folder.glob("*.npz"))
    two.write_bytes(one.read_bytes())
    assert {auto(store).fit(Share(setting), of(0, 1), PRIOR).method for setting in ("a", "b")} == {
        "nuts",
        "psis",
    }


def test_the_newest_stay(home):
    store = FitStore(home / "fits", keep=3)
    fits = auto(store)
    for step, setting in enumerate("abcde"):
        fits.fit(Share(setting), of(0, 0), PRIOR)
        for path in store.folder.glob("*.npz"):
            # File systems with coarse clocks must not decide what is newest.
            os.utime(path, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns - 10**9 * step))
    assert len(list(store.folder.iterdir())) == 3
    methods = [auto(store).fit(Share(s), of(0, 1), PRIOR).method for s in "ae"]
    assert methods == ["nuts", "psis"]


def test_a_folder_that_cannot_be_written_is_no_fault(home):
    (home / "cache").write_text("a file where the folder should be")
    fits = live_fits(0)
    assert fits.fit(Share(), of(0, 0), PRIOR).method == "nuts"
    assert fits.fit(Share(), of(0, 1), PRIOR).method == "psis"


def test_only_sampled_fits_that_passed_are_stored(store):
    full = Share().fit(of(0, 0), PRIOR, 1)
    for bad in (
        Share().fit(of(0, 0), PRIOR, 1, passes=False),
        Share().fit(of(0, 0), PRIOR, 1, method="conjugate"),
        replace(full, method="psis", weights=np.full(4000, 1 / 4000)),
    ):
        with pytest.raises(ValueError, match="only a sampled fit that passed"):
            store.save("0" * 64, "1" * 64, bad, of(0, 0))


def test_a_stored_fit_comes_back_whole(store):
    full = Share().fit(of(2, 3), PRIOR, 1)
    store.save("0" * 64, "1" * 64, full, of(2, 3))
    found = store.exact("0" * 64, "1" * 64)
    assert replace(found.fit, draws=full.draws) == full
    assert {name: float(value) for name, value in found.data.items()} == {"yes": 2.0, "no": 3.0}
    assert store.latest("2" * 64) is None
    assert judge_probability(found.fit.report, found.fit.draws["p"], 4).passed
