"""From five photos to a picture with a likeness, through a real generator."""

import hashlib

from PIL import Image

from shared.images import codec
from tests.support.photos import Sitter
from tests.support.world import World


def test_it_works(world: World, sitter: Sitter) -> None:
    found = sitter.sit(name="Rex", steps_per_image=2)
    assert (found.state, found.subject, found.name, found.shared) == ("queued", "animal", "Rex", False)
    world.finish(found.id)
    ready = sitter.get(found.code)
    assert ready.state == "ready", world.timeline(found.id)
    [row] = world.sql("SELECT * FROM likenesses")
    stored = world.services.storage.get(row.adapter_key, 1000)
    assert hashlib.sha256(stored).hexdigest() == row.adapter_sha256
    assert row.report == {"trigger": "word animal", "steps": 10, "seconds": 0.5}
    assert world.events(found.id) == ["accepted", "started", "sent", "processing", "succeeded"]
    job_id = sitter.draw(likeness=found.code, seed=3)
    world.finish(job_id)
    assert world.state(job_id) == "succeeded", world.timeline(job_id)
    [image] = world.images(job_id)
    png = codec.decode_picture(world.services.storage.get(image.key, 10**6), expected_size=None)
    assert isinstance(png, Image.Image)
    assert png.getpixel((0, 0)) == (14, 14, 14)  # the seed, one step, and ten for the adapter
    world.check_books()
