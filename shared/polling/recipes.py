"""What the recipes of a job's pictures say."""

from dataclasses import replace
from datetime import UTC

from shared.api.presets import styles_of
from shared.generators.base import Capabilities, GenerationRequest, Result
from shared.images.recipe import Recipe
from shared.polling.claims import ClaimedJob

_PRIVATE_SETTINGS = frozenset(
    {"source_images", "from_job", "from_image", "notify", "webhook_url", "likeness", "likeness_weight"}
)


def of_job(
    claim: ClaimedJob, protocol: str, reported: Capabilities, request: GenerationRequest, result: Result
) -> Recipe:
    """Return what every picture's recipe says about the job. Keys of uploads, URLs and codes are the user's."""
    settings = {name: value for name, value in claim.settings.items() if name not in _PRIVATE_SETTINGS}
    if "scene" in settings:
        settings["scene"] = {name: value for name, value in settings["scene"].items() if name != "code"}
    model = reported.model
    return Recipe(
        prompt=claim.prompt,
        negative_prompt=claim.settings["negative_prompt"],
        settings=settings | left_to_generator(claim, request),
        seed=None,
        index=0,
        generator=protocol,
        sent_prompt=request.prompt,
        sent_negative_prompt=request.negative_prompt,
        source_images=len(request.source_images),
        engine=result.engine or reported.engine,
        sampler=result.sampler or reported.sampler,
        model=model.name if model else None,
        model_revision=(model.revision or None) if model else None,
        job_id=str(claim.id),
        created_at=claim.created_at.astimezone(UTC).isoformat(),
    )


def of_picture(common: Recipe, claim: ClaimedJob, request: GenerationRequest, index: int) -> Recipe:
    """Return the recipe of one picture of the job: where each has its style, with its own words and strength."""
    recipe = replace(common, index=index)
    if not request.variants:
        return recipe
    variant = request.variants[index]
    own = {"style": styles_of(claim.settings["style"])[index], "strength": variant.strength}
    return replace(
        recipe,
        settings={**common.settings, **own},
        sent_prompt=variant.prompt,
        sent_negative_prompt=variant.negative_prompt,
    )


def left_to_generator(claim: ClaimedJob, request: GenerationRequest) -> dict[str, float]:
    """Return the settings that the job leaves to its generator, with the values that were sent."""
    sent = {"steps": request.steps, "scale": request.scale}
    return {name: value for name, value in sent.items() if claim.settings[name] is None}


def painter_of(reported: Capabilities) -> str | None:
    """Return the names of engine and model for people, as far as the generator reports them."""
    names = [reported.engine, reported.model.name if reported.model else None]
    return ", ".join(name for name in names if name) or None
