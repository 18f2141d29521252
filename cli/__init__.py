"""The commands: each is a module with a `main` behind a console script."""
