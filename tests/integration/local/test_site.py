"""The parts of the stack, for each choice of settings."""

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local.config import CHECKOUT, PORTS, Config, changed_ports, read_env_file
from local.ports import free_port
from local.site import check_settings, choose_servers, seeded_marker, site_environment, site_parts
from local.stack import StackError
from shared.core.settings import Settings


def load(tmp_path: Path, **environment: str) -> Config:
    return Config.load(environment, tmp_path)


def environment_of(config: Config) -> dict[str, str]:
    servers, _ = choose_servers(config)
    return site_environment(config, [server.env for server in servers])


def test_an_env_file_fills_in_missing_variables(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "# ports\n\nEASEL_PORT = 8081\nEASEL_S3_PORT='4999'\nEASEL_HOME=data\nEASEL_GENERATORS=\n"
    )
    config = load(tmp_path, EASEL_PORT="8082")
    assert config.ports["EASEL_PORT"] == 8082
    assert config.ports["EASEL_S3_PORT"] == 4999
    assert config.home == tmp_path / "data"
    assert config.public_url == "http://127.0.0.1:8082"
    assert not config.has("EASEL_GENERATORS")


def test_values_of_an_env_file_may_hold_equal_signs_and_quotes(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text('A=b=c\nB="two words"\nC=\nD=a"b\nexport E=f # a comment\n')
    assert read_env_file(file, {}) == {"A": "b=c", "B": "two words", "C": "", "D": 'a"b', "E": "f"}


def test_a_missing_env_file_is_empty_and_an_unreadable_one_is_named(tmp_path: Path) -> None:
    assert read_env_file(tmp_path / ".env", {}) == {}
    (tmp_path / ".env").write_bytes(b"\xff\xfe")
    with pytest.raises(StackError, match="cannot be read"):
        read_env_file(tmp_path / ".env", {})


def test_an_env_file_is_read_as_compose_reads_it(tmp_path: Path) -> None:
    """Values that `docker compose config` shows for the same file and environment."""
    lines = [
        "EASEL_HOME=data # where it lies",
        "export EASEL_PORT=8081",
        "HOST=easel.lan",
        "EASEL_PUBLIC_URL=http://${HOST}:8081",
        "EASEL_MAIL_FROM='${HOST}'",
        "EASEL_S3_BUCKET=${BUCKET:-pictures}",
        "EASEL_S3_REGION=${PLACE}",
        "PASSWORD=a$$b",
        "EASEL_LOG_LEVEL=${LEVEL:-INFO}",
    ]
    (tmp_path / ".env").write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode())
    config = Config.load({"LEVEL": "DEBUG"}, tmp_path)
    assert config.environment == {
        "LEVEL": "DEBUG",
        "EASEL_HOME": "data",
        "EASEL_PORT": "8081",
        "HOST": "easel.lan",
        "EASEL_PUBLIC_URL": "http://easel.lan:8081",
        "EASEL_MAIL_FROM": "${HOST}",
        "EASEL_S3_BUCKET": "pictures",
        "PASSWORD": "a$b",
        "EASEL_LOG_LEVEL": "DEBUG",
    }


def test_an_invalid_line_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("EASEL_PORT=1\nEASEL_HOME\n")
    with pytest.raises(StackError, match="Line 2 of"):
        load(tmp_path)


@pytest.mark.parametrize("port", ["0", "65536", "-1", "8080.5", "http", "٨٠", "9" * 500])
def test_an_invalid_port_is_named(tmp_path: Path, port: str) -> None:
    with pytest.raises(StackError, match="EASEL_S3_PORT is a port from 1 to 65535"):
        load(tmp_path, EASEL_S3_PORT=port)


def test_one_port_for_two_parts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="must be different"):
        load(tmp_path, EASEL_PORT="2020")


def test_without_settings_everything_is_started_here(tmp_path: Path) -> None:
    config = load(tmp_path)
    servers, notes = choose_servers(config)
    started = [part.name for server in servers for part in server.parts]
    assert started == ["initdb", "postgres", "redis", "s3", "bucket"]
    assert notes == [server.note for server in servers if server.note]  # as root there is one about Postgres
    parts = site_parts(config, environment_of(config), set(started))
    assert [part.name for part in parts] == ["generator", "migrate", "worker", "gateway", "seed"]
    known = {*started, *(part.name for part in parts)}
    assert {need for part in parts for need in part.needs} <= known


