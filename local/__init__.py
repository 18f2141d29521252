"""The embedded stack: the whole cloud on one machine, in one command."""
