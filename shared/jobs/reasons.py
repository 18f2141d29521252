"""Why a job waits, is retried or fails: a stable code for programs with a sentence for people.

docs/reasons.md lists every code that a timeline or a job's `error` can contain: these, those of the generator clients
and those of pictures. A test compares the list with the code.
"""

from typing import NamedTuple


class Reason(NamedTuple):
    """The reason for an event. `code` never changes; `message` is one or more English sentences."""

    code: str
    message: str


def generator_too_slow(longest_s: float) -> Reason:
    """Return the reason for giving up an attempt after `longest_s` seconds."""
    return Reason("generator_too_slow", f"The generator did not finish within {longest_s / 60:.0f} minutes.")


WORKER_STOPPED = Reason("worker_stopped", "Its worker is shutting down; another one starts this picture again.")
WORKER_DIED = Reason("worker_died", "Its worker died; another one took over.")
GENERATOR_REMOVED = Reason("generator_removed", "Its generator was taken out of service.")
GENERATOR_FAILED = Reason("generator_failed", "The generator reported an error for this job.")
NO_GENERATOR = Reason("no_generator", "No generator is configured.")
NO_ABLE_GENERATOR = Reason("no_able_generator", "No configured generator can make this picture.")
BY_OPERATOR = Reason("by_operator", "The operators of this site did this.")
ACCOUNT_DISABLED = Reason("account_disabled", "The operators of this site have disabled this account.")
NO_TIMELAPSE = Reason("no_timelapse", "The video of the making could not be made. The pictures are complete.")
TRAINING_TOO_SLOW = Reason("generator_too_slow", "The generator did not finish the training within four hours.")
SOURCE_MISSING = Reason("source_missing", "A start picture is no longer in the storage. Upload it again.")
DECODES_SOURCE = Reason("decodes_source", "Its start picture takes long to decode; other jobs go first meanwhile.")
WAITS_FOR_SOURCE = Reason("waits_for_source", "It starts from another job's picture; that job has to succeed first.")
SOURCE_FAILED = Reason("source_failed", "The job whose picture it starts from has not succeeded.")
SOURCE_DELETED = Reason("source_failed", "The job whose picture it starts from was deleted.")
SOURCE_UNDESCRIBED = Reason("source_failed", "The picture that it starts from has no description for a prompt.")
SOURCE_TOO_LARGE = Reason("source_failed", "The picture that it starts from is too large to start from.")
PROMPT_REJECTED = Reason("prompt_rejected", "A rule of this site does not allow the words that describe its picture.")
PICTURE_REJECTED = Reason("picture_rejected", "This site does not show what was found in the picture.")
PICTURE_UNCHECKED = Reason("picture_unchecked", "The picture could not be checked, so this site does not show it.")
CHECKER_DOWN = Reason("checker_down", "What checks pictures on this site does not work; the picture waits.")
MAIL_LIMIT = Reason("mail_limit", "This address has had as many mails as it gets in a day; this one waits.")
