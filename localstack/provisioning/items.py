"""One thing to create, and the step that brings it into its wanted state."""

import re
from collections.abc import Callable
from typing import NamedTuple

ABSENT = re.compile(
    "404|NoSuch(CORS|Lifecycle|PublicAccessBlock)Configuration|ServerSideEncryptionConfigurationNotFoundError"
    "|NoSuchBucketPolicy|QueueDoesNotExist|AWS.SimpleQueueService.NonExistentQueue|ResourceNotFoundException"
)
"""The error codes of servers for a missing thing; a HEAD request has only its status."""


class Item(NamedTuple):
    """One thing to create: its current value (None: absent), its wanted value, and the call that sets it."""

    name: str
    read: Callable[[], object]
    wanted: object
    write: Callable[[], object]
    not_known: frozenset[str] = frozenset()


def settle(item: Item) -> str:
    """Bring one thing into its wanted state, and return a line that says what was done."""
    from botocore.exceptions import ClientError

    current = None
    try:
        try:
            current = item.read()
        except ClientError as error:
            if not ABSENT.fullmatch(error.response["Error"]["Code"]):
                raise
        if current == item.wanted:
            return f"{item.name}: already"
        item.write()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        # Only an error that means "no such operation" is skipped; all others are raised.
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 501 and code not in item.not_known:
            raise
        return f"{item.name}: left out, since this server does not support it ({code})"
    return f"{item.name}: {'changed' if current else 'made'}"
