"""The exact shapes of the API's answers, and the comparison with them."""

import re
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.api.presets import STYLES


def check(value: Any, shape: Any, where: str = "answer") -> None:
    """Fail unless the value has exactly this shape.

    A dict has these keys, a list items of this shape, a type or a function accepts the value, and anything else is
    equal to it.
    """
    if isinstance(shape, dict):
        assert isinstance(value, dict), where
        assert value.keys() == shape.keys(), f"{where}: {value.keys() ^ shape.keys()}"
        for key, part in shape.items():
            check(value[key], part, f"{where}.{key}")
    elif isinstance(shape, list):
        assert isinstance(value, list), where
        for index, item in enumerate(value):
            check(item, shape[0], f"{where}.{index}")
    elif isinstance(shape, type):
        assert type(value) is shape, f"{where}: {value!r}"
    elif callable(shape):
        assert shape(value), f"{where}: {value!r}"
    else:
        assert value == shape, f"{where}: {value!r}"


def maybe(shape: Any) -> Any:
    """Return a shape that also accepts null."""

    def matches(value: Any) -> bool:
        if value is not None:
            check(value, shape)
        return True

    return matches


def time(value: Any) -> bool:
    return (
        re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", value) is not None
        and datetime.fromisoformat(value) is not None
    )


def uuid7(value: Any) -> bool:
    return str(UUID(value)) == value and UUID(value).version == 7


def url(value: Any) -> bool:
    return value.startswith("http://127.0.0.1:") and "X-Amz-Signature=" in value


def number(value: Any) -> bool:
    return type(value) in (int, float)


USER = {
    "id": uuid7,
    "email": str,
    "confirmed": bool,
    "created_at": time,
    "notify": lambda notify: notify in ("none", "email"),
    "language": lambda language: language in ("en", "ru"),
    "mail_stopped": lambda why: why in (None, "unsubscribed", "refused", "bounced", "complained"),
    "webhook_url": lambda address: address is None or address.startswith("https://"),
    "webhook_error": lambda code: code is None or code.startswith("webhook_"),
}
SESSION = {"user": USER, "token": lambda token: re.fullmatch(r"easel_[\w-]{43}", token), "expires_at": time}
ACCOUNT = {
    "user": USER,
    "quota": {"per_day": int, "left_today": int, "running": int, "max_running": int},
    "push_browsers": int,
    "second_factor": bool,
}
TOKEN = {
    "id": uuid7,
    "name": str,
    "created_at": time,
    "expires_at": maybe(time),
    "last_used_at": maybe(time),
    "rights": [str],
}
IMAGE = {
    "id": uuid7,
    "index": int,
    "url": url,
    "thumbnail_url": url,
    "url_expires_at": time,
    "link": str,
    "width": int,
    "height": int,
    "seed": int,
    "description": maybe(str),
}
SETTINGS = {
    "prompt": str,
    "negative_prompt": str,
    "type": lambda word: word in ("image", "painting", "pixel_art"),
    "style": lambda style: (
        style is None or all(key in STYLES for key in ([style] if isinstance(style, str) else style))
    ),
    "quality": lambda word: word in ("draft", "normal", "better", "best"),
    "aspect": lambda word: word in ("square", "widescreen", "portrait"),
    "width": int,
    "height": int,
    "steps": int,
    "scale": number,
    "upscale": int,
    "n": int,
    "seed": int,
    "source_images": [str],
    "from_job": maybe(uuid7),
    "from_image": maybe(uuid7),
    "strength": maybe(number),
    "pixel_art": maybe({"cells": int, "colours": int}),
    "describe": bool,
    "description": {
        "blip_max_len": maybe(int),
        "clip_max_len": maybe(int),
        "skip_clip": bool,
        "skip_list": [str],
    },
    "notify": lambda notify: notify in ("none", "email"),
    "webhook_url": lambda address: address is None or address.startswith("https://"),
    "cpu": bool,
    "timelapse": bool,
    "likeness": maybe([{"code": str, "weight": float}]),
    "likeness_weight": float,
}
SUMMARY = {
    "id": uuid7,
    "state": lambda state: state in ("queued", "generating", "succeeded", "failed", "cancelled"),
    "queue_position": maybe(int),
    "position_is_estimate": bool,
    "eta_seconds": maybe(int),
    "progress": maybe(number),
    "prompt": str,
    "settings": SETTINGS,
    "images": [IMAGE],
    "timelapse_url": maybe(str),
    "error": maybe({"code": str, "message": str}),
    "public": bool,
    "created_at": time,
    "started_at": maybe(time),
    "finished_at": maybe(time),
    "links": {"self": str, "image": maybe(str)},
    "group_id": maybe(uuid7),
}
EVENT = {"at": time, "event": str, "detail": maybe(str), "code": maybe(str)}
PUBLICATION = {
    "state": lambda state: state in ("private", "waiting", "public", "refused", "removed"),
    "reason": maybe(str),
    "appeal": maybe({"text": str, "state": lambda state: state in ("waiting", "refused")}),
    "may_appeal": bool,
}
JOB = SUMMARY | {"preview_url": maybe(str), "timeline": [EVENT], "publication": PUBLICATION}
GROUP = {
    "id": uuid7,
    "state": lambda state: state in ("queued", "generating", "finished"),
    "progress": float,
    "count": int,
    "counts": {"queued": int, "generating": int, "succeeded": int, "failed": int, "cancelled": int},
    "cost": number,
    "created_at": time,
    "jobs": [SUMMARY],
    "links": {"self": str},
}
GALLERY_ITEM = {
    "job_id": uuid7,
    "prompt": str,
    "style": SETTINGS["style"],
    "images": [IMAGE],
    "timelapse_url": maybe(str),
    "created_at": time,
    "published_at": time,
}
RECIPE = (
    *("type", "style", "quality", "aspect", "width", "height", "steps", "scale", "upscale"),
    *("n", "seed", "negative_prompt", "strength", "pixel_art"),
)
GALLERY_DETAIL = GALLERY_ITEM | {"settings": {name: SETTINGS[name] for name in RECIPE}}
UPLOAD = {"key": str, "url": str, "fields": dict, "expires_at": time}
