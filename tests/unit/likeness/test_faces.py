"""Faces in photos: which of those found count, and that the network finds the heads that are drawn here."""

import io

import pytest
from PIL import Image

from shared.images import faces
from shared.images.faces import Face, count, find_counter
from shared.likeness.measuring import measurer
from tests.support.faces import people, person
from tests.support.photos import encode, photo

COUNTER = find_counter()
TWO = ((180, 330, 150), (480, 330, 150))
needs_network = pytest.mark.skipif(COUNTER is None, reason="the packages are not installed; see `make faces`")


def face(score: float, height: float) -> Face:
    return Face(score, 0, 0, height, height)


def test_small_and_unsure_faces_beside_the_largest_do_not_count() -> None:
    assert count([]) == 0
    assert count([face(0.36, 100)]) == 1
    assert count([face(0.9, 100), face(0.9, 30)]) == 1
    assert count([face(0.9, 100), face(0.4, 90)]) == 1
    assert count([face(0.6, 100), face(0.7, 50), face(0.7, 90)]) == 3


@needs_network
@pytest.mark.parametrize(
    ("data", "found"), [*((person(seed), 1) for seed in range(5)), (people(*TWO), 2), (people(), 0), (photo(1, 640), 0)]
)
def test_faces_are_counted(data: bytes, found: int) -> None:
    assert COUNTER is not None
    with Image.open(io.BytesIO(data)) as picture:
        assert COUNTER(picture) == found


@needs_network
def test_faces_are_counted_within_the_limits_of_memory() -> None:
    with Image.open(io.BytesIO(person())) as picture:
        large = encode(picture.resize((6300, 6300)), "JPEG")
    with measurer(faces=True) as lent:
        measures = [lent.measure(data) for data in (large, person(1), people(*TWO))]
    assert [getattr(one, "faces", one) for one in measures] == [1, 1, 2]


def test_faces_are_counted_only_where_they_are_asked_for() -> None:
    with measurer() as lent:
        found = lent.measure(person())
    assert getattr(found, "faces", found) is None


def test_without_the_packages_the_rest_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faces, "find_spec", lambda name: None)
    assert find_counter() is None
