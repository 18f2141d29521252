"""Messages of SES about a mail, as its documentation shows them, and SNS's envelope around them."""

import json
from collections.abc import Sequence
from typing import Any

SENT_AT = "2030-01-02T03:04:05.000Z"


def bounce(
    *recipients: str,
    kind: str = "notificationType",
    bounce_type: str = "Permanent",
    to: Sequence[str] | None = None,
    sent_at: str = SENT_AT,
) -> dict[str, Any]:
    """Return a bounce. kind: the field that names its type; to: the recipients of the mail, if others."""
    return {
        kind: "Bounce",
        "bounce": {
            "bounceType": bounce_type,
            "bounceSubType": "General",
            "bouncedRecipients": [
                {
                    "emailAddress": recipient,
                    "action": "failed",
                    "status": "5.1.1",
                    "diagnosticCode": "smtp; 550 5.1.1 unknown user",
                }
                for recipient in recipients
            ],
            "timestamp": "2030-01-02T03:04:09.000Z",
            "feedbackId": "0100017c-1",
            "reportingMTA": "dsn; a8-50.smtp-out.amazonses.com",
        },
        "mail": _mail(recipients if to is None else to, sent_at),
    }


def complaint(
    *recipients: str,
    kind: str = "notificationType",
    feedback: str = "abuse",
    to: Sequence[str] | None = None,
    sent_at: str = SENT_AT,
) -> dict[str, Any]:
    """Return a complaint."""
    return {
        kind: "Complaint",
        "complaint": {
            "complainedRecipients": [{"emailAddress": recipient} for recipient in recipients],
            "timestamp": "2030-01-02T04:04:09.000Z",
            "feedbackId": "0100017c-2",
            "userAgent": "ExampleCorp Feedback Loop (V0.01)",
            "complaintFeedbackType": feedback,
        },
        "mail": _mail(recipients if to is None else to, sent_at),
    }


def enveloped(message: dict[str, Any]) -> str:
    """Return a message as SNS delivers it to SQS without raw delivery."""
    return json.dumps(
        {
            "Type": "Notification",
            "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
            "TopicArn": "arn:aws:sns:eu-central-1:123456789012:easel-mail-events",
            "Message": json.dumps(message),
            "Timestamp": "2030-01-02T03:04:10.000Z",
            "SignatureVersion": "1",
        }
    )


def _mail(to: Sequence[str], sent_at: str) -> dict[str, Any]:
    return {
        "timestamp": sent_at,
        "messageId": "0100017c-0",
        "source": "easel@example.com",
        "sendingAccountId": "123456789012",
        "destination": list(to),
        "headersTruncated": False,
        "commonHeaders": {"from": ["Easel <easel@example.com>"], "to": list(to)},
    }
