"""Buckets, queue, database, poller and alarms: their rules, and the numbers that the code has, too."""

import re
from dataclasses import fields

import pytest

from shared.clients.broker import celery_app
from shared.clients.storage import POST_LIFETIME_S
from shared.core.settings import Settings
from shared.generators.addresses import PROTOCOLS
from shared.jobs import states as jobs
from shared.polling.pump import STOP_S
from tests.support.configuration import (
    TERRAFORM,
    Block,
    blocks,
    defaults,
    locals_of,
    nested,
    resource,
    resources,
    text_of,
)
from tests.support.paths import ROOT

BUCKETS = resources("aws_s3_bucket")
ALARMS = ("failed-jobs", "oldest-queued-job", "dead-letters", "mail-dead-letters", "errors-5xx")


def of_bucket(kind: str, bucket: Block) -> Block:
    """Return the one resource of this type that belongs to a bucket."""
    name = f"${{aws_s3_bucket.{bucket.labels[1]}.id}}"
    [found] = [block for block in resources(kind) if block.folder == bucket.folder and block.body["bucket"] == name]
    return found


@pytest.mark.parametrize("bucket", BUCKETS, ids=lambda block: block.address)
def test_a_bucket_is_private(bucket: Block) -> None:
    access = of_bucket("aws_s3_bucket_public_access_block", bucket).body
    names = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
    assert all(access[name] is True for name in names)
    [rule] = nested(of_bucket("aws_s3_bucket_ownership_controls", bucket).body, "rule")
    assert rule["object_ownership"] == "BucketOwnerEnforced"


@pytest.mark.parametrize("bucket", BUCKETS, ids=lambda block: block.address)
def test_a_bucket_is_encrypted(bucket: Block) -> None:
    [rule] = nested(of_bucket("aws_s3_bucket_server_side_encryption_configuration", bucket).body, "rule")
    [by_default] = rule["apply_server_side_encryption_by_default"]
    assert by_default["sse_algorithm"] in ("AES256", "aws:kms")


@pytest.mark.parametrize("bucket", BUCKETS, ids=lambda block: block.address)
def test_a_bucket_accepts_only_tls(bucket: Block) -> None:
    """The golden list has the policy's content; this checks that the bucket has the policy."""
    policy = of_bucket("aws_s3_bucket_policy", bucket).body
    assert policy["policy"].startswith("${data.aws_iam_policy_document.")
    assert "OnlyOverTls" in text_of(bucket.folder / ("main.tf" if bucket.folder.name == "storage" else "bucket.tf"))
    assert policy.get("count") in (None, "${var.tls_only ? 1 : 0}")
    assert defaults(bucket.folder.name).get("tls_only", True) is True


@pytest.mark.parametrize("bucket", BUCKETS, ids=lambda block: block.address)
def test_unfinished_uploads_are_removed(bucket: Block) -> None:
    rules = nested(of_bucket("aws_s3_bucket_lifecycle_configuration", bucket).body, "rule")
    [rule] = [rule for rule in rules if "abort_incomplete_multipart_upload" in rule]
    days = rule["abort_incomplete_multipart_upload"][0]["days_after_initiation"]
    assert days * 24 * 3600 > POST_LIFETIME_S


def test_no_rule_deletes_what_a_job_refers_to() -> None:
    """Pictures and start pictures are deleted with their rows; only the database knows when."""
    [pictures] = [bucket for bucket in BUCKETS if bucket.labels[1] == "pictures"]
    for rule in nested(of_bucket("aws_s3_bucket_lifecycle_configuration", pictures).body, "rule"):
        if "expiration" in rule:
            assert rule["filter"][0]["prefix"] == "conformance/"


def test_browsers_may_read_and_upload() -> None:
    [cors] = resources("aws_s3_bucket_cors_configuration")
    [rule] = cors.nested("cors_rule")
    assert rule["allowed_methods"] == ["GET", "HEAD", "POST"]
    assert rule["allowed_origins"] == "${var.origins}"


def task_time_limit_s() -> int:
    environment = {"EASEL_DATABASE_URL": "postgresql://h/e", "EASEL_BROKER_URL": "sqs://h/1/easel"}
    limit: int = celery_app(Settings.from_environment(environment)).conf.task_time_limit
    return limit


def test_the_visibility_timeout_covers_the_longest_task() -> None:
    """A message waits for an earlier task; with less time, two workers would be woken by it."""
    numbers = defaults("queue")
    assert numbers["task_time_limit_s"] == task_time_limit_s()
    assert numbers["lease_s"] == jobs.LEASE_S
    assert numbers["visibility_timeout_s"] >= task_time_limit_s()
    assert numbers["visibility_timeout_s"] > jobs.LEASE_S


def test_the_queue_has_dead_letters_and_is_encrypted() -> None:
    wake_ups, dead = resource("queue", "aws_sqs_queue", "this"), resource("queue", "aws_sqs_queue", "dead")
    assert wake_ups.body["sqs_managed_sse_enabled"] is True
    assert dead.body["sqs_managed_sse_enabled"] is True
    assert "maxReceiveCount" in wake_ups.body["redrive_policy"]


def test_the_database_is_private_and_kept() -> None:
    body = resource("database", "aws_db_instance", "this").body
    assert body["publicly_accessible"] is False
    assert body["storage_encrypted"] is True
    assert body["iam_database_authentication_enabled"] is True
    assert defaults("database")["backup_days"] >= 7
    assert defaults("database")["deletion_protection"] is True
    assert defaults("database")["engine_version"] == "18"


