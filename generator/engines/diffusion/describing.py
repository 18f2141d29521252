"""Descriptions: by captioners if there are any, else by the prompt, else by what was learnt from the painter."""

from generator.engines.base import DescriptionOptions, ImageRequest, Pixels
from generator.engines.diffusion import learned, prompts
from generator.engines.diffusion.captioner import Captioner


class Describer:
    """Describes pictures, for any thread."""

    def __init__(self, captioners: str) -> None:
        """Load captioners by their folders or hub's names, separated by commas; none if that is empty."""
        self._captioner = Captioner(captioners) if captioners else None

    @property
    def captioner(self) -> str:
        """Return the names of the captioners."""
        return self._captioner.name if self._captioner else ""

    def describe(self, picture: Pixels, request: ImageRequest | None, options: DescriptionOptions) -> str:
        """Return a sentence and phrases that suit it; `request` is that of a picture painted here."""
        if self._captioner is None:
            return _sentence(picture, request, options)
        sentence = self._captioner.sentence(picture, options) or _sentence(picture, request, options)
        return ", ".join([sentence, *self._captioner.phrases(picture, sentence, options)])


def _sentence(picture: Pixels, request: ImageRequest | None, options: DescriptionOptions) -> str:
    """Return the prompt of a picture painted here, else what is recognised; at most `blip_max_len` words."""
    if request is not None and (words := prompts.plain(request.prompt).split()):
        return " ".join(words[: options.blip_max_len]).rstrip(",")
    for sentence in learned.sentences(picture):
        if len(sentence.split()) <= options.blip_max_len:
            return sentence
    return f"a picture of {picture.shape[1]} x {picture.shape[0]} pixels"
