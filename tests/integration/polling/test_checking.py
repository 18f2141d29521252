"""Checking pictures before they are stored: by real checkers in real processes, and while these do not work."""

from collections.abc import Callable, Iterator
from importlib.util import find_spec

import pytest
from PIL import Image

from shared.jobs.states import State
from shared.polling import checking
from shared.polling.checking import Checker, CheckerDown, Rejected
from tests.support.world import World

RED, BLUE = Image.new("RGB", (64, 48), "red"), Image.new("RGB", (64, 48), "blue")
CHECKERS = "tests.support.checkers"
Make = Callable[..., Checker]


@pytest.fixture
def make() -> Iterator[Make]:
    """Return a function that makes a checker of this name."""
    made: list[Checker] = []

    def checker(name: str, when_down: str = "hold") -> Checker:
        made.append(Checker(f"{CHECKERS}:{name}" if name.isalpha() and name != "nudity" else name, when_down))
        return made[-1]

    yield checker
    for one in made:
        one.close()


def test_it_works(make: Make) -> None:
    checker = make("Reddish")
    checker.check(BLUE)
    with pytest.raises(Rejected) as caught:
        checker.check(RED)
    assert caught.value.reason.code == "picture_rejected"
    assert "too_red" in caught.value.reason.message
    checker.check(Image.new("RGBA", (5000, 20), "green"))
    assert not checker.is_down()


def test_one_process_looks_at_all_pictures(make: Make) -> None:
    checker = make("Reddish")
    checker.check(BLUE)
    process = checker._process
    checker.check(BLUE)
    assert checker._process is process
    assert process is not None
    process.kill()
    process.wait()
    checker.check(BLUE)  # another one


@pytest.mark.parametrize("name", ["Dying", "Talking", "Greedy", "no_such_module:Checker", f"{CHECKERS}:Missing"])
def test_one_that_fails_is_down_for_a_while(make: Make, name: str) -> None:
    checker = make(name)
    for _ in range(2):
        with pytest.raises(CheckerDown):
            checker.check(BLUE)
    assert checker.is_down()
    assert checker._process is None


def test_a_picture_may_take_only_so_long(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "LIMIT_S", 0.2)
    with pytest.raises(CheckerDown):
        make("Slow").check(BLUE)


def test_what_is_down_may_be_passed_over(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    make("Dying", "allow").check(RED)
    assert "a picture was not checked" in caplog.text


def test_the_program_gets_none_of_the_keys(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EASEL_DATABASE_URL", "postgresql://secret")
    checker = make("Reddish")
    assert not checker.is_down()
    assert checker._process is not None
    with open(f"/proc/{checker._process.pid}/environ", "rb") as environment:
        assert b"secret" not in environment.read()


@pytest.mark.parametrize(
    ("name", "when_down", "code"),
    [("Everything", "hold", "picture_rejected"), ("Dying", "refuse", "picture_unchecked")],
)
def test_a_job_whose_picture_is_not_to_be_shown_fails_without_it(
    world: World, make: Make, name: str, when_down: str, code: str
) -> None:
    world.poller.worker.checker = make(name, when_down)
    job_id = world.submit(world.user())
    world.finish(job_id)
    row = world.row(job_id)
    assert (row.state, row.error_code) == (State.FAILED, code)
    assert world.images(job_id) == []
    world.check_books()


def test_a_job_is_held_until_the_checker_works(world: World, make: Make) -> None:
    world.poller.worker.checker = make("Dying")
    job_id = world.submit(world.user())
    world.run(lambda: "checker_down" in {entry.code for entry in world.timeline(job_id)})
    assert world.state(job_id) == "generating"
    world.poller.worker.checker = make("Reddish")
    world.finish(job_id)
    assert world.state(job_id) == "succeeded"
    world.check_books()


@pytest.mark.skipif(find_spec("nudenet") is None, reason="nudenet is not installed: make checker")
def test_the_nudity_checker_passes_what_shows_nobody(make: Make) -> None:
    checker = make("nudity")
    for picture in (RED, BLUE, Image.effect_noise((640, 480), 80), Image.linear_gradient("L")):
        checker.check(picture)
