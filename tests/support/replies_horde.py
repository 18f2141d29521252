"""Replies of hostile servers to the calls of the AI Horde, as in `replies`."""

import base64
import json
from typing import Any

from shared.generators.base import ForgottenId, GeneratorBroken, GeneratorRefused, GeneratorUnavailable
from tests.support.hostile_server import Reply, drip, endless
from tests.support.replies import HTML, OPEN_BODY, PICTURE, Row, ok, png, says

BAD_ID, BAD_SHAPE, BAD_STATUS = "generator_bad_id", "generator_bad_shape", "generator_bad_status"
BAD_BASE64, BAD_LINK, WRONG_COUNT = "generator_bad_base64", "generator_bad_link", "generator_wrong_image_count"

PROGRESS = {
    "finished": 0,
    "processing": 0,
    "restarted": 0,
    "waiting": 1,
    "done": False,
    "faulted": False,
    "wait_time": 9,
    "queue_position": 3,
    "kudos": 0.0,
    "is_possible": True,
}


def told(code: str, message: str = "no", status: str = "400 Bad Request") -> Reply:
    return says(status, json.dumps({"message": message, "rc": code}).encode())


def check(**changes: Any) -> Reply:
    return ok(PROGRESS | changes)


def made(*pictures: object, **changes: Any) -> Reply:
    common = {"seed": "7", "censored": False, "state": "ok", "model": "m", "worker_name": "w"} | changes
    generations = [common | {"img": picture} for picture in pictures]
    return ok(PROGRESS | {"done": True, "finished": len(pictures), "generations": generations})


# For a new request.
HORDE_NEW: list[Row] = [
    ("list", ok(["17"]), GeneratorBroken, BAD_SHAPE),
    ("an error with 202", says("202 Accepted", b'{"message": "no", "rc": "Locked"}'), GeneratorBroken, BAD_ID),
    ("no id", ok({"kudos": 1.0}), GeneratorBroken, BAD_ID),
    ("id a number", ok({"id": 17}), GeneratorBroken, BAD_ID),
    ("id null", ok({"id": None}), GeneratorBroken, BAD_ID),
    ("id empty", ok({"id": ""}), GeneratorBroken, BAD_ID),
    ("id long", ok({"id": "x" * 129}), GeneratorBroken, BAD_ID),
    ("id a path", ok({"id": "../../find_user"}), GeneratorBroken, BAD_ID),
    ("id with a query", ok({"id": "17?a=b"}), GeneratorBroken, BAD_ID),
    ("id with a newline", ok({"id": "1\n2"}), GeneratorBroken, BAD_ID),
    ("two ids", ok({"ID": "17", "Id": "18"}), GeneratorBroken, BAD_ID),
    (
        "kudos missing",
        told("KudosUpfront", "needs 24.5 kudos", "403 Forbidden"),
        GeneratorRefused,
        "generator_no_kudos",
    ),
    ("no workers", told("NoValidWorkers"), GeneratorBroken, "generator_impossible"),
    ("maintenance", told("MaintenanceMode"), GeneratorUnavailable, "generator_busy"),
    ("bad prompt", told("CorruptPrompt"), GeneratorRefused, "generator_refused"),
    ("code with markup", told("<b>"), GeneratorRefused, "generator_refused"),
    ("wrong key", told("InvalidAPIKey", status="401 Unauthorized"), GeneratorUnavailable, "generator_misconfigured"),
    ("blocked", told("TimeoutIP", status="403 Forbidden"), GeneratorUnavailable, "generator_misconfigured"),
    ("too many", told("TooManyPrompts", status="429 Too Many Requests"), GeneratorUnavailable, "generator_busy"),
    ("locked", told("Locked", status="423 Locked"), GeneratorBroken, "generator_bad_http"),
]

# For the question how far a request is.
HORDE_CHECK: list[Row] = [
    ("404", told("RequestNotFound", status="404 Not Found"), ForgottenId, "generator_forgot"),
    ("410", says("410 Gone"), ForgottenId, "generator_forgot"),
    ("429", says("429 Too Many Requests"), GeneratorUnavailable, "generator_busy"),
    ("500", says("500 Internal Server Error"), GeneratorUnavailable, "generator_down"),
    ("422", says("422 Unprocessable Content"), GeneratorBroken, "generator_bad_http"),
    ("impossible", check(is_possible=False), GeneratorBroken, "generator_impossible"),
    ("html", ok(HTML), GeneratorBroken, "generator_bad_json"),
    ("list", ok([PROGRESS]), GeneratorBroken, BAD_SHAPE),
    ("nothing", ok({}), GeneratorBroken, BAD_STATUS),
    ("done a text", check(done="yes"), GeneratorBroken, BAD_STATUS),
    ("done null", check(done=None), GeneratorBroken, BAD_STATUS),
    ("faulted a number", check(faulted=0), GeneratorBroken, BAD_STATUS),
    ("possible a text", check(is_possible="no"), GeneratorBroken, BAD_STATUS),
    ("half a picture", check(processing=0.5), GeneratorBroken, BAD_STATUS),
    ("finished negative", check(finished=-1), GeneratorBroken, BAD_STATUS),
    ("waiting true", check(waiting=True), GeneratorBroken, BAD_STATUS),
    ("no position", check(queue_position=None), GeneratorBroken, "generator_bad_position"),
    ("negative position", check(queue_position=-1), GeneratorBroken, "generator_bad_position"),
    ("position a text", check(queue_position="3rd"), GeneratorBroken, "generator_bad_position"),
    ("more than a status needs", ok(b" " * 70_000), GeneratorBroken, "generator_too_large"),
]

