"""The whole site on this machine: its parts and their settings."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from local import lock
from local.config import CHECKOUT, Config, changed_ports
from local.console import Quiet
from local.process import Part
from local.servers import Server, http_answers, postgres, private_folder, redis, s3
from local.stack import Stack, StackError
from shared.core.settings import Settings, SettingsError, read_client_secret, read_key
from shared.services import Services

# The poller finishes its current step before it stops. Waiting longer than the lease of 20 s would be pointless.
DRAIN_S = 25.0

DIFFUSION = "diffusion"
OWN_MODEL = "generator/engines/diffusion/mini/model"
SHARED_IN_FLIGHT = 32
"""Jobs that an engine gets at a time if it shares its steps between them."""


@contextmanager
def prepared_site(asked: Config, console: Quiet) -> Iterator[tuple[Stack, Config]]:
    """Lock the home and prepare its stack without starting it; yield it with the ports that it will use.

    Raises:
        StackError: A stack already runs here, a requested port is taken, or a setting is invalid.
    """
    with lock.hold(asked.home, console) as held:
        for folder in (asked.home / "log", asked.home / "mail"):
            if folder.is_dir():  # by an earlier version, which made it for all to read
                private_folder(folder)
        config = asked.with_free_ports()
        held.record(config.local_url, config.ports)
        servers, notes = choose_servers(config)
        env = site_environment(config, [server.env for server in servers])
        check_settings(env)
        parts = [part for server in servers for part in server.parts]
        parts += site_parts(config, env, present={part.name for part in parts})
        for note in [*notes, *changed_ports(asked, config)]:
            console.say(note)
        yield Stack(parts, config.home / "log", console, held.descriptor), config


def choose_servers(config: Config) -> tuple[list[Server], list[str]]:
    """Return the servers to start here, and a sentence for each that a setting replaces by another one."""
    makers: dict[str, Callable[[], Server]] = {
        "EASEL_DATABASE_URL": lambda: postgres(config.home),
        "EASEL_BROKER_URL": lambda: redis(config.home, config.ports["EASEL_REDIS_PORT"]),
        "EASEL_S3_ENDPOINT": lambda: s3(
            config.home,
            config.ports["EASEL_S3_PORT"],
            origin=config.public_url,
            others=config.environment.get("EASEL_CORS_ORIGINS", ""),
            bucket=config.environment.get("EASEL_S3_BUCKET", "easel"),
        ),
    }
    names = {"EASEL_DATABASE_URL": "Postgres", "EASEL_BROKER_URL": "Redis", "EASEL_S3_ENDPOINT": "S3 server"}
    servers = [make() for setting, make in makers.items() if not config.has(setting)]
    notes = [server.note for server in servers if server.note]
    notes += [f"{setting} is set: no {names[setting]} is started here." for setting in makers if config.has(setting)]
    if config.has("EASEL_GENERATORS"):
        notes.append("EASEL_GENERATORS is set: no generator is started here.")
    return servers, notes


def site_environment(config: Config, servers: list[dict[str, str]]) -> dict[str, str]:
    """Return the environment of the site's own parts: all given variables and the servers' addresses."""
    env = dict(config.environment)
    for settings in servers:
        if "AWS_ACCESS_KEY_ID" in settings:
            # A real AWS identity must not be used with the S3 server of a laptop.
            for name in ("AWS_SESSION_TOKEN", "AWS_PROFILE"):
                env.pop(name, None)
        # Keep a given public endpoint: on a remote machine, browsers use another host name.
        public = env.get("EASEL_S3_PUBLIC_ENDPOINT")
        env.update(settings)
        if public is not None:
            env["EASEL_S3_PUBLIC_ENDPOINT"] = public
    if not config.has("EASEL_GENERATORS"):
        env["EASEL_GENERATORS"] = (
            f"img_generator+http://127.0.0.1:{config.ports['EASEL_GENERATOR_PORT']}"
            f"?max_in_flight={SHARED_IN_FLIGHT if config.engine == DIFFUSION else 4}"
        )
    if not config.has("EASEL_MAIL_URL"):
        env["EASEL_MAIL_URL"] = (config.home / "mail").as_uri()
    # A network proxy must not be used for servers on this machine.
    beside = [env[name] for name in ("NO_PROXY", "no_proxy") if env.get(name)]
    env["NO_PROXY"] = env["no_proxy"] = ",".join([*beside[:1], "127.0.0.1", "localhost"])
    return env | {
        "EASEL_PORT": str(config.ports["EASEL_PORT"]),
        "EASEL_PUBLIC_URL": config.public_url,
        "PYTHONUNBUFFERED": "1",
    }


def site_parts(config: Config, env: Mapping[str, str], present: set[str]) -> list[Part]:
    """Return migrations, generator, poller, gateway and the first pictures.

    `present` names the server parts that run here.
    """

    def part(
        name: str,
        *argv: str,
        needs: tuple[str, ...] = (),
        ready: Callable[[], bool] | None = None,
        grace_s: float = 10.0,
        env: Mapping[str, str] = env,
    ) -> Part:
        return Part(
            name=name,
            argv=(sys.executable, "-m", *argv),
            env=env,
            ready=ready,
            needs=tuple(need for need in needs if need in names),
            grace_s=grace_s,
            cwd=CHECKOUT,
        )

    names = {*present, "migrate", "worker", "gateway"}
    parts = []
    if not config.has("EASEL_GENERATORS"):
        names.add("generator")
        port = config.ports["EASEL_GENERATOR_PORT"]
        generator = part("generator", "generator", ready=lambda: http_answers(port, "/health"))
        parts.append(replace(generator, argv=generator_command(config, port)))
    stores = ("postgres", "redis", "s3")
    # Most of the start-up time is importing modules, so gateway and worker do that while the migrations run. The
    # gateway uses the tables only on request, and the worker looks for them again each second.
    parts += [
        part("migrate", "alembic", "upgrade", "head", needs=("postgres",)),
        part(
            "worker",
            *("poller", "worker", "--concurrency", "2"),
            needs=(*stores, "generator"),
            ready=lambda: worker_answers(env.get("EASEL_BROKER_URL", "")),
            grace_s=DRAIN_S,
            env=worker_environment(env),
        ),
        part(
            "gateway",
            "local.gateway",
            needs=stores,
            ready=lambda: http_answers(config.ports["EASEL_PORT"], "/v1/health"),
        ),
    ]
    marker = seeded_marker(config.home)
    if "postgres" not in present:
        parts.append(part("seed", "local.seed", needs=("migrate", "redis", "s3")))
    elif not marker.exists():
        parts.append(part("seed", "local.seed", str(marker), needs=("migrate", "redis", "s3")))
    return parts


def seeded_marker(home: Path) -> Path:
    """Return the file that says that the database of this home has had its first pictures and scenes."""
    return home / "postgres" / "seeded-with-scenes"


def generator_command(config: Config, port: int) -> tuple[str, ...]:
    """Return the command that starts the generator with its engine.

    Raises:
        StackError: The engine's environment has not been built, or it has no model.
    """
    engine = config.engine
    listen = ("--host", "127.0.0.1", "--port", str(port))
    if engine == DIFFUSION:
        # It shares its steps between all jobs, so it needs no number of workers.
        python = CHECKOUT / ".venv-diffusion" / "bin" / "python"
        if not python.exists():
            raise StackError("The diffusion engine is not installed. Run: make run ENGINE=diffusion")
        if not config.has("EASEL_MODEL") and not (CHECKOUT / OWN_MODEL).exists():
            raise StackError(
                "The diffusion engine has no model. Set EASEL_MODEL to a folder or a hub's name (docs/diffusion.md), "
                f"or restore {OWN_MODEL} from the repository"
            )
        return (str(python), "-m", "generator", *listen, "--engine", engine)
    # Half the cores: the rest of Easel and the user's other programs need some too.
    painters = min(4, max(1, (os.cpu_count() or 1) // 2))
    return (sys.executable, "-m", "generator", *listen, "--workers", str(painters), "--engine", engine)


def worker_environment(env: Mapping[str, str]) -> dict[str, str]:
    """Return the worker's environment: it serves its metrics on the port after the gateway's."""
    port = env.get("EASEL_METRICS_PORT")
    return dict(env) | ({"EASEL_METRICS_PORT": str(int(port) + 1)} if port else {})


def worker_answers(broker_url: str) -> bool:
    """Return whether a worker answers a ping through the broker. Only Redis can carry it; True for other brokers."""
    if not broker_url.startswith("redis"):
        return True
    from celery import Celery
    from kombu.exceptions import KombuError
    from redis.exceptions import RedisError

    app = Celery(broker=broker_url, set_as_current=False)
    try:
        return bool(app.control.broadcast("ping", reply=True, limit=1, timeout=0.3))
    except (KombuError, RedisError, OSError):
        return False
    finally:
        app.close()


def check_settings(env: Mapping[str, str]) -> None:
    """Check the settings once, before five parts start and fail with the same message.

    Raises:
        StackError: A setting is missing or invalid.
    """
    try:
        settings = Settings.from_environment(env)
        for address in Services(settings).addresses:
            if variable := address.option("key_env"):
                read_key(variable, env)
        if settings.oidc_issuer:
            read_client_secret(env)
    except SettingsError as error:
        raise StackError(str(error)) from None
