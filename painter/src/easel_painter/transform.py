"""From a source picture to the draft of a new one: how much of the source stays, and what of it goes first."""

from dataclasses import replace

import numpy as np

from easel_painter.media.base import Draft, Medium
from easel_painter.media.surface import detail, luma
from easel_painter.noise import Field, blur, fbm, smoothstep

_MOST_OF_THE_MEDIUM = 0.2
"""From this strength on the medium covers the source wholly; below it the source shines through."""


def blend(draft: Draft, source: Field, strength: float) -> Draft:
    """The draft of a picture that starts from the source (height x width x 3, 0 to 1): 0 keeps it, 1 forgets it.

    First the colours move towards the prompt's, then its light and large forms come in, at last its small forms. Where
    the source has strong edges, all of this happens later.
    """
    if strength >= 1:
        return draft
    short = draft.short
    own = _recoloured(source, draft.target, 0.5 * strength)
    edges = _edges(source, short)
    draft.report()
    far = blur(edges, max(2, short // 14))[..., None]
    near = blur(edges, max(1, short // 60))[..., None]
    wide, narrow = max(4, short // 6), max(2, short // 28)
    layers: list[Field] = []
    for picture in (own, draft.target):
        broad, middle = blur(picture, wide), blur(picture, narrow)
        layers += [broad, middle - broad, picture - middle]
        draft.report()
    # Light comes in everywhere, forms from place to place: two pictures through each other would be neither.
    light = _share(strength, 1.25) * (1 - np.float32(0.35 * (1 - strength)) * far)
    coming = np.float32(0.36) + np.float32(0.46) * np.maximum(far, 0.55 * near) + np.float32(0.20) * _places(draft)
    forms = smoothstep(-0.14, 0.14, np.float32(strength) - coming)
    fine = smoothstep(-0.08, 0.16, np.float32(strength) - coming)
    target = np.zeros_like(own)
    for mine, theirs, share in zip(layers[:3], layers[3:], (light, forms, fine), strict=True):
        target += mine + (theirs - mine) * share
    started = np.float32(strength)
    return replace(
        draft,
        target=np.clip(target, 0, 1).astype(np.float32),
        under=(source + (draft.under - source) * started).astype(np.float32),
        sparks=draft.sparks * np.float32(strength**2),
    )


def _share(strength: float, power: float) -> np.float32:
    return np.float32(strength**power)


def _places(draft: Draft) -> Field:
    """A field of 0 to 1 that says where forms come in sooner and where later."""
    across, down = draft.width / draft.short * 4, draft.height / draft.short * 4
    return fbm(draft.stream("transform"), draft.width, draft.height, (across, down), 3)[..., None]


def _edges(source: Field, short: int) -> Field:
    """Where the source's own forms have their outlines, 0 to 1."""
    found = detail(blur(luma(source), max(1, short // 200)), max(1, short // 120))
    strong = np.sort(found.ravel()[:: max(1, found.size // 20000)])
    limit = max(float(strong[int(len(strong) * 0.93)]), 0.012)
    return smoothstep(0.15, 1.0, found / np.float32(limit))


def _recoloured(source: Field, target: Field, share: float) -> Field:
    """The source with the mean and the spread of its colours moved towards the target's by a share."""
    moved = np.empty_like(source)
    for c in range(3):
        own, wanted = source[..., c], target[..., c]
        spread = np.clip((wanted.std() + 0.02) / (own.std() + 0.02), 0.6, 1.6)
        moved[..., c] = (own - own.mean()) * np.float32(spread) + wanted.mean()
    return np.asarray(source + (np.clip(moved, 0, 1) - source) * np.float32(share), dtype=np.float32)


class Veil(Medium):
    """A medium under which the source still shines through, as far as the strength is low."""

    def __init__(self, medium: Medium, source: Field, strength: float) -> None:
        super().__init__(medium.draft)
        self._medium, self._source = medium, source
        self._cover = float(smoothstep(0.0, _MOST_OF_THE_MEDIUM, np.asarray(strength, dtype=np.float32)))

    def step(self, number: int) -> None:
        """One step of the medium."""
        self._medium.step(number)

    def picture(self) -> Field:
        """The source, covered by the work as it stands."""
        work = self._medium.picture()
        if self._cover >= 1:
            return work
        return np.asarray(self._source + (np.clip(work, 0, 1) - self._source) * np.float32(self._cover))
