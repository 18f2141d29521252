"""The steps of a job that trains a likeness: photos go to the generator, and the adapter comes back and is stored."""

import hashlib
from typing import TYPE_CHECKING

from shared.clients.storage import ObjectMissing
from shared.generators.base import GeneratorRefused
from shared.generators.training import TrainingOrder, bad_adapter, trainer_of
from shared.images import codec
from shared.jobs.reasons import TRAINING_TOO_SLOW
from shared.likeness.adapter_file import NoAdapterFile, check_adapter_file
from shared.polling.outcomes import StoredAdapter, Succeeded
from shared.polling.step_requests import read_sources, request_key

if TYPE_CHECKING:
    from shared.generators.training import Trainer
    from shared.polling.steps import Step

LONGEST = (4 * 3600.0, TRAINING_TOO_SLOW)
"""How many seconds one attempt may take, and the reason for its end after that."""

SENT_SIDE_PX = 1536
"""The longer side of a photo as it is sent: trainers use at most 1024 pixels of it."""


def send(step: "Step") -> str:
    """Send the photos; return the generator's id of the training.

    Raises:
        GeneratorError: The generator does not accept it.
        PictureError, ObjectMissing, ObjectTooLarge, Unavailable: A photo cannot be read.
    """
    claim = step.claim
    wanted = claim.settings["training"]
    if len(claim.sources) != len(claim.settings["source_images"]):
        raise ObjectMissing(f"photos of {claim.id} were deleted")
    photos = tuple(codec.photo_jpeg(photo, SENT_SIDE_PX) for photo in read_sources(step))
    order = TrainingOrder(
        photos, wanted["subject"], wanted["steps_per_image"], claim.settings["seed"], request_key(claim)
    )
    return _trainer(step).train(order)


def fetch(step: "Step", remote_id: str) -> Succeeded:
    """Fetch the adapter that a finished training made, check it and store it.

    Raises:
        GeneratorError: It cannot be fetched, has another hash, or is no adapter.
        Unavailable: The storage fails.
    """
    trainer = _trainer(step)
    trained = trainer.result(remote_id)
    key = f"{step.claim.prefix}adapter.safetensors"
    with step.memory.room(step.max_adapter_bytes // 3):
        data = trainer.get_adapter(trained.sha256, step.max_adapter_bytes, step.unwanted)
        if hashlib.sha256(data).hexdigest() != trained.sha256:
            raise bad_adapter("The generator sent other bytes than those of the adapter that it named.")
        try:
            check_adapter_file(data)
        except NoAdapterFile as error:
            raise bad_adapter(f"The generator's training made no adapter: {error}.") from error
        step.storage.put(key, data, "application/octet-stream")
    return Succeeded(adapter=StoredAdapter(trained.sha256, key, trained.report, step.likeness_days))


def _trainer(step: "Step") -> "Trainer":
    trainer = trainer_of(step.generator)
    if trainer is None:
        raise GeneratorRefused("generator_cannot", "This generator cannot train.")
    return trainer
