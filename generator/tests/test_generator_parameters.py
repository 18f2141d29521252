"""Every parameter of img_generator and of its extensions `key` and `frames`.

Accepted values, refused values and defaults. The effects are tested in `test_generator_effects.py`.
"""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from fake_engine import FakeEngine
from httpx import Response
from serving import Serve, Service, TestClient, encoded
from thread_engine_pool import ThreadEnginePool

from generator import body
from generator.jobs import Bounds
from generator.request import GenerationRequest
from generator.service import create_app

MAX_SEED = 2**32 - 1
PNG_TEXT = base64.b64encode(b"GIF89a").decode()

# JSON values that are invalid for each kind. A form has only strings.
NO_TEXT = [5, True, 0.5, ["a"], {}]
NO_WHOLE = ["5", "", True, False, 7.5, 8.0, [8], {}]
NO_NUMBER = ["0.5", "", True, [1], {}]
NO_YES_OR_NO = ["true", "perhaps", 1, 0, [True], {}]


@dataclass(frozen=True)
class Parameter:
    """`taken` and `refused` are JSON values, those of forms are strings. `default` applies if it is omitted."""

    name: str
    default: object
    taken: list[object]
    refused: list[object]
    form_taken: list[str] = field(default_factory=list)
    form_refused: list[str] = field(default_factory=list)


FORM_WHOLE = ["", "x", "1.5", "nan", "true"]
FORM_NUMBER = ["", "x", "nan", "inf", "-inf", "1e999", "true"]

PARAMETERS = [
    Parameter(
        "prompt", "", ["a", "a" * 4000, "закат 🌅", "a\nb"], [*NO_TEXT, "", " \n", "a" * 4001, "\ud800"], ["sea"]
    ),
    Parameter("neg_prompt", "", ["", "a" * 4000], [*NO_TEXT, "a" * 4001], ["", "rain"], ["a" * 4001]),
    Parameter("ups", 4, [4, 2, 1, 0, -1, -(10**12)], [*NO_WHOLE, 5], ["4", "1", "-3"], [*FORM_WHOLE, "5"]),
    Parameter(
        "imgs",
        [],
        [[]],
        [5, True, {}, [1], [["AAAA"]], "", "not base64", "AAAA\n", PNG_TEXT, [PNG_TEXT], ["AAAA"] * 9, "\ud800"],
        form_refused=["", "AAAA", "%%%"],
    ),
    Parameter(
        "strength", 0.75, [0, 0.0, 0.5, 1, 1.0], [*NO_NUMBER, -2.001, 1.001, 10**400], ["0", "1", "1e-3"], FORM_NUMBER
    ),
    Parameter("n", 1, [1, 8], [*NO_WHOLE, 0, -1, 9, 10**30], ["1", "8"], [*FORM_WHOLE, "0", "9"]),
    Parameter("height", None, [64, 72, 2048], [*NO_WHOLE, 0, 56, 63, 65, 2047, 2056], ["64", "2048"], FORM_WHOLE),
    Parameter("width", None, [64, 72, 2048], [*NO_WHOLE, -64, 56, 63, 65, 2047, 2056], ["64", "2048"], FORM_WHOLE),
    Parameter("steps", 50, [1, 150], [*NO_WHOLE, 0, -1, 151], ["1", "150"], [*FORM_WHOLE, "0", "151"]),
    Parameter("scale", 7.5, [0, 7, 7.5, 30], [*NO_NUMBER, -0.001, 30.001], ["0", "30", "7.5"], FORM_NUMBER),
    Parameter("seed", None, [0, MAX_SEED], [*NO_WHOLE, -1, MAX_SEED + 1], ["0", str(MAX_SEED)], [*FORM_WHOLE, "-1"]),
    Parameter("desc", False, [True, False], NO_YES_OR_NO, ["true", "false", "1", "0"], ["", "perhaps", "2"]),
    Parameter("cpu", False, [True, False], NO_YES_OR_NO, ["true", "false", "1", "0"], ["", "perhaps", "2"]),
    Parameter("blip_max_len", 32, [5, 512], [*NO_WHOLE, 4, 0, -5, 513], ["5", "512"], [*FORM_WHOLE, "4"]),
    Parameter("clip_max_len", 16, [0, 512], [*NO_WHOLE, -1, 513], ["0", "512"], [*FORM_WHOLE, "-1"]),
    Parameter("skip_clip", False, [True, False], NO_YES_OR_NO, ["true", "false", "1", "0"], ["", "perhaps", "2"]),
    Parameter(
        "skip_list",
        [],
        [[], "", "artists", "artists, mediums", ["trendings", "movements"], ["artists,mediums"], ["artists"] * 9],
        [5, True, {}, [1], "colours", ["colours"], "artists,colours", ["Artists"], [["artists"]]],
        ["", "artists", "mediums,movements"],
        ["colours", "artists;mediums"],
    ),
    Parameter("key", None, ["k", "k" * 255], [*NO_TEXT, "", "k" * 256, "\ud800"], ["k"], ["", "k" * 256]),
    # Most engines offer none of these; test_generator_shared_engine.py and test_generator_scenes.py have valid ones.
    Parameter("mask", None, [], [5, True, {}, ["AAAA"], "", "not base64", "AAAA\n", PNG_TEXT], [], ["", "%%%"]),
    Parameter("control", None, [], [5, True, {}, ["AAAA"], "", "not base64", "AAAA\n", PNG_TEXT], [], ["", "%%%"]),
    *(
        Parameter(name, None, [], [5, True, {}, ["AAAA"], "not base64", "AAAA\n"], [], ["%%%"])
        for name in ("background", "pose", "pose_mask", "face_mask")
    ),
    Parameter("control_scale", 1.0, [], [*NO_NUMBER, -0.1, 2.1, 1.0], [], [*FORM_NUMBER, "1"]),
    Parameter("scheduler", None, [], [*NO_TEXT, "", "ddim", "a" * 33], [], ["", "ddim"]),
    Parameter("adapters", [], [[]], [5, True, {}, [1], [{}], [{"sha256": "x"}], [{"sha256": "0" * 64, "weight": 5}]]),
    Parameter("frames", 0, [0, 1, 120], [*NO_WHOLE, -1, 121], ["0", "120"], [*FORM_WHOLE, "-1", "121"]),
]
NAMES = [parameter.name for parameter in PARAMETERS]


