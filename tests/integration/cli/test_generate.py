"""`easel-generate` with the shipped fake and the reference generator: what it sends, shows and saves."""

import base64
import io
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from cli.exit_codes import ExitCode
from cli.generate import main
from cli.generate_options import make_parser, read_generation
from cli.progress_line import ProgressLine
from cli.results import reserve_names
from generator.request import GenerationRequest
from shared.testing.fake_generator import ALL_EXTENSIONS, FakeGenerator
from tests.support.paths import ROOT
from tests.support.picture_files import picture, saved
from tests.support.reference_generator import reference_generator

PATIENCE_S = 30

NOT_OFFERED = {
    "key",
    "mask",
    "control",
    "control_scale",
    "background",
    "pose",
    "pose_mask",
    "face_mask",
    "adapters",
    "scheduler",
}
"""Parameters of extensions, which are for programs."""

Run = Callable[..., int]


def test_it_works(run: Run, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("a lighthouse", "--n", "2", "--seed", "7", "--desc", "--frames", "2", "--width", "64", "--ups", "2") == 0
    captured = capsys.readouterr()
    paths = [Path(line) for line in captured.out.splitlines()]
    assert sorted(paths) == sorted(out.iterdir())
    assert saved(out) == [
        "seed7-0-frame-000.png",
        "seed7-0-frame-001.png",
        "seed7-0.png",
        "seed7-0.txt",
        "seed8-1.png",
        "seed8-1.txt",
    ]
    with Image.open(paths[0]) as image:
        assert (image.format, image.size) == ("PNG", (128, 128))
    assert next(path for path in paths if path.suffix == ".txt").read_text().startswith("a plain picture")
    assert captured.err.splitlines() == [
        "seed 7 (--seed 7 and the same options make this again)",
        "waiting, at position 1 of the queue",
        "processing: 66%",
        "finished",
    ]


def test_the_reference_generator_makes_it_again(run: Run, out: Path, tmp_path: Path) -> None:
    source = picture(tmp_path, "source.jpg", (100, 72))
    small = ("--width", "64", "--steps", "2", "--ups", "1", "--seed", "5")
    with reference_generator() as server:
        for _ in range(2):
            assert run("a castle by the sea", *small, "--n", "2", "--desc", "--frames", "3", server=server) == 0
        first, again = (path.read_bytes() for path in sorted(out.glob("*-seed5-0.png")))
        assert first == again
        assert len(list(out.iterdir())) == 2 * (2 + 2 + 3)
        assert run("fog", "--imgs", source, "--steps", "1", "--ups", "2", "--seed", "6", server=server) == 0
        with Image.open(next(out.glob("*-seed6-0.png"))) as image:
            assert image.size == (2 * 96, 2 * 72)
        assert run("--imgs", source, "--strength", "-2", "--ups", "1", "--desc", server=server) == 0
        assert saved(out)[0] == "0.txt"
        assert run("fog", "--steps", "151", server=server) == ExitCode.USAGE_ERROR


def test_every_flag_reaches_the_service(run: Run, fake: FakeGenerator, tmp_path: Path) -> None:
    sources = [picture(tmp_path, name, (64, 72)) for name in ("a.png", "b.jpg")]
    flags = "--ups 2 --strength 0.25 --n 3 --height 128 --width 192 --steps 9 --scale 3.5 --seed 11 --desc --cpu"
    more = "--blip-max-len 9 --clip-max-len 0 --skip-clip --skip-list mediums,artists --frames 4"
    words = ("--prompt", "закат (над) морем", "--neg-prompt", "rain")
    assert run(*words, *flags.split(), *more.split(), "--imgs", *sources) == 0
    order = fake.requests[0]
    imgs = [base64.b64decode(text) for text in order.pop("imgs")]
    assert [Image.open(io.BytesIO(data)).size for data in imgs] == [(64, 72)] * 2
    assert order == {
        "prompt": "закат (над) морем",
        "neg_prompt": "rain",
        "ups": 2,
        "strength": 0.25,
        "n": 3,
        "height": 128,
        "width": 192,
        "steps": 9,
        "scale": 3.5,
        "seed": 11,
        "desc": True,
        "cpu": True,
        "blip_max_len": 9,
        "clip_max_len": 0,
        "skip_clip": True,
        "skip_list": ["mediums", "artists"],
        "frames": 4,
    }
    assert set(GenerationRequest.model_fields) - NOT_OFFERED == {*order, "imgs"}


def test_it_waits_until_the_model_is_loaded(run: Run, fake: FakeGenerator, capsys: pytest.CaptureFixture[str]) -> None:
    fake.extensions, fake.loading_s = ALL_EXTENSIONS, 3
    usual = fake.answer

    def answer(method: str, path: str, fields: dict[str, Any]) -> tuple[int, Any]:
        answered = usual(method, path, fields)
        if path == "/health" and fake.counts["asked"] == 1:
            fake.loading_s = None
        fake.counts["asked"] += path == "/health"
        return answered

    fake.answer = answer  # type: ignore[method-assign]
    assert run("a lighthouse") == 0
    assert "is loading its model, which takes about 3 s" in capsys.readouterr().err


def test_defaults_are_the_services(run: Run, fake: FakeGenerator) -> None:
    assert run("a lake") == 0
    assert run("a lake") == 0
    first, second = fake.requests
    assert first.pop("seed") != second.pop("seed")
    service = GenerationRequest(prompt="a lake")
    assert (
        first
        == second
        == {"prompt": "a lake", "width": 512, "height": 512}
        | {name: getattr(service, name) for name in ("ups", "n", "steps", "scale")}
    )


def test_the_models_values_replace_the_defaults(run: Run, fake: FakeGenerator, out: Path) -> None:
    fake.extensions = ALL_EXTENSIONS
    fake.model = {"name": "tiny", "revision": "5f3a", "steps": 12, "scale": 3, "width": 96, "height": 64}
    assert run("a lake", "--seed", "4", "--ups", "1") == 0
    with Image.open(next(out.glob("*-seed4-0.png"))) as image:
        assert image.size == (96, 64)
    assert run("a lake", "--scale", "0", "--steps", "50") == 0
    assert run("a lake", "--height", "128") == 0
    sent = [tuple(order[name] for name in ("steps", "scale", "width", "height")) for order in fake.requests]
    assert sent == [(12, 3, 96, 64), (50, 0, 96, 64), (12, 3, 128, 128)]


@pytest.mark.parametrize("size", [(64, 64), (100, 52), (203, 128), (1000, 8), (2048, 500), (2049, 3000)])
@pytest.mark.parametrize("asked", [{}, {"width": 128}, {"height": 72}, {"width": 128, "height": 256}])
def test_the_size_is_the_services_default(size: tuple[int, int], asked: dict[str, int], tmp_path: Path) -> None:
    flags = [f"--{name}={value}" for name, value in asked.items()]
    for sources in ([], ["--imgs", picture(tmp_path, "source.png", size)]):
        order = read_generation(make_parser().parse_args(["x", *flags, *sources]), lambda _: None)
        sent = GenerationRequest.model_validate({"prompt": "x"} | asked).size_for(size if sources else None)
        assert (order.width, order.height) == sent


def test_sources_of_several_sizes_are_reported(
    run: Run, fake: FakeGenerator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sources = [picture(tmp_path, "a.png", (64, 72)), picture(tmp_path, "b.png", (128, 64))]
    assert run("x", "--imgs", *sources, "--ups", "1") == 0
    assert "the size of the first source, 64x72" in capsys.readouterr().err
    assert (fake.requests[0]["width"], fake.requests[0]["height"]) == (64, 72)


@pytest.mark.parametrize(("named", "made"), [([], 2), (["--n", "1"], 1), (["--n", "3"], 3)])
def test_one_picture_is_made_of_each_source_unless_n_is_named(
    run: Run, fake: FakeGenerator, out: Path, tmp_path: Path, named: list[str], made: int
) -> None:
    sources = [picture(tmp_path, name, (64, 64)) for name in ("a.png", "b.png")]
    assert run("x", *named, "--ups", "1", "--imgs", *sources) == 0
    assert (fake.requests[0]["n"], len(saved(out))) == (made, made)


def test_a_photo_is_sent_upright_and_small_enough(
    run: Run, fake: FakeGenerator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert run("x", "--ups", "1", "--imgs", picture(tmp_path, "a.jpg", (3000, 1500), exif=exif)) == 0
    assert (fake.requests[0]["width"], fake.requests[0]["height"]) == (1024, 2048)
    assert "is sent with 1024x2048 pixels" in capsys.readouterr().err


def test_negative_strength_needs_no_prompt_and_keeps_the_size(
    run: Run, fake: FakeGenerator, out: Path, tmp_path: Path
) -> None:
    source = picture(tmp_path, "a.png", (2100, 16))
    assert run("--imgs", source, "--strength", "-0.5", "--ups", "2") == 0
    assert fake.requests[0].keys() == {"ups", "imgs", "strength"}
    with Image.open(next(out.iterdir())) as image:
        assert image.size == (4200, 32)
    assert saved(out) == ["0.png"]


def test_nothing_is_ever_overwritten(out: Path) -> None:
    def clock() -> datetime:
        return datetime(2031, 5, 6, 7, 8, 9, 999_000)  # noqa: DTZ001

    with reserve_names(out, clock) as one, reserve_names(out, clock) as other:
        paths = [one._write("0.png", b"one"), other._write("0.png", b"other")]
    with reserve_names(out, clock) as third:
        paths.append(third._write("0.png", b"third"))
    assert [path.read_bytes() for path in paths] == [b"one", b"other", b"third"]
    assert sorted(path.name for path in out.iterdir()) == [
        "20310506-070809-999-0.png",
        "20310506-070810-000-0.png",
        "20310506-070810-001-0.png",
    ]


def test_the_help_lists_the_codes_and_every_parameter(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    help_text = capsys.readouterr().out
    for code in ExitCode:
        assert re.search(rf"^  {code.value} ", help_text, re.MULTILINE)
    for name in set(GenerationRequest.model_fields) - NOT_OFFERED:
        assert f"--{name.replace('_', '-')} " in help_text


def test_help_needs_no_library() -> None:
    program = "import sys, cli.generate; sys.exit(bool({'requests', 'PIL'} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, timeout=PATIENCE_S)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_has_one_line_that_is_rewritten() -> None:
    out = Terminal()
    line = ProgressLine(out)
    for text in ("processing: 1%", "processing: 1%", "processing: 2%"):
        line.show(text)
    line.say("done")
    assert out.getvalue() == "\r\033[Kprocessing: 1%\r\033[Kprocessing: 2%\ndone\n"
