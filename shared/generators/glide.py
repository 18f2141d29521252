"""The client of the Glide API: one call, `GET /image`, which lasts as long as the picture takes.

The protocol has no ids, so the client keeps nothing: a request exists while a caller waits for its result, and an
interrupted one is made again. `POST /basemodel` and `/upmodel` are never called: they set the diffusion steps of the
whole server, for all its users.
"""

from urllib.parse import quote, urlencode

from shared.generators.abilities import refuse_unsupported
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
    GeneratorUnavailable,
    Result,
    Room,
    Stop,
    never_stop,
    no_room,
)
from shared.generators.cutting import cut, sheet_size
from shared.generators.drawing import ONLY_ID, DrawingClient
from shared.generators.transport import BoundedHttp

CONNECT_TIMEOUT_S = 3.0
HEALTH_TIMEOUT_S = 10.0
DRAW_TIMEOUT_S = 600.0
"""How long a sheet may take. A GPU needs seconds for a picture, a CPU minutes."""

SMALL_ANSWER_BYTES = 64 * 1024

SCALE_PER_GUIDANCE = 2.5
"""Requests have img_generator's scale. The protocols' defaults, 7.5 there and 3.0 here, mean the same."""


class Glide(DrawingClient):
    """A server with the Glide API. Threads may share a client; each time-out covers a whole answer."""

    capabilities = Capabilities()

    def __init__(
        self,
        address: GeneratorAddress,
        *,
        connect_timeout_s: float = CONNECT_TIMEOUT_S,
        health_timeout_s: float = HEALTH_TIMEOUT_S,
        draw_timeout_s: float = DRAW_TIMEOUT_S,
    ) -> None:
        super().__init__(BoundedHttp(address.url, connect_timeout_s=connect_timeout_s, allowed=address.allowed))
        self._health_timeout_s = health_timeout_s
        self._draw_timeout_s = draw_timeout_s

    def start(self, request: GenerationRequest) -> str:
        """Check that the protocol supports the request. Nothing is sent yet."""
        refuse_unsupported("glide", request)
        return ONLY_ID

    def result(
        self,
        remote_id: str,  # noqa: ARG002
        request: GenerationRequest,
        stop: Stop = never_stop,
        room: Room = no_room,
    ) -> Result:
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
            room=room,
        )
        if answer.status in REFUSALS:
            raise refusal(answer, fields)
        check_http(answer, about_id=False)
        return Result(images=_cut(read_picture(member(read_object(answer, "image"), "image")), request))

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


def _cut(sheet: bytes, request: GenerationRequest) -> tuple[bytes, ...]:
    """Return the pictures of a sheet, row by row. The number of columns follows from the sheet's size."""
    width, height = sheet_size(sheet)
    size = request.width
    columns, rows = width // size, height // size
    if (columns * size, rows * size) != (width, height) or columns * rows != request.n:
        raise wrong_form(
            "generator_wrong_sheet_size",
            f"The generator's sheet has {width}x{height} pixels, not a grid of {request.n} times {size}x{size}.",
        )
    if request.n == 1:
        return (sheet,)
    corners = [(column * size, row * size) for row in range(rows) for column in range(columns)]
    return cut(sheet, (width, height), corners, (size, size))
