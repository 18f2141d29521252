"""Everything that can go wrong for a caller, each with its HTTP status and its stable code.

Use cases raise these; `functions.http` renders them as RFC 9457 problem documents. A test checks the table of
codes in docs/errors.md against this module.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

FieldCode = Literal[
    "required",
    "unknown_field",
    "wrong_type",
    "too_long",
    "too_short",
    "too_many",
    "too_small",
    "too_large",
    "not_a_multiple",
    "not_a_choice",
    "not_offered",
    "no_address",
    "well_known",
    "not_uploaded",
    "not_yours",
    "invalid",
]
"""How a field can be wrong, for programs; `invalid` is what no other code says."""


@dataclass(frozen=True)
class FieldError:
    """One field of a request that is wrong: how in words, how in a stable code, and which bound it breaks, if any."""

    field: str
    message: str
    code: FieldCode = "invalid"
    limit: float | None = None


NO_MAIL = FieldError("notify", "must be none, since this site sends no mail", "not_offered")


class EaselError(Exception):
    """An outcome that the caller is told about: `detail` belongs to the case, all else to the class."""

    status: ClassVar[int]
    code: ClassVar[str]
    title: ClassVar[str]

    def __init__(
        self,
        detail: str | None = None,
        *,
        fields: tuple[FieldError, ...] = (),
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.fields = fields
        self.retry_after_s = retry_after_s


class BadRequest(EaselError):
    status, code, title = 400, "bad_request", "A header or query parameter cannot be read."


class NotSignedIn(EaselError):
    status, code, title = 401, "not_signed_in", "Sign in, or send an API token as 'Authorization: Bearer easel_...'."


class BadToken(EaselError):
    status, code, title = 401, "bad_token", "This token is unknown, revoked or expired. Log in again or make a new one."


class BadCredentials(EaselError):
    status, code, title = 401, "bad_credentials", "The e-mail address or the password is wrong."


class CrossSite(EaselError):
    status, code, title = 403, "cross_site", "A request with a session cookie must come from the site itself."


class AccountDisabled(EaselError):
    status, code, title = 403, "account_disabled", "The operators of this site have disabled this account."


class TakenDown(EaselError):
    status, code, title = 403, "taken_down", "The operators of this site took these pictures out of its gallery."


class NotFound(EaselError):
    status, code, title = 404, "not_found", "There is nothing here, or it is not yours."


class MethodNotAllowed(EaselError):
    status, code, title = 405, "method_not_allowed", "This address does not take this method."


class EmailTaken(EaselError):
    status, code, title = 409, "email_taken", "This e-mail address has an account already. Log in instead."


class AlreadyFinished(EaselError):
    status, code, title = 409, "already_finished", "This job has finished; there is nothing left to cancel."


class NotSucceeded(EaselError):
    status, code, title = 409, "not_succeeded", "Only a job that has succeeded and has pictures can be published."


class StillRunning(EaselError):
    status, code, title = 409, "still_running", "This job has not finished. Cancel it first, then delete it."


class TooLarge(EaselError):
    status, code, title = 413, "too_large", "The request is larger than this address accepts."


class InvalidRequest(EaselError):
    status, code, title = 422, "invalid_request", "A value in the request is wrong; see 'errors'."


class IdempotencyMismatch(EaselError):
    status, code, title = 422, "idempotency_mismatch", "This Idempotency-Key was used for another request."


class QueueFull(EaselError):
    status, code, title = 429, "queue_full", "You have as many waiting jobs as one account may have."


class QuotaSpent(EaselError):
    status, code, title = 429, "quota_spent", "You have used today's jobs. The count starts again at midnight UTC."


class Internal(EaselError):
    status, code, title = 500, "internal", "Something went wrong here. Quote the request id when you report it."


class Unavailable(EaselError):
    status, code, title = 503, "unavailable", "Easel cannot answer right now. Try again in a moment."

    def __init__(self, detail: str | None = None, *, retry_after_s: int = 2) -> None:
        super().__init__(detail, retry_after_s=retry_after_s)


def error_classes() -> list[type[EaselError]]:
    """Every error of the API, by status and code."""
    return sorted(EaselError.__subclasses__(), key=lambda error: (error.status, error.code))
