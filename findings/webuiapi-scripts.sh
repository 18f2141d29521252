#!/usr/bin/env bash
# webuiapi 0.9.17, the client of the AUTOMATIC1111 web UI, against a server that records what it is sent.
#
# Seen: guidance that one call asks for (`sag=`) is sent with every later txt2img call of the process that does not ask for
# it, also by another client object: it is written into the dictionary that is the default of the parameter
# `alwayson_scripts`. (By the source, the same happens to `adetailer=`, `roop=` and `reactor=`.) With `alwayson_scripts={}`
# in each call nothing stays.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check webuiapi==0.9.17 pillow==13.0.0 requests==2.34.2
cat >calls.py <<'PYTHON'
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import webuiapi

received = []


class Recorder(BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer({"txt2img": [], "img2img": []})

    def do_POST(self):
        received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.answer({"images": [], "parameters": {}, "info": "{}"})

    def answer(self, value):
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
threading.Thread(target=server.serve_forever, daemon=True).start()


def client():
    return webuiapi.WebUIApi(baseurl=f"http://127.0.0.1:{server.server_port}/sdapi/v1")


def sent_by(api, **settings):
    api.txt2img(prompt="a castle", **settings)
    return received[-1]["alwayson_scripts"]


first = client()
seen = {
    "before": sent_by(first),
    "a call that asks for guidance": sent_by(first, sag=webuiapi.Sag(scale=1.5)),
    "the next call, which does not": sent_by(first),
    "a call of another client": sent_by(client()),
    "a call with a dictionary of its own": sent_by(first, alwayson_scripts={}),
}
server.shutdown()
for case, scripts in seen.items():
    print(f"{case}: {scripts}")
guidance = {"Self Attention Guidance": {"args": [True, 1.5, 1.0]}}
assert list(seen.values()) == [{}, guidance, guidance, guidance, {}]
PYTHON
venv/bin/python calls.py
