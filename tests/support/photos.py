"""Photos for trainings: files that pass, and a user who uploads and submits them."""

import hashlib
import io
import random
import secrets
import struct
import zlib
from typing import Any
from uuid import UUID, uuid4

from PIL import Image, ImageDraw

from shared.api.likenesses import LikenessRequest
from shared.api.schemas import JobRequest
from shared.jobs import submission
from shared.likeness import service
from shared.likeness.store import LikenessRecord
from tests.support.world import SMALL, World


def photo(seed: int, side: int = 320, form: str = "JPEG") -> bytes:
    """Return a sharp picture of many discs, which another seed puts elsewhere."""
    draws = random.Random(seed)
    image = Image.new("RGB", (side, side), (120, 130, 140))
    pencil = ImageDraw.Draw(image)
    for _ in range(120):
        x, y, radius = draws.randrange(side), draws.randrange(side), draws.randrange(side // 32, side // 8)
        colour = draws.randrange(256), draws.randrange(256), draws.randrange(256)
        pencil.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    return encode(image, form)


def encode(image: Image.Image, form: str = "JPEG") -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form)
    return buffer.getvalue()


def png_that_claims(side: int) -> bytes:
    """Return a PNG file of a few bytes whose header promises so many pixels each way."""
    parts = [(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(b"\0"))]
    chunks = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def adapter_file(value: int) -> bytes:
    """Return a safetensors file with one number."""
    header = b'{"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}'
    return len(header).to_bytes(8, "little") + header + bytes([value])


class Sitter:
    """A user who uploads photos and submits likenesses and jobs as the API does."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.id = world.user()
        self.credential = world.credential(self.id)

    def upload(self, data: bytes) -> str:
        key = f"uploads/{self.id}/{uuid4()}.jpg"
        query = "INSERT INTO uploads (key, user_id, content_type, size_bytes) VALUES (:key, :id, 'image/jpeg', :size)"
        self.world.sql(query, key=key, id=self.id, size=len(data))
        self.world.services.storage.put(key, data, "image/jpeg")
        return key

    def upload_five(self) -> list[str]:
        return [self.upload(photo(seed)) for seed in range(5)]

    def sit(self, key: str | None = None, **fields: Any) -> LikenessRecord:
        """Submit a likeness of an animal from five new photos."""
        given = {"photos": None, "subject": "animal", "consent": True} | fields
        given["photos"] = given["photos"] or self.upload_five()
        return service.submit(self.world.services, self.credential, LikenessRequest(**given), key)

    def get(self, code: str) -> LikenessRecord:
        return service.get(self.world.services, self.credential, code)

    def have(self, value: int = 7) -> str:
        """Return the code of a likeness that is ready, as if it had been trained; its adapter has this value."""
        code, data = f"{secrets.randbelow(10**8):08}", adapter_file(value)
        [[job_id]] = self.world.sql(
            "INSERT INTO jobs"
            " (user_id, state, prompt, settings, cost, turn, protocols, quota_day, progress, finished_at)"
            " VALUES (:id, 'succeeded', 'Rex', '{}', 1, 0, 'training', '2026-01-01', 1, now()) RETURNING id",
            id=self.id,
        )
        key = f"jobs/{job_id}/{uuid4()}/adapter.safetensors"
        self.world.services.storage.put(key, data, "application/octet-stream")
        self.world.sql(
            "INSERT INTO likenesses (job_id, user_id, code, subject, name, adapter_sha256, adapter_key, expires_at)"
            " VALUES (:job, :id, :code, 'animal', 'Rex', :sha256, :key, clock_timestamp() + interval '90 days')",
            job=job_id,
            id=self.id,
            code=code,
            sha256=hashlib.sha256(data).hexdigest(),
            key=key,
        )
        return code

    def draw(self, **fields: Any) -> UUID:
        return UUID(submission.submit(self.world.services, self.credential, JobRequest(**(SMALL | fields)), None).id)
