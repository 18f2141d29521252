"""The files that a static host needs: `python -m infra.site FOLDER [--nginx FOLDER]`.

They are the site (web/), the API's docs with Swagger UI's files, and /openapi.json: served by nginx in Docker and by
CloudFront on AWS. The same checkout gives the same bytes. For nginx, the headers of these files are written too.
"""

import argparse
import json
import shutil
import sys
from functools import cache
from importlib.resources import files
from pathlib import Path

from functions.gateway import SITE, create_gateway
from functions.http.headers import declared_headers
from shared.core.settings import Settings
from shared.services import Services

# Describing the API calls no server, so these addresses are never used.
NOWHERE = {"EASEL_DATABASE_URL": "postgresql://nowhere.invalid/", "EASEL_BROKER_URL": "redis://nowhere.invalid"}


def write_site(folder: Path) -> None:
    """Write every file of the site.

    Raises:
        FileExistsError: The folder is not empty.
    """
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty.")
    shutil.copytree(SITE, folder, dirs_exist_ok=True)
    for file in files("fastapi_swagger").joinpath("resources").iterdir():
        if file.is_file() and not file.name.endswith(".py"):
            (folder / "docs" / file.name).write_bytes(file.read_bytes())
    (folder / "openapi.json").write_bytes(openapi_document())


@cache
def openapi_document() -> bytes:
    """Return the API's description as the gateway serves it; it depends on no setting."""
    app = create_gateway(Services(Settings.from_environment(NOWHERE)))
    return json.dumps(app.openapi(), ensure_ascii=False, separators=(",", ":")).encode()


def write_nginx_headers(folder: Path) -> None:
    """Write a file for each kind of answer, with its `add_header` lines, for docker/nginx/start.sh."""
    folder.mkdir(parents=True, exist_ok=True)
    declared = declared_headers()
    kinds = {"site": declared.site, "docs": declared.docs, "api": declared.api, "tls": declared.tls}
    for name, headers in kinds.items():
        lines = [f'add_header {header} "{value}" always;\n' for header, value in headers.items()]
        (folder / f"{name}.conf").write_text("".join(lines), encoding="utf-8")


def main(arguments: list[str]) -> None:
    """Write the site into the named folder, which must be new or empty."""
    parser = argparse.ArgumentParser(prog="python -m infra.site", description="Writes the files of the site.")
    parser.add_argument("folder", type=Path, help="where the site's files go")
    parser.add_argument("--nginx", type=Path, metavar="FOLDER", help="where the headers for nginx go")
    options = parser.parse_args(arguments)
    try:
        write_site(options.folder)
    except FileExistsError as error:
        sys.exit(f"infra.site: {error}")
    if options.nginx is not None:
        write_nginx_headers(options.nginx)


if __name__ == "__main__":
    main(sys.argv[1:])
