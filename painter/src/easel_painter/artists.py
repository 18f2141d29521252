"""The words for artists' manners and for changes of a photo: English whole words, Russian stems, commas between."""

ARTISTS: dict[str, tuple[str, str]] = {
    "banksy": (
        "banksy, stencil art, stencil graffiti, stencil street art, spray stencil, бэнкси, трафарет",
        "stencil, graffiti, street art, spray paint, few tones with one accent, few tones, one accent, style, граффити",
    ),
    "delaunay": (
        "delaunay, orphism, orphist, simultanism, concentric rings, делоне, орфизм",
        "robert, concentric, rings of pure colour, of pure colour, pure colour, rings, style, робер, круг, кольц",
    ),
    "malevich": (
        "malevich, suprematist, suprematism, малевич, супремат",
        "kazimir, composition, flat planes of pure colour, flat planes, of pure colour, pure colour, style, казимир",
    ),
    "van_gogh": (
        "van gogh, vangogh, curved strokes, curved brush strokes, swirling strokes, ван гог",
        "vincent, curved, curved impasto brush strokes, swirling, brush strokes, strokes, style, винсент, мазк",
    ),
}
"""Artists: phrases that name one, and phrases that mean nothing beside them."""

EMOTIONS = {
    "joy": "joyful mood, mood of joy, emotion of joy, радост настроен, настроен радост",
    "sadness": "sad mood, mood of sadness, emotion of sadness, груст настроен, печал настроен, настроен груст",
}
"""The emotions that a photo can be given; their words also speak of the mood of a new picture."""

CHANGES = {
    "background": "another background, other background, new background, imaginative surroundings, друг фон, нов фон",
    "panda_mask": "wearing a panda mask, a panda mask, panda mask, маск панд",
}
"""What can be changed in a photo."""
