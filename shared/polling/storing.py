"""Storing the pictures of a job, in as many parts as its generator makes them in."""

import hashlib
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from PIL import Image

from shared.clients.storage import Storage
from shared.core.errors import Unavailable
from shared.generators.abilities import ignored_fields
from shared.generators.base import Capabilities, GenerationRequest, Result
from shared.images import codec
from shared.images.pixel_art import to_pixel_art
from shared.jobs.records import StoredImage
from shared.polling import likenesses, recipes, timelapse
from shared.polling.checking import Checker
from shared.polling.claims import ClaimedJob

_log = logging.getLogger(__name__)


@dataclass
class Storing:
    """The pictures of a claimed job that were stored so far, made for `request` by a generator of this protocol."""

    claim: ClaimedJob
    storage: Storage
    protocol: str
    request: GenerationRequest
    checker: Checker | None = None
    _stored: list[StoredImage] = field(default_factory=list)
    _sizes: dict[str, int] = field(default_factory=dict)
    _proven: bool = True
    lost_timelapse: bool = False
    """A time-lapse was wanted, and could not be made or stored."""

    def add(self, part: GenerationRequest, result: Result, reported: Capabilities) -> None:
        """Check and store every picture of a result, which begins what `part`, the rest of the request, asks for.

        Raises:
            PictureError: One is not what was asked for.
            Rejected, CheckerDown: One is not to be shown.
            Unavailable: The storage fails.
        """
        # Where unchanged pictures are not returned, the descriptions are of the sources themselves.
        images = result.images or part.source_images[: result.count or None]
        sizes = part.output_sizes[: len(images)] or [None] * len(images)
        ignored = tuple(setting.field for setting in ignored_fields(self.protocol, part, reported.followed(part)))
        common = recipes.of_job(self.claim, self.protocol, reported, self.request, result)
        lost_likeness = likenesses.find_lost(self.claim) is not None
        pixel_art = self.claim.settings.get("pixel_art")  # jobs of older versions have none
        for index, (data, expected_size) in enumerate(zip(images, sizes, strict=True)):
            image = codec.decode_picture(data, expected_size=expected_size)
            if result.images and pixel_art:
                image = to_pixel_art(image, **pixel_art)
            if self.checker is not None:
                self.checker.check(image)
            recipe = replace(
                recipes.of_picture(common, self.claim, self.request, len(self._stored)),
                seed=None if "seed" in ignored else (part.seed + index) % 2**32,
                description=result.descriptions[index] if result.descriptions else None,
                not_followed=(*ignored, "likeness") if lost_likeness else ignored,
            )
            key, thumbnail_key = (f"{self.claim.prefix}{recipe.index}.{kind}" for kind in ("png", "webp"))
            with ThreadPoolExecutor(1, "png") as beside:
                # The PNG takes longer than making and storing the thumbnail.
                encoding = beside.submit(codec.encode_png, image, recipe)
                self._put(thumbnail_key, codec.thumbnail_webp(image, recipe), "image/webp")
                png = encoding.result()
            self._put(key, png, "image/png")
            timelapse_key = self._add_timelapse(result, image) if part.frames and not self._stored else None
            size = (image.width, image.height, len(png))
            self._stored.append(
                StoredImage(recipe.index, key, thumbnail_key, *size, recipe.seed, recipe.description, timelapse_key)
            )

    def _add_timelapse(self, result: Result, picture: Image.Image) -> str | None:
        """Make and store the video of the first picture's making; return its key. A failure costs only the video."""
        key = f"{self.claim.prefix}timelapse.mp4"
        video = timelapse.make(result.frames, picture)
        if video is not None:
            try:
                self._put(key, video, "video/mp4")
            except Unavailable as error:
                _log.warning("a time-lapse could not be stored: %s", error.detail)
                video = None
        self.lost_timelapse = video is None
        return None if video is None else key

    def finish(self) -> tuple[StoredImage, ...]:
        """Return all that was stored, after verifying that all of it is there. Raises Unavailable."""
        # The answer to a PUT names the MD5 of what was stored, except where the bucket encrypts with a key of KMS.
        if not self._proven and self.storage.sizes_bytes(self.claim.prefix) != self._sizes:
            raise Unavailable("The storage does not hold what was written to it.")
        return tuple(self._stored)

    def _put(self, name: str, content: bytes, content_type: str) -> None:
        etag = self.storage.put(name, content, content_type)
        self._proven &= etag == hashlib.md5(content, usedforsecurity=False).hexdigest()
        self._sizes[name] = len(content)
