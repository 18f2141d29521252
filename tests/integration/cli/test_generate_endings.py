"""Failures of `easel-generate`: each exit code, and that no file is left behind."""

import base64
import io
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from cli.exit_codes import ExitCode
from cli.generate import main
from cli.generation_run import TRIES
from shared.core.limits import MAX_UPLOAD_BYTES
from shared.testing.fake_generator import ALL_EXTENSIONS, FakeGenerator, Plan
from tests.support.paths import ROOT
from tests.support.picture_files import picture, saved
from tests.support.waiting import until

PATIENCE_S = 30
ENDLESS = Plan(polls=10**9)

Run = Callable[..., int]


class Answering(FakeGenerator):
    """A fake in which a function answers the calls to some paths."""

    def __init__(self, **answers: Callable[[], tuple[int, Any] | None]) -> None:
        super().__init__()
        self._answers = answers

    def answer(self, method: str, path: str, fields: dict[str, Any]) -> tuple[int, Any]:
        own = self._answers.get(path.strip("/"), lambda: None)()
        return super().answer(method, path, fields) if own is None else own


def png_text(width: int = 64, height: int = 64) -> str:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height)).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


@pytest.mark.parametrize("ending", ["error", "forget"])
def test_a_failed_request_is_code_1(
    run: Run, fake: FakeGenerator, out: Path, ending: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.plan = Plan(ending=ending)
    assert run("a lake", "--seed", "3") == ExitCode.FAILED
    printed = capsys.readouterr().err.splitlines()[-1]
    if ending == "forget":
        assert "has forgotten this request" in printed
        assert "--seed 3" in printed
    else:
        assert "reports an error" in printed
    assert saved(out) == []


@pytest.mark.parametrize(
    ("imgs", "reason"),
    [
        ([base64.b64encode(b"junk").decode()], "not a PNG"),
        (["#"], "not base64"),
        ([png_text(72)], "72x64 pixels instead of 64x64"),
        ([png_text()[:60]], "broken"),
        ([], "0 pictures instead of 1"),
        ("#", "not base64"),
        ({"0": "x"}, "not a list"),
    ],
)
def test_an_invalid_result_is_code_1_and_never_saved(
    run: Run, out: Path, imgs: Any, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with Answering(get_results=lambda: (200, {"imgs": imgs})) as server:
        assert run("a lake", "--width", "64", "--ups", "1", server=server.url) == ExitCode.FAILED
    assert reason in capsys.readouterr().err
    assert saved(out) == []


def test_one_invalid_picture_prevents_saving_the_others(run: Run, out: Path) -> None:
    pictures = [png_text(), png_text(64, 72)]
    with Answering(get_results=lambda: (200, {"imgs": pictures})) as server:
        assert run("a lake", "--width", "64", "--ups", "1", "--n", "2", server=server.url) == ExitCode.FAILED
    assert saved(out) == []


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["  "],
        ["x", "--prompt", "y"],
        ["x", "--n", "two"],
        ["x", "--n", "1001"],
        ["x", "--n", "1_0"],
        ["x", "--seed", "1e3"],
        ["x", "--scale", "nan"],
        ["x", "--scale", "inf"],
        ["x", "--timeout", "0"],
        ["x", "--timeout", "inf"],
        ["x", "--unknown"],
        ["x", "--strength", "0.5"],
        ["--strength", "-0.5"],
        ["x", "--skip-clip"],
        ["x", "--clip-max-len", "0"],
        ["x", "--imgs"],
        ["x", "--imgs", *["a.png"] * 33],
        ["x", "--imgs", "no-such-file.png"],
        ["x", "--imgs", __file__],
        ["x", "--imgs", "/dev/zero"],
        ["x", "--imgs", "/"],
    ],
    ids=" ".join,
)
def test_invalid_usage_is_code_2_and_one_line(
    run: Run, fake: FakeGenerator, argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*argv) == ExitCode.USAGE_ERROR
    printed = capsys.readouterr().err
    assert printed.splitlines()[-1].startswith("easel-generate: ")
    assert "Traceback" not in printed
    assert not fake.requests


