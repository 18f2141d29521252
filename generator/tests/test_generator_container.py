"""The generator's container image: its files, and a running container where Docker is available."""

import base64
import io
import json
import re
import secrets
import shutil
import subprocess
import tomllib
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import pytest
from PIL import Image

from tests.support.paths import ROOT
from tests.support.waiting import until

DOCKERFILE = ROOT / "generator" / "Dockerfile"
LOCK = ROOT / "requirements" / "generator.txt"
PATIENCE_S = 60
BUILD_PATIENCE_S = 600


def instructions() -> list[tuple[str, str]]:
    """Return the Dockerfile's instructions in order: name and arguments, with continued lines joined."""
    text = re.sub(r"^#.*\n", "", DOCKERFILE.read_text(encoding="utf-8"), flags=re.MULTILINE).replace("\\\n", " ")
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1]) for line in text.splitlines() if line.strip()]


def last_stage() -> dict[str, str]:
    lines = instructions()
    start = max(number for number, (name, _) in enumerate(lines) if name == "FROM")
    return dict(lines[start:])


def base_images() -> list[str]:
    return [rest.split(" ")[0] for name, rest in instructions() if name == "FROM"]


def copied() -> list[str]:
    lines = [rest for name, rest in instructions() if name == "COPY" and not rest.startswith("--from=")]
    return [source for line in lines for source in line.split()[:-1]]


def pins(path: Path) -> dict[str, set[str]]:
    """Return each pinned package with its versions; several if they depend on the Python version."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([a-z0-9_.-]+)==(\S+)", path.read_text(encoding="utf-8"), re.MULTILINE):
        found.setdefault(name, set()).add(version)
    return found


def test_the_base_image_is_slim_and_pinned() -> None:
    assert len(base_images()) == 2
    for image in base_images():
        assert re.fullmatch(r"python:3\.\d+\.\d+-slim-[a-z]+", image), image
    assert len(set(base_images())) == 1


def test_the_image_runs_unprivileged_and_exits_on_a_signal() -> None:
    stage = last_stage()
    user, _, group = stage["USER"].partition(":")
    assert int(user) >= 1000
    assert int(group) >= 1000
    # In exec form the program is process 1 and receives the signal; through a shell it would not.
    assert json.loads(stage["ENTRYPOINT"])[:3] == ["python", "-m", "generator"]
    assert "RUN" not in stage


def test_the_health_check_needs_only_python() -> None:
    command = json.loads(last_stage()["HEALTHCHECK"].partition("CMD ")[2])
    assert command[:2] == ["python", "-c"]
    compile(command[2], "health check", "exec")
    assert "/health" in command[2]


def test_every_copied_file_exists_and_is_in_the_build_context() -> None:
    assert copied() == ["requirements/build.txt", "requirements/generator.txt", "painter", "generator"]
    ignored = DOCKERFILE.with_name("Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    for name in copied():
        assert (ROOT / name).exists(), name
        assert f"!{name}" in ignored
    left_out = [line for line in ignored if line and line[0] not in "#!*"]
    assert left_out
    for path in [*(ROOT / "generator").rglob("*.py"), *(ROOT / "painter" / "src").rglob("*.py")]:
        if (ROOT / "generator" / "tests") not in path.parents:
            assert not any(fnmatch(path.relative_to(ROOT).as_posix(), pattern) for pattern in left_out), path


def test_the_lock_is_complete_hashed_and_matches_the_project() -> None:
    text = LOCK.read_text(encoding="utf-8")
    entries = [entry for entry in re.split(r"\n(?=[a-z])", text) if "==" in entry.split("\n")[0]]
    assert entries
    assert all("--hash=sha256:" in entry for entry in entries)
    assert not re.search(r"https?://|--(extra-)?index-url", text)
    pinned, whole = pins(LOCK), pins(ROOT / "requirements" / "run.txt")
    assert {name: whole[name] for name in pinned} == pinned
    part = tomllib.loads((ROOT / "generator" / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = {re.split(r"[\[>=<]", line)[0] for line in part["project"]["dependencies"]}
    assert wanted <= set(pinned)


@dataclass(frozen=True)
class Container:
    """A running container of the image."""

    name: str
    address: str

    def call(self, path: str, fields: dict[str, object] | None = None) -> object:
        data = None if fields is None else json.dumps(fields).encode()
        request = urllib.request.Request(self.address + path, data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return json.load(answer)

    def inspect(self, what: str) -> str:
        return docker("inspect", "--format", what, self.name)


def docker(*arguments: str, timeout_s: float = PATIENCE_S) -> str:
    done = subprocess.run(
        ["docker", *arguments], capture_output=True, text=True, timeout=timeout_s, stdin=subprocess.DEVNULL, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Build the image from only the files that it names."""
    if shutil.which("docker") is None:
        pytest.skip("there is no docker on the PATH")
    base = base_images()[0]
    for question, remedy in ((["info"], "an engine must run"), (["image", "inspect", base], f"docker pull {base}")):
        try:
            docker(*question)
        except (AssertionError, subprocess.TimeoutExpired):
            pytest.skip(f"docker {' '.join(question)} fails: {remedy}")
    context = tmp_path_factory.mktemp("context")
    for name in copied():
        (context / name).parent.mkdir(exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, context / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, context / name)
    tag = f"easel-generator:test-{secrets.token_hex(4)}"
    build = ["build", "--network", "host", "--file", str(context / "generator" / "Dockerfile"), "--tag", tag]
    docker(*build, str(context), timeout_s=BUILD_PATIENCE_S)
    try:
        yield tag
    finally:
        docker("rmi", "--force", tag)


@pytest.fixture
def container(image: str) -> Iterator[Container]:
    name = f"easel-generator-{secrets.token_hex(4)}"
    least = ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]
    options = [*least, "--health-interval", "1s", "--publish", "127.0.0.1::2020"]
    docker("run", "--detach", "--name", name, *options, image, "--workers", "2")
    try:
        address = "http://" + docker("port", name, "2020/tcp").splitlines()[0]
        running = Container(name, address)
        until(lambda: running.inspect("{{.JobState.Health.Status}}") == "healthy", "it is well", PATIENCE_S)
        yield running
    finally:
        docker("rm", "--force", name)


def test_the_container_serves_both_protocols_and_stops_immediately(container: Container) -> None:
    health = container.call("/health")
    assert isinstance(health, dict)
    assert (health["engine"], health["workers"]) == ("painter", 2)
    number = container.call("/initiate_processing", {"prompt": "a boat", "width": 64, "height": 64, "ups": 1})
    until(lambda: container.call("/check_status", {"id": number}) == "finished", "it is painted", PATIENCE_S)
    results = container.call("/get_results", {"id": number})
    assert isinstance(results, dict)
    assert size_of(results["imgs"][0]) == (64, 64)
    sheet = container.call("/image?size=128&prompt=a+boat&batch_size=2")
    assert isinstance(sheet, dict)
    assert size_of(sheet["image"]) == (256, 128)
    with urllib.request.urlopen(f"{container.address}/page/page.js", timeout=PATIENCE_S) as answer:
        assert answer.status == 200
    assert docker("exec", container.name, "id", "-u") == last_stage()["USER"].partition(":")[0]
    docker("stop", "--time", str(PATIENCE_S // 2), container.name)
    # 137 would mean that it ignored the signal and was killed.
    assert container.inspect("{{.JobState.ExitCode}}") == "0"


def size_of(text: str) -> tuple[int, int]:
    with Image.open(io.BytesIO(base64.b64decode(text, validate=True))) as picture:
        return picture.size
