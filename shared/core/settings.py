"""The settings, read once from `EASEL_*` variables; nothing else in the project reads the environment.

`Settings` is their only declaration. A test checks the table in the documentation, .env.example and docker-compose.yml
against it. Every function loads pydantic anyway; pydantic-settings would add 200 ms to a cold start.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import parse_qs, urlsplit

from pydantic import BaseModel, Field, ValidationError, ValidationInfo, field_validator

from shared.core.limits import DAY_S
from shared.core.setting_types import (
    BrokerUrl,
    Bucket,
    CheckerName,
    DatabaseUrl,
    HttpUrl,
    Issuer,
    Line,
    MailFrom,
    MailUrl,
    Networks,
    Origins,
    QueueUrl,
    Region,
    Rules,
    S3Url,
    choice,
    is_this_machine,
    split_address,
    whole,
)

MAX_KEY_CHARACTERS = 4096
MANY = 1_000_000_000
"""The largest value of a limit that has no natural one: in effect no limit."""
ENCRYPTED = ("require", "verify-ca", "verify-full")


class SettingsError(Exception):
    """A setting is missing or invalid; the message names it."""


def _public_url(data: dict[str, Any]) -> str:
    return f"http://127.0.0.1:{data['port']}"


def _provider_name(data: dict[str, Any]) -> str:
    return urlsplit(data["oidc_issuer"]).hostname or ""


def _sender(data: dict[str, Any]) -> str:
    host = urlsplit(data["public_url"]).hostname or ""
    named = re.fullmatch(r"[a-z0-9.-]+\.[a-z][a-z0-9-]*", host)
    return f"Easel <easel@{host if named else 'localhost'}>"


class Settings(BaseModel, frozen=True):
    """The configuration of this installation. Its repr contains no secrets.

    A default that depends on another setting is a function of the settings above it.
    """

    database_url: DatabaseUrl = Field(repr=False)
    broker_url: BrokerUrl = Field(repr=False)
    s3_endpoint: S3Url = "https://s3.amazonaws.com"
    s3_public_endpoint: S3Url = Field(default_factory=lambda data: str(data["s3_endpoint"]))
    s3_bucket: Bucket = "easel"
    s3_region: Region = "us-east-1"
    s3_access_key: str | None = Field(None, repr=False, alias="AWS_ACCESS_KEY_ID")
    s3_secret_key: str | None = Field(None, repr=False, alias="AWS_SECRET_ACCESS_KEY", validate_default=True)
    s3_session_token: str | None = Field(None, repr=False, alias="AWS_SESSION_TOKEN")
    generators: str = Field("", repr=False)
    host: str = "127.0.0.1"
    port: Annotated[int, whole(1, 65535)] = 8080
    metrics_port: Annotated[int | None, whole(1, 65535)] = None
    public_url: HttpUrl = Field(default_factory=_public_url)
    cors_origins: Origins = ()
    trusted_proxies: Networks = ()
    mail_url: MailUrl = Field("", repr=False)
    mail_from: MailFrom = Field(default_factory=_sender)
    mail_events_url: QueueUrl = ""
    verify_email: Annotated[str | None, choice("on", "off", spelled=str.lower)] = None
    webhook_targets: Annotated[str, choice("public", "any", spelled=str.lower)] = "public"
    action_model: str = ""
    oidc_issuer: Issuer = ""
    oidc_client_id: Line = Field("", validate_default=True)
    oidc_name: Line = Field(default_factory=_provider_name)
    local_accounts: Annotated[str, choice("on", "off", spelled=str.lower)] = "on"
    content_rules: Rules = Field(None, repr=False)
    review: Annotated[str, choice("off", "before", "after", spelled=str.lower)] = "off"
    picture_checker: CheckerName = ""
    picture_checker_down: Annotated[str, choice("hold", "allow", "refuse", spelled=str.lower)] = "hold"
    session_days: Annotated[int, whole(1, 400)] = 30
    session_idle_days: Annotated[int, whole(1, 400)] = 14
    max_running: Annotated[int, whole(1, 1000)] = 2
    max_queued: Annotated[int, whole(1, 100_000)] = 50
    longest_job_s: Annotated[int, whole(60, 86_400)] = 7200
    jobs_per_day: Annotated[int, whole(1, 1_000_000)] = 200
    max_likenesses: Annotated[int, whole(1, 10_000)] = 20
    likeness_days: Annotated[int, whole(1, 3650)] = 90
    max_adapter_mb: Annotated[int, whole(1, 300)] = 100
    max_queued_total: Annotated[int, whole(1, MANY)] = 100_000
    max_user_mb: Annotated[int, whole(1, MANY)] = 10_000
    max_accounts_per_hour: Annotated[int, whole(1, MANY)] = 1000
    signups_per_address: Annotated[int, whole(1, MANY)] = 30
    logins_per_account: Annotated[int, whole(1, MANY)] = 30
    logins_per_address: Annotated[int, whole(1, MANY)] = 200
    reports_per_address: Annotated[int, whole(1, MANY)] = 30
    codes_per_hour: Annotated[int, whole(1, MANY)] = 20
    uploads_per_hour: Annotated[int, whole(1, MANY)] = 500
    upload_mb_per_hour: Annotated[int, whole(20, MANY)] = 2000
    upload_mb_in_all: Annotated[int, whole(20, MANY)] = 100_000
    mails_per_day: Annotated[int, whole(1, MANY)] = 100
    exports_per_day: Annotated[int, whole(1, MANY)] = 3
    url_ttl_s: Annotated[int, whole(60, 7 * DAY_S)] = 3600
    database_pool: Annotated[int, whole(1, 100)] = 10
    # The region whose IAM issues the database tokens; None if the URL contains a password.
    database_auth: Annotated[str | None, choice("password", "iam", spelled=str.lower)] = None
    log_level: Annotated[str, choice("DEBUG", "INFO", "WARNING", "ERROR", spelled=str.upper)] = "INFO"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Read and check every setting.

        Raises:
            SettingsError: One is missing or invalid; the message names it.
        """
        environment = os.environ if environment is None else environment
        given: dict[str, str] = {}
        if "AWS_LAMBDA_FUNCTION_NAME" in environment:
            given["database_pool"] = "1"  # one request at a time
        for name, field in cls.model_fields.items():
            value = environment.get(field.alias) if field.alias else _find(environment, variable_of(name))
            if value:
                given[field.alias or name] = value
        try:
            return cls.model_validate(given, context=environment)
        except ValidationError as errors:
            message = _sentence(errors)
        raise SettingsError(message)

    @property
    def has_local_accounts(self) -> bool:
        """Return whether people sign up and log in with a password."""
        return self.local_accounts == "on"

    @property
    def public_host(self) -> str | None:
        """Return the host of the site's address."""
        return urlsplit(self.public_url).hostname

    @property
    def confirms_addresses(self) -> bool:
        """Return whether an address counts only once its owner has opened a link that was sent there.

        Unless it is set, it is so where a mail server is set up. A folder of mails, or a site that only this machine
        can reach, has no strangers to protect, and their users no mailbox to look into.
        """
        if self.verify_email is not None:
            return self.verify_email == "on"
        return self.mail_url.startswith(("smtp", "ses")) and not is_this_machine(self.public_host)

    @field_validator("s3_secret_key")
    @classmethod
    def _check_keys(cls, secret_key: str | None, info: ValidationInfo) -> str | None:
        if bool(secret_key) != bool(info.data.get("s3_access_key")):
            raise ValueError("is set with AWS_ACCESS_KEY_ID, or neither is.")
        return secret_key

    @field_validator("verify_email")
    @classmethod
    def _check_mail(cls, verify: str | None, info: ValidationInfo) -> str | None:
        if verify == "on" and not info.data.get("mail_url"):
            raise ValueError("=on needs EASEL_MAIL_URL.")
        return verify

    @field_validator("oidc_client_id")
    @classmethod
    def _check_client(cls, value: str, info: ValidationInfo) -> str:
        if bool(value) != bool(info.data.get("oidc_issuer")):
            raise ValueError("is set with EASEL_OIDC_ISSUER, or neither is.")
        return value

    @field_validator("local_accounts")
    @classmethod
    def _check_local_accounts(cls, value: str, info: ValidationInfo) -> str:
        if value == "off" and not info.data.get("oidc_issuer"):
            raise ValueError("=off needs EASEL_OIDC_ISSUER: otherwise nobody could sign in.")
        return value

    @field_validator("database_auth")
    @classmethod
    def _check_database_auth(cls, auth: str | None, info: ValidationInfo) -> str | None:
        if auth != "iam":
            return None
        parts = split_address(info.data.get("database_url", ""))
        if not (parts.hostname and parts.username):
            raise ValueError("=iam needs a user and a host in EASEL_DATABASE_URL.")
        # libpq would fall back to an unencrypted connection and send the token in clear text.
        if parse_qs(parts.query).get("sslmode", [""])[-1] not in ENCRYPTED:
            raise ValueError("=iam needs sslmode=require, or stricter, in EASEL_DATABASE_URL.")
        region = (info.context or {}).get("AWS_REGION") or ""
        if not re.fullmatch(r"[a-z0-9-]{1,40}", region):
            raise ValueError("=iam needs the region in AWS_REGION.")
        return str(region)


