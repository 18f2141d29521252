"""The script that sets up S3, SQS, SES and Secrets Manager: cases that the servers' suites do not cover, on moto."""

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.server import ThreadedMotoServer

import provision
import provisioning.queue
from provisioning.bucket import allowed_origins
from provisioning.clients import Wrong
from provisioning.items import Item, settle
from shared.clients.broker import celery_app
from shared.clients.sqs import SqsQueue
from tests.support.paths import ROOT
from tests.support.storage_servers import settings_of

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


class Runner:
    """Runs the script in this process, for a new bucket and a new queue."""

    def __init__(self, endpoint: str, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys
        self.name = f"easel-{uuid4()}"
        self.env = {
            "AWS_ENDPOINT_URL": endpoint,
            "EASEL_S3_BUCKET": self.name,
            "EASEL_BROKER_URL": f"sqs+{endpoint}/123456789012/{self.name}",
        }

    def __call__(self, *parts: str, **env: str) -> dict[str, str]:
        """Run these parts; return the outcome of each thing, by the last word of its name."""
        code = provision.main(list(parts), self.env | env)
        printed = self.capsys.readouterr()
        assert (code, printed.err) == (0, "")
        outcomes = [line.partition(": ")[::2] for line in printed.out.replace(" http://", " ").splitlines()]
        return {thing.partition(", ")[2].partition(" for ")[0] or thing: outcome for thing, outcome in outcomes}

    def fails(self, *parts: str, **env: str) -> tuple[int, str]:
        code = provision.main(list(parts), self.env | env)
        return code, self.capsys.readouterr().err


@pytest.fixture
def run(endpoint: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Runner:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": endpoint,
    }.items():
        monkeypatch.setenv(name, value)
    return Runner(endpoint, capsys)


def test_another_origin_replaces_the_first(run: Runner) -> None:
    assert run("bucket", EASEL_PUBLIC_URL="https://one.example.com")["CORS"] == "made"
    assert run("bucket", EASEL_PUBLIC_URL="https://two.example.com")["CORS"] == "changed"
    [rule] = boto3.client("s3").get_bucket_cors(Bucket=run.name)["CORSRules"]
    assert rule["AllowedOrigins"] == ["https://two.example.com"]


def test_origins_allowed_at_the_api_may_upload() -> None:
    env = {"EASEL_PUBLIC_URL": "https://one.example.com/", "EASEL_CORS_ORIGINS": "https://two.example.com, "}
    assert allowed_origins(env) == ["https://one.example.com", "https://two.example.com"]


def test_the_folder_has_the_function_that_the_rest_compares_origins_with() -> None:
    """The folder is also used alone, so it has a copy."""
    copy = ROOT / "localstack" / "provisioning" / "origins.py"
    assert copy.read_bytes() == (ROOT / "shared" / "core" / "origins.py").read_bytes()
    given = {"EASEL_PUBLIC_URL": "http://LocalHost:80", "EASEL_CORS_ORIGINS": "https://B\u00fccher.example:443"}
    assert allowed_origins(given) == ["http://127.0.0.1", "http://localhost", "https://xn--bcher-kva.example"]
    with pytest.raises(Wrong, match="EASEL_PUBLIC_URL"):
        allowed_origins({"EASEL_PUBLIC_URL": "easel.example.com"})


def test_the_operators_choices_are_kept(run: Runner) -> None:
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=run.name)
    own = {"ID": "own", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 9}}
    s3.put_bucket_lifecycle_configuration(Bucket=run.name, LifecycleConfiguration={"Rules": [own]})
    kms = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]}
    s3.put_bucket_encryption(Bucket=run.name, ServerSideEncryptionConfiguration=kms)
    outcomes = run("bucket")
    assert (outcomes["lifecycle"], outcomes["encryption"]) == ("made", "already")
    rules = s3.get_bucket_lifecycle_configuration(Bucket=run.name)["Rules"]
    assert [rule["ID"] for rule in rules] == [
        "own",
        "easel-conformance",
        "easel-unfinished-uploads",
    ]
    [rule] = s3.get_bucket_encryption(Bucket=run.name)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"


