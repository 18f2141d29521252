"""Where a server deviates from S3. A superfluous entry fails like a missing one."""

# Server -> reason -> the names of the checks.
DEVIATIONS: dict[str, dict[str, str]] = {
    "Gate": {},
    "MiniStack": {
        "It accepts requests without a signature, and checks only that of a presigned URL.": (
            "anonymous-get anonymous-put anonymous-delete anonymous-list unknown-key wrong-secret clock-behind "
            "clock-ahead"
        ),
        "It checks only the size of a form.": (
            "form-other-type form-without-type form-other-key form-expires form-forged form-wrong-signature "
            "form-without-policy form-extra-field"
        ),
        "It allows the pages of every origin to do everything.": "other-page",
    },
    "moto": {
        "It checks neither signatures nor times.": (
            "link-expires link-extended link-forged link-other-key link-added-parameter link-put link-delete "
            "anonymous-put anonymous-list unknown-key wrong-secret clock-behind clock-ahead"
        ),
        "It does not check the rules of a form.": (
            "form-smaller form-larger form-other-type form-without-type form-other-key form-expires form-forged "
            "form-wrong-signature form-without-policy form-extra-field"
        ),
    },
    "LocalStack": {
        "It accepts requests without a signature, and checks only that of a presigned URL.": (
            "anonymous-get anonymous-put anonymous-delete anonymous-list unknown-key wrong-secret clock-behind "
            "clock-ahead"
        ),
        "It accepts a form without checking its signature, and fields that the rules do not name.": (
            "form-forged form-wrong-signature form-without-policy form-extra-field"
        ),
    },
    "MinIO": {},
}

# What provisioning skips there, by the names in its output. None of these servers is reached over TLS.
LEFT_OUT: dict[str, set[str]] = {
    "Gate": {"TLS only"},
    "MiniStack": {"TLS only"},
    "moto": {"TLS only"},
    "LocalStack": {"TLS only"},
    "MinIO": {"TLS only", "CORS", "unfinished uploads", "encryption", "no public access"},
}


def deviations_of(server: str) -> dict[str, str]:
    """Return each check that the server does not pass, with the reason."""
    return {name: reason for reason, names in DEVIATIONS[server].items() for name in names.split()}
