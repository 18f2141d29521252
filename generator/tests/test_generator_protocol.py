"""The calls of the protocol and its extensions, with the fake engine."""

import base64

import pytest
from fake_engine import FakeEngine
from serving import Service, encoded, open_png


def test_it_works(service: Service) -> None:
    number = service.start(n=2, seed=7, desc=True)
    results = service.finish(number)
    assert sorted(results) == ["descs", "imgs"]
    first, second = map(open_png, results["imgs"])
    assert (first.format, first.mode, first.size, first.info) == ("PNG", "RGB", (64, 64), {})
    assert (first.getpixel((0, 0)), second.getpixel((0, 0))) == ((7, 7, 7), (8, 8, 8))
    assert results["descs"] == ["64x64", "64x64"]


def test_form_fields_equal_json_fields(service: Service) -> None:
    client = service.client
    fields = {"prompt": "a picture", "ups": "2", "width": "64", "height": "72", "seed": "3", "desc": "true"}
    number = client.post("/initiate_processing", data=fields).json()
    service.until(number, "finished")
    results = client.post("/get_results", data={"id": str(number)}).json()
    assert open_png(results["imgs"][0]).size == (128, 144)
    assert results["descs"] == ["64x72"]
    parts = client.post("/check_status", files={"id": (None, str(number))})
    assert parts.json() == "finished"


def test_a_form_may_repeat_fields_and_separate_by_commas(service: Service) -> None:
    fields = {"strength": "-0.5", "ups": "1", "imgs": [encoded(), encoded(72)], "skip_list": "artists, mediums"}
    number = service.client.post("/initiate_processing", data=fields).json()
    assert len(service.finish(number)["imgs"]) == 2


def test_the_id_may_be_a_string(service: Service) -> None:
    number = service.start()
    assert service.until(number, "finished")
    assert service.post("/check_status", id=str(number)).json() == "finished"


@pytest.mark.parametrize("call", ["/check_status", "/get_results", "/cancel"])
def test_an_unknown_id_is_a_404(service: Service, call: str) -> None:
    answer = service.post(call, id=1)
    assert (answer.status_code, answer.json()["error"]) == (404, "unknown_id")


def test_results_before_the_end_are_a_conflict(service: Service, engine: FakeEngine) -> None:
    number = service.start(prompt="wait")
    answer = service.post("/get_results", id=number)
    assert (answer.status_code, answer.json()["error"]) == (409, "not_finished")
    engine.go.set()
    service.finish(number)


def test_progress_is_reported(service: Service, engine: FakeEngine) -> None:
    number = service.start(prompt="wait", steps=10)
    assert service.until(number, "processing: 6") == "processing: 60%"
    engine.go.set()
    service.finish(number)


def test_the_requested_number_of_frames_is_returned(service: Service) -> None:
    for frames, steps in ((3, 10), (5, 2)):
        results = service.finish(service.start(frames=frames, steps=steps, n=2))
        assert len(results["frames"]) == frames
        assert {open_png(frame).size for frame in results["frames"]} == {(64, 64)}
        assert len(results["imgs"]) == 2


def test_large_frames_are_sent_smaller(service: Service) -> None:
    results = service.finish(service.start(frames=1, width=1536, height=768))
    assert open_png(results["frames"][0]).size == (768, 384)


def test_the_size_and_upscaling_defaults_are_the_protocols(service: Service) -> None:
    number = service.post("/initiate_processing", prompt="a picture").json()
    assert open_png(service.finish(number)["imgs"][0]).size == (2048, 2048)


def test_one_key_names_one_request(service: Service, engine: FakeEngine) -> None:
    first = service.start(key="k", seed=1)
    assert service.start(key="k", seed=1) == first
    answer = service.post("/initiate_processing", prompt="another", key="k")
    assert (answer.status_code, answer.json()["error"]) == (409, "key_reused")
    service.finish(first)
    assert service.start(key="k", seed=1) == first
    assert len(engine.image_requests) == 1


