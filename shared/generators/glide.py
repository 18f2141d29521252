"""The client of the Glide API: one call, `GET /image`, which lasts as long as the picture takes.

The protocol has no ids, so the client keeps nothing: a request exists while a caller waits for its result, and an
interrupted one is made again. `POST /basemodel` and `/upmodel` are never called: they set the diffusion steps of the
whole server, for all its users.
"""

import io
from urllib.parse import quote, urlencode

from PIL import Image

from shared.generators.abilities import unsupported_fields
from shared.generators.addresses import GeneratorAddress
from shared.generators.answers import (
    REFUSALS,
    check_http,
    member,
    read_object,
    read_picture,
    refusal,
    result_limit,
    wrong_form,
)
from shared.generators.base import (
    Capabilities,
    GenerationRequest,
    GeneratorBroken,
    GeneratorRefused,
    GeneratorUnavailable,
    Phase,
    Progress,
    Result,
    Stop,
    never_stop,
)
from shared.generators.transport import BoundedHttp
from shared.images.codec import PictureError, decode_picture, read_size

CONNECT_TIMEOUT_S = 3.0
HEALTH_TIMEOUT_S = 10.0
DRAW_TIMEOUT_S = 600.0
"""How long a sheet may take. A GPU needs seconds for a picture, a CPU minutes."""

SMALL_ANSWER_BYTES = 64 * 1024

SCALE_PER_GUIDANCE = 2.5
"""Requests have img_generator's scale. The protocols' defaults, 7.5 there and 3.0 here, mean the same."""

ONLY_ID = "image"
"""The id of every request, because the protocol has none."""


class Glide:
    """A server with the Glide API. Threads may share a client; each time-out covers a whole answer."""

    synchronous = True
    waits = False
    capabilities = Capabilities()

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

    def start(self, request: GenerationRequest) -> str:
        """Check that the protocol supports the request. Nothing is sent yet."""
        if limits := unsupported_fields("glide", request):
            names = ", ".join(limit.field for limit in limits)
            raise GeneratorRefused("generator_cannot", f"The Glide API cannot make this picture, because of: {names}.")
        return ONLY_ID

    def status(self, remote_id: str, *, wait_s: float = 0, stop: Stop = never_stop) -> Progress:  # noqa: ARG002
        """Return READY: every request can be drawn at any time."""
        return Progress(Phase.READY)

    def result(self, remote_id: str, request: GenerationRequest, stop: Stop = never_stop) -> Result:  # noqa: ARG002
        """Have the request drawn, which may take ten minutes, and cut the sheet into its pictures."""
        fields = {
            "size": request.width,
            "prompt": request.prompt,
            "batch_size": request.n,
            "guidance_scale": round(request.scale / SCALE_PER_GUIDANCE, 4),
        }
        answer = self._http.send(
            "GET",
            f"/image?{urlencode(fields, quote_via=quote)}",
            None,
            timeout_s=self._draw_timeout_s,
            limit_bytes=result_limit(request),
            stop=stop,
        )
        if answer.status in REFUSALS:
            raise refusal(answer, fields)
        check_http(answer, about_id=False)
        return Result(images=_cut(read_picture(member(read_object(answer, "image"), "image")), request))

    def cancel(self, remote_id: str) -> None:
        """Do nothing: the request ends with the connection of `result`."""

    def health(self) -> Capabilities:
        """Ask for a picture without its required parameters, because the protocol has no call for health.

        A server that refuses it for the missing parameters works, and has drawn nothing. Any other answer, a 200 too,
        comes from something that is not a Glide API.
        """
        answer = self._http.send(
            "GET", "/image", None, timeout_s=self._health_timeout_s, limit_bytes=SMALL_ANSWER_BYTES
        )
        if answer.status in (400, 422):
            return Capabilities()
        check_http(answer, about_id=False)
        raise GeneratorUnavailable("generator_misconfigured", "The server at this address is not a Glide API.")

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


def _cut(sheet: bytes, request: GenerationRequest) -> tuple[bytes, ...]:
    """Return the pictures of a sheet, row by row. The number of columns follows from the sheet's size."""
    try:
        found = read_size(sheet)
    except PictureError as error:
        raise _bad_sheet(lasting=not error.damaged) from None
    width, height = found
    size = request.width
    columns, rows = width // size, height // size
    if (columns * size, rows * size) != (width, height) or columns * rows != request.n:
        raise wrong_form(
            "generator_wrong_sheet_size",
            f"The generator's sheet has {width}x{height} pixels, not a grid of {request.n} times {size}x{size}.",
        )
    if request.n == 1:
        return (sheet,)
    try:
        image = decode_picture(sheet, expected_size=(width, height))
    except PictureError as error:
        raise _bad_sheet(lasting=not error.damaged) from None
    corners = [(column * size, row * size) for row in range(rows) for column in range(columns)]
    return tuple(_png(image.crop((left, top, left + size, top + size))) for left, top in corners)


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _bad_sheet(*, lasting: bool) -> GeneratorBroken:
    message = "The generator's sheet of pictures is not a complete picture."
    return GeneratorBroken("generator_bad_sheet", message, lasting=lasting)
