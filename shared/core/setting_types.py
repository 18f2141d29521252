"""The types of the settings: each parses the text of a variable and reports what is wrong with it.

A message completes a sentence that begins with the setting's name. It repeats a value only if that contains no secret.
"""

import ipaddress
import re
from collections.abc import Callable
from email.utils import parseaddr
from typing import Annotated, TypeAlias
from urllib.parse import SplitResult, parse_qsl, urlsplit

from pydantic import PlainValidator

from shared.core.content_rules import ContentRules, read_rules
from shared.core.numbers import whole_number
from shared.core.origins import canonical_origin

NUDITY = "nudity"
"""The checker of pictures that comes with Easel."""

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

MAX_LINE_CHARACTERS = 1000
MAIL_FORMS = "smtp://[user:password@]host:port, smtps://..., ses://region or file:///folder"
BROKER_OPTIONS = {
    "redis": frozenset[str](),
    "rediss": frozenset({"ssl_cert_reqs", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_check_hostname"}),
    "redis+socket": frozenset({"virtual_host", "password"}),
}
"""By scheme, the options of a broker's address with which kombu connects; any other one raises a TypeError there."""

_CERTIFICATES = ("none", "optional", "required", "CERT_NONE", "CERT_OPTIONAL", "CERT_REQUIRED")
_ADDRESS = re.compile(r"[A-Za-z0-9._+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")


def whole(least: int, most: int) -> PlainValidator:
    """Read a whole number, both bounds included."""

    def read(text: str) -> int:
        try:
            return whole_number(text, least, most)
        except ValueError as error:
            raise ValueError(f"is {error}.") from None

    return PlainValidator(read)


def choice(*choices: str, spelled: Callable[[str], str]) -> PlainValidator:
    """Read one of these words, in upper or lower case."""

    def read(text: str) -> str:
        word = spelled(text)
        if word not in choices:
            raise ValueError(f"is one of {', '.join(choices)}, not '{text[:40]}'.")
        return word

    return PlainValidator(read)


def split_address(text: str) -> SplitResult:
    """Split a URL. The standard library's error messages are not used, since they repeat the text."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise ValueError("holds an address that cannot be parsed.") from None
    return parts


def is_this_machine(host: str | None) -> bool:
    """Return whether a host is the loopback interface, which no proxy of the network can reach."""
    if not host or host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def has_bare_character(url: str) -> bool:
    """Return whether a user or a password probably holds `/`, `?` or `#`, each of which ends a URL's host.

    Another host, or none, would be connected to: `redis://:12#45@host` names the port 12 of this machine.
    """
    rest = url.split("://", 1)[-1]
    authority = re.split("[/?#]", rest, maxsplit=1)[0]
    after = rest[len(authority) :]
    if "@" in authority:
        return "#" in after or "@" in after.split("?", 1)[0]
    return "#" in after or (authority != "" and "@" in after)


def _split_with_scheme(text: str, *schemes: str) -> SplitResult:
    if text.split("://", maxsplit=1)[0] not in schemes or "://" not in text:
        raise ValueError(f"is an address that starts with {', '.join(f'{scheme}://' for scheme in schemes)}.")
    if has_bare_character(text):
        raise ValueError(
            "holds a character that ends the address before its host. Percent-encode it in user and password: # is"
            " %23, / is %2F, ? is %3F, @ is %40."
        )
    return split_address(text)


def _database_url(text: str) -> str:
    _split_with_scheme(text, "postgresql", "postgres", "postgresql+psycopg2")
    return "postgresql+psycopg2://" + text.split("://", 1)[1]


def _broker_url(text: str) -> str:
    parts = _split_with_scheme(text, "redis", "rediss", "redis+socket", "sqs", "sqs+http")
    if parts.scheme in ("redis", "rediss") and not re.fullmatch(r"/?|/[0-9]{1,5}", parts.path):
        raise ValueError("names its database by a number: redis://host:6379/0.")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    known = BROKER_OPTIONS.get(parts.scheme, frozenset())
    if not options.keys() <= known or options.get("ssl_cert_reqs", "none") not in _CERTIFICATES:
        raise ValueError(
            "has an option that cannot be used. rediss:// takes ssl_cert_reqs (none, optional or required),"
            " ssl_ca_certs, ssl_certfile and ssl_keyfile."
        )
    if parts.scheme == "redis+socket" and not parts.path.strip("/"):
        raise ValueError("names its socket: redis+socket:///run/redis.sock.")
    if parts.scheme.startswith("sqs") and not (parts.hostname and parts.path.strip("/")):
        raise ValueError("names its queue: sqs://<host>/<account>/<queue>.")
    return text


def _queue_url(text: str) -> str:
    parts = _split_with_scheme(text, "sqs", "sqs+http")
    if not (parts.hostname and parts.path.strip("/")) or parts.query or parts.username:
        raise ValueError("names a queue: sqs://<host>/<account>/<queue>.")
    return text


def _http_url(text: str) -> str:
    parts = split_address(text)
    extra = parts.path.strip("/") or parts.query or parts.fragment or parts.username or parts.password
    if parts.scheme not in ("http", "https") or not parts.hostname or extra:
        raise ValueError("holds addresses such as https://easel.example.com, without a path.")
    return canonical_origin(text)


def _s3_url(text: str) -> str:
    origin = _http_url(text)
    host = urlsplit(origin).hostname or ""
    # A VPC endpoint's own names may begin with `bucket.`, and end in `vpce.amazonaws.com`.
    if re.fullmatch(r".+\.s3[.-]([a-z0-9-]+\.)*(?<!vpce\.)amazonaws\.com(\.cn)?", host):
        raise ValueError("names a bucket; leave it out: https://s3.eu-central-1.amazonaws.com.")
    return origin


def _bucket(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9]([.-]?[A-Za-z0-9_]){2,62}", text, re.ASCII) or re.fullmatch(r"[0-9.]+", text):
        raise ValueError("is a bucket's name: 3 to 63 letters, digits, dots and hyphens.")
    return text


def _region(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9]([_-]?[a-z0-9]){0,62}", text, re.ASCII):
        raise ValueError("is a region's name, such as eu-central-1.")
    return text


def _issuer(text: str) -> str:
    parts = _split_with_scheme(text, "https", "http")
    bare = not (parts.query or parts.fragment or parts.username) and text.isprintable() and " " not in text
    if not (bare and parts.hostname):
        raise ValueError("is the provider's address, such as https://accounts.example.com.")
    if parts.scheme == "http" and not is_this_machine(parts.hostname):
        raise ValueError("starts with https://. Only a provider on this machine may do without.")
    return text


def _line(text: str) -> str:
    if not (text.isprintable() and len(text) <= MAX_LINE_CHARACTERS):
        raise ValueError(f"is one line of at most {MAX_LINE_CHARACTERS} characters.")
    return text


def _origins(text: str) -> tuple[str, ...]:
    return tuple(_http_url(entry.strip()) for entry in text.split(",") if entry.strip())


def _networks(text: str) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(entry.strip()) for entry in text.split(",") if entry.strip())
    except ValueError:
        raise ValueError("holds addresses or networks, comma separated, such as 10.0.0.0/8,fd00::/8.") from None


def _mail_url(text: str) -> str:
    parts = _split_with_scheme(text, "smtp", "smtps", "ses", "file")
    bare = not (parts.query or parts.fragment)
    if parts.scheme == "file":
        right = not parts.netloc and parts.path.strip("/") != ""
    elif parts.scheme == "ses":
        right = re.fullmatch(r"[a-z0-9-]+", parts.netloc) is not None and not parts.path.strip("/")
    else:
        complete = bool(parts.username) == bool(parts.password)
        right = bool(parts.hostname) and complete and not parts.path.strip("/")
    if not (bare and right and text.isprintable() and " " not in text):
        raise ValueError(f"is one of {MAIL_FORMS}.")
    return text


def _mail_from(text: str) -> str:
    address = parseaddr(text)[1]
    one = text.isprintable() and "," not in text and (text == address or text.endswith(f" <{address}>"))
    if not (one and _ADDRESS.fullmatch(address)):
        raise ValueError("is one address, such as Easel <pictures@example.com>.")
    return text


def _checker_name(text: str) -> str:
    if text != NUDITY and not re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", text, re.ASCII):
        raise ValueError("is nudity, or names a checker of pictures as package.module:factory.")
    return text


DatabaseUrl = Annotated[str, PlainValidator(_database_url)]
BrokerUrl = Annotated[str, PlainValidator(_broker_url)]
HttpUrl = Annotated[str, PlainValidator(_http_url)]
S3Url = Annotated[str, PlainValidator(_s3_url)]
Issuer = Annotated[str, PlainValidator(_issuer)]
Line = Annotated[str, PlainValidator(_line)]
Bucket = Annotated[str, PlainValidator(_bucket)]
Region = Annotated[str, PlainValidator(_region)]
Origins = Annotated[tuple[str, ...], PlainValidator(_origins)]
Networks = Annotated[tuple[Network, ...], PlainValidator(_networks)]
MailUrl = Annotated[str, PlainValidator(_mail_url)]
QueueUrl = Annotated[str, PlainValidator(_queue_url)]
CheckerName = Annotated[str, PlainValidator(_checker_name)]
MailFrom = Annotated[str, PlainValidator(_mail_from)]
Rules = Annotated[ContentRules | None, PlainValidator(read_rules)]
