"""What the mannequin does: six actions, as joints of a body in front or side view."""

from collections.abc import Callable
from dataclasses import dataclass

from local.scenes.mannequin import JOINT, PAPER, STOOL, Ball, Board, Frame, Limb, Part, Point

_HEAD = (0.056, 0.076)


@dataclass(frozen=True)
class Arm:
    """Shoulder, elbow and hand."""

    shoulder: Point
    elbow: Point
    hand: Point

    def parts(self) -> list[Part]:
        """Return the parts from the shoulder on."""
        return [
            Limb(self.shoulder, self.elbow, 0.033, 0.025),
            Limb(self.elbow, self.hand, 0.025, 0.018),
            Ball(self.elbow, (0.024, 0.024), colour=JOINT),
            Ball(self.hand, (0.024, 0.030)),
        ]


@dataclass(frozen=True)
class Leg:
    """Hip, knee, ankle and the tip of the foot."""

    hip: Point
    knee: Point
    ankle: Point
    toe: Point

    def parts(self) -> list[Part]:
        """Return the parts from the hip on."""
        return [
            Limb(self.ankle, self.toe, 0.024, 0.018),
            Limb(self.hip, self.knee, 0.053, 0.037),
            Limb(self.knee, self.ankle, 0.036, 0.022),
            Ball(self.knee, (0.033, 0.033), colour=JOINT),
        ]


@dataclass(frozen=True)
class Body:
    """A pose. `behind` are the limbs on the far side, `things` is what is held; head, chest and pelvis lean by degrees.

    `face_at` is where the face is, seen from the middle of the head.
    """

    head: Point
    neck: Point
    chest: Point
    pelvis: Point
    before: tuple[Arm | Leg, ...]
    behind: tuple[Arm | Leg, ...] = ()
    lean_deg: float = 0.0
    chest_radii: Point = (0.105, 0.118)
    pelvis_radii: Point = (0.086, 0.070)
    face_at: Point = (0.0, -0.008)
    face_radii: Point = (0.042, 0.058)
    things: tuple[Part, ...] = ()
    furniture: tuple[Part, ...] = ()

    def parts(self) -> list[Part]:
        """Return all parts, the farthest first."""
        found: list[Part] = [*self.furniture]
        for limb in self.behind:
            found += limb.parts()
        found += [
            Limb(self.neck, self.chest, 0.030, 0.034, JOINT),
            Limb(self.chest, self.pelvis, self.chest_radii[0] * 0.72, self.pelvis_radii[0] * 0.82, JOINT),
            Ball(self.pelvis, self.pelvis_radii, self.lean_deg),
            Ball(self.chest, self.chest_radii, self.lean_deg),
            Ball(self.head, _HEAD, self.lean_deg),
        ]
        for limb in self.before:
            found += limb.parts()
        return [*found, *self.things]

    @property
    def face(self) -> Ball:
        """Return where the face is."""
        centre = (self.head[0] + self.face_at[0], self.head[1] + self.face_at[1])
        return Ball(centre, self.face_radii, self.lean_deg)


_FRONT_LEGS = (
    Leg((-0.050, 0.52), (-0.058, 0.28), (-0.062, 0.05), (-0.080, 0.02)),
    Leg((0.050, 0.52), (0.058, 0.28), (0.062, 0.05), (0.080, 0.02)),
)
_UPRIGHT = {"head": (0.0, 0.922), "neck": (0.0, 0.85), "chest": (0.0, 0.735), "pelvis": (0.0, 0.535)}
_SIDE = {
    "chest_radii": (0.078, 0.118),
    "pelvis_radii": (0.070, 0.066),
    "face_at": (0.020, -0.006),
    "face_radii": (0.034, 0.056),
}


def _standing() -> Body:
    hip = Arm((-0.118, 0.80), (-0.205, 0.665), (-0.100, 0.560))
    hangs = Arm((0.118, 0.80), (0.150, 0.63), (0.145, 0.47))
    return Body(**_UPRIGHT, before=(*_FRONT_LEGS, hip, hangs))  # type: ignore[arg-type] # all are points


def _waving() -> Body:
    hangs = Arm((-0.118, 0.80), (-0.150, 0.63), (-0.140, 0.47))
    waves = Arm((0.118, 0.80), (0.205, 0.745), (0.165, 0.945))
    return Body(**_UPRIGHT, before=(*_FRONT_LEGS, hangs, waves))  # type: ignore[arg-type] # all are points


