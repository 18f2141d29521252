"""Where claims store objects, and how long what a lost claim has stored is kept."""

from uuid import UUID

from shared.jobs.states import LOST_OBJECTS_KEPT_S

PREVIEWS_KEPT_S = 3600
"""How long a job's previews stay in the storage after the last of them."""

LOST_PREFIXES = """LATERAL (
    VALUES ('jobs/' || {0} || '/' || {1} || '/', CAST(:lost_s AS float)),
        ('jobs/' || {0} || '/preview/', :previews_kept_s)
) AS lost (prefix, kept_s)"""
"""SQL: the prefixes of what a lost claim may have stored, given its job's id and its attempt token, and the seconds for
which that is kept; `KEPT_S` are its parameters."""

KEPT_S = {"lost_s": LOST_OBJECTS_KEPT_S, "previews_kept_s": PREVIEWS_KEPT_S}


def object_prefix(job_id: UUID, attempt_token: UUID) -> str:
    """Return the prefix of the objects that a claim stores."""
    return f"jobs/{job_id}/{attempt_token}/"
