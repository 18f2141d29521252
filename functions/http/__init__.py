"""What every function shares: the app around its router, who is asking, and how errors are told."""
