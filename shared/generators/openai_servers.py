"""The servers of `/v1/images`: how each is recognised, which settings it follows, and how it wants to be sent them.

The API of OpenAI has no seed, steps, scale, negative prompt and strength. Servers of other makers have some of them,
each under its own names and in its own place; all others they ignore in silence, or refuse. Sources: the code of
vLLM-Omni 0.30.0, SGLang, Xinference 4.1.0, OpenVINO Model Server 2025.4, LocalAI and stable-diffusion.cpp (2026), and
a running Aquiles-Image 0.8.3.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from shared.generators.addresses import FOLLOWABLE

Settings: TypeAlias = Mapping[str, int | float | str]
"""The values of the settings that a server follows, by the names of FOLLOWABLE."""

Fields: TypeAlias = dict[str, int | float | str]
"""The fields of a request to a server."""

DIFFUSERS = {"steps": "num_inference_steps", "scale": "guidance_scale"}
"""What the library behind most servers calls these settings. The others have one name everywhere."""


@dataclass(frozen=True, slots=True)
class Server:
    """One kind of server.

    `follows` are the settings that it follows in requests for new pictures, `edits_follow` in those with start
    pictures. `add` adds the followed settings to the fields of a request.
    """

    name: str
    follows: frozenset[str] = frozenset()
    edits_follow: frozenset[str] = frozenset()
    add: Callable[[Fields, Settings], Fields] = field(default=lambda fields, settings: fields | dict(settings))


def _named(names: Mapping[str, str]) -> Callable[[Fields, Settings], Fields]:
    """Return what adds each setting as a field, under the name that the server has for it."""
    return lambda fields, settings: fields | {names.get(name, name): value for name, value in settings.items()}


def _as_keywords(fields: Fields, settings: Settings) -> Fields:
    """Add the settings as Xinference wants them: one field, a JSON text of keyword arguments."""
    return fields | {"kwargs": json.dumps(_named(DIFFUSERS)({}, settings))} if settings else fields


def _in_localai_prompt(fields: Fields, settings: Settings) -> Fields:
    """Add the settings for LocalAI, which takes what follows a `|` in the prompt for the negative prompt."""
    prompt, negative = (str(text).replace("|", ",") for text in (fields["prompt"], settings.get("negative_prompt", "")))
    others = {name: value for name, value in settings.items() if name != "negative_prompt"}
    return _named({"steps": "step"})(fields, others) | {"prompt": f"{prompt}|{negative}" if negative else prompt}


def _in_sd_server_prompt(fields: Fields, settings: Settings) -> Fields:
    """Add the settings for sd-server, which reads JSON in a tag of the prompt and removes every such tag.

    It reads the first one. Ours is always there and first, so that a user's prompt cannot set anything.
    """
    sampling: dict[str, Any] = {}
    if "steps" in settings:
        sampling["sample_steps"] = settings["steps"]
    if "scale" in settings:
        sampling["guidance"] = {"txt_cfg": settings["scale"]}
    plain = {name: settings[name] for name in ("seed", "negative_prompt", "strength") if name in settings}
    values = json.dumps(plain | ({"sample_params": sampling} if sampling else {})).replace("<", "\\u003c")
    return fields | {"prompt": f"<sd_cpp_extra_args>{values}</sd_cpp_extra_args>{fields['prompt']}"}


_ALL = frozenset(FOLLOWABLE)
_NEW = _ALL - {"strength"}

OTHER = Server("other", add=_named(DIFFUSERS))
"""A server that says nothing of itself. What the address says that it follows is sent as most servers call it."""

SERVERS = {
    "vllm": Server("vLLM-Omni", _NEW, _ALL, _named(DIFFUSERS)),
    "vllm-omni": Server("vLLM-Omni", _NEW, _ALL, _named(DIFFUSERS)),
    "sglang": Server("SGLang", _NEW, _NEW, _named(DIFFUSERS)),
    "ovms": Server("OpenVINO Model Server", _NEW, _ALL, _named(DIFFUSERS | {"seed": "rng_seed"})),
    "xinference": Server("Xinference", _NEW, frozenset(), _as_keywords),
    "sd-cpp-local": Server("sd-server", _NEW, _ALL, _in_sd_server_prompt),
    "localai": Server("LocalAI", frozenset({"seed", "steps", "negative_prompt"}), frozenset(), _in_localai_prompt),
    # Steps, scale and seed of Aquiles-Image are options of its start, and it has no negative prompt.
    "custom": Server("Aquiles-Image", add=_named(DIFFUSERS)),
    "openai": Server("OpenAI", add=_named(DIFFUSERS)),
    "system": Server("OpenAI", add=_named(DIFFUSERS)),
}
"""The servers by what their list of models gives as the owner of a model; sd-server by its model."""


def recognise(models: list[dict[str, Any]]) -> Server:
    """Return which server has this list of models, entries of `GET /models`."""
    for model in models:
        owner = model.get("owned_by")
        if model.get("id") == "sd-cpp-local":
            return SERVERS["sd-cpp-local"]
        if isinstance(owner, str) and owner.casefold() in SERVERS:
            return SERVERS[owner.casefold()]
    # LocalAI's entries have nothing but their id and kind.
    bare = bool(models) and all(model.keys() == {"id", "object"} for model in models)
    return SERVERS["localai"] if bare else OTHER
