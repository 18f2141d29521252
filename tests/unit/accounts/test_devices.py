"""Devices in a few words."""

import pytest

from shared.accounts.devices import MAX_CHARACTERS, describe

CASES = [
    ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox, Linux"),
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
        " Chrome/139.0.0.0 Safari/537.36 Edg/139.0.0.0",
        "Edge, Windows",
    ),
    (
        "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Mobile Safari/537.36",
        "Chrome, Android",
    ),
    (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
        " Version/18.5 Mobile/15E148 Safari/604.1",
        "Safari, iPhone",
    ),
    ("curl/8.5.0", "curl"),
    ("python-requests/2.32.4", "python-requests"),
    ("", None),
    ("<script>", None),
    ("\u0441\u0430\u0439\u0442", None),
]


@pytest.mark.parametrize(("user_agent", "device"), CASES, ids=[str(device) for _, device in CASES])
def test_a_device_has_a_few_words(user_agent: str, device: str | None) -> None:
    assert describe(user_agent) == device


def test_a_long_name_is_cut() -> None:
    assert describe("x" * 100_000) == "x" * MAX_CHARACTERS
