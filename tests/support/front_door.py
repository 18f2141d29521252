"""nginx with the project's configuration on free ports of this machine, in front of apps of this process."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infra.site import write_nginx_headers, write_site
from local.ports import free_port
from local.servers import http_answers
from tests.support.listening import listening
from tests.support.paths import ROOT
from tests.support.processes import started
from tests.support.waiting import until

STORAGE_URL = "http://127.0.0.1:9000"


@dataclass(frozen=True)
class FrontDoor:
    """Addresses of the site and of the storage's door, and the file of nginx's access log."""

    url: str
    storage_url: str
    log: Path


def behind_a_proxy(app: Any) -> AbstractContextManager[str]:
    """Serve the ASGI app as the gateway does, behind a proxy; yield its host:port."""
    return listening(app, forwarded_allow_ips="*", lifespan="off")


@contextmanager
def front_door(gateway: str, storage: str, **variables: str) -> Iterator[FrontDoor]:
    """Start nginx as its container does. Skips the test without nginx."""
    for program in ("nginx", "envsubst"):
        if shutil.which(program) is None:
            pytest.skip(f"there is no {program} on the PATH (Debian: apt install nginx-light gettext-base)")
    port, storage_port = free_port(), free_port()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_site(folder / "site")
        write_nginx_headers(folder / "headers")
        # nginx drops root's rights, and pytest's folders are private.
        user = "nobody" if os.geteuid() == 0 else None
        if user:
            shutil.chown(folder, user)
        environment = {
            "PATH": os.environ["PATH"],
            "RUN": str(folder / "run"),
            "SITE": str(folder / "site"),
            "HEADERS": str(folder / "headers"),
            "ACCESS_LOG": str(folder / "access.log"),
            "SITE_PORT": str(port),
            "STORAGE_PORT": str(storage_port),
            "GATEWAY": gateway,
            "STORAGE": storage,
            "EASEL_PUBLIC_URL": "http://127.0.0.1:8080",
            **variables,
        }
        script = ["sh", str(ROOT / "docker" / "nginx" / "start.sh")]
        with started(
            script, env=environment, stdin=subprocess.DEVNULL, user=user, extra_groups=[] if user else None
        ) as process:
            try:
                until(lambda: process.poll() is not None or http_answers(port, "/favicon.svg"), "nginx answers")
                assert process.poll() is None
                yield FrontDoor(f"http://127.0.0.1:{port}", f"http://127.0.0.1:{storage_port}", folder / "access.log")
            finally:
                process.terminate()
                process.wait(60)
