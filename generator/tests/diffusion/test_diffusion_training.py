"""Training of adapters: repeatable, resumable, for every kind of model, through the service too."""

import base64
import json
import math
import os
import shutil
import signal
from collections.abc import Iterator
from multiprocessing import get_context
from pathlib import Path

import diffusers
import numpy as np
import pytest
import safetensors.torch
import torch
from engine_suite import TrainerSuite, training_order
from serving import PATIENCE_S, Service, TestClient, encoded
from tiny_models import change

from generator.engine_pool import ProcessEnginePool
from generator.engines.base import CannotDo, Stopped, TrainingOrder
from generator.engines.diffusion.adapter_keys import layers
from generator.engines.diffusion.mini import network
from generator.engines.diffusion.studio import Studio
from generator.engines.diffusion.training import trainer as trainer_module
from generator.engines.diffusion.training.lesson import Lesson
from generator.engines.diffusion.training.photos import views
from generator.engines.diffusion.training.process import limit_memory
from generator.engines.diffusion.training.trainer import LoraTrainer
from generator.images import decode_source
from generator.jobs import Bounds
from generator.service import create_app
from tests.support.waiting import until

NICE = 1
"""At the usual niceness the processes would hardly get a turn beside other tests."""

LOADING_S = 600
"""A busy machine may need minutes to load the libraries."""


def quick(model: Path, folder: Path) -> Path:
    """Copy a model that then paints its own pictures in two steps."""
    shutil.copytree(model, folder)
    (folder / "easel.json").write_text('{"steps": 2, "scale": 3.0, "size": 64}')
    return folder


@pytest.fixture(scope="module")
def quick_models(models: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("quick")
    made = {kind: quick(path, folder / kind) for kind, path in models.items()}
    torch.manual_seed(0)
    network.save(network.build(network.Shape(widths=(16, 32), text_width=16, text_layers=1)), folder / "mini")
    return made | {"mini": quick(folder / "mini", folder / "quick mini")}


def cache_of(factory: pytest.TempPathFactory) -> Path:
    """Return a folder that keeps the models' own pictures from one test to the next."""
    return factory.getbasetemp() / "training-cache"


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, no_cache: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache_of(tmp_path_factory)))


@pytest.fixture
def plain(quick_models: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EASEL_MODEL", str(quick_models["plain"]))
    return quick_models["plain"]


class TestLora(TrainerSuite):
    @pytest.fixture
    @classmethod
    def trainer(cls, plain: Path) -> LoraTrainer:  # it sets the model
        return LoraTrainer()


@pytest.mark.usefixtures("plain")
def test_an_interrupted_training_ends_with_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer_module, "CHECKPOINT_STEPS", 2)
    began: list[int] = []
    learn = Lesson.learn

    def counted(lesson: Lesson) -> None:
        began.append(lesson.step)
        learn(lesson)

    monkeypatch.setattr(Lesson, "learn", counted)
    whole = LoraTrainer().train(training_order(tmp_path / "whole"), lambda _: None)
    began.clear()

    def stop(done: float) -> None:
        del done
        if len(began) == 5:
            raise Stopped

    with pytest.raises(Stopped):
        LoraTrainer().train(training_order(tmp_path / "parts"), stop)
    resumed = LoraTrainer().train(training_order(tmp_path / "parts"), lambda _: None)
    assert began == [0, 1, 2, 3, 4, 4, 5]
    assert resumed.adapter == whole.adapter
    assert resumed.report["loss"] == whole.report["loss"]


@pytest.mark.long
@pytest.mark.usefixtures("plain")
def test_a_training_without_room_for_checkpoints_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer_module, "CHECKPOINT_STEPS", 2)
    whole = LoraTrainer().train(training_order(tmp_path / "whole"), lambda _: None)
    for number, blocked in enumerate(("checkpoint.part", "")):
        folder = tmp_path / str(number)
        (folder / blocked).mkdir(parents=True) if blocked else folder.write_text("")
        assert LoraTrainer().train(training_order(folder), lambda _: None).adapter == whole.adapter
        assert not (folder / "checkpoint.pt").exists()


