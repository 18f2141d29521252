"""The functions' bundle: complete, minimal and reproducible."""

import importlib.util
import json
import marshal
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from infra import bundle as bundling
from infra.bundle import (
    KEPT_METADATA,
    LEFT_OUT,
    Bundle,
    BundleError,
    Part,
    Target,
    build,
    check_size,
    find_interpreter,
    table,
)
from tests.support.functions_bundle import TARGET
from tests.support.paths import ROOT

PROGRAM = ROOT / "tests/support/everything_imported.py"
# Modules of Lambda's runtime, and dependencies of boto3 that are not in the bundle.
RUNTIME = ("boto3", "botocore", "jmespath", "s3transfer")


def imported(unpacked: Path, *more: Path) -> set[str]:
    """Return the files that a new interpreter imports from the bundle, with only `more` on its path besides."""
    argv = [sys.executable, "-I", "-S", "-B", str(PROGRAM), str(unpacked), *map(str, more)]
    done = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=120, env={})
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


@pytest.fixture(scope="module")
def used(unpacked: Path) -> set[str]:
    return imported(unpacked)


def files_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_every_function_works_with_only_the_bundle(used: set[str]) -> None:
    names = {route["name"] for route in json.loads((ROOT / "functions/manifest.json").read_text())}
    assert {f"functions/{name}.py" for name in names} <= used
    assert {
        "shared/clients/storage.py",
        "shared/clients/broker.py",
        "kombu/transport/redis.py",
        "zxcvbn/__init__.py",
    } <= used


def test_sqs_works_with_the_boto3_of_the_runtime(unpacked: Path, tmp_path: Path) -> None:
    for name in RUNTIME:
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        (tmp_path / name).symlink_to(Path(spec.origin).parent)
    assert "kombu/transport/SQS/__init__.py" in imported(unpacked, tmp_path)


def test_the_bundle_has_only_what_functions_import(unpacked: Path, used: set[str]) -> None:
    own = {name for name in files_in(unpacked) if name.startswith(("functions/", "shared/")) and name.endswith(".py")}
    assert own - used == set()
    idle = {path.name for path in unpacked.iterdir()} - {name.split("/")[0] for name in used}
    assert idle - {"__pycache__"} == {name for name in idle if name.split("-")[0] in KEPT_METADATA}
    assert len({name for name in idle if name.endswith(".dist-info")}) == len(KEPT_METADATA)


def test_excluded_files_are_not_in_the_bundle(unpacked: Path) -> None:
    assert [path for pattern in LEFT_OUT for path in unpacked.glob(pattern)] == []
    assert not {name.split("/")[0] for name in files_in(unpacked)} & {"boto3", "botocore", "uvicorn", "requests"}
    noise = (".pyi", ".pyx", ".c", "/RECORD", "/INSTALLER")
    assert [name for name in files_in(unpacked) if name.endswith(noise)] == []


def test_every_module_has_byte_code_that_is_not_checked(unpacked: Path, bundle: Bundle) -> None:
    assert bundle.has_bytecode
    modules = list(unpacked.rglob("*.py"))
    assert len(modules) > 500
    for path in modules:
        code = path.parent / "__pycache__" / f"{path.stem}.{sys.implementation.cache_tag}.pyc"
        head = code.read_bytes()[:8]
        assert head == importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little"), path


def test_byte_code_names_the_paths_of_lambda(unpacked: Path) -> None:
    code = unpacked / "functions" / "__pycache__" / f"health.{sys.implementation.cache_tag}.pyc"
    assert marshal.loads(code.read_bytes()[16:]).co_filename == "/var/task/functions/health.py"


@pytest.mark.long  # it builds another bundle
def test_the_same_sources_make_the_same_bytes(bundle: Bundle, tmp_path: Path) -> None:
    again, elsewhere = tmp_path / "a" / "long" / "way" / "again.zip", tmp_path / "temporary"
    elsewhere.mkdir()
    options = ["--python", TARGET.python_version, "--arch", TARGET.arch, "--out", str(again), "--require-bytecode"]
    subprocess.run(
        [sys.executable, "-m", "infra.bundle", *options],
        env=os.environ | {"PYTHONHASHSEED": "42", "TMPDIR": str(elsewhere), "TZ": "Asia/Tokyo"},
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=300,
    )
    assert again.read_bytes() == bundle.path.read_bytes()


def test_the_bundle_is_small_and_lists_its_biggest_parts(bundle: Bundle) -> None:
    assert bundle.zipped_bytes < bundling.MOST_ZIPPED_BYTES
    lines = table(bundle, 3).splitlines()
    assert [line.split()[0] for line in lines[1:4]] == [part.name for part in bundle.parts[:3]]
    assert lines[4].split()[1] == "others"
    assert f"{bundle.unzipped_bytes / 1e6:.2f}" == lines[-1].split()[-1]


def test_all_entries_can_be_read_and_have_one_time(bundle: Bundle) -> None:
    with zipfile.ZipFile(bundle.path) as archive:
        entries = archive.infolist()
    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
    assert {(entry.date_time, entry.external_attr >> 16) for entry in entries} == {(bundling.MADE_AT, 0o100644)}


@pytest.mark.long
def test_a_bundle_for_another_processor_holds_its_libraries(tmp_path: Path) -> None:
    other = Target(TARGET.python_version, "arm64" if TARGET.arch == "x86_64" else "x86_64")
    made = build(other, tmp_path / "other.zip", bytecode=False)
    assert not made.has_bytecode
    with zipfile.ZipFile(made.path) as archive:
        libraries = [entry for entry in archive.infolist() if entry.filename.endswith(".so")]
        machines = {archive.read(entry)[18] for entry in libraries}
    assert machines == {183 if other.arch == "arm64" else 62}  # e_machine of an ELF file


def test_a_bundle_that_is_too_large_is_refused_with_its_parts(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    check_size(bundle)
    for limit in ("MOST_ZIPPED_BYTES", "MOST_UNZIPPED_BYTES"):
        with monkeypatch.context() as patch:
            patch.setattr(bundling, limit, 1_000_000)
            with pytest.raises(BundleError, match="too large") as refused:
                check_size(bundle)
        assert "sqlalchemy" in str(refused.value)


def test_only_runtimes_of_lambda_are_targets() -> None:
    for python_version, arch in (("3.10", "arm64"), ("3.13", "riscv64")):
        with pytest.raises(BundleError):
            Target(python_version, arch)


def test_byte_code_needs_the_same_python(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert find_interpreter(TARGET.python_version) == Path(sys.executable)
    monkeypatch.setattr(bundling, "find_interpreter", lambda _version: None)
    monkeypatch.setattr(sys, "argv", ["bundle", "--require-bytecode"])
    with pytest.raises(SystemExit, match=r"Byte-code needs Python 3\.13"):
        bundling.main()


def test_parts_are_summed_up() -> None:
    parts = tuple(Part(name, 1_000_000, 2_000_000) for name in "abc")
    assert table(Bundle(Path("x"), TARGET, True, parts), 1).splitlines()[2].split() == ["2", "others", "2.00", "4.00"]
