"""The page `/dev/mail` of `make run`: the mails that Easel wrote into its folder instead of sending them.

It answers only requests from this machine to an address of this machine, past no proxy, since mails are private.
"""

from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from urllib.parse import unquote, urlsplit

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from local.mail_files import MOST_LISTED, Attachment, Mail, Summary, list_mails, read_mail
from shared.core.setting_types import is_this_machine
from shared.core.settings import Settings

PATH = "/dev/mail"

WORDS = {
    "en": {
        "title": "Mails on this machine",
        "only": "make run sends no mail: it writes each into {folder}. This page exists only in that stack, and"
        " answers only this machine.",
        "elsewhere": "EASEL_MAIL_URL names a mail server, so mails go there and not to this page.",
        "none": "No mail yet. A job with “Email me” writes one when it has ended.",
        "more": "The newest {n} of {all}.",
        "back": "All mails",
        "headers": "Headers",
        "html": "As mail programs show it",
        "text": "The text part",
        "attachments": "Attachments",
        "raw": "The file as it was written",
    },
    "ru": {
        "title": "Письма на этой машине",
        "only": "make run не отправляет писем, а пишет каждое в {folder}. Эта страница есть только в таком запуске и"
        " отвечает только этой машине.",
        "elsewhere": "EASEL_MAIL_URL называет почтовый сервер: письма приходят туда, а не на эту страницу.",
        "none": "Писем ещё нет. Задание с «Прислать письмо» пишет письмо, когда завершится.",
        "more": "Последние {n} из {all}.",
        "back": "Все письма",
        "headers": "Заголовки",
        "html": "Как его показывают почтовые программы",
        "text": "Текстовая часть",
        "attachments": "Вложения",
        "raw": "Файл, как он был записан",
    },
}

_STYLE = """
body{margin:0;padding:var(--gutter);background:var(--wall);color:var(--text);font:1rem/1.5 var(--face-text)}
main{max-width:60rem;margin:auto}h1{font-family:var(--face-display);font-weight:400}
h2{font-size:1rem;margin:2rem 0 .5rem}
a{color:var(--accent)}p,time,dt{color:var(--text-soft)}h1,h2,li,dd{overflow-wrap:anywhere}
ul{list-style:none;padding:0}li{padding:.75rem 0;border-top:1px solid var(--line)}li a{display:block}
li span,li time{font-size:var(--size-small);margin-right:1rem}
iframe{width:100%;height:32rem;border:1px solid var(--line);background:var(--paper)}
pre{padding:1rem;background:var(--paper);border:1px solid var(--line);white-space:pre-wrap;overflow-wrap:anywhere}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem;font-size:var(--size-small)}dd{margin:0}
@media(max-width:40rem){dl{grid-template-columns:1fr}dd{margin-bottom:.5rem}}
figure{display:inline-block;margin:0 1rem 1rem 0}figure img{display:block;max-width:100%;height:12rem}
"""
_SAFE = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
_PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)
# Only its own pictures and styles, no script, and no origin: it is as foreign as any mail.
_MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self';"
    " sandbox allow-popups allow-popups-to-escape-sandbox"
)


def routes(settings: Settings) -> Sequence[BaseRoute]:
    """Return the page's routes."""
    parts = urlsplit(settings.mail_url)
    shown = _MailPage(Path(unquote(parts.path)) if parts.scheme == "file" else None)
    return [
        _route("", shown.list),
        _route("/style.css", shown.style),
        _route("/{name}", shown.mail),
        _route("/{name}/html", shown.html),
        _route("/{name}/raw", shown.raw),
        _route("/{name}/{number:int}", shown.attachment),
    ]


def _route(path: str, answer: Callable[[Request], Response]) -> Route:
    def guarded(request: Request) -> Response:
        return answer(request) if is_from_here(request) else PlainTextResponse("Only on this machine.\n", 403)

    return Route(PATH + path, guarded)


