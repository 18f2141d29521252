"""Makes the embedded stack's bucket and lets the site's pages use it: `python -m local.bucket <origin>`."""

import os
import sys
from urllib.parse import urlsplit, urlunsplit

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

LOOPBACK_NAMES = ("127.0.0.1", "localhost")


def main(origin: str) -> None:
    """Create the bucket where it is absent and set its CORS rule. Doing it again changes nothing."""
    client = boto3.client(
        "s3",
        endpoint_url=os.environ["EASEL_S3_ENDPOINT"],
        region_name=os.environ["EASEL_S3_REGION"],
        config=Config(s3={"addressing_style": "path"}, connect_timeout=5, read_timeout=10, retries={"max_attempts": 3}),
    )
    bucket = os.environ["EASEL_S3_BUCKET"]
    try:
        client.head_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
            raise
        client.create_bucket(Bucket=bucket)
    rule = {
        "AllowedOrigins": allowed_origins(origin),
        "AllowedMethods": ["GET", "HEAD", "POST"],
        "AllowedHeaders": ["*"],
        "ExposeHeaders": ["ETag"],
        "MaxAgeSeconds": 3600,
    }
    client.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [rule]})


def allowed_origins(origin: str) -> list[str]:
    """The site's origin; for one on this machine also its other names, since people type either."""
    parts = urlsplit(origin)
    if parts.hostname not in LOOPBACK_NAMES:
        return [origin]
    port = f":{parts.port}" if parts.port else ""
    return [urlunsplit((parts.scheme, name + port, "", "", "")) for name in LOOPBACK_NAMES]


if __name__ == "__main__":
    main(sys.argv[1])
