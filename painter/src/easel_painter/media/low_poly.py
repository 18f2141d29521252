"""Low poly: a net of triangles whose corners lie on the edges of forms, each filled with one colour."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from easel_painter.media.base import Draft, Medium
from easel_painter.media.cells import nearest_points
from easel_painter.media.surface import detail, luma, saturate, soften
from easel_painter.noise import Field, resize

_STAGES = (5, 8, 12, 18)
"""Cells of the coarsest points along the shorter side, stage by stage; points lie almost six times
closer where there is detail."""

_MARGIN = 0.12
"""The flood goes on outside the picture by this share of it, where the meeting points of flat triangles lie."""

_GRID_PX = 440
"""The shorter side of the grid on which the net is spun."""


class LowPoly(Medium):
    """Triangles: few large ones first, then more and smaller ones where there is something to see."""

    def __init__(self, draft: Draft) -> None:
        super().__init__(draft)
        scale = min(1.0, _GRID_PX / draft.short, 1400 / max(draft.width, draft.height))
        self._width, self._height = max(16, round(draft.width * scale)), max(16, round(draft.height * scale))
        lit = draft.target + draft.sparks * (1 - draft.target) * np.float32(0.7)
        self._small = np.stack(
            [resize(lit[..., c], self._width, self._height, Image.Resampling.BOX) for c in range(3)], -1
        )
        draft.report()
        short = min(self._width, self._height)
        edges = detail(soften(luma(self._small), max(0.8, short / 300)), 1)
        self._edges = edges / (edges.mean() * 3 + np.float32(1e-6))
        fineness = 0.45 + 0.6 * draft.refinement
        count = 1 if draft.steps == 1 else 2 if draft.steps < 5 else len(_STAGES)
        cells = [max(3, round(cell * fineness)) for cell in _STAGES[-count:]] if count > 1 else [12]
        self._stages = cells
        self._factor = 2 if draft.width * draft.height <= 1500 * 1500 else 1
        size = (draft.width * self._factor, draft.height * self._factor)
        under = (np.clip(draft.under, 0, 1) * 255).astype(np.uint8)
        self._image = Image.fromarray(under).resize(size)
        self._draw = ImageDraw.Draw(self._image)
        self._stage, self._laid = -1, 0
        self._corners: NDArray[np.float64] = np.zeros((0, 3, 2))
        self._colours: list[tuple[int, ...]] = []

    def step(self, number: int) -> None:
        """Lay the next triangles of the present stage over the coarser ones."""
        at = self.done(number) * len(self._stages)
        while self._stage < min(len(self._stages) - 1, int(at - 1e-9)):
            self._lay(1.0)
            self._stage += 1
            self._spin(self._stages[self._stage])
            self.draft.report()
        self._lay(at - self._stage)

    def _lay(self, share: float) -> None:
        until = len(self._colours) if share >= 1 - 1e-9 else int(share * len(self._colours))
        for k in range(self._laid, until):
            self._draw.polygon(self._corners[k].ravel().tolist(), fill=self._colours[k])
        self._laid = max(self._laid, until)

    def _spin(self, cells: int) -> None:
        """The triangles and colours of one stage, in the order in which they are laid: from above, roughly."""
        size = min(self._width, self._height) / cells
        # Two corners in one place would make a sliver.
        spacing = max(1.5, size / 7)
        points = self._points(size, spacing)
        triangles = self._triangles(points, size, spacing)
        corners = points[triangles]
        colours = self._shaded(corners)
        rng = self.draft.stream(f"order {cells}")
        order = np.argsort(corners[:, :, 1].mean(axis=1) / self._height + rng.uniform(0, 0.5, len(corners)))
        scale = (self.draft.width * self._factor / self._width, self.draft.height * self._factor / self._height)
        self._corners = corners[order].astype(np.float64) * np.asarray(scale)
        self._colours = [tuple(colour) for colour in (colours[order] * 255 + 0.5).astype(np.uint8).tolist()]
        self._laid = 0

    def _points(self, size: float, spacing: float) -> Field:
        """Corners: in each cell of three grids the pixel with most detail, in the finer ones only if there is much."""
        rng = self.draft.stream(f"points {size}")
        found = [_border(self._width, self._height, size)]
        for divisor, least in ((1.0, -1.0), (2.4, 0.55), (5.6, 1.25)):
            found.append(_peaks(self._edges, size / divisor, least, rng))
        points = np.concatenate(found)
        places = np.floor(points / spacing).astype(np.int64)
        _, first = np.unique(places[:, 0] + places[:, 1] * 100003, return_index=True)
        return points[np.sort(first)].astype(np.float32)

    def _triangles(self, points: Field, size: float, spacing: float) -> NDArray[np.int64]:
        """The net's triangles as point numbers, n x 3: wherever three cells of nearest points meet."""
        # Large triangles need no fine grid.
        scale = min(1.0, 2.6 / spacing)
        margin = np.asarray([self._width * _MARGIN, self._height * _MARGIN], dtype=np.float32) * np.float32(scale)
        wide, high = (
            int(side * scale + 2 * room) for side, room in zip((self._width, self._height), margin, strict=True)
        )
        reach = max(margin) * 1.5 + size * scale * 2
        label = nearest_points(points * np.float32(scale) + margin, wide, high, reach)
        a, b, c, d = label[:-1, :-1].ravel(), label[:-1, 1:].ravel(), label[1:, 1:].ravel(), label[1:, :-1].ravel()
        many = (a != b).astype(np.int8) + (b != c) + (c != d) + (d != a) >= 3
        corners = np.stack([a[many], b[many], c[many], d[many]], axis=1).astype(np.int64)
        both = np.concatenate(
            [corners[:, [0, 1, 2]], corners[:, [0, 2, 3]], corners[:, [0, 1, 3]], corners[:, [1, 2, 3]]]
        )
        proper = (both[:, 0] != both[:, 1]) & (both[:, 1] != both[:, 2]) & (both[:, 0] != both[:, 2])
        return np.unique(np.sort(both[proper], axis=1), axis=0)

    def _shaded(self, corners: Field) -> Field:
        """One colour for each triangle, brighter if it leans to the light."""
        # Seven places inside stand for the whole.
        weights = np.asarray(
            [[4, 4, 4], [8, 2, 2], [2, 8, 2], [2, 2, 8], [5, 5, 2], [5, 2, 5], [2, 5, 5]], dtype=np.float32
        )
        total = np.zeros((len(corners), 3), dtype=np.float32)
        for row in weights / 12:
            at = (corners * row[None, :, None]).sum(axis=1)
            x = np.clip(at[:, 0], 0, self._width - 1).astype(np.int64)
            y = np.clip(at[:, 1], 0, self._height - 1).astype(np.int64)
            total += self._small[y, x]
        rng = self.draft.stream("facets")
        lean = rng.normal(0, 0.035, (len(corners), 1)).astype(np.float32)
        return np.clip(saturate(total / 7, 1.12) * (1 + lean) + lean * 0.3, 0, 1)

    def picture(self) -> Field:
        """The triangles with smooth edges."""
        image = self._image.reduce(self._factor) if self._factor > 1 else self._image
        return np.asarray(image, dtype=np.float32) / np.float32(255)


