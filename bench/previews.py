"""What previews cost the poller: jobs per second with a generator that makes them, beside the same one without.

Each job is one picture of 512x512 pixels, and gets the preview of its first second. The generator answers immediately,
so that the poller is busy all the time.
"""

from collections.abc import Callable, Iterator

from bench.ground import Ground
from bench.jobs_through import IN_FLIGHT, running_poller, through_poller
from bench.table import Bound, Row, in_turns
from shared.testing.fake_generator import ALL_EXTENSIONS, FakeGenerator, Plan

ROUNDS = 3
SIDE_PX = 512
POLLS = 3


def previews(ground: Ground) -> Iterator[Row]:
    """Measure both in turns, each with its own workers."""
    users = [user for user, _ in ground.users(100)]

    def measuring(extensions: frozenset[str]) -> Callable[[], float]:
        def measure() -> float:
            with (
                FakeGenerator(plan=Plan(polls=POLLS), extensions=extensions, max_in_flight=IN_FLIGHT) as fake,
                running_poller(ground, users, fake),
            ):
                return through_poller(ground, users, SIDE_PX)()

        return measure

    figures = in_turns(measuring(ALL_EXTENSIONS), measuring(ALL_EXTENSIONS - {"preview"}), ROUNDS)
    yield Row("poller, a preview for each job", "jobs/s", *figures, "without previews, in turns", Bound(0.9))
    ground.clear_jobs()
