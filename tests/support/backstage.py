"""Writes to the site's database that keep a job in one state until the test releases it."""

from uuid import UUID

from sqlalchemy import text

from shared.services import Services
from tests.support.api_user import ApiUser
from tests.support.waiting import until


class Backstage:
    """Holds one user's jobs, in the site's own database. `let_go` returns them to the poller."""

    def __init__(self, services: Services, user: ApiUser) -> None:
        self._services = services
        self._email = user.email

    def hold(self) -> None:
        """Let the user's jobs wait from now on: the account appears to use all its generator slots."""
        self._do("UPDATE users SET running = 1000 WHERE email = :email")

    def put_to_work(self, job_id: str, progress: float) -> None:
        """Mark a waiting job as generating with this progress; no worker polls it for an hour."""
        self._do(
            """
            WITH working AS (
                UPDATE jobs SET state = 'generating', progress = :progress, started_at = coalesce(started_at, now()),
                    generator = (SELECT name FROM generators ORDER BY name LIMIT 1), version = version + 1,
                    next_step_at = clock_timestamp() + interval '1 hour'
                WHERE id = :job_id RETURNING id
            )
            INSERT INTO job_events (job_id, event) SELECT working.id, told.event FROM working, (
                VALUES ('started'), ('sent'), ('processing')
            ) AS told (event) WHERE NOT EXISTS (
                SELECT FROM job_events e WHERE e.job_id = working.id AND e.event = told.event
            )
            """,
            job_id=UUID(job_id),
            progress=progress,
        )

    def fail(self, job_id: str, code: str, message: str) -> None:
        """Mark the job as given up by the poller."""
        self._do(
            """
            WITH failed AS (
                UPDATE jobs SET state = 'failed', error_code = :code, error_message = :message, version = version + 1,
                    finished_at = now()
                WHERE id = :job_id RETURNING id
            )
            INSERT INTO job_events (job_id, event, detail) SELECT id, 'failed', :message FROM failed
            """,
            job_id=UUID(job_id),
            code=code,
            message=message,
        )

    def let_go(self) -> None:
        """Let the user's jobs continue."""
        self._do(
            """
            UPDATE users SET running = (SELECT count(*) FROM jobs WHERE user_id = users.id AND state = 'generating')
            WHERE email = :email
            """
        )
        self._do(
            """
            UPDATE jobs SET next_step_at = clock_timestamp() - interval '1 s'
            WHERE state = 'generating' AND user_id = (SELECT id FROM users WHERE email = :email)
            """
        )

    def _do(self, query: str, **values: object) -> None:
        with self._services.db.begin() as connection:
            connection.execute(text(query), {"email": self._email, **values} if ":email" in query else values)


def finish(user: ApiUser, job_id: str, state: str = "succeeded") -> None:
    """Wait until the job has ended in this state."""
    until(lambda: user.job(job_id)["state"] == state, f"the job is {state}", limit_s=240)
