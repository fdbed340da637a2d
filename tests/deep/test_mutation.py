"""The tests of the ledger notice nine of ten small faults in it, and what they miss is argued."""

import os
import re

import pytest

from tests.deep.mutation import ROOT, every_mutant, mutate
from tests.store.test_kills import needs_fork

SAMPLE = 150
SURVIVORS = ROOT / "tests/deep/survivors.md"


def argued():
    """Give the mutants that are known to survive, each with its reason."""
    rows = re.findall(r"^- (.+?)\n  (equivalent|accepted): (.+)$", SURVIVORS.read_text(), re.M)
    return {key: f"{how}: {reason}" for key, how, reason in rows}


def test_every_survivor_that_is_argued_is_a_mutant_of_the_code_as_it_stands():
    assert set(argued()) <= {mutant.key for mutant in every_mutant()}


@pytest.mark.deep
@needs_fork
def test_nine_of_ten_faults_in_the_ledger_are_noticed():
    """``MUTANTS=all`` tries every one, ``MUTANTS=50`` so many."""
    wanted = os.environ.get("MUTANTS", str(SAMPLE))
    fates = list(mutate(None if wanted == "all" else int(wanted)))
    survivors = {fate.key for fate in fates if not fate.killed}
    assert survivors <= set(argued()), "not argued in tests/deep/survivors.md"
    assert len(survivors) <= 0.1 * len(fates)
