"""Settings: each invalid value ends in one line that names the setting and shows no secret."""

from pathlib import Path
from urllib.parse import quote

import boto3
import pytest
from moto import mock_aws

from poller.app import create_app
from shared.core.settings import Settings, SettingsError, read_client_secret
from shared.services import Services

SECRET = "correct-horse-battery"
GOOD = {
    "EASEL_DATABASE_URL": f"postgresql://easel:{SECRET}@db.example.com:5432/easel",
    "EASEL_BROKER_URL": f"redis://:{SECRET}@broker.example.com:6379/0",
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": SECRET,
}


def read(**changes: str) -> Settings:
    return Settings.from_environment(GOOD | {f"EASEL_{name}": value for name, value in changes.items()})


def refusal(**changes: str) -> str:
    with pytest.raises(SettingsError) as caught:
        read(**changes)
    message = str(caught.value)
    assert SECRET not in message
    assert "\n" not in message
    assert message.endswith(".")
    return message


def test_two_settings_are_enough() -> None:
    settings = read()
    assert settings.database_url == f"postgresql+psycopg2://easel:{SECRET}@db.example.com:5432/easel"
    assert (settings.max_running, settings.max_queued, settings.jobs_per_day, settings.url_ttl_s) == (2, 50, 200, 3600)
    assert settings.public_url == "http://127.0.0.1:8080"
    assert settings.s3_public_endpoint == settings.s3_endpoint
    assert SECRET not in repr(settings)


@pytest.mark.parametrize("name", ["DATABASE_URL", "BROKER_URL"])
def test_a_missing_setting_is_named(name: str) -> None:
    environment = {key: value for key, value in GOOD.items() if key != f"EASEL_{name}"}
    with pytest.raises(SettingsError, match=f"EASEL_{name} is not set"):
        Settings.from_environment(environment)


