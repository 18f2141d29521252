"""The schemas of exports."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from shared.api.schemas import Answer, Id, JobErrorView, Time


class ExportFileView(Answer):
    """A ZIP file. Its URL is presigned; the export has a fresh one whenever it is asked for."""

    url: str
    size_bytes: int


class ExportLinks(Answer):
    """Where the export is."""

    self: str


class ExportView(Answer):
    """Everything that the site has of a user, as ZIP files."""

    id: Id
    state: Literal["queued", "making", "ready", "failed"]
    progress: float | None = Field(description="The share of the jobs that are in the files; null until it is known.")
    error: JobErrorView | None
    files: list[ExportFileView] = Field(description="All of them belong together. Empty until all are made.")
    created_at: Time
    finished_at: Time | None
    expires_at: Time | None = Field(description="When the export is deleted.")
    links: ExportLinks


class ExportList(Answer):
    """A page of exports."""

    exports: list[ExportView]
    next: Annotated[str | None, BeforeValidator(lambda at: at and str(at))]
