"""The probes of `easel check` that look at what Easel speaks to: generators, mail, and its own public address."""

import json
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

from cli.findings import Finding, ok, warning, wrong
from cli.printable import beginning, printable

if TYPE_CHECKING:
    from shared.services import Services

CONNECT_S, ANSWER_S = 3.0, 10.0
ANSWER_BYTES = 100_000


def generators(services: "Services") -> Iterator[Finding]:
    """Each configured one is asked for its health, in its own protocol."""
    from shared.admin import jobs as operation

    answers = operation.ask_generators(services)
    if not answers:
        yield warning("EASEL_GENERATORS names none here, so none was asked.")
    for answer in answers:
        name, protocol = answer.address.name, answer.address.protocol
        if answer.error is not None:
            yield wrong(f"{name} ({protocol}): {printable(answer.error)} Jobs go to the others, or wait for it.")
            continue
        told = [answer.engine, *sorted(answer.extensions)]
        words = beginning(", ".join(filter(None, told)))
        yield ok(f"{name} answers in {protocol}{f' ({words})' if words else ''}.")


def mail(services: "Services", send_to: str | None) -> Iterator[Finding]:
    """The server greets and lets Easel in; a mail is sent to the given address alone."""
    from shared.notify import mail
    from shared.notify import outbox as notices

    if not services.sends_mail:
        if send_to is None:
            yield ok("EASEL_MAIL_URL is not set: the site sends no mail, and does not offer it.")
        else:
            yield wrong("EASEL_MAIL_URL is not set, so no mail was sent.")
        return
    with closing(mail.connect(services.settings)) as mailer:
        try:
            ready = mailer.check()
        except mail.MailServerDown as error:
            yield wrong(f"No mail can be sent: {error}. See EASEL_MAIL_URL; jobs go on, their mail is tried for a day.")
            return
        yield ok(f"Ready: {ready.words}.")
        for doubt in ready.doubts:
            yield warning(doubt)
        if send_to is not None:
            try:
                mailer.send(notices.compose_trial(send_to, services.settings))
            except (mail.MailRefused, mail.MailDelayed) as error:
                yield wrong(f"The trial was not taken: {error}.")
            else:
                yield ok(f"A trial was taken for {printable(send_to)}. See whether it arrives, and whether as spam.")


def public_address(services: "Services") -> Iterator[Finding]:
    """The site answers at the address that it gives people."""
    import requests

    url = services.settings.public_url
    with requests.Session() as session:
        try:
            status, body, _ = _get(session, f"{url}/v1/health")
            site_status, _, site_type = _get(session, f"{url}/")
        except requests.RequestException as error:
            yield wrong(
                f"{url} cannot be reached from here ({type(error).__name__}). See that the gateway runs, that"
                " EASEL_PUBLIC_URL is right, and that name and certificate are in order."
            )
            return
    checks = _checks(body)
    if checks is None:
        yield wrong(f"{url}/v1/health answers {status}, but not as Easel does. Is another program there, or a proxy?")
    elif status != 200:
        ill = "; ".join(f"{part}: {word}" for part, word in checks.items() if word != "ok")
        yield wrong(f"{url} answers, but says that it is not well: {beginning(ill)}")
    else:
        yield ok(f"{url} answers and is well.")
    if site_status != 200 or not site_type.startswith("text/html"):
        yield warning(f"{url}/ answers {site_status} and no page: the API is there, the site is not.")


def _get(session: object, url: str) -> tuple[int, bytes, str]:
    import requests

    assert isinstance(session, requests.Session)
    with session.get(url, timeout=(CONNECT_S, ANSWER_S), allow_redirects=False, stream=True) as answer:
        body = answer.raw.read(ANSWER_BYTES, decode_content=True)
        return answer.status_code, body, answer.headers.get("Content-Type", "")


def _checks(body: bytes) -> dict[str, str] | None:
    """What /v1/health says of each part; None when that is no answer of Easel's."""
    try:
        value = json.loads(body)
        checks = value["checks"]
        return {str(part): str(word) for part, word in checks.items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
