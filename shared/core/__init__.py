"""The base of all other packages: errors, settings, the database, logging."""
