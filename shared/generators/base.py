"""The interface of every generator client and its values: the request, the progress, the result, the errors.

Nothing here opens a connection. A client turns a request into its protocol's calls, and the answers into these values.
Every answer outside the protocol becomes one of three errors, from which the poller knows what to do next.

Clients read every answer that has one meaning, whatever its spelling (`answers`). Of the others, those with a wrong
form are lasting (L): the answer to a second attempt would be wrong, too, so the job fails at once. The rest of the
broken answers come from transport, damage or another server, and a second attempt may succeed.

Every error code, for all clients:

=============================== ===================== ===============================================================
code                            class                 when
=============================== ===================== ===============================================================
generator_unreachable           GeneratorUnavailable  no connection, or it was down before the request: nothing was sent
generator_hung_up               GeneratorUnavailable  the connection broke before an answer came
generator_stopped               GeneratorStopped      the caller itself ended the call
generator_timeout               GeneratorUnavailable  the whole answer was not there in time (a slow drip too)
generator_busy                  GeneratorUnavailable  429
generator_loading               GeneratorLoading      it says that its model is loading: nothing was sent
generator_down                  GeneratorUnavailable  408 or 5xx
generator_redirected            GeneratorUnavailable  3xx; redirects are never followed
generator_misconfigured         GeneratorUnavailable  401, 403, 405, or 404 where no id was asked about
generator_refused               GeneratorRefused      400, 413, 414 or 422 on a new request
generator_cannot                GeneratorRefused      the protocol does not support the request: nothing was sent
generator_no_kudos              GeneratorRefused      a horde asks for more kudos in advance than the account has
generator_censored              GeneratorRefused      a horde withheld a picture
generator_impossible            GeneratorBroken       no worker of a horde can make the picture now
generator_forgot                ForgottenId           404 or 410 for an id
generator_bad_http              GeneratorBroken       any other HTTP status, or an answer that is not HTTP
generator_cut_off               GeneratorBroken       the answer stopped in the middle
generator_too_large             GeneratorBroken L     the answer is longer than the request allows
generator_encoded               GeneratorBroken L     a compressed answer, which was not asked for
generator_empty                 GeneratorBroken       an answer without a body
generator_bad_text              GeneratorBroken L     not UTF-8
generator_bad_json              GeneratorBroken L     not strict JSON: junk, NaN, too deep; HTML is not lasting
generator_bad_shape             GeneratorBroken L     JSON, but not the object the protocol promises
generator_bad_id                GeneratorBroken L     an id that is neither a whole number nor short text
generator_bad_status            GeneratorBroken L     an unknown status
generator_bad_position          GeneratorBroken L     a queue position that is not a whole number from 0
generator_bad_progress          GeneratorBroken L     a percentage that is not a number from 0 to 100
generator_bad_base64            GeneratorBroken L     a picture that is not base64 in any alphabet
generator_bad_link              GeneratorBroken L     a link to a forbidden place; a dead one is not lasting
generator_bad_sheet             GeneratorBroken L     a sheet that is no picture; a damaged one is not lasting
generator_wrong_sheet_size      GeneratorBroken L     a sheet whose size is not a grid of the requested pictures
generator_wrong_image_count     GeneratorBroken L     more or fewer pictures than requested; where a server leaves out
                                                      those that failed, fewer are not lasting
generator_wrong_text_count      GeneratorBroken L     more or fewer descriptions than pictures described
generator_bad_description       GeneratorBroken L     a description that is not text, or longer than 10,000 characters
generator_too_many_frames       GeneratorBroken L     more frames than asked for
generator_lacks_adapters        GeneratorBroken       it asks again for adapters that it was just sent
generator_bad_adapter           GeneratorBroken L     what a training made is no adapter, or not that of its hash
=============================== ===================== ===============================================================

A generator's own status `error` is not an error of the call: `status` returns `Phase.FAILED`, and the poller treats
the attempt as lost, as it does with `GeneratorBroken`.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Protocol

from shared.core.errors import CodedError
from shared.generators.adapters import Adapter
from shared.generators.capabilities import Capabilities as Capabilities  # noqa: PLC0414 # for those who import it from here
from shared.generators.capabilities import Model as Model  # noqa: PLC0414
from shared.generators.scenes import ScenePictures

Stop = Callable[[], bool]
"""Returns True once a running call is no longer wanted."""


def never_stop() -> bool:
    """Return False: the call is always wanted."""
    return False


Room = Callable[[], None]
"""Makes room in memory for the pictures of an answer, once they are made and before they are read; it may wait."""


def no_room() -> None:
    """Return at once: nothing limits the memory, or there is room already."""


@dataclass(frozen=True, slots=True)
class Variant:
    """What differs in one picture of a request."""

    prompt: str = field(repr=False)
    negative_prompt: str = field(repr=False)
    strength: float


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """One request for pictures, independent of a protocol. All settings are resolved: no client adds a default.

    `width` and `height` are pixels before upscaling. `source_images` are PNG files. `strength` is how far img2img goes
    from them; below 0 nothing new is generated, below -1 an unchanged picture is not returned either. `key` identifies
    the request for the generator's idempotency extension. `frames` is how many intermediate pictures are wanted, where
    the generator offers that. `scene`: a person is painted into a place. `variants` are what each picture has instead
    of the request's own values; no protocol has that, so such a request is sent in parts (`several`). `adapters` are
    applied to every picture.
    """

    prompt: str = field(repr=False)
    negative_prompt: str = field(repr=False)
    n: int
    width: int
    height: int
    steps: int
    scale: float
    seed: int
    upscale: int = 1
    source_images: tuple[bytes, ...] = field(default=(), repr=False)
    strength: float = 0.75
    describe: bool = False
    blip_max_len: int | None = None
    clip_max_len: int | None = None
    skip_clip: bool = False
    skip_list: tuple[str, ...] = ()
    cpu: bool = False
    key: str = field(default="", repr=False)
    frames: int = 0
    variants: tuple[Variant, ...] = ()
    adapters: tuple[Adapter, ...] = ()
    scene: ScenePictures | None = None

    @property
    def generates(self) -> bool:
        """Return whether new pictures are made; with a strength below 0 sources are only upscaled or described."""
        return self.strength >= 0 or not self.source_images

    @property
    def count(self) -> int:
        """Return how many pictures are made, or only upscaled or described."""
        return self.n if self.generates else len(self.source_images)

    def rest(self, done: int) -> "GenerationRequest":
        """Return the request for what follows the first pictures of this one, fewer than all. No seed is used twice."""
        if not self.generates:
            return replace(self, source_images=self.source_images[done:])
        turn = done % len(self.source_images) if self.source_images else 0
        sources = self.source_images[turn:] + self.source_images[:turn]
        first = self.variant(done)
        return replace(
            self,
            prompt=first.prompt,
            negative_prompt=first.negative_prompt,
            strength=first.strength,
            n=self.n - done,
            seed=(self.seed + done) % 2**32,
            source_images=sources,
            variants=self.variants[done:],
        )

    def picture(self, index: int) -> "GenerationRequest":
        """Return the request for one picture of a request with variants."""
        rest = self.rest(index)
        return replace(rest, n=1, source_images=rest.source_images[:1], variants=())

    def variant(self, index: int) -> Variant:
        """Return the texts and the strength of one picture."""
        return self.variants[index] if self.variants else Variant(self.prompt, self.negative_prompt, self.strength)

    @property
    def longest_prompt(self) -> int:
        """Return how many characters the longest prompt has."""
        return max(len(self.variant(index).prompt) for index in range(len(self.variants) or 1))

    @property
    def expected_images(self) -> int:
        """Return how many pictures a correct answer contains."""
        if self.generates:
            return self.n
        if self.strength < -1 and self.upscale <= 1:
            return 0
        return len(self.source_images)

    @property
    def expected_descriptions(self) -> int:
        """Return how many descriptions a correct answer contains: one for each picture made or examined."""
        if not self.describe:
            return 0
        return self.count

    @property
    def output_width(self) -> int:
        """Return the width in pixels of a generated picture, after upscaling."""
        return self.width * max(1, self.upscale)

    @property
    def output_height(self) -> int:
        """Return the height in pixels of a generated picture, after upscaling."""
        return self.height * max(1, self.upscale)

    @property
    def output_sizes(self) -> tuple[tuple[int, int], ...]:
        """Return the (width, height) in pixels of each expected picture."""
        if self.generates:
            return ((self.output_width, self.output_height),) * self.n
        if not self.expected_images:
            return ()
        factor = max(1, self.upscale)
        sizes = (struct.unpack(">II", source[16:24]) for source in self.source_images)
        return tuple((width * factor, height * factor) for width, height in sizes)


class Phase(StrEnum):
    """How far a request is at the generator. After FINISHED or FAILED it stays so, or its id is forgotten.

    READY is for generators that draw while `result` waits: nothing has begun, and asking for the result begins it.
    """

    QUEUED = "queued"
    READY = "ready"
    PROCESSING = "processing"
    FINISHED = "finished"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a request is.

    `position` is known only while QUEUED (0 or 1 is next, as the generator counts), `fraction` (0..1) only while
    PROCESSING, from generators that report it. So is `preview`, a small picture file of the work, not yet decoded.
    """

    phase: Phase
    position: int | None = None
    fraction: float | None = None
    preview: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Result:
    """What a generator returned.

    `images` are picture files as received (base64 decoded; the pictures are untrusted and not yet decoded), in the
    order of the seeds. `descriptions` are in the same order, empty unless asked for. `frames` are intermediate
    pictures, oldest first. `engine` and `sampler` made them, as far as the answer names them.
    """

    images: tuple[bytes, ...]
    descriptions: tuple[str, ...] = ()
    frames: tuple[bytes, ...] = ()
    engine: str | None = None
    sampler: str | None = None

    @property
    def count(self) -> int:
        """Return for how many pictures of the request this is the result."""
        return len(self.images) or len(self.descriptions)


