"""Answers that have one meaning are read, however they are spelled."""

import base64
import json
from urllib.parse import quote

import pytest

from shared.generators.addresses import GeneratorAddress
from shared.generators.base import Phase, Progress, Result
from shared.generators.glide import Glide
from shared.generators.img_generator import ImgGenerator
from tests.support.exchange import decoded
from tests.support.hostile_server import hostile_server
from tests.support.orders import order
from tests.support.replies import PICTURE, ok, saved

BOM = "\ufeff"
PICTURE_BYTES = b"\xfb\xef\xbe" * 40 + b"\xff"
BASE64 = base64.b64encode(PICTURE_BYTES).decode()

SPELLINGS = {
    "plain": BASE64,
    "data URL": "data:image/png;base64," + BASE64,
    "data URL of another kind": "DATA:image/webp;charset=utf-8;base64," + BASE64,
    "line breaks": base64.encodebytes(PICTURE_BYTES).decode(),
    "line breaks of MIME": "\r\n".join(BASE64[at : at + 76] for at in range(0, len(BASE64), 76)),
    "trailing newline": BASE64 + "\n",
    "blanks around": f" \t{BASE64} ",
    "without padding": BASE64.rstrip("="),
    "URL alphabet": base64.urlsafe_b64encode(PICTURE_BYTES).decode(),
    "percent-encoded data URL": "data:image/png;base64," + quote(BASE64, safe=""),
    "data URL without its scheme": "image/png;base64," + BASE64,
    "as Python shows bytes": f"b'{BASE64}'",
    "in quotes": f'"{BASE64}"',
    "all of it": "\n data:;base64," + base64.urlsafe_b64encode(PICTURE_BYTES).decode().rstrip("=") + "\n",
}


def result_of(body: object, **wanted: object) -> Result:
    with hostile_server(ok(body)) as url:
        return ImgGenerator(GeneratorAddress("img_generator", url)).result("17", order(**wanted))


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
def test_a_picture_in_base64(spelling: str) -> None:
    assert result_of({"imgs": [spelling]}).images == (PICTURE_BYTES,)


@pytest.mark.parametrize(
    "body",
    [
        {"IMGS": [PICTURE], "Descs": ["a"]},
        {"imgs": PICTURE, "descs": "a"},
        {"result": {"imgs": [PICTURE], "descs": ["a"]}},
        {"result": {"result": {"imgs": [PICTURE], "descs": ["a"]}}},
        json.dumps({"imgs": [PICTURE], "descs": ["a"]}),
        (BOM + json.dumps({"imgs": [PICTURE], "descs": ["a"], "frames": None}) + "\n").encode(),
    ],
)
def test_a_result(body: object) -> None:
    result = result_of(body, describe=True, frames=2)
    assert (result.images, result.descriptions, result.frames) == ((b"picture",), ("a",), ())


def test_a_result_without_pictures() -> None:
    wanted = order(source_images=(saved("PNG", 8, 8),), strength=-2, describe=True)
    with hostile_server(ok({"imgs": None, "descs": ["a"]})) as url:
        result = ImgGenerator(GeneratorAddress("img_generator", url)).result("17", wanted)
    assert (result.images, result.descriptions) == ((), ("a",))


FINISHED, PROCESSING = Progress(Phase.FINISHED), Progress(Phase.PROCESSING)
THIRD, HALF = Progress(Phase.QUEUED, position=3), Progress(Phase.PROCESSING, fraction=0.5)


