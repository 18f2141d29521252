"""The extension `adapters`: clients send LoRA files and name them in requests by their hash."""

import logging
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse
from pydantic import BaseModel

from generator.body import BodyTooLarge
from generator.engines.adapter_files import MAX_FILE_BYTES, SHA256, AdapterFiles, BadAdapterFile
from generator.problems import errors
from generator.request import GenerationRequest, NotKept, ParameterError, UnknownAdapter, UnknownAdapters

log = logging.getLogger("easel.generator")

_BUFFER_BYTES = 4 * 1024 * 1024


Name = Annotated[str, Path(pattern=f"^{SHA256.pattern}$")]


class Kept(BaseModel):
    """The response of `PUT /adapters/<sha256>`."""

    sha256: str
    size_bytes: int


def check_adapters(request: GenerationRequest, files: AdapterFiles | None) -> None:
    """Check that the adapters of a request are here.

    Raises:
        ParameterError: The engine takes none.
        UnknownAdapters: Some are not here.
    """
    if not request.adapters:
        return
    if files is None:
        raise ParameterError("adapters", "are for engines that take them; this one does not")
    missing = files.missing(adapter.sha256 for adapter in request.adapters)
    if missing:
        raise UnknownAdapters(missing)


def _not_kept(error: OSError) -> NotKept:
    log.warning("an adapter cannot be kept: %s", error.strerror)
    return NotKept()


def adapter_routes(files: AdapterFiles) -> APIRouter:
    """Return the calls that send and fetch an adapter."""
    router = APIRouter(tags=["img_generator"])

    @router.put("/adapters/{sha256}", responses=errors(413, 422, 507))
    async def put_adapter(sha256: Name, request: Request) -> Kept:
        """Keep a LoRA in a safetensors file, the body, whose SHA-256 is in the address. Those used last are kept."""
        try:
            upload = await run_in_threadpool(files.new)
        except OSError as error:
            raise _not_kept(error) from error
        try:
            size, buffer = 0, bytearray()
            async for chunk in request.stream():
                size += len(chunk)
                if size > MAX_FILE_BYTES:
                    raise BodyTooLarge
                buffer += chunk
                if len(buffer) >= _BUFFER_BYTES:
                    await run_in_threadpool(upload.add, bytes(buffer))
                    buffer.clear()
            await run_in_threadpool(upload.add, bytes(buffer))
            return Kept(sha256=sha256, size_bytes=await run_in_threadpool(upload.keep, sha256))
        except BadAdapterFile as error:
            raise ParameterError("sha256", str(error)) from error
        except OSError as error:
            raise _not_kept(error) from error
        finally:
            await run_in_threadpool(upload.close)

    @router.get("/adapters/{sha256}", response_class=FileResponse, responses=errors(404, 422))
    def get_adapter(sha256: Name) -> FileResponse:
        """Return the bytes of an adapter; that counts as a use."""
        if files.missing([sha256]):
            raise UnknownAdapter
        return FileResponse(files.path(sha256), media_type="application/octet-stream")

    return router
