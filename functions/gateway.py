"""Every function behind one port, with the static site and the API's docs: the laptop's and Docker's front door."""

import importlib
import re
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import uvicorn
from fastapi import APIRouter, FastAPI
from fastapi.responses import Response
from starlette.datastructures import URL
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, compile_path
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from functions.http.app import FLUSH_S, create_app
from functions.http.connections import THIS_MACHINE, BoundedHttp, Connections
from functions.http.full_collections import FullCollections
from functions.http.headers import declared_headers
from functions.http.manifest import manifest
from shared.core import log
from shared.core.settings import Settings, SettingsError
from shared.metrics.process import MeasureRequest, unmeasured
from shared.services import Services

SITE = Path(__file__).parent.parent / "web"
API_FOLDERS = ("v1", "i", "s")
KEPT_S = 65
"""How long a connection may be idle, as at nginx. Of uvicorn's 5 s a program that asks every 5 s would meet the end."""

FILE_ENDING = re.compile(r"\.[a-z0-9]{1,8}$")


def create_gateway(services: Services, measure: MeasureRequest = unmeasured, more: Sequence[BaseRoute] = ()) -> FastAPI:
    """Build the app with every function of the manifest and more routes, the site at `/` and the docs at `/docs`."""
    names = dict.fromkeys(route["name"] for route in manifest())
    routers: list[APIRouter] = [importlib.import_module(f"functions.{name}").router for name in names]
    app = create_app(routers, services, measure)
    app.router.routes.extend(more)  # before the site, which takes every address
    app.mount("/docs", Docs(), name="docs")
    app.mount("/", Site(services.storage.public_origin), name="site")
    return app


class Site(StaticFiles):
    """The static site. An address that neither is a file nor ends like one is one of the site's views: index.html."""

    def __init__(self, storage_origin: str) -> None:
        super().__init__(directory=SITE, html=True)
        self._headers = declared_headers().site_headers(storage_origin)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Serve a file of the site, or the page for an address without one."""
        if path.split("/", maxsplit=1)[0] in API_FOLDERS:
            raise _not_routed(scope["path"])
        try:
            response = await super().get_response(path, scope)
        except HTTPException as missing:
            if missing.status_code != 404 or FILE_ENDING.search(path):
                raise
            response = await super().get_response("index.html", scope)
        response.headers.update(self._headers)
        return _in_place(response)


def _in_place(response: Response) -> Response:
    """Make a redirect to a folder name only the path: the library's repeats the host that the request named."""
    if "location" in response.headers:
        response.headers["location"] = "/" + URL(response.headers["location"]).path.lstrip("/")
    return response


def _not_routed(path: str) -> HTTPException:
    """Return the error for a request that no route of the API took: unknown, or known for other methods only."""
    methods = [route["method"] for route in manifest() if compile_path(route["path"])[0].match(path)]
    methods += ["HEAD"] if "GET" in methods else []
    return HTTPException(405, headers={"Allow": ", ".join(methods)}) if methods else HTTPException(404)


class Docs(StaticFiles):
    """Swagger UI from its own package, so that the docs work without any other origin."""

    def __init__(self) -> None:
        super().__init__(directory=SITE / "docs", packages=[("fastapi_swagger", "resources")], html=True)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Serve a page of the API's docs with the headers declared for them."""
        response = await super().get_response(path, scope)
        response.headers.update(declared_headers().docs)
        return _in_place(response)


def main(more: Callable[[Settings], Sequence[BaseRoute]] = lambda _: ()) -> None:
    """Serve on EASEL_HOST and EASEL_PORT until a signal ends the process. more: makes routes for other pages."""
    try:
        services = Services.from_environment()
        services.prepare()
    except SettingsError as error:
        sys.exit(f"easel gateway: {error}")
    log.configure(services.settings.log_level)
    measure: MeasureRequest = unmeasured
    if services.settings.metrics_port is not None:
        from shared.metrics.prometheus import Requests, serve  # the metrics' library, only where metrics are served

        requests = Requests()
        serve(services.settings, requests)
        measure = requests.measure
    connections = Connections(
        usual=declared_headers().usual_headers(services.settings.public_url),
        shared=(*THIS_MACHINE, *services.settings.trusted_proxies),
    )
    app = create_gateway(services, measure, more(services.settings))
    FullCollections().begin()
    uvicorn.run(
        app,
        host=services.settings.host,
        port=services.settings.port,
        http=partial(BoundedHttp, connections=connections),  # type: ignore[arg-type] # it only calls it
        proxy_headers=False,  # functions.http.client_address reads them
        log_config=None,
        access_log=False,
        timeout_keep_alive=KEPT_S,
        timeout_graceful_shutdown=5,
    )
    services.flush(FLUSH_S)


if __name__ == "__main__":
    main()