def each(which: str) -> pytest.MarkDecorator:
    """Return one case for each value of every parameter, with its name."""
    cases = [(parameter.name, value) for parameter in PARAMETERS for value in getattr(parameter, which)]
    return pytest.mark.parametrize(("name", "value"), cases, ids=lambda case: ascii(case)[:40])


def send(service: Service, fields: dict[str, object], *, form: bool = False) -> Response:
    """Return the answer to a small request with these additional fields."""
    small: dict[str, object] = {"prompt": "x", "width": 64, "height": 64, "ups": 1, "steps": 1}
    response: Response
    if form:
        response = service.client.post(
            "/initiate_processing", data={name: str(value) for name, value in small.items()} | fields
        )
    else:
        text = json.dumps(small | fields)
        headers = {"content-type": "application/json"}
        response = service.client.post("/initiate_processing", content=text, headers=headers)
    return response


def is_refused(answer: Response, name: str) -> bool:
    problem: dict[str, object] = answer.json()
    assert answer.status_code == 422, problem
    assert answer.json()["errors"][0] == {"parameter": problem["parameter"], "message": problem["message"]}
    return (problem["error"], problem["parameter"]) == ("bad_parameter", name) and name in str(problem["message"])


@pytest.fixture(scope="module")
def queueing() -> Iterator[Service]:
    """Start a service that accepts requests and processes none."""
    with TestClient(create_app(ThreadEnginePool(FakeEngine()), Bounds(workers=0, max_queue=100_000))) as client:
        yield Service(client)


def test_the_table_is_complete() -> None:
    assert len(NAMES) == 17 + 11
    assert set(NAMES) == set(GenerationRequest.model_fields)


@each("taken")
def test_a_valid_value_is_accepted(queueing: Service, name: str, value: object) -> None:
    answer = send(queueing, {name: value})
    assert answer.status_code == 200, answer.text


@each("form_taken")
def test_a_valid_form_field_is_accepted(queueing: Service, name: str, value: str) -> None:
    answer = send(queueing, {name: value}, form=True)
    assert answer.status_code == 200, answer.text


@each("refused")
def test_an_invalid_value_is_named(painting: Service, name: str, value: object) -> None:
    assert is_refused(send(painting, {name: value}), name)


@each("form_refused")
def test_an_invalid_form_field_is_named(painting: Service, name: str, value: str) -> None:
    assert is_refused(send(painting, {name: value}, form=True), name)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [None, float("nan"), float("inf"), float("-inf")], ids=str)
def test_null_nan_and_infinity_are_named(painting: Service, name: str, value: object) -> None:
    assert is_refused(send(painting, {name: value}), name)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("imgs", "skip_list")])
def test_a_repeated_form_field_is_named(painting: Service, name: str) -> None:
    assert is_refused(send(painting, {name: ["1", "1"]}, form=True), name)


