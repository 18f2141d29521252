"""For how long an answer with presigned URLs may be cached."""

from shared.services import Services


def link_max_age_s(services: Services) -> int:
    """Return the seconds: a presigned URL is valid for at least half of its lifetime."""
    return min(60, services.settings.url_ttl_s // 2)
