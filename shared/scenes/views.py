"""What callers see of scenes and of the catalogue."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from shared.jobs.records import JobRecord
from shared.jobs.views import Pictures, job_json
from shared.scenes import pictures, store
from shared.services import Services


def scene_json(job: JobRecord, shown: Pictures) -> str:
    """Return the job of a scene with its code."""
    code = json.loads(job.settings)["scene"]["code"]
    return f'{job_json(job, shown)[:-1]},"code":"{code}","link":"/s/{code}"}}'


def list_places(services: Services) -> list[dict[str, Any]]:
    """Return the places of the catalogue with presigned pictures."""
    with services.db.statement() as connection:
        places = store.list_places(connection)
    url = services.storage.signing_window(datetime.now(UTC)).url
    return [
        {
            "key": place.key,
            "names": asdict(place.names),
            "pictures": [
                {
                    "index": picture.index,
                    "description": picture.description,
                    "url": url(pictures.prefix(picture.id) + pictures.THUMBNAIL),
                    "width": picture.size[0],
                    "height": picture.size[1],
                }
                for picture in place.pictures
            ],
        }
        for place in places
    ]


def list_actions(services: Services) -> list[dict[str, Any]]:
    """Return the actions of the catalogue with presigned mannequins."""
    with services.db.statement() as connection:
        actions = store.list_actions(connection)
    url = services.storage.signing_window(datetime.now(UTC)).url
    return [
        {
            "key": action.key,
            "names": asdict(action.names),
            "descriptions": asdict(action.descriptions),
            "shots": [
                {"shot": shot.shot, "url": url(pictures.prefix(shot.id) + pictures.THUMBNAIL)} for shot in action.shots
            ],
        }
        for action in actions
    ]
