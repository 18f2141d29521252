"""Guesses of codes over HTTP, from one account and from several at once.

A thousand, or as many as EASEL_TEST_GUESSES says.
"""

import http.client
import os
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text

from shared.core.limits import HOUR_S
from shared.core.settings import Settings
from shared.services import Services
from tests.support.api_user import ApiUser
from tests.support.running_site import RunningSite

MOST_GUESSES: int = Settings.model_fields["codes_per_hour"].default
AT_ONCE = 8
GUESSES = int(os.environ.get("EASEL_TEST_GUESSES", "1000"))
FROM_EACH = GUESSES // 10
FROM_ONE = GUESSES - AT_ONCE * FROM_EACH

_ADD = text("""
WITH trained AS (
    INSERT INTO jobs (user_id, state, prompt, settings, cost, turn, protocols, quota_day, progress, finished_at)
    SELECT id, 'succeeded', 'Rex', '{"n": 1}', 1, 0, 'training', '2026-01-01', 1, now() FROM users WHERE email = :email
    RETURNING id, user_id
) INSERT INTO likenesses (job_id, user_id, code, subject, name, shared, adapter_sha256, adapter_key, expires_at)
SELECT id, user_id, :code, 'animal', 'Rex', :shared, repeat('0', 64), 'jobs/none/adapter', now() + interval '90 days'
FROM trained
""")


@pytest.fixture
def codes(user: ApiUser, site_services: Services) -> tuple[str, str]:
    """Return two codes that another account has: a shared one, which works for everybody, and its own."""
    drawn = random.Random(7)
    found = f"{drawn.randrange(10**8):08}", f"{drawn.randrange(10**8):08}"
    with site_services.db.begin() as connection:
        for code, shared in zip(found, (True, False), strict=True):
            connection.execute(_ADD, {"email": user.email, "code": code, "shared": shared})
    return found


@pytest.fixture
def attackers(site: RunningSite) -> Iterator[list[ApiUser]]:
    with ExitStack() as opened:
        yield [opened.enter_context(ApiUser(site.url)) for _ in range(1 + AT_ONCE)]


def guess(attacker: ApiUser, codes: Sequence[str]) -> list[tuple[int, bytes]]:
    """Ask for codes over one connection; return the statuses and the answers, without what differs each time."""
    address = urlsplit(attacker.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
    headers = {"Authorization": f"Bearer {attacker.token}"}
    answers = []
    try:
        for code in codes:
            connection.request("GET", f"/v1/likenesses/{code}", headers=headers)
            answer = connection.getresponse()
            answers.append((answer.status, answer.read()))
    finally:
        connection.close()
    return answers


def test_guesses_find_nothing(attackers: list[ApiUser], user: ApiUser, codes: tuple[str, str]) -> None:
    one, *many = attackers
    drawn = random.Random(1)
    tried = [f"{drawn.randrange(10**8):08}" for _ in range(GUESSES)]
    # Codes that exist are among those before the limit, and among those behind it.
    for place in range(3, GUESSES, 25):
        tried[place] = codes[place % 2]
    lists = [(one, tried[k:FROM_ONE:AT_ONCE]) for k in range(AT_ONCE)]
    lists += [(who, tried[FROM_ONE + k * FROM_EACH :][:FROM_EACH]) for k, who in enumerate(many)]
    began = time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as threads:
        answers = list(threads.map(lambda pair: guess(*pair), lists))
    took_s = time.monotonic() - began
    found = Counter(answer for part in answers for answer in part)
    print(f"{sum(found.values())} guesses in {took_s:.1f} s")  # noqa: T201 (a figure, shown with -rP)
    statuses = Counter(status for status, _ in found.elements())
    assert statuses.keys() == {404, 429}
    # One comes back every few minutes, which this test takes only on a busy machine.
    came_back = int(took_s / (HOUR_S / MOST_GUESSES)) + 1
    assert 0 <= statuses[404] - MOST_GUESSES * len(attackers) <= came_back * len(attackers)
    assert len(found) == 2, "no answer differs from the others with its status"
    for code in codes:
        assert user.call("GET", f"/v1/likenesses/{code}").json()["state"] == "ready"
