"""Import every function of the bundle and its late imports; print the imported files of the bundle as JSON.

`python -I -S everything_imported.py <bundle> [<folder with boto3>]`; nothing else is on the path.
"""

import importlib
import json
import sys
from pathlib import Path


def load(root: Path) -> None:
    """Load what warm functions have loaded: clients of storage and broker, and the password hash."""
    for route in json.loads((root / "functions" / "manifest.json").read_text()):
        assert callable(importlib.import_module(f"functions.{route['name']}").handler)
    import mangum  # noqa: F401
    import pyotp  # noqa: F401 # of second factors
    import segno  # noqa: F401
    import webauthn  # noqa: F401 # of passkeys
    from argon2 import PasswordHasher
    from zxcvbn import zxcvbn

    import shared.accounts.openid_tokens  # of sign-ins at a provider
    import shared.images.photo_measures  # the program that looks at photos
    import shared.images.source_rules  # of submits with start pictures
    from shared.core.settings import Settings
    from shared.services import Services

    nowhere = {
        "EASEL_DATABASE_URL": "postgresql://easel@127.0.0.1:1/easel",
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
    }
    brokers = ["redis://127.0.0.1:1/0"]
    if len(sys.argv) > 2:
        brokers.append("sqs+http://127.0.0.1:1/123456789012/easel")
    for broker in brokers:
        services = Services(Settings.from_environment({**nowhere, "EASEL_BROKER_URL": broker}))
        services.wake_ups.wake()
        assert services.storage
        assert services.models
    assert shared.accounts.openid_tokens
    assert shared.images.source_rules
    assert shared.images.photo_measures
    zxcvbn("a")
    PasswordHasher().hash("a long password")


root = Path(sys.argv[1])
sys.path[:0] = sys.argv[1:]
load(root)
files = [Path(file) for module in list(sys.modules.values()) if (file := getattr(module, "__file__", None))]
mapped = {Path(line.split()[-1]) for line in Path("/proc/self/maps").read_text().splitlines() if "/" in line}
found = {str(file.relative_to(root)) for file in {*files, *mapped} if file.is_relative_to(root)}
sys.stdout.write(json.dumps(sorted(found)))