WRONG = {
    "DATABASE_URL": [
        "mysql://db.example.com/easel",
        "db.example.com",
        f"postgresql://easel:{SECRET}@db.example.com:port/easel",
        f"postgresql://easel:{SECRET}@[db/easel",
        f"postgresql://easel:{SECRET}@db.example.com:99999/easel",
        f"{SECRET}\0",
        f"postgresql://easel:12#{SECRET}@db.example.com/easel",
        f"postgresql://easel:12/{SECRET}@db.example.com/easel",
        f"postgresql://easel:12?{SECRET}@db.example.com/easel",
    ],
    "BROKER_URL": [
        f"redis://:12#{SECRET}@broker.example.com",
        f"redis://:12/{SECRET}@broker.example.com/0",
        f"redis://:12?{SECRET}@broker.example.com/0",
        f"redis://:1@2/{SECRET}@broker.example.com/0",
        f"redis://:1@2#{SECRET}@broker.example.com/0",
        f"redis://broker.example.com/{SECRET}",
        "redis://broker.example.com/-1",
        "redis://broker.example.com/0/1",
        "amqp://broker.example.com",
        "redis",
        f"redis://:{SECRET}@broker.example.com:port/0",
        f"redis://:{SECRET}@[broker/0",
        "sqs://",
        "sqs://sqs.eu-central-1.amazonaws.com",
        "redis://broker.example.com?db=3",
        f"redis://broker.example.com/0?password={SECRET}",
        "rediss://broker.example.com/0?ssl_cert_reqs=never",
        "redis+socket://",
    ],
    "S3_ENDPOINT": [
        "minio:9000",
        "ftp://s3.example.com",
        "http://",
        "http://[s3",
        "http://s3:port",
        "http://s3/path",
        "http://s3#a",
        "https://easel.s3.eu-central-1.amazonaws.com",
        "https://easel.s3-eu-west-1.amazonaws.com",
    ],
    "S3_BUCKET": ["a", "x y", "a/b", "a" * 64, "a..b", "127.0.0.1", "-easel"],
    "S3_REGION": ["eu west", "-eu", "EU", "eu/1"],
    "S3_PUBLIC_ENDPOINT": ["minio:9000", "http://s3:99999", f"http://easel:{SECRET}@s3.example.com"],
    "PUBLIC_URL": ["easel.example.com", "https://easel.example.com/?a=1", "https://[easel"],
    "CORS_ORIGINS": ["https://a.example.com,nonsense", "https://a.example.com,https://b.example.com/path", "*"],
    "MAIL_URL": [
        "mail.example.com",
        "http://mail.example.com",
        "smtp://",
        "smtp://mail.example.com/path",
        "smtp://mail.example.com?tls=off",
        "smtp://mail.example.com:99999",
        "smtp://mail.example.com:port",
        "smtp://[mail",
        "smtp://mail.example.com a",
        f"smtp://{SECRET}@mail.example.com",
        f"smtps://:{SECRET}@mail.example.com",
        "ses://",
        "ses://EU/west",
        f"ses://key:{SECRET}@eu-central-1",
        f"smtp://ada:12#{SECRET}@mail.example.com",
        f"smtp://ada:12/{SECRET}@mail.example.com",
        "file://",
        "file:///",
        "file://host/folder",
    ],
    "MAIL_FROM": [
        "easel",
        "easel@",
        "@example.com",
        "a@example.com, b@example.com",
        "a@example.com b@example.com",
        "Easel <a@example.com",
        "a@example.com\r\nBcc: b@example.com",
        "é@example.com",
        "<a@b@example.com>",
    ],
    "MAX_RUNNING": ["0", "1001", "-1", "two", "1.5", "²", "1e3", "9" * 30, "0" * 12 + "5000"],
    "MAX_QUEUED": ["0", "100001", "many"],
    "JOBS_PER_DAY": ["0", "1000001", "many"],
    "TRUSTED_PROXIES": ["proxy.example.com", "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/8;192.168.0.1"],
    "MAX_QUEUED_TOTAL": ["0", "1000000001"],
    "MAX_USER_MB": ["0", "10GB"],
    "MAX_ACCOUNTS_PER_HOUR": ["0", "off"],
    "SIGNUPS_PER_ADDRESS": ["0"],
    "LOGINS_PER_ACCOUNT": ["0"],
    "LOGINS_PER_ADDRESS": ["0"],
    "REPORTS_PER_ADDRESS": ["0"],
    "CODES_PER_HOUR": ["0"],
    "UPLOADS_PER_HOUR": ["0"],
    "UPLOAD_MB_PER_HOUR": ["19"],
    "UPLOAD_MB_IN_ALL": ["19"],
    "MAILS_PER_DAY": ["0"],
    "EXPORTS_PER_DAY": ["0"],
    "VERIFY_EMAIL": ["yes", "1", "on"],
    "OIDC_ISSUER": [
        "accounts.example.com",
        "http://accounts.example.com",
        "https://",
        f"https://ada:{SECRET}@accounts.example.com",
        "https://accounts.example.com?tenant=1",
        "https://accounts.example.com#x",
        "https://accounts.example.com/a b",
    ],
    "OIDC_CLIENT_ID": ["easel", "two\nlines", "x" * 1001],
    "OIDC_NAME": ["two\nlines", "x" * 1001],
    "LOCAL_ACCOUNTS": ["no", "off"],
    "SESSION_DAYS": ["0", "401"],
    "SESSION_IDLE_DAYS": ["0", "401"],
    "MAX_LIKENESSES": ["0", "10001"],
    "LIKENESS_DAYS": ["0", "3651"],
    "LONGEST_JOB_S": ["59", "86401"],
    "MAX_ADAPTER_MB": ["0", "301"],
    "CONTENT_RULES": ["/nothing/here.toml", "/", 'version = "1"\n[[rules]]', "a\nb"],
    "REVIEW": ["sometimes"],
    "PICTURE_CHECKER": ["nsfw", "module", "a b:c", ":c", "a.b:", "a:b:c"],
    "PICTURE_CHECKER_DOWN": ["ignore"],
    "URL_TTL_S": ["59", "604801", "1h"],
    "DATABASE_POOL": ["0", "101"],
    "PORT": ["0", "65536", "http"],
    "LOG_LEVEL": ["LOUD", "10"],
}


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, values in WRONG.items() for value in values],
)
def test_an_invalid_value_is_reported_in_one_line(name: str, value: str) -> None:
    assert f"EASEL_{name}" in refusal(**{name: value})


