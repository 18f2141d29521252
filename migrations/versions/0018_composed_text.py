"""Search prompts in NFC, as new ones are stored; and store the addresses of accounts so.

Old prompts stay as they are: there may be millions, and a search reads a limited number of them.
"""

from alembic import op

from migrations.functions import rewrite_function

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_CHANGE = ("casefold(j.prompt COLLATE pg_unicode_fast)", "casefold(normalize(j.prompt) COLLATE pg_unicode_fast)")


def upgrade() -> None:
    rewrite_function("shown_jobs", _CHANGE)
    # Folding the case of a few letters, all of them Greek or Armenian ligatures, takes them apart.
    op.execute("""
        UPDATE users SET email = normalize(email) WHERE email IS NOT NFC NORMALIZED
            AND NOT EXISTS (SELECT FROM users other WHERE other.email = normalize(users.email))
    """)


def downgrade() -> None:
    rewrite_function("shown_jobs", _CHANGE[::-1])
