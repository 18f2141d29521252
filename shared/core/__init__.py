"""What everything else is built on: errors, settings, the database, logging."""
