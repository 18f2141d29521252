#!/usr/bin/env bash
# mangum 0.22.0, which lets an ASGI app answer the events of AWS Lambda, beside code that calls asyncio.run.
#
# Seen: the handler answers, some other code of the same process calls asyncio.run once, and from then on every event ends
# in RuntimeError: There is no current event loop. The handler keeps no loop of its own: it asks for the thread's, and
# asyncio.run leaves its thread without one. Lambda goes on calling such a process, so all its requests fail until it ends.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check mangum==0.22.0
cat >events.py <<'PYTHON'
import asyncio
import warnings

from mangum import Mangum

warnings.simplefilter("ignore")


async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"well"})


async def something_else():
    return None


http = {"method": "GET", "path": "/", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "a browser"}
event = {
    "version": "2.0",
    "routeKey": "$default",
    "rawPath": "/",
    "rawQueryString": "",
    "headers": {"host": "example.com"},
    "requestContext": {"http": http, "stage": "$default", "requestId": "1", "timeEpoch": 0},
    "isBase64Encoded": False,
}


def answer():
    try:
        return handler(event, None)["statusCode"]
    except RuntimeError as error:
        return str(error)


handler = Mangum(app, lifespan="off")
before = [answer(), answer()]
asyncio.run(something_else())
after = [answer(), answer()]
print(f"before asyncio.run: {before}, after it: {after}")
assert before == [200, 200]
assert after == ["There is no current event loop in thread 'MainThread'."] * 2
PYTHON
venv/bin/python events.py
