"""The operator's command on a laptop: which stack it uses, and its message if no stack is running."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from local import lock, operate
from local.config import PORTS, Config
from local.console import Quiet
from local.ports import free_port
from local.stack import StackError
from shared.core.settings import Settings


class Gateway(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/v1/presets" else 503)
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        return


@contextmanager
def gateway(port: int) -> Iterator[None]:
    with ThreadingHTTPServer(("127.0.0.1", port), Gateway) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield
        server.shutdown()
        thread.join()


@pytest.fixture
def config(tmp_path: Path) -> Config:
    ports: set[int] = set()
    while len(ports) < len(PORTS):
        ports.add(free_port())
    named = {name: str(port) for name, port in zip(PORTS, ports, strict=True)}
    return Config.load({"PATH": os.environ["PATH"], **named}, tmp_path)


def test_a_missing_stack_is_reported(config: Config) -> None:
    with pytest.raises(StackError, match="Easel is not running here"):
        operate.running_environment(config)
    assert not config.home.exists()


def test_a_starting_stack_is_not_used(config: Config) -> None:
    with lock.hold(config.home, Quiet()) as held:
        held.record(config.local_url, config.ports)
        with pytest.raises(StackError, match="still starting"):
            operate.running_environment(config)
        assert not (config.home / "postgres").exists()


def test_a_running_stack_provides_its_settings(config: Config) -> None:
    with lock.hold(config.home, Quiet()) as held, gateway(config.ports["EASEL_PORT"]):
        held.record(config.local_url, config.ports)
        environment = operate.running_environment(config)
    settings = Settings.from_environment(environment)
    assert str(config.home / "postgres").replace("/", "%2F") in settings.database_url.replace("/", "%2F")
    assert settings.public_url == config.public_url


def test_the_ports_are_those_that_the_running_stack_uses(config: Config, tmp_path: Path) -> None:
    """They may differ from the defaults, and this command was not started with them."""
    with lock.hold(config.home, Quiet()) as held, gateway(config.ports["EASEL_PORT"]):
        held.record(config.local_url, config.ports)
        environment = operate.running_environment(Config.load({"PATH": os.environ["PATH"]}, tmp_path))
    assert environment["EASEL_PUBLIC_URL"] == config.public_url
    assert environment["EASEL_S3_ENDPOINT"] == f"http://127.0.0.1:{config.ports['EASEL_S3_PORT']}"
    broker = urlsplit(environment["EASEL_BROKER_URL"])
    assert (broker.hostname, broker.port) == ("127.0.0.1", config.ports["EASEL_REDIS_PORT"])


def test_the_command_gets_its_arguments_and_its_code_is_passed_on(
    config: Config, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The command itself runs, and reports that this stack's database is missing."""
    monkeypatch.setattr(Config, "load", classmethod(lambda _: config))
    with lock.hold(config.home, Quiet()) as held, gateway(config.ports["EASEL_PORT"]):
        held.record(config.local_url, config.ports)
        assert operate.main(["reports", "list"]) == 3
        assert operate.main(["gallery", "nothing"]) == 2
    told = capfd.readouterr().err
    assert "easel: The database cannot be reached." in told
    assert "invalid choice: 'nothing'" in told
    assert operate.main(["reports", "list"]) == 1
    assert "not running here" in capfd.readouterr().err