@pytest.mark.parametrize("character", "#/?")
@pytest.mark.parametrize(("name", "scheme"), [("BROKER_URL", "redis"), ("DATABASE_URL", "postgresql")])
def test_a_password_that_is_not_encoded_is_explained(name: str, scheme: str, character: str) -> None:
    """Without the check, each of these names another host, and the digits before the character are its port."""
    words = refusal(**{name: f"{scheme}://:12{character}{SECRET}@host.example.com"})
    assert quote(character, safe="") in words
    encoded = f"{scheme}://:12{quote(character, safe='')}{SECRET}@host.example.com"
    assert read(**{name: encoded})


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("BROKER_URL", "redis://user:p%23@broker.example.com:6379"),
        ("BROKER_URL", "rediss://broker.example.com:6379/15?ssl_cert_reqs=required"),
        ("BROKER_URL", "rediss://broker.example.com?ssl_cert_reqs=CERT_NONE&ssl_ca_certs=/etc/ca.pem"),
        ("BROKER_URL", "redis+socket:///run/redis@1/redis.sock"),
        ("BROKER_URL", "redis+socket:///run/redis.sock?virtual_host=3"),
        ("S3_ENDPOINT", "https://s3.dualstack.eu-central-1.amazonaws.com"),
        ("S3_ENDPOINT", "https://bucket.vpce-1a2b-3c4d.s3.us-east-1.vpce.amazonaws.com"),
        ("S3_ENDPOINT", "https://s3.example.com"),
        ("DATABASE_URL", "postgresql:///easel?host=/run/@postgres"),
        ("DATABASE_URL", "postgresql://u:p@db.example.com/easel?application_name=a@b"),
        ("S3_BUCKET", "My.Bucket_1"),
        ("S3_REGION", "eu-central-1"),
    ],
)
def test_unusual_addresses_that_are_right(name: str, url: str) -> None:
    assert read(**{name: url})


@pytest.mark.parametrize("missing", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_a_key_without_the_other_is_refused(missing: str) -> None:
    environment = {name: value for name, value in GOOD.items() if name != missing}
    with pytest.raises(SettingsError, match=r"^AWS_SECRET_ACCESS_KEY is set with AWS_ACCESS_KEY_ID") as refused:
        Settings.from_environment(environment)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "smtp://127.0.0.1:1025",
        f"smtp://easel%40example.com:{SECRET}@mail.example.com",
        f"smtps://easel:{SECRET}@mail.example.com:465/",
        "ses://eu-central-1",
        "file:///var/mail/easel",
    ],
)
def test_a_mail_server(url: str) -> None:
    settings = read(MAIL_URL=url)
    assert settings.mail_url == url
    assert SECRET not in repr(settings)
    assert Services(settings).sends_mail
    assert not Services(read()).sends_mail


@pytest.mark.parametrize(
    ("changes", "confirms"),
    [
        ({}, False),
        ({"MAIL_URL": "smtp://mail.example.com"}, True),
        ({"MAIL_URL": "ses://eu-central-1"}, True),
        ({"MAIL_URL": "file:///var/mail/easel"}, False),
        ({"MAIL_URL": "file:///var/mail/easel", "VERIFY_EMAIL": "On"}, True),
        ({"MAIL_URL": "smtp://mail.example.com", "VERIFY_EMAIL": "off"}, False),
        ({"MAIL_URL": "smtp://mail.example.com", "PUBLIC_URL": "http://127.0.0.1:8080"}, False),
        ({"VERIFY_EMAIL": "off"}, False),
    ],
)
def test_addresses_are_confirmed_where_mail_reaches_strangers(changes: dict[str, str], confirms: bool) -> None:
    assert read(**({"PUBLIC_URL": "https://easel.example.com"} | changes)).confirms_addresses is confirms


