"""The extension `scene`: a person in a place, in a pose."""

import base64
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from serving import Serve, Service, TestClient, encoded, open_png

from generator.engine_pool import ProcessEnginePool
from generator.jobs import Bounds
from generator.service import create_app

Place = tuple[slice, slice]

FIGURE = slice(16, 48), slice(28, 36)
BODY = slice(8, 56), slice(20, 44)
FACE = slice(16, 24), slice(28, 36)


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent))
        with TestClient(create_app(ProcessEnginePool("sharing_engine:Sharing"), Bounds(workers=2))) as client:
            yield Service(client)


def picture(place: Place | None = None, size: tuple[int, int] = (64, 64), ground: int = 0, value: int = 255) -> str:
    """Return a picture of one grey with another one at a place."""
    pixels = np.full((size[1], size[0]), ground, np.uint8)
    if place is not None:
        pixels[place] = value
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


def scene(**changes: object) -> dict[str, object]:
    fields: dict[str, object] = {
        "background": encoded(),
        "pose": picture(FIGURE),
        "pose_mask": picture(BODY),
        "face_mask": picture(FACE),
    }
    return {name: value for name, value in (fields | changes).items() if value is not None}


def send(service: Service, **fields: object) -> np.ndarray:
    answer = service.post("/initiate_processing", prompt="a woman", ups=1, seed=7, **fields)
    assert answer.status_code == 200, answer.text
    return np.asarray(open_png(service.finish(answer.json())["imgs"][0]))


BEFORE = np.asarray(open_png(encoded()))


@pytest.mark.parametrize(("fields", "value"), [({}, 100), ({"control_scale": 0.5}, 50)])
def test_outside_of_the_masks_the_background_stays(service: Service, fields: dict[str, object], value: int) -> None:
    assert "scene" in service.client.get("/health").json()["extensions"]
    painted = send(service, **scene(), **fields)
    expected = BEFORE.copy()
    expected[BODY] = 7
    expected[FACE] = value
    assert (painted == expected).all()


@pytest.mark.parametrize(("ground", "value"), [(0, 255), (255, 90), (128, 40)])
def test_without_a_mask_the_person_is_around_the_pose(service: Service, ground: int, value: int) -> None:
    painted = send(service, **scene(pose=picture(FIGURE, ground=ground, value=value), pose_mask=None, face_mask=None))
    changed = (painted != BEFORE).any(-1)
    assert (painted[FIGURE] == 7).all()
    assert changed[BODY].mean() > changed.mean() > changed[:, :16].mean() == 0


def test_each_picture_of_a_job_is_a_scene(service: Service) -> None:
    number = service.start(**scene(face_mask=None), n=3, seed=20, width=64, height=64)
    imgs = service.finish(number)["imgs"]
    assert [open_png(img).getpixel((32, 32)) for img in imgs] == [(20 + k,) * 3 for k in range(3)]


SMALL, ODD, LARGE = (72, 64), (68, 64), (2056, 64)


@pytest.mark.parametrize(
    ("fields", "parameter"),
    [
        (scene(background=None), "background"),
        (scene(pose=None), "pose"),
        ({"face_mask": picture(FACE)}, "background"),
        (scene(background=base64.b64encode(b"GIF89a").decode()), "background"),
        (scene(pose=picture(FIGURE)[:-40] + "AAAA"), "pose"),
        (scene(pose=picture(FIGURE, SMALL)), "pose"),
        (scene(pose_mask=picture(BODY, SMALL)), "pose_mask"),
        (scene(face_mask=picture(FACE, SMALL)), "face_mask"),
        ({name: picture(FIGURE, ODD) for name in ("background", "pose")}, "background"),
        ({name: picture(FIGURE, LARGE) for name in ("background", "pose")}, "background"),
        (scene(width=128), "background"),
        (scene(pose=picture(), pose_mask=None), "pose"),
        (scene(imgs=encoded()), "imgs"),
        (scene(imgs=encoded(), mask=picture(BODY)), "imgs"),
        (scene(control=picture(FIGURE)), "control"),
        (scene(strength=-1), "imgs"),
        (scene(control_scale=3), "control_scale"),
    ],
)
def test_what_does_not_fit_is_refused_by_its_name(service: Service, fields: dict[str, object], parameter: str) -> None:
    answer = service.post("/initiate_processing", **({"prompt": "x", "ups": 1} | fields))
    assert (answer.status_code, answer.json()["parameter"]) == (422, parameter), answer.text


def test_an_engine_that_cannot_says_so(serve: Serve) -> None:
    service = serve()
    assert "scene" not in service.client.get("/health").json()["extensions"]
    answer = service.post("/initiate_processing", prompt="x", **scene())
    assert (answer.status_code, answer.json()["parameter"]) == (422, "background")


def test_the_painter_places_figures_but_takes_no_adapters() -> None:
    assert set(ProcessEnginePool("painter").extensions) == {"scene"}
