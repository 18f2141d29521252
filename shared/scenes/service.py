"""Scenes as jobs: from what a caller names to a job."""

import secrets
from dataclasses import dataclass

from shared.accounts.auth import Credential, require_user
from shared.api.scene_schemas import JOB_OPTIONS, SceneJob, SceneOptions, SceneRequest
from shared.core.errors import FieldError, InvalidRequest
from shared.jobs import submission
from shared.jobs.records import JobRecord
from shared.scenes import store
from shared.scenes.composition import compose
from shared.scenes.matching import matcher
from shared.scenes.store import Action, ActionShot, Place, PlacePicture
from shared.services import Services

_CODE_CHARACTERS, _CODE_LENGTH = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", 8
"""57 to the power of 8 are 1.1e14 codes: of a million scenes, one guess in a hundred million finds one."""


@dataclass(frozen=True, slots=True)
class _Chosen:
    place: Place
    picture: PlacePicture
    action: Action
    shot: ActionShot


def submit(services: Services, credential: Credential, request: SceneRequest, idempotency_key: str | None) -> JobRecord:
    """Queue the job of a scene, as `submission.submit` does; its settings hold the scene with its code.

    Raises:
        InvalidRequest: the place, its picture or the action is unknown, or no action is like the text.
        EaselError: as from `submission.submit`.
    """
    with services.db.statement() as connection:
        require_user(connection, credential)
        places = store.list_places(connection, request.place)
        actions = store.list_actions(connection, None if request.dynamic_action else request.action)
    chosen = _choose(request, places, _action(services, request, actions))
    refusal = chosen if isinstance(chosen, InvalidRequest) else None
    job = _job(request, None if isinstance(chosen, InvalidRequest) else chosen)
    return submission.submit(services, credential, job, idempotency_key, refusal)


def _choose(request: SceneRequest, places: list[Place], action: Action | FieldError) -> _Chosen | InvalidRequest:
    """Return what the request names, or every field at fault."""
    faults: list[FieldError] = []
    place = next(iter(places), None)
    picture = None if place is None else _picture(request, place)
    if place is None:
        faults.append(FieldError("place", "is not a place; GET /v1/places lists the places", "not_a_choice"))
    elif picture is None:
        most = len(place.pictures) - 1
        faults.append(FieldError("place_picture", f"must be at most {most} for this place", "too_large", most))
    if isinstance(action, FieldError):
        faults.append(action)
    if place is None or picture is None or isinstance(action, FieldError):
        return InvalidRequest(fields=tuple(faults))
    return _Chosen(place, picture, action, action.shot(request.shot))


def _picture(request: SceneRequest, place: Place) -> PlacePicture | None:
    count = len(place.pictures)
    index = (request.seed or 0) % count if request.place_picture is None else request.place_picture
    return place.pictures[index] if index < count else None


def _action(services: Services, request: SceneRequest, actions: list[Action]) -> Action | FieldError:
    """Return the action that the text describes, or the one that the request names."""
    if request.dynamic_action:
        found = matcher(services).nearest(request.action_prompt, actions)
        if found is not None:
            return found
        if request.action is None:
            return FieldError("action_prompt", "is like none of the actions in GET /v1/actions", "not_a_choice")
    named = next((one for one in actions if one.key == request.action), None)
    return named or FieldError("action", "is not an action; GET /v1/actions lists the actions", "not_a_choice")


def _job(request: SceneRequest, chosen: _Chosen | None) -> SceneJob:
    """Return the request of the job; one that is refused has no pictures, and is only compared with earlier ones."""
    width, height = chosen.picture.size if chosen else (None, None)
    given = request.model_dump()
    scene = {name: given[name] for name in ("place", "shot", "age", "gender", "details", "action_prompt")}
    options = SceneOptions(
        **scene,
        place_picture=chosen.picture.index if chosen else 0,
        action=chosen.action.key if chosen else "",
        background=str(chosen.picture.id) if chosen else "",
        pose=str(chosen.shot.id) if chosen else "",
        code="".join(secrets.choice(_CODE_CHARACTERS) for _ in range(_CODE_LENGTH)),
    )
    return SceneJob(
        prompt=compose(
            request,
            chosen.action.descriptions.en if chosen else "",
            chosen.picture.description if chosen else "",
        ),
        width=width,
        height=height,
        scene=options,
        asked=request.fingerprint(),
        **{name: given[name] for name in JOB_OPTIONS},
    )
