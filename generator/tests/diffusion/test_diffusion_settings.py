"""Settings that cannot be followed end the start with a sentence that names the variable."""

import logging
from pathlib import Path

import pytest
import tiny_models

from generator import engine_process
from generator.cli import main
from generator.engines.base import BadSetting
from generator.engines.diffusion import settings
from generator.engines.diffusion.engine import Diffusion


@pytest.fixture(autouse=True)
def _own_folders(monkeypatch: pytest.MonkeyPatch, models: dict[str, Path], tmp_path: Path) -> None:
    monkeypatch.setenv("EASEL_MODEL", str(models["plain"]))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("EASEL_MODEL", "", "easel-mini"),
        ("EASEL_MODEL", "no/such/folder", "neither a folder"),
        ("EASEL_MODEL", "file", "neither a folder"),
        ("EASEL_MODEL", "x" * 5000, "neither a folder"),
        ("EASEL_MODEL", "folder", "model_index.json cannot be read"),
        ("EASEL_CONTROLNET", "~nobody/here", "neither a folder"),
        ("EASEL_CONTROLNET", "folder", "config.json cannot be read"),
        ("EASEL_CAPTIONER", "folder,", "neither a folder"),
        ("EASEL_UPSCALER", "no-such", "is not an upscaler"),
        ("EASEL_UPSCALER", "folder.safetensors", "is not a file"),
        ("EASEL_EXACT", "no", "neither 0 nor 1"),
        ("EASEL_TRAIN_NICE", "-5", "whole number"),
        ("EASEL_TRAIN_NICE", "20", "whole number from 1 to 19"),
        ("EASEL_TRAIN_THREADS", "0", "whole number"),
        ("EASEL_TRAIN_THREADS", "two", "whole number"),
        ("EASEL_TRAIN_MEMORY_MB", "-1", "whole number"),
        ("EASEL_TRAIN_MEMORY_MB", "9" * 5000, "whole number"),
        ("EASEL_TRAINING", "file/below", "cannot be written"),
        ("EASEL_ADAPTERS", "file/below", "cannot be written"),
    ],
)
def test_a_setting_that_cannot_be_followed_ends_the_start(
    variable: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("generator.engines.diffusion.engine.OWN_MODEL", Path("no-mini"))
    monkeypatch.setenv(variable, value)
    assert main(["--engine", "diffusion", "--port", "0"]) == 2
    printed = capsys.readouterr().err
    assert printed.startswith(f"easel-generator: {variable}: ")
    assert said in printed
    assert (printed.count("\n"), len(printed) < 500) == (1, True)


def test_settings_may_have_space_around_and_a_home(
    models: dict[str, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "own").symlink_to(models["plain"])
    for value in (f"  {models['plain']}/ ", "~/own", "own/"):
        monkeypatch.setenv("EASEL_MODEL", value)
        Diffusion.check()
    monkeypatch.setenv("EASEL_TRAIN_THREADS", " 3 ")
    assert settings.train_threads() == 3
    assert settings.train_nice() == 10
    monkeypatch.setenv("EASEL_TRAIN_NICE", "19 ")
    assert settings.train_nice() == 19


def test_an_engine_that_cannot_be_loaded_says_so_in_one_line(
    models: dict[str, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    misfit = tiny_models.save_controlnet(tmp_path / "large", models["large"])
    monkeypatch.setenv("EASEL_CONTROLNET", str(misfit))
    near, far = engine_process._SPAWN.Pipe()
    monkeypatch.setattr("signal.signal", lambda *_: None)
    with caplog.at_level(logging.ERROR, "easel.generator"):
        engine_process._serve(far, "diffusion", shared=True)
    near.close()
    [record] = caplog.records
    assert record.exc_info is None
    assert "EASEL_CONTROLNET: the ControlNet large does not fit the model" in record.getMessage()


@pytest.mark.parametrize("part", ["tokenizer", "sample_size"])
def test_a_model_that_a_library_cannot_read_is_a_bad_setting(
    part: str, models: dict[str, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    model = tiny_models.save(tmp_path / "model")
    if part == "tokenizer":
        for path in (model / "tokenizer").iterdir():
            path.write_text("{")
    else:
        tiny_models.change(model / "unet" / "config.json", sample_size=[16, 16])
    monkeypatch.setenv("EASEL_MODEL", str(model))
    monkeypatch.setenv("EASEL_UPSCALER", "own")
    with pytest.raises(BadSetting, match=f"EASEL_MODEL: .*{part}"):
        Diffusion()
