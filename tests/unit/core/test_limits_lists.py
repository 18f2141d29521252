"""Programs that cannot import the limits keep to the same ones."""

import re

from shared.core.limits import MAX_UPLOAD_BYTES
from tests.support.paths import ROOT

FORM_BYTES = 1024 * 1024
"""What a form may have around its file."""


def test_the_site_uploads_no_more() -> None:
    code = (ROOT / "web" / "lib" / "picture-storage.js").read_text(encoding="utf-8")
    [factors] = re.findall(r"UPLOAD_BYTES = (\d+) \* 1024 \* 1024;", code)
    assert int(factors) * 1024 * 1024 == MAX_UPLOAD_BYTES


def test_nginx_lets_an_upload_with_its_form_through() -> None:
    template = (ROOT / "docker" / "nginx" / "nginx.conf.template").read_text(encoding="utf-8")
    sizes = [int(size) * 1024 * 1024 for size in re.findall(r"client_max_body_size (\d+)m;", template)]
    assert max(sizes) == MAX_UPLOAD_BYTES + FORM_BYTES
