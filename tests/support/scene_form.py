"""The form of a scene in a browser."""

import re

from playwright.sync_api import Locator, Page, expect

SHOW_PICTURES = """() => Promise.all([...document.querySelectorAll(".scene-form img")].map((picture) => {
  picture.loading = "eager";
  return picture.decode();
}))"""
"""Loads all pictures of the form, also those that are not in view; rejects if one cannot be shown."""


def option(page: Page, group: str, name: str) -> Locator:
    """Return one of a group's radio buttons."""
    named = page.get_by_role("group", name=group, exact=True)
    return named.get_by_role("radio", name=re.compile(rf"\b{name}\b"))


def choose(page: Page, **choices: str) -> None:
    """Choose in groups by keyboard."""
    for group, name in choices.items():
        option(page, group, name).focus()
        page.keyboard.press("Space")
        expect(option(page, group, name)).to_be_checked()
