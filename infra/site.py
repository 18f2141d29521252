"""Writes all that a static host needs of Easel: `python -m infra.site FOLDER`.

The site (web/), the API's docs with Swagger UI's own files, and /openapi.json: what nginx serves in Docker and
CloudFront on AWS. The same checkout gives the same bytes.
"""

import json
import shutil
import sys
from importlib.resources import files
from pathlib import Path

from functions.gateway import SITE, create_gateway
from shared.core.settings import Settings
from shared.services import Services

# Describing the API asks no server anything; these addresses are never used.
NOWHERE = {"EASEL_DATABASE_URL": "postgresql://nowhere.invalid/", "EASEL_BROKER_URL": "redis://nowhere.invalid"}


def write_site(folder: Path) -> None:
    """Write everything into folder, which must not hold anything yet. Raises FileExistsError."""
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty.")
    shutil.copytree(SITE, folder, dirs_exist_ok=True)
    for file in files("fastapi_swagger").joinpath("resources").iterdir():
        if file.is_file() and not file.name.endswith(".py"):
            (folder / "docs" / file.name).write_bytes(file.read_bytes())
    (folder / "openapi.json").write_bytes(openapi_document())


def openapi_document() -> bytes:
    """The API's description as the gateway answers it; it hangs on no setting."""
    app = create_gateway(Services(Settings.from_environment(NOWHERE)))
    return json.dumps(app.openapi(), ensure_ascii=False, separators=(",", ":")).encode()


def main(arguments: list[str]) -> None:
    """Write the site into the one folder that is named."""
    if len(arguments) != 1:
        sys.exit("Use: python -m infra.site FOLDER")
    try:
        write_site(Path(arguments[0]))
    except FileExistsError as error:
        sys.exit(f"infra.site: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
