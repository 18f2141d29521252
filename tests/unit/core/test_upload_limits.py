"""Programs that cannot import the limits use the same values."""

import math
import re

from shared.core.limits import MAX_UPLOAD_BYTES
from shared.images import source_rules
from tests.support.paths import ROOT

FORM_BYTES = 1024 * 1024
"""The maximum size of an upload form without its file."""


def test_the_site_has_the_same_upload_limit() -> None:
    code = (ROOT / "web" / "lib" / "picture-storage.js").read_text(encoding="utf-8")
    [factors] = re.findall(r"UPLOAD_BYTES = (\d+) \* 1024 \* 1024;", code)
    assert int(factors) * 1024 * 1024 == MAX_UPLOAD_BYTES


def test_the_site_has_the_same_limits_of_pixels() -> None:
    code = (ROOT / "web" / "lib" / "start-check.js").read_text(encoding="utf-8")
    found = dict(re.findall(r"const (MAX_\w+) = ([\d *]+);", code))
    side, pixels, webp = (
        math.prod(map(int, found[name].split("*"))) for name in ("MAX_SIDE_PX", "MAX_PIXELS", "MAX_WEBP_PIXELS")
    )
    assert (side, pixels, webp) == (
        source_rules.MAX_SIDE_PX,
        source_rules.MAX_UPLOAD_PIXELS,
        source_rules.MAX_WEBP_PIXELS,
    )


def test_nginx_accepts_the_largest_upload_form() -> None:
    template = (ROOT / "docker" / "nginx" / "nginx.conf.template").read_text(encoding="utf-8")
    sizes = [int(size) * 1024 * 1024 for size in re.findall(r"client_max_body_size (\d+)m;", template)]
    assert max(sizes) == MAX_UPLOAD_BYTES + FORM_BYTES
