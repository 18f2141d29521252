#!/usr/bin/env bash
# sd-parsers 0.6 on PNGs with a `parameters` chunk in the form of the AUTOMATIC1111 web UI (pillow 13.0.0 writes them).
#
# Seen: without `Sampler:` in the last line it reads nothing at all, not even the prompt; with it, the same chunk is read
# whole. `Negative prompt:` in the middle of a line ends the prompt, although the web UI begins a line with it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check sd-parsers==0.6 pillow==13.0.0
cat >read.py <<'PYTHON'
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from sd_parsers import ParserManager


def read(text):
    chunks = PngInfo()
    chunks.add_text("parameters", text)
    Image.new("RGB", (64, 64)).save("picture.png", pnginfo=chunks)
    found = ParserManager().parse("picture.png")
    return found and ([str(entry) for entry in found.prompts], [str(entry) for entry in found.negative_prompts])


settings = "CFG scale: 7, Seed: 1, Size: 64x64"
seen = {
    "without a sampler": read(f"a castle\nNegative prompt: fog\nSteps: 20, {settings}"),
    "with a sampler": read(f"a castle\nNegative prompt: fog\nSteps: 20, Sampler: Euler, {settings}"),
    "in the middle of a line": read(f"a castle, Negative prompt: none\nSteps: 20, Sampler: Euler, {settings}"),
}
for case, value in seen.items():
    print(f"{case}: {value}")
assert seen["without a sampler"] is None
assert seen["with a sampler"] == (["a castle"], ["fog"])
assert seen["in the middle of a line"] == (["a castle,"], ["none"])
PYTHON
venv/bin/python read.py
