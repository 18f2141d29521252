"""What the owner of a job sees of its publication: whether it is public, waits for an operator, or was refused."""

from dataclasses import dataclass
from json.encoder import encode_basestring

from pydantic_core import from_json

SHOWS_DELETED = """EXISTS (
    SELECT FROM likeness_uses u WHERE u.job_id = jobs.id
        AND NOT EXISTS (SELECT FROM likenesses l WHERE l.job_id = u.likeness_id)
)"""
"""SQL: the condition on a job whose pictures show a likeness that was deleted."""

PUBLICATION = f"""(
    SELECT CAST(json_build_array(
        jobs.taken_down_at IS NOT NULL, p.review, p.reason, p.appeal, p.awaits_since IS NOT NULL,
        jobs.taken_down_at IS NOT NULL AND p.appeal IS NULL AND NOT {SHOWS_DELETED}
    ) AS text) FROM (SELECT) AS one LEFT JOIN publications p ON p.job_id = jobs.id
    WHERE jobs.taken_down_at IS NOT NULL OR p.review <> 'none'
) AS publication"""
"""SQL: a column of a statement over `jobs`, to be read with `read_publication`; null for most jobs."""


@dataclass(frozen=True, slots=True)
class Publication:
    """The part of a job's publication that an operator decides about.

    `review` is None if no operator had to look. `may_appeal`: it is taken down, and the owner has not appealed yet.
    """

    taken_down: bool
    review: str | None
    reason: str | None
    appeal: str | None
    awaits: bool
    may_appeal: bool


def read_publication(column: str | None) -> Publication | None:
    """Build the publication from the column of `PUBLICATION`."""
    return None if column is None else Publication(*from_json(column))


def publication_json(found: Publication | None, *, public: bool) -> str:
    """Return a job's publication as JSON; `public` is whether the gallery may show the job."""
    if found is None or not (found.taken_down or found.review == "waiting"):
        state = "public" if public else "private"
        return f'{{"state":"{state}","reason":null,"appeal":null,"may_appeal":false}}'
    state = "waiting" if not found.taken_down else "refused" if found.review == "refused" else "removed"
    appeal = "null"
    if found.appeal is not None:
        appeal = f'{{"text":{encode_basestring(found.appeal)},"state":"{"waiting" if found.awaits else "refused"}"}}'
    return (
        f'{{"state":"{state}","reason":{_maybe(found.reason)},"appeal":{appeal},'
        f'"may_appeal":{"true" if found.may_appeal else "false"}}}'
    )


def _maybe(text: str | None) -> str:
    return "null" if text is None else encode_basestring(text)