@pytest.mark.parametrize(
    "kind", ["mini", "turbo", *(pytest.param(kind, marks=pytest.mark.long) for kind in ("large", "few steps"))]
)
def test_every_kind_of_model_is_trained(
    quick_models: dict[str, Path], kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EASEL_MODEL", str(quick_models[kind]))
    trained = LoraTrainer().train(training_order(tmp_path, steps=2), lambda _: None)
    assert math.isfinite(float(trained.report["drift"]))
    assert float(trained.report["loss"]) > 0
    studio = Studio(str(quick_models[kind]), exact=False, adapters=tmp_path, measured=False)
    changed = layers(safetensors.torch.load(trained.adapter), [studio.model.unet])
    assert {layer.name.rpartition("transformer_blocks.0.")[2] for layer in changed} >= {"attn2.to_k", "ff.net.2"}


def lesson_of(model: Path, folder: Path) -> Lesson:
    """Return a lesson about photos of flat colours, without the pictures of other prompts."""
    studio = Studio(str(model), exact=False, adapters=folder, measured=False)
    order = training_order(folder, steps=100, rank=8)
    examples = trainer_module._examples(studio, order, "x")
    return Lesson(studio.model, order, examples, examples[:1])


@pytest.mark.parametrize("predicts", ["epsilon", "v_prediction", "sample"])
def test_what_is_predicted_leads_to_the_clean_picture(
    quick_models: dict[str, Path], predicts: str, tmp_path: Path
) -> None:
    model = shutil.copytree(quick_models["plain"], tmp_path / "model")
    change(model / "scheduler" / "scheduler_config.json", prediction_type=predicts, clip_sample=False)
    lesson = lesson_of(model, tmp_path)
    scheduler = diffusers.DDPMScheduler.from_config(dict(lesson._model.sampler.config))
    generator = torch.Generator().manual_seed(1)
    clean, noise = (torch.randn(1, 4, 8, 8, generator=generator) for _ in range(2))
    for time in (10, 500, 900):
        moment = torch.tensor([time])
        signal = scheduler.alphas_cumprod[moment].view(1, 1, 1, 1)
        noisy = scheduler.add_noise(clean, noise, moment)
        found = scheduler.step(lesson.wanted(clean, noise, signal), time, noisy).pred_original_sample
        assert torch.allclose(found, clean, atol=1e-3)
        assert 0 < float(lesson._weight(signal)) <= 5
    assert torch.isfinite(lesson.losses()).all()


def test_a_training_makes_the_error_on_the_photos_smaller(quick_models: dict[str, Path], tmp_path: Path) -> None:
    lesson = lesson_of(quick_models["plain"], tmp_path)

    def error() -> float:
        with torch.no_grad():
            errors = []
            for step in range(20):
                lesson.step = step
                errors.append(float(lesson.losses()[0]))
        lesson.step = 0
        return float(np.mean(errors))

    before = error()
    lesson._rate = 5e-3  # a network that has learned nothing yet needs larger steps
    for _ in range(30):
        lesson.learn()
    assert error() < 0.995 * before


def test_the_views_of_a_photo_are_its_middle_and_mirrored() -> None:
    photo = np.zeros((64, 128, 3), np.uint8)
    photo[:, 32:64] = 255  # the left half of the middle
    plain, mirrored, closer, _ = views(photo, 64, 64)
    assert plain[:, :31].min() > 250
    assert plain[:, 33:].max() < 5
    assert (mirrored == plain[:, ::-1]).all()
    assert closer.shape == (64, 64, 3)


def _too_much() -> None:
    limit_memory(2 * 1024**3)
    try:
        LoraTrainer().train(training_order(Path("/no-such-folder"), photos=()), _fill)
    except CannotDo:
        os._exit(3)


def _fill(done: float) -> None:
    del done
    torch.zeros(2**30)


@pytest.mark.long
@pytest.mark.usefixtures("plain")
def test_a_training_that_needs_too_much_memory_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # The first report comes with the model's own pictures.
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    process = get_context("spawn").Process(target=_too_much)
    process.start()
    process.join(LOADING_S)
    assert process.exitcode == 3


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("service")


@pytest.fixture(scope="module")
def service(quick_models: dict[str, Path], folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EASEL_MODEL", str(quick_models["plain"]))
        patch.setenv("XDG_CACHE_HOME", str(cache_of(tmp_path_factory)))
        patch.setenv("EASEL_TRAINING", str(folder / "training"))
        patch.setenv("EASEL_ADAPTERS", str(folder / "adapters"))
        patch.setenv("EASEL_TRAIN_NICE", str(NICE))
        patch.setenv("EASEL_TRAIN_THREADS", "1")
        patch.setenv("OMP_NUM_THREADS", "1")
        pool = ProcessEnginePool("diffusion", ready_within_s=LOADING_S)
        with TestClient(create_app(pool, Bounds(workers=2))) as client:
            pool.stats()
            yield Service(client)


PHOTOS = [encoded(80 + 8 * k, 64, "JPEG") for k in range(5)]


def begin(service: Service, **fields: object) -> int:
    answer = service.post("/train", images=PHOTOS, subject="object", seed=4, **({"steps_per_image": 12} | fields))
    assert answer.status_code == 200, answer.text
    return int(answer.json())


def result(service: Service, number: int) -> dict[str, object]:
    until(lambda: service.status(number) in ("finished", "error"), "the training ends", LOADING_S, 0.1)
    assert service.status(number) == "finished", service.post("/get_results", id=number).text
    found: dict[str, object] = service.post("/get_results", id=number).json()
    return found


def kept(folder: Path) -> list[Path]:
    """Return what trainings keep at this moment."""
    return list((folder / "training").rglob("*.pt"))


def process_of(service: Service) -> int:
    worker = service.client.app.state.queues.trainings._workers[0]  # type: ignore[attr-defined]
    return int(worker._process._now.process.pid)


def trained_here(folder: Path) -> bytes:
    """Return the adapter that the order of `begin` gives when nothing interrupts it, in this process."""
    photos = tuple(decode_source(base64.b64decode(photo)) for photo in PHOTOS)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as in the service: sums depend on how they are divided
    try:
        return LoraTrainer().train(TrainingOrder(photos, "object", 60, 8, 4, folder), lambda _: None).adapter
    finally:
        torch.set_num_threads(threads)


@pytest.mark.usefixtures("plain")
def test_a_training_through_the_service(service: Service, folder: Path, tmp_path: Path) -> None:
    assert "train" in service.client.get("/health").json()["extensions"]
    painted = {"prompt": "ohwx object", "seed": 3, "steps": 4}
    [before] = service.finish(service.start(**painted))["imgs"]
    # Killed behind a checkpoint, it ends with the same file as one that was not.
    number = begin(service)
    until(lambda: kept(folder) != [], "there is a checkpoint", LOADING_S, 0.01)
    os.kill(process_of(service), signal.SIGKILL)
    trained = result(service, number)
    report = trained["report"]
    assert isinstance(report, dict)
    assert (report["model"], report["trigger"], report["steps"]) == ("plain", "ohwx object", 60)
    name = str(trained["adapter"])
    data = service.client.get(f"/adapters/{name}").content
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    facts = json.loads(header["__metadata__"]["easel"])
    assert facts == {"model": "plain", "subject": "object", "trigger": "ohwx object"}
    until(lambda: kept(folder) == [], "nothing is kept", PATIENCE_S)
    assert data == trained_here(tmp_path)

    [with_it] = service.finish(service.start(adapters=[{"sha256": name}], **painted))["imgs"]
    [without] = service.finish(service.start(**painted))["imgs"]
    assert without == before
    assert with_it != before


def test_a_training_is_cancelled_in_the_middle(service: Service, folder: Path) -> None:
    number = begin(service, steps_per_image=600)
    until(lambda: kept(folder) != [], "there is a checkpoint", LOADING_S, 0.01)
    process = process_of(service)
    assert os.getpriority(os.PRIO_PROCESS, process) == os.getpriority(os.PRIO_PROCESS, 0) + NICE
    assert service.post("/cancel", id=number).json() == {"cancelled": True}
    until(lambda: kept(folder) == [], "nothing is kept", PATIENCE_S, 0.1)
    until(lambda: not Path(f"/proc/{process}").exists(), "the process has ended", PATIENCE_S, 0.1)
