"""Each spelling is read alike at every door, or refused alike with the same words."""

import pytest

from tests.doors import spellings
from tests.doors.doors import TABLES, opened

ROWS = [
    (table, text, meant)
    for table in TABLES
    for text, meant in getattr(spellings, table.upper()).items()
]


def test_the_table_is_long_enough():
    assert len(ROWS) >= 120


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("doors")


@pytest.mark.parametrize("table", TABLES)
def test_every_door_reads_alike(folder, capsys, table):
    wrong = []
    place = folder / table
    place.mkdir()
    with opened(place, capsys) as doors:
        for name, text, meant in ROWS:
            if name != table:
                continue
            readings = [door(doors, text) for door in TABLES[table]]
            alike = all(one == readings[0] for one in readings)
            if isinstance(meant, spellings.Refused):
                right = all(isinstance(one, tuple) and meant.words in one[1] for one in readings)
            else:
                right = all(one == meant for one in readings)
            if not (alike and right):
                wrong.append((text, meant, readings))
    assert not wrong, "\n".join(map(str, wrong))
