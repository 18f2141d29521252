"""What earlier starts measured, in a file of this machine's user.

With the same widths a picture is made again as it was; and a start that has nothing to measure is quicker.
"""

import json
import os
from pathlib import Path


class Record:
    """Measured values by their keys."""

    def __init__(self, path: Path | None = None) -> None:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        self.path = path or cache / "easel" / "diffusion.json"

    def _read(self) -> dict[str, object]:
        try:
            found = json.loads(self.path.read_bytes())
        except (OSError, ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def find(self, key: str) -> object:
        """Return the value recorded under that key, None if there is none."""
        return self._read().get(key)

    def write(self, key: str, value: object) -> None:
        """Record a value; where the file cannot be written, it is measured again at the next start."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            fresh = self.path.with_suffix(f".{os.getpid()}")
            fresh.write_text(json.dumps(self._read() | {key: value}, indent=1))
            fresh.replace(self.path)
        except OSError:
            return
