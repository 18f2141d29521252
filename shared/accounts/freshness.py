"""A sign-in of the last minutes at the provider, which replaces the password of an account that has none."""

from sqlalchemy import Connection, text

from shared.accounts.auth import Credential

FRESH_S = 300


def is_fresh(connection: Connection, credential: Credential) -> bool:
    """Return whether the session's user has just signed in at the provider, and that said when."""
    query = text("""
        SELECT authenticated_at > clock_timestamp() - make_interval(secs => :fresh_s) FROM tokens WHERE hash = :hash
    """)
    return bool(connection.execute(query, {"hash": credential.token_hash, "fresh_s": FRESH_S}).scalar())