@pytest.mark.parametrize(
    ("body", "progress"),
    [
        ("FINISHED", FINISHED),
        ("Finished\n", FINISHED),
        (b" finished \r\n", FINISHED),
        (f"{BOM}finished".encode(), FINISHED),
        (f'{BOM}"finished"'.encode(), FINISHED),
        ({"status": "finished"}, FINISHED),
        ({"Status": "Finished", "progress": 100}, FINISHED),
        ("Finished.", FINISHED),
        ("finished!", FINISHED),
        ("'finished'", FINISHED),
        ("status: finished", FINISHED),
        ("finished\u200b", FINISHED),
        (json.dumps("finished"), FINISHED),
        ({"result": "finished"}, FINISHED),
        ({"result": {"status": "finished"}}, FINISHED),
        (json.dumps({"status": "finished"}), FINISHED),
        ({"status": "Error"}, Progress(Phase.FAILED)),
        ("error: out of memory", Progress(Phase.FAILED)),
        ("queue position = 3", THIRD),
        ("queue position: 3/10", THIRD),
        ("Queue position: 3 of 10.", THIRD),
        ({"queue position": 3}, THIRD),
        ({"Queue_Position": "3"}, THIRD),
        ({"status": "queue position", "position": 3.0}, THIRD),
        ("processing...", PROCESSING),
        ("Processing…", PROCESSING),
        ("processing (50%)", HALF),
        ("processing: 50,0%", HALF),
        ("processing_50%", HALF),
        ({"processing": "50%"}, HALF),
        ({"status": "processing", "progress": ""}, PROCESSING),
        ("Queue position: 3", THIRD),
        ("queue position:3", THIRD),
        ("queue position 3", THIRD),
        ("queue_position: 3.0", THIRD),
        ("QUEUE  POSITION : 3", THIRD),
        ({"STATUS": "Queue Position: 3", "preview": ""}, THIRD),
        ("Processing", PROCESSING),
        ("Processing: 50 %", HALF),
        ("processing: 50.0%", HALF),
        ("processing 50%", HALF),
        ("processing: 50", HALF),
        ("50%", HALF),
        ({"status": "50%"}, HALF),
        ({"status": "processing", "progress": 50}, HALF),
        ({"status": "processing", "progress": 50.0}, HALF),
        ({"status": "processing", "progress": "50%"}, HALF),
        ({"status": "processing", "Progress": " 50 "}, HALF),
        ({"status": "processing: 50%", "progress": 1}, HALF),
        ({"status": "processing", "progress": None}, PROCESSING),
        ({"status": "processing", "progress": 0.5}, PROCESSING),
        ({"status": "processing", "progress": 1}, PROCESSING),
        ({"status": "processing", "progress": "0.5%"}, Progress(Phase.PROCESSING, fraction=0.005)),
    ],
)
def test_a_status(body: object, progress: Progress) -> None:
    with hostile_server(ok(body)) as url:
        assert ImgGenerator(GeneratorAddress("img_generator", url)).status("17") == progress


@pytest.mark.parametrize(
    "body",
    [
        17,
        17.0,
        b"1.7e1",
        "17",
        " 17\n",
        {"id": 17.0},
        {"ID": "17"},
        {"result": 17},
        {"result": {"id": "17"}},
        f"{BOM}17 ".encode(),
    ],
)
def test_an_id(body: object) -> None:
    with hostile_server(ok(body)) as url:
        assert ImgGenerator(GeneratorAddress("img_generator", url)).start(order()) == "17"


def test_health() -> None:
    body = BOM + json.dumps({"Extensions": ["KEY", " wait "], "ENGINE": " brush "})
    with hostile_server(ok(body.encode())) as url:
        health = ImgGenerator(GeneratorAddress("img_generator", url)).health()
    assert (health.extensions, health.engine) == (frozenset({"key", "wait"}), "brush")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("spelled", ["{}", "data:image/png;base64,{}\n"])
@pytest.mark.parametrize("wrapped", [False, True])
def test_a_sheet(kind: str, spelled: str, wrapped: bool) -> None:
    sheet = {"Image": spelled.format(base64.b64encode(saved(kind, 192, 64)).decode())}
    body = {"result": sheet} if wrapped else sheet
    with hostile_server(ok(body)) as url:
        result = Glide(GeneratorAddress("glide", url)).result("image", order(n=3))
    assert [image.size for image in decoded(result)] == [(64, 64)] * 3