# For the result of a request of one 64x64 picture.
HORDE_RESULT: list[Row] = [
    ("404", says("404 Not Found"), ForgottenId, "generator_forgot"),
    ("429", says("429 Too Many Requests"), GeneratorUnavailable, "generator_busy"),
    ("list", ok([PICTURE]), GeneratorBroken, BAD_SHAPE),
    ("no generations", ok(PROGRESS), GeneratorBroken, BAD_SHAPE),
    ("generations a text", ok({"generations": PICTURE}), GeneratorBroken, BAD_SHAPE),
    ("generations of texts", ok({"generations": [PICTURE]}), GeneratorBroken, BAD_SHAPE),
    ("none", made(), GeneratorBroken, WRONG_COUNT),
    ("two", made(PICTURE, PICTURE), GeneratorBroken, WRONG_COUNT),
    ("faulted", made(PICTURE, state="faulted"), GeneratorBroken, WRONG_COUNT),
    ("censored", made(PICTURE, censored=True), GeneratorRefused, "generator_censored"),
    ("censored by its state", made(PICTURE, state="censored"), GeneratorRefused, "generator_censored"),
    ("picture null", made(None), GeneratorBroken, BAD_SHAPE),
    ("picture a number", made(1), GeneratorBroken, BAD_SHAPE),
    ("picture a list", made([PICTURE]), GeneratorBroken, BAD_SHAPE),
    ("junk base64", made("%%%"), GeneratorBroken, BAD_BASE64),
    ("empty picture", made(""), GeneratorBroken, BAD_BASE64),
    ("link elsewhere", made("https://example.com/picture.webp"), GeneratorBroken, BAD_LINK),
    ("link to this machine", made("http://127.0.0.1:9/latest"), GeneratorBroken, BAD_LINK),
    ("link to a machine's own data", made("http://169.254.169.254/latest"), GeneratorBroken, BAD_LINK),
    ("link to a store by http", made("http://a.r2.cloudflarestorage.com/x"), GeneratorBroken, BAD_LINK),
    ("link to a port of a store", made("https://a.r2.cloudflarestorage.com:22/x"), GeneratorBroken, BAD_LINK),
    ("link like a store", made("https://r2.cloudflarestorage.com.example.com/x"), GeneratorBroken, BAD_LINK),
    ("link with a user", made("https://x@a.r2.cloudflarestorage.com/x"), GeneratorBroken, BAD_LINK),
    ("link with a space", made("https://a.r2.cloudflarestorage.com/ x"), GeneratorBroken, BAD_LINK),
    ("link with a newline", made("https://a.r2.cloudflarestorage.com/\r\nX: y"), GeneratorBroken, BAD_LINK),
    ("link without a host", made("https:///x"), GeneratorBroken, BAD_LINK),
    ("link with a broken host", made("https://[::1/x"), GeneratorBroken, BAD_LINK),
    ("link of 5000 characters", made("https://a.r2.cloudflarestorage.com/" + "x" * 5000), GeneratorBroken, BAD_LINK),
    ("file", made("file:///etc/hostname"), GeneratorBroken, BAD_BASE64),
    ("more than the order needs", ok(b" " * 600_000), GeneratorBroken, "generator_too_large"),
    ("endless", endless(OPEN_BODY, b" " * 65536), GeneratorBroken, "generator_too_large"),
    ("drip", drip(OPEN_BODY, b" "), GeneratorUnavailable, "generator_timeout"),
]

SMALL = base64.b64encode(png(64, 64)).decode()

# For the result of a request of one 64x48 picture, which is cut out of one of 64x64.
HORDE_CROPPED: list[Row] = [
    ("no picture", made(PICTURE), GeneratorBroken, "generator_bad_sheet"),
    ("larger", made(base64.b64encode(png(128, 64)).decode()), GeneratorBroken, "generator_bad_sheet"),
    ("cut off", made(base64.b64encode(png(64, 64)[:-30]).decode()), GeneratorBroken, "generator_bad_sheet"),
]
