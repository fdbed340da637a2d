"""The folders are the architecture: what may stand where, and what may stand nowhere."""

import re
import subprocess
from pathlib import Path

import pytest

TOP = {
    ".ci", ".gitignore", ".python-version", "CHANGELOG.md", "LICENSE", "Makefile", "README.md",
    "constraints.txt", "db", "forecasting", "notebooks", "pyproject.toml", "questions", "tests",
}  # fmt: skip
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}
LOCKS = {"uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "pylock.toml"}
# Written so that this file does not hold what it looks for.
MACHINE_PATH = re.compile(
    r"(?:^|[^A-Za-z0-9_.-])/(?:(?:work|farm|root)/|(?:home|Users)/(?!USER|NAME|you)[a-z]\w*/)"
)
THIS = "tests/packaging/test_layout.py"
TEXT = {".csv", ".css", ".html", ".ini", ".ipynb", ".j2", ".js", ".json", ".mako", ".md", ".py",
        ".sql", ".toml", ".txt", ".yaml", ""}  # fmt: skip


@pytest.fixture(scope="module")
def files(root, missing):
    """Every file that git keeps or would keep."""
    try:
        listing = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=root, capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
    except FileNotFoundError:
        missing("git")
    except subprocess.CalledProcessError:
        missing("a git checkout (this is a bare folder, so what is tracked is unknown: git)")
    found = [Path(name) for name in listing.split("\0") if name and (root / name).is_file()]
    assert found, "git lists no file, so every law here would hold of nothing"
    return found


def test_only_the_owners_names_stand_at_the_top(files):
    assert {file.parts[0] for file in files} - TOP == set()


def test_no_name_says_nothing(files):
    names = {part.partition(".")[0].strip("_") for file in files for part in file.parts}
    assert names & EMPTY_NAMES == set()


def test_no_lock_file_records_addresses(files):
    assert {file.name for file in files} & LOCKS == set()


def test_db_and_questions_are_folders_not_packages(files):
    wrong = [
        file for file in files
        if file.parts[0] in {"db", "questions"} and file.name == "__init__.py"
    ]  # fmt: skip
    assert wrong == []


def test_no_path_of_one_machine(files, root):
    hits = []
    for file in files:
        if file.suffix not in TEXT:
            continue
        for number, line in enumerate((root / file).read_text("utf-8").splitlines(), 1):
            if MACHINE_PATH.search(line):
                hits.append(f"{file}:{number}")
    assert hits == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("open('/{}/main/x')", True),
        ("/{}/x", True),
        ("https://example.org/{}/x", False),
        ("net/{}/x", False),
    ],
)
def test_the_search_for_paths_finds_them(line, found):
    assert bool(MACHINE_PATH.search(line.format("root"))) is found


def test_every_package_folder_is_a_package(files, root):
    folders = {
        file.parent for file in files if file.parts[0] == "forecasting" and file.suffix == ".py"
    }
    assert [
        str(each) for each in sorted(folders) if not (root / each / "__init__.py").is_file()
    ] == []


def test_no_test_measures_seconds(files, root):
    """A machine under load is slow and not wrong: a test counts steps, the bench prints ratios."""
    clocks = re.compile(r"\b(?:perf_counter|process_time|timeit)\b")
    tests = [each for each in files if each.parts[0] == "tests" and each.name[:5] == "test_"]
    tests.remove(Path(THIS))
    assert len(tests) > 100
    assert [each for each in tests if clocks.search((root / each).read_text())] == []
