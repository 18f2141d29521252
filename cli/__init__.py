"""Commands for people: each is one module with a `main` behind a console script."""
