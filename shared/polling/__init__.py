"""Moving jobs: dispatch, claims, steps, sweep, garbage collection."""
