"""MiniStack behind the checks that real S3 makes: `python -m local.s3_gate <port> <origin>,...`, with the AWS keys.

In a container, `--host 0.0.0.0` makes it reachable for the other containers; no other host is meant to reach it.

MiniStack accepts requests without a signature, forms whose policy was signed with any key, and a POST that deletes all
data, and it allows pages of every origin to send them. Any page open in the browser could thus reach a laptop's
pictures. The gate passes on only requests with a valid signature (AWS Signature Version 4, in a header, a URL or a
form), and makes browsers keep other origins out. The rules are those of "Authenticating Requests" in the S3 API
reference.
"""

import argparse
import base64
import binascii
import hashlib
import hmac
import json
import os
import re
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import quote
from xml.sax.saxutils import escape

from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.core.origins import origins_of

ALGORITHM = "AWS4-HMAC-SHA256"
HEALTH = "/_ministack/health"
CLOCK_SKEW = timedelta(minutes=15)
MOST_LIFETIME_S = 7 * 24 * 3600
FORM_BYTES = 32_000_000
# Form fields that a policy need not mention.
FREE_FIELDS = ("file", "policy", "x-amz-signature")


class Refused(Exception):
    """The request lacks a valid signature; the message is a sentence for the client's developer."""

    def __init__(self, message: str, code: str = "AccessDenied") -> None:
        super().__init__(message)
        self.code = code
        """S3's."""


