"""Every parameter has its limits, and an error names the one that is wrong."""

import base64

import pytest

from generator import body

BAD = [
    ("prompt", 5),
    ("prompt", "a" * 4001),
    ("prompt", "  "),
    ("neg_prompt", "a" * 4001),
    ("neg_prompt", ["a"]),
    ("ups", 5),
    ("ups", 1.5),
    ("imgs", "not base64"),
    ("imgs", base64.b64encode(b"GIF89a").decode()),
    ("imgs", [1]),
    ("imgs", ["AAAA"] * 9),
    ("strength", 1.1),
    ("strength", -2.1),
    ("strength", "much"),
    ("n", 0),
    ("n", 9),
    ("n", True),
    ("height", 63),
    ("height", 100),
    ("height", 2056),
    ("width", 56),
    ("width", "64"),
    ("steps", 0),
    ("steps", 151),
    ("scale", -0.1),
    ("scale", 30.5),
    ("seed", -1),
    ("seed", 2**32),
    ("desc", "perhaps"),
    ("cpu", 3),
    ("blip_max_len", 4),
    ("clip_max_len", -1),
    ("skip_clip", None),
    ("skip_list", ["colours"]),
    ("skip_list", "artists,colours"),
    ("frames", -1),
    ("frames", 121),
    ("key", ""),
    ("key", "k" * 256),
    ("sampler", "fast"),
]


@pytest.mark.parametrize(("name", "value"), BAD)
def test_a_bad_value_is_named(service, name: str, value: object) -> None:
    answer = service.post("/initiate_processing", **({"prompt": "a picture"} | {name: value}))
    assert answer.status_code == 422, answer.text
    assert (answer.json()["error"], answer.json()["parameter"]) == ("bad_parameter", name)
    assert name in answer.json()["message"]


@pytest.mark.parametrize(("name", "value"), [("n", "9"), ("scale", "nan"), ("desc", "perhaps"), ("more", "1")])
def test_a_bad_form_field_is_named(service, name: str, value: str) -> None:
    answer = service.client.post("/initiate_processing", data={"prompt": "x", name: value})
    assert (answer.status_code, answer.json()["parameter"]) == (422, name)


@pytest.mark.parametrize("text", ['{"prompt": "x", "scale": NaN}', '{"prompt": "x", "strength": Infinity}'])
def test_numbers_without_a_value_are_refused(service, text: str) -> None:
    answer = service.client.post("/initiate_processing", content=text, headers={"content-type": "application/json"})
    assert answer.status_code == 422


@pytest.mark.parametrize("text", ["", "[]", "{", "17", "[" * 100_000, b"\xff\xfe"])
def test_a_body_that_is_no_object_is_refused(service, text: str) -> None:
    answer = service.client.post("/check_status", content=text, headers={"content-type": "application/json"})
    assert answer.status_code == (422 if text == "" else 400)


def test_a_lone_surrogate_is_refused(service) -> None:
    text = '{"prompt": "\\ud800"}'
    answer = service.client.post("/initiate_processing", content=text, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["parameter"]) == (422, "prompt")


def test_every_wrong_parameter_is_listed(service) -> None:
    answer = service.post("/initiate_processing", prompt="x", n=0, steps=0)
    assert {fault["parameter"] for fault in answer.json()["errors"]} == {"n", "steps"}


def test_nothing_new_needs_a_source(service) -> None:
    answer = service.post("/initiate_processing", strength=-0.5)
    assert (answer.status_code, answer.json()["parameter"]) == (422, "imgs")


def test_a_cut_picture_is_refused(service, encode) -> None:
    half = base64.b64encode(base64.b64decode(encode(256, 256))[:300]).decode()
    answer = service.post("/initiate_processing", prompt="x", imgs=half)
    assert (answer.status_code, answer.json()["parameter"]) == (422, "imgs")


def test_an_oversized_source_is_refused(service, encode) -> None:
    answer = service.post("/initiate_processing", prompt="x", imgs=encode(4104, 4096))
    assert (answer.status_code, answer.json()["parameter"]) == (422, "imgs")
    assert "pixels" in answer.json()["message"]


def test_the_whole_outcome_is_bounded(service) -> None:
    answer = service.post("/initiate_processing", prompt="x", n=8, width=2048, height=2048, ups=4)
    assert (answer.status_code, answer.json()["parameter"]) == (422, "ups")


@pytest.mark.parametrize("form", [False, True])
def test_a_large_body_is_cut_off(service, monkeypatch: pytest.MonkeyPatch, form: bool) -> None:
    monkeypatch.setattr(body, "MAX_BODY_BYTES", 1000)
    fields = {"prompt": "x" * 2000}
    answer = service.client.post("/initiate_processing", **({"data": fields} if form else {"json": fields}))
    assert (answer.status_code, answer.json()["error"]) == (413, "body_too_large")


def test_all_parameters_are_taken(service, engine) -> None:
    number = service.start(
        neg_prompt="rain",
        strength=0.3,
        n=1,
        steps=2,
        scale=8,
        seed=2**32 - 1,
        desc=True,
        cpu=True,
        blip_max_len=5,
        clip_max_len=0,
        skip_clip=True,
        skip_list=["mediums", "artists", "trendings", "movements"],
        frames=1,
        key="k",
        imgs=[],
        ups=-3,
    )
    service.finish(number)
    brief = engine.briefs[0]
    assert (brief.negative_prompt, brief.scale, brief.seed, brief.cpu) == ("rain", 8.0, 2**32 - 1, True)
