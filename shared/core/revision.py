"""The revision of the database, separate from its tables: the functions need only this."""

REVISION = "0044"
"""The newest migration. Without the migrations themselves, which functions do not have, it says what to expect."""
