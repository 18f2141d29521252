"""Stopping the mail to addresses of which SES reports a permanent bounce or a complaint."""

import logging
from contextlib import closing

from shared.clients.sqs import Message, SqsQueue
from shared.core.errors import Unavailable
from shared.generators.base import Stop, never_stop
from shared.notify import delivery_errors, mail_events
from shared.notify import store as mail_store
from shared.services import Services

MOST_BATCHES = 50
"""Calls for messages in one round; the next round continues."""

MOST_RECEIVES = 10
"""More often than a queue with dead letters delivers a message: this one has none."""

_log = logging.getLogger(__name__)


def take(services: Services, stop: Stop = never_stop) -> int:
    """Read the queue of SES's events until it is empty, at most MOST_BATCHES; return how many users' mail was stopped.

    A message is deleted after its stop is committed, so one that is received again stops what is stopped. One that
    cannot be read is counted once and left: SQS moves it to the dead letters. It waits for the queue, so run it in its
    own thread.
    """
    stopped = 0
    with closing(SqsQueue(services.settings.mail_events_url)) as queue:
        try:
            for _ in range(MOST_BATCHES):
                if stop() or not (messages := queue.receive()):
                    break
                done: list[Message] = []
                for message in messages:
                    count, is_done = _take(services, message)
                    stopped += count
                    done += [message] if is_done else []
                queue.delete(done)
        except Unavailable as error:
            _log.warning("mail events wait: %s", error.detail)
    return stopped


def _take(services: Services, message: Message) -> tuple[int, bool]:
    """Return how many users' mail a message has stopped, and whether it can be deleted."""
    try:
        found = mail_events.read(message.body)
    except mail_events.EventUnreadable as error:
        given_up = message.receives > MOST_RECEIVES
        if message.receives == 1 or given_up:
            _log.warning("a mail event %s: %s", "is given up" if given_up else "cannot be read", error)
            with services.db.statement() as connection:
                delivery_errors.record(
                    connection, "mail", "mail_event_unreadable", failures=int(not given_up), given_up=int(given_up)
                )
        return 0, given_up
    if found is None:
        return 0, True
    with services.db.begin() as connection:
        users = mail_store.stop_addresses(connection, found)
        if users:
            delivery_errors.record(connection, "mail", f"mail_{found.why}", failures=users)
    return users, True
