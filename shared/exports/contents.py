"""What an export says: the account, and each job with its pictures, start pictures and trained likeness."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from shared.core.errors import NotFound
from shared.jobs import archives
from shared.jobs import store as job_store
from shared.jobs.archives import ArchivedFile
from shared.jobs.publications import PUBLICATION, Publication, publication_json, read_publication
from shared.jobs.records import JobRecord, utc
from shared.likeness import store as likeness_store
from shared.likeness.views import likeness_view

# Secrets are left out: whoever finds the file must not be able to sign webhooks or to use tokens.
_ACCOUNT = text(f"""
SELECT json_build_object(
    'exported_at', {utc("clock_timestamp()")}, 'id', id, 'email', email, 'created_at', {utc("created_at")},
    'confirmed_at', {utc("confirmed_at")},
    'notify', notify, 'language', language, 'mail_stopped', mail_stopped, 'webhook_url', webhook_url,
    'second_factor', EXISTS (SELECT FROM second_factors f WHERE f.user_id = u.id AND f.confirmed_at IS NOT NULL),
    'tokens', (SELECT coalesce(json_agg(json_build_object(
        'kind', kind, 'name', name, 'device', device, 'created_at', {utc("t.created_at")},
        'last_used_at', {utc("t.last_used_at")}, 'expires_at', {utc("t.expires_at")}, 'rights', rights
    ) ORDER BY t.id), '[]') FROM tokens t WHERE t.user_id = u.id),
    'known_devices', (SELECT coalesce(json_agg(json_build_object(
        'device', device, 'last_used_at', {utc("d.last_used_at")}
    ) ORDER BY device), '[]') FROM known_devices d WHERE d.user_id = u.id),
    'identities', (SELECT coalesce(json_agg(json_build_object(
        'issuer', issuer, 'subject', subject, 'email', i.email, 'created_at', {utc("i.created_at")},
        'last_used_at', {utc("i.last_used_at")}
    ) ORDER BY i.id), '[]') FROM identities i WHERE i.user_id = u.id),
    'passkeys', (SELECT coalesce(json_agg(json_build_object(
        'name', name, 'created_at', {utc("k.created_at")}, 'last_used_at', {utc("k.last_used_at")}
    ) ORDER BY k.id), '[]') FROM passkeys k WHERE k.user_id = u.id),
    'browsers', (SELECT coalesce(json_agg(json_build_object(
        'endpoint', endpoint, 'created_at', {utc("p.created_at")}
    ) ORDER BY p.id), '[]') FROM push_subscriptions p WHERE p.user_id = u.id),
    'uploads', (SELECT coalesce(json_agg(json_build_object(
        'key', key, 'content_type', content_type, 'size_bytes', size_bytes, 'created_at', {utc("o.created_at")}
    ) ORDER BY o.created_at), '[]') FROM uploads o WHERE o.user_id = u.id)
) FROM users u WHERE id = :user_id
""")
_SOURCES = text("""
SELECT job_id, upload_key FROM job_sources WHERE job_id = ANY(:job_ids) ORDER BY job_id, index
""")
_PUBLICATIONS = text(f"""
SELECT id, {PUBLICATION}, (SELECT {utc("appealed_at")} FROM publications p WHERE p.job_id = jobs.id) AS appealed_at
FROM jobs WHERE id = ANY(:job_ids)
""")
_ADAPTERS = text("SELECT job_id, code, adapter_key FROM likenesses WHERE job_id = ANY(:job_ids)")


@dataclass(frozen=True, slots=True)
class PackedJob:
    """A job with the keys of its start pictures, and the code and key of the likeness that it has trained.

    `decision` is what operators decided about its publication, if they did, and `appealed_at` when its owner appealed.
    """

    record: JobRecord
    sources: tuple[str, ...]
    likeness: tuple[str, str | None] | None
    decision: Publication | None = None
    appealed_at: str | None = None


def read_account(connection: Connection, user_id: UUID) -> dict[str, Any]:
    """Return what the site has about the account itself. Raises NotFound if it was deleted meanwhile."""
    found: dict[str, Any] | None = connection.execute(_ACCOUNT, {"user_id": user_id}).scalar()
    if found is None:
        raise NotFound
    likenesses = likeness_store.list_own(connection, user_id, None, likeness_store.CODES)
    return found | {"likenesses": [likeness_view(one) for one in likenesses]}


def read_jobs(connection: Connection, user_id: UUID, after: UUID | None, limit: int) -> list[PackedJob]:
    """Return the user's jobs after this one, newest first."""
    records = job_store.list_views(connection, user_id, state=None, before=after, limit=limit)
    values = {"job_ids": [UUID(record.id) for record in records]}
    sources: dict[str, list[str]] = {}
    for job_id, key in connection.execute(_SOURCES, values):
        sources.setdefault(str(job_id), []).append(key)
    trained = {str(row.job_id): (row.code, row.adapter_key) for row in connection.execute(_ADAPTERS, values)}
    decided = {
        str(row.id): (read_publication(row.publication), row.appealed_at)
        for row in connection.execute(_PUBLICATIONS, values)
    }
    return [
        PackedJob(one, tuple(sources.get(one.id, ())), trained.get(one.id), *decided.get(one.id, ())) for one in records
    ]


def list_files(job: PackedJob, number: int) -> list[ArchivedFile]:
    """Return the files of a job: pictures and video by its number, start pictures by key, a likeness by code."""
    at = archives.local_time(job.record.created_at)
    pictures = [
        ArchivedFile(f"pictures/{one.name}", one.key, one.at) for one in archives.list_files([job.record], number)
    ]
    sources = [ArchivedFile(f"uploads/{key.rsplit('/', 1)[-1]}", key, at) for key in dict.fromkeys(job.sources)]
    code, adapter_key = job.likeness or ("", None)
    adapters = [ArchivedFile(f"likenesses/{code}.safetensors", adapter_key, at)] if adapter_key else []
    return pictures + sources + adapters


def describe(job: PackedJob, names: Mapping[str, str]) -> dict[str, Any]:
    """Return a job as `jobs.json` has it. names: the files of the export, by the keys of their objects."""
    record = job.record
    # As the API shows it, and not as operators see it, who may have a look of which the owner knows nothing.
    publication = json.loads(publication_json(job.decision, public=record.public))
    error = {"code": record.error_code, "message": record.error_message} if record.error_code else None
    return {
        "id": record.id,
        "state": "queued" if record.state.waits else record.state.value,
        "prompt": record.prompt,
        "settings": json.loads(record.settings),
        "error": error,
        "public": record.public,
        "publication": publication | {"appealed_at": job.appealed_at},
        "group_id": record.group_id,
        "created_at": record.created_at,
        "started_at": record.started_at,
        "finished_at": record.finished_at,
        "source_images": [names.get(key) for key in job.sources],
        "likeness": {"code": job.likeness[0], "file": names.get(job.likeness[1] or "")} if job.likeness else None,
        "images": [
            {
                "id": image.id,
                "file": names.get(image.key),
                "timelapse": names.get(image.timelapse_key or ""),
                "width": image.width,
                "height": image.height,
                "seed": image.seed,
                "description": image.description,
            }
            for image in record.images
        ],
    }
