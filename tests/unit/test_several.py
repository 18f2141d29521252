"""Requests whose pictures differ in their words, at a generator that takes one text for each request."""

from dataclasses import dataclass, field, replace

import pytest

from shared.generators.base import (
    Capabilities,
    GenerationRequest,
    GeneratorUnavailable,
    Phase,
    Progress,
    Result,
    Room,
    Stop,
    Variant,
    never_stop,
    no_room,
)
from shared.generators.several import Several

STYLES = (Variant("a fox, oil", "photo", 0.75), Variant("a fox, ink", "", 0.6), Variant("a fox, joy", "sad", 0.5))
REQUEST = GenerationRequest(
    "a fox, oil", "photo", n=3, width=64, height=64, steps=1, scale=7.5, seed=2**32 - 1, key="job:0", variants=STYLES
)
MARK = 'several:["0", "1", "2"]'


@dataclass
class Listed:
    """Keeps what it was asked; each id is the number of its request."""

    synchronous: bool = False
    waits: bool = True
    capabilities: Capabilities = field(default_factory=Capabilities)
    fails_at: int | None = None
    sent: list[GenerationRequest] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    phases: list[Progress] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)
    shown: list[bool] = field(default_factory=list)

    def start(self, request: GenerationRequest) -> str:
        if len(self.sent) == self.fails_at:
            raise GeneratorUnavailable("generator_busy", "It is busy.")
        self.sent.append(request)
        return str(len(self.sent) - 1)

    def status(self, remote_id: str, *, wait_s: float = 0, stop: Stop = never_stop, preview: bool = False) -> Progress:
        self.waited.append(wait_s)
        self.shown.append(preview)
        return self.phases[int(remote_id)]

    def result(
        self, remote_id: str, request: GenerationRequest, stop: Stop = never_stop, room: Room = no_room
    ) -> Result:
        assert request == replace(self.sent[int(remote_id)], key=request.key)
        return Result(images=(remote_id.encode(),), descriptions=(request.prompt,), engine="listed")

    def cancel(self, remote_id: str) -> None:
        self.cancelled.append(remote_id)

    def health(self) -> Capabilities:
        return self.capabilities

    def close(self) -> None:
        raise AssertionError("it is still used")


def test_each_picture_is_a_request() -> None:
    client = Listed()
    assert Several(client).start(REQUEST) == MARK
    assert [(one.prompt, one.negative_prompt, one.strength, one.seed, one.n, one.key) for one in client.sent] == [
        ("a fox, oil", "photo", 0.75, 2**32 - 1, 1, "job:0.0"),
        ("a fox, ink", "", 0.6, 0, 1, "job:0.1"),
        ("a fox, joy", "sad", 0.5, 1, 1, "job:0.2"),
    ]
    assert not any(one.variants for one in client.sent)


def test_each_picture_begins_with_its_start_picture() -> None:
    client = Listed()
    Several(client).start(replace(REQUEST, source_images=(b"a", b"b")))
    assert [one.source_images for one in client.sent] == [(b"a",), (b"b",), (b"a",)]


def test_a_plain_request_stays_as_it_is() -> None:
    client, plain = Listed(phases=[Progress(Phase.FINISHED)]), replace(REQUEST, variants=())
    assert Several(client).start(plain) == "0"
    assert client.sent == [plain]
    assert Several(client).status("0", wait_s=15) == Progress(Phase.FINISHED)
    assert Several(client).result("0", plain).images == (b"0",)


def test_what_draws_at_once_is_asked_by_its_caller() -> None:
    client = Listed(synchronous=True)
    assert Several(client).start(REQUEST) == "0"
    assert client.sent == [REQUEST]


@pytest.mark.parametrize(("extensions", "cancelled"), [((), ["0", "1"]), (("key",), [])])
def test_parts_of_a_failed_start_are_cancelled_unless_the_key_finds_them(
    extensions: tuple[str, ...], cancelled: list[str]
) -> None:
    client = Listed(capabilities=Capabilities(frozenset(extensions)), fails_at=2)
    with pytest.raises(GeneratorUnavailable):
        Several(client).start(REQUEST)
    assert client.cancelled == cancelled


DONE, QUEUED = Progress(Phase.FINISHED), Progress(Phase.QUEUED, position=4)
HALF = Progress(Phase.PROCESSING, fraction=0.5)


@pytest.mark.parametrize(
    ("parts", "together", "waited"),
    [
        ([QUEUED] * 3, QUEUED, [15, 0, 0]),
        (
            [DONE, Progress(Phase.PROCESSING, fraction=0.5), QUEUED],
            Progress(Phase.PROCESSING, fraction=0.5),
            [15, 15, 0],
        ),
        ([DONE, QUEUED, DONE], Progress(Phase.PROCESSING, fraction=2 / 3), [15, 15, 0]),
        ([DONE] * 3, DONE, [15, 15, 15]),
    ],
)
def test_the_progress_is_that_of_all(parts: list[Progress], together: Progress, waited: list[float]) -> None:
    client = Listed(phases=parts)
    assert Several(client).status(MARK, wait_s=15, preview=True) == together
    assert client.waited == waited
    assert client.shown == [wait_s > 0 for wait_s in waited]


def test_the_preview_is_that_of_the_part_in_work() -> None:
    client = Listed(phases=[DONE, replace(HALF, preview=b"RIFF"), QUEUED])
    assert Several(client).status(MARK, preview=True).preview == b"RIFF"


def test_one_failure_ends_the_others() -> None:
    client = Listed(phases=[DONE, Progress(Phase.FAILED), QUEUED])
    assert Several(client).status(MARK).phase == Phase.FAILED
    assert client.cancelled == ["0", "1", "2"]


def test_the_result_has_all_pictures_in_order() -> None:
    client = Listed()
    several = Several(client)
    result = several.result(several.start(REQUEST), REQUEST)
    assert result.images == (b"0", b"1", b"2")
    assert result.descriptions == tuple(variant.prompt for variant in STYLES)
    assert result.engine == "listed"


@pytest.mark.parametrize("strange", ["several:", "several:[]", "several:[1]", "several:{}", "several:x", "several"])
def test_a_generator_may_choose_such_an_id(strange: str) -> None:
    client = Listed()
    Several(client).cancel(strange)
    assert client.cancelled == [strange]
