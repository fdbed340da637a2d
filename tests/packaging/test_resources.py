"""The wheel's own folder first, then a checkout's; never another distribution's."""

import pytest

from forecasting import resources
from forecasting.errors import ForecastingError


@pytest.fixture
def package(tmp_path):
    folder = tmp_path / "forecasting"
    folder.mkdir()
    return folder


def test_the_bundle_comes_before_the_checkout(package):
    beside = package.parent / "questions"
    beside.mkdir()
    (package.parent / "pyproject.toml").touch()
    assert resources.locate("questions", package=package) == beside
    bundled = package / "_bundled" / "questions"
    bundled.mkdir(parents=True)
    assert resources.locate("questions", package=package) == bundled


def test_a_folder_of_another_distribution_is_not_ours(package):
    (package.parent / "questions").mkdir()
    with pytest.raises(ForecastingError, match=r"resource \(questions\): must be at .*Try: pip"):
        resources.locate("questions", package=package)


def test_this_checkout_has_both(root):
    assert resources.locate("migrations") == root / "db" / "migrations"
    assert resources.locate("questions") == root / "questions"
