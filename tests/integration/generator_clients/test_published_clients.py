"""The shipped fakes before clients that others publish for the real servers: they are taken for the real thing."""

import json
import subprocess
from typing import Any

from shared.testing.fake_horde import FakeHorde
from shared.testing.fake_sdapi import FakeSdapi, colour
from tests.support.client_tools import tools

WEBUIAPI = """
import json, sys
from PIL import Image
from webuiapi import Upscaler, WebUIApi

api = WebUIApi(baseurl=sys.argv[1] + "/sdapi/v1", username="easel", password="secret")
drawn = api.txt2img(prompt="a boat", negative_prompt="fog", seed=7, n_iter=2, width=64, height=96, steps=3)
source = Image.new("RGB", (64, 64), "red")
changed = api.img2img(images=[source], prompt="a lake", seed=9, width=64, height=64, denoising_strength=0.5)
larger = api.extra_single_image(source, upscaler_1=Upscaler.Lanczos, upscaling_resize=2)
api.util_set_model("fake")
told = {
    "sizes": [image.size for image in drawn.images + changed.images + larger.images],
    "colours": [image.convert("RGB").getpixel((0, 0)) for image in drawn.images],
    "seeds": drawn.info["all_seeds"],
    "steps": drawn.parameters["steps"],
    "caption": api.interrogate(source).info,
    "model": api.util_get_current_model(),
    "samplers": api.util_get_sampler_names(),
    "schedulers": api.util_get_scheduler_names(),
    "upscalers": [upscaler["name"] for upscaler in api.get_upscalers()],
    "jobs": api.get_progress()["state"]["job_count"],
    "interrupted": api.interrupt(),
    "scripts": api.get_scripts(),
}
try:
    api.txt2img(prompt="a boat", sampler_name="no such sampler")
except RuntimeError as error:
    told["refused"] = error.args
print(json.dumps(told))
"""

AIHORDE = """
import asyncio, base64, io, json, sys
from PIL import Image
from aihorde.client import AIHordeClient
from aihorde.models import GenerationInputStable, ModelGenerationInputStable


async def main():
    client = AIHordeClient(api_key="key", base_url=sys.argv[1] + "/api")
    params = ModelGenerationInputStable(width=64, height=128, steps=3, n=2, seed="7")
    request = GenerationInputStable(prompt="a boat ### fog", params=params, models=["stable_diffusion"])
    status = await client.generate_images(request)
    made = status.generations
    images = [Image.open(io.BytesIO(base64.b64decode(one.img))) for one in made]
    models = await client.get_models()
    return {
        "done": status.done,
        "sizes": [image.size for image in images],
        "formats": [image.format for image in images],
        "seeds": sorted(one.seed for one in made),
        "models": [one.model for one in made],
        "known": [model.name for model in models],
    }


print(json.dumps(asyncio.run(main())))
"""


def run(script: str, url: str) -> dict[str, Any]:
    """Run a program of a client against a server; return what it prints."""
    done = subprocess.run(
        [tools() / "python", "-c", script, url], check=False, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert isinstance(found, dict)
    return found


def test_webuiapi_takes_the_fake_for_automatic1111() -> None:
    with FakeSdapi(password="easel:secret") as fake:
        told = run(WEBUIAPI, fake.url)
    assert told == {
        "sizes": [[64, 96], [64, 96], [64, 64], [128, 128]],
        "colours": [list(colour(7)), list(colour(8))],
        "seeds": [7, 8],
        "steps": 3,
        "caption": "a plain picture of 64 by 64 pixels",
        "model": "fake.safetensors [0123456789]",
        "samplers": ["DPM++ 2M", "Euler", "Euler a"],
        "schedulers": ["automatic"],
        "upscalers": ["None", "Lanczos", "Nearest"],
        "jobs": 0,
        "interrupted": {},
        "scripts": {"txt2img": [], "img2img": []},
        "refused": [400, '{"detail": "Sampler not found"}'],
    }
    assert [sent["prompt"] for sent in fake.requests] == ["a boat", "a lake"]


def test_aihorde_takes_the_fake_for_a_horde() -> None:
    with FakeHorde(polls=1) as fake:
        told = run(AIHORDE, fake.url)
    assert told == {
        "done": True,
        "sizes": [[64, 128]] * 2,
        "formats": ["WEBP"] * 2,
        "seeds": ["7", "8"],
        "models": ["stable_diffusion"] * 2,
        "known": ["stable_diffusion"],
    }
    [sent] = fake.requests
    assert (sent["apikey"], sent["prompt"]) == ("key", "a boat ### fog")
