"""Which photos are refused, and why: measures of pictures that are drawn here, and the judgement about them."""

import io
from dataclasses import replace

import pytest
from PIL import Image, ImageFilter

from generator import training
from shared.api import likeness_use, likenesses
from shared.images.photo_measures import measure
from shared.images.photo_values import PhotoMeasures
from shared.images.source_rules import PictureError
from shared.likeness import photos
from shared.likeness.photos import MIN_SHARPNESS, judge
from tests.support.photos import encode, photo

GOOD = [measure(photo(seed)) for seed in range(5)]


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def codes(*given: PhotoMeasures | None, subject: str = "animal") -> list[tuple[int, str]]:
    return [(problem.place, problem.code) for problem in judge(given, subject)]


def test_five_different_sharp_photos_pass() -> None:
    assert codes(*GOOD) == []
    assert all(one.sharpness > 4 * MIN_SHARPNESS for one in GOOD)


@pytest.mark.parametrize("radius", [4, 8])
def test_a_blurred_photo_is_known(radius: int) -> None:
    blurred = measure(encode(opened(photo(7)).filter(ImageFilter.GaussianBlur(radius))))
    assert codes(*GOOD[:4], blurred) == [(4, "photo_blurred")]


def test_a_sharp_subject_before_a_blurred_background_passes() -> None:
    image = opened(photo(7, 640)).filter(ImageFilter.GaussianBlur(12))
    image.paste(opened(photo(8, 240)), (200, 200))
    assert codes(measure(encode(image))) == []


@pytest.mark.parametrize(("factor", "offset", "code"), [(0.05, 0, "photo_too_dark"), (0.05, 242, "photo_too_bright")])
def test_a_badly_lit_photo_is_known(factor: float, offset: int, code: str) -> None:
    image = opened(photo(7)).point(lambda value: round(value * factor + offset))
    assert codes(measure(encode(image))) == [(0, code)]


def test_a_thing_before_a_white_wall_passes() -> None:
    image = Image.new("RGB", (640, 640), "white")
    image.paste(opened(photo(3, 300)), (170, 170))
    assert codes(measure(encode(image))) == []


def test_a_small_photo_is_known_also_if_it_is_large_one_way() -> None:
    assert codes(measure(encode(opened(photo(7)).resize((800, 255))))) == [(0, "photo_too_small")]


def test_versions_of_one_photo_are_alike() -> None:
    image = opened(photo(0, 600))
    versions = [
        encode(image.resize((400, 400))),
        encode(image, "PNG"),
        encode(image.point(lambda value: value * 9 // 10)),
    ]
    assert codes(measure(encode(image)), *map(measure, versions)) == [(place, "photo_repeated") for place in (1, 2, 3)]


def test_everything_is_said_at_once_and_names_the_place() -> None:
    small = replace(GOOD[1], width=100)
    problems = judge([GOOD[0], small, None, small, replace(GOOD[4], sharpness=1)], "object")
    assert [(one.place, one.code) for one in problems] == [
        (1, "photo_too_small"),
        (3, "photo_too_small"),
        (3, "photo_repeated"),
        (4, "photo_blurred"),
    ]
    assert "same as photo 2" in problems[2].message


def test_each_photo_of_a_person_shows_one_face() -> None:
    counted = [replace(one, faces=faces) for one, faces in zip(GOOD, (1, 0, None, 2, 1), strict=True)]
    assert codes(*counted, subject="person") == [(1, "photo_without_face"), (3, "photo_of_several")]
    assert codes(*counted) == []
    assert "shows 2 faces" in judge(counted, "person")[1].message


def test_what_is_no_picture_cannot_be_measured() -> None:
    with pytest.raises(PictureError):
        measure(b"a text named photo.jpg")


def test_the_limits_are_those_of_the_reference_generator() -> None:
    assert (likenesses.PHOTOS, likenesses.MAX_STEPS_PER_IMAGE) == (training.PHOTOS, training.MAX_STEPS_PER_IMAGE)
    assert photos.MIN_SIDE_PX >= training.MIN_PHOTO_SIDE_PX
    assert likeness_use.MAX_WEIGHT <= 4, "the generator's limit"
