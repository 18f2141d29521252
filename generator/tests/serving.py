"""The generator service in this process, called over HTTP, and the encoding of its pictures."""

import base64
import io
import time
import warnings
from collections.abc import Callable

from httpx import Response
from PIL import Image

with warnings.catch_warnings():
    # Starlette recommends another HTTP library; the pinned one works.
    warnings.simplefilter("ignore", DeprecationWarning)
    warnings.simplefilter("ignore", UserWarning)
    from fastapi.testclient import TestClient as TestClient  # noqa: PLC0414 # for the tests

PATIENCE_S = 60

Results = dict[str, list[str]]
"""The body of `/get_results`."""


class Service:
    """The service in this process, called over HTTP."""

    def __init__(self, client: TestClient) -> None:
        self.client = client

    def post(self, path: str, **fields: object) -> Response:
        response: Response = self.client.post(path, json=fields)
        return response

    def start(self, **fields: object) -> int:
        answer = self.post(
            "/initiate_processing", **({"prompt": "a picture", "ups": 1, "width": 64, "height": 64} | fields)
        )
        assert answer.status_code == 200, answer.text
        number = answer.json()
        assert isinstance(number, int)
        return number

    def status(self, number: int) -> str:
        return str(self.post("/check_status", id=number).json())

    def until(self, number: int, *wanted: str) -> str:
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            status = self.status(number)
            if status.startswith(wanted):
                return status
        raise AssertionError(f"{number} stayed at {status}")

    def image(self, **parameters: str | float | None) -> Response:
        response: Response = self.client.get("/image", params={"prompt": "a picture", "size": 64} | parameters)
        return response

    def finish(self, number: int) -> Results:
        assert self.until(number, "finished", "error") == "finished"
        results: Results = self.post("/get_results", id=number).json()
        return results


Serve = Callable[..., Service]
"""Starts a service with the fake engine; the arguments are those of `Bounds`."""

Listen = Callable[..., str]
"""Starts such a service on a port; returns its address."""


def encoded(width: int = 64, height: int = 64, kind: str = "PNG", mode: str = "RGB") -> str:
    """Return a picture file in base64."""
    out = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert(mode).save(out, kind)
    return base64.b64encode(out.getvalue()).decode()


def open_png(text: str) -> Image.Image:
    image = Image.open(io.BytesIO(base64.b64decode(text, validate=True)))
    image.load()
    return image
