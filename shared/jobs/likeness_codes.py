"""Codes of likenesses in requests: which of them work for whom, and a limit on guessing others'."""

import re
from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import Connection, text

from shared.accounts.auth import Credential, require_user
from shared.core.rate_limits import Limit, take
from shared.jobs.records import NewJob
from shared.services import Services

USABLE = """l.code = {code} AND (l.user_id = {user} OR l.shared) AND l.adapter_key IS NOT NULL
    AND l.expires_at > clock_timestamp()
    AND EXISTS (SELECT FROM users o WHERE o.id = l.user_id AND o.disabled_at IS NULL)"""
"""SQL: the row `l` of likenesses has this code, and it works now for this user."""

_CODE = re.compile("[0-9]{8}")
_KNOWN = text(f"""
SELECT l.code, l.user_id = :user_id AS is_own FROM likenesses l
WHERE l.code = ANY(:codes) AND (l.user_id = :user_id OR ({USABLE.format(code="l.code", user=":user_id")}))
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
        foreign = [code for code in codes if not known.get(code)]
        if foreign:
            count_guesses(services, connection, user.id, codes - known.keys(), needed=len(foreign))


def count_guesses(
    services: Services, connection: Connection, user_id: UUID, wrong: Collection[str], *, needed: int = 1
) -> None:
    """Count codes of others that a user has named and that do not work.

    needed: how many guesses must be left: as many as others' codes were named, so that a refusal does not say which of
    them work. The connection must not be in a transaction, which the error would roll back.

    Raises:
        RateLimited: They are too many. Nothing about the codes is to be said.
    """
    detail = "Too many codes of likenesses did not work. Your own ones still do."
    limit = Limit("codes of likenesses", services.settings.codes_per_hour, detail=detail)
    take(connection, limit, str(user_id), len(wrong), needed=needed)