class Gate:
    """An ASGI application around S3's that refuses requests not signed with its one pair of keys."""

    def __init__(self, app: ASGIApp, access_key: str, secret_key: str, origins: Iterable[str]) -> None:
        self._app = app
        self._access_key = access_key
        self._secret_key = secret_key
        self._origins = frozenset(origin for address in origins if address.strip() for origin in origins_of(address))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse the request, or pass it on to S3."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        send = self._with_cors(request, send)
        if request.method == "OPTIONS":
            await self._preflight(request)(scope, receive, send)
            return
        try:
            if request.method == "POST" and request.headers.get("content-type", "").startswith("multipart/form-data"):
                body = await _read_body(request)
                await self._check_form(request, body)
                receive = _replay(body)
            elif not (request.method == "GET" and request.url.path == HEALTH):
                self._check_signature(request)
        except Refused as refusal:
            text = f"<Error><Code>{refusal.code}</Code><Message>{escape(str(refusal))}</Message></Error>"
            await Response(text, 403, media_type="application/xml")(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _check_signature(self, request: Request) -> None:
        if request.url.path.startswith("/_"):
            raise Refused("This address is not part of S3.")
        query = list(request.query_params.multi_items())
        fields = dict(query)
        if "X-Amz-Signature" in fields:
            signed_at = _parse_time(fields.get("X-Amz-Date", ""))
            lifetime_s = fields.get("X-Amz-Expires", "")
            if not re.fullmatch("[0-9]{1,6}", lifetime_s) or int(lifetime_s) > MOST_LIFETIME_S:
                raise Refused("X-Amz-Expires must be less than a week (in seconds).")
            if signed_at > datetime.now(UTC) + CLOCK_SKEW:
                raise Refused("Request is not yet valid")
            if datetime.now(UTC) > signed_at + timedelta(seconds=int(lifetime_s)):
                raise Refused("Request has expired")
            query = [(name, value) for name, value in query if name != "X-Amz-Signature"]
            payload = "UNSIGNED-PAYLOAD"
        else:
            fields = _parse_authorization(request.headers)
            payload = request.headers.get("x-amz-content-sha256", "")
            if abs(datetime.now(UTC) - _parse_time(fields["X-Amz-Date"])) > CLOCK_SKEW:
                raise Refused("The time of the request is too far from the server's.")
        canonical = _canonical_request(request, query, fields.get("X-Amz-SignedHeaders", ""), payload)
        text = "\n".join([ALGORITHM, fields["X-Amz-Date"], self._scope(fields), _sha256(canonical)])
        self._compare(fields, text)

    async def _check_form(self, request: Request, body: bytes) -> None:
        if request.url.query:
            raise Refused("A form must be sent to the address of the bucket.")
        try:
            form = await Request(request.scope, _replay(body)).form(max_files=1, max_fields=50)
        except (MultiPartException, HTTPException):
            raise Refused("The form cannot be read.") from None
        fields = {name.lower(): value for name, value in form.multi_items() if isinstance(value, str)}
        await form.close()
        if len(fields) < len([value for value in form.values() if isinstance(value, str)]):
            raise Refused("A field is in the form twice.")
        named = {"X-Amz-" + name[6:].title(): value for name, value in fields.items() if name.startswith("x-amz-")}
        self._scope(named)
        self._compare(named, fields.get("policy", ""))
        _check_policy(fields, request.url.path.strip("/"))

    def _scope(self, fields: Mapping[str, str]) -> str:
        key, _, scope = fields.get("X-Amz-Credential", "").partition("/")
        if key and key != self._access_key:
            raise Refused("This server has no such access key.", "InvalidAccessKeyId")
        if fields.get("X-Amz-Algorithm") != ALGORITHM or not key or scope.count("/") != 3:
            raise Refused("The request is not signed with the keys of this server.")
        date, _, *service = scope.split("/")
        if service != ["s3", "aws4_request"] or not fields.get("X-Amz-Date", "").startswith(date):
            raise Refused("The scope of the signature is not S3 on the day of the request.")
        return scope

    def _compare(self, fields: Mapping[str, str], text: str) -> None:
        key = ("AWS4" + self._secret_key).encode()
        for word in self._scope(fields).split("/"):
            key = hmac.digest(key, word.encode(), "sha256")
        expected = hmac.digest(key, text.encode(), "sha256").hex()
        if not hmac.compare_digest(expected.encode(), fields.get("X-Amz-Signature", "").encode()):
            raise Refused("The signature does not match.", "SignatureDoesNotMatch")

    def _preflight(self, request: Request) -> Response:
        if request.headers.get("origin") not in self._origins:
            return Response("This origin is not allowed.", 403)
        wanted = request.headers.get("access-control-request-headers", "")
        headers = {"Access-Control-Allow-Methods": "GET, HEAD, POST", "Access-Control-Max-Age": "3600"}
        return Response(None, 204, headers | ({"Access-Control-Allow-Headers": wanted} if wanted else {}))

    def _with_cors(self, request: Request, send: Send) -> Send:
        """Return a `send` that replaces MiniStack's CORS headers, which allow every origin, by those for the site's.

        Like AWS, an answer to a request without an Origin has neither these nor Vary, so that a browser which keeps it
        has no use for it when the page asks for the bytes.
        """
        origin = request.headers.get("origin", "")
        own: list[tuple[bytes, bytes]] = []
        if origin in self._origins:
            own += [(b"vary", b"Origin, Access-Control-Request-Headers, Access-Control-Request-Method")]
            own += [(b"access-control-allow-origin", origin.encode()), (b"access-control-expose-headers", b"ETag")]
        from_gate = (b"access-control-allow-methods", b"access-control-allow-headers", b"access-control-max-age")

        async def send_with_cors(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = from_gate if request.method == "OPTIONS" and origin in self._origins else ()
                headers = [
                    (name, value)
                    for name, value in message["headers"]
                    if name.lower() in kept or not name.lower().startswith((b"access-control-", b"vary"))
                ]
                message = {**message, "headers": [*headers, *own]}
            await send(message)

        return send_with_cors


def _parse_authorization(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the parts of an Authorization header under their names in a presigned URL."""
    algorithm, _, rest = headers.get("authorization", "").partition(" ")
    parts = dict(part.strip().partition("=")[::2] for part in rest.split(","))
    fields = {f"X-Amz-{name}": value for name, value in parts.items()}
    return fields | {"X-Amz-Algorithm": algorithm, "X-Amz-Date": headers.get("x-amz-date", "")}


def _canonical_request(request: Request, query: list[tuple[str, str]], signed_headers: str, payload: str) -> str:
    names = signed_headers.split(";")
    if "host" not in names:
        raise Refused("The header host has to be signed.")
    pairs = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in query)
    lines = [f"{name}:{' '.join(','.join(request.headers.getlist(name)).split())}" for name in names]
    return "\n".join(
        [
            request.method,
            quote(request.scope["path"], safe="/-_.~"),
            "&".join(f"{name}={value}" for name, value in pairs),
            *lines,
            "",
            signed_headers,
            payload,
        ]
    )


def _check_policy(fields: Mapping[str, str], bucket: str) -> None:
    """Check that the policy covers every form field and that every condition of it holds.

    The condition on the file's length is left to MiniStack, which checks it.

    Raises:
        Refused: A field is not covered, a condition does not hold, or the policy has expired.
    """
    try:
        policy = json.loads(base64.b64decode(fields.get("policy", ""), validate=True))
        ends_at = datetime.fromisoformat(policy["expiration"])
        conditions = [_normalised(condition) for condition in policy["conditions"]]
        expired = datetime.now(UTC) > ends_at
    except (binascii.Error, ValueError, KeyError, TypeError, AttributeError):
        raise Refused("The policy cannot be read.") from None
    if expired:
        raise Refused("Invalid according to Policy: Policy expired.")
    given = {**fields, "bucket": bucket}
    for kind, name, wanted in conditions:
        value = given.get(name, "")
        if kind != "content-length-range" and not (
            value.startswith(wanted) if kind == "starts-with" else value == wanted
        ):
            raise Refused(f"Invalid according to Policy: Policy Condition failed: {name}")
    covered = {name for _, name, _ in conditions}
    for name in fields:
        if name not in covered and name not in FREE_FIELDS:
            raise Refused(f"Invalid according to Policy: Extra input fields: {name}")


def _normalised(condition: object) -> tuple[str, str, str]:
    """Return (kind, field, value) of a condition in either of its two forms.

    A length range has the field "" and no value.
    """
    if isinstance(condition, dict):
        ((name, value),) = condition.items()
        return "eq", str(name).lower(), str(value)
    if not isinstance(condition, list):
        raise TypeError("a condition is an object or a list")
    kind, first, second = condition
    if str(kind).lower() == "content-length-range":
        return "content-length-range", "", ""
    if str(kind).lower() not in ("eq", "starts-with"):
        raise ValueError("an unknown kind of condition")
    return str(kind).lower(), str(first).removeprefix("$").lower(), str(second)


def _parse_time(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise Refused("The request is not signed: it has no valid time.") from None


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


async def _read_body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_BYTES:
            raise Refused("The form is too large.")
    return bytes(body)


def _replay(body: bytes) -> Receive:
    """Return an ASGI `receive` that yields a body already read, for the next application."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return messages.pop() if messages else {"type": "http.disconnect"}

    return receive


def main(arguments: list[str]) -> None:
    """Serve S3 until SIGTERM, by default on the loopback interface."""
    parser = argparse.ArgumentParser(prog="python -m local.s3_gate", description="Serve S3 for signed requests only.")
    parser.add_argument("--host", default="127.0.0.1", help="the interface to listen on (%(default)s)")
    parser.add_argument("port", type=int)
    parser.add_argument("origins", nargs="?", default="", help="whose pages may use it, comma separated")
    options = parser.parse_args(arguments)
    import uvicorn
    from ministack.app import app

    gate = Gate(app, os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"], options.origins.split(","))
    # With httptools, a form of a client that offers HTTP/2 would lose its body (Java's client, `curl --http2`).
    uvicorn.run(gate, host=options.host, port=options.port, http="h11", log_level="error", timeout_graceful_shutdown=3)


if __name__ == "__main__":
    main(sys.argv[1:])
