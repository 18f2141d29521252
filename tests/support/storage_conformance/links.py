"""Presigned URLs: what they allow, and nothing else."""

import time
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from shared.clients.storage import CACHE_CONTROL
from shared.clients.storage_checks import Checklist, expect, expect_opens, expect_refused, tampered
from shared.clients.storage_probe import Probe

check = Checklist()


@check("The type and the cache's rule are answered as they were stored.")
def _link_headers(probe: Probe) -> None:
    headers = expect_opens(probe, probe.stored("headers")).headers
    expect(headers.get("Content-Type") == "image/png", "A picture comes with another Content-Type than was stored.")
    expect(headers.get("Cache-Control") == CACHE_CONTROL, "A picture comes with another Cache-Control than was stored.")


@check("A link for saving a picture gives it the file name.")
def _download_name(probe: Probe) -> None:
    url = probe.storage.presigned_url(probe.stored("download"), datetime.now(UTC), download_name="easel-1.png")
    answer = probe.send("GET", url)
    expect(answer.status == 200, f"A link with a file name was answered {answer.status}.")
    disposition = answer.headers.get("Content-Disposition")
    expect(disposition == 'attachment; filename="easel-1.png"', "The answer does not carry the file name asked for.")


@check("A part of an object can be asked for.")
def _range(probe: Probe) -> None:
    answer = probe.send("GET", probe.link(probe.stored("range")), headers={"Range": "bytes=1-2"})
    expect(answer.status == 206, f"A request for a part was answered {answer.status}.")
    expect(answer.body == b"23", "Another part came than was asked for.")
    expect(answer.headers.get("Content-Range") == "bytes 1-2/5", "The answer does not say which part it is.")


@check("The same picture keeps its URL within a window, gets a new one afterwards, and both open it.")
def _link_is_stable(probe: Probe) -> None:
    key = probe.stored("stable")
    window_s = probe.settings.url_ttl_s / 2
    start = datetime.fromtimestamp(time.time() // window_s * window_s, UTC)
    last = start + timedelta(seconds=window_s) - timedelta(milliseconds=1)
    urls = [probe.storage.presigned_url(key, at) for at in (start, last)]
    expect(urls[0] == urls[1], "A URL changed within its window.")
    before = probe.storage.presigned_url(key, start - timedelta(milliseconds=1))
    expect(before != urls[0], "A URL did not change after its window.")
    alive = urls[:1]
    if time.time() < start.timestamp() + window_s - 30:  # it expires with this window, which may end at any moment
        alive.append(before)
    for url in alive:
        expect(probe.send("GET", url).body == b"12345", "A URL is dead within its lifetime.")


@check("A presigned URL ends with its lifetime.")
def _link_expires(probe: Probe) -> None:
    expect_refused(probe.send("GET", _expired_link(probe)), "An expired URL")


@check("The lifetime of a presigned URL cannot be changed.")
def _link_extended(probe: Probe) -> None:
    lifetime = f"X-Amz-Expires={probe.settings.url_ttl_s}"
    url = _expired_link(probe).replace(lifetime, "X-Amz-Expires=604799")
    expect_refused(probe.send("GET", url), "An expired URL with a longer lifetime written into it")


@check("A presigned URL with another signature opens nothing.")
def _link_forged(probe: Probe) -> None:
    expect_refused(probe.send("GET", tampered(probe.link(probe.stored("forged")))), "A URL with a wrong signature")


@check("A presigned URL opens no other object.")
def _link_other_key(probe: Probe) -> None:
    url = probe.link(probe.stored("one")).replace("/one?", "/two?")
    probe.stored("two")
    expect_refused(probe.send("GET", url), "The URL of one object, used for another,")


@check("A presigned URL opens no other bucket.")
def _link_other_bucket(probe: Probe) -> None:
    bucket = probe.settings.s3_bucket
    url = probe.link(probe.stored("bucket")).replace(bucket, bucket[:-1] + ("0" if bucket[-1] != "0" else "1"), 1)
    if urlsplit(url).netloc != urlsplit(probe.link(probe.prefix)).netloc:
        return  # the bucket is part of the host name, which the signature covers like the key
    expect_refused(probe.send("GET", url), "The URL of one bucket, used for another,")


@check("Nothing can be added to a presigned URL, such as another type for the browser.")
def _link_added_parameter(probe: Probe) -> None:
    url = probe.link(probe.stored("added")) + "&response-content-type=text%2Fhtml"
    expect_refused(probe.send("GET", url), "A URL with another type written into it")


@check("A presigned URL for reading overwrites nothing.")
def _link_put(probe: Probe) -> None:
    key = probe.stored("put")
    expect_refused(probe.send("PUT", probe.link(key), body=b"6"), "A PUT with a URL for reading")
    expect_opens(probe, key)


@check("A presigned URL for reading deletes nothing.")
def _link_delete(probe: Probe) -> None:
    key = probe.stored("delete-by-link")
    expect_refused(probe.send("DELETE", probe.link(key)), "A DELETE with a URL for reading")
    expect_opens(probe, key)


def _expired_link(probe: Probe) -> str:
    lifetime = timedelta(seconds=probe.settings.url_ttl_s)
    return probe.storage.presigned_url(probe.stored("expired"), datetime.now(UTC) - lifetime)