@pytest.mark.parametrize(("region", "partition"), [("eu-central-1", "aws"), ("cn-north-1", "aws-cn")])
def test_the_bucket_of_a_region_is_reached_only_over_tls(
    run: Runner, monkeypatch: pytest.MonkeyPatch, region: str, partition: str
) -> None:
    """Uses boto3's default endpoint, as on AWS; the script cannot see that it is an emulator."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", run.env.pop("AWS_ENDPOINT_URL"))
    s3 = boto3.client("s3", region_name=region)
    assert run("bucket", EASEL_S3_REGION=region)["TLS only"] == "made"
    assert set(run("bucket", EASEL_S3_REGION=region).values()) == {"already"}
    assert s3.get_bucket_location(Bucket=run.name)["LocationConstraint"] == region
    policy = json.loads(s3.get_bucket_policy(Bucket=run.name)["Policy"])
    [statement] = policy["Statement"]
    assert (statement["Effect"], statement["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    assert statement["Resource"][0] == f"arn:{partition}:s3:::{run.name}"
    own = {**statement, "Sid": "Own", "Effect": "Allow"}
    s3.put_bucket_policy(Bucket=run.name, Policy=json.dumps(policy | {"Statement": [own]}))
    assert run("bucket", EASEL_S3_REGION=region)["TLS only"] == "made"
    statements = json.loads(s3.get_bucket_policy(Bucket=run.name)["Policy"])["Statement"]
    assert [entry["Sid"] for entry in statements] == ["Own", "EaselTlsAlone"]


def test_the_queue_is_named_by_the_broker_and_restored(run: Runner) -> None:
    assert run("queue") == {f"queue {run.name}-dead-letters": "made", f"queue {run.name}": "made"}
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName=run.name)["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "1"})
    assert run("queue")[f"queue {run.name}"] == "changed"
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
    assert found == {"VisibilityTimeout": "360"}


def test_the_queue_of_mail_events_keeps_what_cannot_be_read(run: Runner) -> None:
    assert run("mail-events") == {"mail-events": "left out, since EASEL_MAIL_EVENTS_URL is not set"}
    name = f"{run.name}-events"
    events = run.env["EASEL_BROKER_URL"].replace(run.name, name)
    assert run("mail-events", EASEL_MAIL_EVENTS_URL=events) == {
        f"queue {name}-dead-letters": "made",
        f"queue {name}": "made",
    }
    assert set(run("mail-events", EASEL_MAIL_EVENTS_URL=events).values()) == {"already"}
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert (found["VisibilityTimeout"], found["MessageRetentionPeriod"]) == ("120", str(14 * 24 * 3600))
    assert json.loads(found["RedrivePolicy"])["deadLetterTargetArn"].endswith(f":{name}-dead-letters")
    sqs.send_message(QueueUrl=url, MessageBody="{}")
    with closing(SqsQueue(events)) as queue:
        assert queue.count() == 1
        assert len(queue.receive()) == 1


def test_a_queue_of_mail_events_elsewhere_is_refused(run: Runner) -> None:
    code, said = run.fails("mail-events", EASEL_MAIL_EVENTS_URL="https://sqs.example.com/1/events")
    assert (code, "EASEL_MAIL_EVENTS_URL" in said) == (2, True)


def test_a_server_without_queues_is_asked_for_none_after_the_first(
    run: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As LocalStack and MiniStack are when they serve only S3."""
    monkeypatch.setattr(provisioning.queue, "settle", lambda item: f"{item.name}: left out")
    assert run("queue") == {f"queue {run.name}-dead-letters": "left out"}


def test_a_message_stays_invisible_while_its_worker_may_need_it() -> None:
    app = celery_app(settings_of({}))
    assert app.conf.task_time_limit <= provisioning.queue.WAKE_UP_VISIBILITY_S


