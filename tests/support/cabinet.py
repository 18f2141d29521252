"""A user with jobs, and helpers for finding them on the page "My pictures"."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page, Request, expect
from sqlalchemy import text

from shared.services import Services
from tests.support.api_user import PASSWORD, ApiUser
from tests.support.visitor import Visitor

COPY = """
WITH copied AS (
    INSERT INTO jobs (user_id, state, prompt, settings, cost, turn, quota_day, progress, error_code, error_message,
        created_at, started_at, finished_at)
    SELECT CAST(:user_id AS uuid), :state, :prompt || CASE WHEN :count > 1 THEN ' ' || number ELSE '' END,
        settings, cost, turn, quota_day, CASE WHEN :state = 'succeeded' THEN 1 END,
        CASE WHEN :state = 'failed' THEN 'generator_failed' END, CASE WHEN :state = 'failed' THEN 'It broke.' END,
        created_at, started_at, finished_at
    FROM jobs, generate_series(1, :count) AS number WHERE id = :id
    RETURNING id
), told AS (INSERT INTO job_events (job_id, event) SELECT id, 'accepted' FROM copied),
shown AS (
    INSERT INTO images (job_id, index, key, thumbnail_key, width, height, size_bytes, seed)
    SELECT copied.id, index, key, thumbnail_key, width, height, size_bytes, seed
    FROM copied, images WHERE job_id = :id AND :state = 'succeeded'
)
SELECT id FROM copied ORDER BY id
"""
HIDE = """(isHidden) => {
  Object.defineProperty(document, "hidden", {value: isHidden, configurable: true});
  document.dispatchEvent(new Event("visibilitychange"));
}"""


class Owner(ApiUser):
    """A user whose jobs are copies of a finished one, so that nothing needs to be painted."""

    def __init__(self, url: str, services: Services, painted: str) -> None:
        super().__init__(url)
        self._services = services
        self._painted = painted
        self._id = self.call("GET", "/v1/me").json()["user"]["id"]

    def copy(self, prompt: str, count: int = 1, *, state: str = "succeeded") -> list[str]:
        """Create jobs with this prompt, numbered if there are several. Returns their ids, oldest first."""
        values = {"user_id": self._id, "state": state, "prompt": prompt, "count": count, "id": self._painted}
        with self._services.db.begin() as connection:
            return [str(row.id) for row in connection.execute(text(COPY), values)]

    def group(self, ids: list[str]) -> str:
        """Make these jobs a group, as if they were submitted together. Returns its id."""
        query = """
            WITH made AS (INSERT INTO job_groups (user_id) VALUES (:user_id) RETURNING id)
            UPDATE jobs SET group_id = made.id FROM made WHERE jobs.id = ANY(CAST(:ids AS uuid[])) RETURNING made.id
        """
        with self._services.db.begin() as connection:
            values = {"user_id": self._id, "ids": ids}
            return str(connection.execute(text(query), values).scalars().first())


def log_in(person: Visitor, user: ApiUser) -> None:
    """Log in through the API; other tests use the form."""
    answer = person.page.context.request.post(
        f"{person.url}/v1/login", data={"email": user.email, "password": PASSWORD}
    )
    assert answer.status == 200, answer.text()


def look(person: Visitor, query: str = "") -> Page:
    """Open "My pictures" and wait for its first page."""
    person.page.goto(f"{person.url}/pictures{query}")
    expect(person.page.get_by_role("list", name="My pictures")).not_to_have_attribute("aria-busy", "true")
    return person.page


def tiles(page: Page) -> Locator:
    return page.locator(".tile[data-id]")


def tile(page: Page, prompt: str) -> Locator:
    """Return the tile with exactly this prompt."""
    return tiles(page).filter(has=page.locator(".placard", has_text=prompt))


def act(page: Page, prompt: str, action: str) -> None:
    """Choose an action from a tile's menu."""
    page.get_by_role("button", name=f"Actions: {prompt}", exact=True).click()
    page.get_by_role("group", name=f"Actions: {prompt}", exact=True).get_by_text(action, exact=True).click()


def choose(page: Page, prompt: str, **options: Any) -> None:
    page.get_by_role("checkbox", name=f"Select: {prompt}", exact=True).click(force=True, **options)


def ids(user: ApiUser) -> set[str]:
    return {job["id"] for job in user.jobs()}


def record(page: Page, wanted: Callable[[Request], bool]) -> list[Request]:
    """Return a list that collects the page's matching requests from now on."""
    seen: list[Request] = []

    def note(request: Request) -> None:
        if wanted(request):
            seen.append(request)

    page.on("request", note)
    return seen