class _MailPage:
    """Answers for the mails of a folder; None if mails go elsewhere."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def list(self, request: Request) -> Response:
        words = _words(request)
        found, count = list_mails(self._folder) if self._folder else ([], 0)
        return _page(request, words["title"], _list(words, self._folder, found, count))

    def style(self, request: Request) -> Response:  # noqa: ARG002
        return Response(_STYLE, headers=_SAFE, media_type="text/css")

    def mail(self, request: Request) -> Response:
        mail = self._find(request)
        if mail is None:
            return PlainTextResponse("There is no such mail.\n", 404)
        return _page(request, mail.subject, _mail(_words(request), request.path_params["name"], mail))

    def html(self, request: Request) -> Response:
        mail = self._find(request)
        headers = _SAFE | {"Content-Security-Policy": _MAIL_POLICY}
        return Response(mail.html if mail else "", 200 if mail else 404, headers, "text/html")

    def raw(self, request: Request) -> Response:
        mail = self._find(request)
        return Response(mail.raw if mail else b"", 200 if mail else 404, _SAFE, "text/plain")

    def attachment(self, request: Request) -> Response:
        mail, number = self._find(request), request.path_params["number"]
        if mail is None or number >= len(mail.attachments):
            return PlainTextResponse("There is no such file.\n", 404)
        return _file(mail.attachments[number])

    def _find(self, request: Request) -> Mail | None:
        return read_mail(self._folder, request.path_params["name"]) if self._folder else None


def is_from_here(request: Request) -> bool:
    """Return whether a request came from this machine, to a name of it (no other site's), and through no proxy."""
    client = request.client.host if request.client else ""
    named = request.url.hostname
    passed_on = any(name in request.headers for name in ("forwarded", "x-forwarded-for", "via"))
    return bool(client and named) and is_this_machine(client) and is_this_machine(named) and not passed_on


def _language(request: Request) -> str:
    return "ru" if request.headers.get("accept-language", "").lower().startswith("ru") else "en"


def _words(request: Request) -> dict[str, str]:
    return WORDS[_language(request)]


def _page(request: Request, title: str, body: str) -> Response:
    sheets = "/styles/colours.css", "/styles/meanings.css", f"{PATH}/style.css"
    links = "".join(f'<link rel="stylesheet" href="{sheet}">' for sheet in sheets)
    size = '<meta name="viewport" content="width=device-width">'
    icon = '<link rel="icon" href="/favicon.svg" type="image/svg+xml">'
    head = f'<meta charset="utf-8">{size}{icon}<title>{escape(title)} · Easel</title>{links}'
    html = (
        f'<!doctype html><html lang="{_language(request)}"><head>{head}</head><body><main>{body}</main></body></html>'
    )
    return Response(html, headers=_SAFE | {"Content-Security-Policy": _PAGE_POLICY}, media_type="text/html")


def _list(words: dict[str, str], folder: Path | None, found: list[Summary], count: int) -> str:
    parts = [f"<h1>{words['title']}</h1>"]
    if folder is None:
        return f"{parts[0]}<p>{words['elsewhere']}</p>"
    parts.append(f"<p>{escape(words['only'].format(folder=folder))}</p>")
    rows = [
        f'<li><a href="{PATH}/{mail.name}">{escape(mail.subject)}</a><span>{escape(mail.to)}</span>'
        f"<time>{mail.written_at:%Y-%m-%d %H:%M:%S} UTC</time></li>"
        for mail in found
    ]
    parts.append(f"<ul>{''.join(rows)}</ul>" if rows else f"<p>{words['none']}</p>")
    if count > MOST_LISTED:
        parts.append(f"<p>{words['more'].format(n=MOST_LISTED, all=count)}</p>")
    return "".join(parts)


def _mail(words: dict[str, str], name: str, mail: Mail) -> str:
    here = f"{PATH}/{escape(name)}"
    headers = "".join(f"<dt>{escape(header)}</dt><dd>{escape(value)}</dd>" for header, value in mail.headers)
    files = "".join(_figure(f"{here}/{number}", file) for number, file in enumerate(mail.attachments))
    return "".join(
        [
            f'<p><a href="{PATH}">{words["back"]}</a></p><h1>{escape(mail.subject)}</h1>',
            f"<h2>{words['html']}</h2>",
            f'<iframe sandbox="allow-popups allow-popups-to-escape-sandbox" src="{here}/html" title="{words["html"]}">',
            f"</iframe><h2>{words['text']}</h2><pre>{escape(mail.text)}</pre>",
            f"<h2>{words['attachments']}</h2>{files}" if files else "",
            f"<h2>{words['headers']}</h2><dl>{headers}</dl>",
            f'<p><a href="{here}/raw">{words["raw"]}</a></p>',
        ]
    )


def _figure(url: str, file: Attachment) -> str:
    name = f"{escape(file.name)} · {len(file.content) / 1000:.0f} kB"
    picture = f'<img src="{url}" alt="">' if file.is_picture else ""
    return f'<figure><a href="{url}">{picture}<figcaption>{name}</figcaption></a></figure>'


def _file(file: Attachment) -> Response:
    """Return an attachment. Only a picture is shown; anything else, which may have scripts, is only to be saved."""
    if file.is_picture:
        return Response(file.content, headers=_SAFE, media_type=file.content_type)
    headers = _SAFE | {"Content-Disposition": "attachment"}
    return Response(file.content, headers=headers, media_type="application/octet-stream")
