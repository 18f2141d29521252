"""The tables. They need Postgres 18: `uuidv7()` makes the ids, `RETURNING old.*` reports what a guarded update found.

Jobs start in the order of start-time fair queueing (Goyal, Vin and Cheng 1996; docs/decisions/0002-fair-order.md).
`jobs.turn` is a job's start tag, `users.next_turn` the finish tag of the user's last job, and `queue_clock.turn` the
virtual time.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

import shared.core.account_tables
import shared.core.error_tables
import shared.core.export_tables
import shared.core.gallery_tables
import shared.core.likeness_tables
import shared.core.limit_tables
import shared.core.push_tables
import shared.core.scene_tables
import shared.core.upload_tables  # noqa: F401 # all nine add their tables to the metadata
from shared.core.columns import NOW, ROW_ID, SECRET, metadata, outbox, owner, when

__all__ = ["metadata"]

# `queued` and `running` count the user's unfinished jobs; they change in the statement that moves the job. `next_turn`
# is the finish tag of the user's last job. While `behind_by` is not 0, the user's queued jobs below the start tag
# `behind_below` are still to be moved by so much, and none is started. `quota_used` counts the jobs of `quota_day` but
# for failed and cancelled ones, `quota_worked` what was worked off of those: the sum of their progress. `stored_bytes`
# is the size of pictures and uploads, as moves of jobs and triggers count it. `jobs_per_day` is null if the site's
# setting applies.
# `confirmed_at` is when the owner of the address opened a link that was sent there. A disabled account keeps its data
# but cannot sign in or call the API. A deleted one is disabled, and its rows are deleted in batches.
users = Table(
    "users",
    metadata,
    Column("id", UUID, primary_key=True, server_default=ROW_ID),
    Column("email", Text, nullable=False, unique=True),
    when("confirmed_at"),
    Column("password_hash", Text, nullable=False),  # empty without a password
    Column("notify", Text, nullable=False, server_default="none"),
    Column("language", Text, nullable=False, server_default="en"),
    Column("mail_secret", LargeBinary, nullable=False, server_default=SECRET),
    Column("mail_stopped", Text),
    when("mail_resumed_at"),
    Column("webhook_url", Text),
    Column("webhook_secret", LargeBinary, nullable=False, server_default=SECRET),
    Column("webhook_error", Text),
    Column("weight", Double, nullable=False, server_default="1"),
    Column("next_turn", Double, nullable=False, server_default="0"),
    Column("behind_by", Double, nullable=False, server_default="0"),
    Column("behind_below", Double),
    Column("queued", Integer, nullable=False, server_default="0"),
    Column("running", Integer, nullable=False, server_default="0"),
    Column("quota_day", Date, nullable=False, server_default=text("'1970-01-01'")),
    Column("quota_used", Integer, nullable=False, server_default="0"),
    Column("quota_worked", Double, nullable=False, server_default="0"),
    Column("stored_bytes", BigInteger, nullable=False, server_default="0"),
    Column("jobs_per_day", Integer),
    when("created_at", nullable=False, server_default=NOW),
    when("disabled_at"),
    Column("disabled_reason", Text),
    when("deleted_at"),
    CheckConstraint(
        "queued >= 0 AND running >= 0 AND quota_used >= 0 AND quota_worked >= 0 AND stored_bytes >= 0", name="counts"
    ),
    CheckConstraint("weight > 0", name="weight"),
    CheckConstraint("jobs_per_day > 0", name="jobs_per_day"),
    CheckConstraint("notify IN ('none', 'email')", name="notify"),
    CheckConstraint("language IN ('en', 'ru')", name="language"),
    Index("ix_users_mail_secret", "mail_secret", unique=True),
    Index("ix_users_behind", "id", postgresql_where=text("behind_by > 0")),
    Index("ix_users_deleted_at", "deleted_at", postgresql_where=text("deleted_at IS NOT NULL")),
)

# Only the SHA-256 of a token is stored: a token has 256 random bits, so a slow hash would add no protection.
# `authenticated_at` is when the user of a session last signed in at an OpenID Connect provider, if that says so.
# `suspended` is true while the user is disabled: triggers keep it up to date, to spare frequent calls the user's row.
tokens = Table(
    "tokens",
    metadata,
    Column("id", UUID, primary_key=True, server_default=ROW_ID),
    owner("users", index=True),
    Column("hash", LargeBinary, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("name", Text),
    when("created_at", nullable=False, server_default=NOW),
    when("expires_at"),
    Column("device", Text),
    when("last_used_at"),
    when("authenticated_at"),
    when("ends_at"),
    Column("idle_s", Integer),
    Column("rights", ARRAY(Text), nullable=False, server_default=text("'{jobs:read,jobs:write,account}'")),
    Column("suspended", Boolean, nullable=False, server_default="false"),
    CheckConstraint("kind IN ('session', 'api')", name="kind"),
    CheckConstraint("rights <@ ARRAY['jobs:read'::text, 'jobs:write'::text, 'account'::text]", name="rights"),
    Index("ix_tokens_expires_at", "expires_at", postgresql_where=text("expires_at IS NOT NULL")),
)

# `version` increases with every change that a caller can see. `attempt_token` is the fence: a worker that holds a claim
# may write only while the row still contains its token. `crashed_token` is that of the last claim whose worker was
# taken for dead. `turn` is the start tag. `next_step_at` is when the poller looks at the job again. `protocols` lists
# those that can make the job (see `shared.generators.abilities`), comma separated: there are few distinct values, so an
# index finds the first queued job for each. The gallery shows jobs that their owner published (`published_at`) unless
# they were taken down (`taken_down_at`), by an operator or because a likeness in them was deleted; neither changes the
# other.
# `attempts` and `crashes` are reset when an operator puts the job back into the queue, which `requeues` counts.
# `refusals` counts sends that a healthy generator refused, `refused_by` is the last of them; such a job does not start
# before `next_step_at`. A job that is held has a place in no order yet; it shows as queued.
# `preview_key` is the newest preview of a job that is being made, stored at `preview_at`. `stored_bytes` is the size of
# its pictures, as its user's row counts them.
jobs = Table(
    "jobs",
    metadata,
    Column("id", UUID, primary_key=True, server_default=ROW_ID),
    owner("users"),
    Column("state", Text, nullable=False, server_default="queued"),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("prompt", Text, nullable=False),
    Column("settings", JSONB, nullable=False),
    Column("cost", Double, nullable=False),
    Column("turn", Double, nullable=False),
    Column("protocols", Text, nullable=False, server_default="img_generator"),
    Column("quota_day", Date, nullable=False),
    Column("idempotency_key", Text),
    Column("fingerprint", LargeBinary),
    Column("progress", Double),
    Column("waiting", Text),
    Column("preview_key", Text),
    when("preview_at"),
    Column("stored_bytes", BigInteger, nullable=False, server_default="0"),
    Column("generator", Text),
    Column("remote_id", Text),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("crashes", Integer, nullable=False, server_default="0"),
    Column("requeues", Integer, nullable=False, server_default="0"),
    Column("attempt_token", UUID),
    Column("crashed_token", UUID),
    when("lease_until"),
    when("next_step_at"),
    Column("refusals", Integer, nullable=False, server_default="0"),
    when("refused_since"),
    Column("refused_by", Text),
    when("sent_at"),
    when("unreachable_since"),
    when("cancel_requested_at"),
    Column("error_code", Text),
    Column("error_message", Text),
    when("published_at"),
    when("taken_down_at"),
    when("created_at", nullable=False, server_default=NOW),
    when("started_at"),
    when("finished_at"),
    Column("group_id", UUID, ForeignKey("job_groups.id", ondelete="CASCADE")),
    CheckConstraint("state IN ('held', 'queued', 'generating', 'succeeded', 'failed', 'cancelled')", name="state"),
    CheckConstraint("(error_code IS NULL) = (state <> 'failed')", name="error"),
    CheckConstraint("state <> 'succeeded' OR progress = 1", name="progress"),
    Index(
        "ix_jobs_queue", "turn", "id", postgresql_include=["cost", "user_id"], postgresql_where=text("state = 'queued'")
    ),
    Index("ix_jobs_queue_of", "protocols", "turn", "id", postgresql_where=text("state = 'queued'")),
    Index("ix_jobs_queue_age", "protocols", "id", postgresql_where=text("state = 'queued'")),
    Index("ix_jobs_queue_user", "user_id", "turn", postgresql_where=text("state = 'queued'")),
    Index("ix_jobs_not_succeeded", "state", "id", postgresql_where=text("state IN ('failed', 'cancelled')")),
    Index("ix_jobs_due", "next_step_at", postgresql_where=text("state = 'generating'")),
    Index("ix_jobs_in_flight", "generator", postgresql_where=text("state = 'generating'")),
    Index("ix_jobs_user_id_id", "user_id", "id"),
    Index("ix_jobs_group", "group_id", "id", postgresql_where=text("group_id IS NOT NULL")),
    Index(
        "ix_jobs_gallery",
        "published_at",
        "id",
        postgresql_where=text("published_at IS NOT NULL AND taken_down_at IS NULL"),
    ),
    Index(
        "uq_jobs_idempotency",
        "user_id",
        "idempotency_key",
        unique=True,
        postgresql_where=text("idempotency_key IS NOT NULL"),
    ),
)

# Jobs that were submitted in one call. The key and the hash are those of the request.
job_groups = Table(
    "job_groups",
    metadata,
    Column("id", UUID, primary_key=True, server_default=ROW_ID),
    owner("users", index=True),
    Column("idempotency_key", Text),
    Column("fingerprint", LargeBinary),
    when("created_at", nullable=False, server_default=NOW),
    Index(
        "uq_job_groups_idempotency",
        "user_id",
        "idempotency_key",
        unique=True,
        postgresql_where=text("idempotency_key IS NOT NULL"),
    ),
)

# The job whose picture a held job starts from. A trigger makes the row due when that job ends, and
# `shared.polling.releases` then moves the held job on and deletes the row.
held_jobs = Table(
    "held_jobs",
    metadata,
    owner("jobs", primary_key=True),
    Column("source_id", UUID, nullable=False, index=True),
    Column("is_due", Boolean, nullable=False, server_default="false"),
    Index("ix_held_jobs_due", "job_id", postgresql_where=text("is_due")),
)

# The renewed lease of a claim whose step lasts longer than the lease in the job's row, which is only written at the
# claim. It counts while the job still has this attempt token.
leases = Table(
    "leases",
    metadata,
    Column("attempt_token", UUID, primary_key=True),
    when("until", nullable=False, index=True),
)

job_events = Table(
    "job_events",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    owner("jobs", index=True),
    when("at", nullable=False, server_default=NOW),
    Column("event", Text, nullable=False),
    Column("detail", Text),
    Column("code", Text),
    Column("count", Integer, nullable=False, server_default="1"),
    when("first_at"),
)

# Why queued jobs of a kind (`jobs.protocols`) could not start, in periods that do not overlap; the current one has no
# end. A timeline shows those of the job's wait: SQL functions read them while it is queued, and a trigger copies them
# into its events when it leaves the queue.
wait_reasons = Table(
    "wait_reasons",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("protocols", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("message", Text, nullable=False),
    when("began_at", nullable=False, server_default=NOW),
    when("ended_at"),
    Index("ix_wait_reasons_protocols_id", "protocols", "id"),
    Index("uq_wait_reasons_open", "protocols", unique=True, postgresql_where=text("ended_at IS NULL")),
)

# `seed` is null if the generator did not follow it, `timelapse_key` if there is no video of the picture's making.
images = Table(
    "images",
    metadata,
    Column("id", UUID, primary_key=True, server_default=ROW_ID),
    owner("jobs"),
    Column("index", Integer, nullable=False),
    Column("key", Text, nullable=False),
    Column("thumbnail_key", Text, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("seed", BigInteger),
    Column("description", Text),
    Column("timelapse_key", Text),
    UniqueConstraint("job_id", "index"),
)

# One row: the virtual time (`turn`), and the time of the last sweep, which shows whether a worker is running.
# `seconds_per_cost` is only for the version before, while an upgrade lasts.
queue_clock = Table(
    "queue_clock",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("turn", Double, nullable=False, server_default="0"),
    Column("seconds_per_cost", Double, nullable=False, server_default="0.5"),
    when("swept_at"),
    CheckConstraint("id = 1", name="single"),
)

# When each kind of work that one worker process does for all is due again (see `shared.polling.rounds`).
rounds = Table("rounds", metadata, Column("name", Text, primary_key=True), when("due_at", nullable=False))

# `refusals` counts jobs that a healthy generator did not accept, `refusals_in_row` different ones since it accepted a
# job; until `refusing_until` it gets none. A job takes `fixed_s` and `seconds_per_cost` for each unit of its cost, as
# fitted to the five sums (see `shared.polling.durations`). `loading_s` is null unless its model is loading: about how
# long that takes, 0 if that is not known. `model` is the one that it has reported (`shared.generators.base.Model`),
# `has_frames`, `has_adapters`, `has_training` and `has_scenes` whether it makes frames, takes adapters, trains them and
# makes scenes, null before it was asked; after `look_at` it is asked again. Trainings take `training_seconds_per_cost`.
generators = Table(
    "generators",
    metadata,
    Column("name", Text, primary_key=True),
    Column("protocol", Text, nullable=False, server_default="img_generator"),
    Column("max_in_flight", Integer, nullable=False),
    Column("failures", Integer, nullable=False, server_default="0"),
    when("retry_at"),
    Column("last_error", Text),
    Column("refusals", BigInteger, nullable=False, server_default="0"),
    Column("refusals_in_row", Integer, nullable=False, server_default="0"),
    Column("refused_job", UUID),
    when("refused_at"),
    when("refusing_until"),
    Column("last_refusal", Text),
    Column("loading_s", Double),
    Column("model", JSONB),
    Column("has_frames", Boolean),
    Column("has_adapters", Boolean),
    Column("has_training", Boolean),
    Column("has_scenes", Boolean),
    when("look_at", nullable=False, server_default=NOW),
    Column("fixed_s", Double, nullable=False, server_default="0.3"),
    Column("seconds_per_cost", Double, nullable=False, server_default="0.5"),
    Column("training_seconds_per_cost", Double, nullable=False, server_default="60"),
    Column("pace_weight", Double, nullable=False, server_default="0"),
    Column("pace_x", Double, nullable=False, server_default="0"),
    Column("pace_y", Double, nullable=False, server_default="0"),
    Column("pace_xx", Double, nullable=False, server_default="0"),
    Column("pace_xy", Double, nullable=False, server_default="0"),
)

# Mail about finished jobs, to be sent.
mails = Table("mails", metadata, owner("jobs", primary_key=True), *outbox())

# Mail about groups whose jobs have all ended; a trigger on `jobs` adds a row at the end of the last one.
_group = ForeignKey("job_groups.id", ondelete="CASCADE")
group_mails = Table("group_mails", metadata, Column("group_id", UUID, _group, primary_key=True), *outbox())

# Messages to programs about finished jobs. The URL is the job's or the account's.
webhooks = Table(
    "webhooks",
    metadata,
    owner("jobs", primary_key=True),
    owner("users", index=True),
    Column("url", Text, nullable=False),
    *outbox(),
)

# Prefixes of objects to which nothing refers, written in the transaction that makes them so; the poller deletes them.
garbage = Table(
    "garbage",
    metadata,
    Column("prefix", Text, primary_key=True),
    when("due_at", nullable=False, server_default=NOW, index=True),
)

# Counters for the metrics, stored as increments: triggers add a row for each job that ends and for each picture and
# user that is added or removed, so that two writers never wait for each other; `shared.metrics.store.compact` adds rows
# up. A counter is the sum of its rows. Because triggers write them, they are right after any statement; the same
# numbers would otherwise take a scan of all jobs.
tallies = Table(
    "tallies",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("name", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("amount", Double, nullable=False),
)

# The queue, counted by start tag, so that a job's place and the queue's length need no scan. Triggers on `jobs` add
# rows for what each statement adds to the queue or takes from it (`jobs` and `cost` are then negative), so the sums
# are right after any statement; `fold_queue_depth` merges the rows. A row is one of three:
# - a change has `protocols` and a range of start tags (`low` = `high` for a single job);
# - a bucket has only the range: those jobs, of any protocols, that earlier changes have added to it;
# - a total has only `protocols`: the jobs in the buckets that have them.
# Jobs before a start tag are the sum of changes and buckets, each taken as even over its range. Jobs of some protocols
# are the sum of changes and totals.
queue_depth = Table(
    "queue_depth",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("protocols", Text),
    Column("low", Double),
    Column("high", Double),
    Column("jobs", BigInteger, nullable=False),
    Column("cost", Double, nullable=False),
)