def test_a_secret_follows_its_setting_and_is_not_printed(run: Runner) -> None:
    name, env = f"easel/{uuid4()}", {}
    for password, outcome in [("first", "made"), ("first", "already"), ("second", "changed")]:
        env = {"EASEL_BROKER_URL": "", "EASEL_MAIL_URL_SECRET": name, "EASEL_MAIL_URL": f"smtp://a:{password}@b"}
        outcomes = run("secrets", **env)
        assert outcomes == {f"secret {name}": outcome}
        assert password not in str(outcomes)
    found = boto3.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"]
    assert found == env["EASEL_MAIL_URL"]


def test_an_address_of_a_known_domain_needs_no_separate_identity(run: Runner) -> None:
    domain = f"{uuid4()}.example.com"
    boto3.client("ses").verify_domain_identity(Domain=domain)
    assert run("mail", EASEL_MAIL_FROM=f"Easel <easel@{domain}>") == {f"mail from easel@{domain}": "already"}


@pytest.mark.parametrize(
    ("part", "env", "reason"),
    [
        ("queue", {"EASEL_BROKER_URL": "redis://127.0.0.1/0"}, "EASEL_BROKER_URL names a broker that needs none"),
        ("mail", {"EASEL_MAIL_URL": "smtp://mail.example.com"}, "EASEL_MAIL_URL does not name SES"),
        ("mail", {}, "EASEL_MAIL_FROM is not set to an address"),
        ("secrets", {"EASEL_BROKER_URL": ""}, "none of EASEL_DATABASE_URL, "),
    ],
)
def test_inapplicable_steps_are_skipped_with_a_reason(run: Runner, part: str, env: dict[str, str], reason: str) -> None:
    [outcome] = run(part, **env).values()
    assert outcome.startswith(f"left out, since {reason}")


@pytest.mark.parametrize(
    ("parts", "env", "code", "sentence"),
    [
        (["bukket"], {}, 2, "'bukket' is not one of bucket, queue, mail, mail-events, secrets."),
        (
            ["bucket"],
            {"EASEL_S3_ENDPOINT": "http://[1"},
            2,
            "EASEL_S3_ENDPOINT holds an address that cannot be parsed.",
        ),
        (["bucket"], {"EASEL_PUBLIC_URL": "http://a:b"}, 2, "cannot be parsed."),
        (["queue"], {"EASEL_BROKER_URL": "sqs+http://a:b/c"}, 2, "EASEL_BROKER_URL holds an address"),
        (["bucket"], {"EASEL_S3_ENDPOINT": NOWHERE}, 1, f'Could not connect to the endpoint URL: "{NOWHERE}'),
        (["bucket"], {"EASEL_S3_BUCKET": "Not a bucket"}, 1, "Invalid bucket name"),
    ],
)
def test_an_error_is_reported_in_one_line(
    run: Runner, parts: list[str], env: dict[str, str], code: int, sentence: str
) -> None:
    told = run.fails(*parts, **env)
    assert told[0] == code
    assert sentence in told[1]


def refusing(status: int, code: str) -> Any:
    def call() -> None:
        answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
        raise ClientError(answer, "PutSomething")

    return call


def test_a_call_is_skipped_only_if_the_server_does_not_know_it() -> None:
    def outcome(read: Any, write: Any) -> str:
        return settle(Item("thing", read, True, write))

    assert "left out" in outcome(lambda: None, refusing(501, "NotImplemented"))
    assert "left out" in outcome(refusing(501, "InternalFailure"), lambda: None)
    assert outcome(refusing(404, "NoSuchBucketPolicy"), lambda: None) == "thing: made"
    for status, code in [(403, "AccessDenied"), (400, "InvalidArgument"), (500, "InternalError"), (503, "SlowDown")]:
        for read, write in [(lambda: None, refusing(status, code)), (refusing(status, code), lambda: None)]:
            with pytest.raises(ClientError, match=code):
                outcome(read, write)
