#!/usr/bin/env bash
# safetensors 0.8.0: the same tensor with the same metadata, saved again and again in one process (numpy 2.3.5).
#
# Seen: with one entry of metadata all files are the same bytes. With four, the entries come in an order that changes from
# call to call, and 50 files have up to 24 different SHA-256s. The tensors and the sense of the metadata are the same.
# So a LoRA that is named, cached or compared by the hash of its file, as is usual in this field, is another one each time
# that it is saved with the usual metadata of a trainer.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check safetensors==0.8.0 numpy==2.3.5
cat >save.py <<'PYTHON'
import hashlib
import json

import numpy
from safetensors.numpy import load, save

tensors = {"lora_A.weight": numpy.ones((4, 8), numpy.float32)}


def files(metadata):
    return {save(tensors, metadata) for _ in range(50)}


def metadata_of(file):
    size = int.from_bytes(file[:8], "little")
    return json.loads(file[8 : 8 + size])["__metadata__"]


one = files({"network_dim": "8"})
several = {"network_dim": "8", "network_alpha": "8", "base_model": "a model", "trigger": "a word"}
four = files(several)
hashes = {hashlib.sha256(file).hexdigest() for file in four}
print(f"one entry: {len(one)} file, four entries: {len(hashes)} files of 24 orders")
assert len(one) == 1
assert len(hashes) > 5
assert all(metadata_of(file) == several for file in four)
assert len({load(file)["lora_A.weight"].tobytes() for file in four}) == 1
PYTHON
venv/bin/python save.py
