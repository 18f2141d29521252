"""Equal requests give equal bytes, also in another process with other hash seeds and thread counts."""

import json
import threading
import urllib.request

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from serving import Service, encoded

from tests.support.reference_generator import reference_generator
from tests.support.repeats import repeats

MAX_SEED = 2**32 - 1
WORDS = "sea, castle, forest, night, autumn, red, calm, fog, quixotic, замок, gloomy, watercolour, (moon), [boat], |"

Fields = dict[str, object]

requests = st.fixed_dictionaries(
    {
        "prompt": st.lists(st.sampled_from(WORDS.split(", ")), min_size=1, max_size=5).map(" ".join),
        "neg_prompt": st.sampled_from(["", "moon", "red, fog"]),
        "width": st.sampled_from([64, 72, 96]),
        "height": st.sampled_from([64, 80, 96]),
        "steps": st.integers(1, 4),
        "scale": st.sampled_from([0, 3.5, 7.5, 20]),
        "seed": st.integers(0, MAX_SEED),
        "ups": st.integers(0, 2),
        "n": st.integers(1, 2),
        "desc": st.booleans(),
        "frames": st.integers(0, 2),
    }
)
few = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


def made(service: Service, request: Fields) -> Fields:
    return dict(service.finish(service.start(**request)))


@few
@given(request=requests)
def test_equal_requests_give_equal_bytes(painting: Service, request: Fields) -> None:
    assert made(painting, request) == made(painting, request)


@few
@given(request=requests, other=st.integers(0, MAX_SEED))
def test_other_seeds_give_other_bytes(painting: Service, request: Fields, other: int) -> None:
    assume(other != request["seed"])
    request = request | {"n": 1}
    assert made(painting, request)["imgs"] != made(painting, request | {"seed": other})["imgs"]


@few
@given(request=requests, strength=st.sampled_from([0.25, 0.75, 1]))
def test_transforming_gives_equal_bytes(painting: Service, request: Fields, strength: float) -> None:
    request = request | {"imgs": encoded(100, 60, "JPEG"), "strength": strength}
    assert made(painting, request) == made(painting, request)


FIXED: list[Fields] = [
    {"prompt": "a lighthouse by the sea at night, stars", "n": 2, "frames": 2, "desc": True},
    {"prompt": "осенний лес, road | moon", "neg_prompt": "fog", "width": 200, "height": 136, "scale": 12},
    {"prompt": "quixotic zephyr", "steps": 9, "ups": 2},
    {"prompt": "a cat, watercolour", "strength": 0.5, "imgs": True},
    {"strength": -0.5, "ups": 3, "imgs": True, "desc": True},
]


@pytest.fixture(scope="module")
def made_here(painting: Service) -> list[tuple[Fields, Fields]]:
    """Return the fixed requests with their results in this process."""
    source_images = [encoded(120, 90), encoded(64, 64, "JPEG")]
    plain: Fields = {"width": 176, "height": 176, "steps": 5, "seed": 12, "ups": 1}
    wanted = [plain | fields | ({"imgs": source_images} if "imgs" in fields else {}) for fields in FIXED]
    return [(request, made(painting, request)) for request in wanted]


@pytest.mark.parametrize("hash_seed", ["4242", *repeats("0")])
def test_another_process_gives_equal_bytes(made_here: list[tuple[Fields, Fields]], hash_seed: str) -> None:
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1" if hash_seed == "0" else "3")
    with reference_generator(PYTHONHASHSEED=hash_seed, **threads) as url:
        for request, results in made_here:
            assert elsewhere(url, request) == results


def elsewhere(url: str, request: Fields) -> object:
    """Return the service's results for a request."""
    number = call(f"{url}/initiate_processing", request)
    pause = threading.Event()
    for _ in range(2000):
        if call(f"{url}/check_status", {"id": number}) == "finished":
            return call(f"{url}/get_results", {"id": number})
        pause.wait(0.01)
    raise AssertionError("the request did not end")


def call(url: str, fields: Fields) -> object:
    asked = urllib.request.Request(url, json.dumps(fields).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(asked, timeout=20) as answer:
        return json.load(answer)
