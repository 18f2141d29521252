"""Replies of hostile servers, for any call and for the calls of each protocol.

Each is (name, reply, class of error, its code).
"""

import base64
import gzip
import io
import json
import struct
import zlib

from PIL import Image

from shared.generators.base import (
    ForgottenId,
    GeneratorBroken,
    GeneratorError,
    GeneratorRefused,
    GeneratorUnavailable,
)
from tests.support.hostile_server import Reply, drip, endless, http, in_turn, once, reset, silent

Row = tuple[str, Reply, type[GeneratorError], str]

HTML = b"<!doctype html><title>It works</title>"
PICTURE = base64.b64encode(b"picture").decode()
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
OPEN_BODY = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"


def ok(body: object, *headers: str) -> Reply:
    return once(http("200 OK", body if isinstance(body, bytes) else json.dumps(body).encode(), *headers))


def says(status: str, body: bytes = b"{}", *headers: str) -> Reply:
    return once(http(status, body, *headers))


# Replies for any protocol and any call.
ANY_CALL: list[Row] = [
    ("html", ok(HTML), GeneratorBroken, "generator_bad_json"),
    ("empty", ok(b""), GeneratorBroken, "generator_empty"),
    ("204", once(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"), GeneratorBroken, "generator_bad_http"),
    ("not utf-8", ok(b'"\xff\xfe"'), GeneratorBroken, "generator_bad_text"),
    ("nan", ok(b"NaN"), GeneratorBroken, "generator_bad_json"),
    ("deep", ok(b"[" * 30_000), GeneratorBroken, "generator_bad_json"),
    ("deep and closed", ok(b"[" * 30_000 + b"]" * 30_000), GeneratorBroken, "generator_bad_json"),
    ("5000 digits", ok(b"9" * 5000), GeneratorBroken, "generator_bad_json"),
    ("two values", ok(b"1 2"), GeneratorBroken, "generator_bad_json"),
    ("400", says("400 Bad Request"), GeneratorRefused, "generator_refused"),
    ("413", says("413 Content Too Large"), GeneratorRefused, "generator_refused"),
    ("422", says("422 Unprocessable Content"), GeneratorRefused, "generator_refused"),
    ("401", says("401 Unauthorized"), GeneratorUnavailable, "generator_misconfigured"),
    ("404", says("404 Not Found", HTML), GeneratorUnavailable, "generator_misconfigured"),
    ("409", says("409 Conflict"), GeneratorBroken, "generator_bad_http"),
    ("408", says("408 Request Timeout"), GeneratorUnavailable, "generator_down"),
    ("414", says("414 URI Too Long", HTML), GeneratorRefused, "generator_refused"),
    ("429", says("429 Too Many Requests", b"{}", "Retry-After: 5"), GeneratorUnavailable, "generator_busy"),
    ("500", says("500 Internal Server Error", HTML), GeneratorUnavailable, "generator_down"),
    ("503", says("503 Service Unavailable"), GeneratorUnavailable, "generator_down"),
    ("redirect", says("302 Found", b"", "Location: http://127.0.0.1:1/"), GeneratorUnavailable, "generator_redirected"),
    ("redirect junk", says("301 M", b"", "Location: ht!tp://[:"), GeneratorUnavailable, "generator_redirected"),
    (
        "redirect with an endless body",
        endless(b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n", b"x" * 65536),
        GeneratorBroken,
        "generator_too_large",
    ),
    ("silence", silent, GeneratorUnavailable, "generator_timeout"),
    ("hang up", once(b""), GeneratorUnavailable, "generator_hung_up"),
    ("reset", reset(b""), GeneratorUnavailable, "generator_hung_up"),
    ("not HTTP", once(b"SSH-2.0-OpenSSH_9.6\r\n"), GeneratorBroken, "generator_bad_http"),
    ("endless status line", endless(b"HTTP/1.1 200 ", b"x" * 65536), GeneratorBroken, "generator_bad_http"),
    ("endless headers", endless(b"HTTP/1.1 200 OK\r\n", b"A: b\r\n" * 100), GeneratorBroken, "generator_bad_http"),
    ("drip of headers", drip(b"HTTP/1.1 200 OK\r\n", b"x"), GeneratorUnavailable, "generator_timeout"),
    ("drip of a body", drip(OPEN_BODY, b" "), GeneratorUnavailable, "generator_timeout"),
    ("drip of a chunk's size", drip(CHUNKED, b"0"), GeneratorUnavailable, "generator_timeout"),
    (
        "hundreds of 100",
        endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        GeneratorUnavailable,
        "generator_timeout",
    ),
    (
        "one header of 100 KB",
        once(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n{}"),
        GeneratorBroken,
        "generator_bad_http",
    ),
    (
        "a thousand headers",
        once(b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(1000)) + b"\r\n{}"),
        GeneratorBroken,
        "generator_bad_http",
    ),
    ("endless body", endless(OPEN_BODY, b" " * 65536), GeneratorBroken, "generator_too_large"),
    (
        "endless chunks",
        endless(CHUNKED, (b"400\r\n" + b" " * 1024 + b"\r\n") * 16),
        GeneratorBroken,
        "generator_too_large",
    ),
    ("endless chunk size", endless(CHUNKED, b"0" * 65536), GeneratorBroken, "generator_cut_off"),
    (
        "announced as huge",
        once(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n1"),
        GeneratorBroken,
        "generator_too_large",
    ),
    ("shorter than announced", once(http("200 OK", b"17")[:-1]), GeneratorBroken, "generator_cut_off"),
    ("reset in the body", reset(http("200 OK", b"1" * 100)[:-50]), GeneratorBroken, "generator_cut_off"),
    ("chunk cut off", once(CHUNKED + b"5\r\n12"), GeneratorBroken, "generator_cut_off"),
    ("chunk junk", once(CHUNKED + b"zz\r\n12\r\n0\r\n\r\n"), GeneratorBroken, "generator_cut_off"),
    (
        "gzip bomb",
        ok(gzip.compress(b" " * 50_000_000), "Content-Encoding: gzip"),
        GeneratorBroken,
        "generator_encoded",
    ),
]

NEW_ORDER: list[Row] = [
    ("id not whole", ok(17.5), GeneratorBroken, "generator_bad_id"),
    ("id bool", ok(True), GeneratorBroken, "generator_bad_id"),
    ("id null", ok(None), GeneratorBroken, "generator_bad_id"),
    ("id list", ok([17]), GeneratorBroken, "generator_bad_id"),
    ("id negative", ok(-1), GeneratorBroken, "generator_bad_id"),
    ("id of 200 digits", ok(b"9" * 200), GeneratorBroken, "generator_bad_id"),
    ("id whole, but too large for a float", ok(1e300), GeneratorBroken, "generator_bad_id"),
    ("two ids", ok({"ID": 17, "Id": 18}), GeneratorBroken, "generator_bad_id"),
    ("id empty", ok(""), GeneratorBroken, "generator_bad_id"),
    ("id long", ok("x" * 129), GeneratorBroken, "generator_bad_id"),
    ("id with a newline", ok("1\n2"), GeneratorBroken, "generator_bad_id"),
    ("id surrogate", ok(b'"\\ud800"'), GeneratorBroken, "generator_bad_id"),
    ("object without id", ok({"number": 17}), GeneratorBroken, "generator_bad_id"),
    ("id in the id", ok({"id": {"id": 17}}), GeneratorBroken, "generator_bad_id"),
]

STATUS: list[Row] = [
    ("404", says("404 Not Found"), ForgottenId, "generator_forgot"),
    ("410", says("410 Gone"), ForgottenId, "generator_forgot"),
    ("422", says("422 Unprocessable Content"), GeneratorBroken, "generator_bad_http"),
    ("html", ok(HTML), GeneratorBroken, "generator_bad_status"),
    ("unknown", ok("done"), GeneratorBroken, "generator_bad_status"),
    ("unknown in plain text", ok(b"dreaming"), GeneratorBroken, "generator_bad_status"),
    ("two words", ok("finished finished"), GeneratorBroken, "generator_bad_status"),
    ("number", ok(3), GeneratorBroken, "generator_bad_status"),
    ("nan", ok(b"NaN"), GeneratorBroken, "generator_bad_status"),
    ("object", ok({"phase": "finished"}), GeneratorBroken, "generator_bad_shape"),
    ("two statuses", ok({"STATUS": "finished", "Status": "error"}), GeneratorBroken, "generator_bad_shape"),
    ("half a position", ok("queue position: 3.5"), GeneratorBroken, "generator_bad_position"),
    ("200 percent beside", ok({"status": "processing", "progress": 200}), GeneratorBroken, "generator_bad_progress"),
    ("a list beside", ok({"status": "processing", "progress": [1]}), GeneratorBroken, "generator_bad_progress"),
    ("half a string", ok(b'"finished'), GeneratorBroken, "generator_bad_json"),
    ("deep", ok(b"[" * 30_000), GeneratorBroken, "generator_bad_json"),
    ("negative position", ok("queue position: -1"), GeneratorBroken, "generator_bad_position"),
    ("huge position", ok("queue position: 99999999999"), GeneratorBroken, "generator_bad_position"),
    ("no position", ok("queue position: "), GeneratorBroken, "generator_bad_position"),
    ("position in other digits", ok("queue position: ٣"), GeneratorBroken, "generator_bad_position"),
    ("101 percent", ok("processing: 101%"), GeneratorBroken, "generator_bad_progress"),
    ("negative percent", ok("processing: -1%"), GeneratorBroken, "generator_bad_progress"),
    ("nan percent", ok("processing: nan%"), GeneratorBroken, "generator_bad_progress"),
    ("500", says("500 Internal Server Error"), GeneratorUnavailable, "generator_down"),
]

RESULT: list[Row] = [
    ("404", says("404 Not Found"), ForgottenId, "generator_forgot"),
    ("list", ok([PICTURE]), GeneratorBroken, "generator_bad_shape"),
    ("imgs a number", ok({"imgs": 1}), GeneratorBroken, "generator_bad_shape"),
    ("imgs null", ok({"imgs": None}), GeneratorBroken, "generator_bad_shape"),
    ("imgs of numbers", ok({"imgs": [1], "descs": ["a"]}), GeneratorBroken, "generator_bad_shape"),
    ("no imgs", ok({"descs": ["a"]}), GeneratorBroken, "generator_wrong_image_count"),
    ("too few imgs", ok({"imgs": [], "descs": ["a"]}), GeneratorBroken, "generator_wrong_image_count"),
    ("too many imgs", ok({"imgs": [PICTURE] * 2, "descs": ["a"]}), GeneratorBroken, "generator_wrong_image_count"),
    ("junk base64", ok({"imgs": ["%%%"], "descs": ["a"]}), GeneratorBroken, "generator_bad_base64"),
    ("half a byte", ok({"imgs": ["QUJDR"], "descs": ["a"]}), GeneratorBroken, "generator_bad_base64"),
    ("padding in the middle", ok({"imgs": ["QQ==QUJD"], "descs": ["a"]}), GeneratorBroken, "generator_bad_base64"),
    ("not ASCII", ok({"imgs": ["картина"], "descs": ["a"]}), GeneratorBroken, "generator_bad_base64"),
    ("data URL", ok({"imgs": ["data:image/png," + PICTURE]}), GeneratorBroken, "generator_bad_base64"),
    ("empty picture", ok({"imgs": [""], "descs": ["a"]}), GeneratorBroken, "generator_bad_base64"),
    ("no descs", ok({"imgs": [PICTURE]}), GeneratorBroken, "generator_wrong_text_count"),
    ("too many descs", ok({"imgs": [PICTURE], "descs": ["a", "b"]}), GeneratorBroken, "generator_wrong_text_count"),
    ("descs a number", ok({"imgs": [PICTURE], "descs": 1}), GeneratorBroken, "generator_bad_shape"),
    ("desc a number", ok({"imgs": [PICTURE], "descs": [1]}), GeneratorBroken, "generator_bad_description"),
    ("desc with NUL", ok({"imgs": [PICTURE], "descs": ["a\0"]}), GeneratorBroken, "generator_bad_description"),
    ("long desc", ok({"imgs": [PICTURE], "descs": ["a" * 10_001]}), GeneratorBroken, "generator_bad_description"),
    (
        "half a surrogate",
        ok({"imgs": [PICTURE], "descs": ["\ud800"]}),
        GeneratorBroken,
        "generator_bad_description",
    ),
    (
        "too many frames",
        ok({"imgs": [PICTURE], "descs": ["a"], "frames": [PICTURE] * 3}),
        GeneratorBroken,
        "generator_too_many_frames",
    ),
    ("more than the order needs", ok(b" " * 600_000), GeneratorBroken, "generator_too_large"),
    ("endless", endless(OPEN_BODY, b" " * 65536), GeneratorBroken, "generator_too_large"),
    ("drip", drip(OPEN_BODY, b" "), GeneratorUnavailable, "generator_timeout"),
    ("html", ok(HTML), GeneratorBroken, "generator_bad_json"),
    ("lists that grow", ok(b"[" + b"[]," * 90_000 + b"[]]"), GeneratorBroken, "generator_bad_json"),
]


def png(width: int, height: int, **changes: bytes) -> bytes:
    """Return a PNG, with the chunks of these names replaced."""
    ihdr = changes.get("IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    chunks = [(b"IHDR", ihdr), (b"IDAT", changes.get("IDAT", zlib.compress(b"\0" * (height * (3 * width + 1)))))]
    parts = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in (*chunks, (b"IEND", b""))
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def saved(kind: str, width: int, height: int, colour: tuple[int, int, int] = (0, 0, 0)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(buffer, kind)
    return buffer.getvalue()


def sheet(data: bytes, **more: object) -> Reply:
    return ok({"image": base64.b64encode(data).decode(), "image_size": 64, **more})


BAD_SIZE, BAD_SHEET, BAD_BASE64 = "generator_wrong_sheet_size", "generator_bad_sheet", "generator_bad_base64"
BAD_SHAPE, TOO_LARGE = "generator_bad_shape", "generator_too_large"

# For a request of three 64x64 pictures. Errors within a single picture are found by its decoder.
GLIDE_SHEET: list[Row] = [
    ("list", ok([PICTURE]), GeneratorBroken, BAD_SHAPE),
    ("text", ok(PICTURE), GeneratorBroken, BAD_SHAPE),
    ("null", ok(None), GeneratorBroken, BAD_SHAPE),
    ("no image", ok({"image_size": 64}), GeneratorBroken, BAD_SHAPE),
    ("image null", ok({"image": None}), GeneratorBroken, BAD_SHAPE),
    ("image a list", ok({"image": [PICTURE]}), GeneratorBroken, BAD_SHAPE),
    ("image a number", ok({"image": 10**300}), GeneratorBroken, BAD_SHAPE),
    ("NaN beside the image", ok(b'{"image": "QUJD", "image_size": NaN}'), GeneratorBroken, "generator_bad_json"),
    ("empty", ok({"image": ""}), GeneratorBroken, BAD_BASE64),
    ("junk base64", ok({"image": "%%%"}), GeneratorBroken, BAD_BASE64),
    ("half a byte", ok({"image": "QUJDR"}), GeneratorBroken, BAD_BASE64),
    ("not ASCII", ok({"image": "картина"}), GeneratorBroken, BAD_BASE64),
    ("data URL", ok({"image": "data:image/png," + PICTURE}), GeneratorBroken, BAD_BASE64),
    ("no picture", sheet(b"picture"), GeneratorBroken, BAD_SHEET),
    ("HTML in base64", sheet(HTML), GeneratorBroken, BAD_SHEET),
    ("half a JPEG", sheet(saved("JPEG", 192, 64)[:300]), GeneratorBroken, BAD_SHEET),
    ("JPEG too wide", sheet(saved("JPEG", 200, 64)), GeneratorBroken, BAD_SIZE),
    ("GIF", sheet(saved("GIF", 192, 64)), GeneratorBroken, BAD_SHEET),
    ("signature alone", sheet(b"\x89PNG\r\n\x1a\n"), GeneratorBroken, BAD_SHEET),
    ("header alone", sheet(png(192, 64)[:40]), GeneratorBroken, BAD_SHEET),
    ("cut off", sheet(png(192, 64)[:-30]), GeneratorBroken, BAD_SHEET),
    ("pixels missing", sheet(png(192, 64, IDAT=zlib.compress(b"\0" * 99))), GeneratorBroken, BAD_SHEET),
    ("pixels that are no zlib", sheet(png(192, 64, IDAT=b"x" * 99)), GeneratorBroken, BAD_SHEET),
    (
        "colour type unknown",
        sheet(png(192, 64, IHDR=struct.pack(">IIBBBBB", 192, 64, 8, 5, 0, 0, 0))),
        GeneratorBroken,
        BAD_SHEET,
    ),
    ("one picture", sheet(png(64, 64)), GeneratorBroken, BAD_SIZE),
    ("two pictures", sheet(png(128, 64)), GeneratorBroken, BAD_SIZE),
    ("four pictures", sheet(png(128, 128)), GeneratorBroken, BAD_SIZE),
    ("larger pictures", sheet(png(384, 128)), GeneratorBroken, BAD_SIZE),
    ("a pixel too wide", sheet(png(193, 64)), GeneratorBroken, BAD_SIZE),
    ("with a margin", sheet(png(202, 66)), GeneratorBroken, BAD_SIZE),
    ("no pixels", sheet(png(0, 0, IDAT=b"")), GeneratorBroken, BAD_SIZE),
    (
        "a bomb of 2^31 pixels a side",
        sheet(png(0, 0, IHDR=struct.pack(">IIBBBBB", 2**31 - 1, 2**31 - 1, 8, 2, 0, 0, 0))),
        GeneratorBroken,
        BAD_SIZE,
    ),
    ("more than the order needs", ok(b" " * 600_000), GeneratorBroken, TOO_LARGE),
    ("gone", says("410 Gone"), GeneratorBroken, "generator_bad_http"),
]


def model_first(reply: Reply) -> Reply:
    """Answer the first call with a list of models, as a server with OpenAI's API does, and the others as given."""
    return in_turn(ok({"data": [{"id": "a-model", "object": "model", "owned_by": "openai"}]}), reply)


def items(*given: object) -> Reply:
    return ok({"created": 0, "data": list(given)})


def elsewhere(url: str) -> Reply:
    return items({"url": url})


ONE = {"b64_json": PICTURE}
WRONG_COUNT, BAD_LINK = "generator_wrong_image_count", "generator_bad_link"

# For a request of three pictures.
OPENAI_IMAGES: list[Row] = [
    ("list", ok([ONE] * 3), GeneratorBroken, BAD_SHAPE),
    ("text", ok(PICTURE), GeneratorBroken, BAD_SHAPE),
    ("null", ok(None), GeneratorBroken, BAD_SHAPE),
    ("no data", ok({"created": 0}), GeneratorBroken, BAD_SHAPE),
    ("an error with 200", ok({"error": {"message": "no"}}), GeneratorBroken, BAD_SHAPE),
    ("data null", ok({"data": None}), GeneratorBroken, BAD_SHAPE),
    ("data an object", ok({"data": ONE}), GeneratorBroken, BAD_SHAPE),
    ("data of text", ok({"data": [PICTURE] * 3}), GeneratorBroken, BAD_SHAPE),
    ("data twice", ok({"DATA": [ONE], "Data": [ONE]}), GeneratorBroken, BAD_SHAPE),
    ("no pictures", items(), GeneratorBroken, WRONG_COUNT),
    ("four pictures", items(*[ONE] * 4), GeneratorBroken, WRONG_COUNT),
    ("forty thousand pictures", items(*[{}] * 40_000), GeneratorBroken, WRONG_COUNT),
    ("an empty object", items({}), GeneratorBroken, BAD_SHAPE),
    ("null beside a picture", items(ONE, None), GeneratorBroken, BAD_SHAPE),
    ("a path of its machine, as SGLang has it", items({"file_path": "/srv/a.png"}), GeneratorBroken, BAD_SHAPE),
    ("accepted for later", says("202 Accepted", b'{"id": "7", "status": "queued"}'), GeneratorBroken, BAD_SHAPE),
    (
        "an error beside no pictures",
        ok({"data": [], "error": {"message": "out of memory"}}),
        GeneratorBroken,
        WRONG_COUNT,
    ),
    (
        "a partial picture",
        ok({"type": "image_generation.partial_image", "b64_json": PICTURE}),
        GeneratorBroken,
        BAD_SHAPE,
    ),
    ("a stream of events", ok(b'data: {"b64_json": "QUJD"}\n\n'), GeneratorBroken, "generator_bad_json"),
    ("both null", items({"b64_json": None, "url": None}), GeneratorBroken, BAD_SHAPE),
    ("a number", items({"b64_json": 1}), GeneratorBroken, BAD_SHAPE),
    ("a list", items({"b64_json": [PICTURE]}), GeneratorBroken, BAD_SHAPE),
    ("url a number", items({"url": 1}), GeneratorBroken, BAD_SHAPE),
    ("NaN beside them", ok(b'{"data": [], "created": NaN}'), GeneratorBroken, "generator_bad_json"),
    ("empty", items({"b64_json": ""}), GeneratorBroken, BAD_BASE64),
    ("junk base64", items({"b64_json": "%%%"}), GeneratorBroken, BAD_BASE64),
    ("half a byte", items({"b64_json": "QUJDR"}), GeneratorBroken, BAD_BASE64),
    ("not ASCII", items({"b64_json": "картина"}), GeneratorBroken, BAD_BASE64),
    ("a data URL without base64", items({"url": "data:image/png," + PICTURE}), GeneratorBroken, BAD_BASE64),
    ("another host", elsewhere("http://169.254.169.254/latest/"), GeneratorBroken, BAD_LINK),
    ("another port", elsewhere("http://127.0.0.1:1/a.png"), GeneratorBroken, BAD_LINK),
    ("another scheme", elsewhere("https://127.0.0.1/a.png"), GeneratorBroken, BAD_LINK),
    ("a file", elsewhere("file:///etc/passwd"), GeneratorBroken, BAD_LINK),
    ("a path of its machine", elsewhere("C:\\pictures\\a.png"), GeneratorBroken, BAD_LINK),
    ("another host without a scheme", elsewhere("//example.com/a.png"), GeneratorBroken, BAD_LINK),
    ("a relative path", elsewhere("a.png"), GeneratorBroken, BAD_LINK),
    ("a URL that cannot be read", elsewhere("http://[::1/a.png"), GeneratorBroken, BAD_LINK),
    ("a port that is none", elsewhere("http://127.0.0.1:port/a.png"), GeneratorBroken, BAD_LINK),
    ("a space", elsewhere("/a b.png"), GeneratorBroken, BAD_LINK),
    ("a header", elsewhere("/a.png HTTP/1.1\r\nX: y"), GeneratorBroken, BAD_LINK),
    ("other letters", elsewhere("/картина.png"), GeneratorBroken, BAD_LINK),
    ("a very long URL", elsewhere("/" + "a" * 4096), GeneratorBroken, BAD_LINK),
    ("more than the order needs", ok(b" " * 600_000), GeneratorBroken, TOO_LARGE),
    ("gone", says("410 Gone"), GeneratorBroken, "generator_bad_http"),
    (
        "a picture that is gone",
        in_turn(elsewhere("/a.png"), says("404 Not Found")),
        GeneratorBroken,
        BAD_LINK,
    ),
    (
        "a picture that is elsewhere",
        in_turn(elsewhere("/a.png"), says("302 Found", b"", "Location: http://127.0.0.1:1/")),
        GeneratorBroken,
        BAD_LINK,
    ),
    ("an empty picture", in_turn(elsewhere("/a.png"), ok(b"")), GeneratorBroken, "generator_empty"),
    (
        "an endless picture",
        in_turn(elsewhere("/a.png"), endless(OPEN_BODY, b" " * 65536)),
        GeneratorBroken,
        TOO_LARGE,
    ),
    (
        "a picture that drips",
        in_turn(elsewhere("/a.png"), drip(OPEN_BODY, b" ")),
        GeneratorUnavailable,
        "generator_timeout",
    ),
]
