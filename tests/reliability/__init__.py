"""Long runs that no test run has time for; each prints a table."""
