"""Create what Easel needs of S3, SQS, SES and Secrets Manager, as far as the server supports it.

    python localstack/provision.py [bucket] [queue] [mail] [secrets]

Without a name it creates all four. It needs only boto3, and reads Easel's EASEL_ variables and boto3's own
(AWS_ENDPOINT_URL, AWS_REGION, the keys). Existing things are kept; running it again changes nothing. It prints one line
for each thing. Exit code 0: everything exists, except what the lines call left out; 1: a server refused or did not
answer; 2: a wrong argument or variable.
"""

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from email.utils import parseaddr
from typing import Any, NamedTuple, Protocol
from urllib.parse import SplitResult, urlsplit, urlunsplit

LOOPBACK_NAMES = ("127.0.0.1", "localhost")

WAKE_UP_VISIBILITY_S = 360
"""A worker may hold a message for a task's time limit (300 s), and a minute more."""

WAKE_UP_RETENTION_S = 3600
DEAD_LETTER_RETENTION_S = 14 * 24 * 3600
MOST_RECEIVES = 5

SECRETS = ("DATABASE_URL", "BROKER_URL", "MAIL_URL", "GENERATORS")
"""The settings that may contain a password."""

ABSENT = re.compile(
    "404|NoSuch(CORS|Lifecycle|PublicAccessBlock)Configuration|ServerSideEncryptionConfigurationNotFoundError"
    "|NoSuchBucketPolicy|QueueDoesNotExist|AWS.SimpleQueueService.NonExistentQueue|ResourceNotFoundException"
)
"""The error codes of servers for a missing thing; a HEAD request has only its status."""


class Wrong(Exception):
    """A variable or an argument is wrong; the message names it."""


class Paginator(Protocol):
    """A boto3 paginator: yields the pages of a list."""

    def paginate(self) -> Iterable[dict[str, Any]]:
        """Yield the pages of the list."""
        ...


class ClientMeta(Protocol):
    """The properties of a boto3 client."""

    @property
    def region_name(self) -> str:
        """The region of the endpoint."""
        ...


class Client(Protocol):
    """A boto3 client: a method for each operation, which returns the parsed response."""

    @property
    def meta(self) -> ClientMeta:
        """The properties of the client."""
        ...

    def get_paginator(self, operation: str) -> Paginator:
        """Return the paginator of an operation."""
        ...

    def __getattr__(self, operation: str) -> Callable[..., dict[str, Any]]: ...


class Item(NamedTuple):
    """One thing to create: its current value (None: absent), its wanted value, and the call that sets it."""

    name: str
    read: Callable[[], object]
    wanted: object
    write: Callable[[], object]
    not_known: frozenset[str] = frozenset()


# The bucket


def bucket(env: Mapping[str, str]) -> Iterable[str]:
    """Set up a private, encrypted bucket that the site's pages may use, with rules that delete leftovers."""
    name, region = env.get("EASEL_S3_BUCKET") or "easel", env.get("EASEL_S3_REGION") or "us-east-1"
    endpoint = _endpoint(env, "EASEL_S3_ENDPOINT") or env.get("AWS_ENDPOINT_URL")
    s3 = _client("s3", endpoint, region)
    place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    yield _settle(
        Item(
            f"bucket {name}",
            lambda: bool(s3.head_bucket(Bucket=name)),
            True,
            lambda: s3.create_bucket(Bucket=name, **place),
        )
    )
    # No rule for uploads/: jobs' start pictures are kept there as long as the jobs, and Easel itself deletes an upload
    # that no job uses after 24 hours.
    conformance = _rule("conformance", "conformance/", Expiration={"Days": 1})
    unfinished = _rule("unfinished-uploads", "", AbortIncompleteMultipartUpload={"DaysAfterInitiation": 1})
    for item in (
        _cors(s3, name, _origins(env)),
        _lifecycle(s3, name, "lifecycle", conformance),
        # A server that accepts the rule above but not this one, like MinIO, removes unfinished uploads by itself.
        _lifecycle(s3, name, "unfinished uploads", unfinished)._replace(not_known=frozenset({"InvalidArgument"})),
        _encryption(s3, name),
        _privacy(s3, name),
    ):
        yield _settle(item)
    if endpoint and endpoint.startswith("http://"):
        yield f"bucket {name}, TLS only: left out, since {endpoint} has none"
    else:
        yield _settle(_tls(s3, name))


def _cors(s3: Client, name: str, origins: list[str]) -> Item:
    rule = {
        "AllowedOrigins": origins,
        "AllowedMethods": ["GET", "HEAD", "POST"],
        "AllowedHeaders": ["*"],
        "ExposeHeaders": ["ETag"],
        "MaxAgeSeconds": 3600,
    }
    return Item(
        f"bucket {name}, CORS for {' '.join(origins)}",
        lambda: [{key: found.get(key) for key in rule} for found in s3.get_bucket_cors(Bucket=name)["CORSRules"]],
        [rule],
        lambda: s3.put_bucket_cors(Bucket=name, CORSConfiguration={"CORSRules": [rule]}),
    )


