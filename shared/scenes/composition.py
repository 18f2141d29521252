"""What the prompt of a scene says."""

from shared.api.scene_schemas import SceneRequest

_SHOTS = {"CLS": "close-up portrait", "MES": "half-length shot", "FUS": "full-length shot from afar"}
_AGES = {"young": "young", "adult": "adult", "old": "elderly"}


def compose(request: SceneRequest, action: str, place: str) -> str:
    """Return the prompt. `action` and `place` are the catalogue's descriptions.

    The caller's own words about the action replace the catalogue's. `|` would split the prompt.
    """
    who = f"{_AGES[request.age]} {request.gender}"
    article = "an" if who[0] in "aeiou" else "a"
    parts = [f"{article} {who}", request.action_prompt or action, request.details, place, _SHOTS[request.shot]]
    return ", ".join(filter(None, (" ".join(part.replace("|", " ").split()).strip(" ,") for part in parts)))
