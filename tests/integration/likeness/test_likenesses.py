"""Pictures with likenesses: which codes work for whom, and what the timeline and the recipe say."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from shared.core.errors import RateLimited
from shared.images import codec
from shared.jobs import groups
from shared.likeness import service
from tests.support.photos import Sitter
from tests.support.world import SMALL, World

SEED, STEPS = 3, 1


def drawn(world: World, job_id: UUID) -> tuple[int, list[str | None], dict[str, Any]]:
    """Finish the job; return the grey of its picture, why it was adapted, and the recipe."""
    world.finish(job_id)
    assert world.state(job_id) == "succeeded", world.timeline(job_id)
    [image] = world.images(job_id)
    png = world.services.storage.get(image.key, 10**6)
    grey = codec.decode_picture(png, expected_size=None).getpixel((0, 0))
    assert isinstance(grey, tuple)
    recipe = codec.read_recipe(png)
    assert recipe is not None
    adapted = [row.code for row in world.timeline(job_id) if row.event == "adapted"]
    return int(grey[0]), adapted, recipe


def test_an_own_code_works_and_is_nowhere_public(world: World, sitter: Sitter) -> None:
    code = sitter.have()
    job_id = sitter.draw(likeness=code, seed=SEED)
    assert world.row(job_id).protocols == "adapters"
    grey, adapted, recipe = drawn(world, job_id)
    assert (grey, adapted, recipe["not_followed"]) == (SEED + STEPS + 10, [], [])
    assert code not in str(recipe)
    assert not {"likeness", "likeness_weight"} & recipe["settings"].keys()


def test_weights_and_several_likenesses_count(world: World, sitter: Sitter) -> None:
    first = sitter.have()
    second = sitter.have(8)
    job_id = sitter.draw(likeness=[first, {"code": second, "weight": 2}], likeness_weight=0.5, seed=SEED)
    assert drawn(world, job_id)[0] == SEED + STEPS + 5 + 20


def test_jobs_with_different_likenesses_are_at_the_engine_together(
    world: World, sitter: Sitter, tmp_path: Path
) -> None:
    other = Sitter(world)
    # The engine ends neither call before both have come to one process of it.
    prompt = f"meet:{tmp_path}:2"
    first = sitter.draw(likeness=sitter.have(), seed=1, prompt=prompt)
    second = other.draw(likeness={"code": other.have(8), "weight": 2}, seed=2, prompt=prompt)
    world.finish(first, second, rounds=600)
    assert (drawn(world, first)[0], drawn(world, second)[0]) == (1 + STEPS + 10, 2 + STEPS + 20)


def test_a_generator_that_lost_the_adapter_gets_it_again(world: World, sitter: Sitter, teacher_folder: Path) -> None:
    code = sitter.have()
    for _ in range(2):
        for path in (teacher_folder / "adapters").iterdir():
            path.unlink()
        assert drawn(world, sitter.draw(likeness=code, seed=SEED))[0] == SEED + STEPS + 10
        assert len(list((teacher_folder / "adapters").iterdir())) == 1


def test_a_shared_code_works_for_others(world: World, sitter: Sitter) -> None:
    from shared.api.likenesses import LikenessChange

    code = sitter.have()
    changed = service.change(world.services, sitter.credential, code, LikenessChange(shared=True))
    assert (changed.shared, changed.name) == (True, "Rex")
    assert drawn(world, Sitter(world).draw(likeness=code, seed=SEED))[0] == SEED + STEPS + 10


def of_another(world: World, sitter: Sitter) -> str:
    return Sitter(world).have()


def never_made(_: World, __: Sitter) -> str:
    return "00000000"


def no_code(_: World, __: Sitter) -> str:
    return "Rex"


def missing(_: World, __: Sitter) -> str:
    return ""


def expired(world: World, sitter: Sitter) -> str:
    code = sitter.have()
    world.sql("UPDATE likenesses SET expires_at = clock_timestamp()")
    return code


def still_trained(world: World, sitter: Sitter) -> str:
    found = sitter.sit()
    service.get(world.services, sitter.credential, found.code)
    return found.code


def of_a_disabled_account(world: World, _: Sitter) -> str:
    owner = Sitter(world)
    code = owner.have()
    world.sql("UPDATE likenesses SET shared = true")
    world.sql("UPDATE users SET disabled_at = clock_timestamp() WHERE id = :id", id=owner.id)
    return code


@pytest.mark.parametrize(
    "make", [of_another, never_made, no_code, missing, expired, of_a_disabled_account, still_trained]
)
def test_a_code_that_does_not_work_leaves_the_picture_without_it(
    world: World, sitter: Sitter, signs: Path, make: Callable[[World, Sitter], str]
) -> None:
    code = make(world, sitter)
    if make is still_trained:
        (signs / "go").unlink()
    job_id = sitter.draw(likeness=code, seed=SEED)
    if make is still_trained:
        world.sql("UPDATE jobs SET state = 'cancelled', finished_at = now() WHERE protocols = 'training'")
        world.sql("UPDATE users SET queued = queued - 1, quota_used = quota_used - 1 WHERE id = :id", id=sitter.id)
    grey, adapted, recipe = drawn(world, job_id)
    assert (grey, adapted, recipe["not_followed"]) == (SEED + STEPS, ["likeness_unknown"], ["likeness"])


def test_a_deleted_likeness_stops_at_once(world: World, sitter: Sitter) -> None:
    code = sitter.have()
    waiting = sitter.draw(likeness=[code, "00000000"], seed=SEED)
    service.delete(world.services, sitter.credential, code)
    grey, adapted, _ = drawn(world, waiting)
    assert (grey, adapted) == (SEED + STEPS, ["likeness_unknown"])


def test_a_group_may_have_likenesses(world: World, sitter: Sitter) -> None:
    from shared.api.batches import BatchRequest

    code = sitter.have()
    body = BatchRequest.model_validate({"request": SMALL | {"likeness": code}, "variants": {"seed": [1, 2]}})
    planned = groups.plan(world.services, sitter.credential, body.requests, None, b"")
    group = groups.submit(world.services, sitter.credential, planned)
    greys = [drawn(world, UUID(job.id))[0] for job in group.jobs]
    assert greys == [12, 13]


def test_guesses_are_limited_and_own_codes_go_on_working(world: World, sitter: Sitter) -> None:
    own = sitter.have()
    stranger = Sitter(world)
    theirs = stranger.have()
    world.sql("UPDATE likenesses SET shared = true")
    for number in range(world.services.settings.codes_per_hour):
        sitter.draw(likeness=f"{number:08}")
    for guess in ("99999999", "00000000"):
        with pytest.raises(RateLimited) as caught:
            sitter.draw(likeness=guess)
        assert 0 < (caught.value.retry_after_s or 0) <= 3600
    with pytest.raises(RateLimited):
        service.get(world.services, sitter.credential, theirs)
    with pytest.raises(RateLimited):
        sitter.draw(likeness=[own, theirs])
    sitter.draw(likeness=own)
    stranger.draw(likeness=own)
    world.sql("UPDATE rate_limits SET full_at = full_at - interval '1 hour'")
    sitter.draw(likeness=theirs)


def test_a_group_of_guesses_is_refused_as_a_whole(world: World, sitter: Sitter) -> None:
    from shared.api.batches import BatchRequest

    guesses = [[f"{3 * k + place:08}" for place in range(3)] for k in range(200)]
    body = BatchRequest.model_validate({"request": SMALL, "variants": {"likeness": guesses}})
    with pytest.raises(RateLimited):
        groups.plan(world.services, sitter.credential, body.requests, None, b"")
    assert not world.sql("SELECT FROM jobs")