def _lifecycle(s3: Client, name: str, what: str, *rules: dict[str, object]) -> Item:
    others: list[object] = []
    own = {rule["ID"]: _essence(rule) for rule in rules}

    def read() -> dict[str, list[object]]:
        found = s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
        others.extend(rule for rule in found if rule.get("ID") not in own)
        return {rule["ID"]: _essence(rule) for rule in found if rule.get("ID") in own}

    def write() -> None:
        s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": [*others, *rules]})

    return Item(f"bucket {name}, {what}", read, own, write)


def _rule(name: str, prefix: str, **action: dict[str, int]) -> dict[str, object]:
    return {"ID": f"easel-{name}", "Status": "Enabled", "Filter": {"Prefix": prefix}, **action}


def _essence(rule: Mapping[str, Any]) -> list[object]:
    """Return a rule's content. Servers return the prefix in one of two fields, and leave out an empty one."""
    return [
        rule["Status"],
        rule.get("Filter", {}).get("Prefix") or rule.get("Prefix") or "",
        rule.get("Expiration", {}).get("Days"),
        rule.get("AbortIncompleteMultipartUpload", {}).get("DaysAfterInitiation"),
    ]


def _encryption(s3: Client, name: str) -> Item:
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    return Item(
        f"bucket {name}, encryption",
        # Keep an operator's choice, such as KMS.
        lambda: bool(s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]),
        True,
        lambda: s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [rule]}),
    )


def _privacy(s3: Client, name: str) -> Item:
    wanted = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
    return Item(
        f"bucket {name}, no public access",
        lambda: s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"],
        wanted,
        lambda: s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=wanted),
    )


def _tls(s3: Client, name: str) -> Item:
    import boto3

    arn = f"arn:{boto3.session.Session().get_partition_for_region(s3.meta.region_name)}:s3:::{name}"
    statement = {
        "Sid": "EaselTlsAlone",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }

    others: list[object] = []

    def read() -> object:
        found = json.loads(s3.get_bucket_policy(Bucket=name)["Policy"])["Statement"]
        others.extend(entry for entry in found if entry.get("Sid") != statement["Sid"])
        return next((entry for entry in found if entry.get("Sid") == statement["Sid"]), None)

    def write() -> None:
        s3.put_bucket_policy(
            Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [*others, statement]})
        )

    return Item(f"bucket {name}, TLS only", read, statement, write)


# The queue


def queue(env: Mapping[str, str]) -> Iterable[str]:
    """Set up the queue of wake-ups, and the queue of dead letters, which no worker could process."""
    url = env.get("EASEL_BROKER_URL", "")
    parts = _split("EASEL_BROKER_URL", url)
    if url and parts.scheme not in ("sqs", "sqs+http"):
        yield "queue: left out, since EASEL_BROKER_URL names a broker that needs none"
        return
    host = parts.hostname or ""
    region = host.split(".")[1] if host.endswith(".amazonaws.com") else "us-east-1" if url else None
    sqs = _client("sqs", f"http://{parts.netloc}" if parts.scheme == "sqs+http" else None, region)
    name = parts.path.rpartition("/")[2] or "easel"
    dead = f"{name}-dead-letters"
    line = _settle(_queue(sqs, dead, {"MessageRetentionPeriod": str(DEAD_LETTER_RETENTION_S)}))
    yield line
    if "left out" in line:
        return
    url = sqs.get_queue_url(QueueName=dead)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    redrive = {"deadLetterTargetArn": arn, "maxReceiveCount": MOST_RECEIVES}
    attributes = {
        "MessageRetentionPeriod": str(WAKE_UP_RETENTION_S),
        "VisibilityTimeout": str(WAKE_UP_VISIBILITY_S),
        "RedrivePolicy": json.dumps(redrive),
    }
    yield _settle(_queue(sqs, name, attributes))


def _queue(sqs: Client, name: str, attributes: dict[str, str]) -> Item:
    def read() -> dict[str, object]:
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        urls.append(url)
        return {key: _parsed(found.get(key)) for key in attributes}

    def write() -> None:
        if urls:
            sqs.set_queue_attributes(QueueUrl=urls[0], Attributes=attributes)
        else:
            sqs.create_queue(QueueName=name, Attributes=attributes)

    urls: list[str] = []
    return Item(f"queue {name}", read, {key: _parsed(value) for key, value in attributes.items()}, write)


def _parsed(value: str | None) -> object:
    """Return an attribute's value with numbers as int, also inside a policy, where some servers use strings."""
    parsed = json.loads(value) if value else None
    if isinstance(parsed, dict):
        return {key: int(entry) if str(entry).isdecimal() else entry for key, entry in parsed.items()}
    return parsed


