"""CloudFront answers as functions/gateway.py does: the same headers, and the same files for the same paths."""

import asyncio
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from functions.gateway import API_FOLDERS, FILE_ENDING, SITE, Docs, Site
from shared.clients.storage import Storage
from shared.core.settings import Settings
from tests.support.configuration import TERRAFORM, blocks, defaults, locals_of, nested, resource, resources, text_of
from tests.support.paths import ROOT

MODULE = TERRAFORM / "modules" / "site"
PICTURES = "https://pictures.example.com"
HERE = "http://127.0.0.1"
Get = Callable[[str], httpx.Response]
ON_TLS_ALONE = "strict-transport-security"

ADDRESSES = (
    *("/", "/index.html", "/main.js", "/favicon.svg", "/styles/colours.css", "/pictures", "/jobs/0199", "/p/1.5x"),
    *("/styles", "/styles/", "/nothing.js", "/nothing.html", "/a.b/c", "/a/b.longending9", "/a/b.PNG", "/.hidden"),
    *("/docs", "/docs/", "/docs/index.html", "/docs/start.js", "/docs/nothing", "/docs/nothing.js", "/v1", "/i"),
)


@pytest.fixture(scope="module")
def gateway() -> Get:
    """Return a client of the site and the docs as the gateway mounts them."""
    app = FastAPI(docs_url=None, redirect_slashes=False)
    app.mount("/docs", Docs())
    app.mount("/", Site(PICTURES))

    async def ask(address: str) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=HERE) as client:
            return await client.get(address)

    return lambda address: asyncio.run(ask(address))


def headers_of(name: str) -> dict[str, str]:
    """Return the headers that a response headers policy of the module writes, by lower-case name."""
    policy = resource("site", "aws_cloudfront_response_headers_policy", name)
    [security] = policy.nested("security_headers_config")
    values: dict[str, Callable[[dict[str, Any]], str]] = {
        "content_security_policy": lambda block: _resolved(block["content_security_policy"]),
        "content_type_options": lambda _block: "nosniff",
        "referrer_policy": lambda block: _resolved(block["referrer_policy"]),
        "strict_transport_security": lambda block: f"max-age={block['access_control_max_age_sec']}",
    }
    names = {"content_type_options": "x-content-type-options"}
    written = {}
    for kind, [block] in security.items():
        assert block["override"] is True
        written[names.get(kind, kind.replace("_", "-"))] = values[kind](block)
    for custom in policy.nested("custom_headers_config"):
        for item in nested(custom, "items"):
            written[item["header"].lower()] = _resolved(item["value"])
    return written


def _resolved(text: str) -> str:
    """Return the value of an expression: a literal, or what the module takes from the file that the gateway reads."""
    if text == "${local.site_policy}":
        text = locals_of("site")["site_policy"]
        inner = re.fullmatch(r'\$\{replace\((.+), "\{storage\}", var\.pictures_origin\)\}', text)
        assert inner is not None
        return _resolved(f"${{{inner[1]}}}").replace("{storage}", PICTURES)
    declared = re.fullmatch(r'\$\{local\.headers\.(\w+)\["([\w-]+)"\]\}', text)
    if declared is None:
        assert "$" not in text
        return text
    read = re.fullmatch(r'\$\{jsondecode\(file\("\$\{path\.module\}/(.+)"\)\)\}', locals_of("site")["headers"])
    assert read is not None
    value: str = json.loads((MODULE / read[1]).read_text(encoding="utf-8"))[declared[1]][declared[2]]
    return value


@pytest.mark.parametrize(("name", "address"), [("site", "/"), ("site", "/main.js"), ("docs", "/docs/")])
def test_the_headers_are_those_of_the_gateway(gateway: Get, name: str, address: str) -> None:
    answer = gateway(address)
    assert answer.status_code == 200
    written = headers_of(name)
    assert written.pop(ON_TLS_ALONE) == "max-age=31536000"
    assert {header: answer.headers[header] for header in written} == written
    about_the_file = {"content-type", "content-length", "etag", "last-modified", "accept-ranges", "date", "vary"}
    assert set(answer.headers) - about_the_file == set(written)