class GeneratorError(CodedError):
    """A call that failed."""


class GeneratorUnavailable(GeneratorError):
    """The generator cannot be used for a while; the job continues later, and no attempt is spent.

    `retry_after_s`: when the generator wants to be asked again, if it said so.
    """

    def __init__(self, code: str, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(code, message)
        self.retry_after_s = retry_after_s


class GeneratorLoading(GeneratorUnavailable):
    """The generator's model is loading, which takes about `seconds` (0: not known). Nothing was sent."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__("generator_loading", loading_message(seconds))


def loading_message(seconds: float) -> str:
    """Return the sentence about a model that is loading."""
    return f"The generator is loading its model{f', which takes about {seconds:.0f} s' if seconds else ''}."


class GeneratorRefused(GeneratorError):
    """The generator rejects the request itself. This is final: the job fails with this reason."""


class GeneratorBroken(GeneratorError):
    """The answer cannot be used. This attempt is lost.

    `lasting`: the form of the answer is wrong, so that the answer to another attempt would be wrong, too. Otherwise a
    new attempt may succeed.
    """

    def __init__(self, code: str, message: str, *, lasting: bool = False) -> None:
        super().__init__(code, message)
        self.lasting = lasting


class GeneratorStopped(GeneratorError):
    """The caller's `stop` ended the call; this is no fault of the generator."""

    def __init__(self) -> None:
        super().__init__("generator_stopped", "The call was ended before its answer came.")


class ForgottenId(GeneratorBroken):
    """The generator does not know the id, as after its restart. The request has to be sent again."""

    def __init__(self) -> None:
        super().__init__("generator_forgot", "The generator no longer knows this request.")


class Generator(Protocol):
    """A generator at one address. Every call is bounded in time and size, and raises nothing but GeneratorError.

    A `synchronous` generator works while `result` waits, which may take minutes, and keeps nothing between calls. Its
    `result` may be that of the first pictures only, at least one; the caller asks for the `rest` of the request then.
    """

    @property
    def synchronous(self) -> bool:
        """Whether it works while `result` waits."""

    def start(self, request: GenerationRequest) -> str:
        """Send the request; return the generator's id for it (1 to 128 printable characters)."""

    @property
    def waits(self) -> bool:
        """Whether `status` can wait for a change, as far as is known without a call."""

    @property
    def capabilities(self) -> Capabilities:
        """What it last reported to this client, without a call."""

    def status(self, remote_id: str, *, wait_s: float = 0, stop: Stop = never_stop, preview: bool = False) -> Progress:
        """Ask how far the request is, with a preview of the work where the generator makes them.

        A generator that can wait answers when that changes, at the latest after `wait_s` (0 to 20); others at once.

        Raises:
            GeneratorStopped: `stop` returned True, shortly before.
        """

    def result(
        self, remote_id: str, request: GenerationRequest, stop: Stop = never_stop, room: Room = no_room
    ) -> Result:
        """Fetch the result of a finished request. `room` is called before a picture of it is read into memory.

        The counts are checked against the request; the pictures are untrusted and still have to be decoded.

        Raises:
            GeneratorStopped: `stop` returned True, shortly before.
        """

    def cancel(self, remote_id: str) -> None:
        """Ask the generator to stop, if it offers that. Never raises."""

    def health(self) -> Capabilities:
        """Ask whether the generator answers and what it offers. Raises GeneratorUnavailable when it does not answer."""

    def close(self) -> None:
        """Close the connections."""
