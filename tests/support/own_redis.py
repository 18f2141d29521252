"""A Redis of the test's own, whose mode the test may change, and which it may kill."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import redis

from local.ports import free_port
from local.process import Part, Process
from local.servers import redis as redis_server
from tests.support.waiting import until


@dataclass
class OwnRedis:
    """One Redis server, which has its data only in memory."""

    part: Part
    log: Path
    _process: Process = field(init=False)

    def start(self) -> None:
        """Start the server. Returns when it answers."""
        self._process = Process(self.part, self.log, lambda _name, _line: None)
        until(self._process.is_ready, "Redis answers")

    def kill(self) -> None:
        """Send SIGKILL to the server, and wait for its end."""
        self._process.kill()
        until(lambda: self._process.exit_code is not None, "Redis has ended")
        self._process.close()

    def restart(self) -> None:
        """Kill the server, and start it again without its data."""
        self.kill()
        self.start()


@contextmanager
def killable_redis(*options: str) -> Iterator["tuple[str, redis.Redis, OwnRedis]"]:
    """Run a Redis with these options of its command line; yield its address, a client and the server."""
    with tempfile.TemporaryDirectory(prefix="easel-redis-") as home:
        server = redis_server(Path(home), free_port(), without=())
        [part] = server.parts
        own = OwnRedis(replace(part, argv=(*part.argv, *options)), Path(home) / "redis.log")
        own.start()
        url = server.env["EASEL_BROKER_URL"]
        try:
            with closing(redis.Redis.from_url(url)) as client:
                yield url, client, own
        finally:
            own.kill()


@contextmanager
def own_redis(*options: str) -> Iterator["tuple[str, redis.Redis]"]:
    """Run a Redis with these options of its command line; yield its address and a client."""
    with killable_redis(*options) as (url, client, _):
        yield url, client


def become_replica(server: redis.Redis) -> Callable[[], object]:
    """As after a failover, when another server has become the primary."""
    server.replicaof("127.0.0.1", 9)
    return lambda: server.replicaof("NO", "ONE")


def demand_a_replica(server: redis.Redis) -> Callable[[], object]:
    server.config_set("min-replicas-to-write", 1)
    return lambda: server.config_set("min-replicas-to-write", 0)


def be_full(server: redis.Redis) -> Callable[[], object]:
    server.config_set("maxmemory", 1)
    return lambda: server.config_set("maxmemory", 0)


def change_the_password(server: redis.Redis) -> Callable[[], object]:
    password = server.config_get("requirepass")["requirepass"]
    server.config_set("requirepass", "another")
    server.client_kill_filter(skipme=True)
    return lambda: server.config_set("requirepass", str(password))


REFUSALS: dict[str, Callable[[redis.Redis], Callable[[], object]]] = {
    "READONLY": become_replica,
    "NOREPLICAS": demand_a_replica,
    "OOM": be_full,
    "WRONGPASS": change_the_password,
}
"""What makes Redis answer with this error; each returns what makes it work again."""


def count_errors(server: redis.Redis, code: str) -> int:
    """Return how often Redis has answered with this error."""
    found = server.info("errorstats").get(f"errorstat_{code}")
    return int(found["count"]) if found else 0
