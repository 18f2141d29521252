"""What easel-mini is taught: twelve subjects in six media and six lights, and the many ways to ask for each."""

import random
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True)
class Topic:
    """One subject, medium or light: the painter's words for it, and others that mean the same."""

    name: str
    painter: str
    english: tuple[str, ...]
    russian: tuple[str, ...]


SUBJECTS = (
    Topic("lighthouse", "a lighthouse", ("lighthouse", "beacon", "lighthouse by the sea"), ("маяк", "маяк у моря")),
    Topic("boat", "a sailing boat", ("sailing boat", "sailboat", "boat", "yacht"), ("парусник", "яхта", "лодка")),
    Topic("tree", "a tree", ("tree", "lone tree", "big tree"), ("дерево", "одинокое дерево")),
    Topic("forest", "a forest", ("forest", "woods", "woodland"), ("лес", "густой лес")),
    Topic("cat", "a cat", ("cat", "kitten", "kitty"), ("кот", "кошка", "котёнок")),
    Topic("house", "a house", ("house", "cottage", "home"), ("дом", "домик", "коттедж")),
    Topic("windmill", "a windmill", ("windmill", "mill", "old windmill"), ("мельница", "старая мельница")),
    Topic("mountains", "mountains", ("mountains", "mountain", "peaks"), ("горы", "вершины")),
    Topic("castle", "a castle", ("castle", "fortress", "old castle"), ("замок", "крепость")),
    Topic("city", "a city", ("city", "city skyline", "downtown"), ("город", "мегаполис")),
    Topic("flowers", "flowers", ("flowers", "flower", "blossoms"), ("цветы", "цветок")),
    Topic("fish", "a fish", ("fish", "goldfish", "fish in water"), ("рыба", "рыбка")),
)

MEDIA = (
    Topic("oil", "oil painting", ("oil painting", "oil on canvas", "in oils"), ("маслом", "масло")),
    Topic("watercolour", "watercolour", ("watercolour", "watercolor", "aquarelle"), ("акварель", "акварелью")),
    Topic("pencil", "pencil sketch", ("pencil sketch", "pencil drawing", "graphite"), ("карандаш", "карандашом")),
    Topic("low poly", "low poly", ("low poly", "lowpoly", "polygons"), ("лоу поли", "полигоны")),
    Topic("pixel art", "pixel art", ("pixel art", "pixelart", "pixels"), ("пиксель арт", "пиксели")),
    Topic("photo", "photograph", ("photograph", "photo", "photorealistic"), ("фото", "фотография")),
)

LIGHTS = (
    Topic("day", "by day", ("by day", "daylight", "at noon", "bright day"), ("днём", "ясный день")),
    Topic("dawn", "at dawn", ("at dawn", "sunrise", "in the morning"), ("на рассвете", "утром")),
    Topic("sunset", "at sunset", ("at sunset", "sunset", "in the evening"), ("на закате", "вечером")),
    Topic("night", "at night", ("at night", "night", "midnight"), ("ночью", "ночь")),
    Topic("fog", "in the fog", ("in the fog", "foggy", "misty"), ("в тумане", "туман")),
    Topic("winter", "in winter, snow", ("in winter", "snow", "snowy"), ("зимой", "снег")),
)

FILLERS = ("beautiful", "a picture of", "detailed", "painting of", "very beautiful", "a view of", "art")

COMBINATIONS = len(SUBJECTS) * len(MEDIA) * len(LIGHTS)

_PLAIN = 0.6
"""How often a caption is in the painter's own words; the others vary."""

_DROPPED = 0.15
"""How often a varied caption leaves the medium or the light unsaid, so that a shorter prompt works too."""

_RUSSIAN = 0.2


@dataclass(frozen=True)
class Labels:
    """What a picture shows, as places in `SUBJECTS`, `MEDIA` and `LIGHTS`."""

    subject: int
    medium: int
    light: int

    @property
    def prompt(self) -> str:
        """Return the painter's prompt."""
        subject, medium, light = SUBJECTS[self.subject], MEDIA[self.medium], LIGHTS[self.light]
        return f"{subject.painter} {light.painter}, {medium.painter}"


class Caption(NamedTuple):
    """Words for a picture, and whether they tell its subject, medium and light."""

    text: str
    told: tuple[bool, bool, bool]


NOTHING = Caption("", (False, False, False))


def labels_of(number: int) -> Labels:
    """Return the labels of picture `number`: each run of 432 has every combination once, in an order of its own."""
    run, place = divmod(number, COMBINATIONS)
    order = list(range(COMBINATIONS))
    random.Random(run).shuffle(order)  # noqa: S311 - the order of teaching is no secret
    rest, light = divmod(order[place], len(LIGHTS))
    subject, medium = divmod(rest, len(MEDIA))
    return Labels(subject, medium, light)


def caption(labels: Labels, rng: random.Random) -> Caption:
    """Return words for a picture, chosen by `rng`: language, synonyms, order, and what goes unsaid."""
    if rng.random() < _PLAIN:
        return Caption(labels.prompt, (True, True, True))
    russian = rng.random() < _RUSSIAN
    subject, medium, light = (
        rng.choice(topic.russian if russian else topic.english)
        for topic in (SUBJECTS[labels.subject], MEDIA[labels.medium], LIGHTS[labels.light])
    )
    if not russian:
        subject = f"{rng.choice(('a ', '', 'the '))}{subject}"
    tells_medium, tells_light = rng.random() > _DROPPED, rng.random() > _DROPPED
    parts = [medium] if tells_medium else []
    if tells_light:
        # Mostly as one says it, "a cat at night", else behind a comma.
        if rng.random() < 0.6:
            subject = f"{subject} {light}"
        else:
            parts.append(light)
    rng.shuffle(parts)
    parts.insert(0 if rng.random() < 0.7 else rng.randint(0, len(parts)), subject)
    if not russian and rng.random() < 0.1:
        parts[0] = f"{rng.choice(FILLERS)} {parts[0]}"
    return Caption(", ".join(parts), (True, tells_medium, tells_light))


def words() -> list[str]:
    """Return every word that a caption may have."""
    texts = [text for topic in (*SUBJECTS, *MEDIA, *LIGHTS) for text in (*topic.english, *topic.russian, topic.painter)]
    return sorted({word for text in (*texts, *FILLERS, "a", "the") for word in text.replace(",", " ").split()})
