"""Limits that several parts of Easel keep to."""

MAX_UPLOAD_BYTES = 20 * 1024 * 1024
"""The largest start picture. The site (web/lib/storage.js) and nginx keep to it too; a test compares them."""