def variable_of(name: str) -> str:
    """Return the environment variable of a field."""
    return f"EASEL_{name.upper()}"


def _find(environment: Mapping[str, str], variable: str) -> str | None:
    """Return a value that is not blank: from the variable itself, a file, or a secret in AWS Secrets Manager.

    Raises:
        SettingsError: The file or the secret cannot be read.
    """
    value = environment.get(variable)
    if not value and (path := environment.get(f"{variable}_FILE")):
        try:
            value = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise SettingsError(f"{variable}_FILE names a file that cannot be read: {reason}.") from None
    if not value and (secret := environment.get(f"{variable}_SECRET")):
        value = _read_secret(variable, secret)
    if value is not None and "\0" in value:
        raise SettingsError(f"{variable} holds a NUL character.")
    return value.strip() if value else None


def library_path() -> dict[str, str]:
    """Return the environment of programs that this process starts: where Lambda has its libraries, and no more."""
    return {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}


def read_client_secret(environment: Mapping[str, str] | None = None) -> str:
    """Return the secret of this site's client at the OpenID Connect provider. Raises SettingsError as `read_key`.

    No field of the settings: in the cloud only the function that signs people in may read it.
    """
    return read_key("EASEL_OIDC_CLIENT_SECRET", environment, "EASEL_OIDC_ISSUER needs the secret of its client")


