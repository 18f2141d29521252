"""The extension `train`: requests, the queue of trainings, and that no photo and no checkpoint stays on the disk."""

import base64
import io
import os
import signal
import struct
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest
from httpx import Response
from PIL import Image
from serving import PATIENCE_S, Service, TestClient, encoded, open_png

from generator import training
from generator.engine_pool import ProcessEnginePool
from generator.jobs import Bounds
from generator.service import create_app
from generator.training_pool import TrainingFolder
from tests.support.waiting import until

PHOTOS = [encoded(80 + 8 * k, 64, "JPEG") for k in range(5)]


@contextmanager
def serving(folder: Path, **bounds: int) -> Iterator[Service]:
    """Serve with the folders `signs`, `training` and `adapters` inside this one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent))
        for variable, name in (("SIGNS", "signs"), ("EASEL_TRAINING", "training"), ("EASEL_ADAPTERS", "adapters")):
            (folder / name).mkdir(exist_ok=True)
            patch.setenv(variable, str(folder / name))
        pool = ProcessEnginePool("training_engine:Teaching")
        with TestClient(create_app(pool, Bounds(workers=1), Bounds(**bounds))) as client:
            yield Service(client)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with serving(tmp_path) as service:
        yield service


@pytest.fixture
def signs(tmp_path: Path) -> Path:
    folder = tmp_path / "signs"
    folder.mkdir(exist_ok=True)
    return folder


def train(service: Service, **fields: object) -> Response:
    return service.post("/train", **({"images": PHOTOS, "subject": "animal", "seed": 1} | fields))


def begin(service: Service, **fields: object) -> int:
    answer = train(service, **fields)
    assert answer.status_code == 200, answer.text
    number = answer.json()
    assert isinstance(number, int)
    return number


def trainings(service: Service) -> dict[str, int]:
    """Return how many trainings there are."""
    found: dict[str, int] = service.client.get("/health").json()["trainings"]
    return found


def kept_by_trainings(folder: Path) -> list[str]:
    """Return the files below the folder of trainings, except the locks."""
    return sorted(path.name for path in (folder / "training").rglob("*") if path.is_file() and path.name != "lock")


def holds_a_photo(folder: Path) -> list[Path]:
    """Return the files anywhere below that have the bytes of a photo."""
    starts = [base64.b64decode(photo)[-200:] for photo in PHOTOS]
    found = [path for path in folder.rglob("*") if path.is_file()]
    return [path for path in found if any(start in path.read_bytes() for start in starts)]


def test_a_training_gives_an_adapter_that_an_order_may_name(service: Service, signs: Path, tmp_path: Path) -> None:
    assert "train" in service.client.get("/health").json()["extensions"]
    number = begin(service)
    assert service.until(number, "processing: 50%") == "processing: 50%"
    assert trainings(service)["processing"] == 1
    assert service.client.get("/health").json()["processing"] == 0
    assert kept_by_trainings(tmp_path) == ["step"]
    assert holds_a_photo(tmp_path) == []
    assert service.post("/get_results", id=number).json()["message"] == "the job is not finished yet"
    service.finish(service.start(prompt="meanwhile", seed=1, steps=2))
    (signs / "go").touch()
    assert service.until(number, "finished", "error") == "finished"
    result = service.post("/get_results", id=number).json()
    assert result["report"] == {"trigger": "word animal", "steps": 1500, "seconds": 0.5}
    sent = service.client.get(f"/adapters/{result['adapter']}")
    assert sha256(sent.content).hexdigest() == result["adapter"]
    until(lambda: kept_by_trainings(tmp_path) == [], "nothing is kept", PATIENCE_S, 0.01)
    painted = service.finish(service.start(adapters=[{"sha256": result["adapter"]}], seed=3, steps=2))
    assert open_png(painted["imgs"][0]).getpixel((0, 0)) == (15, 15, 15)


def test_a_wait_ends_when_a_training_does(service: Service, signs: Path) -> None:
    number = begin(service)
    service.until(number, "processing: 50%")

    def release() -> None:
        until(lambda: trainings(service)["watching"] == 1, "a call waits", PATIENCE_S, 0.01)
        (signs / "go").touch()

    threading.Thread(target=release).start()
    statuses: list[str] = []
    while not statuses or statuses[-1].startswith("processing"):
        statuses.append(str(service.post("/check_status", id=number, wait_s=20).json()))
    assert statuses[-1] == "finished"


def test_trainings_take_turns_in_a_queue_of_their_own(service: Service, signs: Path) -> None:
    numbers = [begin(service, seed=seed) for seed in range(3)]
    service.until(numbers[0], "processing")
    assert [service.status(number) for number in numbers[1:]] == ["queue position: 1", "queue position: 2"]
    picture = service.start(seed=1, steps=2)
    service.finish(picture)
    assert picture not in numbers
    (signs / "go").touch()
    for number in numbers:
        assert service.until(number, "finished", "error") == "finished"


def test_a_cancelled_training_ends_and_leaves_nothing(service: Service, signs: Path, tmp_path: Path) -> None:
    number, waiting = begin(service), begin(service, seed=2)
    service.until(number, "processing: 50%")
    for one in (waiting, number):
        assert service.post("/cancel", id=one).json() == {"cancelled": True}
        assert service.status(one) == "error"
    until(lambda: kept_by_trainings(tmp_path) == [], "nothing is kept", PATIENCE_S, 0.01)
    [process] = [int(path.stem) for path in signs.glob("*.pid")]
    until(lambda: not Path(f"/proc/{process}").exists(), "the process has ended", PATIENCE_S, 0.01)
    assert service.post("/get_results", id=number).json()["message"] == "the job was cancelled"


def attempts(signs: Path) -> dict[int, int]:
    """Return at which step each process began."""
    return {int(path.stem): int(path.read_text()) for path in signs.glob("*.pid") if path.read_text()}


def test_a_killed_trainer_goes_on_from_what_it_kept(service: Service, signs: Path) -> None:
    number = begin(service)
    service.until(number, "processing: 50%")
    [first] = attempts(signs)
    os.kill(first, signal.SIGKILL)
    until(lambda: len(attempts(signs)) == 2, "another process goes on", PATIENCE_S, 0.01)
    assert sorted(attempts(signs).values()) == [0, 50]
    (signs / "go").touch()
    assert service.until(number, "finished", "error") == "finished"


def test_a_trainer_that_ends_three_times_fails(service: Service, signs: Path, tmp_path: Path) -> None:
    number = begin(service)
    for count in (1, 2, 3):
        until(lambda count=count: len(attempts(signs)) == count, "an attempt begins", PATIENCE_S, 0.01)  # type: ignore[misc]
        newest = max(signs.glob("*.pid"), key=lambda path: path.stat().st_mtime_ns)
        os.kill(int(newest.stem), signal.SIGKILL)
    service.until(number, "error")
    message = service.post("/get_results", id=number).json()["message"]
    assert message == "the training's process ended 3 times"
    until(lambda: kept_by_trainings(tmp_path) == [], "nothing is kept", PATIENCE_S, 0.01)


@pytest.mark.parametrize(
    ("sign", "message"),
    [("raise", "the engine failed"), ("refuse", "there is too little paint")],
    ids=["raise", "refuse"],
)
def test_a_trainer_that_fails_says_why(service: Service, signs: Path, tmp_path: Path, sign: str, message: str) -> None:
    (signs / sign).touch()
    number = begin(service)
    service.until(number, "error")
    assert service.post("/get_results", id=number).json()["message"] == message
    assert len(attempts(signs)) == 1
    until(lambda: kept_by_trainings(tmp_path) == [], "nothing is kept", PATIENCE_S, 0.01)


def test_an_adapter_that_cannot_be_kept_is_named_as_the_reason(service: Service, signs: Path, tmp_path: Path) -> None:
    number = begin(service)
    service.until(number, "processing: 50%")
    (tmp_path / "adapters").rmdir()
    (tmp_path / "adapters").write_text("")
    (signs / "go").touch()
    service.until(number, "error")
    assert "cannot be kept" in service.post("/get_results", id=number).json()["message"]


def test_the_end_of_the_service_ends_the_training(signs: Path, tmp_path: Path) -> None:
    with serving(tmp_path) as service:
        service.until(begin(service), "processing: 50%")
        assert kept_by_trainings(tmp_path) == ["step"]
    assert [path.name for path in (tmp_path / "training").iterdir()] == ["lock"]
    [process] = attempts(signs)
    assert not Path(f"/proc/{process}").exists()


def test_a_training_that_takes_too_long_fails(signs: Path, tmp_path: Path) -> None:
    assert signs.exists()
    with serving(tmp_path, job_timeout_s=1) as service:
        number = begin(service)
        service.until(number, "error")
        assert service.post("/get_results", id=number).json()["message"] == "the job took too long"


def test_what_a_killed_service_left_is_deleted_by_the_next_one(tmp_path: Path) -> None:
    used, left = TrainingFolder(tmp_path), TrainingFolder(tmp_path)
    for folder in (used, left):
        folder.path.mkdir()
        (folder.path / "checkpoint").touch()
    left._lock.close()  # as the end of its process does
    own = TrainingFolder(tmp_path)
    assert used.path.exists()
    assert not left.path.exists()
    own.close()
    used.close()
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]


def test_the_same_key_is_the_same_training(service: Service) -> None:
    number = begin(service, key="mine")
    assert begin(service, key="mine") == number
    answer = train(service, key="mine", rank=4)
    assert (answer.status_code, answer.json()["error"]) == (409, "key_reused")


def test_a_full_queue_refuses_trainings_but_not_pictures(signs: Path, tmp_path: Path) -> None:
    assert signs.exists()
    with serving(tmp_path, max_queue=1) as service:
        service.until(begin(service), "processing")
        begin(service, seed=2)
        answer = train(service, seed=3)
        assert (answer.status_code, answer.json()["error"]) == (503, "queue_full")
        service.finish(service.start(seed=1, steps=2))


def huge_png() -> str:
    """Return a PNG whose header promises 60000 x 60000 pixels."""
    parts = [(b"IHDR", struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(b"\0"))]
    chunks = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    ]
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"".join(chunks)).decode()


def noise(side: int) -> str:
    out = io.BytesIO()
    Image.frombytes("RGB", (side, side), os.urandom(side * side * 3)).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


@pytest.mark.parametrize(
    ("fields", "parameter"),
    [
        ({"images": PHOTOS[:4]}, "images"),
        ({"images": [*PHOTOS, PHOTOS[0]]}, "images"),
        ({"images": []}, "images"),
        ({"images": PHOTOS[0]}, "images"),
        ({"images": [*PHOTOS[:4], "no base64!"]}, "images"),
        ({"images": [*PHOTOS[:4], base64.b64encode(b"a text named photo.jpg").decode()]}, "images"),
        ({"images": [*PHOTOS[:4], huge_png()]}, "images"),
        ({"images": [*PHOTOS[:4], encoded(63, 64)]}, "images"),
        ({"images": [*PHOTOS[:4], encoded(64, 64, "GIF", "L")]}, "images"),
        ({"images": None}, "images"),
        ({"subject": "ghost"}, "subject"),
        ({"steps_per_image": 0}, "steps_per_image"),
        ({"steps_per_image": 601}, "steps_per_image"),
        ({"rank": 0}, "rank"),
        ({"rank": 33}, "rank"),
        ({"seed": -1}, "seed"),
        ({"key": ""}, "key"),
        ({"epochs": 3}, "epochs"),
    ],
)
def test_a_wrong_parameter_is_named(wrong_service: Service, fields: dict[str, object], parameter: str) -> None:
    answer = train(wrong_service, **fields)
    assert (answer.status_code, answer.json()["error"]) == (422, "bad_parameter")
    assert answer.json()["parameter"] == parameter


def test_a_photo_with_too_many_bytes_is_refused(wrong_service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "MAX_PHOTO_BYTES", 5000)
    answer = train(wrong_service, images=[*PHOTOS[:4], noise(64)])
    assert answer.json()["message"] == "images hold something in place 5 that has more than 5000 bytes"


@pytest.fixture(scope="module")
def wrong_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with serving(tmp_path_factory.mktemp("wrong")) as service:
        yield service
        assert trainings(service)["queue"] == 0


def test_an_unknown_adapter_is_not_found(wrong_service: Service) -> None:
    answer = wrong_service.client.get(f"/adapters/{'0' * 64}")
    assert (answer.status_code, answer.json()["error"]) == (404, "unknown_adapter")


def test_pages_of_other_origins_may_not_train(wrong_service: Service) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}
    for method, path in (("POST", "/train"), ("GET", f"/adapters/{'0' * 64}")):
        answer = wrong_service.client.request(method, path, headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (403, "other_origin")


def test_an_engine_without_a_trainer_does_not_offer_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EASEL_TRAINING", str(tmp_path / "training"))
    with TestClient(create_app(ProcessEnginePool("painter"), Bounds(workers=0))) as client:
        health = client.get("/health").json()
        assert "train" not in health["extensions"]
        assert "trainings" not in health
        assert client.post("/train", json={"images": PHOTOS, "subject": "animal"}).status_code == 404
    assert not (tmp_path / "training").exists()
