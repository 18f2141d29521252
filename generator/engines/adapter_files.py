"""Adapters (LoRA files) that clients have sent: files named by their SHA-256, of which those used last are kept.

The service writes them and the engine's process reads them.
"""

import hashlib
import os
import re
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from generator.engines.base import BadSetting, named
from generator.engines.diffusion.folder import BadModel, tensor_shapes

MAX_FILE_BYTES = 300 * 1024 * 1024
MAX_BYTES = 4 * 1024**3

_UPLOAD = "upload-"
_LEFT_S = 24 * 3600
"""An upload that has got no bytes for so long has no service any more."""

SHA256 = re.compile(r"[0-9a-f]{64}")


class BadAdapterFile(Exception):
    """What was sent cannot be kept; the message is for the client."""


class AdapterFiles:
    """The folder of adapters."""

    def __init__(self, folder: Path | None = None, max_bytes: int = MAX_BYTES) -> None:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        self.folder = folder or Path(os.environ.get("EASEL_ADAPTERS") or cache / "easel" / "adapters").expanduser()
        self._max_bytes = max_bytes

    def check(self) -> None:
        """Check that the folder can be written.

        Raises:
            BadSetting: It cannot.
        """
        try:
            self.new().close()
        except OSError as error:
            with named("EASEL_ADAPTERS"):
                raise BadSetting(f"{self.folder} cannot be written: {error.strerror}") from error

    def path(self, sha256: str) -> Path:
        """Return where an adapter is or would be."""
        assert SHA256.fullmatch(sha256)
        return self.folder / f"{sha256}.safetensors"

    def missing(self, wanted: Iterable[str]) -> list[str]:
        """Return those that are not here; the others count as used now."""
        missing = []
        for sha256 in dict.fromkeys(wanted):
            try:
                os.utime(self.path(sha256))
            except OSError:
                missing.append(sha256)
        return missing

    def new(self) -> "Upload":
        """Begin to receive an adapter."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return Upload(self)

    def evict(self) -> None:
        """Delete those used longest ago until the rest is within the limit, and what services that died left behind."""
        for left in self.folder.glob(f"{_UPLOAD}*"):
            with suppress(OSError):  # others may delete it too
                if left.stat().st_mtime < time.time() - _LEFT_S:
                    left.unlink()
        known = sorted(((path.stat().st_mtime, path) for path in self.folder.glob("*.safetensors")), reverse=True)
        kept = 0
        for _, path in known:
            kept += path.stat().st_size
            if kept > self._max_bytes:
                path.unlink(missing_ok=True)


class Upload:
    """An adapter on its way into the folder."""

    def __init__(self, files: AdapterFiles) -> None:
        self._files = files
        self._hash = hashlib.sha256()
        self._size = 0
        descriptor, name = tempfile.mkstemp(dir=files.folder, prefix=_UPLOAD)
        self._file, self._path = os.fdopen(descriptor, "wb"), Path(name)

    def add(self, data: bytes) -> None:
        """Take the next bytes."""
        self._size += len(data)
        self._hash.update(data)
        self._file.write(data)

    def keep(self, sha256: str) -> int:
        """Keep the file if it is what it claims to be; return its size.

        Raises:
            BadAdapterFile: It has another hash, or is no safetensors file.
        """
        self._file.close()
        if self._hash.hexdigest() != sha256:
            raise BadAdapterFile("is not the hash of these bytes")
        try:
            tensor_shapes(self._path)
        except BadModel as error:
            raise BadAdapterFile("names bytes that are no safetensors file") from error
        self._path.replace(self._files.path(sha256))
        self._files.evict()
        return self._size

    def close(self) -> None:
        """Delete what was not kept."""
        self._file.close()
        self._path.unlink(missing_ok=True)
