#!/bin/sh
# LocalStack and MiniStack run this at every start, as soon as they answer; they keep nothing across a restart.
set -eu
listen="${GATEWAY_LISTEN:-4566}"
export AWS_ENDPOINT_URL="${AWS_ENDPOINT_URL:-http://127.0.0.1:${listen##*:}}"
export EASEL_S3_ENDPOINT="$AWS_ENDPOINT_URL"
export AWS_ACCESS_KEY_ID="${AWS_ACCESS_KEY_ID:-test}" AWS_SECRET_ACCESS_KEY="${AWS_SECRET_ACCESS_KEY:-test}"
exec python3 "$(dirname "$0")/../provision.py"
