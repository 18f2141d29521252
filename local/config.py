"""The configuration of `make run`: environment variables, and the checkout's .env for those that are not set."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from string import Template

from dotenv.parser import parse_stream

from local.ports import is_free, next_free_port
from local.stack import StackError
from shared.core.numbers import whole_number
from shared.core.origins import canonical_origin

CHECKOUT = Path(__file__).resolve().parent.parent
# The part that needs each port, and its default.
PORTS = {
    "EASEL_PORT": ("gateway", 8080),
    "EASEL_GENERATOR_PORT": ("generator", 2020),
    "EASEL_S3_PORT": ("s3", 4566),
    "EASEL_REDIS_PORT": ("redis", 6390),
}
# The setting that names a port's public address. If it is set, others rely on the port, so it is not replaced.
ADDRESS_OF_PORT = {"EASEL_PORT": "EASEL_PUBLIC_URL", "EASEL_S3_PORT": "EASEL_S3_PUBLIC_ENDPOINT"}
# A setting that names another server: the part of that port is then not started here.
REPLACED_BY = {
    "EASEL_GENERATOR_PORT": "EASEL_GENERATORS",
    "EASEL_S3_PORT": "EASEL_S3_ENDPOINT",
    "EASEL_REDIS_PORT": "EASEL_BROKER_URL",
}


@dataclass(frozen=True)
class Config:
    """Every given variable, and the values that the supervisor itself needs."""

    environment: Mapping[str, str]
    home: Path
    ports: Mapping[str, int]
    requested_ports: frozenset[str]

    @classmethod
    def load(cls, environment: Mapping[str, str] | None = None, checkout: Path = CHECKOUT) -> "Config":
        """Read .env under the environment, which wins.

        Raises:
            StackError: A line or a port is invalid; the message names it.
        """
        environment = os.environ if environment is None else environment
        given = {**read_env_file(checkout / ".env", environment), **environment}
        given = {name: value for name, value in given.items() if value.strip() or not name.startswith("EASEL_")}
        ports = {name: _port(name, given.get(name), default) for name, (_, default) in PORTS.items()}
        if len(set(ports.values())) < len(ports):
            raise StackError(f"{', '.join(PORTS)} must be different ports.")
        return cls(
            environment=given,
            home=(checkout / given.get("EASEL_HOME", "var")).resolve(),
            ports=ports,
            requested_ports=frozenset(name for name in PORTS if {name, ADDRESS_OF_PORT.get(name)} & given.keys()),
        )

    @property
    def public_url(self) -> str:
        """Return the address at which browsers reach the site.

        Raises:
            StackError: It is not valid.
        """
        try:
            return canonical_origin(self.environment.get("EASEL_PUBLIC_URL", self.local_url))
        except ValueError as error:
            raise StackError(f"EASEL_PUBLIC_URL {error}") from None

    @property
    def engine(self) -> str:
        """Return the engine of the generator, which `make run ENGINE=...` names."""
        return self.environment.get("EASEL_ENGINE", "painter")

    @property
    def local_url(self) -> str:
        """Return the address at which this machine reaches the site, past any proxy in front of it."""
        return f"http://127.0.0.1:{self.ports['EASEL_PORT']}"

    def has(self, name: str) -> bool:
        """Return whether a setting is given: the value itself, or the place where it is kept."""
        return any(name + suffix in self.environment for suffix in ("", "_FILE", "_SECRET"))

    def with_ports(self, ports: Mapping[str, int]) -> "Config":
        """Return this configuration with other ports, such as those that a running stack uses."""
        return replace(self, ports={**self.ports, **ports})

    def with_free_ports(self) -> "Config":
        """Return this configuration with a free port for each part whose default port is taken.

        Raises:
            StackError: A requested port is taken; the message names it and the part that needs it.
        """
        ports = dict(self.ports)
        for setting, (part, _) in PORTS.items():
            if setting in REPLACED_BY and self.has(REPLACED_BY[setting]):
                continue
            if is_free(ports[setting]):
                continue
            if setting in self.requested_ports:
                raise StackError(_taken(setting, part, ports[setting]))
            ports[setting] = next_free_port(ports[setting] + 1, reserved=ports.values())
        return self.with_ports(ports)


def read_env_file(path: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Read a .env file by the rules that Docker Compose follows for the same file; a missing one has no variables.

    `${NAME}` is the environment's value, or that of a line above.

    Raises:
        StackError: The file cannot be read, or a line is not KEY=VALUE.
    """
    values: dict[str, str] = {}
    try:
        with path.open(encoding="utf-8-sig") as file:  # an editor may have put a byte order mark first
            for binding in parse_stream(file):
                if binding.error or (binding.key and binding.value is None):
                    raise StackError(f"Line {binding.original.line} of {path} is not KEY=VALUE.")
                if binding.key:
                    literal = binding.original.string.partition("=")[2].lstrip().startswith("'")
                    value = binding.value or ""
                    known = _Known({**values, **environment})
                    values[binding.key] = value if literal else _Expanded(value).safe_substitute(known)
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise StackError(f"{path} cannot be read: {error}.") from None
    return values


class _Expanded(Template):
    """A value with `$NAME`, `${NAME}` or `${NAME:-default}` in it; `$$` is a dollar sign."""

    idpattern = r"(?a:[_a-zA-Z]\w*)"
    braceidpattern = idpattern + r"(?::?-[^}]*)?"
    flags = re.NOFLAG


class _Known(dict[str, str]):
    """Variables by what is in the braces: a default is used for an unset or, with a colon, an empty one."""

    def __missing__(self, inner: str) -> str:
        name, dash, default = inner.partition("-")
        value = self.get(name.removesuffix(":"))
        return default if dash and (value is None or (name.endswith(":") and not value)) else value or ""


def changed_ports(asked: Config, used: Config) -> list[str]:
    """Return a sentence for each part that uses another port than its default one."""
    return [
        f"Port {asked.ports[setting]} is taken by another program: the part {part} uses {used.ports[setting]}."
        for setting, (part, _) in PORTS.items()
        if used.ports[setting] != asked.ports[setting]
    ]


def _taken(setting: str, part: str, port: int) -> str:
    return (
        f"Port {port}, which the part {part} needs, is taken by another program. "
        f"Name another one: {setting}={port + 1} make run"
    )


def _port(name: str, text: str | None, default: int) -> int:
    try:
        return whole_number((text or str(default)).strip(), 1, 65535)
    except ValueError as error:
        raise StackError(f"{name} is a port from 1 to 65535, not '{(text or '')[:40]}'.") from error
