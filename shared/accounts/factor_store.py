"""SQL for second factors and their recovery codes."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, text


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """A second factor: the secret of its codes, whether it counts yet, and the database's time in whole seconds."""

    user_id: UUID
    secret: bytes
    confirmed: bool
    now_s: int


def find(connection: Connection, user_id: UUID) -> SecondFactor | None:
    """Return a user's second factor, also one that was only begun."""
    query = text("""
        SELECT user_id, secret, confirmed_at IS NOT NULL, floor(extract(epoch FROM clock_timestamp()))::bigint
        FROM second_factors WHERE user_id = :user_id
    """)
    row = connection.execute(query, {"user_id": user_id}).one_or_none()
    return SecondFactor(row[0], bytes(row[1]), *row[2:]) if row else None


def is_on(connection: Connection, user_id: UUID) -> bool:
    """Return whether a user's log-in needs a code."""
    query = text("SELECT true FROM second_factors WHERE user_id = :user_id AND confirmed_at IS NOT NULL")
    return connection.execute(query, {"user_id": user_id}).scalar() is not None


def begin(connection: Connection, user_id: UUID, secret: bytes) -> bool:
    """Store a factor that is to be confirmed, in place of one that never was; return False if one is on."""
    query = text("""
        INSERT INTO second_factors AS f (user_id, secret) VALUES (:user_id, :secret)
        ON CONFLICT (user_id) DO UPDATE SET secret = excluded.secret, last_step = 0 WHERE f.confirmed_at IS NULL
    """)
    return connection.execute(query, {"user_id": user_id, "secret": secret}).rowcount == 1


def confirm(connection: Connection, factor: SecondFactor) -> bool:
    """Switch a factor on; return False if it is on already, or another was begun since it was read."""
    query = text("""
        UPDATE second_factors SET confirmed_at = clock_timestamp()
        WHERE user_id = :user_id AND secret = :secret AND confirmed_at IS NULL
    """)
    return connection.execute(query, {"user_id": factor.user_id, "secret": factor.secret}).rowcount == 1


def use_step(connection: Connection, factor: SecondFactor, step: int) -> bool:
    """Use up the code of a period and of those before; return False if that has happened."""
    query = text("""
        UPDATE second_factors SET last_step = :step
        WHERE user_id = :user_id AND secret = :secret AND last_step < :step
    """)
    values = {"user_id": factor.user_id, "secret": factor.secret, "step": step}
    return connection.execute(query, values).rowcount == 1


def use_recovery_code(connection: Connection, user_id: UUID, code_hash: bytes) -> bool:
    """Use up a recovery code; return False if the user has no such code any more."""
    query = text("DELETE FROM recovery_codes WHERE user_id = :user_id AND hash = :hash")
    return connection.execute(query, {"user_id": user_id, "hash": code_hash}).rowcount == 1


def replace_recovery_codes(connection: Connection, user_id: UUID, hashes: Collection[bytes]) -> bool:
    """Replace a user's recovery codes; return False if the factor is off."""
    values = {"user_id": user_id, "hashes": list(hashes)}
    factor = text("SELECT true FROM second_factors WHERE user_id = :user_id AND confirmed_at IS NOT NULL FOR UPDATE")
    if connection.execute(factor, values).scalar() is None:
        return False
    connection.execute(text("DELETE FROM recovery_codes WHERE user_id = :user_id"), values)
    insert = text("INSERT INTO recovery_codes (user_id, hash) SELECT :user_id, unnest(CAST(:hashes AS bytea[]))")
    connection.execute(insert, values)
    return True


def delete(connection: Connection, user_id: UUID) -> bool:
    """Switch a user's factor off; return False if it was not on."""
    query = text("DELETE FROM second_factors WHERE user_id = :user_id AND confirmed_at IS NOT NULL")
    return connection.execute(query, {"user_id": user_id}).rowcount == 1
