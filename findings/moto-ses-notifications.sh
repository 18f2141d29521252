#!/usr/bin/env bash
# moto 5.2.5, the emulator of AWS in Python: what SES tells a topic of SNS about mails to the addresses of its simulator.
#
# Seen: every notification has the type "Bounce, Complaint, or Delivery.", the description in AWS's documentation, where AWS
# sends `Bounce`, `Complaint` or `Delivery`. Bounce and complaint name recipient1@example.com whoever was written to, and
# `mail.messageId` is not the id that send_email returned. So a program that reads these fields as documented takes none
# of them for a bounce, and cannot find the mail.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check moto==5.2.5 boto3==1.44.5 botocore==1.44.5
cat >notify.py <<'PYTHON'
import json
import os

import boto3
from moto import mock_aws

os.environ.update(AWS_ACCESS_KEY_ID="key", AWS_SECRET_ACCESS_KEY="secret", AWS_DEFAULT_REGION="us-east-1")
DESCRIPTION = "Bounce, Complaint, or Delivery."


def notification(part):
    """Send a mail to an address of the simulator; return its id and what arrives in the queue."""
    content = {"Subject": {"Data": "Your picture"}, "Body": {"Text": {"Data": "It is finished."}}}
    to = {"ToAddresses": [f"{part}@simulator.amazonses.com"]}
    sent = ses.send_email(Source="easel@example.com", Destination=to, Message=content)["MessageId"]
    [message] = sqs.receive_message(QueueUrl=queue)["Messages"]
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    told = json.loads(message["Body"])["Message"]
    return sent, json.loads(told) if isinstance(told, str) else told


with mock_aws():
    ses, sns, sqs = (boto3.client(name) for name in ("ses", "sns", "sqs"))
    topic = sns.create_topic(Name="mail")["TopicArn"]
    queue = sqs.create_queue(QueueName="mail")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    ses.verify_domain_identity(Domain="example.com")
    for kind in ("Bounce", "Complaint"):
        ses.set_identity_notification_topic(Identity="example.com", NotificationType=kind, SnsTopic=topic)
    for kind, recipients in (("bounce", "bouncedRecipients"), ("complaint", "complainedRecipients")):
        sent, told = notification(kind)
        named = [each["emailAddress"] for each in told[kind][recipients]]
        same = told["mail"]["messageId"] == sent
        print(f"{kind}: type {told['notificationType']!r}, recipients {named}, id of the mail: {same}")
        assert told["notificationType"] == DESCRIPTION
        assert named[0] == "recipient1@example.com"
        assert told["mail"]["destination"] == ["recipient@example.com"]
        assert not same
PYTHON
venv/bin/python notify.py
