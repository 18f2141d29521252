#!/usr/bin/env bash
# litellm 1.110.2 in front of any server with OpenAI's Images API.
#
# Seen: `response_format`, which that API defines, is refused for /images/generations before anything is sent, whatever the
# model, and left out in silence with `drop_params`. `seed`, which that API does not have, is sent. So a server that answers
# with URLs by default cannot be asked for base64 through it, and those URLs are the server's own.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check litellm==1.110.2
cat >ask.py <<'PYTHON'
import json
import os
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # the package's own list of models, not today's from the net
import litellm

litellm.suppress_debug_info = True
received = []


class Server(BaseHTTPRequestHandler):
    def do_POST(self):
        received.append(self.rfile.read(int(self.headers["Content-Length"])))
        answer = json.dumps({"created": 1, "data": [{"b64_json": "AAAA"}]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
base = f"http://127.0.0.1:{server.server_port}/v1"


def ask(call, **fields):
    """Return the error's name, or whether the server was sent each of the two parameters."""
    received.clear()
    try:
        call(prompt="a castle", api_base=base, api_key="none", **fields)
    except Exception as error:
        return type(error).__name__
    return {name: name.encode() in received[0] for name in ("response_format", "seed")}


for model in ("openai/black-forest-labs/FLUX.1-dev", "openai/dall-e-3"):
    base64 = {"model": model, "response_format": "b64_json"}
    seen = {
        "asked for base64": ask(litellm.image_generation, **base64),
        "with drop_params": ask(litellm.image_generation, drop_params=True, **base64),
        "with a seed": ask(litellm.image_generation, model=model, seed=7),
    }
    for case, value in seen.items():
        print(f"{model}, {case}: {value}")
    assert seen["asked for base64"] == "UnsupportedParamsError"
    assert seen["with drop_params"] == {"response_format": False, "seed": False}
    assert seen["with a seed"] == {"response_format": False, "seed": True}
PYTHON
venv/bin/python ask.py
