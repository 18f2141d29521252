"""What all calls have in common: allowed origins and documentation."""

import json
import re
from pathlib import Path

import pytest
from fake_engine import FakeEngine
from serving import Service

from generator.glide import SIZES, SheetRequest, StepsRequest
from generator.request import GenerationRequest
from generator.training import TrainRequest

CALLS = ["/image?size=64&prompt=a", "/basemodel?diffusion_steps=5", "/upmodel?diffusion_steps=5"]
CALLS += ["/initiate_processing", "/check_status", "/get_results", "/cancel"]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://testserver"},
        {"Origin": "http://pages.example.com"},
        {"Origin": "null"},
    ],
)
def test_pages_of_other_origins_are_refused(
    service: Service, engine: FakeEngine, call: str, headers: dict[str, str]
) -> None:
    method = "GET" if call.startswith("/image") else "POST"
    answer = service.client.request(method, call, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (403, "other_origin")
    assert engine.image_requests == []
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "headers", [{}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {"Origin": "http://testserver"}]
)
def test_programs_and_its_own_page_are_served(service: Service, headers: dict[str, str]) -> None:
    assert service.client.get("/image?size=64&prompt=a", headers=headers).status_code == 200
    assert service.client.post("/basemodel?diffusion_steps=5", headers=headers).status_code == 200


def test_every_call_is_documented(service: Service) -> None:
    told = service.client.get("/openapi.json").json()
    statuses = {
        ("get", "/image"): {"200", "403", "422", "500", "503", "504"},
        ("post", "/basemodel"): {"200", "403", "422", "500"},
        ("post", "/upmodel"): {"200", "403", "422", "500"},
        ("post", "/initiate_processing"): {"200", "400", "403", "409", "413", "422", "503"},
        ("post", "/check_status"): {"200", "400", "403", "404", "413", "422"},
        ("post", "/get_results"): {"200", "400", "403", "404", "409", "413", "422"},
        ("post", "/cancel"): {"200", "400", "403", "404", "413", "422"},
        ("get", "/health"): {"200"},
    }
    assert {(method, path) for path, methods in told["paths"].items() for method in methods} == set(statuses)
    for (method, path), wanted in statuses.items():
        assert set(told["paths"][path][method]["responses"]) == wanted, path
    image = told["paths"]["/image"]["get"]["parameters"]
    assert {one["name"]: one["required"] for one in image} == {
        "prompt": True,
        "size": True,
        "batch_size": False,
        "guidance_scale": False,
        "upsample_temp": False,
    }
    assert next(one["schema"]["enum"] for one in image if one["name"] == "size") == list(SIZES)
    assert "HTTPValidationError" not in json.dumps(told["paths"])


def documentation() -> list[list[str]]:
    """Return the cells of each table row of docs/generator.md."""
    text = (Path(__file__).parents[2] / "docs" / "generator.md").read_text(encoding="utf-8")
    return [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in text.splitlines() if line[:1] == "|"
    ]


def test_every_parameter_is_documented() -> None:
    told = {name for row in documentation() for name in re.findall(r"`(\w+)`", row[0])}
    models = (GenerationRequest, SheetRequest, StepsRequest, TrainRequest)
    assert {name for model in models for name in model.model_fields} - told == set()


def test_every_error_is_documented() -> None:
    rows = [row for row in documentation() if re.fullmatch(r"\d{3}", row[0])]
    told = {(int(row[0]), row[1].strip("`")) for row in rows}
    answered: set[tuple[int, str]] = set()
    for path in (Path(__file__).parents[2] / "generator").glob("*.py"):
        answered |= {
            (int(status), code)
            for status, code in re.findall(r"\((\d{3}), \"([a-z_]+)\"", path.read_text(encoding="utf-8"))
        }
    assert len(answered) > 8
    assert told - {(422, "bad_parameter")} == answered
