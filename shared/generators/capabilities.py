"""What a generator offers beyond its protocol, as it reports it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.generators.base import GenerationRequest


@dataclass(frozen=True, slots=True)
class Model:
    """The model that a generator has loaded, with the values that suit it; the size is in pixels.

    `revision` is a fingerprint of its weights, empty if the generator does not report one.
    """

    name: str
    revision: str
    steps: int
    scale: float
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the generator offers beyond its protocol: names of extensions; its engine and sampler if it reports them.

    `loading_s`: its model is loading, which takes about so long, 0 if it does not say how long; None once it is loaded.
    `model`: the model, if it reports one.
    `follows` are the settings that it follows although its protocol does not promise that (see `abilities.IGNORED`), in
    requests with start pictures those of `edits_follow`.
    """

    extensions: frozenset[str] = frozenset()
    engine: str | None = None
    sampler: str | None = None
    follows: frozenset[str] = frozenset()
    edits_follow: frozenset[str] = frozenset()
    loading_s: float | None = None
    model: Model | None = None

    def followed(self, request: "GenerationRequest") -> frozenset[str]:
        """Return the settings beyond its protocol that it follows in this request."""
        return self.edits_follow if request.source_images else self.follows
