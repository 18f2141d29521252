#!/bin/sh
# Brings the database up to this version. Before that, it looks whether others can reach this site. If so, it accepts
# neither the passwords that everybody can read in docker-compose.yml nor a storage that checks no signature: no other
# part starts unless this ends well.
set -eu
case "$EASEL_BIND $EASEL_PUBLIC_URL" in
  "127.0.0.1 http://127.0.0.1:"* | "127.0.0.1 http://localhost:"*) ;;
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
