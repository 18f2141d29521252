"""Addresses, requests and the registry of generator clients."""

import subprocess
import sys

import pytest

from shared.generators import connect
from shared.generators.addresses import PROTOCOLS, GeneratorAddress, parse_addresses
from tests.support.orders import order


def test_it_reads_a_list_of_addresses() -> None:
    first, second = parse_addresses(
        "img_generator+http://127.0.0.1:2020?max_in_flight=7, img_generator+https://user:pa%2Css@GPU.example.com:443/a/"
    )
    assert first == GeneratorAddress("img_generator", "http://127.0.0.1:2020", 7)
    assert second.url == "https://user:pa%2Css@GPU.example.com:443/a"
    assert second.max_in_flight == 4
    third, fourth = parse_addresses("glide+http://gpu.example.com, glide+http://b.example.com?max_in_flight=2")
    assert (third.protocol, third.max_in_flight, fourth.max_in_flight) == ("glide", 1, 2)


def test_an_unknown_protocol_error_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"the protocols are img_generator, openai, sdapi, horde and glide\.$"):
        parse_addresses("http://gpu.example.com")


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://127.0.0.1:2020", "http://127.0.0.1:2020"),
        ("http://127.0.0.1:2020/", "http://127.0.0.1:2020"),
        ("https://user:secret@GPU.Example.com:443/a/", "https://gpu.example.com/a"),
        ("HTTP://host:80", "http://host"),
        ("http://[::1]:2020/x", "http://[::1]:2020/x"),
    ],
)
def test_the_name_is_normalized_and_contains_no_secret(url: str, name: str) -> None:
    (address,) = parse_addresses(f"img_generator+{url}")
    assert address.name == name
    assert "secret" not in repr(address)


def test_a_blank_setting_means_no_generators() -> None:
    assert parse_addresses("  ") == ()


@pytest.mark.parametrize(
    "text",
    [
        "http://user:secret@host",
        "carrier_pigeon+http://user:secret@host",
        "glide+http://user:secret@host?max_in_flight=65",
        "img_generator+ftp://user:secret@host",
        "img_generator+http://",
        "img_generator+http://user:secret@",
        "img_generator+http://user:secret@host:99999",
        "img_generator+http://user:secret@host:0",
        "img_generator+http://user:secret@host:secret",
        "img_generator+http://user:secret@[::1",
        "img_generator+http://user:secret@host?max_in_flight=0",
        "img_generator+http://user:secret@host?max_in_flight=1001",
        "img_generator+http://user:secret@host?max_in_flight=-1",
        "img_generator+http://user:secret@host?max_in_flight=two",
        "img_generator+http://user:secret@host?max_in_flight=",
        "img_generator+http://user:secret@host?max_in_flight=2&max_in_flight=3",
        "img_generator+http://user:secret@host?token=secret",
        "img_generator+http://user:secret@host?secret",
        "img_generator+http://user:secret@host?each_address=secret",
        "img_generator+http://user:secret@host?each_address=1&each_address=1",
        "img_generator+https://user:secret@host?each_address=1",
        "img_generator+http://user:secret@host#secret",
        "img_generator+http://user:sec ret@host",
        "img_generator+http://user:secret@host,",
        "img_generator+http://user:secret@host,img_generator+http://HOST:80/",
    ],
)
def test_an_invalid_address_is_reported_without_its_text(text: str) -> None:
    with pytest.raises(ValueError, match=r"^generator [12]: [^\n]+\.$") as caught:
        parse_addresses(text)
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_every_protocol_has_a_client() -> None:
    for protocol in PROTOCOLS:
        connect(GeneratorAddress(protocol, "http://127.0.0.1:1")).close()
    with pytest.raises(ValueError, match="protocol"):
        connect(GeneratorAddress("carrier_pigeon", "http://127.0.0.1:1"))


def test_the_repr_of_a_request_has_no_prompt() -> None:
    shown = repr(order(prompt="words", negative_prompt="words", source_images=(b"words",), key="words"))
    assert "words" not in shown


def test_what_a_request_expects() -> None:
    source = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + (40).to_bytes(4, "big") + (30).to_bytes(4, "big")
    assert order(n=2, upscale=3).output_sizes == ((192, 192), (192, 192))
    assert (order(upscale=0).output_width, order(upscale=2).output_height) == (64, 128)
    assert order(source_images=(source,), n=3).expected_images == 3
    assert order(source_images=(source,) * 2, strength=-0.5, upscale=2).output_sizes == ((80, 60), (80, 60))
    assert order(source_images=(source,), strength=-2, upscale=1).output_sizes == ()
    assert order(source_images=(source,), strength=-2, describe=True).expected_descriptions == 1
    assert order(source_images=(source,), strength=-2, upscale=2).expected_images == 1
    assert order(n=2).expected_descriptions == 0


def test_reading_an_address_loads_no_http_library() -> None:
    modules = "shared.generators.addresses, shared.generators.base"
    code = f"import sys, {modules}; sys.exit('requests' in sys.modules or 'PIL' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
