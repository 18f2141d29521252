"""What the functions and the poller import."""
