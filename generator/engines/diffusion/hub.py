"""Models of a hub: sizes are known before a download starts, and only files that the engine reads are fetched."""

import glob
import logging
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

import httpx2
from huggingface_hub import constants, errors, get_cached_repo_tree, snapshot_download
from huggingface_hub.utils import filter_repo_objects

from generator.engines.diffusion.folder import BadModel, full_precision

log = logging.getLogger("easel.generator")

MAX_BYTES = 64 * 1024**3
MAX_FILES = 1000


def fetch(name: str, read: Sequence[str]) -> Path:
    """Return the folder of a hub's model, `owner/model` or `owner/model@revision`; without the hub, as fetched before.

    `read` are patterns of the files that the engine reads; no others are fetched.

    Raises:
        BadModel: It cannot be fetched, is too large, or does not fit on the disk.
    """
    repository, _, revision = name.partition("@")
    try:
        return _fetch(repository, revision or constants.DEFAULT_REVISION, list(read))
    except (errors.LocalEntryNotFoundError, errors.CachedRepoTreeNotFoundError) as error:
        raise BadModel(f"{name} is not here and the hub cannot be reached") from error
    except errors.RepositoryNotFoundError as error:
        raise BadModel(f"the hub has no model {name}, or one that HF_TOKEN may not read") from error
    except (OSError, ValueError, RuntimeError, httpx2.HTTPError) as error:
        raise BadModel(f"{name} cannot be fetched from the hub: {type(error).__name__}") from error


def _fetch(repository: str, revision: str, read: list[str]) -> Path:
    try:
        files = snapshot_download(repository, revision=revision, allow_patterns=read, dry_run=True)
    except errors.DryRunError as error:
        if isinstance(error.__cause__, errors.RepositoryNotFoundError):
            raise error.__cause__ from error
        log.warning("The hub cannot be reached; looking for %s among what was fetched before.", repository)
        names = _wanted((file.path for file in get_cached_repo_tree(repository, revision=revision)), read)
        return Path(snapshot_download(repository, revision=revision, allow_patterns=names, local_files_only=True))
    names = _wanted((file.filename for file in files), read)
    missing = sum(file.file_size or 0 for file in files if file.will_download and glob.escape(file.filename) in names)
    check_room(repository, missing)
    if missing:
        log.info("Fetching %s: %.1f GB.", repository, missing / 1e9)
    # Of the commit whose files were counted: by now the revision may be another.
    commit = files[0].commit_hash if files else revision
    return Path(snapshot_download(repository, revision=commit, allow_patterns=names))


def _wanted(names: Iterable[str], read: list[str]) -> list[str]:
    """Return patterns for the files that the engine reads: of weights in several precisions only one.

    Raises:
        BadModel: There are too many.
    """
    paths = [PurePosixPath(name) for name in filter_repo_objects(names, allow_patterns=read)]
    weights = [path for path in paths if path.suffix == ".safetensors"]
    folders = {path.parent for path in weights}
    kept = [one for folder in folders for one in full_precision([path for path in weights if path.parent == folder])]
    wanted = [str(path) for path in paths if path.suffix != ".safetensors" or path in kept]
    if len(wanted) > MAX_FILES:
        raise BadModel(f"the model has more than {MAX_FILES} files")
    return [glob.escape(path) for path in wanted]


def check_room(repository: str, wanted: int) -> None:
    """Check that so many bytes may be fetched and find room.

    Raises:
        BadModel: They do not.
    """
    if wanted > MAX_BYTES:
        raise BadModel(f"{repository} has {wanted / 1e9:.1f} GB to fetch; at most {MAX_BYTES / 1e9:.0f} are")
    place = Path(constants.HF_HUB_CACHE)
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    if wanted > free:
        raise BadModel(f"{repository} has {wanted / 1e9:.1f} GB to fetch and {place} has {free / 1e9:.1f} GB left")
