"""The lists of settings in docs and compose file name the declared settings, with their defaults."""

import re

import pytest
import yaml

from local.config import PORTS
from shared.core.settings import Settings, variable_of
from tests.support.paths import ROOT

FIELDS = {variable_of(name): field for name, field in Settings.model_fields.items() if field.alias is None}
FROM_AWS = {field.alias for field in Settings.model_fields.values() if field.alias is not None}
# The lists show an example or a word instead of these defaults.
SHOWN_OTHERWISE = {"EASEL_S3_ENDPOINT"}
DEFAULTS = {
    name: str(field.default)
    for name, field in FIELDS.items()
    if isinstance(field.default, str | int) and field.default != "" and name not in SHOWN_OTHERWISE
}
# No fields, since only the programs that need them read them.
OTHERS = {"EASEL_HOME", "EASEL_OIDC_CLIENT_SECRET"}
# Settings that a container gets in another way, or does not need.
NOT_IN_COMPOSE = {
    "EASEL_HOST",
    "EASEL_PORT",
    "EASEL_DATABASE_POOL",
    "EASEL_DATABASE_AUTH",
    "EASEL_TRUSTED_PROXIES",  # of `web`, behind which the gateway is
}


def documented() -> dict[str, str]:
    """Return each setting of the table in the documentation, with its column of defaults."""
    pages = [path for path in (ROOT / "docs" / "settings.md", ROOT / "README.md") if path.is_file()]
    text = "".join(path.read_text(encoding="utf-8") for path in pages)
    return dict(re.findall(r"^\| `(EASEL_[A-Z0-9_]+)` \| ([^|]*?) ?\|", text, re.MULTILINE))


def exemplified() -> dict[str, str]:
    """Return each setting of .env.example with its value there."""
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    return dict(re.findall(r"^#([A-Z0-9_]+)=(.*)$", text, re.MULTILINE))


def test_the_documented_settings_are_those_declared() -> None:
    assert documented().keys() - PORTS.keys() == (FIELDS.keys() - PORTS.keys()) | OTHERS


def test_the_example_file_shows_those_declared() -> None:
    assert exemplified().keys() == FIELDS.keys() | FROM_AWS | PORTS.keys() | OTHERS


@pytest.mark.parametrize("name", sorted(DEFAULTS))
def test_the_defaults_are_those_declared(name: str) -> None:
    assert documented()[name].split(" ")[0] == DEFAULTS[name]
    assert exemplified()[name] == DEFAULTS[name]


def test_containers_are_given_settings_that_are_declared() -> None:
    """An optional setting comes from the user's environment under the same name, and blank means the default."""
    composed = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    given = composed["x-app"]["environment"]
    assert given.keys() == (FIELDS.keys() - NOT_IN_COMPOSE) | (FROM_AWS - {"AWS_SESSION_TOKEN"})
    for name in ("EASEL_MAX_RUNNING", "EASEL_MAX_QUEUED", "EASEL_JOBS_PER_DAY", "EASEL_URL_TTL_S", "EASEL_LOG_LEVEL"):
        assert given[name] == f"${{{name}:-}}"
