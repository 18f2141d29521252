"""The addresses of the generators, as EASEL_GENERATORS lists them, with what each protocol's address may say.

Pure and cheap to import: settings are checked with it in every process.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, quote, urlsplit

from shared.core.public_addresses import is_any, is_beyond_the_link
from shared.core.setting_types import has_bare_character


@dataclass(frozen=True, slots=True)
class Option:
    """An option in the query of an address: the values that match `pattern`, and the sentence about others."""

    pattern: str
    rule: str


COMMON = ("max_in_flight", "each_address", "link_local")
"""The options of every protocol."""

FOLLOWABLE = ("seed", "steps", "scale", "negative_prompt", "strength")
"""The settings that `follows` may list: those that some servers of a protocol follow and others ignore."""

_LISTED = "|".join(FOLLOWABLE)

OPTIONS = {
    "model": Option(r"[!-~]([ -~]{0,198}[!-~])?", "model must be 1 to 200 letters, digits and signs of ASCII."),
    "key_env": Option(
        r"[A-Z][A-Z0-9_]{0,99}",
        "key_env must name the environment variable that holds the key, such as OPENAI_API_KEY, not the key itself.",
    ),
    "follows": Option(
        rf"(({_LISTED})([ +]({_LISTED}))*)?", f"follows must list some of {', '.join(FOLLOWABLE)}, joined by +."
    ),
    "sampler": Option(r"[!-~]([ -~]{0,98}[!-~])?", "sampler must be 1 to 100 letters, digits and signs of ASCII."),
    "scheduler": Option(r"[!-~]([ -~]{0,98}[!-~])?", "scheduler must be 1 to 100 letters, digits and signs of ASCII."),
    "upscaler": Option(r"[!-~]([ -~]{0,98}[!-~])?", "upscaler must be 1 to 100 letters, digits and signs of ASCII."),
    "alone": Option("1", "alone must be 1, for a server that nobody else uses, or be left out."),
    "nsfw": Option("1", "nsfw must be 1, or be left out."),
    "pictures_from": Option(
        r"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?",
        "pictures_from must be a host such as pictures.example.com, or host:port.",
    ),
    "sizes": Option(
        r"[1-9][0-9]{1,3}x[1-9][0-9]{1,3}([ +][1-9][0-9]{1,3}x[1-9][0-9]{1,3}){0,31}",
        "sizes must be at most 32 sizes such as 512x512, joined by +.",
    ),
}
"""The options that a protocol may have besides those of all, `COMMON`. A plus sign in a query means a
space, so both separate the entries of a list."""


@dataclass(frozen=True, slots=True)
class ProtocolRules:
    """What an address of a protocol may say: how many requests it may hold at once (by default, at most); options.

    `calls` are the ends that other programs want in their base URL, and that the client adds by itself.
    """

    default: int
    most: int
    options: frozenset[str] = frozenset()
    calls: tuple[str, ...] = ()


PROTOCOLS = {
    "img_generator": ProtocolRules(default=4, most=1000),
    # A server of these draws while its caller waits, several pictures at a time where it batches.
    "openai": ProtocolRules(
        default=1,
        most=64,
        options=frozenset({"model", "key_env", "follows", "pictures_from", "sizes"}),
        calls=("/images/generations", "/images/edits", "/images"),
    ),
    # Servers with the API of AUTOMATIC1111 draw one picture at a time while their callers wait.
    "sdapi": ProtocolRules(
        default=1,
        most=64,
        options=frozenset({"model", "sampler", "scheduler", "upscaler", "follows", "alone"}),
        calls=("/sdapi/v1", "/sdapi"),
    ),
    "horde": ProtocolRules(
        default=4,
        most=100,
        options=frozenset({"model", "sampler", "key_env", "follows", "nsfw", "pictures_from"}),
        calls=("/api/v2", "/api"),
    ),
    # A Glide server draws while its caller waits. One graphics card draws one picture at a time, and every call that
    # waits holds a connection there and a thread here.
    "glide": ProtocolRules(default=1, most=64),
}
"""The protocols that `connect` knows. Where several support a request equally well, the first of them gets it."""


@dataclass(frozen=True, slots=True)
class GeneratorAddress:
    """Where a generator is, how many requests it may hold at once, and the options of its protocol.

    `url` may contain a user name and a password; log and store `name` instead. With `each_address` every address behind
    the host name is a generator (see `discovery`). `key` is the secret that the option `key_env` names, in processes
    that call generators. With `link_local` its IP address may be one of the link alone.
    """

    protocol: str
    url: str = field(repr=False)
    max_in_flight: int = 1
    each_address: bool = False
    options: tuple[tuple[str, str], ...] = ()
    key: str = field(default="", repr=False)
    link_local: bool = False

    @property
    def name(self) -> str:
        """Return the normalised URL without user name, password and options except the model.

        It is one name for each generator: two models of one server are two generators.
        """
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        host = f"[{host}]" if ":" in host else host
        default_port = {"http": 80, "https": 443}.get(parts.scheme)
        port = f":{parts.port}" if parts.port not in (None, default_port) else ""
        model = self.option("model")
        query = f"?model={quote(model)}" if model else ""
        return f"{parts.scheme}://{host}{port}{parts.path.rstrip('/')}{query}"

    @property
    def allowed(self) -> Callable[[str], bool]:
        """Return the rule about the IP addresses that its client may connect to."""
        return is_any if self.link_local else is_beyond_the_link

    def option(self, name: str) -> str | None:
        """Return the value of an option; None without it."""
        return dict(self.options).get(name)

    @property
    def follows(self) -> frozenset[str] | None:
        """Return the settings that the operator says the server follows; None if they say nothing."""
        value = self.option("follows")
        return None if value is None else frozenset(re.split("[ +]", value)) - {""}

    @property
    def sizes(self) -> frozenset[tuple[int, int]]:
        """Return the only (width, height) in pixels that the server can make; empty where that is not known."""
        pairs = (size.split("x") for size in re.split("[ +]", self.option("sizes") or "") if size)
        return frozenset((int(width), int(height)) for width, height in pairs)


def parse_addresses(text: str) -> tuple[GeneratorAddress, ...]:
    """Parse a comma separated list such as `img_generator+http://127.0.0.1:2020?max_in_flight=4`; it may be empty.

    Raises:
        ValueError: with one sentence that names the entry by its place and never repeats its text (passwords).
    """
    if not text.strip():
        return ()
    addresses: list[GeneratorAddress] = []
    for place, entry in enumerate(text.split(","), start=1):
        try:
            address = _parse_address(entry.strip())
        except ValueError as error:
            raise ValueError(f"generator {place}: {error}") from None
        if any(address.name == other.name for other in addresses):
            raise ValueError(f"generator {place}: the same address is listed twice.")
        addresses.append(address)
    return tuple(addresses)


def _parse_address(entry: str) -> GeneratorAddress:
    protocol, plus, url = entry.partition("+")
    if not plus or protocol not in PROTOCOLS:
        raise ValueError(f"it must start with a protocol and a plus sign; the protocols are {_and(PROTOCOLS)}.")
    if any(character <= " " or character == "\x7f" for character in url):
        raise ValueError("its URL holds a space or a control character.")
    parts = _split_url(url)
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not re.fullmatch(r"[\w.-]+|[0-9a-f:.]+(%\w+)?", host):
        raise ValueError("its URL must be http://host or https://host; commas separate generators.")
    if added := next((end for end in PROTOCOLS[protocol].calls if parts.path.rstrip("/").endswith(end)), None):
        raise ValueError(f"its URL must end before {added}, which is added to it.")
    if parts.fragment:
        raise ValueError("its URL must not have a fragment.")
    options = _parse_options(parts.query, PROTOCOLS[protocol])
    if "key_env" in options and parts.username is not None:
        raise ValueError("it must have key_env or a user and a password, not both.")
    each_address, link_local = (options.pop(name, "") == "1" for name in ("each_address", "link_local"))
    _check_host(host, link_local)
    if each_address and parts.scheme == "https":
        raise ValueError("each_address works only with http://: certificates are for names, not for addresses.")
    if "alone" in options and int(options.get("max_in_flight", "1")) > 1:
        raise ValueError("with alone max_in_flight must be 1, because an interrupt ends whatever is drawn.")
    in_flight = int(options.pop("max_in_flight", PROTOCOLS[protocol].default))
    bare = parts._replace(query="", path=parts.path.rstrip("/")).geturl()
    return GeneratorAddress(
        protocol, bare, in_flight, each_address, tuple(sorted(options.items())), link_local=link_local
    )


def _check_host(host: str, link_local: bool) -> None:
    if host.isdigit():
        raise ValueError("its URL has a number for its host; a port comes after the host, as in http://127.0.0.1:8000.")
    try:
        refused = not (link_local or is_beyond_the_link(host))
    except ValueError:
        return  # a name, which is looked up when it is connected to
    if refused:
        raise ValueError("its host is a link-local address, where clouds serve keys; add link_local=1 if it is meant.")


def _split_url(url: str) -> SplitResult:
    """Split a URL. The standard library's messages are not used, because they repeat the text."""
    if has_bare_character(url):
        raise ValueError("its URL holds # or @ in a wrong place; percent-encode user and password, and no fragment.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("its URL cannot be read.") from None
    if port == 0:
        raise ValueError("its port must be 1 to 65535.")
    return parts


def _parse_options(query: str, rules: ProtocolRules) -> dict[str, str]:
    """Return the options of an address, each checked."""
    known = [*COMMON, *(name for name in OPTIONS if name in rules.options)]
    pairs = parse_qsl(query, keep_blank_values=True)
    options = dict(pairs)
    if len(options) < len(pairs) or not options.keys() <= set(known) or (query and not pairs):
        raise ValueError(f"the options are {_and(known)}, each at most once.")
    for name in ("each_address", "link_local"):
        if options.get(name, "1") != "1":
            raise ValueError(f"{name} must be 1, or be left out.")
    places = options.get("max_in_flight", "1")
    if not (places.isascii() and places.isdigit() and len(places) <= 4 and 1 <= int(places) <= rules.most):
        raise ValueError(f"max_in_flight must be a whole number from 1 to {rules.most}.")
    for name, value in options.items():
        if name in OPTIONS and not re.fullmatch(OPTIONS[name].pattern, value):
            raise ValueError(OPTIONS[name].rule)
    return options


def _and(words: Iterable[str]) -> str:
    """Return words as a list in a sentence: `a, b and c`."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last
