"""The cloud functions as one zip file for AWS Lambda: `python -m infra.bundle --python 3.13 --arch arm64`.

It contains the functions of the manifest, the modules of Easel that they import, and the packages of
requirements/functions.txt except what no function imports. The same sources give the same bytes on every machine and
at any time (with the same zlib).
"""

import argparse
import ast
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from uv import find_uv_bin

ROOT = Path(__file__).parent.parent
LOCK = ROOT / "requirements" / "functions.txt"
OUT = ROOT / "dist" / "functions.zip"

ARCHITECTURES = {"arm64": "aarch64", "x86_64": "x86_64"}
PYTHON_VERSIONS = ("3.11", "3.12", "3.13")
TASK_ROOT = "/var/task"  # where Lambda unpacks the bundle; tracebacks name files by this path
MOST_ZIPPED_BYTES = 36_000_000
MOST_UNZIPPED_BYTES = 250 * 1024 * 1024  # Lambda's own limit
MADE_AT = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip file can store
COMPILE_LIMIT_S = 600

LEFT_OUT = {
    # Easel: these import packages that are not in the bundle
    "shared/generators/glide.py": "a function never calls a generator",
    "shared/generators/horde.py": "a function never calls a generator",
    "shared/generators/img_generator.py": "a function never calls a generator",
    "shared/generators/openai.py": "a function never calls a generator",
    "shared/generators/openai_servers.py": "a function never calls a generator",
    "shared/generators/picture_links.py": "a function never calls a generator",
    "shared/generators/sdapi.py": "a function never calls a generator",
    "shared/scenes/sentence_model.py": "torch is not in the bundle",
    # Installed packages that no function imports: all of them, as a test checks
    "async_timeout": "Python has it since 3.11.3",
    "bin": "programs for a terminal",
    "click_didyoumean": "Celery's command line",
    "click_plugins": "Celery's command line",
    "click_plugins.py": "Celery's command line",
    "click_repl": "Celery's command line",
    "dns": "mail addresses are not looked up",
    "prompt_toolkit": "Celery's command line",
    "share": "manual pages",
    "wcwidth": "Celery's command line",
    # Parts of packages: only those that save at least 50 kB zipped, byte-code included
    "Crypto/Math": "minio uses only its ciphers and hashes",
    "Crypto/Protocol": "minio uses only its ciphers and hashes",
    "Crypto/PublicKey": "minio uses only its ciphers and hashes",
    "Crypto/SelfTest": "its tests",
    "Crypto/Signature": "minio uses only its ciphers and hashes",
    "PIL/_avif*": "photos are JPEG, PNG or WebP",
    "PIL/_imagingft*": "no text is drawn",
    "authlib/integrations": "clients and servers of other frameworks",
    "authlib/jose": "the old name of joserfc",
    "celery/bin": "Celery's command line",
    "celery/contrib": "extras of workers",
    "dateutil/zoneinfo": "all times are in UTC",
    "pillow.libs/libavif*": "photos are JPEG, PNG or WebP",
    "pillow.libs/libbrotli*": "no text is drawn",
    "pillow.libs/libfreetype*": "no text is drawn",
    "pillow.libs/libharfbuzz*": "no text is drawn",
    "pillow.libs/libpng*": "no text is drawn",
    "pyasn1_modules/rfc[!5]*": "webauthn uses only RFC 5280",
    "pyasn1_modules/rfc5[!2]*": "webauthn uses only RFC 5280",
    "pydantic/v1": "the old interface",
    "redis/commands/search": "a module that Redis may lack",
    "sqlalchemy/dialects/mssql": "the database is Postgres",
    "sqlalchemy/dialects/mysql": "the database is Postgres",
    "sqlalchemy/dialects/oracle": "the database is Postgres",
    "sqlalchemy/dialects/sqlite": "the database is Postgres",
    "sqlalchemy/ext": "extras of the ORM",
    "sqlalchemy/orm": "the stores use only SQLAlchemy's core",
    "sqlalchemy/testing": "its tests",
}
"""Paths inside the bundle that are not shipped, as patterns, with the reason."""

LEFT_OUT_SUFFIXES = (".pyi", ".pyx", ".pxd", ".c", ".h", ".md", ".rst", ".typed", ".exe")
KEPT_METADATA = {
    "email_validator": "pydantic asks for its version",
    "opentelemetry_api": "it finds its own context through its entry point",
    "redis": "kombu asks for its version",
}
"""The packages whose metadata is read at run time; that of others would only slow the search down."""

KEPT_METADATA_FILES = ("METADATA", "entry_points.txt")


class BundleError(Exception):
    """The bundle cannot be built; the message says why."""


