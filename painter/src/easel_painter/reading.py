"""A prompt as the painter understands it."""

from dataclasses import dataclass, field

from easel_painter.lexicon import (
    COLOURS,
    EVERGREENS,
    KINDS,
    MOODS,
    MOTIFS,
    OWN_COLOURS,
    PALMS,
    PHRASES,
    SEASONS,
    SKY_WORDS,
    SMALL_WORDS,
    TIMES,
)
from easel_painter.manner import Manner, find_manner
from easel_painter.words import FORGOTTEN_BELOW, Word, begins, words_of

Colour = tuple[float, float, float]


@dataclass
class Reading:
    """What a prompt asks for, by the painter's own names, each with its weight."""

    motifs: dict[str, float] = field(default_factory=dict)
    times: dict[str, float] = field(default_factory=dict)
    seasons: dict[str, float] = field(default_factory=dict)
    moods: dict[str, float] = field(default_factory=dict)
    colours: list[tuple[Colour, float]] = field(default_factory=list)
    colour_names: list[str] = field(default_factory=list)
    paints: dict[str, Colour] = field(default_factory=dict)
    """Colours that stand before a motif's word and so belong to it alone."""

    evergreen: bool = False
    """Whether the words ask for firs or pines."""

    tropical: bool = False
    """Whether a tree is a palm."""

    manner: Manner = field(default_factory=Manner)
    """The medium, and whether it keeps the colours."""

    kinds: set[str] = field(default_factory=set)
    """Finer words that say how a motif looks, by the names of the lexicon's table of kinds."""

    unwanted: set[str] = field(default_factory=set)
    """Motifs that the negative prompt names: what the painter might add by itself must not be one of them."""

    unknown: list[str] = field(default_factory=list)
    """Words without a meaning here; they still stir the form and the palette."""

    def has(self, *names: str) -> bool:
        """Whether any of these motifs is wanted."""
        return any(name in self.motifs for name in names)

    def is_a(self, *kinds: str) -> bool:
        """Whether any of these finer words was said."""
        return not self.kinds.isdisjoint(kinds)

    def weight(self, name: str) -> float:
        """How much a motif counts: 1 is plain, 0 is absent."""
        return self.motifs.get(name, 0.0)


def read(prompt: str, negative: str = "") -> Reading:
    """Understand a prompt; whatever the negative prompt names is left out."""
    manner, words, unwanted = find_manner(words_of(prompt), words_of(negative))
    reading = Reading(manner=manner)
    # A colour waits for the motif it may belong to.
    waiting: tuple[str, float] | None = None
    for word, weight, _ in words:
        if word in SMALL_WORDS:
            continue
        motifs = _known(word, MOTIFS)
        reading.evergreen |= word.startswith(EVERGREENS)
        reading.tropical |= word.startswith(PALMS)
        colour = next(iter(_known(word, {name: entry[:2] for name, entry in COLOURS.items()})), None)
        if weight >= FORGOTTEN_BELOW:
            for table, found in ((TIMES, reading.times), (SEASONS, reading.seasons), (MOODS, reading.moods)):
                for name in _known(word, table):
                    found[name] = max(found.get(name, 0.0), weight)
            reading.kinds |= _kinds(word)
            for name in motifs:
                reading.motifs[name] = max(reading.motifs.get(name, 0.0), weight)
                if waiting:
                    reading.paints.setdefault(name, COLOURS[waiting[0]][2])
        for stem, (motif, name) in OWN_COLOURS.items():
            if motif in motifs and word.startswith(stem):
                reading.paints.setdefault(motif, COLOURS[name][2])
        if waiting and word.startswith(SKY_WORDS):
            reading.paints["sky"] = COLOURS[waiting[0]][2]
            reading.colour_names.append(waiting[0])
            waiting = None
            continue
        if motifs and waiting:
            _remember(reading, *waiting, share=0.35)
            waiting = None
        if colour is not None and weight >= FORGOTTEN_BELOW:
            if waiting:
                _remember(reading, *waiting)
            waiting = (colour, weight)
        if not motifs and colour is None and not _attribute(word) and not _kinds(word):
            reading.unknown.append(word)
    if waiting:
        _remember(reading, *waiting)
    reading.kinds |= _phrases(words)
    _leave_out(reading, unwanted)
    return reading


def _remember(reading: Reading, name: str, weight: float, share: float = 1.0) -> None:
    reading.colours.append((COLOURS[name][2], weight * share))
    reading.colour_names.append(name)


def _known(word: str, table: dict[str, tuple[str, str]]) -> list[str]:
    reach = {
        name: len(word) if word in english.split() else begins(word, stems) for name, (english, stems) in table.items()
    }
    # The longest stem knows best: "город" begins like "гора", but it is no mountain.
    best = max(reach.values())
    return [name for name, length in reach.items() if length == best] if best else []


def _kinds(word: str) -> set[str]:
    return {kind for kind, (english, stems) in KINDS.items() if word in english.split() or begins(word, stems)}


def _phrases(words: list[Word]) -> set[str]:
    plain = " ".join(word.text for word in words)
    return {kind for kind, phrases in PHRASES.items() if any(phrase in plain for phrase in phrases)}


def _attribute(word: str) -> bool:
    return any(_known(word, table) for table in (TIMES, SEASONS, MOODS))


def _leave_out(reading: Reading, unwanted: list[Word]) -> None:
    for word, weight, _ in unwanted:
        if weight < FORGOTTEN_BELOW:
            continue
        for table, found in (
            (MOTIFS, reading.motifs),
            (TIMES, reading.times),
            (SEASONS, reading.seasons),
            (MOODS, reading.moods),
        ):
            for name in _known(word, table):
                found.pop(name, None)
        reading.unwanted.update(_known(word, MOTIFS))
        reading.kinds -= _kinds(word)
        for name in _known(word, {name: entry[:2] for name, entry in COLOURS.items()}):
            value = COLOURS[name][2]
            reading.colours = [entry for entry in reading.colours if entry[0] != value]
            reading.colour_names = [known for known in reading.colour_names if known != name]
            reading.paints = {motif: paint for motif, paint in reading.paints.items() if paint != value}
