"""`python -m infra.site` writes exactly what the gateway serves, with the same bytes each time."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from functions.gateway import create_gateway
from infra.site import main, write_site
from shared.core.settings import Settings
from shared.services import Services
from tests.support.front_door import behind_a_proxy
from tests.support.paths import ROOT


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the site with the command, in an environment without settings."""
    folder = tmp_path_factory.mktemp("static") / "site"
    environment = {"PATH": os.environ["PATH"]}
    command = [sys.executable, "-m", "infra.site", str(folder)]
    subprocess.run(command, check=True, env=environment, cwd=ROOT, timeout=120, stdin=subprocess.DEVNULL)
    return folder


@pytest.fixture(scope="module")
def gateway() -> Iterator[str]:
    """Return a gateway whose settings differ from those under which the site is written."""
    settings = Settings.from_environment(
        {
            "EASEL_DATABASE_URL": "postgresql://127.0.0.1:1/none",
            "EASEL_BROKER_URL": "redis://127.0.0.1:1",
            "EASEL_PUBLIC_URL": "https://easel.example.com",
            "EASEL_CORS_ORIGINS": "https://other.example.com",
            "EASEL_MAIL_URL": "smtp://mail.example.com",
            "EASEL_GENERATORS": "glide+http://gpu.example.com",
        }
    )
    with behind_a_proxy(create_gateway(Services(settings))) as address:
        yield f"http://{address}"


def contents(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_every_file_equals_what_the_gateway_serves(site: Path, gateway: str) -> None:
    written = contents(site)
    with requests.Session() as session:
        session.trust_env = False
        for name, digest in written.items():
            answer = session.get(f"{gateway}/{name}", timeout=30)
            assert answer.status_code == 200, name
            assert hashlib.sha256(answer.content).hexdigest() == digest, name


def test_nothing_is_missing(site: Path) -> None:
    web = contents(ROOT / "web")
    written = contents(site)
    assert written.items() >= web.items()
    rest = written.keys() - web.keys()
    assert rest == {
        "openapi.json",
        *("docs/swagger-ui.css", "docs/swagger-ui-bundle.js", "docs/favicon-32x32.png"),
    }


def test_the_same_checkout_gives_the_same_bytes(site: Path, tmp_path: Path) -> None:
    write_site(tmp_path / "again")
    assert contents(tmp_path / "again") == contents(site)


def test_it_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(SystemExit, match="is not empty"):
        main([str(tmp_path)])
    with pytest.raises(SystemExit, match="2"):
        main([])
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
