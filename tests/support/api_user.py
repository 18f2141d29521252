"""A program that uses the API from the outside, with plain HTTP."""

import secrets
from types import TracebackType
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry

from tests.support.waiting import until

FINISHED = ("succeeded", "failed", "cancelled")
SMALL = {"width": 64, "height": 64, "steps": 3}
PASSWORD = "seven green lanterns drift"


class ApiUser:
    """Signs up with a generated address and uses the returned token; no cookie is kept."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.email = f"user-{secrets.token_hex(8)}@example.com"
        self.session = requests.Session()
        self.session.trust_env = False
        # The gateway closes a connection that is idle for 65 s, perhaps just when it is used again.
        again = Retry(1, allowed_methods={"GET"}, respect_retry_after_header=False)
        self.session.mount("http://", HTTPAdapter(max_retries=again))
        answer = self.call("POST", "/v1/signup", json={"email": self.email, "password": PASSWORD})
        assert answer.status_code == 201, answer.text
        self.token = answer.json()["token"]
        self.session.cookies.clear()
        self.session.headers["Authorization"] = f"Bearer {self.token}"

    def __enter__(self) -> "ApiUser":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.session.close()

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        """Send any call and return its answer, also an error."""
        return self.session.request(method, self.url + path, timeout=60, **options)

    def submit(self, prompt: str = "a lighthouse at night", **fields: Any) -> dict[str, Any]:
        """Submit a small picture and return the job."""
        answer = self.call("POST", "/v1/jobs", json={"prompt": prompt, **SMALL, **fields})
        assert answer.status_code == 202, answer.text
        return dict(answer.json())

    def job(self, job_id: str) -> dict[str, Any]:
        """Return a job with its timeline."""
        answer = self.call("GET", f"/v1/jobs/{job_id}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def jobs(self) -> list[dict[str, Any]]:
        """Yield every job, newest first, page by page."""
        jobs: list[dict[str, Any]] = []
        cursor = None
        while True:
            answer = self.call("GET", "/v1/jobs", params={"limit": 100, "cursor": cursor})
            assert answer.status_code == 200, answer.text
            jobs += answer.json()["jobs"]
            cursor = answer.json()["next"]
            if cursor is None:
                return jobs

    def finished(self, limit_s: float = 240) -> list[dict[str, Any]]:
        """Wait until all jobs of the user are finished; return them."""

        def look() -> list[dict[str, Any]]:
            jobs = self.jobs()
            return jobs if all(job["state"] in FINISHED for job in jobs) else []

        return until(look, "all jobs of the user are finished", limit_s, every_s=0.3)

    def cancel_all(self) -> None:
        """Cancel what is not finished, as far as the user still exists."""
        for job in self.call("GET", "/v1/jobs", params={"limit": 100}).json().get("jobs", ()):
            if job["state"] not in FINISHED:
                self.call("POST", f"/v1/jobs/{job['id']}/cancel")


def gallery_of(url: str, count: int) -> list[dict[str, Any]]:
    """Wait until the public gallery has this many of the first pictures; return it."""

    def look() -> list[dict[str, Any]]:
        with requests.get(f"{url}/v1/gallery?limit=100", timeout=30) as answer:
            assert answer.status_code == 200, answer.text
            items: list[dict[str, Any]] = answer.json()["items"]
            return items if len(items) >= count else []

    return until(look, f"{count} pictures hang in the gallery", limit_s=120, every_s=0.3)


def events(job: dict[str, Any]) -> list[str]:
    """Return the events of a job's timeline, in order."""
    return [entry["event"] for entry in job["timeline"]]
