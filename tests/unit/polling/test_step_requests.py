"""The words of a picture with likenesses."""

from dataclasses import replace

import pytest

from shared.polling.claims import ClaimedLikeness
from shared.polling.step_requests import calling_prompt
from tests.unit.polling.test_steps import CLAIM


@pytest.mark.parametrize(
    ("prompt", "triggers", "sent"),
    [
        ("a cat", [], "a cat"),
        ("a cat", ["ohwx animal"], "ohwx animal, a cat"),
        ("a hat on ohwx animal", ["ohwx animal"], "a hat on ohwx animal"),
        ("a boat", ["ohwx animal", "ohwx person"], "ohwx animal, ohwx person, a boat"),
        ("a boat", ["ohwx animal", "ohwx animal", None], "ohwx animal, a boat"),
    ],
)
def test_a_prompt_calls_its_likenesses(prompt: str, triggers: list[str | None], sent: str) -> None:
    likenesses = tuple(ClaimedLikeness(place, "", "", 1.0, trigger) for place, trigger in enumerate(triggers, 1))
    assert calling_prompt(replace(CLAIM, prompt=prompt, likenesses=likenesses)) == sent
