"""Models of a hub: what is fetched, from where, and what is refused before that."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from fake_hub import COMMIT, Hub, serving_hub

from generator.engines.diffusion.folder import BadModel
from generator.engines.diffusion.hub import check_room

ROOT = Path(__file__).parents[3]


@pytest.fixture
def hub(models: dict[str, Path], tmp_path: Path) -> Iterator[Hub]:
    folder = tmp_path / "hub"
    for file in models["plain"].rglob("*"):
        if file.is_file():
            place = folder / file.relative_to(models["plain"])
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(file.read_bytes())
    unet = folder / "unet" / "diffusion_pytorch_model.safetensors"
    for unread in (
        unet.with_name("diffusion_pytorch_model.fp16.safetensors"),
        unet.with_name("diffusion_pytorch_model.bin"),
        folder / "everything.safetensors",
        folder / "safety_checker" / "model.safetensors",
    ):
        unread.parent.mkdir(exist_ok=True)
        unread.write_bytes(b"not for the engine")
    with serving_hub(folder) as hub:
        yield hub


def find(hub: Hub, tmp_path: Path, name: str = "painters/tiny") -> str:
    """Return what a process of its own, since the client reads its settings when imported, finds for a name."""
    program = (
        "import sys\nfrom generator.engines.diffusion.folder import BadModel, find_folder, read_parts\n"
        "try:\n    folder = find_folder(sys.argv[1])\n    read_parts(folder)\n    print('folder', folder)\n"
        "except BadModel as error:\n    print(error)"
    )
    environment = os.environ | {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "home")}
    command = [sys.executable, "-W", "ignore", "-c", program, name]
    run = subprocess.run(command, check=True, cwd=ROOT, env=environment, capture_output=True, text=True)
    return run.stdout.strip()


def test_only_what_the_engine_reads_is_fetched(hub: Hub, tmp_path: Path) -> None:
    found = Path(find(hub, tmp_path).removeprefix("folder "))
    weights = sorted(str(path.relative_to(found)) for path in found.rglob("*.safetensors"))
    assert weights == [
        "text_encoder/model.safetensors",
        "unet/diffusion_pytorch_model.safetensors",
        "vae/diffusion_pytorch_model.safetensors",
    ]
    assert not [name for name in hub.fetched if name.endswith((".bin", ".fp16.safetensors"))]
    assert (found / "unet" / "config.json").read_bytes() == (hub.folder / "unet" / "config.json").read_bytes()


def test_without_the_hub_the_model_fetched_before_is_used(hub: Hub, tmp_path: Path) -> None:
    first = find(hub, tmp_path)
    hub.url = "http://127.0.0.1:9"
    assert find(hub, tmp_path) == first
    assert find(hub, tmp_path, "painters/other") == "painters/other is not here and the hub cannot be reached"


def test_half_precision_is_fetched_where_there_is_no_other(hub: Hub, tmp_path: Path) -> None:
    unet = hub.folder / "unet" / "diffusion_pytorch_model.safetensors"
    unet.replace(unet.with_name("diffusion_pytorch_model.fp16.safetensors"))
    assert find(hub, tmp_path).startswith("folder ")
    assert "unet/diffusion_pytorch_model.fp16.safetensors" in hub.fetched


def test_a_revision_may_be_named(hub: Hub, tmp_path: Path) -> None:
    assert find(hub, tmp_path, "painters/tiny@v1.5").endswith(COMMIT)


def test_an_unknown_model_is_named(hub: Hub, tmp_path: Path) -> None:
    assert find(hub, tmp_path, "painters/none").startswith("the hub has no model painters/none")


def test_a_model_too_large_is_refused_before_it_is_fetched(hub: Hub, tmp_path: Path) -> None:
    hub.sizes["unet/diffusion_pytorch_model.safetensors"] = 2**40
    assert find(hub, tmp_path).startswith("painters/tiny has 1099.5 GB to fetch; at most 69 are")
    assert not hub.fetched


def test_a_model_that_does_not_fit_on_the_disk_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=10**9))
    check_room("painters/tiny", 10**9)
    with pytest.raises(BadModel, match=r"has 2.0 GB to fetch and .* has 1.0 GB left"):
        check_room("painters/tiny", 2 * 10**9)