def test_another_engine_runs_in_its_own_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = load(tmp_path, EASEL_ENGINE="diffusion")
    env = environment_of(config)
    assert env["EASEL_GENERATORS"].endswith("?max_in_flight=32")
    monkeypatch.setattr("local.site.CHECKOUT", tmp_path)
    with pytest.raises(StackError, match="make run ENGINE=diffusion"):
        site_parts(config, env, set())
    python = tmp_path / ".venv-diffusion" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    with pytest.raises(StackError, match="EASEL_MODEL"):
        site_parts(config, env, set())
    generator = site_parts(load(tmp_path, EASEL_ENGINE="diffusion", EASEL_MODEL="owner/model"), env, set())[0]
    assert generator.argv[0] == str(python)
    assert generator.argv[-2:] == ("--engine", "diffusion")
    assert "--workers" not in generator.argv


def test_examples_are_queued_only_at_the_first_start(tmp_path: Path) -> None:
    config = load(tmp_path)
    env = environment_of(config)
    seeded_marker(config.home).touch()
    assert "seed" not in [part.name for part in site_parts(config, env, {"postgres"})]
    # For an external database this is not known here.
    assert "seed" in [part.name for part in site_parts(config, env, set())]


def test_configured_servers_are_used_and_not_started(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        EASEL_DATABASE_URL="postgresql://db.example.com/easel",
        EASEL_BROKER_URL_FILE="/run/secrets/broker",
        EASEL_S3_ENDPOINT="https://s3.example.com",
        EASEL_GENERATORS="img_generator+http://gpu.example.com:2020",
        AWS_SESSION_TOKEN="token",
    )
    servers, notes = choose_servers(config)
    assert servers == []
    assert [note.split(" is set")[0] for note in notes] == [
        "EASEL_DATABASE_URL",
        "EASEL_BROKER_URL",
        "EASEL_S3_ENDPOINT",
        "EASEL_GENERATORS",
    ]
    env = environment_of(config)
    assert env["EASEL_GENERATORS"] == "img_generator+http://gpu.example.com:2020"
    assert env["AWS_SESSION_TOKEN"] == "token"
    parts = site_parts(config, env, set())
    assert [part.name for part in parts] == ["migrate", "worker", "gateway", "seed"]
    assert parts[0].needs == ()


def test_mail_goes_into_a_folder_by_default(tmp_path: Path) -> None:
    env = environment_of(load(tmp_path, EASEL_HOME="two words"))
    assert env["EASEL_MAIL_URL"] == (tmp_path / "two words" / "mail").as_uri()
    check_settings(env)
    given = "smtp://mail.example.com"
    assert environment_of(load(tmp_path, EASEL_MAIL_URL=given))["EASEL_MAIL_URL"] == given
    assert "EASEL_MAIL_URL" not in environment_of(load(tmp_path, EASEL_MAIL_URL_FILE="/run/secrets/mail"))


def test_real_aws_keys_are_kept_from_the_built_in_s3(tmp_path: Path) -> None:
    mine = {
        "AWS_ACCESS_KEY_ID": "AKIA",
        "AWS_SECRET_ACCESS_KEY": "real",
        "AWS_SESSION_TOKEN": "t",
        "AWS_PROFILE": "work",
    }
    env = environment_of(load(tmp_path, **mine))
    assert env["AWS_ACCESS_KEY_ID"] == "easel-local"
    assert "real" not in env.values()
    assert not {"AWS_SESSION_TOKEN", "AWS_PROFILE"} & env.keys()


def test_the_keys_are_created_once_and_readable_only_by_the_user(tmp_path: Path) -> None:
    first = environment_of(load(tmp_path))
    assert environment_of(load(tmp_path))["AWS_SECRET_ACCESS_KEY"] == first["AWS_SECRET_ACCESS_KEY"]
    assert (tmp_path / "var" / "s3-keys.json").stat().st_mode & 0o777 == 0o600


def test_gateway_and_worker_serve_metrics_on_separate_ports(tmp_path: Path) -> None:
    config = load(tmp_path, EASEL_METRICS_PORT="9464")
    ports = {
        part.name: part.env.get("EASEL_METRICS_PORT") for part in site_parts(config, environment_of(config), set())
    }
    assert (ports["gateway"], ports["worker"]) == ("9464", "9465")
    config = load(tmp_path)
    assert all("EASEL_METRICS_PORT" not in part.env for part in site_parts(config, environment_of(config), set()))


def test_a_proxy_is_not_used_for_this_machine(tmp_path: Path) -> None:
    env = environment_of(load(tmp_path, NO_PROXY="intranet.example.com"))
    assert env["NO_PROXY"] == env["no_proxy"] == "intranet.example.com,127.0.0.1,localhost"