@pytest.mark.parametrize(
    ("public_url", "sender"),
    [
        ("https://easel.example.com", "Easel <easel@easel.example.com>"),
        ("http://127.0.0.1:8080", "Easel <easel@localhost>"),
        ("http://[::1]:8080", "Easel <easel@localhost>"),
        ("http://localhost", "Easel <easel@localhost>"),
        ("https://пример.example", "Easel <easel@xn--e1afmkfd.example>"),
    ],
)
def test_the_sender_defaults_to_the_sites_host(public_url: str, sender: str) -> None:
    assert read(PUBLIC_URL=public_url).mail_from == sender
    assert read(PUBLIC_URL=public_url, MAIL_FROM="pictures@example.com").mail_from == "pictures@example.com"


def test_a_blank_value_counts_as_unset() -> None:
    assert read(MAX_RUNNING=" ", GENERATORS="", CORS_ORIGINS="").max_running == 2


def test_a_value_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "database"
    file.write_text("postgresql://db.example.com/other\n")
    environment = {key: value for key, value in GOOD.items() if key != "EASEL_DATABASE_URL"}
    for blank in ({}, {"EASEL_DATABASE_URL": ""}):
        settings = Settings.from_environment(environment | blank | {"EASEL_DATABASE_URL_FILE": str(file)})
        assert settings.database_url == "postgresql+psycopg2://db.example.com/other"


@pytest.mark.parametrize("content", [None, b"\xff\xfe" + SECRET.encode()])
def test_an_unreadable_file(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    assert "EASEL_BROKER_URL_FILE" in refusal(BROKER_URL="", BROKER_URL_FILE=str(file))
    assert "EASEL_BROKER_URL_FILE" in refusal(BROKER_URL="", BROKER_URL_FILE=str(tmp_path))


def test_a_value_from_secrets_manager(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        boto3.client("secretsmanager").create_secret(Name="easel/db", SecretString="postgresql://db.example.com/aws")
        environment = {key: value for key, value in GOOD.items() if key != "EASEL_DATABASE_URL"}
        settings = Settings.from_environment(environment | {"EASEL_DATABASE_URL_SECRET": "easel/db"})
        assert settings.database_url == "postgresql+psycopg2://db.example.com/aws"
        assert "EASEL_BROKER_URL_SECRET" in refusal(BROKER_URL="", BROKER_URL_SECRET="easel/none")


@pytest.mark.parametrize(
    "value",
    [
        "http://gpu.example.com",
        f"img_generator+http://a:{SECRET}@[gpu",
        "img_generator+http://gpu?x=1",
        f"img_generator+http://a:12#{SECRET}@gpu",
        f"img_generator+http://a:12/{SECRET}@gpu",
    ],
)
def test_invalid_generators_are_named(value: str) -> None:
    with pytest.raises(SettingsError, match="EASEL_GENERATORS") as caught:
        create_app(Services(read(GENERATORS=value)))
    assert SECRET not in str(caught.value)


def test_a_provider_needs_a_client() -> None:
    issuer = "https://accounts.example.com"
    assert "EASEL_OIDC_CLIENT_ID is set with EASEL_OIDC_ISSUER" in refusal(OIDC_ISSUER=issuer)
    settings = read(OIDC_ISSUER=issuer, OIDC_CLIENT_ID="easel", LOCAL_ACCOUNTS="OFF")
    assert (settings.oidc_name, settings.has_local_accounts) == ("accounts.example.com", False)
    assert read(OIDC_ISSUER="http://127.0.0.1:9400", OIDC_CLIENT_ID="easel").has_local_accounts


def test_the_clients_secret_comes_from_the_variable_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{SECRET}\n", encoding="utf-8")
    for environment in (
        {"EASEL_OIDC_CLIENT_SECRET": SECRET},
        {"EASEL_OIDC_CLIENT_SECRET_FILE": str(tmp_path / "secret")},
    ):
        assert read_client_secret(environment) == SECRET
    with pytest.raises(SettingsError, match="EASEL_OIDC_CLIENT_SECRET is not set, but EASEL_OIDC_ISSUER needs"):
        read_client_secret({})
