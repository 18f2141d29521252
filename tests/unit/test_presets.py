"""The presets of generators with defaults of their own."""

import pytest

from shared.api.presets import GENERAL, Defaults, aspects, qualities, shared_defaults

TURBO, LARGE = Defaults(4, 0.0, 512, 512), Defaults(30, 5.0, 1024, 1024)


def steps(own: Defaults) -> list[int | None]:
    return [choice.values["steps"] for choice in qualities(own).values()]


def sizes(own: Defaults) -> list[tuple[int, int]]:
    return [(choice.values["width"], choice.values["height"]) for choice in aspects(own).values()]


def test_the_general_ones() -> None:
    assert steps(GENERAL) == [15, 30, 50, 80]
    assert sizes(GENERAL) == [(512, 512), (768, 432), (432, 768)]


@pytest.mark.parametrize(
    ("own", "expected"), [(TURBO, [2, 4, 7, 11]), (Defaults(1), [1, 1, 2, 3]), (Defaults(150), [75, 150, 150, 150])]
)
def test_steps_are_multiples_of_the_usual_ones_within_the_limits(own: Defaults, expected: list[int]) -> None:
    assert steps(own) == expected


def test_sizes_keep_the_shapes_and_the_limits() -> None:
    assert sizes(LARGE) == [(1024, 1024), (1536, 864), (864, 1536)]
    assert sizes(Defaults(width=2048, height=2048)) == [(2048, 2048), (2048, 1728), (1728, 2048)]
    assert sizes(Defaults(width=256, height=1024))[0] == (512, 512)


def test_generators_share_what_is_equal() -> None:
    assert shared_defaults([]) == GENERAL
    assert shared_defaults([TURBO, TURBO]) == TURBO
    assert shared_defaults([TURBO, LARGE]) == Defaults(None, None, 512, 512)
    assert shared_defaults([GENERAL, LARGE]) == Defaults(30, None, 512, 512)
