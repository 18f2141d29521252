"""Users of the site, each in a thread, who note everything that they are answered."""

import random
import threading
import time
from collections import Counter
from typing import Any
from uuid import UUID, uuid4

import requests
from sqlalchemy import text

from shared.services import Services
from tests.support.api_user import FINISHED, SMALL, ApiUser
from tests.support.audit import Ledger

UNFINISHED_EACH = 20
LISTED = 30
ANSWER_LIMIT_S = 30
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 1.0
"""Between the tries of a client while the site does not answer: starting processes need the cores, too."""


class Client:
    """One user. `submits` are the accepted ones: when the last try began, and when it was answered.

    `errors` are the answers 500 and above that no fault explains: all but 503.
    """

    def __init__(self, url: str, services: Services, ledger: Ledger, lock: threading.Lock, seed: int) -> None:
        self._url = url
        self._user = ApiUser(url)
        with services.db.statement() as connection:
            query = text("SELECT id FROM users WHERE email = :email")
            self.id: UUID = connection.execute(query, {"email": self._user.email}).scalar_one()
        self._ledger = ledger
        self._lock = lock
        self._random = random.Random(seed)  # no secret
        self._open: set[str] = set()
        self._succeeded: list[str] = []
        self.answers: Counter[str] = Counter()
        self.errors: list[str] = []
        self.submits: list[tuple[float, float]] = []
        self._over = threading.Event()
        self._pause_s = FIRST_PAUSE_S

    def close(self) -> None:
        """Close the connections."""
        self._user.session.close()

    def run(self, over: threading.Event) -> None:
        """Use the site until it is over."""
        self._over = over
        while not over.is_set():
            if len(self._open) < UNFINISHED_EACH:
                self._submit()
            else:
                over.wait(0.2)
            action = self._random.random()
            if action < 0.2:
                self._look()
            elif action < 0.25 and self._open:
                self._cancel(self._random.choice(sorted(self._open)))
            elif action < 0.30 and self._succeeded:
                self._delete(self._succeeded.pop(self._random.randrange(len(self._succeeded))))
            elif action < 0.33 and self._succeeded:
                path = f"/v1/jobs/{self._random.choice(self._succeeded)}/publication"
                self._call(self._random.choice(("PUT", "DELETE")), path)

    def _call(self, method: str, path: str, **options: Any) -> tuple[int, Any] | None:
        """Return status and body of an answer, None if there was none."""
        try:
            answer = self._user.session.request(method, self._url + path, timeout=ANSWER_LIMIT_S, **options)
        except requests.RequestException:
            self.answers["none"] += 1
            self._pause()
            return None
        self.answers[str(answer.status_code)] += 1
        if answer.status_code >= 500 and answer.status_code != 503:
            self.errors.append(f"{time.strftime('%H:%M:%S')} {method} {path}: {answer.status_code} {answer.text[:300]}")
        if answer.status_code >= 500:
            self._pause()
        else:
            self._pause_s = FIRST_PAUSE_S
        is_json = answer.headers.get("Content-Type", "").startswith(("application/json", "application/problem"))
        return answer.status_code, answer.json() if is_json else None

    def _pause(self) -> None:
        time.sleep(self._pause_s * self._random.uniform(0.5, 1))
        self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)

    def _submit(self) -> None:
        """Submit a job until it is answered, with one key; now and then once more."""
        key = str(uuid4())
        body = {"prompt": f"a boat, {key[:8]}", **SMALL, "seed": self._random.randrange(2**32)}
        if self._random.random() < 0.1:
            body["notify"] = "email"
        repeated = self._random.random() < 0.05
        began = time.time()
        while True:
            answer = self._call("POST", "/v1/jobs", json=body, headers={"Idempotency-Key": key})
            if answer is None or answer[0] >= 500:
                began = time.time()
                if self._over.is_set():
                    return
                continue
            if answer[0] == 202:
                self._note(key, answer[1]["id"], began)
                if repeated:
                    repeated = False
                    continue
            return

    def _note(self, key: str, job_id: str, began: float) -> None:
        with self._lock:
            self._ledger.note_submit(self.id, key, UUID(job_id))
        self.submits.append((began, time.time()))
        self._open.add(job_id)

    def _look(self) -> None:
        """Look at the newest jobs, and at the oldest one that had not finished, which may be older than those."""
        answer = self._call("GET", f"/v1/jobs?limit={LISTED}")
        if answer is None or answer[0] != 200:
            return
        for job in answer[1]["jobs"]:
            self._note_end(job)
        listed = {job["id"] for job in answer[1]["jobs"]}
        for job_id in sorted(self._open - listed)[:1]:  # ids are in the order of time
            answer = self._call("GET", f"/v1/jobs/{job_id}")
            if answer is not None and answer[0] == 200:
                self._note_end(answer[1])

    def _note_end(self, job: dict[str, Any]) -> None:
        if job["id"] not in self._open or job["state"] not in FINISHED:
            return
        self._open.discard(job["id"])
        with self._lock:
            self._ledger.ended[UUID(job["id"])] = job["state"]
        if job["state"] == "succeeded":
            self._succeeded.append(job["id"])

    def _cancel(self, job_id: str) -> None:
        answer = self._call("POST", f"/v1/jobs/{job_id}/cancel")
        if answer is not None and answer[0] == 200:
            with self._lock:
                self._ledger.cancelled.add(UUID(job_id))

    def _delete(self, job_id: str) -> None:
        with self._lock:
            self._ledger.deleting.add(UUID(job_id))
        answer = self._call("DELETE", f"/v1/jobs/{job_id}")
        if answer is not None and answer[0] in (204, 404):
            with self._lock:
                self._ledger.deleted.add(UUID(job_id))
