"""What a new site is filled with."""

from pathlib import Path

import pytest

from local import seed
from tests.support.world import World


def test_a_new_site_has_examples_and_scenes(
    world: World, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    marker = tmp_path / "marker"
    for _ in range(2):
        seed.main([str(marker)])
        [counts] = world.sql("""
            SELECT (SELECT count(*) FROM places) AS places, (SELECT count(*) FROM actions) AS actions,
                (SELECT count(*) FROM place_pictures) AS pictures, (SELECT count(*) FROM jobs) AS jobs
        """)
        assert (counts.places, counts.actions, counts.pictures) == (4, 6, 8)
        assert counts.jobs > 5
        assert marker.exists()