@dataclass(frozen=True)
class Target:
    """The Lambda runtime that will load the bundle."""

    python_version: str = "3.13"
    arch: str = "arm64"

    def __post_init__(self) -> None:
        if self.python_version not in PYTHON_VERSIONS or self.arch not in ARCHITECTURES:
            raise BundleError(f"A bundle is for Python {', '.join(PYTHON_VERSIONS)} on {', '.join(ARCHITECTURES)}.")

    @property
    def platform(self) -> str:
        """Return the platform as uv names it. Lambda's Python 3.12 and later run on Amazon Linux 2023 (glibc 2.34)."""
        return f"{ARCHITECTURES[self.arch]}-manylinux_2_34"


@dataclass(frozen=True)
class Part:
    """One top-level name of the bundle, with everything under it."""

    name: str
    zipped_bytes: int
    unzipped_bytes: int


@dataclass(frozen=True)
class Bundle:
    """A bundle that was built."""

    path: Path
    target: Target
    has_bytecode: bool
    parts: tuple[Part, ...]  # the biggest first

    @property
    def zipped_bytes(self) -> int:
        """The size of the archive."""
        return self.path.stat().st_size

    @property
    def unzipped_bytes(self) -> int:
        """The size of all parts once unpacked."""
        return sum(part.unzipped_bytes for part in self.parts)


def this_target() -> Target:
    """Return this process's Python version and processor, for a bundle that is tried out here."""
    arch = "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"
    return Target("{}.{}".format(*sys.version_info), arch)


def build(target: Target, out: Path = OUT, *, bytecode: bool = True) -> Bundle:
    """Build the bundle for a runtime into the file `out`.

    Its byte-code is compiled by an installed interpreter of the target's minor version. Without one it is left out, and
    `has_bytecode` is false.

    Raises:
        BundleError: Packages are not available, or the bundle is too large.
    """
    interpreter = find_interpreter(target.python_version) if bytecode else None
    with tempfile.TemporaryDirectory(prefix="easel-bundle-") as folder:
        stage = Path(folder) / "task"
        _install(target, stage)
        _copy_own(stage)
        _prune(stage)
        if interpreter is not None:
            compile_all(interpreter, stage, stage)
        out.parent.mkdir(parents=True, exist_ok=True)
        unfinished = out.with_suffix(".new")
        _zip(stage, unfinished)
    bundle = read(unfinished, target)
    check_size(bundle)
    unfinished.replace(out)
    return replace(bundle, path=out)


def check_size(bundle: Bundle) -> None:
    """Check the size of a bundle.

    Raises:
        BundleError: It exceeds a limit; the message lists its largest parts.
    """
    if bundle.zipped_bytes > MOST_ZIPPED_BYTES or bundle.unzipped_bytes > MOST_UNZIPPED_BYTES:
        raise BundleError(
            f"The bundle is too large: {_megabytes(bundle.zipped_bytes)} MB zipped (at most 36) and "
            f"{_megabytes(bundle.unzipped_bytes)} MB unzipped (at most 262).\n{table(bundle)}"
        )


def read(path: Path, target: Target) -> Bundle:
    """Return a bundle that was built before."""
    with zipfile.ZipFile(path) as archive:
        has_bytecode = any(name.endswith(".pyc") for name in archive.namelist())
    return Bundle(path, target, has_bytecode, _parts(path))


def find_interpreter(python_version: str) -> Path | None:
    """Return an installed interpreter of this minor version, or None. Nothing is downloaded."""
    if python_version == "{}.{}".format(*sys.version_info):
        return Path(sys.executable)
    found = _run(
        "uv python find", find_uv_bin(), "python", "find", "--no-python-downloads", python_version, check=False
    )
    return Path(found.stdout.strip()) if found.returncode == 0 else None


def table(bundle: Bundle, most: int = 12) -> str:
    """Return the bundle's largest parts in megabytes of 1,000,000 bytes, with the sum of the rest."""
    rest = bundle.parts[most:]
    rows = list(bundle.parts[:most])
    if rest:
        rows.append(_sum(f"{len(rest)} others", rest))
    lines = [f"{'part':<24} {'zipped MB':>10} {'unzipped MB':>12}"]
    lines += [
        f"{part.name:<24} {_megabytes(part.zipped_bytes):>10} {_megabytes(part.unzipped_bytes):>12}"
        for part in (*rows, _sum("all", bundle.parts))
    ]
    return "\n".join(lines)


def _install(target: Target, stage: Path) -> None:
    options = ["--python-platform", target.platform, "--python-version", target.python_version]
    options += ["--only-binary", ":all:", "--require-hashes", "--no-deps", "--link-mode", "copy"]
    _run("uv", find_uv_bin(), "pip", "install", "--quiet", "--target", str(stage), *options, "-r", str(LOCK))


def _copy_own(stage: Path) -> None:
    data = ("functions/manifest.json", "functions/headers.json", "shared/api/presets.toml")
    for name in (*sorted(_own_modules()), *data):
        (stage / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, stage / name)


