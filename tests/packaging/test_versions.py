"""An index may silently give an older major to an older Python; then nothing here is true."""

import re
import sys
import tomllib
from importlib import metadata

import pytest
from packaging.requirements import Requirement


def release(name):
    return tuple(int(part) for part in re.findall(r"\d+", metadata.version(name))[:3])


@pytest.mark.parametrize(
    ("name", "least", "below"),
    [
        ("pymc", (6, 4), (7,)),
        ("arviz", (1, 3), (2,)),
        ("nutpie", (0, 16, 11), (1,)),
        ("pandas", (3,), (4,)),
        ("sqlalchemy", (2, 1), (2, 2)),
    ],
)
def test_the_majors_that_the_code_was_written_for(name, least, below):
    assert least <= release(name) < below


def test_python_is_new_enough():
    assert sys.version_info >= (3, 12)


@pytest.fixture(scope="module")
def project(root):
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def pins(root):
    lines = (root / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return {normal(name): pin for name, _, pin in (line.partition("==") for line in lines)}


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def test_constraints_are_plain_pins(root):
    lines = (root / "constraints.txt").read_text(encoding="utf-8").splitlines()
    odd = [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line)]
    assert odd == []
    names = [normal(line.partition("==")[0]) for line in lines]
    assert names == sorted(set(names))


def test_the_whole_environment_stands_at_its_pins(project, pins):
    groups = project["dependency-groups"]
    waiting = [
        *project["project"]["dependencies"],
        *project["build-system"]["requires"],
        *groups["test"],
        *groups["lint"],
    ]
    standing = {}
    while waiting:
        wanted = Requirement(waiting.pop())
        name = normal(wanted.name)
        extras = {"", *wanted.extras}
        if name in standing and not wanted.extras:
            continue
        standing[name] = metadata.version(name)
        for text in metadata.requires(name) or []:
            marker = Requirement(text).marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in extras):
                waiting.append(text)
    assert len(standing) > 60, "the walk must reach what our dependencies need"
    differing = {
        name: (version, pins.get(name))
        for name, version in standing.items()
        if pins.get(name) != version
    }
    assert differing == {}, "make setup, or write the new resolve into constraints.txt"


def test_every_dependency_caps_its_major(project):
    # tzdata is a calendar, not an interface: its newest is always the right one.
    uncapped = [each for each in project["project"]["dependencies"] if "<" not in each]
    assert uncapped == ["tzdata>=2026.1"]
