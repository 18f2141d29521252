"""The whole OpenAPI document against the gateway: schemathesis sends valid and invalid requests to every route."""

import subprocess
from pathlib import Path

from functions.gateway import create_gateway
from shared.notify import push_keys
from shared.services import Services
from tests.support.client_tools import tools
from tests.support.listening import listening
from tests.support.paths import ROOT
from tests.support.people import Person

EXAMPLES = 5
SEED = 1
LIMIT_S = 500
LOGOUT, HEALTH = "/v1/logout", "/v1/health"


def run(program: Path, folder: Path, address: str, person: Person, *routes: str) -> None:
    """Run every check with a fixed seed against these routes; fail with what it found."""
    command: list[str | Path] = [program, "--config-file", ROOT / "tests/support/schemathesis.toml"]
    command += ["run", f"http://{address}/openapi.json", "--checks", "all", "--max-examples", str(EXAMPLES)]
    command += ["--seed", str(SEED), "--generation-database", "none", "--no-shrink", "--continue-on-failure"]
    command += ["--header", f"Authorization: Bearer {person.token}", "--no-color", *routes]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=LIMIT_S, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_check_of_schemathesis_passes(services: Services, ada: Person, bob: Person, tmp_path: Path) -> None:
    program = tools() / "schemathesis"
    push_keys.ensure(services)
    with listening(create_gateway(services), lifespan="off") as address:
        # First, while the poller's last sweep is young, and then what ends the session that everything else needs.
        run(program, tmp_path, address, ada, "--include-path", HEALTH)
        run(program, tmp_path, address, ada, "--exclude-path", LOGOUT, "--exclude-path", HEALTH)
        run(program, tmp_path, address, bob, "--include-path", LOGOUT)
