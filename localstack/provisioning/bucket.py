"""The bucket of pictures, on S3."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from provisioning.clients import Client, Wrong, connect, endpoint_of
from provisioning.items import Item, settle
from provisioning.origins import origins_of


def bucket(env: Mapping[str, str]) -> Iterable[str]:
    """Set up a private, encrypted bucket that the site's pages may use, with rules that delete leftovers."""
    name, region = env.get("EASEL_S3_BUCKET") or "easel", env.get("EASEL_S3_REGION") or "us-east-1"
    endpoint = endpoint_of(env, "EASEL_S3_ENDPOINT") or env.get("AWS_ENDPOINT_URL")
    s3 = connect("s3", endpoint, region)
    place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    yield settle(
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
        _cors(s3, name, allowed_origins(env)),
        _lifecycle(s3, name, "lifecycle", conformance),
        # A server that accepts the rule above but not this one, like MinIO, removes unfinished uploads by itself.
        _lifecycle(s3, name, "unfinished uploads", unfinished)._replace(not_known=frozenset({"InvalidArgument"})),
        _encryption(s3, name),
        _privacy(s3, name),
    ):
        yield settle(item)
    if endpoint and endpoint.startswith("http://"):
        yield f"bucket {name}, TLS only: left out, since {endpoint} has none"
    else:
        yield settle(_tls(s3, name))


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


def allowed_origins(env: Mapping[str, str]) -> list[str]:
    """Return the origins whose pages may upload.

    Raises:
        Wrong: A variable holds an address that has no origin.
    """
    given = [env.get("EASEL_PUBLIC_URL") or "http://127.0.0.1:8080", *env.get("EASEL_CORS_ORIGINS", "").split(",")]
    try:
        origins = [origin for address in given if address.strip() for origin in origins_of(address)]
    except ValueError as error:
        raise Wrong(f"EASEL_PUBLIC_URL or EASEL_CORS_ORIGINS {error}") from None
    return list(dict.fromkeys(origins))
