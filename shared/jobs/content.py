"""The site's rules about words, applied to every text of a request that reaches a generator as what to draw.

A negative prompt is not one of them: it names what is to be absent.
"""

from collections.abc import Iterator, Sequence

from shared.api.scene_schemas import SceneJob
from shared.api.schemas import JobRequest
from shared.core.errors import FieldError, PromptRejected
from shared.services import Services


def find_rejection(services: Services, request: JobRequest, resolved: JobRequest) -> PromptRejected | None:
    """Return the error for words that a rule does not allow, with every field that has some.

    resolved: the request with the description of its start picture as its prompt, if it needs that.
    """
    rules = services.settings.content_rules
    if rules is None:
        return None
    found = ((field, rules.find_reason(given)) for field, given in _texts(request, resolved))
    faults = [FieldError(field, reason, "prompt_rejected") for field, reason in found if reason]
    return rejection(services, faults) if faults else None


def rejection(services: Services, faults: Sequence[FieldError]) -> PromptRejected:
    """Return the error for these fields."""
    rules = services.settings.content_rules
    assert rules is not None, "without rules nothing is at fault"
    return PromptRejected(f"{PromptRejected.title} The rules are of version {rules.version}.", fields=tuple(faults))


def _texts(request: JobRequest, resolved: JobRequest) -> Iterator[tuple[str, str]]:
    """Yield the caller's fields with the texts that come from them; a scene's other words are the site's own."""
    if isinstance(request, SceneJob):
        yield "details", request.scene.details
        yield "action_prompt", request.scene.action_prompt
        return
    described = not request.has_prompt and resolved.has_prompt
    source = "from_image" if request.from_image else "from_job"
    yield source if described else "prompt", resolved.prompt