def _reading() -> Body:
    book = (
        Board(((-0.085, 0.690), (-0.003, 0.676), (-0.003, 0.786), (-0.085, 0.800)), PAPER),
        Board(((0.003, 0.676), (0.085, 0.690), (0.085, 0.800), (0.003, 0.786)), PAPER),
    )
    arms = (
        Arm((-0.118, 0.80), (-0.165, 0.640), (-0.088, 0.705)),
        Arm((0.118, 0.80), (0.165, 0.640), (0.088, 0.705)),
    )
    holding = tuple(Ball(arm.hand, (0.022, 0.026)) for arm in arms)
    upright = _UPRIGHT | {"head": (0.0, 0.912)}
    return Body(**upright, before=(*_FRONT_LEGS, *arms), face_at=(0.0, -0.018), things=(*book, *holding))  # type: ignore[arg-type] # all are points


def _sitting() -> Body:
    stool = (
        Board(((-0.175, 0.215), (0.085, 0.215), (0.085, 0.255), (-0.175, 0.255)), STOOL),
        Board(((-0.165, 0.0), (-0.135, 0.0), (-0.130, 0.22), (-0.160, 0.22)), STOOL),
        Board(((0.040, 0.0), (0.070, 0.0), (0.065, 0.22), (0.035, 0.22)), STOOL),
    )
    near = (
        Leg((-0.035, 0.305), (0.205, 0.305), (0.205, 0.050), (0.275, 0.022)),
        Arm((-0.045, 0.595), (0.000, 0.430), (0.140, 0.360)),
    )
    far = (
        Leg((-0.020, 0.315), (0.225, 0.325), (0.240, 0.060), (0.310, 0.032)),
        Arm((-0.020, 0.595), (0.050, 0.440), (0.185, 0.372)),
    )
    return Body(
        head=(-0.020, 0.722),
        neck=(-0.035, 0.650),
        chest=(-0.045, 0.530),
        pelvis=(-0.045, 0.325),
        before=near,
        behind=far,
        furniture=stool,
        **_SIDE,  # type: ignore[arg-type] # all are points
    )


def _walking() -> Body:
    near = (
        Leg((0.0, 0.52), (0.095, 0.300), (0.150, 0.070), (0.215, 0.062)),
        Arm((0.005, 0.80), (-0.085, 0.650), (-0.120, 0.490)),
    )
    far = (
        Leg((0.0, 0.52), (-0.030, 0.285), (-0.165, 0.105), (-0.115, 0.040)),
        Arm((0.015, 0.80), (0.095, 0.660), (0.195, 0.545)),
    )
    return Body(
        head=(0.030, 0.922), neck=(0.015, 0.85), chest=(0.010, 0.735), pelvis=(0.0, 0.535), before=near, behind=far,
        **_SIDE,  # type: ignore[arg-type] # all are points
    )  # fmt: skip


def _running() -> Body:
    near = (
        Leg((-0.030, 0.53), (0.155, 0.470), (0.120, 0.235), (0.185, 0.205)),
        Arm((0.070, 0.785), (-0.075, 0.700), (-0.010, 0.555)),
    )
    far = (
        Leg((-0.030, 0.53), (-0.120, 0.310), (-0.335, 0.330), (-0.350, 0.265)),
        Arm((0.085, 0.785), (0.135, 0.625), (0.265, 0.715)),
    )
    return Body(
        head=(0.150, 0.905), neck=(0.105, 0.838), chest=(0.065, 0.725), pelvis=(-0.025, 0.545), before=near, behind=far,
        lean_deg=-18.0,
        **_SIDE,  # type: ignore[arg-type] # all are points
    )  # fmt: skip


BODIES: dict[str, Callable[[], Body]] = {
    "standing": _standing,
    "sitting": _sitting,
    "walking": _walking,
    "running": _running,
    "waving": _waving,
    "reading": _reading,
}


def frame(body: Body, shot: str) -> Frame:
    """Return what a shot shows: head and shoulders, down to the hips, or the whole body far away."""
    top = body.head[1] + _HEAD[1]
    side, above = {"CLS": (0.44, 0.055), "MES": (0.74, 0.07), "FUS": (2.30, 1.0)}[shot]
    middle = body.head[0] if shot == "CLS" else (body.head[0] + body.pelvis[0]) / 2
    bottom = -0.07 * side if shot == "FUS" else top + above - side
    return Frame(middle - side / 2, bottom, side)
