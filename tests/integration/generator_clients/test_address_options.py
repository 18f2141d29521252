"""The options of an address beside its number of places, and the keys that they name."""

from pathlib import Path

import pytest

from shared.core.settings import SettingsError, read_key
from shared.generators import connect
from shared.generators.abilities import (
    IGNORED,
    LIMITS,
    Ignored,
    count_ignored,
    ignored_fields,
    nearest_limits,
    supported_protocols,
    unsupported_fields,
)
from shared.generators.addresses import FOLLOWABLE, OPTIONS, PROTOCOLS, ProtocolRules, parse_addresses
from shared.generators.openai import OpenAi
from shared.generators.sdapi import Sdapi
from shared.polling.client_pool import ClientPool
from shared.services import Services
from tests.support.orders import order

SECRET = "k-3f9a-secret"
HOST = "sketch+https://gpu.example.com/v3"


@pytest.fixture(autouse=True)
def sketch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make `sketch` a protocol that has all the options and promises nothing."""
    monkeypatch.setitem(PROTOCOLS, "sketch", ProtocolRules(2, 8, frozenset(OPTIONS)))
    monkeypatch.setitem(LIMITS, "sketch", LIMITS["glide"][:1])
    monkeypatch.setitem(IGNORED, "sketch", tuple(Ignored(name, name, lambda _: True) for name in FOLLOWABLE))


def test_the_options_are_read() -> None:
    query = "model=Org/flux%2C%201&key_env=GPU_KEY&follows=seed+steps&sizes=512x512+768x512&max_in_flight=3"
    (address,) = parse_addresses(f"{HOST}?{query}")
    assert (address.url, address.max_in_flight) == ("https://gpu.example.com/v3", 3)
    assert (address.option("model"), address.option("key_env"), address.key) == ("Org/flux, 1", "GPU_KEY", "")
    assert address.follows == frozenset({"seed", "steps"})
    assert address.sizes == {(512, 512), (768, 512)}


def test_without_options_nothing_is_known() -> None:
    (address,) = parse_addresses(HOST)
    assert (address.max_in_flight, address.option("model"), address.follows) == (2, None, None)
    assert address.sizes == frozenset()
    (nothing,) = parse_addresses(f"{HOST}?follows=")
    assert nothing.follows == frozenset()


def test_two_models_of_a_server_are_two_generators() -> None:
    first, second = parse_addresses(f"{HOST}?model=a%20b,{HOST}?model=c&key_env=K")
    assert (first.name, second.name) == (
        "https://gpu.example.com/v3?model=a%20b",
        "https://gpu.example.com/v3?model=c",
    )


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("openai+http://8000", "a number for its host; a port comes after the host"),
        ("openai+http://gpu/v1/images/generations", "must end before /images/generations"),
        ("openai+http://gpu/v1/images/", "must end before /images,"),
        ("sdapi+http://gpu:7860/sdapi/v1", "must end before /sdapi/v1"),
        ("sdapi+http://gpu:7860/sdapi/v1/", "must end before /sdapi/v1"),
        ("horde+https://aihorde.net/api", "must end before /api,"),
        ("horde+https://aihorde.net/api/v2/", "must end before /api/v2"),
    ],
)
def test_the_base_url_of_another_program_is_not_taken_for_the_address(entry: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_addresses(entry)


@pytest.mark.parametrize(
    ("entry", "name", "path"),
    [
        ("openai+http://gpu:8000/v1/", "http://gpu:8000/v1", "/v1"),
        ("openai+http://gpu:8000//", "http://gpu:8000", "/v1"),
        ("openai+http://gpu:8000/v3", "http://gpu:8000/v3", "/v3"),
        ("openai+http://gpu/a%20b", "http://gpu/a%20b", "/a%20b"),
        ("openai+HTTP://GPU:80?model=a%2Fb%25", "http://gpu?model=a/b%25", "/v1"),
        ("openai+http://[::1]:8000", "http://[::1]:8000", "/v1"),
        ("openai+http://10.0.0.7", "http://10.0.0.7", "/v1"),
        ("sdapi+http://user:p%40ss@gpu:7860/behind/", "http://gpu:7860/behind", "/behind"),
    ],
)
def test_ways_to_write_an_address(entry: str, name: str, path: str) -> None:
    (address,) = parse_addresses(entry)
    client = connect(address)
    assert isinstance(client, OpenAi | Sdapi)
    assert (address.name, client._http._path) == (name, path)
    client.close()


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("model=", "model must be"),
        ("model=%20secret", "model must be"),
        ("model=" + "secret" * 40, "model must be"),
        ("model=sec%0Aret", "model must be"),
        ("key_env=secret-value", "key_env must name"),
        ("key_env=", "key_env must name"),
        ("follows=secret", "follows must list some of seed, steps"),
        ("follows=seed++steps", "follows must list"),
        ("sizes=secret", "sizes must be"),
        ("sizes=", "sizes must be"),
        ("sizes=512x99999", "sizes must be"),
        ("sizes=" + "+".join(["512x512"] * 33), "sizes must be"),
        ("secret=1", "the options are max_in_flight, each_address, link_local, model, key_env, follows"),
        ("model=a&model=secret", "each at most once"),
    ],
)
def test_a_wrong_option_is_reported_without_its_text(query: str, words: str) -> None:
    with pytest.raises(ValueError, match=r"^generator 1: [^\n]+\.$") as caught:
        parse_addresses(f"{HOST}?{query}")
    assert words in str(caught.value)
    assert "secret" not in str(caught.value)


LINK_LOCAL = (
    "169.254.169.254",
    "169.254.0.1:8000",
    "[fe80::1]",
    "[fe80::1%eth0]",
    "[::ffff:169.254.1.1]",
    "[fd00:ec2::254]",
)


@pytest.mark.parametrize("host", LINK_LOCAL)
def test_a_link_local_address_is_one_only_where_the_operator_says_so(host: str) -> None:
    with pytest.raises(ValueError, match=r"^generator 1: its host is a link-local address.+ add link_local=1"):
        parse_addresses(f"glide+http://{host}")
    (address,) = parse_addresses(f"glide+http://{host}?link_local=1")
    assert (address.link_local, address.options, address.name) == (True, (), f"http://{host}")


@pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.7", "192.168.1.5:7860", "[fd00::1]", "[::1]", "gpu"])
def test_a_private_address_is_the_operators_own_word(host: str) -> None:
    (address,) = parse_addresses(f"glide+http://{host}")
    assert not address.link_local


@pytest.mark.parametrize("links", ["0", "", "yes"])
def test_link_local_is_1_or_absent(links: str) -> None:
    with pytest.raises(ValueError, match="link_local must be 1, or be left out"):
        parse_addresses(f"glide+http://gpu?link_local={links}")


def test_a_key_and_a_password_exclude_each_other() -> None:
    with pytest.raises(ValueError, match="not both") as caught:
        parse_addresses("sketch+https://user:secret@host?key_env=K")
    assert "secret" not in str(caught.value)


def test_options_belong_to_protocols() -> None:
    with pytest.raises(
        ValueError, match=r"the options are max_in_flight, each_address and link_local, each at most once\.$"
    ):
        parse_addresses("glide+http://host?model=a")


def test_only_processes_that_call_generators_read_keys(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    given = Services(services.settings.model_copy(update={"generators": f"{HOST}?key_env=GPU_KEY,glide+http://host"}))
    monkeypatch.delenv("GPU_KEY", raising=False)
    assert [address.key for address in given.addresses] == ["", ""]
    with pytest.raises(SettingsError, match=r"^GPU_KEY is not set, but EASEL_GENERATORS names it"):
        _ = given.generators
    monkeypatch.setenv("GPU_KEY", f" {SECRET}\n")
    first, second = given.generators
    assert (first.key, second.key) == (SECRET, "")
    assert SECRET not in f"{first!r} {first.name} {given!r} {given.addresses!r}"


def test_a_key_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{SECRET}\n")
    assert read_key("GPU_KEY", {"GPU_KEY_FILE": str(tmp_path / "key")}) == SECRET


@pytest.mark.parametrize("key", ["", " ", "two\nlines", "ключ-secret", "secret" * 1000, "nul\0secret"])
def test_what_is_no_key_is_refused_without_its_text(key: str) -> None:
    with pytest.raises(SettingsError, match=r"^GPU_KEY ") as caught:
        read_key("GPU_KEY", {"GPU_KEY": key})
    assert "secret" not in str(caught.value)


def test_what_a_server_follows_is_not_ignored() -> None:
    assert {one.field for one in ignored_fields("sketch", order())} == set(FOLLOWABLE)
    follows = frozenset({"seed", "steps"})
    assert {one.field for one in ignored_fields("sketch", order(), follows)} == set(FOLLOWABLE) - follows
    assert (count_ignored("sketch", frozenset()), count_ignored("sketch", follows)) == (5, 3)
    assert count_ignored("img_generator", frozenset()) == 0


def test_generators_are_ordered_by_what_they_ignore() -> None:
    addresses = parse_addresses(
        f"{HOST}?model=a,{HOST}?model=b&follows=seed,glide+http://host,img_generator+http://host:1"
    )
    assert list(ClientPool(addresses).count_ignored().values()) == [5, 4, 4, 0]


def test_a_size_that_no_server_makes_is_known_before() -> None:
    addresses = parse_addresses(f"{HOST}?sizes=512x512+768x512")
    assert unsupported_fields("sketch", order(width=768, height=512), addresses[0].sizes) == ()
    [limit] = unsupported_fields("sketch", order(), addresses[0].sizes)
    assert (limit.field, limit.preset) == ("width", "aspect")
    assert "512x512, 768x512" in limit.instead
    assert "sketch" in supported_protocols(order()).split(",")
    assert "sketch" not in supported_protocols(order(), addresses).split(",")
    assert "sketch" in supported_protocols(order(width=512, height=512), addresses).split(",")
    assert [found.field for found in nearest_limits(addresses, order())] == ["width"]
    assert nearest_limits([*addresses, *parse_addresses("glide+http://host")], order()) == ()
