"""The engine's settings: environment variables, and what can be checked of them before anything is loaded."""

import os
from pathlib import Path

from generator.engines.base import BadSetting, named
from generator.engines.diffusion.folder import local_folder, read_controlnet, read_parts

MAX_THREADS = 1024
MAX_NICE = 19
MAX_MEMORY_MB = 2**30

_MIB = 1024**2


def setting(variable: str) -> str:
    """Return a setting without space around it; one that is missing is empty."""
    return os.environ.get(variable, "").strip()


def controlnet_name() -> str | None:
    """Return the folder or hub's name of the ControlNet."""
    return setting("EASEL_CONTROLNET") or None


def captioner_names() -> str:
    """Return the folders or hub's names of the captioners, separated by commas."""
    return setting("EASEL_CAPTIONER")


def is_exact() -> bool:
    """Return whether pictures must not depend on their neighbours in any bit.

    Raises:
        BadSetting: The setting is neither 0 nor 1.
    """
    value = setting("EASEL_EXACT") or "1"
    if value not in ("0", "1"):
        with named("EASEL_EXACT"):
            raise BadSetting(f"{value[:20]} is neither 0 nor 1")
    return value == "1"


def train_threads() -> int:
    """Return how many threads a training uses.

    Raises:
        BadSetting: The setting is no such number.
    """
    return _number("EASEL_TRAIN_THREADS", MAX_THREADS) or max(1, (os.cpu_count() or 1) // 2)


def train_nice() -> int:
    """Return by how much the process of a training yields to others that want the processor.

    Raises:
        BadSetting: The setting is no such number.
    """
    return _number("EASEL_TRAIN_NICE", MAX_NICE) or 10


def train_memory_bytes() -> int:
    """Return how much memory a training may take.

    Raises:
        BadSetting: The setting is no such number.
    """
    megabytes = _number("EASEL_TRAIN_MEMORY_MB", MAX_MEMORY_MB)
    return megabytes * _MIB if megabytes else os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") * 3 // 4


def _number(variable: str, most: int) -> int | None:
    """Return the whole number of a setting, None if it is empty."""
    text = setting(variable)
    if not text:
        return None
    # An isdecimal text may have any length and digits of any script.
    if not (text.isascii() and text.isdecimal() and len(text) < 20 and 1 <= int(text) <= most):
        with named(variable):
            raise BadSetting(f"{text[:20]} is not a whole number from 1 to {most}")
    return int(text)


def check_settings(own_model: Path) -> None:
    """Check the settings; `own_model` is the folder of the model that is used where none is set.

    Raises:
        BadSetting: One cannot be followed.
    """
    is_exact()
    train_nice()
    train_threads()
    train_memory_bytes()
    with named("EASEL_MODEL"):
        name = setting("EASEL_MODEL")
        if not name and not own_model.is_dir():
            raise BadSetting(
                "it is not set and easel-mini is not here; set it to a folder or a hub's model, "
                "or run `make train-mini export-mini`"
            )
        model = local_folder(name) if name else own_model
        if model is not None:
            read_parts(model)
    with named("EASEL_CONTROLNET"):
        controlnet = local_folder(controlnet_name() or "") if controlnet_name() else None
        if controlnet is not None:
            read_controlnet(controlnet)
    with named("EASEL_CAPTIONER"):
        for one in captioner_names().split(",") if captioner_names() else ():
            local_folder(one.strip())
