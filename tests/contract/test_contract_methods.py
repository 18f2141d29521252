"""HEAD, hosts, events and media types: what programs send that no page does."""

import importlib
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import requests

from functions.http.app import create_lambda
from functions.http.manifest import manifest
from shared.services import Services
from tests.support.doors import Door, build_event, build_rest_event, decode_answer, find_route
from tests.support.loops import loop_of_thread
from tests.support.people import Person

NO_ID = "00000000-0000-7000-8000-000000000000"
READ = sorted({route["path"] for route in manifest() if route["method"] == "GET"})
CHANGING = {"x-request-id", "date"}


def same(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in CHANGING}


@pytest.mark.parametrize("path", READ)
def test_head_answers_as_get_without_a_body(door: Door, ada: Person, path: str) -> None:
    address = path.replace("{job_id}", NO_ID).replace("{image_id}", NO_ID)
    for headers in (ada.headers, {}):
        got, asked = (door.request(method, address, headers=headers) for method in ("GET", "HEAD"))
        assert (asked.status_code, asked.content) == (got.status_code, b"")
        assert same(asked) == same(got)


def test_a_link_can_be_checked_with_head(
    door: Door, submit: Callable[..., dict[str, Any]], finish: Callable[[], None], ada: Person
) -> None:
    """A program that follows the redirect also sends HEAD to the storage, whose signature covers the method."""
    job = submit(width=64, height=64)
    finish()
    [image] = door.get(job["links"]["self"], headers=ada.headers).json()["images"]
    answer = door.head(image["link"])
    assert (answer.status_code, answer.content) == (302, b"")
    found = requests.head(answer.headers["location"], timeout=10)
    assert (found.status_code, found.headers["content-type"]) == (200, "image/png")


@pytest.mark.parametrize("host", ["[::1]:8080", "[2001:db8::1]", "::1", "a:b:c", "", "x:99999"])
def test_any_host_is_harmless(door: Door, ada: Person, host: str) -> None:
    answer = door.get("/v1/me", headers={**ada.headers, "Host": host})
    assert answer.status_code == 200


def test_an_empty_answer_has_no_media_type(door: Door, ada: Person) -> None:
    answer = door.post("/v1/logout", headers=ada.headers)
    assert (answer.status_code, answer.content) == (204, b"")
    assert "content-type" not in answer.headers


@pytest.mark.parametrize("prefix", ["/prod", "/easel", "/api/v2", "/v1"])
@pytest.mark.parametrize("build", [build_event, build_rest_event])
def test_a_stage_or_base_path_before_the_route_is_ignored(
    services: Services, ada: Person, prefix: str, build: Callable[..., dict[str, Any]]
) -> None:
    with loop_of_thread():
        function = create_lambda(importlib.import_module("functions.account").router, services)
        route = find_route("GET", "/v1/me")
        assert route is not None
        event = build(httpx.Request("GET", "http://127.0.0.1:8080/v1/me", headers=ada.headers), route)
        for holder, name in ((event, "path"), (event, "rawPath"), (event["requestContext"].get("http", {}), "path")):
            if name in holder:
                holder[name] = prefix + "/v1/me"
        context: Any = None
        assert decode_answer(function(event, context)).json()["user"]["email"] == ada.email
        for holder, name in ((event, "path"), (event["requestContext"].get("http", {}), "path")):
            if name in holder:
                holder[name] = prefix + "/v1/other"
        assert decode_answer(function(event, context)).json()["code"] == "not_found"
