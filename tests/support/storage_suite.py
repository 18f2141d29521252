"""The suite for every server: each conformance check, a long list, and the provisioning script."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import boto3
import pytest
from botocore.config import Config

from shared.clients.storage_checks import Check
from shared.clients.storage_probe import Probe
from shared.core.settings import Settings
from tests.support.storage_conformance import CHECKS
from tests.support.storage_deviations import LEFT_OUT, deviations_of
from tests.support.storage_servers import FRIEND, ORIGIN, WANTED, provision, settings_of
from tests.support.world import delete_prefix

# Outcomes of a server that accepts what it should refuse.
LET_THROUGH = re.compile(r"was answered 20[0-4]\.|lets the pages of every origin")
# One more than a list page and than one delete request can hold.
MANY = 1001


@dataclass
class Place:
    """A provisioned server, the output of provisioning, and a probe on it."""

    env: dict[str, str]
    parts: tuple[str, ...]
    set_up: dict[str, str]
    probe: Probe

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.env["EASEL_S3_ENDPOINT"],
            region_name="us-east-1",
            aws_access_key_id=self.env["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.env["AWS_SECRET_ACCESS_KEY"],
            config=Config(s3={"addressing_style": "path"}),
        )


class StorageSuite:
    """Tests inherited once for each server, which starts once."""

    server: ClassVar[str]
    start: ClassVar["staticmethod[[Path], AbstractContextManager[dict[str, str]]]"]

    @pytest.fixture(scope="class")
    @classmethod
    def place(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
        with cls.start(tmp_path_factory.mktemp("storage")) as given:
            env = WANTED | given
            # A server of only S3 has no queue, no mail and no secrets.
            parts = () if "AWS_ENDPOINT_URL" in env else ("bucket",)
            set_up = outcomes(provision(env, *parts))
            probe = Probe(settings_of(env))
            yield Place(env, parts, set_up, probe)
            probe.close()

    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
    def test_promise(self, place: Place, check: Check) -> None:
        broken = check.outcome(place.probe)
        reason = deviations_of(self.server).get(check.name)
        if reason is None:
            assert broken is None, f"{check.promise} {broken}"
            return
        assert broken is not None, f"{self.server} passes this now: remove {check.name} from the deviations."
        assert LET_THROUGH.search(str(broken)), broken
        pytest.xfail(f"{broken} {reason}")

    def test_a_long_list_is_complete(self, place: Place) -> None:
        storage, prefix = place.probe.storage, place.probe.prefix + "many/"
        keys = {f"{prefix}{number:04}": 1 for number in range(MANY)}
        with ThreadPoolExecutor(8) as pool:
            for done in [pool.submit(storage.put, key, b"1", "image/png") for key in keys]:
                done.result()
        assert storage.sizes_bytes(prefix) == keys
        assert delete_prefix(storage, prefix) == MANY
        assert storage.sizes_bytes(prefix) == {}

    def test_provisioning_again_changes_nothing(self, place: Place) -> None:
        again = outcomes(provision(place.env, *place.parts))
        assert again.keys() == place.set_up.keys()
        left_out = {thing for thing, outcome in again.items() if outcome.startswith("left out")}
        assert {outcome for thing, outcome in again.items() if thing not in left_out} == {"already"}
        assert {re.sub(r" for .*", "", thing.partition(", ")[2]) for thing in left_out} == LEFT_OUT[self.server]

    def test_the_bucket_is_set_up(self, place: Place) -> None:
        s3, name = place.client("s3"), place.env["EASEL_S3_BUCKET"]
        left_out = LEFT_OUT[self.server]
        rules = {rule["ID"]: rule for rule in s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]}
        assert rules["easel-conformance"]["Expiration"]["Days"] == 1
        assert rules["easel-conformance"]["Filter"]["Prefix"] == "conformance/", "start pictures of jobs never expire"
        if "unfinished uploads" not in left_out:
            abort = rules["easel-unfinished-uploads"]["AbortIncompleteMultipartUpload"]
            assert abort == {"DaysAfterInitiation": 1}
        if "CORS" not in left_out:
            [cors] = s3.get_bucket_cors(Bucket=name)["CORSRules"]
            assert cors["AllowedOrigins"] == [ORIGIN, ORIGIN.replace("127.0.0.1", "localhost"), FRIEND]
            assert cors["AllowedMethods"] == ["GET", "HEAD", "POST"]
        if "encryption" not in left_out:
            [rule] = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
            assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
        if "no public access" not in left_out:
            block = s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
            assert set(block.values()) == {True}
            assert len(block) == 4

    def test_the_queue_dead_letters_undeliverable_messages(self, place: Place) -> None:
        _only_with_aws(place)
        sqs = place.client("sqs")
        url = sqs.get_queue_url(QueueName="easel")["QueueUrl"]
        dead = sqs.get_queue_url(QueueName="easel-dead-letters")["QueueUrl"]
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "0"})
        try:
            sqs.send_message(QueueUrl=url, MessageBody="wake up")
            taken = [len(sqs.receive_message(QueueUrl=url).get("Messages", [])) for _ in range(6)]
            assert taken == [1, 1, 1, 1, 1, 0]
            [letter] = sqs.receive_message(QueueUrl=dead, WaitTimeSeconds=5)["Messages"]
            assert letter["Body"] == "wake up"
        finally:
            provision(place.env, "queue")

    def test_mail_may_be_sent_from_its_address(self, place: Place) -> None:
        _only_with_aws(place)
        address = "pictures@example.com"
        assert address in place.client("ses").list_identities()["Identities"]

    def test_a_secret_becomes_a_setting(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        _only_with_aws(place)
        for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, place.env[name])
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        given = {"EASEL_DATABASE_URL_SECRET": "easel/database-url", "EASEL_BROKER_URL": "redis://127.0.0.1:9/0"}
        assert Settings.from_environment(given).database_url == WANTED["EASEL_DATABASE_URL"]


def outcomes(lines: list[str]) -> dict[str, str]:
    """Return the outcome of each thing, by the words of its line."""
    return dict(re.split(r": (?=made|changed|already|left out)", line) for line in lines)


def _only_with_aws(place: Place) -> None:
    if place.parts:
        pytest.skip("this server speaks S3 alone")
