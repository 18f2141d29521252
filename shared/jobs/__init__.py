"""Jobs from request to view: states, store, submission."""
