"""Which near subject stands where, and the setting behind it."""

from collections.abc import Callable
from generator.engines.painter.canvas import Scene
from generator.engines.painter.close.cat import POSES, paint_cat
from generator.engines.painter.close import bird, portrait, still_life
from generator.engines.painter.close.outline import Stand
from generator.engines.painter.reading import Reading
from generator.engines.painter import air


def is_wanted(reading: Reading) -> bool:
    return reading.has("cat","bird","portrait","woman","man","fruit","still life","bowl","vase","bottle","bread","candle","teapot","book","table")


def paint(scene: Scene, landscape: Callable[[Scene], None]) -> None:
    if scene.reading.has('fruit','still life','bowl','vase','bottle','bread','candle','teapot','book','table'):
        portrait.paint_backdrop(scene); still_life.paint_still_life(scene); return
    if not scene.reading.has('cat','bird'):
        portrait.paint_backdrop(scene); portrait.paint_portrait(scene, False); return
    landscape(scene)
    air.paint_weather(scene)
    rng = scene.stream("closeup")
    r=scene.reading
    side=float(rng.choice([-1, 1]))
    if r.has("cat"):
        pose = str(rng.choice(POSES))
        paint_cat(scene, Stand(scene.width * 0.5, scene.height * 0.92, scene.short * 0.6, side), pose)
    elif r.has("owl"): bird.paint_owl(scene, Stand(scene.width * 0.5, scene.height * 0.8, scene.short * 0.62, side))
    elif r.has("swan"): bird.paint_swimming(scene, Stand(scene.width * 0.5, scene.height * 0.75, scene.short * 0.4, side),"swan")
    elif r.has("duck"): bird.paint_swimming(scene, Stand(scene.width * 0.5, scene.height * 0.75, scene.short * 0.4, side),"duck")
    elif r.has("flock"):
        bird.paint_flock(scene, 12, scene.height*.1, scene.height*.5)
        bird.paint_flying(scene, Stand(scene.width * 0.5, scene.height * 0.45, scene.short * 0.4, side))
    else: bird.paint_perched(scene, Stand(scene.width * 0.5, scene.height * 0.7, scene.short * 0.55, side))
