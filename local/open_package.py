"""A package with programs for another account, where the folders above the installed one are closed to it."""

import hashlib
import shutil
import stat
import tempfile
from pathlib import Path

from local.stack import StackError

NOT_NEEDED = ("include", "pginstall", "__pycache__")


def is_open(folder: Path) -> bool:
    """Return whether every account may enter a folder."""
    return all(above.stat().st_mode & stat.S_IXOTH for above in (folder, *folder.parents))


def open_package(package: Path) -> Path:
    """Return a package's folder that every account may enter: this one, or a copy in the temporary directory.

    A clone under /root is closed, and stays so. Only root makes copies and can change them; they are kept.

    Raises:
        StackError: Another account has taken the copy's place, or may not enter the temporary directory either.
    """
    if is_open(package):
        return package
    digest = hashlib.sha256(f"{package} {package.stat().st_mtime_ns}".encode()).hexdigest()[:10]
    copy = Path(tempfile.gettempdir()) / f"easel-{package.name}-{digest}"
    if not copy.exists():
        unfinished = Path(tempfile.mkdtemp(prefix=f"{copy.name}-"))
        for folder in (package, package.with_name(f"{package.name}.libs")):  # libraries are found beside it
            if folder.exists():
                shutil.copytree(folder, unfinished / folder.name, ignore=shutil.ignore_patterns(*NOT_NEEDED))
        unfinished.chmod(0o755)
        unfinished.rename(copy)
    if copy.is_symlink() or copy.stat().st_uid != 0 or not is_open(copy):
        raise StackError(
            f"Postgres cannot run as root, and other accounts may not enter {package} or {copy}. "
            "Run Easel as an ordinary user, or from a folder that all may enter."
        )
    return copy / package.name
