"""What others notice while 60 connections log in with wrong passwords: the latency of GET /v1/me, and memory.

Everything runs on this machine and is ended after some seconds.
"""

import json
from collections.abc import Iterator
from statistics import median

from bench.ground import Ground
from bench.table import Bound, Row
from bench.watchers import gateway_process
from bench.web_requests import gateway, get
from local.ports import free_port

ROUNDS = 3
SECONDS = 6.0
WARM_S = 3.0
CONNECTIONS = 4
EVERY_S = 0.05
ATTACKERS = 60
MOST_TIMES_SLOWER = 8.0
"""The 99th percentile: the attackers' own connections keep the event loop and one of two cores busy."""


def passwords(ground: Ground) -> Iterator[Row]:
    """Measure in turns: the victims alone, and beside the attackers."""
    port = free_port()
    plan = {
        "port": port,
        "seconds": SECONDS,
        "connections": CONNECTIONS,
        "status": 200,
        "every_s": EVERY_S,
        "requests": [get("/v1/me", token) for _, token in ground.users(CONNECTIONS)],
    }
    idle, attacked = [], []
    with ground.processes(gateway(ground, "gateway", port)):
        _p99_ms(ground, plan | {"seconds": WARM_S})
        before_mb = _memory_mb()
        for _ in range(ROUNDS):
            idle.append(_p99_ms(ground, plan))
            with ground.processes(ground.python("attackers", "bench.wrong_logins", str(port), str(ATTACKERS))):
                _p99_ms(ground, plan | {"seconds": WARM_S})
                attacked.append(_p99_ms(ground, plan))
        after_mb = _memory_mb()
    name = f"99th percentile of GET /v1/me beside {ATTACKERS} wrong log-ins at once"
    yield Row(name, "ms", median(attacked), median(idle), "an idle site", Bound(MOST_TIMES_SLOWER, at_most=True))
    yield Row("memory of the gateway after it", "MB", after_mb, before_mb, "before it", Bound(2.0, at_most=True))


def _p99_ms(ground: Ground, plan: dict[str, object]) -> float:
    return float(json.loads(ground.run("-m", "bench.load", given=json.dumps(plan)))["p99_ms"])


def _memory_mb() -> float:
    return float(gateway_process().memory_info().rss / 1e6)
