"""One picture from the command line, over the public API: `python -m local.demo "a lighthouse at night"`."""

import contextlib
import os
import re
import secrets
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from cli.interrupts import keep_interrupts
from cli.streams import prepare_streams, say
from local import lock
from local.config import CHECKOUT, Config
from local.console import Quiet
from local.site import prepared_site
from local.stack import StackError, running
from shared.core.setting_types import is_this_machine
from shared.images.png import PNG_SIGNATURE

USAGE = 'Say what to paint: make demo PROMPT="a lighthouse at night"'
WAIT_S = 20
# Long enough for a job behind a full queue. A longer wait means that something is wrong.
LIMIT_S = 1800
REACH_LIMIT_S = 60
PICTURE_BYTES = 64_000_000
BAR_WIDTH = 30


class DemoError(StackError):
    """The reason why there is no picture, and what to do about it."""


class Api:
    """The few calls of the public API that one picture needs, made as a temporary user."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = requests.Session()
        # A proxy of the network cannot reach this machine's loopback interface.
        self._session.trust_env = False

    def wait_until_reachable(self) -> None:
        """Wait until the site reports that it is healthy.

        Raises:
            DemoError: It does not within REACH_LIMIT_S seconds.
        """
        deadline = time.monotonic() + REACH_LIMIT_S
        while time.monotonic() < deadline:
            with contextlib.suppress(requests.RequestException):
                if self._session.get(f"{self._url}/v1/health", timeout=5).status_code == 200:
                    return
            time.sleep(0.3)
        raise DemoError(f"Easel at {self._url} does not answer. Look at what `make run` prints there.")

    def sign_up(self) -> None:
        """Sign up with a temporary account; its random password is not stored.

        Raises:
            DemoError: The site confirms addresses.
        """
        account = {"email": f"demo-{secrets.token_hex(8)}@example.com", "password": secrets.token_urlsafe(24)}
        answer = self.call("POST", "/v1/signup", json=account)
        if "token" not in answer:
            raise DemoError("This site confirms addresses by mail, and a demo has none. Set EASEL_VERIFY_EMAIL=off.")
        # Authenticate by token only. A session cookie would also require an Origin header.
        self._session.cookies.clear()
        self._session.headers["Authorization"] = f"Bearer {answer['token']}"

    def submit(self, prompt: str) -> dict[str, Any]:
        """Submit a job and return it as accepted."""
        return self.call(
            "POST", "/v1/jobs", json={"prompt": prompt}, headers={"Idempotency-Key": secrets.token_hex(16)}
        )

    def next_change(self, job: dict[str, Any]) -> dict[str, Any]:
        """Return the job as soon as it has changed, or after WAIT_S seconds."""
        return self.call("GET", f"/v1/jobs/{job['id']}?wait={WAIT_S}", timeout=WAIT_S + 15)

    def cancel(self, job: dict[str, Any]) -> None:
        """Cancel the job; one that has finished in the meantime is kept."""
        with contextlib.suppress(DemoError):
            self.call("POST", f"/v1/jobs/{job['id']}/cancel")

    def fetch_picture(self, url: str) -> bytes:
        """Return the bytes at a presigned URL. The URL itself is the permission, so no token is sent.

        Raises:
            DemoError: The storage does not answer, or the bytes are not a PNG.
        """
        try:
            with requests.Session() as session:
                session.trust_env = not is_this_machine(urlsplit(url).hostname)
                answer = session.get(url, timeout=60, stream=True)
                answer.raise_for_status()
                data = answer.raw.read(PICTURE_BYTES + 1)
        except (requests.RequestException, OSError) as error:
            raise DemoError(
                f"The picture is made, but the storage did not return it ({type(error).__name__})."
            ) from None
        if len(data) > PICTURE_BYTES or not data.startswith(PNG_SIGNATURE):
            raise DemoError("The picture is made, but the storage did not return a PNG file.")
        return bytes(data)

    def call(
        self,
        method: str,
        path: str,
        *,
        timeout: float = 30,
        json: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Return the JSON body of an answer.

        Raises:
            DemoError: The site does not answer, or refused the call; the message repeats the API's error.
        """
        try:
            answer = self._session.request(method, self._url + path, timeout=timeout, json=json, headers=headers)
            body = answer.json()
        except requests.JSONDecodeError:
            raise DemoError(
                f"Easel at {self._url} did not return JSON ({answer.status_code}). Is another program running there?"
            ) from None
        except requests.RequestException as error:
            raise DemoError(f"Easel at {self._url} does not answer ({type(error).__name__}). Is it running?") from None
        if not answer.ok:
            detail = body.get("detail") or body.get("title") or answer.reason
            wrong = "; ".join(f"{entry.get('field')}: {entry.get('message')}" for entry in body.get("errors") or [])
            raise DemoError(f"Easel refused ({body.get('code', answer.status_code)}): {detail} {wrong}".rstrip())
        return dict(body)


