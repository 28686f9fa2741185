"""What every file says of one small report, byte for byte, as tests/golden keeps it."""

import pytest

from tests import samples

NAMES = sorted(
    path.relative_to(samples.GOLDEN).as_posix()
    for path in samples.GOLDEN.rglob("*")
    if path.is_file()
)


@pytest.fixture
def texts():
    return samples.texts()


def test_every_file_is_kept(texts):
    assert sorted(texts) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_file_says_what_it_said(texts, name):
    kept = (samples.GOLDEN / name).read_bytes().decode()

    assert kept == texts[name], "where this is meant: tox run -e docs"