def cloudfront(addresses: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return the CloudFront Function's results for requests of these paths."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed: the CloudFront Function does not run")
    script = f"""
{(MODULE / "address.js").read_text(encoding="utf-8")}
const addresses = {json.dumps(addresses)};
const event = uri => ({{ request: {{ method: 'GET', uri, headers: {{}}, querystring: {{}} }} }});
console.log(JSON.stringify(addresses.map(uri => handler(event(uri)))));
"""
    done = subprocess.run([node, "-e", script], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


@pytest.fixture(scope="module")
def answers() -> dict[str, dict[str, Any]]:
    return dict(zip(ADDRESSES, cloudfront(ADDRESSES), strict=True))


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_resolves_as_at_the_gateway(gateway: Get, answers: dict[str, dict[str, Any]], address: str) -> None:
    expected, answer = gateway(address), answers[address]
    if "statusCode" in answer:
        assert answer["statusCode"] == expected.status_code
        if expected.is_redirect:
            assert answer["headers"]["location"]["value"] == expected.headers["location"].removeprefix(HERE)
        return
    file = SITE / answer["uri"].lstrip("/")
    assert expected.status_code == (200 if file.is_file() else 404)
    if file.is_file():
        assert expected.content == file.read_bytes()


def test_the_file_pattern_is_defined_once() -> None:
    code = (MODULE / "address.js").read_text(encoding="utf-8")
    assert f"const FILE_ENDING = /{FILE_ENDING.pattern}/;" in code
    [function] = resources("aws_cloudfront_function")
    assert (function.body["runtime"], function.body["publish"]) == ("cloudfront-js-2.0", True)
    assert function.body["code"] == '${file("${path.module}/address.js")}'


def test_api_and_links_are_routed_to_the_api_uncached() -> None:
    local = locals_of("site")
    assert set(local["api_behaviours"]) == {f"/{folder}/*" for folder in API_FOLDERS}
    [distribution] = resources("aws_cloudfront_distribution")
    api, docs = distribution.nested("ordered_cache_behavior")
    assert api["target_origin_id"] == "api"
    assert api["cache_policy_id"] == "${local.caching_disabled}"
    assert api["origin_request_policy_id"] == "${local.all_viewer_but_host_name}"
    assert docs["response_headers_policy_id"] == "${aws_cloudfront_response_headers_policy.docs.id}"
    assert set(local["api_behaviours"]["/v1/*"]) >= {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
    [default] = distribution.nested("default_cache_behavior")
    assert default["response_headers_policy_id"] == "${aws_cloudfront_response_headers_policy.site.id}"
    assert distribution.body["http_version"] == "http2and3"


def test_a_firewall_with_a_rate_is_made_only_where_it_is_asked_for() -> None:
    firewall = resource("site", "aws_wafv2_web_acl", "rate")
    assert firewall.body["count"] == "${var.requests_per_address == null ? 0 : 1}"
    assert (firewall.body["scope"], firewall.body["region"]) == ("CLOUDFRONT", "us-east-1")
    assert list(firewall.nested("default_action")[0]) == ["allow"]
    [rule] = firewall.nested("rule")
    assert list(nested(rule, "action")[0]) == ["block"]
    [rate] = nested(nested(rule, "statement")[0], "rate_based_statement")
    assert (rate["aggregate_key_type"], rate["evaluation_window_sec"]) == ("IP", 60)
    assert rate["limit"] == "${var.requests_per_address}"
    assert defaults("site")["requests_per_address"] in (None, "null")
    [distribution] = resources("aws_cloudfront_distribution")
    assert "aws_wafv2_web_acl.rate[0].arn" in distribution.body["web_acl_id"]
    assert "var.web_acl_arn" in distribution.body["web_acl_id"]


def test_every_kind_of_file_has_its_media_type() -> None:
    types = locals_of("site")["media_types"]
    files = [path for path in SITE.rglob("*") if path.is_file()]
    assert {path.suffix.lstrip(".").lower() for path in files} | {"json"} <= set(types)
    assert types["js"].startswith("text/javascript")  # browsers run modules only with this type


def test_pictures_are_signed_for_the_origin_that_the_policy_allows() -> None:
    """AWS serves a bucket at <bucket>.s3.<region>.amazonaws.com, its `bucket_regional_domain_name`."""
    [output] = [block for block in blocks("output") if block.address == "modules/storage origin"]
    assert output.body["value"] == "https://${aws_s3_bucket.pictures.bucket_regional_domain_name}"
    main = text_of(TERRAFORM / "environments" / "production" / "main.tf")
    assert "EASEL_S3_ENDPOINT   = module.storage.endpoint" in main
    [output] = [block for block in blocks("output") if block.address == "modules/storage endpoint"]
    same_host = 'trimprefix(aws_s3_bucket.pictures.bucket_regional_domain_name, "${aws_s3_bucket.pictures.bucket}.")'
    assert output.body["value"] == f"https://${{{same_host}}}"
    for region, domain in (
        ("us-east-1", "amazonaws.com"),
        ("eu-central-1", "amazonaws.com"),
        ("cn-north-1", "amazonaws.com.cn"),
    ):
        storage = Storage(
            Settings.from_environment(
                {
                    "EASEL_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
                    "EASEL_BROKER_URL": "redis://127.0.0.1:1",
                    "EASEL_S3_ENDPOINT": f"https://s3.{region}.{domain}",
                    "EASEL_S3_REGION": region,
                    "EASEL_S3_BUCKET": "easel-pictures-1",
                    "AWS_ACCESS_KEY_ID": "test",
                    "AWS_SECRET_ACCESS_KEY": "test",
                }
            )
        )
        origin = f"https://easel-pictures-1.s3.{region}.{domain}"
        assert storage.public_origin == origin
        now = datetime.now(UTC)
        assert storage.presigned_url("jobs/1/2/0.png", now).startswith(f"{origin}/jobs/")
        assert storage.presigned_post("uploads/1.png", "image/png", 1, now).url.rstrip("/") == origin


def test_the_log_contains_no_address_and_no_person() -> None:
    logged = locals_of("site")["logged"]
    assert "sc-status" in logged
    assert [name for name in logged if re.search(r"uri|query|ip|cookie|referer|user|host|forwarded", name, re.I)] == []


def test_the_site_is_written_where_production_expects_it() -> None:
    main = text_of(TERRAFORM / "environments" / "production" / "main.tf")
    assert re.search(r'site_directory\s+= "\$\{local\.repository\}/dist/site"', main)
    assert re.search(r'bundle\s+= "\$\{local\.repository\}/dist/functions\.zip"', main)
    assert (TERRAFORM / "environments" / "production" / Path("../../../..")).resolve() == ROOT
