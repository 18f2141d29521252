"""A Redis of the test's own, whose mode the test may change."""

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import redis

from local.ports import free_port
from local.servers import redis as redis_server
from local.stack import Stack, running


@contextmanager
def own_redis(*options: str) -> Iterator["tuple[str, redis.Redis]"]:
    """Run a Redis with these options of its command line; yield its address and a client."""
    with tempfile.TemporaryDirectory(prefix="easel-redis-") as home:
        server = redis_server(Path(home), free_port(), without=())
        parts = [replace(part, argv=(*part.argv, *options)) for part in server.parts]
        url = server.env["EASEL_BROKER_URL"]
        with running(Stack(parts, Path(home) / "log")), closing(redis.Redis.from_url(url)) as client:
            yield url, client
