"""The style metric: Wilson intervals, answers that are kept, the built-in judge and the command."""

import csv
import json
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from cli import easel
from shared.admin import style_metric
from shared.admin.style_judges import Statistics


class Counting:
    """A judge that says yes to pictures with more red than blue, and counts its answers."""

    name = "counting"

    def __init__(self, stop_after: int = 1000) -> None:
        self.asked = 0
        self._stop_after = stop_after

    def is_in_style(self, picture: Image.Image, style: str) -> bool:
        if self.asked == self._stop_after:
            raise KeyboardInterrupt
        self.asked += 1
        red, _, blue = picture.getpixel((0, 0))  # type: ignore[misc]
        return (red > blue) == (style == "red")


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    for kind, colours in {"warm": ["red", "orange", "blue"], "cold": ["blue", "navy"]}.items():
        (folder / kind).mkdir(parents=True)
        for number, colour in enumerate(colours):
            Image.new("RGB", (16, 16), colour).save(folder / kind / f"{number}.png")
    (folder / "warm" / "broken.png").write_bytes(b"no picture")
    return folder


def unwatched(done: int, total: int) -> None:
    pass


@pytest.mark.parametrize(
    ("positive", "asked", "low", "high"),
    # The published values of Newcombe 1998, table I.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (29, 29, 0.8830, 1.0), (0, 0, 0, 1)],
)
def test_wilson_intervals_have_the_published_values(positive: int, asked: int, low: float, high: float) -> None:
    assert style_metric.wilson(positive, asked) == pytest.approx((low, high), abs=6e-5)


@pytest.mark.parametrize("asked", [1, 50, 250])
def test_a_share_is_inside_its_interval(asked: int) -> None:
    for positive in range(asked + 1):
        low, high = style_metric.wilson(positive, asked)
        assert 0 <= low <= positive / asked <= high <= 1


def test_shares_are_counted_by_kind_and_style(dataset: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    shares = style_metric.evaluate(
        dataset, ["red", "blue"], Counting(), tmp_path / "a.csv", lambda *now: seen.append(now)
    )
    assert {(share.kind, share.style): (share.positive, share.asked) for share in shares} == {
        ("warm", "red"): (2, 3),
        ("warm", "blue"): (1, 3),
        ("cold", "red"): (0, 2),
        ("cold", "blue"): (2, 2),
    }
    assert seen == [(2 * number, 12) for number in range(1, 7)]
    rows = list(csv.DictReader((tmp_path / "a.csv").read_text().splitlines()))
    assert rows[0] == {"picture": "cold/0.png", "style": "red", "judge": "counting", "answer": "0"}
    assert len(rows) == 10


def test_a_stopped_run_goes_on(dataset: Path, tmp_path: Path) -> None:
    results = tmp_path / "a.csv"
    with pytest.raises(KeyboardInterrupt):
        style_metric.evaluate(dataset, ["red", "blue"], Counting(stop_after=3), results, unwatched)
    assert len(results.read_text().splitlines()) == 4
    judge = Counting()
    shares = style_metric.evaluate(dataset, ["red", "blue"], judge, results, unwatched)
    assert judge.asked == 7
    assert sum(share.asked for share in shares) == 10
    again = Counting()
    assert style_metric.evaluate(dataset, ["red", "blue"], again, results, unwatched) == shares
    assert again.asked == 0


def test_statistics_know_few_tones_with_one_accent() -> None:
    stencil = Image.new("RGB", (120, 120), (230, 228, 220))
    draw = ImageDraw.Draw(stencil)
    draw.ellipse((20, 20, 90, 110), fill=(30, 30, 30))
    draw.rectangle((50, 50, 70, 70), fill=(210, 20, 20))
    gradient = Image.linear_gradient("L").convert("RGB")
    rainbow = Image.merge("HSV", (Image.linear_gradient("L"), *[Image.new("L", (256, 256), 255)] * 2)).convert("RGB")
    judge = Statistics()
    assert judge.is_in_style(stencil, "banksy")
    assert not judge.is_in_style(gradient, "banksy")
    assert not judge.is_in_style(rainbow, "banksy")
    assert judge.is_in_style(rainbow, "delaunay")
    assert not judge.is_in_style(stencil, "delaunay")
    assert judge.is_in_style(stencil, "malevich")
    noise = Image.effect_noise((120, 120), 90).convert("RGB")
    assert judge.is_in_style(noise, "van_gogh")
    assert not judge.is_in_style(stencil, "van_gogh")


def test_the_command_needs_no_site(dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.csv"
    command = ["evaluate-styles", "--dataset", str(dataset), "--styles", "banksy", "malevich", "--out", str(out)]
    assert easel.main([*command, "--json"]) == 0
    printed = capsys.readouterr()
    lines = [json.loads(line) for line in printed.out.splitlines()]
    assert [(line["kind"], line["style"], line["asked"]) for line in lines] == [
        ("cold", "banksy", 2),
        ("cold", "malevich", 2),
        ("warm", "banksy", 3),
        ("warm", "malevich", 3),
    ]
    assert all(line["low"] <= line["share"] <= line["high"] for line in lines)
    assert "[########################] 12 of 12" in printed.err
    assert "picture statistics" in out.read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--styles", "cubism"], 2, "no rule for 'cubism'"),
        (["--styles", "banksy", "--dataset", "nowhere"], 2, "not a folder with pictures"),
    ],
)
def test_wrong_arguments_are_named(
    dataset: Path, arguments: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert easel.main(["evaluate-styles", "--dataset", str(dataset), *arguments]) == code
    assert message in capsys.readouterr().err


def test_a_plot_has_a_bar_for_each_share(dataset: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="`pip install -r requirements/plot.txt`")
    plot = tmp_path / "plot.png"
    command = ["evaluate-styles", "--dataset", str(dataset), "--styles", "malevich", "--out", str(tmp_path / "o.csv")]
    assert easel.main([*command, "--plot", str(plot)]) == 0
    with Image.open(plot) as image:
        assert image.width > 200
        # The first colour of the default palette fills the bars.
        colours = image.convert("RGB").getcolors(1 << 20) or []
        assert {colour: count for count, colour in colours}.get((31, 119, 180), 0) > 1000


def test_a_plot_that_cannot_be_written_is_named(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib", reason="`pip install -r requirements/plot.txt`")
    command = ["evaluate-styles", "--dataset", str(dataset), "--styles", "malevich", "--out", str(tmp_path / "o.csv")]
    for name in ("plot.unknown", "none/plot.png"):
        assert easel.main([*command, "--plot", str(tmp_path / name)]) == 1
        assert f"{name} cannot be written" in capsys.readouterr().err
