"""The Celery app that moves jobs through the generators."""
