"""Which device a session belongs to, in a few words from the User-Agent. Every program chooses what it says there."""

import re

MAX_CHARACTERS = 60

# In this order, since most browsers also name those that they are compatible with.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


_WORDS = frozenset(name for _, name in _BROWSERS + _SYSTEMS)


def is_recognized(device: str) -> bool:
    """Return whether a device's description has only words of this module, none of the program that sent it."""
    return all(word in _WORDS for word in device.split(", "))


def describe(user_agent: str) -> str | None:
    """Return browser and system, or the name of a program such as "curl"; None if neither is recognized."""
    known = [next((name for mark, name in marks if mark in user_agent[:1000]), None) for marks in (_BROWSERS, _SYSTEMS)]
    if words := [word for word in known if word]:
        return ", ".join(words)
    program = re.match(r"[A-Za-z][A-Za-z0-9._-]*", user_agent)
    return program[0][:MAX_CHARACTERS] if program else None
