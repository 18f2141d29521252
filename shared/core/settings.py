"""The settings, read once from `EASEL_*` variables; nothing else in the project reads the environment.

A plain frozen dataclass, because pydantic-settings alone adds 200 ms to a cold start.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qs, urlsplit


class SettingsError(Exception):
    """A setting is missing or wrong; the message is one sentence that names it."""


@dataclass(frozen=True)
class Settings:
    """How this installation runs. Secrets are left out of its printed form."""

    database_url: str = field(repr=False)
    broker_url: str = field(repr=False)
    s3_endpoint: str
    s3_public_endpoint: str
    s3_bucket: str
    s3_region: str
    s3_access_key: str | None = field(repr=False)
    s3_secret_key: str | None = field(repr=False)
    s3_session_token: str | None = field(repr=False)
    generators: str = field(repr=False)
    public_url: str
    cors_origins: tuple[str, ...]
    mail_url: str = field(repr=False)
    mail_from: str
    max_running: int
    max_queued: int
    jobs_per_day: int
    url_ttl_s: int
    database_pool: int
    database_auth: str | None  # the region whose IAM makes tokens; None: the URL holds a password
    host: str
    port: int
    metrics_port: int | None
    log_level: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """Read and check every setting. Raises SettingsError with one sentence that names the wrong one."""
        read = _Reader(os.environ if environment is None else environment)
        port = read.integer("PORT", 8080, 1, 65535)
        s3_endpoint = read.url("S3_ENDPOINT", "https://s3.amazonaws.com")
        public_url = read.url("PUBLIC_URL", f"http://127.0.0.1:{port}")
        database_url = read.database_url("DATABASE_URL")
        return cls(
            database_url=database_url,
            broker_url=read.broker_url("BROKER_URL"),
            s3_endpoint=s3_endpoint,
            s3_public_endpoint=read.url("S3_PUBLIC_ENDPOINT", s3_endpoint),
            s3_bucket=read.text("S3_BUCKET", "easel"),
            s3_region=read.text("S3_REGION", "us-east-1"),
            s3_access_key=read.aws("AWS_ACCESS_KEY_ID"),
            s3_secret_key=read.aws("AWS_SECRET_ACCESS_KEY"),
            s3_session_token=read.aws("AWS_SESSION_TOKEN"),
            generators=read.text("GENERATORS", ""),
            public_url=public_url,
            cors_origins=read.origins("CORS_ORIGINS"),
            mail_url=read.mail_url("MAIL_URL"),
            mail_from=read.mail_from("MAIL_FROM", public_url),
            max_running=read.integer("MAX_RUNNING", 2, 1, 1000),
            max_queued=read.integer("MAX_QUEUED", 50, 1, 100_000),
            jobs_per_day=read.integer("JOBS_PER_DAY", 200, 1, 1_000_000),
            url_ttl_s=read.integer("URL_TTL_S", 3600, 60, 7 * 24 * 3600),
            database_pool=read.integer(
                "DATABASE_POOL", 1 if "AWS_LAMBDA_FUNCTION_NAME" in read.environment else 10, 1, 100
            ),
            database_auth=read.database_auth("DATABASE_AUTH", database_url),
            host=read.text("HOST", "127.0.0.1"),
            port=port,
            metrics_port=read.integer("METRICS_PORT", 0, 1, 65535) if read.find("METRICS_PORT") else None,
            log_level=read.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR")),
        )


class _Reader:
    """Reads one variable at a time and says in one sentence what is wrong with it."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment

    def find(self, name: str) -> str | None:
        """The value of EASEL_<name>: the variable itself, a file, or a secret in AWS Secrets Manager."""
        variable = f"EASEL_{name}"
        value = self.environment.get(variable)
        if not value and (path := self.environment.get(f"{variable}_FILE")):
            try:
                value = Path(path).read_text(encoding="utf-8").strip()
            except (OSError, ValueError) as error:
                reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
                raise SettingsError(f"{variable}_FILE names a file that cannot be read: {reason}.") from None
        if not value and (secret := self.environment.get(f"{variable}_SECRET")):
            value = _read_secret(variable, secret)
        if value is not None and "\0" in value:
            raise SettingsError(f"{variable} holds a NUL character.")
        return value.strip() if value and value.strip() else None

    def text(self, name: str, default: str | None = None) -> str:
        value = self.find(name) or default
        if value is None:
            raise SettingsError(f"EASEL_{name} is not set. 'make run' sets it; elsewhere see .env.example.")
        return value

    def aws(self, name: str) -> str | None:
        return self.environment.get(name) or None

    def integer(self, name: str, default: int, least: int, most: int) -> int:
        text = self.text(name, str(default))
        if not (text.isascii() and text.isdigit() and len(text) <= 12 and least <= int(text) <= most):
            raise SettingsError(f"EASEL_{name} is a whole number from {least} to {most}, not '{text[:40]}'.")
        return int(text)

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        text = self.text(name, default).upper()
        if text not in choices:
            raise SettingsError(f"EASEL_{name} is one of {', '.join(choices)}, not '{text[:40]}'.")
        return text

    def choice_of_scheme(self, name: str, schemes: tuple[str, ...]) -> str:
        text = self.text(name)
        if text.split("://")[0] not in schemes or "://" not in text:
            raise SettingsError(f"EASEL_{name} is an address that starts with {', '.join(f'{s}://' for s in schemes)}.")
        self._split(name, text)
        return text

    def broker_url(self, name: str) -> str:
        url = self.choice_of_scheme(name, ("redis", "rediss", "redis+socket", "sqs", "sqs+http"))
        parts = self._split(name, url)
        if url.startswith("sqs") and not (parts.hostname and parts.path.strip("/")):
            raise SettingsError(f"EASEL_{name} names its queue: sqs://<host>/<account>/<queue>.")
        return url

    def database_url(self, name: str) -> str:
        url = self.choice_of_scheme(name, ("postgresql", "postgres", "postgresql+psycopg2"))
        return "postgresql+psycopg2://" + url.split("://", 1)[1]

    def database_auth(self, name: str, database_url: str) -> str | None:
        auth = self.text(name, "password").lower()
        if auth not in ("password", "iam"):
            raise SettingsError(f"EASEL_{name} is password or iam, not '{auth[:40]}'.")
        if auth == "password":
            return None
        parts = self._split("DATABASE_URL", database_url)
        if not (parts.hostname and parts.username):
            raise SettingsError(f"EASEL_{name}=iam needs a user and a host in EASEL_DATABASE_URL.")
        # libpq falls back to a connection that is not encrypted, and the token would travel in the clear.
        if parse_qs(parts.query).get("sslmode", [""])[-1] not in ("require", "verify-ca", "verify-full"):
            raise SettingsError(f"EASEL_{name}=iam needs sslmode=require, or stricter, in EASEL_DATABASE_URL.")
        region = self.aws("AWS_REGION")
        if region is None or not re.fullmatch(r"[a-z0-9-]{1,40}", region):
            raise SettingsError(f"EASEL_{name}=iam needs the region in AWS_REGION.")
        return region

    def url(self, name: str, default: str) -> str:
        return self._http_url(name, self.text(name, default))

    def origins(self, name: str) -> tuple[str, ...]:
        entries = [entry.strip() for entry in self.text(name, ",").split(",") if entry.strip()]
        return tuple(self._http_url(name, entry) for entry in entries)

    def mail_url(self, name: str) -> str:
        if self.find(name) is None:
            return ""
        url = self.choice_of_scheme(name, ("smtp", "smtps", "ses", "file"))
        parts = self._split(name, url)
        bare = not (parts.query or parts.fragment)
        if parts.scheme == "file":
            right = not parts.netloc and parts.path.strip("/") != ""
        elif parts.scheme == "ses":
            right = re.fullmatch(r"[a-z0-9-]+", parts.netloc) is not None and not parts.path.strip("/")
        else:
            complete = bool(parts.username) == bool(parts.password)
            right = bool(parts.hostname) and complete and not parts.path.strip("/")
        if not (bare and right and url.isprintable() and " " not in url):
            forms = "smtp://[user:password@]host:port, smtps://..., ses://region or file:///folder"
            raise SettingsError(f"EASEL_{name} is one of {forms}.")
        return url

    def mail_from(self, name: str, public_url: str) -> str:
        host = urlsplit(public_url).hostname or ""
        named = re.fullmatch(r"[a-z0-9.-]+\.[a-z][a-z0-9-]*", host)
        text = self.text(name, f"Easel <easel@{host if named else 'localhost'}>")
        address = parseaddr(text)[1]
        one = text.isprintable() and "," not in text and (text == address or text.endswith(f" <{address}>"))
        if not (one and re.fullmatch(r"[A-Za-z0-9._+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*", address)):
            raise SettingsError(f"EASEL_{name} is one address, such as Easel <pictures@example.com>.")
        return text

    @staticmethod
    def _split(name: str, text: str) -> SplitResult:
        """Split an address; the standard library's own messages are not used, since they repeat the text."""
        try:
            parts = urlsplit(text)
            _ = parts.port
        except ValueError:
            raise SettingsError(f"EASEL_{name} holds an address that cannot be read.") from None
        return parts

    def _http_url(self, name: str, text: str) -> str:
        parts = self._split(name, text)
        extra = parts.path.strip("/") or parts.query or parts.username or parts.password
        if parts.scheme not in ("http", "https") or not parts.hostname or extra:
            raise SettingsError(f"EASEL_{name} holds addresses such as https://easel.example.com, without a path.")
        return text.rstrip("/")


def _read_secret(variable: str, secret: str) -> str:
    import boto3  # AWS's own service, and only where a deployment names a secret: 200 ms that others need not pay
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        answer: dict[str, Any] = boto3.client("secretsmanager").get_secret_value(SecretId=secret)
        return str(answer["SecretString"])
    except (BotoCoreError, ClientError, KeyError) as error:
        raise SettingsError(f"{variable}_SECRET names a secret that cannot be read ({type(error).__name__}).") from None
