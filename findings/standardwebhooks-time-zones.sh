#!/usr/bin/env bash
# standardwebhooks 1.1.0, the library of Standard Webhooks, as sender and receiver.
#
# Seen: `sign` takes the clock's face of an aware datetime for UTC. A message that is signed with the same moment in another
# time zone, and sent with that moment's Unix time as `webhook-timestamp`, is refused as "No matching signature found":
# what was signed is hours away. In UTC it is accepted. A naive datetime, which Python reads as local time, is taken for
# UTC too, so `datetime.now()` verifies only on machines whose time zone is UTC.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install --quiet --disable-pip-version-check standardwebhooks==1.1.0
cat >sign.py <<'PYTHON'
import base64
import hashlib
import hmac
from datetime import datetime, timedelta, timezone

from standardwebhooks import Webhook, WebhookVerificationError

key = b"a secret of 32 bytes for testing"
hook = Webhook("whsec_" + base64.b64encode(key).decode())
body = '{"type": "job.finished"}'
moment = datetime.now(timezone.utc).replace(microsecond=0)


def verdict(when):
    """Sign at a moment, send with its Unix time, and verify."""
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(when.timestamp())),
        "webhook-signature": hook.sign("msg_1", when, body),
    }
    try:
        hook.verify(body, headers)
    except WebhookVerificationError as error:
        return str(error)
    return "verified"


def of_text(when):
    """Return the signature as the specification defines it: of id, Unix time and body."""
    signed = f"msg_1.{int(when.timestamp())}.{body}".encode()
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


tokyo = moment.astimezone(timezone(timedelta(hours=9)))
assert tokyo == moment and of_text(tokyo) == of_text(moment)
seen = {"in UTC": verdict(moment), "the same moment nine hours east": verdict(tokyo)}
for case, value in seen.items():
    print(f"{case}: {value}")
assert list(seen.values()) == ["verified", "No matching signature found"]
assert hook.sign("msg_1", moment, body) == of_text(moment)
assert hook.sign("msg_1", tokyo, body) == of_text(moment + timedelta(hours=9))
assert hook.sign("msg_1", moment.replace(tzinfo=None), body) == of_text(moment)
PYTHON
venv/bin/python sign.py
