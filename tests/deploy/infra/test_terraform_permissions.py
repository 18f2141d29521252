"""Permissions: the roles' statements are those of the golden list, nothing is open, and the code needs no more."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import botocore.client
import pytest
from kombu import Consumer
from moto.server import ThreadedMotoServer

from functions.http.manifest import manifest
from shared.clients.broker import QUEUE
from shared.core.settings import Settings
from shared.services import Services
from tests.support.configuration import TERRAFORM, Block, blocks, locals_of, nested, resources

GOLDEN = Path(__file__).parent / "golden_iam.txt"
DOCUMENTS = [block for block in blocks("data") if block.labels[0] == "aws_iam_policy_document"]

# AWS cannot restrict these to a resource (Service Authorization Reference).
ON_EVERYTHING = {
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ecr:GetAuthorizationToken",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}
# AWS requires these on all network interfaces of an account; they are allowed in one region.
ON_THE_ACCOUNTS_INTERFACES = {
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:UnassignPrivateIpAddresses",
}


def as_list(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def words(statement: dict[str, Any]) -> Iterator[str]:
    """Return a statement as readable lines."""
    yield f"  {statement.get('effect', 'Allow').lower()} {' '.join(sorted(as_list(statement['actions'])))}"
    for resource in as_list(statement.get("resources", [])):
        yield f"      on {resource}"
    for principals in nested(statement, "principals"):
        yield f"      to {principals['type']} {' '.join(principals['identifiers'])}"
    for condition in nested(statement, "condition"):
        yield f"      if {condition['variable']} {condition['test']} {' '.join(condition['values'])}"


def every_statement() -> str:
    """Return all statements of all policies, and what the permissions table gives to each function."""
    lines = []
    local = locals_of("functions")
    for name in sorted({route["name"] for route in manifest()}):
        lines.append(f"function {name}, beside modules/functions this")
        for need in local["needs"].get(name, []):
            lines += words(local["permissions"][need])
    for document in sorted(DOCUMENTS, key=lambda document: document.address):
        lines.append(document.address.replace("aws_iam_policy_document.", ""))
        for statement in document.nested("statement"):
            lines += words(statement)
    return "\n".join(lines) + "\n"


def test_the_statements_are_those_of_the_golden_list() -> None:
    assert every_statement() == GOLDEN.read_text(encoding="utf-8")


def statements() -> list[tuple[str, dict[str, Any]]]:
    told = [(document.address, statement) for document in DOCUMENTS for statement in document.nested("statement")]
    table = [(f"permission {name}", value) for name, value in locals_of("functions")["permissions"].items()]
    # The statement that inserts the table, one for each need.
    return [pair for pair in told if "local.permissions" not in str(pair[1]["actions"])] + table


@pytest.mark.parametrize(
    ("where", "statement"), statements(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_nothing_is_allowed_on_everything(where: str, statement: dict[str, Any]) -> None:
    if statement.get("effect") == "Deny":
        return
    actions = as_list(statement["actions"])
    assert [action for action in actions if "*" in action] == [], where
    for on in as_list(statement.get("resources", [])):
        if on == "*":
            assert set(actions) <= ON_EVERYTHING, where
        elif on.endswith(":*/*"):
            assert set(actions) <= ON_THE_ACCOUNTS_INTERFACES, where
        else:
            assert on.startswith(("${", "arn:aws:")), where
    for principals in nested(statement, "principals"):
        assert principals["type"] == "Service", where


def test_there_are_no_other_policies() -> None:
    """No policy as raw JSON, no managed policy, no user, no key."""
    kinds = {block.labels[0] for block in blocks("resource")}
    assert not kinds & {"aws_iam_user", "aws_iam_access_key", "aws_iam_role_policy_attachment", "aws_iam_policy"}
    for block in resources("aws_iam_role_policy"):
        assert block.body["policy"].startswith("${data.aws_iam_policy_document."), block.address
    for block in resources("aws_iam_role"):
        assert "managed_policy_arns" not in block.body, block.address


@pytest.mark.parametrize(
    "rule",
    [
        *resources("aws_vpc_security_group_ingress_rule"),
        *resources("aws_security_group"),
        *resources("aws_default_security_group"),
    ],
    ids=lambda block: block.address,
)
def test_no_security_group_is_open_to_the_world(rule: Block) -> None:
    """A rule names the group that it admits; groups contain no inline rules."""
    assert not {"ingress", "egress"} & set(rule.body)
    assert not {"cidr_ipv4", "cidr_ipv6", "prefix_list_id"} & set(rule.body)
    if rule.labels[0] == "aws_vpc_security_group_ingress_rule":
        assert rule.body["referenced_security_group_id"].startswith("${")
        assert rule.body["from_port"] == rule.body["to_port"]
        assert rule.body["description"]


def test_only_the_poller_and_who_signs_people_in_may_reach_the_internet() -> None:
    """The other functions reach S3, SQS and the proxy."""
    out = [block for block in resources("aws_vpc_security_group_egress_rule") if "cidr_ipv4" in block.body]
    assert {block.body["security_group_id"] for block in out} == {
        "${aws_security_group.poller.id}",
        "${aws_security_group.sign_in[0].id}",
    }
    assert not resources("aws_security_group_rule")


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Services, set[str]]]:
    """Return an SQS queue, and the set of operations called on it since."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    called: set[str] = set()
    call = botocore.client.BaseClient._make_api_call

    def spy(client: Any, operation: str, arguments: Any) -> Any:
        called.add(f"{client.meta.service_model.service_name}:{operation}")
        return call(client, operation, arguments)

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        _, port = server.get_host_and_port()
        client = boto3.client("sqs", endpoint_url=f"http://127.0.0.1:{port}")
        address = client.create_queue(QueueName=QUEUE)["QueueUrl"].replace("http://", "sqs+http://")
        client.close()
        monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", spy)
        environment = {"EASEL_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing", "EASEL_BROKER_URL": address}
        yield Services(Settings.from_environment(environment)), called
    finally:
        server.stop()


def test_functions_that_wake_the_poller_have_the_needed_permissions(broker: tuple[Services, set[str]]) -> None:
    services, called = broker
    services.wake_ups.check()
    services.wake_ups.wake()
    assert called == set(locals_of("functions")["permissions"]["wake_poller"]["actions"])


def test_the_poller_has_the_permissions_for_receiving(broker: tuple[Services, set[str]]) -> None:
    services, called = broker
    services.wake_ups.wake()
    received = []
    with services.celery.connection_for_read() as connection, connection.channel() as channel:
        queue = services.celery.amqp.queues[QUEUE](channel)
        queue.queue_declare()

        def take(body: Any, message: Any) -> None:
            received.append(body)
            message.ack()

        with Consumer(channel, queues=[queue], callbacks=[take], accept=["json"]):
            connection.drain_events(timeout=20)
    assert received
    [allowed] = [
        set(statement["actions"])
        for document in DOCUMENTS
        if document.folder == TERRAFORM / "modules" / "poller" and document.labels[1] == "task"
        for statement in document.nested("statement")
        if statement["sid"] == "WakeAndBeWoken"
    ]
    assert {"sqs:ReceiveMessage", "sqs:DeleteMessage"} <= called <= allowed
