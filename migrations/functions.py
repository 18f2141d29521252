"""Changes of SQL functions that keep most of their text."""

from alembic import op


def rewrite_function(name: str, *changes: tuple[str, str]) -> None:
    """Create a function again, with each of these texts of its definition replaced; the parameters may change, too."""
    source = "source"
    for before, after in changes:
        source = f"replace({source}, $text${before}$text$, $text${after}$text$)"
    op.execute(f"""
        DO $do$
        DECLARE
            source text := pg_get_functiondef('{name}'::regproc);
        BEGIN
            DROP FUNCTION {name};
            EXECUTE {source};
        END $do$
    """)
