"""Reading the messages of SES: both formats, with SNS's envelope and without, and anything else."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared.notify import mail_events
from shared.notify.mail_events import EventUnreadable, Refusal
from tests.support.ses_messages import bounce, complaint, enveloped

SENT_AT = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize("kind", ["notificationType", "eventType"])
@pytest.mark.parametrize("deliver", [json.dumps, enveloped], ids=["raw", "in an envelope"])
def test_both_formats_are_read(kind: str, deliver: Any) -> None:
    bounced = mail_events.read(deliver(bounce("ada@example.com", kind=kind)))
    assert bounced == Refusal("bounced", ("ada@example.com",), SENT_AT)
    complained = mail_events.read(deliver(complaint("ada@example.com", kind=kind)))
    assert complained == Refusal("complained", ("ada@example.com",), SENT_AT)


@pytest.mark.parametrize("kind", ["Transient", "Undetermined"])
def test_only_permanent_bounces_count(kind: str) -> None:
    assert mail_events.read(json.dumps(bounce("ada@example.com", bounce_type=kind))) is None


def test_who_says_that_it_is_no_spam_does_not_complain() -> None:
    assert mail_events.read(json.dumps(complaint("ada@example.com", feedback="not-spam"))) is None


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"notificationType": "Delivery", "mail": {"destination": ["ada@example.com"]}}),
        json.dumps({"eventType": "Open", "mail": {}}),
        json.dumps(
            {"notificationType": "AmazonSnsSubscriptionSucceeded", "message": "You have successfully subscribed"}
        ),
        "Successfully validated SNS topic for Amazon SES event publishing.",
        json.dumps(
            {"Type": "Notification", "Message": "Successfully validated SNS topic for Amazon SES event publishing."}
        ),
    ],
)
def test_other_messages_stop_nothing(body: str) -> None:
    assert mail_events.read(body) is None


def test_an_address_is_found_as_the_account_has_it() -> None:
    """SES repeats what a server said: another case, a name before it, the domain in ASCII, the address forwarded to."""
    found = mail_events.read(json.dumps(bounce('"Ada" <ADA@Example.COM>', to=["ada@example.com"])))
    assert found is not None
    assert found.addresses == ("ada@example.com",)
    found = mail_events.read(json.dumps(bounce("ada@xn--e1afmkfd.xn--p1ai")))
    assert found is not None
    assert found.addresses == ("ada@xn--e1afmkfd.xn--p1ai", "ada@пример.рф")
    forwarded = mail_events.read(json.dumps(complaint("elsewhere@example.org", to=["ada@example.com"])))
    assert forwarded is not None
    assert forwarded.addresses == ("elsewhere@example.org", "ada@example.com")
    of_many = mail_events.read(json.dumps(bounce("ada@example.com", to=["ada@example.com", "bob@example.com"])))
    assert of_many is not None
    assert of_many.addresses == ("ada@example.com",)


UNREADABLE = [
    "",
    "hello",
    "[]",
    "null",
    "{}",
    "[" * 100_000,
    json.dumps({"Message": 5}),
    json.dumps({"Message": "hello"}),
    json.dumps({"notificationType": "Bounce"}),
    json.dumps({"notificationType": "Bounce", "bounce": {"bounceType": "Permanent"}}),
    json.dumps({"eventType": "Complaint", "complaint": {"complainedRecipients": "ada@example.com"}}),
    json.dumps(bounce(*(f"{number}@example.com" for number in range(51)))),
    json.dumps(bounce("a" * 2000)),
]


@pytest.mark.parametrize("body", UNREADABLE, ids=lambda body: ascii(body[:40]))
def test_anything_else_cannot_be_read(body: str) -> None:
    with pytest.raises(EventUnreadable) as caught:
        mail_events.read(body)
    assert "@" not in str(caught.value)


_JSON = some.recursive(
    some.none() | some.booleans() | some.floats() | some.text(),
    lambda inner: some.lists(inner) | some.dictionaries(some.text(), inner),
    max_leaves=5,
)
_KEYS = some.sampled_from(["Message", "notificationType", "eventType", "bounce", "complaint", "mail", "bounceType"])


@given(some.dictionaries(_KEYS, _JSON | some.sampled_from(["Bounce", "Complaint", "Permanent"])))
def test_any_object_is_read_or_refused(report: dict[str, Any]) -> None:
    with suppress(EventUnreadable):
        assert mail_events.read(json.dumps(report)) is None
