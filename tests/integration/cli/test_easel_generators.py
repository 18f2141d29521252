"""`easel generators`: what the poller knows of each, and what each answers to a probe."""

from collections.abc import Iterator

import pytest

from cli.exit_codes import ExitCode
from shared.testing.fake_generator import ALL_EXTENSIONS, FakeGenerator, Plan
from shared.testing.fake_glide import FakeGlide
from tests.support.easel_command import Easel, objects
from tests.support.world import World


@pytest.fixture
def glide() -> Iterator[FakeGlide]:
    with FakeGlide() as fake:
        yield fake


def named(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    monkeypatch.setenv("EASEL_GENERATORS", ",".join(addresses))


def test_it_works(easel: Easel, world: World, generator: FakeGenerator) -> None:
    generator.plan = Plan(polls=9)
    world.send()
    code, lines = easel("generators")
    assert code == ExitCode.DONE
    assert lines[0].split() == ["GENERATOR", "PROTOCOL", "BUSY", "HEALTH", "NEXT", "PROBE", "LAST", "ERROR"]
    assert lines[1].split() == [generator.url, "img_generator", "1", "of", "4", "ok", "-", "-"]
    assert easel("generators", "list") == (code, lines)
    [row] = objects(easel, "generators")
    assert (row["name"], row["in_flight"], row["places"], row["health"]) == (generator.url, 1, 4, "ok")


def test_a_failing_generator_is_shown_with_its_error(easel: Easel, world: World, generator: FakeGenerator) -> None:
    generator.down = True
    job_id = world.submit(world.user())
    world.poller.start()
    world.step(job_id)
    [row] = objects(easel, "generators")
    assert (row["health"], row["failures"] > 0, row["retry_at"] is not None) == ("failing", True, True)
    assert row["last_error"]
    assert "failing" in easel("generators")[1][1]


def test_each_generator_is_probed(
    easel: Easel, world: World, generator: FakeGenerator, glide: FakeGlide, monkeypatch: pytest.MonkeyPatch
) -> None:
    named(monkeypatch, f"img_generator+{generator.url}", f"glide+{glide.url}")
    generator.extensions = ALL_EXTENSIONS
    code, lines = easel("generators", "--ask")
    assert (code, len(lines)) == (ExitCode.DONE, 3)
    rows = {row["name"]: row for row in objects(easel, "generators", "--ask")}
    assert rows[generator.url]["answer"] == "well (fake, cancel, frames, key, preview, progress, scene, wait)"
    assert rows[generator.url]["extensions"] == sorted(ALL_EXTENSIONS)
    generator.model = {"name": "tiny", "revision": "5f3a", "steps": 12, "scale": 3, "width": 64, "height": 64}
    row = {row["name"]: row for row in objects(easel, "generators", "--ask")}[generator.url]
    assert (row["answer"], row["model"]) == (
        "well (fake, tiny, cancel, frames, key, preview, progress, scene, wait)",
        "tiny",
    )
    assert (rows[glide.url]["answer"], rows[glide.url]["health"]) == ("well", "unknown to the poller")
    assert generator.counts["initiated"] == 0
    generator.down = True
    assert easel("generators", "--ask")[0] == ExitCode.FAILED
    [health] = world.sql("SELECT failures FROM generators")
    assert health == (0,)


def test_a_service_without_extensions_is_healthy(
    easel: Easel, world: World, generator: FakeGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    named(monkeypatch, f"img_generator+{generator.url}")
    code, _ = easel("generators", "--ask")
    assert (code, objects(easel, "generators", "--ask")[0]["answer"]) == (ExitCode.DONE, "well")


def test_a_server_of_another_protocol_is_unhealthy(
    easel: Easel, world: World, glide: FakeGlide, generator: FakeGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    named(monkeypatch, f"glide+{generator.url}")
    assert easel("generators", "--ask")[0] == ExitCode.FAILED


def test_a_generator_missing_from_the_settings_is_not_probed(
    easel: Easel, world: World, generator: FakeGenerator
) -> None:
    [row] = objects(easel, "generators", "--ask")
    assert row["answer"] == "not in EASEL_GENERATORS here"


def test_missing_generators_are_reported(easel: Easel, world: World) -> None:
    world.sql("DELETE FROM generators")
    assert easel("generators") == (ExitCode.DONE, ["The poller knows of no generator."])
    assert objects(easel, "generators") == []


def test_a_password_in_an_address_is_not_shown(
    easel: Easel, world: World, generator: FakeGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    named(
        monkeypatch,
        f"img_generator+{generator.url.replace('://', '://ada:hidden@')}",
        "glide+http://u:hidden@127.0.0.1:1",
    )
    for argv in (("generators", "--ask"), ("generators", "--ask", "--json")):
        assert "hidden" not in "".join(easel(*argv)[1])


@pytest.mark.parametrize("argv", [["generators", "nothing"], ["generators", "list", "more"]])
def test_invalid_usage_is_code_2(easel: Easel, argv: list[str]) -> None:
    assert easel(*argv)[0] == ExitCode.USAGE_ERROR
