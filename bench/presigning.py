"""Microseconds per presigned URL, beside boto3 with the same keys."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from uuid import uuid4

import boto3
from botocore.client import Config

from bench.ground import Ground
from bench.table import Bound, Row, in_turns

ROUNDS = 7
URLS = 500


def presign(ground: Ground) -> Iterator[Row]:
    """Measure the time per URL in this process; no request is sent.

    Every round uses new object keys, since Easel signs a key once in a window and caches the URL.
    """
    settings, storage = ground.services.settings, ground.services.storage
    client = boto3.client(
        "s3",
        endpoint_url=settings.s3_public_endpoint,
        region_name=settings.s3_region,
        aws_access_key_id=settings.s3_access_key,
        aws_secret_access_key=settings.s3_secret_key,
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    now = datetime.now(UTC)

    def theirs(key: str) -> str:
        place = {"Bucket": settings.s3_bucket, "Key": key}
        url: str = client.generate_presigned_url("get_object", Params=place, ExpiresIn=settings.url_ttl_s)
        return url

    figures = in_turns(
        lambda: _microseconds(lambda key: storage.presigned_url(key, now)), lambda: _microseconds(theirs), ROUNDS
    )
    yield Row("presigned URL", "µs", *figures, "boto3 generate_presigned_url", Bound(1, at_most=True))


def _microseconds(sign: Callable[[str], str]) -> float:
    keys = [f"jobs/{uuid4()}/attempt/0.png" for _ in range(URLS)]
    begin = time.perf_counter()
    for key in keys:
        sign(key)
    return (time.perf_counter() - begin) / URLS * 1e6