def test_pictures_without_a_seed_differ(service: Service, engine: FakeEngine) -> None:
    for _ in range(3):
        service.finish(service.start())
    assert len({image_request.seed for image_request in engine.image_requests}) == 3


def test_a_source_picture_is_given_to_the_engine(service: Service, engine: FakeEngine) -> None:
    results = service.finish(service.start(imgs=encoded(256, 128), strength=0.5))
    assert open_png(results["imgs"][0]).size == (64, 64)
    number = service.post("/initiate_processing", prompt="x", imgs=[encoded(203, 128, "JPEG")], ups=1).json()
    assert open_png(service.finish(number)["imgs"][0]).size == (200, 128)
    assert engine.image_requests[-1].width == 200


def test_negative_strength_makes_nothing_new(service: Service, engine: FakeEngine) -> None:
    source = {"imgs": encoded(100, 80), "prompt": "", "desc": True}
    kept = service.finish(service.start(**source, strength=-0.5))
    assert open_png(kept["imgs"][0]).size == (100, 80)
    larger = service.finish(service.start(**source, strength=-2, ups=2))
    assert open_png(larger["imgs"][0]).size == (200, 160)
    described = service.finish(service.start(**source, strength=-1.5))
    assert described == {"imgs": [], "descs": ["100x80"]}
    assert engine.image_requests == []


def test_a_transparent_source_is_composed_on_white(service: Service) -> None:
    results = service.finish(service.start(prompt="", imgs=encoded(mode="LA"), strength=-0.5))
    assert open_png(results["imgs"][0]).mode == "RGB"


def test_health_shows_what_a_client_needs(service: Service, engine: FakeEngine) -> None:
    running = service.start(prompt="wait")
    service.until(running, "processing")
    service.start()
    health = service.client.get("/health").json()
    assert health["status"] == "ok"
    assert (health["engine"], health["workers"]) == ("fake", 1)
    assert health["extensions"] == ["key", "frames", "progress", "cancel", "wait", "preview"]
    assert (health["queue"], health["processing"]) == (1, 1)
    assert health["limits"]["steps_max"] == 150
    engine.go.set()


def test_the_docs_list_the_parameters(service: Service) -> None:
    paths = service.client.get("/openapi.json").json()["paths"]
    body = paths["/initiate_processing"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert {"prompt", "skip_list", "blip_max_len"} <= set(body["properties"])


def test_the_docs_serve_those_who_generate_clients(service: Service) -> None:
    """A default that a client sends by itself would count as named, and null is refused."""
    document = service.client.get("/openapi.json").json()
    for path in ("/initiate_processing", "/check_status", "/get_results", "/cancel"):
        content = document["paths"][path]["post"]["requestBody"]["content"]
        for name, spec in content["application/json"]["schema"]["properties"].items():
            assert not {"default", "anyOf"} & spec.keys(), name
            assert {"type", "title"} <= spec.keys(), name
            assert spec.get("format") == "int64" or spec.get("maximum", 0) < 2**31, name
    body = document["paths"]["/initiate_processing"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert "required" not in body
    assert body["properties"]["n"]["description"] == "By default 1."
    assert body["properties"]["width"] | {"multipleOf": 8, "maximum": 2048, "minimum": 64} == {
        "title": "Width", "type": "integer", "multipleOf": 8, "maximum": 2048, "minimum": 64,
    }  # fmt: skip


def test_results_are_plain_base64(service: Service) -> None:
    image = service.finish(service.start())["imgs"][0]
    assert base64.b64decode(image, validate=True).startswith(b"\x89PNG\r\n")


def test_errors_of_the_address_have_the_form_of_all_others(service: Service) -> None:
    missing = service.client.get("/no-such-call")
    assert (missing.status_code, missing.json()["error"]) == (404, "unknown_path")
    wrong = service.client.get("/check_status")
    assert (wrong.status_code, wrong.json()["error"], wrong.headers["allow"]) == (405, "wrong_method", "POST")
    assert "/check_status" in wrong.json()["message"]