def read_key(
    variable: str,
    environment: Mapping[str, str] | None = None,
    reason: str = "EASEL_GENERATORS names it as the key of a generator",
) -> str:
    """Return the key of a generator from the variable that its address names, from a file or a secret as any setting.

    Raises:
        SettingsError: It is missing, or is no key; the message does not repeat it.
    """
    key = _find(os.environ if environment is None else environment, variable)
    if not key:
        raise SettingsError(f"{variable} is not set, but {reason}.")
    if not (key.isascii() and key.isprintable() and len(key) <= MAX_KEY_CHARACTERS):
        raise SettingsError(
            f"{variable} is no key: it is one line of at most {MAX_KEY_CHARACTERS} characters of ASCII."
        )
    return key


def _sentence(errors: ValidationError) -> str:
    """Return a message about the first invalid setting. pydantic's message would repeat the value."""
    error = errors.errors(include_url=False, include_input=False)[0]
    name = str(error["loc"][0])
    field = Settings.model_fields.get(name)
    variable = name if field is None else field.alias or variable_of(name)
    if error["type"] == "missing":
        return f"{variable} is not set. 'make run' sets it; elsewhere see .env.example."
    words = str(error["ctx"]["error"])
    return variable + ("" if words.startswith("=") else " ") + words


def _read_secret(variable: str, secret: str) -> str:
    import boto3  # takes 200 ms, and is only needed with a secret
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        answer = boto3.client("secretsmanager").get_secret_value(SecretId=secret)
        return str(answer["SecretString"])
    except (BotoCoreError, ClientError, KeyError) as error:
        raise SettingsError(f"{variable}_SECRET names a secret that cannot be read ({type(error).__name__}).") from None
