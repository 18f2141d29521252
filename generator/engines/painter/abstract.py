"""Pictures without things."""

import numpy as np

from generator.engines.base import Brief
from generator.engines.painter import air
from generator.engines.painter.canvas import Scene
from generator.engines.painter.noise import Field, cppn, fbm, resize, smoothstep, stream
from generator.engines.painter.palette import Palette
from generator.engines.painter.reading import Reading


def through(field: Field, colours: tuple[tuple[float, float, float], ...]) -> Field:
    """A field's values 0..1 as a walk through colours."""
    table = np.asarray(colours, dtype=np.float32)
    stops = np.linspace(0, 1, len(table))
    return np.stack([np.interp(field, stops, table[:, c]) for c in range(3)], axis=-1).astype(np.float32)


def paint_abstract(brief: Brief, reading: Reading, palette: Palette, seed: tuple[object, ...]) -> Scene:
    """No things: flowing bands of the palette, lit from one side as if they were folds."""
    rng = stream("abstract", *seed)
    width, height = brief.width, brief.height
    network = cppn(rng, width // 2, height // 2, hidden=9, layers=4, zoom=1.25)
    fields = [resize(network[..., c], width, height) for c in range(3)]
    grain = fbm(rng, width, height, (4, 4), 5)
    flow = fields[0] * 1.4 + 0.35 * fields[1] + 0.16 * (grain - 0.5)
    bands = (np.sin(flow * np.float32(9.0)) * 0.5 + 0.5).astype(np.float32)
    own = tuple(colour for colour, _ in reading.colours)
    extra = tuple(
        tuple(float(v) for v in 0.15 + 0.8 * stream("accent", word).random(3)) for word in reading.unknown[:3]
    )
    ramp = (palette.zenith, palette.middle, *own, *extra, palette.light, palette.horizon, palette.cloud_dark)
    colour = through(np.clip(fields[1] * 0.75 + bands * 0.25, 0, 1), ramp)  # type: ignore[arg-type]
    dy, dx = np.gradient(flow + bands * np.float32(0.05))
    relief = np.clip((dx * 0.7 - dy) * np.float32(brief.width * 0.055), -0.7, 0.9)
    shine = smoothstep(0.35, 0.9, relief)
    rgb = colour * (0.86 + 0.5 * relief)[..., None]
    rgb += shine[..., None] * np.asarray(palette.light, dtype=np.float32) * np.float32(0.30)
    scene = Scene(rgb.astype(np.float32), palette, reading, seed, height // 2, (width * 0.3, height * 0.2))
    air.grade(scene)
    return scene