@pytest.mark.parametrize(
    "server",
    ["127.0.0.1:2020", "ftp://a", "http://", "http://a b", "http://a:0", "http://a?b=c", "http://a,b", "", "x"],
)
def test_an_invalid_server_address_is_code_2(run: Run, server: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("x", server=server) == ExitCode.USAGE_ERROR
    assert "--server" in capsys.readouterr().err


def test_a_file_that_is_too_large_is_code_2(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = picture(tmp_path, "a.png", (640, 640))
    with open(name, "r+b") as file:
        file.truncate(MAX_UPLOAD_BYTES + 1)
    assert run("x", "--imgs", name) == ExitCode.USAGE_ERROR
    assert "more than 20 MB" in capsys.readouterr().err


@pytest.mark.parametrize("inside", [False, True])
def test_a_folder_that_cannot_be_written_is_code_2(
    fake: FakeGenerator, tmp_path: Path, inside: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    taken = tmp_path / "file"
    taken.write_text("here already")
    out = taken / "results" if inside else taken
    assert main(["x", "--server", fake.url, "--out", str(out)]) == ExitCode.USAGE_ERROR
    assert "cannot be written" in capsys.readouterr().err
    assert not fake.requests


def test_a_full_disk_is_code_2(
    run: Run, out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cli.results.os.replace", full)
    assert run("x") == ExitCode.USAGE_ERROR
    assert "No space left on device" in capsys.readouterr().err
    assert saved(out) == []


@pytest.mark.parametrize(("name", "value"), [("width", "65"), ("height", "-8"), ("n", "0"), ("steps", "0")])
def test_a_refused_parameter_is_code_2_and_named(
    run: Run, fake: FakeGenerator, name: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sizes = {"width": "64", "height": "64"} | {name: value}
    assert run("x", *(f"--{flag}={value}" for flag, value in sizes.items())) == ExitCode.USAGE_ERROR
    assert not fake.requests
    assert name in capsys.readouterr().err.splitlines()[-1]


def test_unsupported_frames_are_code_2(run: Run, fake: FakeGenerator) -> None:
    fake.extensions = frozenset({"cancel"})
    assert run("x", "--frames", "3") == ExitCode.USAGE_ERROR
    assert not fake.requests


def test_a_closed_port_is_code_3(run: Run, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert run("x", server=f"http://127.0.0.1:{port}") == ExitCode.UNREACHABLE
    assert "could not be reached" in capsys.readouterr().err
    assert saved(out) == []


def test_a_service_that_is_down_is_code_3(run: Run, fake: FakeGenerator) -> None:
    fake.down = True
    assert run("x") == ExitCode.UNREACHABLE


@pytest.mark.parametrize("faults", [TRIES - 1, TRIES])
def test_a_short_fault_during_polling_is_survived(run: Run, faults: int) -> None:
    left = iter(range(faults))
    with Answering(check_status=lambda: None if next(left, None) is None else (503, {})) as server:
        assert run("x", server=server.url) == (ExitCode.DONE if faults < TRIES else ExitCode.UNREACHABLE)


def test_a_timeout_is_code_4_and_cancels(
    fake: FakeGenerator, out: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time is over once the service has been asked for the status."""
    fake.plan = ENDLESS
    clock = SimpleNamespace(monotonic=lambda: 601.0 if fake.counts["statuses"] else 0.0)
    monkeypatch.setattr("cli.generation_run.time", clock)
    assert main(["x", "--server", fake.url, "--out", str(out), "--timeout", "600"]) == ExitCode.TIMED_OUT
    assert "--timeout" in capsys.readouterr().err
    assert fake.counts["cancelled"] == 1
    assert saved(out) == []


def test_a_service_that_never_answers_is_code_4(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = f"http://127.0.0.1:{listener.getsockname()[1]}"
        assert run("x", "--timeout", "0.3", server=server) == ExitCode.TIMED_OUT


@pytest.mark.parametrize("extensions", [ALL_EXTENSIONS, frozenset[str]()], ids=["offered", "not offered"])
def test_ctrl_c_cancels_and_is_code_130(fake: FakeGenerator, out: Path, extensions: frozenset[str]) -> None:
    fake.plan, fake.extensions = ENDLESS, extensions
    process = subprocess.Popen(
        [sys.executable, "-m", "cli.generate", "x", "--server", fake.url, "--out", str(out)],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        until(lambda: fake.counts["statuses"] > 0, "it has polled the status", PATIENCE_S, 0.01)
        process.send_signal(signal.SIGINT)
        _, printed = process.communicate(timeout=PATIENCE_S)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == ExitCode.INTERRUPTED
    assert printed.splitlines()[-1] == "Cancelled."
    assert "Traceback" not in printed
    assert fake.counts["cancelled"] == (1 if extensions else 0)
    assert saved(out) == []


@pytest.mark.parametrize(
    ("reader", "code"),
    [
        ("| true", 0),
        (">&-", 0),
        ("2>&1 | true", 0),
        pytest.param(
            ">/dev/full", 1, marks=pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has it")
        ),
    ],
)
def test_every_picture_is_saved_even_if_nobody_reads_the_names(
    fake: FakeGenerator, out: Path, reader: str, code: int
) -> None:
    done = subprocess.run(
        ["sh", "-c", f'"$PYTHON" -m cli.generate "маяк" --n 3 --server "$SERVER" --out "$OUT" {reader}'],
        env={
            "PATH": os.environ["PATH"],
            "PYTHON": sys.executable,
            "SERVER": fake.url,
            "OUT": str(out),
            "PYTHONIOENCODING": "ascii",
        },
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert ("cannot be printed" in done.stderr) == bool(code)
    assert len(list(out.iterdir())) == 3
