"""Text for mails: on one line, escaped, and the page around the HTML.

The HTML can be read without its pictures and in dark mode. There is no script, and nothing is loaded from the network.
"""

import html

_STYLE = (
    ":root{color-scheme:light dark}"
    "body{margin:0;padding:24px;background:#fff;color:#222;font:16px/1.5 system-ui,sans-serif}"
    "a{color:#0b57d0}img{max-width:100%;height:auto;border-radius:6px}"
    ".quiet{color:#666;font-size:14px}"
    "@media (prefers-color-scheme:dark){body{background:#1b1b1d;color:#eee}a{color:#8ab4f8}.quiet{color:#aaa}}"
)


def page(language: str, parts: list[str]) -> str:
    """Return an HTML page of these parts, which are HTML already."""
    head = f'<meta charset="utf-8"><meta name="color-scheme" content="light dark"><style>{_STYLE}</style>'
    body = "\n".join(parts)
    return f'<!doctype html><html lang="{language}"><head>{head}</head><body>\n{body}\n</body></html>\n'


def escape(text: str) -> str:
    """Return a text as HTML, also for attributes."""
    return html.escape(text, quote=True)


def one_line(text: str) -> str:
    """Remove line ends, control characters and marks that change the direction of writing."""
    return " ".join("".join(filter(str.isprintable, word)) for word in text.split()).strip()


def shorten(text: str, max_characters: int) -> str:
    """Return the beginning of a text, with an ellipsis where something is left out."""
    return text if len(text) <= max_characters else f"{text[: max_characters - 1].rstrip()}…"
