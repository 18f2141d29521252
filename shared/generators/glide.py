"""The client of the Glide API: one call, `GET /image`, which lasts as long as the picture takes.

The protocol has no ids, so the client keeps nothing: an order is held by whoever waits for its result, and one that was
interrupted is simply asked for again. `POST /basemodel` and `/upmodel` are never called: they set the diffusion steps
of the server as a whole, for everybody who uses it.
"""

import io
import struct
from urllib.parse import quote, urlencode

from PIL import Image

from shared.generators.abilities import cannot
from shared.generators.answers import REFUSALS, check_http, read_picture, refusal, result_limit
from shared.generators.base import (
    Capabilities,
    Generation,
    GeneratorAddress,
    GeneratorBroken,
    GeneratorRefused,
    GeneratorUnavailable,
    Phase,
    Progress,
    Result,
    Stop,
    never,
)
from shared.generators.strict_json import read_json
from shared.generators.transport import BoundedHttp
from shared.images.codec import PictureError, decode_png
from shared.images.recipe import PNG_SIGNATURE

CONNECT_TIMEOUT_S = 3.0
HEALTH_TIMEOUT_S = 10.0
DRAW_TIMEOUT_S = 600.0
"""How long a sheet may take. A graphics card needs seconds a picture, a processor minutes."""

SMALL_ANSWER_BYTES = 64 * 1024

SCALE_PER_GUIDANCE = 2.5
"""Orders carry img_generator's scale. The protocols' own defaults, 7.5 there and 3.0 here, stand for the same."""

THE_ORDER = "image"
"""What stands for the id that the protocol does not have."""


class Glide:
    """A server that speaks the Glide API. Threads may share a client; each time-out counts for a whole answer."""

    synchronous = True

    def __init__(
        self,
        address: GeneratorAddress,
        *,
        connect_timeout_s: float = CONNECT_TIMEOUT_S,
        health_timeout_s: float = HEALTH_TIMEOUT_S,
        draw_timeout_s: float = DRAW_TIMEOUT_S,
    ) -> None:
        self._http = BoundedHttp(address.url, connect_timeout_s=connect_timeout_s)
        self._health_timeout_s = health_timeout_s
        self._draw_timeout_s = draw_timeout_s

    def start(self, order: Generation) -> str:
        """Check that the protocol has words for the order. Nothing is sent yet."""
        if limits := cannot("glide", order):
            names = ", ".join(limit.field for limit in limits)
            raise GeneratorRefused("generator_cannot", f"The Glide API cannot make this picture, because of: {names}.")
        return THE_ORDER

    def status(self, remote_id: str) -> Progress:  # noqa: ARG002
        """Any order is ready to be drawn, at any time."""
        return Progress(Phase.READY)

    def result(self, remote_id: str, order: Generation, stop: Stop = never) -> Result:  # noqa: ARG002
        """Have the order drawn, which may take ten minutes, and cut the sheet into its pictures."""
        fields = {
            "size": order.width,
            "prompt": order.prompt,
            "batch_size": order.n,
            "guidance_scale": round(order.scale / SCALE_PER_GUIDANCE, 4),
        }
        answer = self._http.send(
            "GET",
            f"/image?{urlencode(fields, quote_via=quote)}",
            None,
            timeout_s=self._draw_timeout_s,
            limit_bytes=result_limit(order),
            stop=stop,
        )
        if answer.status in REFUSALS:
            raise refusal(answer, fields)
        check_http(answer, about_id=False)
        value = read_json(answer.body)
        if not isinstance(value, dict):
            raise GeneratorBroken("generator_bad_shape", "The generator's result is no JSON object.")
        return Result(images=_cut(read_picture(value.get("image")), order))

    def cancel(self, remote_id: str) -> None:
        """There is nothing to cancel: the order ends with the connection of `result`."""

    def health(self) -> Capabilities:
        """Ask for a picture without saying which. The protocol has no call for health, but it does require size and
        prompt: a server that refuses for the lack of them has read the question and drawn nothing. Every other answer,
        a friendly 200 too, comes from something that is not a Glide API."""
        answer = self._http.send(
            "GET", "/image", None, timeout_s=self._health_timeout_s, limit_bytes=SMALL_ANSWER_BYTES
        )
        if answer.status in (400, 422):
            return Capabilities()
        check_http(answer, about_id=False)
        raise GeneratorUnavailable("generator_misconfigured", "What answers there is not a Glide API.")

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


def _cut(sheet: bytes, order: Generation) -> tuple[bytes, ...]:
    """The pictures of a sheet, row after row. The protocol does not say how many stand in a row; the size does."""
    if not sheet.startswith(PNG_SIGNATURE) or sheet[12:16] != b"IHDR" or len(sheet) < 33:
        raise _bad_sheet()
    width, height = struct.unpack_from(">II", sheet, 16)
    size = order.width
    columns, rows = width // size, height // size
    if (columns * size, rows * size) != (width, height) or columns * rows != order.n:
        raise GeneratorBroken(
            "generator_wrong_sheet_size",
            f"The generator's sheet has {width}x{height} pixels: no grid of {order.n} pictures of {size}x{size}.",
        )
    if order.n == 1:
        return (sheet,)
    try:
        image = decode_png(sheet, expected_size=(width, height))
    except PictureError:
        raise _bad_sheet() from None
    corners = [(column * size, row * size) for row in range(rows) for column in range(columns)]
    return tuple(_png(image.crop((left, top, left + size, top + size))) for left, top in corners)


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _bad_sheet() -> GeneratorBroken:
    return GeneratorBroken("generator_bad_sheet", "The generator's sheet of pictures is no whole PNG.")
