"""One training from photos to the file of an adapter."""

import time
from collections.abc import Callable

import torch

from generator.engines.adapter_files import AdapterFiles
from generator.engines.base import CannotDo, EngineStats, ImageRequest, Trained, TrainingOrder
from generator.engines.diffusion.engine import model_name
from generator.engines.diffusion.loop import is_out_of_memory
from generator.engines.diffusion.mini.captions import LIGHTS, MEDIA
from generator.engines.diffusion.orders import Conditions
from generator.engines.diffusion.studio import Studio
from generator.engines.diffusion.training.lesson import Example, Lesson, is_small
from generator.engines.diffusion.training.others import Others, find_others, measure_drift
from generator.engines.diffusion.training.photos import views
from generator.engines.diffusion.training.process import limit_memory

TRIGGER = "ohwx"
"""A word that means nothing to a model; before the kind of subject, as in `ohwx person`, it calls the one learned."""

SMALL_SUFFIXES = ("", *(f" {light.painter}" for light in LIGHTS), *(f", {medium.painter}" for medium in MEDIA))
"""What follows the words in the examples of a small network: each light or medium of easel-mini, never one of each. A
network that has been taught few words reads each of them as being about the whole picture, and would lose the subject
as soon as a prompt says more than the trigger."""

CHECKPOINT_STEPS = 50

_OTHERS_SHARE, _LESSON_SHARE = 0.15, 0.75


class LoraTrainer:
    """Trains LoRA layers of the U-Net. One training for each object."""

    def __init__(self, memory_bytes: int | None = None) -> None:
        self._memory_bytes = memory_bytes

    def stats(self) -> EngineStats:
        """Return nothing: the model is loaded only for the training."""
        return EngineStats(0, 0)

    def train(self, order: TrainingOrder, report: Callable[[float], None]) -> Trained:
        """Train an adapter, or go on with the training whose checkpoint is in the folder."""
        if self._memory_bytes is not None and not torch.cuda.is_available():
            limit_memory(self._memory_bytes)
        try:
            return _train(order, report)
        except Exception as error:
            if is_out_of_memory(error):
                raise CannotDo("the training needs more memory than it may take") from error
            raise


def _train(order: TrainingOrder, report: Callable[[float], None]) -> Trained:
    begin = time.monotonic()
    studio = Studio(model_name(), exact=False, adapters=AdapterFiles().folder, measured=False)
    others = find_others(studio, lambda done: report(done * _OTHERS_SHARE))
    trigger = f"{TRIGGER} {order.subject}"
    lesson = Lesson(studio.model, order, _examples(studio, order, trigger), _kept(studio, others))
    checkpoint = order.folder / "checkpoint.pt"
    earlier_s = lesson.resume(checkpoint) if checkpoint.exists() else 0.0
    while lesson.step < order.steps:
        lesson.learn()
        if lesson.step % CHECKPOINT_STEPS == 0:
            lesson.save(checkpoint, earlier_s + time.monotonic() - begin)
        report(_OTHERS_SHARE + _LESSON_SHARE * lesson.step / order.steps)
    drift = measure_drift(
        studio, others, lambda done: report(_OTHERS_SHARE + _LESSON_SHARE + done * (1 - _OTHERS_SHARE - _LESSON_SHARE))
    )
    facts: dict[str, str | float] = {"model": studio.info.name, "subject": order.subject, "trigger": trigger}
    measured: dict[str, str | float] = {
        "steps": order.steps,
        "rank": order.rank,
        "seconds": round(earlier_s + time.monotonic() - begin, 1),
        "loss": round(lesson.recent_loss, 5),
        "drift": round(drift, 4),
    }
    return Trained(lesson.file(facts), facts | measured)


def _examples(studio: Studio, order: TrainingOrder, trigger: str) -> list[Example]:
    """Return each view of each photo with the words that call the subject."""
    info = studio.info
    pictures = [view for photo in order.photos for view in views(photo, info.width, info.height)]
    called = [conditions_of(studio, trigger + suffix) for suffix in _suffixes(studio)]
    return [Example(latents, conditions) for latents in map(studio.encode, pictures) for conditions in called]


def _kept(studio: Studio, others: Others) -> list[Example]:
    """Return the model's own pictures of other prompts, whose look is to stay.

    With a suffix the picture is not quite one of the prompt: what is kept is what the model sees in it by these words.
    """
    return [
        Example(latents, conditions_of(studio, prompt + suffix))
        for prompt, latents in others.taught.items()
        for suffix in _suffixes(studio)
    ]


def _suffixes(studio: Studio) -> tuple[str, ...]:
    return SMALL_SUFFIXES if is_small(studio.model) else ("",)


def conditions_of(studio: Studio, prompt: str) -> Conditions:
    """Return what the network gets for a prompt, in one row."""
    info = studio.info
    # A network that takes the guidance as an input is taught at the one that it is used with.
    scale = info.scale if studio.model.guides_by_input else 1.0
    return studio.order(ImageRequest(prompt, "", info.width, info.height, 1, scale, 0)).conditions
