"""The pages of the service: one to try both protocols, and the documentation of the calls."""

from pathlib import Path
from typing import TypedDict, Unpack

from fastapi import FastAPI
from fastapi.responses import FileResponse
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FOLDER = Path(__file__).parent / "page"

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# Swagger UI writes styles into its page and has its icons as data: URLs.
_DOCS_POLICY = _POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'").replace("blob:", "data:")

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


def add_site(app: FastAPI) -> None:
    """Serve the page at `/` and the documentation at `/docs`; neither loads anything from another origin."""

    @app.get("/", include_in_schema=False)
    def page() -> FileResponse:
        return FileResponse(FOLDER / "index.html", headers=_HEADERS | {"Content-Security-Policy": _POLICY})

    app.mount("/page", _Files(_POLICY, directory=FOLDER))
    # Swagger UI comes from its package; only the page around it is in this folder.
    swagger: list[str | tuple[str, str]] = [("fastapi_swagger", "resources")]
    app.mount("/docs", _Files(_DOCS_POLICY, directory=FOLDER / "docs", packages=swagger, html=True))


class _Options(TypedDict, total=False):
    """The arguments of StaticFiles that are used here."""

    directory: Path
    packages: list[str | tuple[str, str]]
    html: bool


class _Files(StaticFiles):
    def __init__(self, policy: str, **options: Unpack[_Options]) -> None:
        super().__init__(**options)
        self._policy = policy

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update(_HEADERS | {"Content-Security-Policy": self._policy})
        return response