@pytest.mark.parametrize("parameter", PARAMETERS, ids=lambda parameter: parameter.name)
def test_the_default_is_that_of_the_protocol(parameter: Parameter) -> None:
    assert GenerationRequest.model_fields[parameter.name].default == parameter.default


def test_an_unknown_parameter_is_named(service: Service) -> None:
    assert is_refused(send(service, {"sampler": "fast"}), "sampler")
    assert is_refused(send(service, {"sampler": "fast"}, form=True), "sampler")


def test_every_invalid_parameter_is_listed(service: Service) -> None:
    answer = send(service, {"n": 0, "steps": 0})
    assert {fault["parameter"] for fault in answer.json()["errors"]} == {"n", "steps"}


def test_an_answer_truncates_long_names(service: Service) -> None:
    answer = send(service, {f"{number:0500}": 1 for number in range(1000)})
    assert answer.status_code == 422
    assert len(answer.content) < 10_000
    assert send(service, {"k" * 500: None}).json()["parameter"] == "k" * 64
    assert send(service, {"\ud800": 1}).json()["error"] == "bad_body"


@pytest.mark.parametrize("text", ["", "[]", "{", "17", "[" * 100_000, b"\xff\xfe", '{"id": [' + "[]," * 50_000 + "1]}"])
def test_a_body_that_is_not_an_object_is_refused(painting: Service, text: str) -> None:
    answer = painting.client.post("/check_status", content=text, headers={"content-type": "application/json"})
    assert answer.status_code == (422 if text == "" else 400)
    assert answer.json()["error"] in ("bad_parameter", "bad_body")


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("multipart/form-data", b"abc"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: nothing\r\n\r\n1\r\n--x--"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="a"; filename="b"\r\n\r\n1\r\n--x--',
        ),
        ("application/x-www-form-urlencoded", b"&".join([b"imgs=a"] * 101)),
    ],
)
def test_a_form_that_cannot_be_read_is_refused(painting: Service, kind: str, text: bytes) -> None:
    answer = painting.client.post("/initiate_processing", content=text, headers={"content-type": kind})
    assert (answer.status_code, answer.json()["error"]) == (400, "bad_body")


@pytest.mark.parametrize("form", [False, True])
def test_a_large_body_is_refused(service: Service, monkeypatch: pytest.MonkeyPatch, form: bool) -> None:
    monkeypatch.setattr(body, "MAX_BODY_BYTES", 1000)
    answer = send(service, {"prompt": "x" * 2000}, form=form)
    assert (answer.status_code, answer.json()["error"]) == (413, "body_too_large")


def test_a_truncated_picture_is_refused(service: Service) -> None:
    half = base64.b64encode(base64.b64decode(encoded(256, 256))[:300]).decode()
    assert is_refused(send(service, {"imgs": half}), "imgs")


@pytest.mark.parametrize(
    ("size", "good"), [((4096, 4096), True), ((4104, 4096), False), ((8, 8), True), ((7, 9), False)]
)
def test_sources_have_limits(serve: Serve, size: tuple[int, int], good: bool) -> None:
    answer = send(serve(workers=0), {"imgs": encoded(*size)})
    assert answer.status_code == 200 if good else is_refused(answer, "imgs")


@pytest.mark.parametrize(
    ("kind", "mode"), [("PNG", "RGB"), ("PNG", "RGBA"), ("PNG", "L"), ("JPEG", "RGB"), ("JPEG", "CMYK")]
)
def test_sources_are_png_or_jpeg(serve: Serve, kind: str, mode: str) -> None:
    assert send(serve(workers=0), {"imgs": encoded(kind=kind, mode=mode)}).status_code == 200


@pytest.mark.parametrize("kind", ["GIF", "BMP", "WEBP", "TIFF"])
def test_sources_of_other_kinds_are_refused(painting: Service, kind: str) -> None:
    assert is_refused(send(painting, {"imgs": [encoded(), encoded(kind=kind)]}), "imgs")


def test_eight_sources_are_accepted(serve: Serve) -> None:
    assert send(serve(workers=0), {"imgs": [encoded()] * 8, "strength": -1}).status_code == 200


@pytest.mark.parametrize(("n", "side", "ups", "good"), [(8, 1024, 4, True), (8, 2048, 2, True), (8, 2048, 4, False)])
def test_the_total_result_size_is_bounded(serve: Serve, n: int, side: int, ups: int, good: bool) -> None:
    answer = send(serve(workers=0), {"n": n, "width": side, "height": side, "ups": ups})
    assert answer.status_code == 200 if good else is_refused(answer, "ups")
