"""Scenes: places, actions and their pictures, the codes of jobs that place a person, and which generators can."""

import sqlalchemy as sa
from alembic import op

from migrations.functions import rewrite_function

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

_NOW = sa.text("clock_timestamp()")

_KEEP_SCENE = """
CREATE FUNCTION keep_scene() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO scenes (job_id, code, place_picture_id, action_shot_id) VALUES (
        new.id, new.settings->'scene'->>'code', CAST(new.settings->'scene'->>'background' AS uuid),
        CAST(new.settings->'scene'->>'pose' AS uuid)
    );
    RETURN NULL;
END $$
"""
_TRIGGER = """
CREATE TRIGGER keep_scene AFTER INSERT ON jobs FOR EACH ROW WHEN (new.settings ? 'scene') EXECUTE FUNCTION keep_scene()
"""

_PACE_COLUMNS = "o.has_adapters, o.has_training,"
_PACE_COLUMNS_WITH_SCENES = "o.has_adapters, o.has_training, o.has_scenes,"
_PACE_KINDS = "WHEN of_protocols = 'adapters' THEN r.has_adapters"
_PACE_KINDS_WITH_SCENES = f"""{_PACE_KINDS}
        WHEN of_protocols = 'scenes' THEN r.has_scenes
        WHEN of_protocols = 'adapted_scenes' THEN r.has_adapters AND r.has_scenes"""
_PACE = ((_PACE_COLUMNS, _PACE_COLUMNS_WITH_SCENES), (_PACE_KINDS, _PACE_KINDS_WITH_SCENES))


def upgrade() -> None:
    op.add_column("generators", sa.Column("has_scenes", sa.Boolean()))
    rewrite_function("job_pace", *_PACE)
    # All that are well are asked again at once, instead of within a minute.
    op.execute("UPDATE generators SET look_at = clock_timestamp()")
    _create_catalogue("places")
    _create_catalogue(
        "actions",
        sa.Column("description_en", sa.Text(), nullable=False),
        sa.Column("description_ru", sa.Text(), nullable=False),
    )
    _create_pictures(
        "place_pictures",
        "place",
        "index",
        sa.Column("index", sa.Integer(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
    )
    shot = sa.CheckConstraint("shot IN ('CLS', 'MES', 'FUS')", name="shot")
    _create_pictures("action_shots", "action", "shot", sa.Column("shot", sa.Text(), shot, nullable=False))
    op.create_table(
        "scenes",
        sa.Column("job_id", sa.UUID(), sa.ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("code", sa.Text(), nullable=False, unique=True),
        sa.Column("place_picture_id", sa.UUID(), sa.ForeignKey("place_pictures.id"), nullable=False),
        sa.Column("action_shot_id", sa.UUID(), sa.ForeignKey("action_shots.id"), nullable=False),
    )
    for column in ("place_picture_id", "action_shot_id"):
        op.create_index(f"ix_scenes_{column}", "scenes", [column])
    op.execute(_KEEP_SCENE)
    op.execute(_TRIGGER)


# The version before paints their words alone.
_WITHOUT_SCENES = """
UPDATE jobs SET protocols = CASE protocols WHEN 'scenes' THEN 'img_generator' ELSE 'adapters' END
WHERE protocols IN ('scenes', 'adapted_scenes') AND state = 'queued'
"""


def downgrade() -> None:
    op.execute(_WITHOUT_SCENES)
    op.execute("DROP TRIGGER keep_scene ON jobs")
    op.execute("DROP FUNCTION keep_scene()")
    for table in ("scenes", "action_shots", "place_pictures", "actions", "places"):
        op.drop_table(table)
    rewrite_function("job_pace", *((after, before) for before, after in _PACE))
    op.drop_column("generators", "has_scenes")


def _create_catalogue(name: str, *columns: sa.Column[str]) -> None:
    op.create_table(
        name,
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("name_ru", sa.Text(), nullable=False),
        *columns,
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
    )


def _create_pictures(name: str, of: str, among: str, *columns: sa.Column[object]) -> None:
    op.create_table(
        name,
        sa.Column("id", sa.UUID(), primary_key=True, server_default=sa.text("uuidv7()")),
        sa.Column(of, sa.Text(), sa.ForeignKey(f"{of}s.key")),
        *columns,
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint(f"({of} IS NULL) = (retired_at IS NOT NULL)", name="retired"),
    )
    live, retired = sa.text("retired_at IS NULL"), sa.text("retired_at IS NOT NULL")
    op.create_index(f"uq_{name}_live", name, [of, among], unique=True, postgresql_where=live)
    op.create_index(f"ix_{name}_retired_at", name, ["retired_at"], postgresql_where=retired)
