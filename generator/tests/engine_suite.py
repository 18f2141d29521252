"""What every engine promises the service, whatever it paints with. A subclass names its engine."""

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from generator.engines.adapter_files import AdapterFiles
from generator.engines.base import (
    DescriptionOptions,
    Engine,
    EngineStats,
    ImageRequest,
    Pixels,
    PlacingEngine,
    Scene,
    Stopped,
    Trainer,
    TrainingOrder,
)

OPTIONS = DescriptionOptions(blip_max_len=32, clip_max_len=16, skip_clip=False, skip_list=())


def request(**changes: object) -> ImageRequest:
    fields: dict[str, object] = {
        "prompt": "a (red) boat on the [stormy] sea | sunset",
        "negative_prompt": "rain",
        "width": 72,
        "height": 64,
        "steps": 4,
        "scale": 7.5,
        "seed": 5,
    }
    return ImageRequest(**(fields | changes))  # type: ignore[arg-type]


class Reports:
    """Records what an engine reports, and stops it after so many reports."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.done: list[float] = []
        self.frames: list[Pixels] = []
        self.stop_after = stop_after

    def __call__(self, done: float, snapshot: Callable[[], Pixels] | None = None) -> None:
        self.done.append(done)
        if snapshot is not None:
            self.frames.append(snapshot())
        if self.stop_after is not None and len(self.done) >= self.stop_after:
            raise Stopped


class EngineSuite:
    """The tests; the fixture `engine` returns the engine."""

    @pytest.fixture(scope="class")
    @classmethod
    def source(cls, engine: Engine) -> Pixels:
        return engine.generate(request(prompt="a castle", seed=9), Reports())

    def test_a_picture_has_the_requested_size(self, engine: Engine) -> None:
        for width, height in ((72, 64), (64, 104), (64, 64)):
            picture = engine.generate(request(width=width, height=height), Reports())
            assert (picture.shape, str(picture.dtype)) == ((height, width, 3), "uint8")

    def test_equal_requests_give_equal_pixels(self, engine: Engine) -> None:
        first, second = (engine.generate(request(), Reports()) for _ in range(2))
        assert (first == second).all()

    def test_another_seed_gives_another_picture(self, engine: Engine) -> None:
        assert (engine.generate(request(), Reports()) != engine.generate(request(seed=6), Reports())).any()

    @pytest.mark.parametrize("prompt", ["", "((((", "]|[", "x" * 4000, "кот на крыше", "🌅 " * 500, "\\(a\\)", "|"])
    def test_any_text_is_a_prompt(self, engine: Engine, prompt: str) -> None:
        picture = engine.generate(request(prompt=prompt, negative_prompt=prompt, steps=1), Reports())
        assert picture.shape == (64, 72, 3)

    @pytest.mark.parametrize(("steps", "scale"), [(1, 0.0), (1, 30.0), (150, 1.0)])
    def test_the_limits_of_steps_and_scale_are_followed(self, engine: Engine, steps: int, scale: float) -> None:
        assert engine.generate(request(steps=steps, scale=scale), Reports()).shape == (64, 72, 3)

    def test_progress_grows_to_one_and_frames_have_the_size(self, engine: Engine) -> None:
        reports = Reports()
        engine.generate(request(), reports)
        assert reports.done == sorted(reports.done)
        assert reports.done[-1] == 1
        assert all(0 <= done <= 1 for done in reports.done)
        assert all(frame.shape == (64, 72, 3) for frame in reports.frames)

    def test_a_report_that_raises_ends_the_call(self, engine: Engine) -> None:
        with pytest.raises(Stopped):
            engine.generate(request(steps=150), Reports(stop_after=1))
        assert engine.generate(request(), Reports()).shape == (64, 72, 3)

    def test_strength_nought_keeps_the_source(self, engine: Engine, source: Pixels) -> None:
        kept = engine.transform(source, request(), 0.0, Reports())
        assert np.abs(kept.astype(int) - source).mean() < 12

    def test_less_than_a_step_is_no_error(self, engine: Engine, source: Pixels) -> None:
        assert engine.transform(source, request(steps=4), 0.2, Reports()).shape == source.shape

    def test_a_start_picture_is_kept_more_at_a_lower_strength(self, engine: Engine, source: Pixels) -> None:
        weak, strong = (engine.transform(source, request(steps=20), strength, Reports()) for strength in (0.2, 1.0))
        assert _distance(weak, source) < _distance(strong, source)

    def test_strength_one_is_of_the_same_size(self, engine: Engine, source: Pixels) -> None:
        assert engine.transform(source, request(), 1.0, Reports()).shape == source.shape

    @pytest.mark.parametrize("factor", [2, 3, 4])
    def test_upscaling_multiplies_the_sides(self, engine: Engine, source: Pixels, factor: int) -> None:
        enlarged = engine.upscale(source, factor, Reports())
        assert (enlarged.shape, str(enlarged.dtype)) == ((64 * factor, 72 * factor, 3), "uint8")
        assert np.abs(enlarged.mean((0, 1)) - source.mean((0, 1))).max() < 12

    def test_a_description_is_text(self, engine: Engine, source: Pixels) -> None:
        for described in (engine.describe(source, request(), OPTIONS), engine.describe(source, None, OPTIONS)):
            assert described.strip()

    def test_stats_count_without_gpu(self, engine: Engine) -> None:
        stats = engine.stats()
        assert isinstance(stats, EngineStats)
        assert stats.base_parameters >= 0
        assert stats.upsample_parameters >= 0


def training_order(folder: Path, **changes: object) -> TrainingOrder:
    """Return an order of a few steps, with photos of flat colours."""
    photos = tuple(np.full((70, 90, 3), 40 * k + 20, np.uint8) for k in range(5))
    order = TrainingOrder(photos, "animal", steps=6, rank=2, seed=5, folder=folder)
    return replace(order, **changes)  # type: ignore[arg-type]


class TrainerSuite:
    """What every trainer promises; the fixture `trainer` returns one."""

    @pytest.fixture(scope="class")
    @classmethod
    def folder(cls, tmp_path_factory: pytest.TempPathFactory) -> Path:
        return tmp_path_factory.mktemp("training")

    def test_equal_orders_give_equal_adapters(self, trainer: Trainer, folder: Path) -> None:
        reported: list[float] = []
        first = trainer.train(training_order(folder / "first"), reported.append)
        assert reported == sorted(reported)
        assert reported[-1] == pytest.approx(1)
        assert trainer.train(training_order(folder / "second"), lambda _: None).adapter == first.adapter
        other = trainer.train(training_order(folder / "third", seed=6), lambda _: None)
        assert other.adapter != first.adapter
        assert first.report["steps"] == 6
        assert float(first.report["seconds"]) > 0
        assert "animal" in str(first.report["trigger"])

    def test_the_service_takes_the_file(self, trainer: Trainer, folder: Path) -> None:
        data = trainer.train(training_order(folder / "file"), lambda _: None).adapter
        files = AdapterFiles(folder / "adapters")
        upload = files.new()
        upload.add(data)
        assert upload.keep(sha256(data).hexdigest()) == len(data)

    def test_a_report_that_raises_ends_a_training(self, trainer: Trainer, folder: Path) -> None:
        def stop(done: float) -> None:
            if done > 0.5:
                raise Stopped

        with pytest.raises(Stopped):
            trainer.train(training_order(folder / "stopped"), stop)


class SceneSuite:
    """The tests of engines that place a person in a scene."""

    @pytest.fixture(scope="class")
    @classmethod
    def scene(cls) -> Scene:
        background = np.random.default_rng(0).integers(0, 256, (64, 72, 3), np.uint8)
        pose, pose_mask, face_mask = np.zeros((64, 72, 3), np.uint8), *(np.zeros((64, 72), np.uint8) for _ in range(2))
        pose[8:56, 28:44] = 200
        pose_mask[4:60, 22:50] = 255
        face_mask[8:20, 30:42] = 255
        return Scene(background, pose, pose_mask, face_mask)

    @pytest.mark.parametrize("has_face", [True, False])
    def test_a_person_is_painted_where_the_masks_are(self, engine: PlacingEngine, scene: Scene, has_face: bool) -> None:
        given = scene if has_face else replace(scene, face_mask=None)
        reports = Reports()
        picture = engine.place(given, request(), reports)
        outside = scene.pose_mask == 0
        assert (picture.shape, str(picture.dtype)) == ((64, 72, 3), "uint8")
        assert (picture[outside] == scene.background[outside]).all()
        assert (picture != scene.background).any(-1)[10:54, 30:42].mean() > 0.9
        assert reports.done == sorted(reports.done)
        assert reports.done[-1] == 1
        assert (picture == engine.place(given, request(), Reports())).all()

    def test_the_prompt_and_the_pose_matter(self, engine: PlacingEngine, scene: Scene) -> None:
        wide = np.zeros_like(scene.pose)
        wide[30:40, 8:64] = 200
        pictures = [
            engine.place(given, request(prompt=prompt), Reports())
            for given, prompt in (
                (scene, "a woman in a red coat"),
                (scene, "a man in a blue coat"),
                (replace(scene, pose=wide), "a man in a blue coat"),
            )
        ]
        assert len({picture.tobytes() for picture in pictures}) == 3

    def test_a_report_that_raises_ends_a_scene(self, engine: PlacingEngine, scene: Scene) -> None:
        with pytest.raises(Stopped):
            engine.place(scene, request(steps=150), Reports(stop_after=2))


def _distance(one: Pixels, other: Pixels) -> float:
    return float(np.abs(one.astype(int) - other).mean())