def test_a_given_public_endpoint_is_kept(tmp_path: Path) -> None:
    env = environment_of(load(tmp_path, EASEL_S3_PUBLIC_ENDPOINT="https://pictures.example.com"))
    assert env["EASEL_S3_PUBLIC_ENDPOINT"] == "https://pictures.example.com"
    assert env["EASEL_S3_ENDPOINT"] == "http://127.0.0.1:4566"


@contextmanager
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_port_in_use_is_named_with_its_part_and_a_remedy(tmp_path: Path) -> None:
    with taken_port() as port:
        config = load(tmp_path, EASEL_PORT=str(port))
        with pytest.raises(StackError, match=rf"Port {port}, which the part gateway needs.*EASEL_PORT="):
            config.with_free_ports()
    load(tmp_path, EASEL_PORT=str(free_port())).with_free_ports()


def test_the_port_of_a_part_that_is_not_started_is_not_checked(tmp_path: Path) -> None:
    with taken_port() as port:
        config = load(tmp_path, EASEL_S3_PORT=str(port), EASEL_S3_ENDPOINT="https://s3.example.com")
        assert config.with_free_ports().ports["EASEL_S3_PORT"] == port


def test_a_default_port_in_use_is_replaced_by_the_next_free_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with taken_port() as port:
        monkeypatch.setitem(PORTS, "EASEL_PORT", ("gateway", port))
        monkeypatch.setitem(PORTS, "EASEL_GENERATOR_PORT", ("generator", port + 1))
        asked = load(tmp_path)
        used = asked.with_free_ports()
        assert used.ports["EASEL_PORT"] > port + 1  # the generator's port is reserved
        assert len(set(used.ports.values())) == len(PORTS)
        assert used.public_url == used.local_url == f"http://127.0.0.1:{used.ports['EASEL_PORT']}"
        assert changed_ports(asked, used)[0] == (
            f"Port {port} is taken by another program: the part gateway uses {used.ports['EASEL_PORT']}."
        )
        env = environment_of(used)
        assert (env["EASEL_PORT"], env["EASEL_PUBLIC_URL"]) == (str(used.ports["EASEL_PORT"]), used.public_url)


@pytest.mark.parametrize(
    ("setting", "address"), [("EASEL_PORT", "EASEL_PUBLIC_URL"), ("EASEL_S3_PORT", "EASEL_S3_PUBLIC_ENDPOINT")]
)
def test_a_default_port_is_kept_if_an_address_relies_on_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str, address: str
) -> None:
    with taken_port() as port:
        monkeypatch.setitem(PORTS, setting, (PORTS[setting][0], port))
        with pytest.raises(StackError, match=f"Port {port}, which the part"):
            load(tmp_path, **{address: "https://easel.example.com"}).with_free_ports()


def test_an_invalid_setting_stops_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="EASEL_MAX_RUNNING"):
        check_settings(environment_of(load(tmp_path, EASEL_MAX_RUNNING="many")))


def test_a_missing_key_of_a_generator_stops_before_anything_starts(tmp_path: Path) -> None:
    named = {"EASEL_GENERATORS": "openai+http://gpu.example.com?key_env=GPU_KEY"}
    with pytest.raises(StackError, match="GPU_KEY is not set"):
        check_settings(environment_of(load(tmp_path, **named)))
    check_settings(environment_of(load(tmp_path, GPU_KEY="k", **named)))


class Asked(dict[str, str]):
    """An environment that records which variables were read."""

    def __init__(self, *arguments: dict[str, str]) -> None:
        super().__init__(*arguments)
        self.names: set[str] = set()

    def get(self, name: str, default: object = None) -> object:  # type: ignore[override]
        self.names.add(name)
        return super().get(name, default)


def test_the_example_file_names_every_setting_and_no_other() -> None:
    environment = Asked(
        {"EASEL_DATABASE_URL": "postgresql://db.example.com/easel", "EASEL_BROKER_URL": "redis://r.example.com"}
    )
    Settings.from_environment(environment)
    read = {name for name in environment.names if not name.endswith(("_FILE", "_SECRET"))}
    listed = set(re.findall(r"^#([A-Z0-9_]+)=", (CHECKOUT / ".env.example").read_text(), re.MULTILINE))
    later = {"EASEL_OIDC_CLIENT_SECRET"}  # only by what signs people in
    assert listed == read | later | PORTS.keys() | {"EASEL_HOME"}
