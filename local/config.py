"""What `make run` is told: environment variables, and the file .env in the checkout for those that are not set."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local.stack import StackError

CHECKOUT = Path(__file__).resolve().parent.parent
# The part that needs each port, and its default.
PORTS = {
    "EASEL_PORT": ("gateway", 8080),
    "EASEL_GENERATOR_PORT": ("generator", 2020),
    "EASEL_S3_PORT": ("s3", 4566),
    "EASEL_REDIS_PORT": ("redis", 6390),
}
_LINE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")


@dataclass(frozen=True)
class Config:
    """Every variable that was given, and what the supervisor itself needs of them."""

    environment: Mapping[str, str]
    home: Path
    ports: Mapping[str, int]
    public_url: str

    @classmethod
    def load(cls, environment: Mapping[str, str] | None = None, checkout: Path = CHECKOUT) -> "Config":
        """Read .env under the environment, which wins. Raises StackError with a sentence that names what is wrong."""
        given = {**read_env_file(checkout / ".env"), **(os.environ if environment is None else environment)}
        given = {name: value for name, value in given.items() if value.strip() or not name.startswith("EASEL_")}
        ports = {name: _port(name, given.get(name), default) for name, (_, default) in PORTS.items()}
        if len(set(ports.values())) < len(ports):
            raise StackError(f"{', '.join(PORTS)} must be different ports.")
        return cls(
            environment=given,
            home=(checkout / given.get("EASEL_HOME", "var")).resolve(),
            ports=ports,
            public_url=given.get("EASEL_PUBLIC_URL", f"http://127.0.0.1:{ports['EASEL_PORT']}").rstrip("/"),
        )

    def has(self, name: str) -> bool:
        """Whether a setting is given, be it the value itself or the place where it is kept."""
        return any(name + suffix in self.environment for suffix in ("", "_FILE", "_SECRET"))


def read_env_file(path: Path) -> dict[str, str]:
    """The variables of a .env file: KEY=VALUE lines, # comments, a pair of quotes around a value dropped."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise StackError(f"{path} cannot be read: {error}.") from None
    values: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        match = _LINE.fullmatch(stripped)
        if match is None:
            raise StackError(f"Line {number} of {path} is not KEY=VALUE.")
        name, value = match.groups()
        quoted = len(value) >= 2 and value[0] == value[-1] and value[0] in "'\""
        values[name] = value[1:-1] if quoted else value
    return values


def _port(name: str, text: str | None, default: int) -> int:
    text = (text or str(default)).strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65535):
        raise StackError(f"{name} is a port from 1 to 65535, not '{text[:40]}'.")
    return int(text)