def test_the_proxy_requires_tls_and_a_token() -> None:
    proxy = resource("database", "aws_db_proxy", "this")
    assert proxy.body["require_tls"] is True
    [auth] = proxy.nested("auth")
    assert (auth["auth_scheme"], auth["iam_auth"]) == ("SECRETS", "REQUIRED")
    [output] = re.findall(r'"(postgresql://.+)"', text_of(TERRAFORM / "modules" / "database" / "outputs.tf"))
    assert "password" not in output
    assert output.endswith("?sslmode=require")


@pytest.mark.parametrize("part", ["worker", "operate"])
def test_a_container_may_write_only_under_tmp(part: str) -> None:
    local = locals_of("poller")
    assert local[part].startswith("${merge(local.base, {")
    assert local["base"]["user"] == "10001"
    assert local["base"]["readonlyRootFilesystem"] is True
    assert [mount["containerPath"] for mount in local["base"]["mountPoints"]] == ["/tmp"]


def test_the_containers_run_what_the_image_has() -> None:
    code = text_of(TERRAFORM / "modules" / "poller" / "main.tf")
    for command in (
        '["python", "-m", "poller", "worker", "--concurrency", tostring(var.concurrency), '
        '"--heartbeat", "/tmp/worker"]',
        '["CMD", "python", "-m", "poller.heartbeat", "/tmp/worker"]',
        '["python", "-m", "alembic", "upgrade", "head"]',
    ):
        assert command in code


def test_the_image_has_a_tmp_that_fargate_leaves_writable() -> None:
    """Fargate mounts an empty volume owned by root, unless the image declares the folder (VOLUME) with its owner."""
    dockerfile = ROOT / "Dockerfile"
    if not dockerfile.exists():
        pytest.skip("there is no Dockerfile of the app in this checkout")
    assert re.search(r"^VOLUME .*/tmp\b", dockerfile.read_text(encoding="utf-8"), re.MULTILINE)


def test_a_worker_has_time_to_finish_its_step() -> None:
    least = max(STOP_S, jobs.LEASE_S)
    assert least < defaults("poller")["stop_timeout_s"] <= 120
    [check] = [
        block.nested("validation")[0]["condition"]
        for block in _variables("poller")
        if block.labels[0] == "stop_timeout_s"
    ]
    assert f"var.stop_timeout_s >= {int(least + 10)}" in check


def _variables(module: str) -> list[Block]:
    return [block for block in blocks("variable") if block.folder == TERRAFORM / "modules" / module]


def test_the_service_rolls_back_by_itself() -> None:
    service = resource("poller", "aws_ecs_service", "poller")
    [breaker] = service.nested("deployment_circuit_breaker")
    assert breaker == {"enable": True, "rollback": True}
    assert resource("poller", "aws_ecr_repository", "app").body["image_tag_mutability"] == "IMMUTABLE"
    assert locals_of("poller")["image"] == "${aws_ecr_repository.app.repository_url}@${var.image_digest}"


@pytest.mark.parametrize(
    "variable",
    [block for block in blocks("variable") if "generators" in block.labels[0]],
    ids=lambda block: block.address,
)
def test_the_protocols_of_generators_are_those_of_the_code(variable: Block) -> None:
    text = " ".join(check["condition"] for check in variable.nested("validation"))
    for alternatives in re.findall(r"\^\(([a-z_|]+)\)", text):
        assert set(alternatives.split("|")) == set(PROTOCOLS)
    assert "generators_secret_version" in variable.labels or "^(" in text


@pytest.mark.parametrize("group", resources("aws_cloudwatch_log_group"), ids=lambda block: block.address)
def test_logs_are_kept_for_a_while_and_no_longer(group: Block) -> None:
    assert group.body["retention_in_days"] == "${var.log_retention_days}"
    assert defaults(group.folder.name)["log_retention_days"] == 30


def test_the_alarms_have_their_fixed_names() -> None:
    alarms = [block for block in resources("aws_cloudwatch_metric_alarm") if block.folder.name == "observability"]
    assert sorted(block.body["alarm_name"] for block in alarms) == sorted(f"${{var.name}}-{name}" for name in ALARMS)
    [budget] = resources("aws_budgets_budget")
    assert budget.body["name"] == "${var.name}-spend"
    for block in alarms:
        assert block.body["alarm_actions"] == ["${aws_sns_topic.alarms.arn}"]
        assert block.body["alarm_description"].endswith(".")


def test_dead_letters_of_both_queues_are_alarms() -> None:
    for name in ("dead_letters", "mail_dead_letters"):
        alarm = resource("observability", "aws_cloudwatch_metric_alarm", name).body
        assert alarm["dimensions"] == {"QueueName": f"${{var.{name}}}"}
        assert alarm["threshold"] == "${var.thresholds.dead_letters}"


def test_a_silent_poller_is_an_alarm() -> None:
    assert resource("observability", "aws_cloudwatch_metric_alarm", "oldest_queued_job").body["treat_missing_data"] == (
        "breaching"
    )


def test_the_metrics_are_read_from_the_pollers_line() -> None:
    local = locals_of("observability")
    assert local["queue_line"] == '{ $.message = "queue" }'
    named: dict[str, str] = local["metrics"]
    assert named == {name: f"$.{name}" for name in named}
    used = {block.body["metric_name"] for block in resources("aws_cloudwatch_metric_alarm")}
    assert {"failed", "oldest_queued_s"} <= used
    assert set(named) == {"failed", "oldest_queued_s", "queued"}


def test_the_poller_writes_that_line() -> None:
    metrics_store = pytest.importorskip("shared.metrics.store")
    written = {field.name for field in fields(metrics_store.QueueReport)}
    assert set(locals_of("observability")["metrics"]) <= written
