"""Replies of hostile servers to the calls of the web API of AUTOMATIC1111, as in `replies`."""

import json

from shared.generators.base import GeneratorBroken, GeneratorRefused, GeneratorUnavailable
from tests.support.hostile_server import drip, endless
from tests.support.replies import HTML, OPEN_BODY, PICTURE, Row, ok, says

BAD_SHAPE, BAD_BASE64, WRONG_COUNT = "generator_bad_shape", "generator_bad_base64", "generator_wrong_image_count"

# For a request of one 64x64 picture.
SDAPI_PICTURE: list[Row] = [
    ("list", ok([PICTURE]), GeneratorBroken, BAD_SHAPE),
    ("text", ok(PICTURE), GeneratorBroken, BAD_SHAPE),
    ("null", ok(None), GeneratorBroken, BAD_SHAPE),
    ("no images", ok({"info": "{}"}), GeneratorBroken, BAD_SHAPE),
    ("images null", ok({"images": None}), GeneratorBroken, BAD_SHAPE),
    ("images a text", ok({"images": PICTURE}), GeneratorBroken, BAD_SHAPE),
    (
        "an error with 200",
        ok({"error": "OutOfMemoryError", "detail": "", "errors": "CUDA"}),
        GeneratorBroken,
        BAD_SHAPE,
    ),
    ("accepted for later", says("202 Accepted", b'{"task_id": "7"}'), GeneratorBroken, BAD_SHAPE),
    ("images of numbers", ok({"images": [1]}), GeneratorBroken, BAD_SHAPE),
    ("two spellings", ok({"Images": [PICTURE], "IMAGES": [PICTURE]}), GeneratorBroken, BAD_SHAPE),
    ("none, after an interrupt", ok({"images": []}), GeneratorBroken, WRONG_COUNT),
    ("two", ok({"images": [PICTURE] * 2}), GeneratorBroken, WRONG_COUNT),
    ("two, info is no JSON", ok({"images": [PICTURE] * 2, "info": "seed: 1"}), GeneratorBroken, WRONG_COUNT),
    ("two, info no text", ok({"images": [PICTURE] * 2, "info": "\ud800"}), GeneratorBroken, WRONG_COUNT),
    (
        "two, the first one is the third",
        ok({"images": [PICTURE] * 2, "info": json.dumps({"index_of_first_image": 2})}),
        GeneratorBroken,
        WRONG_COUNT,
    ),
    ("junk base64", ok({"images": ["%%%"]}), GeneratorBroken, BAD_BASE64),
    ("half a byte", ok({"images": ["QUJDR"]}), GeneratorBroken, BAD_BASE64),
    ("not ASCII", ok({"images": ["картина"]}), GeneratorBroken, BAD_BASE64),
    ("a link", ok({"images": ["http://127.0.0.1/picture.png"]}), GeneratorBroken, BAD_BASE64),
    ("data URL without base64", ok({"images": ["data:image/png," + PICTURE]}), GeneratorBroken, BAD_BASE64),
    ("empty picture", ok({"images": [""]}), GeneratorBroken, BAD_BASE64),
    ("NaN beside it", ok(b'{"images": ["QUJD"], "info": NaN}'), GeneratorBroken, "generator_bad_json"),
    ("lists that grow", ok(b"[" + b"[]," * 90_000 + b"[]]"), GeneratorBroken, "generator_bad_json"),
    ("more than the order needs", ok(b" " * 600_000), GeneratorBroken, "generator_too_large"),
    ("endless", endless(OPEN_BODY, b" " * 65536), GeneratorBroken, "generator_too_large"),
    ("drip", drip(OPEN_BODY, b" "), GeneratorUnavailable, "generator_timeout"),
    ("gone", says("410 Gone"), GeneratorBroken, "generator_bad_http"),
    ("no sampler", says("400 Bad Request", b'{"detail": "Sampler not found"}'), GeneratorRefused, "generator_refused"),
    (
        "one picture at a time",
        says("503 Service Unavailable", b'{"detail": {"msg": "Server is busy", "type": "service_unavailable"}}'),
        GeneratorUnavailable,
        "generator_busy",
    ),
    ("html", ok(HTML), GeneratorBroken, "generator_bad_json"),
]

# For the description of a picture.
SDAPI_CAPTION: list[Row] = [
    ("no such call", says("404 Not Found"), GeneratorRefused, "generator_refused"),
    ("not allowed", says("405 Method Not Allowed"), GeneratorRefused, "generator_refused"),
    ("no caption", ok({"text": "a"}), GeneratorBroken, "generator_bad_description"),
    ("caption null", ok({"caption": None}), GeneratorBroken, "generator_bad_description"),
    ("caption a list", ok({"caption": ["a"]}), GeneratorBroken, "generator_bad_description"),
    ("caption with NUL", ok({"caption": "a\0"}), GeneratorBroken, "generator_bad_description"),
    ("half a surrogate", ok({"caption": "\ud800"}), GeneratorBroken, "generator_bad_description"),
    ("long caption", ok({"caption": "a" * 10_001}), GeneratorBroken, "generator_bad_description"),
    ("a book", ok({"caption": "a" * 100_000}), GeneratorBroken, "generator_too_large"),
    ("list", ok(["a"]), GeneratorBroken, BAD_SHAPE),
]

# For the upscaling of a picture.
SDAPI_UPSCALED: list[Row] = [
    ("no such call", says("404 Not Found"), GeneratorRefused, "generator_refused"),
    ("no image", ok({"html_info": ""}), GeneratorBroken, BAD_SHAPE),
    ("image a list", ok({"image": [PICTURE]}), GeneratorBroken, BAD_SHAPE),
    ("junk base64", ok({"image": "%%%"}), GeneratorBroken, BAD_BASE64),
    ("upscaler unknown", says("500 Internal Server Error"), GeneratorUnavailable, "generator_down"),
    ("list", ok([PICTURE]), GeneratorBroken, BAD_SHAPE),
]