class Progress:
    """The state of one job on one line: rewritten on a terminal, a new line for each change elsewhere."""

    def __init__(self) -> None:
        self._rewrites = sys.stdout.isatty()
        self._last = ""

    def show(self, job: dict[str, Any]) -> None:
        """Print the job's state unless it is already shown."""
        text = describe(job)
        if text != self._last:
            say(f"\r\033[K{text}" if self._rewrites else text, end="" if self._rewrites else "\n")
            self._last = text

    def end(self) -> None:
        """End the line that is rewritten."""
        if self._rewrites and self._last:
            say("")


def describe(job: dict[str, Any]) -> str:
    """Return one line: a bar with the percentage, then queue position and remaining time if they are known."""
    state = job["state"]
    done = 1.0 if state == "succeeded" else job.get("progress") or 0.0
    filled = int(done * BAR_WIDTH)
    words = [f"[{'#' * filled}{'.' * (BAR_WIDTH - filled)}] {done:4.0%} {state}"]
    if state == "queued" and job.get("queue_position") is not None:
        about = "about " if job.get("position_is_estimate") else ""
        words.append(f"{about}number {job['queue_position']} in the queue")
    if state in ("queued", "generating") and job.get("eta_seconds") is not None:
        words.append(f"about {job['eta_seconds']:.0f} s to go")
    return ", ".join(words)


def make_pictures(api: Api, prompt: str, folder: Path) -> list[Path]:
    """Submit a job, follow it and save its pictures; return their paths. Ctrl-C cancels the job first.

    Raises:
        DemoError: The job failed, was cancelled, or took longer than LIMIT_S seconds.
    """
    api.wait_until_reachable()
    api.sign_up()
    job = api.submit(prompt)
    progress = Progress()
    deadline = time.monotonic() + LIMIT_S
    try:
        while True:
            progress.show(job)
            if job["state"] not in ("queued", "generating"):
                break
            if time.monotonic() > deadline:
                raise DemoError(f"The job is still {job['state']} after {LIMIT_S // 60} minutes, and was cancelled.")
            job = api.next_change(job)
    except (KeyboardInterrupt, DemoError):
        api.cancel(job)
        raise
    finally:
        progress.end()
    if job["state"] != "succeeded":
        error = job.get("error") or {}
        raise DemoError(f"The job is {job['state']}: {error.get('message') or error.get('code') or 'no reason given'}")
    return [save(api.fetch_picture(image["url"]), prompt, job, image["index"], folder) for image in job["images"]]


def save(data: bytes, prompt: str, job: dict[str, Any], index: int, folder: Path) -> Path:
    """Write one picture under a name made of the prompt's first words and the job's id."""
    folder.mkdir(parents=True, exist_ok=True)
    words = re.sub(r"\W+", "-", prompt.lower()).strip("-")[:40].strip("-") or "picture"
    try:
        os.fsencode(words)
    except UnicodeEncodeError:  # a file system whose names lack these letters
        words = "picture"
    path = folder / f"{words}-{job['id'][-8:]}-{index}.png"
    path.write_bytes(data)
    return path


@contextmanager
def reachable_site(config: Config) -> Iterator[str]:
    """Yield the address of the stack that runs here, or of one that runs only for this picture."""
    found = lock.find_running(config.home)
    if found is not None:
        yield found.url
        return
    say("Easel is not running; starting it for this picture.")
    with prepared_site(config, Quiet()) as (stack, used), running(stack):
        yield used.local_url


def words_from_make() -> str:
    """Return the words that `make demo` passes in the environment, past the shell."""
    return os.fsencode(os.environ.get("DEMO_PROMPT", "")).decode("utf-8", errors="replace")


def main(arguments: list[str]) -> int:
    """Make the pictures. Returns exit code 0 when they are saved, 1 after an error was printed, 130 after Ctrl-C."""
    prepare_streams()
    prompt = (" ".join(arguments) or words_from_make()).strip()
    if not prompt:
        print(USAGE, file=sys.stderr)
        return 1
    try:
        with keep_interrupts(), reachable_site(Config.load()) as url:
            paths = make_pictures(Api(url), prompt, CHECKOUT / "results")
        for path in paths:
            say(str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path))
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nCancelled.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
