#!/bin/sh
# Migrates the database to this version. If other machines can reach this site, it first refuses the public passwords of
# docker-compose.yml and a storage that checks no signatures. No other part starts unless this script succeeds.
set -eu
case "$EASEL_BIND $(printf %s "${EASEL_PUBLIC_URL%/}" | tr '[:upper:]' '[:lower:]')" in
  "127.0.0.1 http://127.0.0.1" | "127.0.0.1 http://127.0.0.1:"* | "127.0.0.1 http://localhost" | "127.0.0.1 http://localhost:"*) ;;
  *)
    case "$EASEL_DATABASE_URL $AWS_SECRET_ACCESS_KEY" in
      *only-on-this-machine*)
        echo "easel: others can reach this site. Set EASEL_DATABASE_PASSWORD and EASEL_S3_SECRET_KEY first: docs/docker.md" >&2
        exit 1
        ;;
    esac
    if [ "${COMPOSE_PROFILES:-}" = localstack ]; then
      echo "easel: others can reach this site, and LocalStack checks no signature. Choose another storage: docs/docker.md" >&2
      exit 1
    fi
    ;;
esac
exec python -m alembic upgrade head
