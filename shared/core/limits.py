"""Limits that more than one module checks. What one module checks by itself is declared there."""

MAX_BODY_BYTES = 256 * 1024
"""Of a request to the API."""

MAX_UPLOAD_BYTES = 20 * 1024 * 1024
"""Of a start picture's file."""

MAX_EMAIL_CHARACTERS = 254
"""Of an account's address (RFC 5321, 4.5.3.1.3)."""

MAX_PASSWORD_CHARACTERS = 128
MAX_TOKEN_NAME_CHARACTERS = 100
