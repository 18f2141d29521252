"""The table of routes, their functions, and the OpenAPI document."""

import importlib
import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute

from functions.http.manifest import manifest
from shared.core.errors import error_classes
from shared.services import Services
from tests.support.doors import Door, build_event, decode_answer, find_route
from tests.support.paths import ROOT

NAMES = sorted({route["name"] for route in manifest()})
FILES = sorted(path.stem for path in (ROOT / "functions").glob("*.py") if path.stem not in ("__init__", "gateway"))


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        check=False,
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def routes_of(name: str) -> set[tuple[str, str]]:
    router: APIRouter = importlib.import_module(f"functions.{name}").router
    return {
        (method, route.path) for route in router.routes if isinstance(route, APIRoute) for method in route.methods or ()
    }


def test_the_manifest_names_every_function() -> None:
    assert FILES == NAMES
    for route in manifest():
        assert route.keys() - {"right"} == {"name", "method", "path", "timeout_s", "memory_mb"}
        assert 1 <= route["timeout_s"] <= 29  # the maximum of API Gateway
        assert 128 <= route["memory_mb"] <= 10240


@pytest.mark.parametrize("name", NAMES)
def test_the_manifest_names_every_route(name: str) -> None:
    listed = [(route["method"], route["path"]) for route in manifest() if route["name"] == name]
    assert len(set(listed)) == len(listed)
    assert set(listed) == routes_of(name)
    assert callable(importlib.import_module(f"functions.{name}").handler)


def test_importing_functions_has_no_side_effects() -> None:
    """No setting is needed, no client created, no thread started, and no heavy module loaded before it is needed."""
    modules = ", ".join(f"functions.{name}" for name in [*NAMES, "gateway"])
    code = f"""
import sys, threading, socket
def refuse(*_): raise AssertionError("a socket")
socket.socket.connect = refuse
import {modules}
assert threading.active_count() == 1
print(sorted({{"boto3", "celery", "minio", "sqlalchemy.orm", "zxcvbn", "PIL"}} & sys.modules.keys()))
"""
    done = run(code)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    uploads_and_storage = ["minio"]
    assert json.loads(done.stdout.replace("'", '"')) in ([], uploads_and_storage)


def test_a_handler_takes_its_settings_from_the_environment(environment: dict[str, str]) -> None:
    request = httpx.Request("GET", "http://127.0.0.1:8080/v1/health")
    route = find_route("GET", "/v1/health")
    assert route is not None
    code = f"""
import json
from functions.health import handler
for _ in range(2):
    print(json.dumps(handler({build_event(request, route)!r}, None)))
"""
    done = run(code, **environment)
    assert done.returncode == 0, done.stderr
    for line in done.stdout.splitlines():
        answer = decode_answer(json.loads(line))
        assert (answer.status_code, answer.json()["status"]) == (200, "ok")


def test_events_that_keep_a_function_warm_are_harmless(environment: dict[str, str]) -> None:
    scheduled = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}
    own: tuple[object, ...] = (
        {},
        {"ping": True},
        scheduled,
        {"requestContext": None},
        None,
        7,
        "requestContext",
        ["requestContext"],
    )
    code = f"from functions.health import handler\nfor event in {own!r}:\n    print(handler(event, None))"
    done = run(code, **environment)
    assert (done.returncode, done.stdout, done.stderr) == (0, "{}\n" * len(own), "")


def test_a_handler_without_settings_names_the_missing_one() -> None:
    done = run("from functions.health import handler; handler({}, None)")
    assert done.returncode != 0
    assert (
        done.stderr.strip()
        .splitlines()[-1]
        .startswith("shared.core.settings.SettingsError: EASEL_DATABASE_URL is not set")
    )


@pytest.fixture
def openapi(asgi_door: Door) -> dict[str, Any]:
    document: dict[str, Any] = asgi_door.get("/openapi.json").json()
    return document


def test_openapi_names_every_route_and_no_other(openapi: dict[str, Any]) -> None:
    assert re.fullmatch(r"3\.1\.\d+", openapi["openapi"])
    assert openapi["info"]["title"] == "Easel"
    documented = {(method.upper(), path) for path, item in openapi["paths"].items() for method in item}
    assert documented == {(route["method"], route["path"]) for route in manifest()}
    operations = [operation for item in openapi["paths"].values() for operation in item.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    assert all(operation["summary"] and operation["description"] for operation in operations)


def test_every_reference_of_openapi_resolves(openapi: dict[str, Any]) -> None:
    references = set(re.findall(r'"\$ref": "([^"]+)"', json.dumps(openapi)))
    assert references
    for reference in references:
        place: Any = openapi
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]
        assert place


def test_openapi_lists_the_errors_of_every_route(openapi: dict[str, Any]) -> None:
    known = {error.code: error.status for error in error_classes()}
    documented: set[str] = set()
    for path, item in openapi["paths"].items():
        for method, operation in item.items():
            for status, response in operation["responses"].items():
                if int(status) < 400 or (path, status) == ("/v1/health", "503"):
                    continue
                assert list(response["content"]) == ["application/problem+json"], (method, path, status)
                codes = re.findall(r"`([a-z_]+)`:", response["description"])
                assert codes, (method, path, status)
                assert {known[code] for code in codes} == {int(status)}
                documented |= set(codes)
    before_any_route = {"method_not_allowed", "too_slow", "head_too_large"}
    assert documented == known.keys() - before_any_route


class Resources(HTMLParser):
    """Collects every address that a page loads something from."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.addresses += [value or "" for name, value in attributes if name in ("src", "href")]


def test_the_docs_load_everything_from_this_origin(asgi_door: Door, services: Services) -> None:
    page = asgi_door.get("/docs/")
    assert page.status_code == 200
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'self';")
    assert "http" not in policy
    resources = Resources()
    resources.feed(page.text)
    assert resources.addresses
    for address in resources.addresses:
        assert address.startswith("/")
        assert not address.startswith("//")
        assert asgi_door.get(address).status_code == 200


def test_docs_without_a_slash_redirects_to_the_docs(asgi_door: Door) -> None:
    response = asgi_door.get("/docs")
    assert response.status_code in (301, 302, 307, 308)
    assert response.headers["location"].endswith("/docs/")


@pytest.mark.parametrize("path", ["/docs/nothing.js", "/docs/../gateway.py", "/docs/%2e%2e/%2e%2e/pyproject.toml"])
def test_the_docs_serve_nothing_else(asgi_door: Door, path: str) -> None:
    assert asgi_door.get(path).status_code == 404
