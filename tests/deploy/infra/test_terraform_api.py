"""The HTTP API and the functions match functions/manifest.json and the gateway."""

import re
from pathlib import Path
from typing import Any

import pytest

from functions.http.headers import HEADERS
from functions.http.manifest import MANIFEST, manifest
from tests.support.configuration import TERRAFORM, defaults, locals_of, nested, resource, resources

MODULES = TERRAFORM / "modules"
NAMES = sorted({route["name"] for route in manifest()})
LONGEST_MS = 30_000  # the maximum of an HTTP API's integration


@pytest.mark.parametrize("module", ["functions", "gateway"])
def test_the_manifest_is_the_only_source_of_routes(module: str) -> None:
    read = re.fullmatch(r'\$\{jsondecode\(file\("\$\{path\.module\}/(.+)"\)\)\}', locals_of(module)["routes"])
    assert read is not None
    assert (MODULES / module / read[1]).resolve() == MANIFEST.resolve()


def test_each_row_is_a_route_and_a_permission() -> None:
    table = "".join(locals_of("gateway")["route_table"].split())
    assert table == '${{forrouteinconcat(local.routes,local.heads):"${route.method}${route.path}"=>route}}'
    heads = "".join(locals_of("gateway")["heads"].split())
    assert heads == '${[forrouteinlocal.routes:merge(route,{method="HEAD"})ifroute.method=="GET"]}'
    [route] = resources("aws_apigatewayv2_route")
    assert route.body["for_each"] == "${local.route_table}"
    assert route.body["route_key"] == "${each.key}"
    assert route.body["target"] == "integrations/${aws_apigatewayv2_integration.this[each.value.name].id}"
    [permission] = resources("aws_lambda_permission")
    assert permission.body["for_each"] == "${local.route_table}"
    assert permission.body["source_arn"].endswith("/*/${each.value.method}${each.value.path}")


def test_each_name_is_a_function() -> None:
    [function] = resources("aws_lambda_function")
    table = "".join(locals_of("functions")["functions"].split())
    assert table.startswith("${{fornameindistinct(local.routes[*].name):name=>{")
    assert "max([forrouteinlocal.routes:route.timeout_sifroute.name==name]...)" in table
    assert "max([forrouteinlocal.routes:route.memory_mbifroute.name==name]...)" in table
    assert function.body["for_each"] == "${local.functions}"
    assert function.body["handler"] == "functions.${each.key}.handler"
    assert (function.body["runtime"], function.body["architectures"]) == ("python3.13", ["arm64"])


@pytest.mark.parametrize("route", manifest(), ids=lambda route: f"{route['method']} {route['path']}")
def test_a_function_times_out_before_the_api(route: dict[str, Any]) -> None:
    [integration] = resources("aws_apigatewayv2_integration")
    assert integration.body["timeout_milliseconds"] == ("${min(local.longest_ms, (each.value.timeout_s + 1) * 1000)}")
    assert locals_of("gateway")["longest_ms"] == LONGEST_MS
    assert (route["timeout_s"] + 1) * 1000 <= LONGEST_MS
    assert 128 <= route["memory_mb"] <= 10_240


@pytest.mark.parametrize(
    ("module", "variable"), [("gateway", "function_throttles"), ("functions", "reserved_concurrency")]
)
def test_limits_are_set_only_for_existing_functions(module: str, variable: str) -> None:
    limits = defaults(module)[variable]
    assert limits
    assert set(limits) <= set(NAMES)


def test_passwords_are_throttled_more_than_the_rest() -> None:
    everybody, single = defaults("gateway")["throttle"], defaults("gateway")["function_throttles"]
    for name in ("signup", "login", "submit"):
        assert single[name]["rate"] < everybody["rate"]


def test_cors_is_that_of_the_functions() -> None:
    read = re.fullmatch(r'\$\{jsondecode\(file\("\$\{path\.module\}/(.+)"\)\)\.cors\}', locals_of("gateway")["cors"])
    assert read is not None
    assert (MODULES / "gateway" / read[1]).resolve() == HEADERS.resolve()
    [cors] = resource("gateway", "aws_apigatewayv2_api", "this").nested("cors_configuration")
    assert cors["allow_methods"] == "${local.cors.allow_methods}"
    for name in ("allow_headers", "expose_headers"):
        assert cors[name] == f"${{[for name in local.cors.{name} : lower(name)]}}"


def test_the_access_log_contains_no_address_and_no_person() -> None:
    [stage] = resources("aws_apigatewayv2_stage")
    [log] = stage.nested("access_log_settings")
    told = re.findall(r"\$context\.([\w.]+)", log["format"])
    assert "routeKey" in told
    assert "status" in told
    assert [name for name in told if re.search(r"path|query|ip|agent|user|header|authorizer|domain", name, re.I)] == []


def test_the_environment_of_functions_has_only_settings() -> None:
    [function] = resources("aws_lambda_function")
    [environment] = function.nested("environment")
    assert environment["variables"] == (
        "${merge(local.environment, local.signs_in[each.key] ? "
        "{EASEL_OIDC_CLIENT_SECRET_SECRET = var.sign_in.secret_arn} : {})}"
    )
    assert 'name == "oidc" && var.sign_in != null' in locals_of("functions")["signs_in"]
    assert "".join(locals_of("functions")["environment"].split()) == (
        '${merge(var.settings,{EASEL_GENERATORS=join(",",var.generators)})}'
    )


def test_every_function_has_its_own_role_and_log_group() -> None:
    for kind in ("aws_iam_role", "aws_iam_role_policy", "aws_cloudwatch_log_group"):
        assert resource("functions", kind, "this").body["for_each"] == "${local.functions}"
    assert resource("functions", "aws_lambda_function", "this").body["role"] == "${aws_iam_role.this[each.key].arn}"


def test_the_stage_is_throttled() -> None:
    [stage] = resources("aws_apigatewayv2_stage")
    [all_routes] = nested(stage.body, "default_route_settings")
    assert set(all_routes) == {"throttling_rate_limit", "throttling_burst_limit"}
    [single] = nested(stage.body, "route_settings")
    assert single["route_key"] == "${route_settings.key}"


def test_the_module_reads_only_files_of_the_checkout() -> None:
    for path in sorted(Path(MODULES / "gateway").glob("*.tf")):
        assert not re.search(r"\bfile\((?!\"\$\{path\.module\}/)", path.read_text(encoding="utf-8"))
