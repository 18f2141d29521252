"""The generator as a program and as a separate package."""

import ast
import base64
import http.client
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import tomllib
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from PIL import Image

from generator.cli import main
from tests.support.paths import ROOT
from tests.support.waiting import until

PATIENCE_S = 60
LARGE: dict[str, object] = {"prompt": "a castle", "n": 8, "ups": 1, "width": 2048, "height": 2048, "steps": 150}
"""An order that takes minutes."""

ENGINE = """
import numpy as np

from generator.engines.base import EngineStats

class Plain:
    def stats(self):
        return EngineStats(1, 2, 3, 4)

    def generate(self, image_request, report):
        return np.full((image_request.height, image_request.width, 3), 200, dtype=np.uint8)
"""


def _start(*options: str, modules: Path = ROOT) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "generator", "--port", "0", *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(modules)},
    )
    assert process.stdout is not None
    match = re.fullmatch(
        r"easel-generator listens on (http://127\.0\.0\.1:\d+) \(engine [\w.:]+\)\n", process.stdout.readline()
    )
    assert match is not None
    return process, match[1]


def _call(url: str, fields: dict[str, object] | None = None) -> object:
    data = None if fields is None else json.dumps(fields).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
        return json.load(answer)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_and_stops_during_a_job(number: signal.Signals) -> None:
    process, address = _start("--workers", "2")
    try:
        health = _call(f"{address}/health")
        assert isinstance(health, dict)
        assert (health["engine"], health["workers"]) == ("painter", 2)
        _call(f"{address}/initiate_processing", LARGE)
        process.send_signal(number)
        assert process.wait(PATIENCE_S) == 0
    finally:
        process.kill()
        process.communicate()


def test_an_external_engine_is_one_file(tmp_path: Path) -> None:
    (tmp_path / "plain_engine.py").write_text(ENGINE)
    process, address = _start("--engine", "plain_engine:Plain", modules=tmp_path)
    try:
        assert _call(f"{address}/health")["engine"] == "plain_engine:Plain"  # type: ignore[index]
        number = _call(f"{address}/initiate_processing", {"prompt": "a castle", "width": 64, "height": 64, "ups": 1})
        until(lambda: _call(f"{address}/check_status", {"id": number}) == "finished", "it is painted", PATIENCE_S, 0.01)
        results = _call(f"{address}/get_results", {"id": number})
        with Image.open(io.BytesIO(base64.b64decode(results["imgs"][0]))) as image:  # type: ignore[index]
            assert (image.size, image.getpixel((5, 5))) == ((64, 64), (200, 200, 200))
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE_S)


@pytest.mark.parametrize("name", ["none", "no_such_module:Engine", "json:NoSuchEngine", "a b:c", ":", "json:"])
def test_a_missing_engine_is_reported_in_one_line(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--engine", name]) == 2
    told = capsys.readouterr().err
    assert told.startswith("easel-generator: ")
    assert name in told
    assert told.count("\n") == 1


def test_stopping_answers_the_waiting_calls() -> None:
    process, address = _start()
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=PATIENCE_S)
    try:
        connection.request("GET", "/image?size=1024&batch_size=8&prompt=a+castle")
        end = time.monotonic() + PATIENCE_S
        while _call(f"{address}/health")["processing"] == 0:  # type: ignore[index]
            assert time.monotonic() < end
        process.send_signal(signal.SIGTERM)
        answer = connection.getresponse()
        assert (answer.status, json.load(answer)["error"]) == (503, "stopping")
        assert process.wait(PATIENCE_S) == 0
    finally:
        connection.close()
        process.kill()
        process.communicate()


def test_stopping_answers_the_calls_that_wait_for_a_change() -> None:
    process, address = _start()
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=PATIENCE_S)
    try:
        _call(f"{address}/initiate_processing", LARGE)
        number = _call(f"{address}/initiate_processing", LARGE)
        end = time.monotonic() + PATIENCE_S
        while _call(f"{address}/health")["processing"] == 0:  # type: ignore[index]
            assert time.monotonic() < end
        body = json.dumps({"id": number, "wait_s": 20})
        connection.request("POST", "/check_status", body, {"Content-Type": "application/json"})
        while _call(f"{address}/health")["watching"] == 0:  # type: ignore[index]
            assert time.monotonic() < end
        process.send_signal(signal.SIGTERM)
        answer = connection.getresponse()
        assert (answer.status, json.load(answer)) == (200, "error")
        assert process.wait(PATIENCE_S) == 0
    finally:
        connection.close()
        process.kill()
        process.communicate()


def test_a_port_in_use_is_reported_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["--port", str(port)]) == 1
    assert (
        capsys.readouterr().err == f"easel-generator cannot listen on 127.0.0.1 port {port}: Address already in use.\n"
    )


@pytest.mark.parametrize("options", [["--port", "70000"], ["--workers", "0"], ["--max-queue", "x"]])
def test_invalid_options_are_refused(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(options)
    assert stop.value.code == 2
    assert options[0] in capsys.readouterr().err


LEARNING = {
    ROOT / "generator/engines/diffusion" / name for name in ("mini/pool.py", "mini/vocabulary.py", "learn_words.py")
}
"""What is learnt from the painter: easel-mini, and words for pictures. Service and engines do not import it."""


def test_it_imports_nothing_from_the_rest_of_the_project() -> None:
    others = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"generator"} | {"easel_painter"}
    tests = {*(ROOT / "generator" / "tests").rglob("*.py")}
    for path in sorted({*(ROOT / "generator").rglob("*.py")} - tests - LEARNING):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert others.isdisjoint(name.split(".")[0] for name in names), path


def test_both_project_files_agree() -> None:
    whole = tomllib.loads((ROOT / "pyproject.toml").read_text())
    part = tomllib.loads((ROOT / "generator" / "pyproject.toml").read_text())
    assert part["project"]["dependencies"] == whole["project"]["optional-dependencies"]["generator"]
    assert part["project"]["scripts"].items() <= whole["project"]["scripts"].items()
    assert part["project"]["requires-python"] == whole["project"]["requires-python"]
    on_disk = {".".join(path.parent.relative_to(ROOT).parts) for path in (ROOT / "generator").rglob("__init__.py")}
    assert "generator*" in whole["tool"]["setuptools"]["packages"]["find"]["include"]
    assert set(part["tool"]["setuptools"]["packages"]) == on_disk
    assert set(part["tool"]["setuptools"]["package-dir"]) == on_disk
