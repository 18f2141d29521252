"""Pixel art: a picture reduced to a grid of cells and a palette."""

from PIL import Image


def to_pixel_art(image: Image.Image, *, cells: int, colours: int) -> Image.Image:
    """Return the picture in its size as `cells` on the longer side, each of one colour of at most `colours`.

    image: RGB. The result has a palette. Cells are squares of whole pixels; where the cells do not divide the side
    evenly, some have a pixel more than others. A side has at most one cell for each of its pixels.
    """
    longest = max(image.size)
    cells = min(cells, longest)
    width, height = (max(1, round(side * cells / longest)) for side in image.size)
    small = image.resize((width, height), Image.Resampling.BOX)
    # Dithering would scatter single cells. The means of the clusters fit the picture better than those of the boxes.
    reduced = small.quantize(colours, Image.Quantize.MEDIANCUT, kmeans=1, dither=Image.Dither.NONE)
    return reduced.resize(image.size, Image.Resampling.NEAREST)
