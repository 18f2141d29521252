#!/bin/sh
# LocalStack and MiniStack run this as soon as they answer; what they hold lasts no longer than they do.
set -eu
export AWS_ENDPOINT_URL="${AWS_ENDPOINT_URL:-http://127.0.0.1:4566}"
export EASEL_S3_ENDPOINT="$AWS_ENDPOINT_URL"
export AWS_ACCESS_KEY_ID="${AWS_ACCESS_KEY_ID:-test}" AWS_SECRET_ACCESS_KEY="${AWS_SECRET_ACCESS_KEY:-test}"
exec "${EASEL_PYTHON:-python3}" "$(dirname "$0")/../provision.py"
