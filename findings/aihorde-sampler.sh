#!/usr/bin/env bash
# aihorde 0.3, a client of the AI Horde, against a server that records what it is sent.
#
# Seen: the sampler that a caller chooses is sent as `params.sampler`. The horde's name for it is `sampler_name` (so in its
# API description and in horde-sdk 0.33.3), and unknown names are ignored there: every picture is drawn with the default.
# A refusal such as {"message": "... kudos ...", "rc": "KudosUpfront"} becomes a msgspec.ValidationError about a missing
# field, which holds neither the message nor the code.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check aihorde==0.3 aiohttp==3.14.5 msgspec==0.22.0
cat >calls.py <<'PYTHON'
import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec
from aihorde.client import AIHordeClient
from aihorde.models import GenerationInputStable, ModelGenerationInputStable, Sampler

received = []
answers = [
    (202, {"id": "17", "kudos": 1.0}),
    (403, {"message": "This request requires 24.5 kudos to fulfil.", "rc": "KudosUpfront"}),
]


class Recorder(BaseHTTPRequestHandler):
    def do_POST(self):
        received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        status, value = answers.pop(0)
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = AIHordeClient(api_key="key", base_url=f"http://127.0.0.1:{server.server_port}/api")
params = ModelGenerationInputStable(sampler=Sampler.k_dpmpp_2m)
request = GenerationInputStable(prompt="a castle", params=params, models=[])
asyncio.run(client.generate_image_request(request))
print("params:", received[0]["params"])
assert received[0]["params"]["sampler"] == "k_dpmpp_2m"
assert "sampler_name" not in received[0]["params"]
try:
    asyncio.run(client.generate_image_request(request))
except msgspec.ValidationError as error:
    print("refusal:", error)
    assert "kudos" not in str(error).replace("`kudos`", "") and "KudosUpfront" not in str(error)
else:
    raise AssertionError("the refusal was taken for an answer")
server.shutdown()
PYTHON
venv/bin/python calls.py
