"""Settings that may contain a password, in Secrets Manager."""

from collections.abc import Iterable, Mapping

from provisioning.clients import Client, connect
from provisioning.items import Item, settle

SECRETS = ("DATABASE_URL", "BROKER_URL", "MAIL_URL", "GENERATORS")
"""The settings that may contain a password."""


def secrets(env: Mapping[str, str]) -> Iterable[str]:
    """Store each setting that contains a password as a secret, from which EASEL_<NAME>_SECRET reads it."""
    given = {name: value for name in SECRETS if (value := env.get(f"EASEL_{name}"))}
    if not given:
        yield f"secrets: left out, since none of {', '.join(f'EASEL_{name}' for name in SECRETS)} is set"
        return
    manager = connect("secretsmanager", None, None)
    for setting, value in given.items():
        name = env.get(f"EASEL_{setting}_SECRET") or f"easel/{setting.lower().replace('_', '-')}"
        yield settle(_secret(manager, name, value))


def _secret(manager: Client, name: str, value: str) -> Item:
    def read() -> str:
        found = str(manager.get_secret_value(SecretId=name)["SecretString"])
        is_there.append(True)
        return found

    def write() -> None:
        if is_there:
            manager.put_secret_value(SecretId=name, SecretString=value)
        else:
            manager.create_secret(Name=name, SecretString=value)

    is_there: list[bool] = []
    return Item(f"secret {name}", read, value, write)
