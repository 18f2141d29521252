"""The generator service in this process, and its HTTP interface."""

import time
import warnings
from typing import Any

with warnings.catch_warnings():
    # Starlette would rather have another HTTP library; the one that is pinned here works.
    warnings.simplefilter("ignore", DeprecationWarning)
    warnings.simplefilter("ignore", UserWarning)
    from fastapi.testclient import TestClient

PATIENCE_S = 20


class Service:
    """The service in this process, asked over its HTTP interface."""

    def __init__(self, client: TestClient) -> None:
        self.client = client

    def post(self, path: str, **fields: Any) -> Any:
        return self.client.post(path, json=fields)

    def start(self, **fields: Any) -> int:
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

    def image(self, **parameters: Any) -> Any:
        return self.client.get("/image", params={"prompt": "a picture", "size": 64} | parameters)

    def finish(self, number: int) -> dict[str, Any]:
        assert self.until(number, "finished", "error") == "finished"
        return dict(self.post("/get_results", id=number).json())
