"""The errors of the API, each with its HTTP status and its stable code.

Use cases raise these, and `functions.http` renders them as RFC 9457 problem documents. A test checks the table of
codes in docs/errors.md against this module.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

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
    "no_url",
    "not_public",
    "well_known",
    "not_uploaded",
    "not_yours",
    "source_failed",
    "picture_wrong_format",
    "picture_too_many_pixels",
    "picture_too_small",
    "picture_animated",
    "picture_broken",
    "photo_too_small",
    "photo_blurred",
    "photo_without_face",
    "photo_of_several",
    "photo_too_dark",
    "photo_too_bright",
    "photo_repeated",
    "prompt_rejected",
    "invalid",
]
"""What is wrong with a field, for programs; `invalid` is used where no other code fits."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """An error in one field of a request: a message, a stable code, and the limit that the value exceeds, if any."""

    field: str
    message: str
    code: FieldCode = "invalid"
    limit: float | None = None


NO_MAIL = FieldError("notify", "must be 'none': this site sends no mail", "not_offered")
NO_PASSWORD = FieldError("password", "is required", "required")
NO_RESET = FieldError("email", "cannot be written to: this site sends no mail. Ask its operators", "not_offered")


class CodedError(Exception):
    """An error of a part. `code` is stable; `message` is one sentence for the user and the log."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class EaselError(Exception):
    """An error that is reported to the caller. `detail` describes the case, the class everything else."""

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
    """It does not say whether a token was missing, unknown, revoked or expired."""

    status, code, title = 401, "not_signed_in", "Sign in, or send a valid token as 'Authorization: Bearer easel_...'."


class BadCredentials(EaselError):
    status, code, title = 401, "bad_credentials", "The e-mail address or the password is wrong."


class CodeRequired(EaselError):
    status, code, title = 401, "code_required", "This account has a second factor. Send 'code' with the password."


class CrossSite(EaselError):
    status, code, title = 403, "cross_site", "A request with a session cookie must come from the site itself."


class AccountDisabled(EaselError):
    status, code, title = 403, "account_disabled", "The operators of this site have disabled this account."


class NotPermitted(EaselError):
    status, code, title = 403, "not_permitted", "This API token lacks the right that the request needs."


class NotConfirmed(EaselError):
    status, code = 403, "not_confirmed"
    title = "Confirm your address first: open the link in our mail, or ask for another on your account's page."


class NotOffered(EaselError):
    status, code, title = 403, "not_offered", "This site does not offer this."


class SignInAgain(EaselError):
    status, code, title = 403, "sign_in_again", "This needs a sign-in at your provider within the last five minutes."


class TakenDown(EaselError):
    status, code, title = 403, "taken_down", "These pictures were taken out of the gallery."


class NotFound(EaselError):
    status, code, title = 404, "not_found", "It does not exist, or it belongs to another user."


class MethodNotAllowed(EaselError):
    status, code, title = 405, "method_not_allowed", "This address does not support this method."


class TooSlow(EaselError):
    status, code, title = 408, "too_slow", "The request did not arrive in time."


class EmailTaken(EaselError):
    status, code, title = 409, "email_taken", "This e-mail address already has an account. Log in instead."


class AlreadyFinished(EaselError):
    status, code, title = 409, "already_finished", "This job has finished; there is nothing left to cancel."


class NotSucceeded(EaselError):
    status, code, title = 409, "not_succeeded", "Only a job that has succeeded and has pictures can be published."


class NoAppeal(EaselError):
    status, code, title = 409, "no_appeal", "Only a refused or removed picture can be appealed, and only once."


class AlreadyUsed(EaselError):
    status, code, title = 409, "already_used", "This link has been used, or is too old. Ask for another one."


class SecondFactorOn(EaselError):
    status, code, title = 409, "second_factor_on", "This account has a second factor already. Switch it off first."


class LastIdentity(EaselError):
    status, code, title = 409, "last_identity", "Without it you could not sign in any more. Set a password first."


class StillRunning(EaselError):
    status, code, title = 409, "still_running", "This job has not finished. Cancel it first, then delete it."


class TooLarge(EaselError):
    status, code, title = 413, "too_large", "The request body is too large."


class InvalidRequest(EaselError):
    status, code, title = 422, "invalid_request", "A value in the request is wrong; see 'errors'."


class PromptRejected(EaselError):
    status, code, title = 422, "prompt_rejected", "A rule of this site does not allow these words; see 'errors'."


Refusal: TypeAlias = InvalidRequest | PromptRejected
"""Why a request is not made a job."""


class IdempotencyMismatch(EaselError):
    status, code, title = 422, "idempotency_mismatch", "This Idempotency-Key was used for another request."


class TooManyLikenesses(EaselError):
    status, code, title = 409, "too_many_likenesses", "Your account has as many likenesses as it may have."


class StorageFull(EaselError):
    status, code, title = 409, "storage_full", "Your account stores as much as it may. Delete pictures first."


class RateLimited(EaselError):
    status, code, title = 429, "rate_limited", "Too many attempts. Try again later."


class QueueFull(EaselError):
    status, code, title = 429, "queue_full", "Your account has the maximum number of waiting jobs."


class QuotaSpent(EaselError):
    status, code, title = 429, "quota_spent", "Your daily quota is used up. It starts again at midnight UTC."


class HeadTooLarge(EaselError):
    status, code, title = 431, "head_too_large", "The address and the headers of a request may be 16 KiB together."


class Internal(EaselError):
    status, code, title = 500, "internal", "An unexpected error occurred. Quote the request id when you report it."


class Unavailable(EaselError):
    status, code, title = 503, "unavailable", "Easel cannot answer right now. Try again in a moment."

    def __init__(self, detail: str | None = None, *, retry_after_s: int = 2) -> None:
        super().__init__(detail, retry_after_s=retry_after_s)


class Capacity(EaselError):
    status, code, title = 503, "capacity", "This site takes no more at the moment. Try again later."


class NotMigrated(Unavailable):
    """The database has older tables than this version needs."""

    def __init__(self) -> None:
        super().__init__(
            "The database does not have the tables of this version. Run its migrations: alembic upgrade head."
        )


def error_classes() -> list[type[EaselError]]:
    """Return every error of the API, by status and code."""
    return sorted(EaselError.__subclasses__(), key=lambda error: (error.status, error.code))