def _own_modules() -> set[str]:
    """Return Easel's files that the functions need: their own, and all that these import, at the top or later."""
    routes = json.loads((ROOT / "functions" / "manifest.json").read_text(encoding="utf-8"))
    left = [f"functions.{route['name']}" for route in routes]
    found: set[str] = set()
    while left:
        name = left.pop()
        module = name.replace(".", "/")
        files = {f"{module}.py", f"{module}/__init__.py"} - found - LEFT_OUT.keys()
        for file in files:
            if (ROOT / file).is_file():
                found.add(file)
                left += _imported((ROOT / file).read_text(encoding="utf-8"))
        if "." in name:
            left.append(name.rpartition(".")[0])
    return found


def _imported(source: str) -> Iterator[str]:
    """Yield the names in Easel's packages that a source may import; for `from a import b` both `a` and `a.b`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] in ("functions", "shared"))


def _prune(stage: Path) -> None:
    # Not every version and processor has every package.
    for path in [path for pattern in LEFT_OUT for path in stage.glob(pattern)]:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    for path in sorted(stage.rglob("*"), reverse=True):
        if path.is_file() and not _is_shipped(path.relative_to(stage)):
            path.unlink()
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def _is_shipped(path: Path) -> bool:
    top = path.parts[0]
    if top.endswith(".dist-info"):
        return top.split("-")[0] in KEPT_METADATA and path.name in KEPT_METADATA_FILES
    return not (path.name.endswith(LEFT_OUT_SUFFIXES) or "__pycache__" in path.parts or path.name == ".lock")


def compile_all(interpreter: Path, stage: Path, what: Path) -> None:
    """Compile a module, or all modules of a folder in the stage. The byte-code is loaded without checking the sources.

    Marshalled code depends on the order of sets of strings, hence the fixed hash seed; compileall itself sorts the
    files.
    """
    argv = [str(interpreter), "-s", "-m", "compileall", "-q", "-f", "-s", str(stage), "-p", TASK_ROOT]
    environment = {"PATH": os.environ.get("PATH", ""), "PYTHONHASHSEED": "0"}
    _run("compileall", *argv, "--invalidation-mode", "unchecked-hash", str(what), env=environment)


def _zip(stage: Path, out: Path) -> None:
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(stage.rglob("*"), key=lambda path: path.relative_to(stage).as_posix()):
            if path.is_file():
                entry = zipfile.ZipInfo(path.relative_to(stage).as_posix(), MADE_AT)
                entry.create_system = 3  # Unix, on every build machine: otherwise file permissions are ignored
                entry.external_attr = 0o100644 << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, path.read_bytes(), compresslevel=9)


def _parts(path: Path) -> tuple[Part, ...]:
    by_name: dict[str, list[Part]] = {}
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            name = entry.filename.split("/")[0]
            by_name.setdefault(name, []).append(Part(name, entry.compress_size, entry.file_size))
    return tuple(
        sorted((_sum(name, parts) for name, parts in by_name.items()), key=lambda part: (-part.zipped_bytes, part.name))
    )


def _sum(name: str, parts: Iterable[Part]) -> Part:
    parts = list(parts)
    return Part(name, sum(part.zipped_bytes for part in parts), sum(part.unzipped_bytes for part in parts))


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:.2f}"


def _run(
    name: str, *argv: str, env: dict[str, str] | None = None, check: bool = True
) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run(argv, env=env, check=False, capture_output=True, text=True, timeout=COMPILE_LIMIT_S, cwd=ROOT)
    if check and done.returncode != 0:
        raise BundleError(f"{name} failed:\n{done.stdout}{done.stderr}")
    return done


def main() -> None:
    """Build from the command line and print the biggest parts."""
    parser = argparse.ArgumentParser(prog="python -m infra.bundle", description="Builds the bundle of the functions.")
    parser.add_argument("--python", default=Target.python_version, choices=PYTHON_VERSIONS, help="Lambda's Python")
    parser.add_argument("--arch", default=Target.arch, choices=ARCHITECTURES, help="Lambda's processor")
    parser.add_argument("--out", type=Path, default=OUT, help="the file to write (default: dist/functions.zip)")
    parser.add_argument("--require-bytecode", action="store_true", help="fail where byte-code cannot be made")
    options = parser.parse_args()
    try:
        if options.require_bytecode and find_interpreter(options.python) is None:
            raise BundleError(f"Byte-code needs Python {options.python}, which is not installed here.")
        bundle = build(Target(options.python, options.arch), options.out.resolve())
    except BundleError as error:
        sys.exit(f"bundle: {error}")
    print(table(bundle))
    print(f"\n{bundle.path}: Python {options.python} on {options.arch}")
    if not bundle.has_bytecode:
        print(f"Without byte-code, which slows a cold start down: Python {options.python} is not installed here.")


if __name__ == "__main__":
    main()
