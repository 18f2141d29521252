"""Notifications about finished jobs, by mail, webhook and Web Push, through outboxes."""
