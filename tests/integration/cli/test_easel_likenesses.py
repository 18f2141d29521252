"""`easel likenesses`: find who is in a picture, and delete a likeness."""

from uuid import uuid4

from cli.exit_codes import ExitCode
from tests.support.easel_command import Easel, objects
from tests.support.photos import Sitter
from tests.support.world import World


def test_it_works(world: World, easel: Easel) -> None:
    assert easel("likenesses", "list") == (ExitCode.DONE, ["There is no such likeness."])
    sitter = Sitter(world)
    codes = [sitter.have(), sitter.have()]
    shown, other = (sitter.get(code).id for code in codes)
    job_id = world.submit(sitter.id)
    world.finish(job_id)
    world.sql("INSERT INTO likeness_uses VALUES (:job, :likeness)", job=job_id, likeness=shown)
    assert [one["likeness_id"] for one in objects(easel, "likenesses", "list")] == [str(other), str(shown)]
    [found] = objects(easel, "likenesses", "list", "--job", str(job_id))
    assert (found["likeness_id"], found["jobs"], found["works"], found["shared"]) == (str(shown), 1, True, False)
    code, lines = easel("likenesses", "list")
    assert (code, len(lines)) == (ExitCode.DONE, 3)
    assert not any(code in str(lines) for code in codes), "codes are secrets"
    code, lines = easel("likenesses", "remove", str(shown))
    assert (code, lines[1]) == (ExitCode.DONE, "Jobs whose pictures cannot be public any more: 1.")
    assert world.row(job_id).taken_down_at is not None
    assert easel("likenesses", "remove", str(shown))[0] == ExitCode.FAILED
    code, lines = easel("gallery", "restore", str(job_id))
    assert (code, "likeness that was deleted" in " ".join(lines)) == (ExitCode.FAILED, True)


def test_a_training_that_has_not_ended_is_cancelled_first(world: World, easel: Easel) -> None:
    sitter = Sitter(world)
    likeness_id = sitter.get(sitter.have()).id
    world.sql("UPDATE jobs SET state = 'queued', finished_at = NULL")
    code, lines = easel("likenesses", "remove", str(likeness_id))
    assert (code, "easel jobs cancel" in " ".join(lines)) == (ExitCode.FAILED, True)
    assert easel("likenesses", "remove", str(uuid4()))[0] == ExitCode.FAILED
    assert easel("likenesses", "remove", "Rex")[0] == ExitCode.USAGE_ERROR
