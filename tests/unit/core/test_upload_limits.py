"""Programs that cannot import the limits use the same values."""

import re

from shared.core.limits import MAX_UPLOAD_BYTES
from tests.support.paths import ROOT

FORM_BYTES = 1024 * 1024
"""The maximum size of an upload form without its file."""


def test_the_site_has_the_same_upload_limit() -> None:
    code = (ROOT / "web" / "lib" / "picture-storage.js").read_text(encoding="utf-8")
    [factors] = re.findall(r"UPLOAD_BYTES = (\d+) \* 1024 \* 1024;", code)
    assert int(factors) * 1024 * 1024 == MAX_UPLOAD_BYTES


def test_nginx_accepts_the_largest_upload_form() -> None:
    template = (ROOT / "docker" / "nginx" / "nginx.conf.template").read_text(encoding="utf-8")
    sizes = [int(size) * 1024 * 1024 for size in re.findall(r"client_max_body_size (\d+)m;", template)]
    assert max(sizes) == MAX_UPLOAD_BYTES + FORM_BYTES
