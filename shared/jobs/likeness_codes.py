"""Codes of likenesses in requests: which of them work for whom, and a limit on guessing others'."""

import re
from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import Connection, text

from shared.accounts.auth import Credential, require_user
from shared.core.errors import RateLimited
from shared.jobs.records import NewJob
from shared.services import Services

MOST_GUESSES, GUESSES_KEPT_S = 20, 3600
"""How many codes that do not work a user may name in an hour. There are 100 million codes."""

USABLE = """l.code = {code} AND (l.user_id = {user} OR l.shared) AND l.adapter_key IS NOT NULL
    AND l.expires_at > clock_timestamp()
    AND EXISTS (SELECT FROM users o WHERE o.id = l.user_id AND o.disabled_at IS NULL)"""
"""SQL: the row `l` of likenesses has this code, and it works now for this user."""

_CODE = re.compile("[0-9]{8}")
_KNOWN = text(f"""
SELECT l.code, l.user_id = :user_id AS is_own FROM likenesses l
WHERE l.code = ANY(:codes) AND (l.user_id = :user_id OR ({USABLE.format(code="l.code", user=":user_id")}))
""")
_LEFT_S = "ceil(:kept_s - extract(epoch FROM clock_timestamp() - began_at))::int AS left_s"
_FIND_GUESSES = text(f"""
SELECT guesses, {_LEFT_S} FROM code_guesses
WHERE user_id = :user_id AND began_at > clock_timestamp() - make_interval(secs => :kept_s)
""")
_ADD_GUESSES = text(f"""
INSERT INTO code_guesses AS g (user_id, guesses) VALUES (:user_id, :wrong)
ON CONFLICT (user_id) DO UPDATE SET
    guesses = :wrong + CASE WHEN g.began_at > clock_timestamp() - make_interval(secs => :kept_s)
        THEN least(g.guesses, 1000000) ELSE 0 END,
    began_at = CASE WHEN g.began_at > clock_timestamp() - make_interval(secs => :kept_s)
        THEN g.began_at ELSE clock_timestamp() END
RETURNING guesses, {_LEFT_S}
""")


def is_code(given: str) -> bool:
    """Return whether a text has the form of a code."""
    return _CODE.fullmatch(given) is not None


def check_codes(services: Services, credential: Credential, jobs: Sequence[NewJob]) -> None:
    """Count the codes in these jobs that are not the user's own and do not work; the jobs may have them nevertheless.

    Raises:
        RateLimited: The user has named too many such codes lately, and another code than an own one now.
    """
    codes = {use["code"] for job in jobs for use in job.settings.get("likeness") or () if is_code(use["code"])}
    if not codes:
        return
    with services.db.statement() as connection:
        user = require_user(connection, credential)
        rows = connection.execute(_KNOWN, {"user_id": user.id, "codes": [*codes]})
        known = {row.code: row.is_own for row in rows}
        if any(not known.get(code) for code in codes):
            count_guesses(connection, user.id, codes - known.keys())


def count_guesses(connection: Connection, user_id: UUID, wrong: Collection[str]) -> None:
    """Count codes of others that a user has named and that do not work.

    A user who has named too many is refused whatever the code is, and without a write: the answer tells nothing, and
    more guesses are cheap. The connection must not be in a transaction, which the error would roll back.

    Raises:
        RateLimited: They are too many. Nothing about the codes is to be said.
    """
    values = {"user_id": user_id, "wrong": len(wrong), "kept_s": GUESSES_KEPT_S}
    found = connection.execute(_FIND_GUESSES, values).one_or_none()
    if found is not None and found.guesses >= MOST_GUESSES:
        raise _too_many(found.left_s)
    if wrong:
        guesses, left_s = connection.execute(_ADD_GUESSES, values).one()
        if guesses > MOST_GUESSES:
            raise _too_many(left_s)


def _too_many(left_s: int) -> RateLimited:
    message = "Too many codes of likenesses did not work. Your own ones still do."
    return RateLimited(message, retry_after_s=max(1, left_s))