def _border(width: int, height: int, size: float) -> Field:
    """Points along the rim, corners included."""
    across, down = max(2, round(width / size) + 1), max(2, round(height / size) + 1)
    x, y = np.linspace(0, width - 1, across), np.linspace(0, height - 1, down)
    rim = [(a, b) for a in x for b in (0, height - 1)] + [(a, b) for b in y[1:-1] for a in (0, width - 1)]
    return np.asarray(rim, dtype=np.float32)


def _peaks(edges: Field, size: float, least: float, rng: np.random.Generator) -> Field:
    """The pixel with the most detail of each square of `size` pixels that has at least so much."""
    side = max(2, round(size))
    rows, columns = edges.shape[0] // side, edges.shape[1] // side
    if rows < 1 or columns < 1:
        return np.zeros((0, 2), dtype=np.float32)
    part = edges[: rows * side, : columns * side] + rng.uniform(0, 0.12, (rows * side, columns * side))
    blocks = part.reshape(rows, side, columns, side).transpose(0, 2, 1, 3).reshape(rows, columns, side * side)
    place, most = blocks.argmax(axis=-1), blocks.max(axis=-1)
    y = np.arange(rows)[:, None] * side + place // side
    x = np.arange(columns)[None, :] * side + place % side
    chosen = most >= least
    return np.stack([x[chosen], y[chosen]], axis=-1).astype(np.float32)
