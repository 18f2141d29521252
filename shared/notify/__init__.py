"""Notifications about finished jobs, through an outbox."""