# The mail identity


def mail(env: Mapping[str, str]) -> Iterable[str]:
    """Register the sender's address. AWS sends a mail to it, which must be confirmed."""
    url = env.get("EASEL_MAIL_URL", "")
    parts = _split("EASEL_MAIL_URL", url)
    if url and parts.scheme != "ses":
        yield "mail: left out, since EASEL_MAIL_URL does not name SES"
        return
    address = parseaddr(env.get("EASEL_MAIL_FROM", ""))[1]
    if "@" not in address:
        yield "mail: left out, since EASEL_MAIL_FROM is not set to an address"
        return
    ses = _client("ses", None, parts.netloc or None)
    domain = address.rpartition("@")[2]

    def read() -> bool | None:
        pages = ses.get_paginator("list_identities").paginate()
        known = {identity for page in pages for identity in page["Identities"]}
        return bool(known & {address, domain}) or None

    yield _settle(Item(f"mail from {address}", read, True, lambda: ses.verify_email_identity(EmailAddress=address)))


# Secrets


def secrets(env: Mapping[str, str]) -> Iterable[str]:
    """Store each setting that contains a password as a secret, from which EASEL_<NAME>_SECRET reads it."""
    given = {name: value for name in SECRETS if (value := env.get(f"EASEL_{name}"))}
    if not given:
        yield f"secrets: left out, since none of {', '.join(f'EASEL_{name}' for name in SECRETS)} is set"
        return
    manager = _client("secretsmanager", None, None)
    for setting, value in given.items():
        name = env.get(f"EASEL_{setting}_SECRET") or f"easel/{setting.lower().replace('_', '-')}"
        yield _settle(_secret(manager, name, value))


def _secret(manager: Client, name: str, value: str) -> Item:
    def read() -> str:
        found = str(manager.get_secret_value(SecretId=name)["SecretString"])
        is_there.append(True)
        return found

    def write() -> None:
        if is_there:
            manager.put_secret_value(SecretId=name, SecretString=value)
        else:
            manager.create_secret(Name=name, SecretString=value)

    is_there: list[bool] = []
    return Item(f"secret {name}", read, value, write)


# What all parts share


def _settle(item: Item) -> str:
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


def _client(service: str, endpoint: str | None, region: str | None) -> Client:
    import boto3
    from botocore.config import Config

    # An emulator's host name does not contain the bucket's name.
    style = {"addressing_style": "path" if endpoint else "auto"}
    config = Config(s3=style, connect_timeout=5, read_timeout=20, retries={"max_attempts": 3})
    region = region or boto3.session.Session().region_name or "us-east-1"
    client: Client = boto3.client(service, endpoint_url=endpoint, region_name=region, config=config)
    return client


def _endpoint(env: Mapping[str, str], variable: str) -> str | None:
    """Return the server that a variable names, or None for AWS itself, whose regional address boto3 knows."""
    url = env.get(variable, "")
    host = _split(variable, url).hostname or ""
    return None if host.endswith("amazonaws.com") else url or None


def _split(variable: str, url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise Wrong(f"{variable} holds an address that cannot be parsed.") from None
    return parts


def _origins(env: Mapping[str, str]) -> list[str]:
    """Return the origins whose pages may upload; for this machine both of its names, since people type either."""
    given = [env.get("EASEL_PUBLIC_URL") or "http://127.0.0.1:8080", *env.get("EASEL_CORS_ORIGINS", "").split(",")]
    origins = []
    for origin in (entry.strip().rstrip("/") for entry in given):
        parts = _split("EASEL_PUBLIC_URL or EASEL_CORS_ORIGINS", origin)
        names = LOOPBACK_NAMES if parts.hostname in LOOPBACK_NAMES else ()
        port = f":{parts.port}" if parts.port else ""
        origins += [urlunsplit((parts.scheme, name + port, "", "", "")) for name in names] or [origin]
    return list(dict.fromkeys(filter(None, origins)))


PARTS: dict[str, Callable[[Mapping[str, str]], Iterable[str]]] = {
    "bucket": bucket,
    "queue": queue,
    "mail": mail,
    "secrets": secrets,
}


def main(arguments: list[str], env: Mapping[str, str]) -> int:
    """Set up the named parts, or all; return the exit code."""
    try:
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError:
        return _complain(1, "This needs boto3, which this Python does not have.")
    try:
        for name in arguments:
            if name not in PARTS:
                raise Wrong(f"'{name[:40]}' is not one of {', '.join(PARTS)}.")
        for name in arguments or PARTS:
            for line in PARTS[name](env):
                print(line, flush=True)
    except Wrong as wrong:
        return _complain(2, str(wrong))
    except ClientError as error:
        return _complain(1, f"{error.operation_name} was refused: {error.response['Error']['Code']}.")
    except BotoCoreError as error:
        return _complain(1, str(error))
    return 0


def _complain(code: int, sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
