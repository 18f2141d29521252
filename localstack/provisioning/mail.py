"""The sender's address, on SES."""

from collections.abc import Iterable, Mapping
from email.utils import parseaddr

from provisioning.clients import connect, split_url
from provisioning.items import Item, settle


def mail(env: Mapping[str, str]) -> Iterable[str]:
    """Register the sender's address. AWS sends a mail to it, which must be confirmed."""
    url = env.get("EASEL_MAIL_URL", "")
    parts = split_url("EASEL_MAIL_URL", url)
    if url and parts.scheme != "ses":
        yield "mail: left out, since EASEL_MAIL_URL does not name SES"
        return
    address = parseaddr(env.get("EASEL_MAIL_FROM", ""))[1]
    if "@" not in address:
        yield "mail: left out, since EASEL_MAIL_FROM is not set to an address"
        return
    ses = connect("ses", None, parts.netloc or None)
    domain = address.rpartition("@")[2]

    def read() -> bool | None:
        pages = ses.get_paginator("list_identities").paginate()
        known = {identity for page in pages for identity in page["Identities"]}
        return bool(known & {address, domain}) or None

    yield settle(Item(f"mail from {address}", read, True, lambda: ses.verify_email_identity(EmailAddress=address)))
