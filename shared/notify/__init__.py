"""Notifications about finished jobs, by mail and by webhook, through an outbox."""
