"""The checks of what Easel connects to: generators, mail, and its own public address."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cli.checks import Finding, ok, warning, wrong
from cli.terminal_text import printable, shorten
from shared.core.setting_types import is_this_machine

if TYPE_CHECKING:
    from shared.admin.generators import GeneratorOverview
    from shared.services import Services

CONNECT_TIMEOUT_S, READ_TIMEOUT_S = 3.0, 10.0
MAX_ANSWER_BYTES = 100_000


def generators(services: "Services") -> Iterator[Finding]:
    """Check the health of each configured generator, in its protocol."""
    from shared.admin.generators import check_generators, list_generators
    from shared.core.settings import SettingsError

    try:
        answers = check_generators(services)
    except SettingsError as error:
        yield wrong(str(error))
        return
    refusing = _refusing(lambda: list_generators(services))
    if not answers:
        yield warning("EASEL_GENERATORS is empty here, so none was checked.")
    for answer in answers:
        name, protocol = answer.address.name, answer.address.protocol
        if answer.error is not None:
            yield wrong(f"{name} ({protocol}): {printable(answer.error)} Jobs go to the others, or wait for it.")
            continue
        named = shorten(", ".join(filter(None, [answer.engine, answer.model, *sorted(answer.extensions)])))
        if name in refusing:
            yield warning(f"{name} ({protocol}) is well, but refused a job lately: {printable(refusing[name])}")
        else:
            yield ok(f"{name} answers in {protocol}{f' ({named})' if named else ''}.")


def _refusing(list_known: "Callable[[], list[GeneratorOverview]]") -> dict[str, str]:
    """Return why generators refused jobs lately, by name; nothing without the database, which has its own check."""
    from shared.core.errors import Unavailable

    try:
        return {known.name: known.last_refusal for known in list_known() if known.last_refusal is not None}
    except Unavailable:
        return {}


def mail(services: "Services", send_to: str | None) -> Iterator[Finding]:
    """Check that the mail server accepts Easel, and that the queue of what SES reports can be read.

    A test mail is sent only to the given address.
    """
    yield from _sending(services, send_to)
    if services.settings.mail_events_url:
        yield _mail_events(services.settings.mail_events_url)


def _mail_events(url: str) -> Finding:
    from shared.clients.sqs import SqsQueue
    from shared.core.errors import Unavailable

    with closing(SqsQueue(url)) as queue:
        try:
            waiting = queue.count()
        except Unavailable as error:
            return wrong(
                f"{error.detail} Bounces and complaints stop no mail. Check EASEL_MAIL_EVENTS_URL and that this key may"
                " sqs:GetQueueAttributes, sqs:ReceiveMessage and sqs:DeleteMessage; `python localstack/provision.py"
                " mail-events` makes a missing queue."
            )
    return ok(f"The queue of bounces and complaints answers. Messages waiting: {waiting}.")


def _sending(services: "Services", send_to: str | None) -> Iterator[Finding]:
    from shared.notify import mail, messages

    if not services.sends_mail:
        if send_to is None:
            yield ok("EASEL_MAIL_URL is not set: the site sends no mail and does not offer it.")
        else:
            yield wrong("EASEL_MAIL_URL is not set, so no mail was sent.")
        return
    with closing(mail.connect(services.settings)) as mailer:
        try:
            ready = mailer.check()
        except mail.MailServerDown as error:
            yield wrong(f"No mail can be sent: {error}. Check EASEL_MAIL_URL; mails are retried for a day.")
            return
        yield ok(f"Ready: {ready.summary}.")
        for problem in ready.warnings:
            yield warning(problem)
        if send_to is not None:
            try:
                mailer.send(messages.compose_test(send_to, services.settings))
            except (mail.MailRefused, mail.MailDelayed) as error:
                yield wrong(f"The test mail was not accepted: {error}.")
            else:
                yield ok(f"A test mail for {printable(send_to)} was accepted. See whether it arrives, and not as spam.")


def public_address(services: "Services") -> Iterator[Finding]:
    """Check that the site answers at its public address."""
    import requests

    url = services.settings.public_url
    with requests.Session() as session:
        session.trust_env = not is_this_machine(urlsplit(url).hostname)
        try:
            status, body, _ = _get(session, f"{url}/v1/health")
            site_status, _, site_type = _get(session, f"{url}/")
        except requests.RequestException as error:
            yield wrong(
                f"{url} cannot be reached from here ({type(error).__name__}). Make sure that the gateway runs and that"
                " EASEL_PUBLIC_URL, DNS and the certificate are right."
            )
            return
    checks = _checks(body)
    if checks is None:
        yield wrong(f"{url}/v1/health answers {status}, but not as Easel does. Is another program or a proxy there?")
    elif status != 200:
        failing = "; ".join(f"{part}: {result}" for part, result in checks.items() if result != "ok")
        yield wrong(f"{url} answers, but reports a failing part: {shorten(failing)}")
    else:
        yield ok(f"{url} answers, and all its parts work.")
    if site_status != 200 or not site_type.startswith("text/html"):
        yield warning(f"{url}/ answers {site_status} and no page: the API works, the site does not.")


def _get(session: object, url: str) -> tuple[int, bytes, str]:
    import requests

    assert isinstance(session, requests.Session)
    with session.get(url, timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S), allow_redirects=False, stream=True) as answer:
        body = answer.raw.read(MAX_ANSWER_BYTES, decode_content=True)
        return answer.status_code, body, answer.headers.get("Content-Type", "")


def _checks(body: bytes) -> dict[str, str] | None:
    """Parse the answer of /v1/health; None if it is not one of Easel's."""
    try:
        value = json.loads(body)
        checks = value["checks"]
        return {str(part): str(result) for part, result in checks.items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
